"""What goes onto a release branch at a person's word: requests for picks, and commits adopted by hand (P1–P8, G3).

A refused request is kept too, with the gate's answer; a refused adoption writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from packaging.version import Version

from headway.app import Headway
from headway.decide import record
from headway.decide.claims import claims_of, feature_names, names_in_test, path_of_test, spellings
from headway.decide.embargo import HIDDEN
from headway.decide.picks import GateAnswer, adoption, gate
from headway.decide.queue import queue
from headway.decide.requests import Asked, lacking
from headway.decide.trains import branch_for, live_trains, next_fix, releases
from headway.errors import UnusableInput, not_found
from headway.history.changes import resolve_changes
from headway.history.claimed import Claimed, read_claims
from headway.history.features import read_signs
from headway.history.log import paths_of, read_commits
from headway.history.mirror import names_there
from headway.model.claimed import ClaimFacts
from headway.model.commit import Line, Sha, number_in
from headway.model.entry import Entry, Kind, digest_of
from headway.model.pick import Category, ChangeFacts, Claims, PickRequest, PickVerdict
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.loader import policy_digest
from headway.policy.paths import matches
from headway.policy.schema import Policy
from headway.policy.scheme import base_of, branch_release, parse_version
from headway.refusal import Refused, as_if, no
from headway.reviewing import asked_for, is_over, may_not_amend, may_not_review
from headway.sources.repository import branch_names
from headway.upstream import followed
from headway.views.picks import PickRow, past_picks, picks


@dataclass(frozen=True, slots=True)
class Requested:
    """A pick request as it was kept, with the gate's answer and the train it is for. ``waits`` are what an accepted one
    waits for now, people's approvals too; ``lapsed`` those whose approval of what it was counts no more."""

    entry: Entry
    answer: GateAnswer
    train: Train
    waits: tuple[Reason, ...] = ()
    lapsed: tuple[str, ...] = ()

    @property
    def id(self) -> int:
        """The request's number, which its amendments keep."""
        return int(self.entry.payload.get("request", self.entry.seq))


def request_pick(app: Headway, request: PickRequest, onto: str | None = None) -> Requested:
    """Put a request to the gate and keep it, whatever the answer (P1–P8).

    Without ``onto`` (a version or branch) it is for the line that is open: the newest one that is cut and not
    released, else a post release of the newest one.
    """
    named = _line_named(onto, app.policy)
    older = branch_for(named, app.entries(), app.policy) if named else ""
    snapshot = app.observe(branch=older if older in branch_names(app.repo) else "")
    return _put(app, request, _line_for(app, snapshot, onto), snapshot, None)


def amend_pick(
    app: Headway,
    number: int,
    *,
    category: str = "",
    reason: str = "",
    evidence: tuple[str, ...] = (),
    claims: Claims = Claims(),  # noqa: B008 - a frozen value
) -> Requested | Refused:
    """State a request anew: what is given is put in place of what was, evidence is added. It is put to the gate as it
    is now, and approvals of what it was lapse."""
    old = asked_for(app, number).request
    said = {**old.claims.as_json(), **claims.as_json()}
    new = PickRequest(
        old.ref, category or old.category, reason or old.reason, (*old.evidence, *evidence), Claims(**said)
    )
    return restate_pick(app, number, new)


def restate_pick(app: Headway, number: int, new: PickRequest) -> Requested | Refused:
    """Put ``new`` in place of all that a request said; but it stays for its change, and under embargo: what was a
    secret is none by its day alone."""
    asked = asked_for(app, number)
    over = is_over(asked) or may_not_amend(app, asked)
    if over is not None:
        return over
    secret = replace(new.claims, embargo=new.claims.embargo or asked.embargo)
    new = replace(new, ref=asked.request.ref, claims=secret)
    snapshot = app.observe()
    train = next((t for t in live_trains(snapshot, app.policy) if t.name == asked.entry.train), None)
    if train is None:
        return no(
            "P1",
            "pick.train-gone",
            say("{version} is not on its way any more", version=asked.entry.train),
            say("request it for another line"),
            request=number,
            version=asked.entry.train,
        )
    return _put(app, new, train, snapshot, asked)


def all_picks(app: Headway, version: str | None = None) -> tuple[PickRow, ...]:
    """Every request of every train, or of one, with what became of it; in the order in which they were made."""
    snapshot = app.observe()
    live = {t.name: t for t in live_trains(snapshot, app.policy)}
    names = dict.fromkeys(e.train for e in snapshot.entries if e.kind is Kind.REQUESTED)
    wanted = [n for n in names if version is None or n == version.removeprefix("v")]
    rows = (picks(live[n], snapshot, app.policy) if n in live else past_picks(n, snapshot) for n in wanted)
    return tuple(sorted((r for some in rows for r in some), key=lambda r: r.id))


def _put(app: Headway, request: PickRequest, train: Train, snapshot: Snapshot, amended: Asked | None) -> Requested:
    """An amendment that states nothing else than what stands already is not written down again."""
    line = snapshot.line(train.branch)
    _of_this_project(app, request.ref)
    changes = _with_signs(app, resolve_changes(app.repo, request.ref, app.trunk, line, followed(app.policy)))
    commits = [c.commit for c in changes if c.commit is not None]
    known = _claimed(app, request, [c.sha for c in commits], train, snapshot)
    answer = gate(request, changes, train, line, snapshot, app.policy, known, amended.id if amended else None)
    claims = claims_of(request)
    newest = commits[-1] if commits else None
    said = {
        "ref": request.ref,
        "commit": newest.sha if newest else None,
        "commits": [c.sha for c in commits],
        "subject": HIDDEN if claims.embargo else newest.title if newest else "",
        "branch": train.branch,
        "category": request.category,
        "reason": request.reason,
        "evidence": list(request.evidence),
        "claims": claims.as_json(),
        "verdict": str(answer.verdict),
        "violations": [_kept(v, claims) for v in (*answer.violations, *answer.reviews)],
        "waived": [e.seq for _, e in answer.waived],
    }
    inputs = _inputs(app, changes, claims, known, line, snapshot)
    if amended is None:
        entry = app.record(Kind.REQUESTED, train.name, {**said, "inputs": inputs})
    elif digest_of({k: amended.payload.get(k) for k in said}) == digest_of(said):
        return _as_it_stands(amended.says, answer, train, snapshot, app.policy)
    else:
        entry = app.record(Kind.AMENDED, train.name, {"request": amended.id, **said, "inputs": inputs})
    return _as_it_stands(entry, answer, train, replace(snapshot, entries=(*snapshot.entries, entry)), app.policy)


def _of_this_project(app: Headway, ref: str) -> None:
    """Raises ``UnusableInput`` for the address of another project's pull request."""
    ours = app.policy.project.repository
    if number_in(ref) is not None and number_in(ref, ours) is None:
        raise UnusableInput(
            "pick.other-project",
            say("{ref} is no pull request of {repository}", ref=ref, repository=ours),
            remedy=say("name a pull request of this project, or a commit"),
        )


def _kept(reason: Reason, claims: Claims) -> dict[str, object]:
    """A reason as it is written down. What it says of an embargoed change, its words and files, is for the person who
    asked only."""
    whole = reason.written()
    if not claims.embargo or reason.clause not in {"P5", "P6", "P7"}:
        return whole
    return {**reason.as_json(), "message": HIDDEN, "facts": {}, "remedy": HIDDEN}


def _as_it_stands(entry: Entry, answer: GateAnswer, train: Train, snapshot: Snapshot, policy: Policy) -> Requested:
    number = entry.payload.get("request", entry.seq)
    standing = next((s for s in queue(train, snapshot, policy) if s.asked.id == number), None)
    if standing is None:
        return Requested(entry, answer, train)
    waits = standing.waits if answer.verdict is PickVerdict.ACCEPTED else answer.waits
    return Requested(entry, answer, train, waits, lacking(standing.asked, snapshot, policy).lapsed)


def _with_signs(app: Headway, changes: tuple[ChangeFacts, ...]) -> tuple[ChangeFacts, ...]:
    """The changes with what they bring to the package (P7)."""
    picks = app.policy.picks
    ours = (lambda path: matches(path, picks.package_paths)) if picks.package_paths else None
    shas = [c.commit.sha for c in changes if c.commit is not None]
    signs = read_signs(app.repo, shas, ours, lambda path: matches(path, picks.api_paths)) if shas else {}
    return tuple(replace(c, signs=signs[c.commit.sha]) if c.commit is not None else c for c in changes)


def _meant(app: Headway, name: str) -> tuple[str, ...]:
    """By which names git may know a release, a candidate or a commit of the project, in turn."""
    said = spellings(name, app.policy)
    return tuple(n for s in said for n in names_there(s, app.trunk, followed(app.policy)))


def _claimed(app: Headway, request: PickRequest, commits: list[Sha], train: Train, snapshot: Snapshot) -> ClaimFacts:
    """What git knows of the evidence."""
    claims, done = claims_of(request), releases(snapshot.tags, app.policy)
    names = app.policy.versions
    before = [r for r in done if train.previous and base_of(r.version, names) < base_of(train.previous, names)]
    recent = [r for r in done if r.version == train.previous]
    tags = {r.tag: t for r in done if (t := snapshot.tag(r.tag)) is not None}
    return read_claims(
        app.repo,
        app.trunk,
        Claimed(
            good=_meant(app, claims.good),
            bad=_meant(app, claims.bad),
            test=path_of_test(claims.test),
            inside=names_in_test(claims.test),
            features=feature_names(request) if request.category == Category.NEW_FEATURE_FIX else (),
            releases=tuple(tags.values()),
            near=tuple(tags[r.tag] for r in (*recent, *before[-1:])),
            previous=train.previous_commit,
        ),
        commits,
    )


def _inputs(
    app: Headway,
    changes: tuple[ChangeFacts, ...],
    claims: Claims,
    known: ClaimFacts,
    line: Line | None,
    snapshot: Snapshot,
) -> dict[str, Any]:
    """What the gate decided on. Of an embargoed change neither files nor names are written down."""
    evidence: dict[str, Any] = {
        "good": known.good,
        "bad": known.bad,
        "test": {
            "id": claims.test,
            "exists": list(known.test_at),
            "undefined": list(known.test_undefined),
            "passed_before": "stated",
        }
        if claims.test
        else None,
        "feature": known.feature.commit.sha if known.feature else None,
    }
    rows = [
        {"commit": c.commit.sha, "paths": list(c.paths), "signs": asdict(c.signs)}
        for c in changes
        if c.commit is not None and not claims.embargo
    ]
    return {
        "trunk": snapshot.trunk.tip,
        "branch": line.tip if line else None,
        "policy": policy_digest(app.policy),
        "changes": rows,
        "evidence": {k: v for k, v in evidence.items() if v},
    }


def _line_for(app: Headway, snapshot: Snapshot, onto: str | None) -> Train:
    trains = live_trains(snapshot, app.policy)
    if onto is not None:
        for t in trains:
            if onto in {t.branch, t.name, f"v{t.name}"}:
                return t
    cut = [t for t in trains if not t.post and snapshot.line(t.branch) is not None]
    if onto is None and cut:
        return cut[-1]
    posts = [t for t in trains if t.post]
    if onto is None and posts:
        return posts[0]
    post = _next_fix(app, snapshot, onto)
    if post is not None and onto in {None, post.branch, post.name, f"v{post.name}"}:
        return post
    if onto is None:
        return trains[-1]
    raise not_found("line", onto, say("the live lines are {names}", names=[t.branch for t in trains]))


def _line_named(onto: str | None, policy: Policy) -> Version | None:
    """The regular release whose line somebody names, by a version or by its branch."""
    if onto is None:
        return None
    version = parse_version(onto.removeprefix("v")) or branch_release(onto, policy.versions)
    return base_of(version, policy.versions) if version else None


def _next_fix(app: Headway, snapshot: Snapshot, onto: str | None) -> Train | None:
    """The fix release that a first request would bring about (C2): of the newest release, or of the line named."""
    named, names = _line_named(onto, app.policy), app.policy.versions
    of_line = [r for r in app.releases() if named is None or base_of(r.version, names) == named]
    if not of_line:
        return None
    version = next_fix(of_line[-1].version, record.given_up(snapshot.entries), app.policy)
    if snapshot.line(branch_for(version, snapshot.entries, app.policy)) is None:
        return None
    asked = as_if(app, snapshot, Kind.REQUESTED, str(version), {"verdict": "accepted", "commit": None})
    return next((t for t in live_trains(asked, app.policy) if t.version == version), None)


def adopt(app: Headway, revs: Sequence[str], category: str, reason: str) -> tuple[Entry, ...] | Refused:
    """Explain commits that somebody put on a release branch by hand: a commit or a range ``A..B`` each (G3, P1)."""
    refused = _no_category(category) or may_not_review(app)
    if refused is not None:
        return refused
    snapshot = app.observe()
    trains = {t.branch: t for t in live_trains(snapshot, app.policy)}
    found: list[tuple[str, dict[str, Any]]] = []
    refusals: list[Reason] = []
    for rev in revs:
        for sha in _commits_of(app, rev):
            line = next((x for x in snapshot.lines if any(c.sha == sha for c in x.commits)), None)
            if line is None:
                return no(
                    "G3",
                    "adopt.not-on-branch",
                    say("{commit} is on no live release branch", commit=sha[:12]),
                    say("name a commit of {names}", names=[x.branch for x in snapshot.lines]),
                    commit=sha,
                )
            if ".." in rev and sha in record.explained(snapshot.entries, line.branch):
                continue
            train, commit = trains.get(line.branch), next(c for c in line.commits if c.sha == sha)
            refused = _fits(app, train, category) or _known(line, sha, snapshot)
            if refused is not None:
                return refused
            named = line.origins.get(sha) or commit.trailers
            if train is not None:
                (change,) = _with_signs(app, (ChangeFacts(sha, commit, False, None, sha, paths_of(app.repo, sha)),))
                refusals += adoption(change, named, Category(category), train, snapshot, app.policy)
            known = {"commit": sha, "branch": line.branch, "origins": [*named]}
            found.append((train.name if train else "", known))
    if not found:
        refusals.append(_nothing_left(revs))
    if refusals:
        return Refused(tuple(refusals))
    return tuple(
        app.record(Kind.ADOPTED, train, {**known, "category": category, "reason": reason}) for train, known in found
    )


def _nothing_left(revs: Sequence[str]) -> Reason:
    text = say("all of it is explained already")
    return Reason("G3", "adopt.nothing", text, facts(asked=tuple(revs)), say("nothing to do"))


def _no_category(category: str) -> Refused | None:
    if category in {c.value for c in Category}:
        return None
    return no(
        "P1",
        "adopt.no-category",
        say("an adopted commit has exactly one category"),
        say("add --category with one of {names}", names=[c.value for c in Category]),
        category=category or None,
    )


def _commits_of(app: Headway, rev: str) -> tuple[str, ...]:
    low, dots, high = rev.partition("..")
    ends = [app.commit_of(r) for r in ((low, high) if dots else (rev,))]
    if None in ends:
        raise not_found("commit", rev, say("name a commit, or a range A..B"))
    if not dots:
        return (str(ends[0]),)
    return tuple(c.sha for c in read_commits(app.repo, (str(ends[1]), f"^{ends[0]}")))


def _fits(app: Headway, train: Train | None, category: str) -> Refused | None:
    if train is None or not train.post or category in app.policy.post.categories:
        return None
    return no(
        "V4",
        "adopt.not-in-post",
        say("{version} is a post release: it holds fixes only", version=train.name),
        say("revert it on {branch}", branch=train.branch),
        category=category,
        allowed=app.policy.post.categories,
    )


def _known(line: Line, sha: str, snapshot: Snapshot) -> Refused | None:
    if sha in record.explained(snapshot.entries, line.branch):
        return no(
            "G3", "adopt.known", say("{commit} is explained already", commit=sha[:12]), say("nothing to do"), commit=sha
        )
    return None
