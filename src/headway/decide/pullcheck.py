"""The gate's answer for a pull request onto a release branch: for every commit that it would bring, where it is from,
who asked for it, and what speaks against it (P1–P8, B6, G3). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headway.decide import dropping
from headway.decide.chatrights import account
from headway.decide.outbox import Outbox
from headway.decide.pickstates import COMES_TO_NOTHING, ON_BRANCH, PickState, State
from headway.decide.reverts import RevertVerdict, findings
from headway.decide.reviewed import objecting, standing
from headway.model.commit import Commit, Line, Sha
from headway.model.entry import Entry, Kind
from headway.model.hub import Outcome
from headway.model.identity import SURE
from headway.model.pick import Category, ChangeKind
from headway.model.pulled import Pulled, PulledChange
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.paths import matches
from headway.policy.schema import Policy

_RANK = {Outcome.NOTHING: 0, Outcome.PASSED: 1, Outcome.WAITS: 2, Outcome.REFUSED: 3}


@dataclass(frozen=True, slots=True)
class JudgedChange:
    """One commit. ``why`` says in a few words what it was taken for; ``request`` is the one that asks for it."""

    commit: Commit
    origins: tuple[Sha, ...]
    request: int | None
    category: str
    outcome: Outcome
    why: Text
    against: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class PullVerdict:
    """The whole pull request; ``more`` are commits that were not looked at, ``reviews`` who reviewed it to what they
    said, ``against`` what speaks against all of it."""

    number: int
    base: str
    outcome: Outcome
    changes: tuple[JudgedChange, ...]
    more: int
    reviews: Mapping[str, str] = field(default_factory=dict)
    against: tuple[Reason, ...] = ()


def judge(
    pulled: Pulled,
    train: Train,
    line: Line,
    known: Sequence[State],
    snapshot: Snapshot,
    policy: Policy,
    outbox: Outbox,
) -> PullVerdict:
    """``known`` are the requests of the train with their states."""
    opened = outbox.conflict_at(pulled.number, snapshot.entries)
    if opened is not None:
        return _draft(pulled, opened, snapshot)
    if pulled.large:
        reviews = standing(pulled.number, outbox.hub)
        return PullVerdict(pulled.number, pulled.base, Outcome.REFUSED, (), 0, reviews, (_too_large(line),))
    judge_one = _Judge(train, line, known, snapshot, policy, _made(pulled, outbox))
    rows = tuple(judge_one.change(c) for c in pulled.changes)
    objections = _objections(objecting(pulled.number, outbox.hub, policy.talk))
    outcomes = [r.outcome for r in rows] + [Outcome.REFUSED] * bool(pulled.more) + [Outcome.WAITS] * len(objections)
    outcome = max(outcomes, key=_RANK.__getitem__, default=Outcome.NOTHING)
    reviews = standing(pulled.number, outbox.hub)
    return PullVerdict(pulled.number, pulled.base, outcome, rows, pulled.more, reviews, objections)


def _too_large(line: Line) -> Reason:
    return Reason(
        "P8",
        "pull.too-large",
        say("it would bring too much to be fetched and looked at: that is no pick"),
        facts(branch=line.branch),
        say("start the branch of the pull request at {branch} and pick with -x", branch=line.branch),
    )


def _objections(people: tuple[str, ...]) -> tuple[Reason, ...]:
    if not people:
        return ()
    names = tuple(account(p) for p in people)
    reason = Reason(
        "P1",
        "pull.changes-requested",
        say("a review asks for changes: {people}", people=names),
        facts(people=names),
        say("make them, or have the review dismissed or given anew on the forge"),
    )
    return (reason,)


def worst(verdicts: Sequence[PullVerdict]) -> Outcome:
    """The answer for a commit that several pull requests have as their head."""
    return max((v.outcome for v in verdicts), key=_RANK.__getitem__)


def _made(pulled: Pulled, outbox: Outbox) -> Mapping[Sha, Sha]:
    """Of the commits of a pull request of Headway's own, as it left it, those that are picks, to their origins: also
    of work of the release branch alone (P6), which nothing on the trunk tells."""
    rows = outbox.made(pulled.head)
    if len(rows) != len(pulled.changes):
        return {}
    both = zip(pulled.changes, rows, strict=True)
    return {c.commit.sha: row["origin"] for c, row in both if row["kind"] == ChangeKind.PICK}


def _draft(pulled: Pulled, opened: Entry, snapshot: Snapshot) -> PullVerdict:
    """The draft of a conflict, which is never merged itself: nothing of it is let in, whatever people push there."""
    p = opened.payload
    recorded = any(
        e.kind is Kind.RESOLVED and e.seq > opened.seq and e.payload.get("workspace") == p["workspace"]
        for e in snapshot.entries
    )
    key = str(p["request"]) if p["request"] is not None else str(p["undoes"])[:12]
    if recorded:
        text = say("its resolution is recorded, and comes in by itself")
        remedy = say("do not merge this one; Headway closes it")
    elif pulled.head == p["commit"]:
        text = say("a conflict that nobody has resolved")
        remedy = say("edit the files until no marker is left, push to {branch}, then `/resolve`", branch=p["workspace"])
    else:
        text = say("a resolution that waits for `/resolve`")
        remedy = say("record it: `/resolve` in a comment here, or `headway pick resolve {key}`", key=key)
    reason = Reason("P1", "pull.conflict", text, facts(paths=p["paths"]), remedy)
    last = len(pulled.changes) - 1
    rows = tuple(
        JudgedChange(
            c.commit,
            (p["origin"],) if c.commit.sha == p["commit"] else (),
            p["request"],
            "",
            Outcome.WAITS,
            say("the conflict, with git's markers") if c.commit.sha == p["commit"] else say("part of its resolution"),
            (reason,) if i == last else (),
        )
        for i, c in enumerate(pulled.changes)
    )
    return PullVerdict(pulled.number, pulled.base, Outcome.WAITS, rows, pulled.more)


class _Judge:
    """What the looks at all commits share. ``made``: picks of Headway's own to their origins."""

    def __init__(
        self,
        train: Train,
        line: Line,
        known: Sequence[State],
        snapshot: Snapshot,
        policy: Policy,
        made: Mapping[Sha, Sha],
    ) -> None:
        self._train, self._line, self._policy, self._own = train, line, policy, made
        self._known = known
        self._trunk = {c.sha for c in snapshot.trunk.commits}
        self._needed = {f.revert.commit.sha for f in findings(line, snapshot) if f.verdict is RevertVerdict.NEEDED}
        self._drops = {c.undoes for c in dropping.asks(line, snapshot)}
        self._mine = {c.sha for c in line.commits}

    def change(self, c: PulledChange) -> JudgedChange:
        sha, identity = c.commit.sha, c.identity
        origins = identity.origins if identity.confidence >= SURE else ()
        if not origins and sha in self._own:
            origins = (self._own[sha],)
        if len(c.commit.parents) > 1:
            return self._merge(c)
        asked = self._asked(c, origins)
        if asked is not None:
            return self._requested(c, origins, asked)
        if sha in self._trunk or origins == (sha,):
            return self._no(c, say("a commit of the trunk itself"), self._from_trunk(c))
        if set(origins) & self._needed:
            return self._faithful(c, origins, None, "revert", say("a trunk revert that the branch needs (B6)"))
        undone = [t for t in self._mine if any(t.startswith(n) for n in c.commit.reverted)]
        if undone and not origins:
            return self._revert(c, undone)
        return self._unasked(c, origins)

    def _asked(self, c: PulledChange, origins: tuple[Sha, ...]) -> State | None:
        """Of several requests the one that lets it in."""
        names = {c.commit.sha, *origins}
        found = [s for s in self._known if names & set(s[0].commits)]
        rank = {PickState.PENDING: 0, PickState.APPLIED: 1, PickState.THERE: 1}
        return min(found, key=lambda s: rank.get(s[1], 3 if s[1] in COMES_TO_NOTHING else 2), default=None)

    def _requested(self, c: PulledChange, origins: tuple[Sha, ...], state: State) -> JudgedChange:
        asked, name, waits = state
        category = str(asked.payload.get("category") or "")
        row = (c.commit, origins, asked.id, category)
        if name in ON_BRANCH:
            return JudgedChange(*row, Outcome.NOTHING, say("request {id} is on the branch already", id=asked.id))
        if name in COMES_TO_NOTHING:
            told = [Reason.kept(v) for v in asked.payload.get("violations", ())] if name is PickState.REFUSED else []
            told += waits
            closed = say("request {id} is over: {state}", id=asked.id, state=name.value)
            anew = say("ask for it anew, with what speaks for it now")
            told = told or [Reason("P1", "pull.request-over", closed, (), anew)]
            return JudgedChange(*row, Outcome.REFUSED, closed, tuple(told))
        if waits:
            why = say("request {id} waits", id=asked.id)
            return JudgedChange(*row, Outcome.WAITS, why, waits)
        made = [asked.resolution(o) for o in asked.commits]
        if any(e is not None and e.payload["tree"] == c.commit.tree for e in made):
            return JudgedChange(*row, Outcome.PASSED, say("request {id}, as its conflict was resolved", id=asked.id))
        return self._faithful(c, origins, asked.id, category, say("request {id} is let in", id=asked.id))

    def _faithful(
        self, c: PulledChange, origins: tuple[Sha, ...], request: int | None, category: str, why: Text
    ) -> JudgedChange:
        if c.faithful is not False:
            return JudgedChange(c.commit, origins, request, category, Outcome.PASSED, why)
        key = str(request) if request is not None else "COMMIT"
        reason = Reason(
            "P1",
            "pull.other-content",
            say("its content is not what its origin gives here"),
            facts(commit=c.commit.sha, origins=origins),
            say(
                "if a conflict was resolved, record it and have it approved: `headway pick resolve {key}`; "
                "else `git cherry-pick -x` it anew",
                key=key,
            ),
        )
        return JudgedChange(c.commit, origins, request, category, Outcome.WAITS, why, (reason,))

    def _merge(self, c: PulledChange) -> JudgedChange:
        row = (c.commit, (), None, "merge")
        if c.faithful:
            return JudgedChange(*row, Outcome.NOTHING, say("a merge that brings nothing of its own"))
        reason = Reason(
            "P1",
            "pull.merge",
            say("a merge with content of its own, of which nobody can tell where it is from"),
            facts(commit=c.commit.sha, parents=c.commit.parents),
            say("rebase the pull request onto {branch}", branch=self._line.branch),
        )
        return JudgedChange(*row, Outcome.REFUSED, say("a merge with content of its own"), (reason,))

    def _revert(self, c: PulledChange, undone: list[Sha]) -> JudgedChange:
        row = (c.commit, (), None, "revert")
        if set(undone) <= self._drops:
            return JudgedChange(*row, Outcome.PASSED, say("a person asked for this revert (G3)"))
        reason = Reason(
            "G3",
            "pull.revert",
            say("it takes out what the branch has, and nobody asked for that"),
            facts(commit=c.commit.sha, undoes=undone, branch=self._line.branch),
            say("`headway pick drop {sha} --reason …`", sha=undone[0][:12]),
        )
        return JudgedChange(*row, Outcome.WAITS, say("a revert of what the branch has"), (reason,))

    def _unasked(self, c: PulledChange, origins: tuple[Sha, ...]) -> JudgedChange:
        release_work = bool(c.paths) and all(matches(p, self._policy.picks.branch_paths) for p in c.paths)
        if not origins and not release_work:
            reason = Reason(
                "P8",
                "pull.no-origin",
                say("no commit of the trunk is its origin"),
                facts(commit=c.commit.sha, subject=c.commit.title, paths=c.paths[:20]),
                say("merge it on the trunk first, then pick it with `git cherry-pick -x`, or have Headway pick it"),
            )
            return self._no(c, say("work of this branch alone"), reason)
        category = Category.RELEASE_BRANCH.value if release_work else ""
        reason = Reason(
            "P6" if release_work else "P1",
            "pull.unasked",
            say("nobody asked for it"),
            facts(commit=c.commit.sha, origins=origins, branch=self._line.branch),
            say(
                "request it, with its category and what speaks for it: `headway pick request {sha} --onto {version} "
                "--category … --reason …`",
                sha=(origins[0] if origins else c.commit.sha)[:12],
                version=self._train.name,
            ),
        )
        return JudgedChange(c.commit, origins, None, category, Outcome.WAITS, say("without a request"), (reason,))

    def _from_trunk(self, c: PulledChange) -> Reason:
        return Reason(
            "P8",
            "pull.trunk",
            say("it is the trunk's own commit, not a pick of it"),
            facts(commit=c.commit.sha, branch=self._line.branch),
            say("start the branch of the pull request at {branch} and pick with -x", branch=self._line.branch),
        )

    def _no(self, c: PulledChange, why: Text, reason: Reason) -> JudgedChange:
        return JudgedChange(c.commit, (), None, "", Outcome.REFUSED, why, (reason,))
