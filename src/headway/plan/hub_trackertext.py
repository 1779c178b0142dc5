"""What a train's issue says, as sections of rows. Nothing in it changes by the mere passing of time.

What is under embargo is not in it: the issue is public.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.cellwaivers import cell_key
from headway.decide.embargo import private
from headway.decide.gates import GateState, gates_of, wanted
from headway.decide.onforge import on_forge
from headway.decide.outbox import PULL, Outbox
from headway.decide.pickstates import COMES_TO_NOTHING, ON_BRANCH, PICK_STATES, State
from headway.decide.reverts import RevertVerdict, findings
from headway.decide.reviewed import standing
from headway.decide.trains import today
from headway.decide.turns import TIME_WILL_DO
from headway.decide.waivers import clause_of
from headway.model.commit import pr_of
from headway.model.entry import Entry, Kind
from headway.model.hub import APPROVED, CHANGES
from headway.model.markdown import LIMIT, code, escape, sentence, within
from headway.model.pick import Category
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.train import Stage
from headway.model.verdict import CellVerdict, Verdict
from headway.plan.trainplan import TrainPlan
from headway.policy.forge_tables import Talk
from headway.policy.schema import Policy

_ROWS = 400  # of a section, to begin with
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@%=&+-]+")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading (``""``: none) and its rows, of which the last may be left out where there are too many."""

    title: str
    rows: tuple[str, ...]

    def text(self, most: int) -> str:
        head = [f"### {self.title}", ""] if self.title else []
        rest = [f"- … and {len(self.rows) - most} more"] if len(self.rows) > most else []
        return "\n".join([*head, *self.rows[:most], *rest])


def fitted(sections: tuple[Section, ...], limit: int = LIMIT - 1_000) -> str:
    """All of it as Markdown, with as many rows of each section as a forge takes."""
    most = _ROWS
    while True:
        text = "\n\n".join(s.text(most) for s in sections if s.rows)
        if len(text) <= limit or most == 1:
            return text[:limit]
        most //= 2


def sections_live(
    planned: TrainPlan, known: tuple[State, ...], outbox: Outbox, snapshot: Snapshot, policy: Policy
) -> tuple[Section, ...]:
    """A train that is on its way."""
    hidden = _Hidden.of(known, snapshot, policy)
    shown = tuple(s for s in known if s[0].id not in hidden.ids)
    waits = tuple(w for w in planned.waits if not hidden.by(w))
    return (
        Section("", tuple(_head(planned, waits, snapshot))),
        Section(
            "What it waits for, and whose turn it is", tuple(dict.fromkeys(_wait_row(w, policy.talk) for w in waits))
        ),
        Section("Picks", tuple(_pick_row(s, outbox) for s in shown)),
        Section("Reverts on the trunk", tuple(_revert_rows(planned, snapshot))),
        Section("Candidates", tuple(_candidate_row(r) for r in planned.candidates)),
        Section("Performance", tuple(_performance_rows(planned))),
        Section("Go or no-go", tuple(_go_rows(planned, waits, snapshot, policy))),
        Section("Waivers", tuple(_waiver_row(e) for e in _waivers(planned.train.name, hidden, snapshot, policy))),
    )


def sections_ended(
    train: str, released: Entry | None, known: tuple[State, ...], outbox: Outbox, snapshot: Snapshot, policy: Policy
) -> tuple[Section, ...]:
    """A train that was released (by that entry), or given up."""
    shown = tuple(s for s in known if not s[0].embargo or s[0].done)
    if released is not None:
        p = released.payload
        page = _release_page(train, str(p["tag"]), outbox, policy)
        named = f"[{within(p['tag'])}]({page})" if page else code(p["tag"])
        head = f"**Released**: {named} is on {code(p['commit'])}."
    else:
        gone = next(e for e in reversed(snapshot.entries) if e.kind in record.GIVING_UP and e.train == train)
        how = "Skipped" if gone.kind is Kind.SKIPPED else "Abandoned"
        head = f"**{how}** by {within(gone.actor)}: {within(str(gone.payload.get('reason') or ''), 500)}"
    published = record.last(snapshot.entries, Kind.PUBLISHED, train)
    files = published.payload["files"] if published and released else ()
    return (
        Section("", (head,)),
        Section("Picks", tuple(_pick_row(s, outbox) for s in shown)),
        Section("Files", tuple(f"- {code(f['file'])} sha256 {code(f['sha256'])}" for f in files)),
    )


def _release_page(train: str, tag: str, outbox: Outbox, policy: Policy) -> str:
    """Where the release object is read, next to this issue; ``""``: there is none."""
    last = outbox.last.get(f"tracker:{train}")
    project, issues, _ = str(last.payload["url"] if last else "").partition("/issues/")
    page = f"{project}/releases/tag/{quote(tag)}"
    return page if issues and policy.forge.path and _LINK.fullmatch(page) else ""


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What nobody is told before its day: requests by number, and their commits."""

    ids: frozenset[int]
    commits: tuple[str, ...]

    @classmethod
    def of(cls, known: tuple[State, ...], snapshot: Snapshot, policy: Policy) -> _Hidden:
        secret = [a for a, _, _ in known if a.embargo and _still(a.embargo, snapshot, policy)]
        return cls(frozenset(a.id for a in secret), tuple(c for a in secret for c in a.commits))

    def by(self, reason: Reason) -> bool:
        """Whether a wait tells of them."""
        if reason.code in {"picks.private-in-use", "picks.embargo-conflict", "picks.embargoed"}:
            return True
        values = dict(reason.facts)
        every = [str(v) for v in values.values()]
        return values.get("request") in self.ids or any(c[:12] in text for c in self.commits for text in every)


def _still(embargo: str, snapshot: Snapshot, policy: Policy) -> bool:
    try:
        return private(embargo, snapshot, policy)
    except ValueError:  # no day at all: nobody said when it may be told
        return True


def _head(planned: TrainPlan, waits: tuple[Reason, ...], snapshot: Snapshot) -> Iterator[str]:
    train = planned.train
    out = record.last(snapshot.entries, Kind.PUBLISHED, train.name)
    day = f"published on {out.at:%Y-%m-%d}" if out else f"to be released on {train.date.isoformat()} (tentative)"
    yield f"**{within(train.tag)}**: {planned.stage.value}, {day}"
    if planned.stage in {Stage.PLANNED, Stage.CUT_DUE}:
        first, last = (d.isoformat() for d in train.window)
        words = "published" if train.post else "cut"
        yield f"- to be {words} from {first} to {last}, as {code(train.branch)}"
    else:
        yield f"- branch: {code(train.branch)}"
    if train.previous is not None:
        yield f"- compared with {within(str(train.previous))}"
    yield f"- turn: {_turn(planned, waits)}"


def _turn(planned: TrainPlan, waits: tuple[Reason, ...]) -> str:
    if planned.action is not None:
        return "Headway"
    return "the calendar" if waits and all(w.code in TIME_WILL_DO for w in waits) else "people"


def _wait_row(w: Reason, talk: Talk) -> str:
    told = on_forge(w, commands=talk.commands)
    row = f"- [ ] **{within(w.clause)}** {sentence(told.text, 300)} ({_whose(w)})"
    return f"{row}\n  → {sentence(told.remedy, 300)}"


def _whose(w: Reason) -> str:
    if w.code in TIME_WILL_DO:
        return "ends by itself"
    named = dict(w.facts).get("people")
    if isinstance(named, tuple) and named:
        return f"turn: {within(', '.join(named), 200)}"
    if w.code.endswith("needs-review"):
        return "turn: reviewers"
    return "turn: release managers" if w.clause.startswith(("G", "V", "N")) else "turn: people"


def _pick_row(state: State, outbox: Outbox) -> str:
    asked, name, _ = state
    p = asked.payload
    subject = asked.subject or str(p["ref"])
    number, word = pr_of(subject), str(p.get("category") or "")
    clause = f" {Category(word).clause}" if word in set(Category) else ""
    title = subject.removesuffix(f" (#{number})")
    words = [f"{escape(title, 200)}{f' (#{number})' if number else ''}", f"request {asked.id}"]
    words += [f"{within(word)}{clause}"] if word else []
    words += [f"gate: {within(asked.verdict.value)}", f"**{PICK_STATES[name]}**"]
    words += [f"as {code(sha[:12])}" for sha in list((asked.placed or {}).values())[:3]]
    people = dict.fromkeys(e.actor for e in asked.counted)
    words += [f"approved by {within(', '.join(people), 200)}"] if people else []
    about = f"{PULL}{asked.entry.train}:{asked.id}"
    pull = outbox.number(about)
    words += [f"pull request #{pull}{_reviewed(pull, about, outbox)}"] if pull else []
    url = str((asked.entry.payload.get("via") or {}).get("url") or "")
    words += [f"[asked]({url})"] if _LINK.fullmatch(url) else [f"asked by {within(asked.entry.actor, 60)}"]
    mark = "✗" if name in COMES_TO_NOTHING else f"[{'x' if name in ON_BRANCH else ' '}]"
    return f"- {mark} {' · '.join(words)}"


def _reviewed(pull: int, about: str, outbox: Outbox) -> str:
    """Who said there what of a pull request of Headway's own; of one that is over, who approved it."""
    if not outbox.open(about):
        said = [(who, APPROVED) for who in outbox.last[about].payload.get("approved", ())]
    else:
        said = list(standing(pull, outbox.hub).items())
    rows = []
    for state, words in ((APPROVED, "approved there by"), (CHANGES, "changes asked for by")):
        people = [f"@{who}" for who, told in said if told == state]
        rows += [f"{words} {within(', '.join(people), 200)}"] if people else []
    return f" ({'; '.join(rows)})" if rows else ""


def _count(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def _revert_rows(planned: TrainPlan, snapshot: Snapshot) -> Iterator[str]:
    line = snapshot.line(planned.train.branch)
    every = findings(line, snapshot) if line is not None else ()
    mine = [f for f in every if f.verdict is not RevertVerdict.NOT_ON_BRANCH]
    open_ = {RevertVerdict.NEEDED, RevertVerdict.PARTIAL, RevertVerdict.AMBIGUOUS}
    for f in mine:
        mark = " " if f.verdict in open_ else "x"
        commit = f.revert.commit
        words = f"{within(commit.title, 200)}, **{f.verdict.value}**: {sentence(f.why, 300)}"
        yield f"- [{mark}] {code(commit.sha[:12])} {words}"
    if len(every) > len(mine):
        yield f"- {_count(len(every) - len(mine), 'other undoes', 'others undo')} nothing that the branch has"


def _candidate_row(r: CandidateRecord) -> str:
    def said(entry: Entry | None) -> str:
        return "not yet" if entry is None else "passed" if entry.payload["ok"] else "failed"

    failed = [within(c.name) for c in r.checks if c.ok is False]
    good = bool(r.tested and r.tested.payload["ok"])
    why = f" ({', '.join(failed)})" if failed else ""
    tested = f"build: {said(r.built)}, test: {said(r.tested)}{why}"
    return f"- [{'x' if good else ' '}] {code(r.facts.tag)} at {code(r.facts.commit[:12])}, {tested}"


def _performance_rows(planned: TrainPlan) -> Iterator[str]:
    perf = planned.performance
    if perf is None or perf.verdict is None:
        return
    waived = {cell_key(w.cell.cell, w.cell.metric) for w in perf.waivers}
    yield f"- **{perf.verdict.verdict.value}**, {_count(len(perf.verdict.cells), 'cell', 'cells')}"
    for c in sorted(perf.verdict.cells, key=lambda c: c.verdict is Verdict.PASS):
        key = cell_key(c.cell, c.metric)
        note = ", waived" if key in waived else ""
        yield f"- [{'x' if c.verdict is Verdict.PASS else ' '}] {within(key)}: {c.verdict.value}{_ratio(c)}{note}"


def _ratio(c: CellVerdict) -> str:
    if c.ratio is None:
        return ""
    interval = f" [{c.ci[0]:.3f}, {c.ci[1]:.3f}]" if c.ci else ""
    return f", {c.ratio:.3f}{interval} of the previous release, {_count(c.blocks, 'block', 'blocks')}"


def _go_rows(planned: TrainPlan, waits: tuple[Reason, ...], snapshot: Snapshot, policy: Policy) -> Iterator[str]:
    if not planned.candidates:
        return
    newest = planned.candidates[-1]
    for row in gates_of(planned.train, newest, snapshot, policy).rows:
        good = row.state in {GateState.PASSED, GateState.WAIVED}
        needed = "" if row.gate.required else ", not required"
        words = f"gate {within(row.gate.name)}: {row.state.value} (wanted: {sentence(wanted(row.gate))}{needed})"
        yield f"- [{'x' if good else ' '}] **B4** {words}"
    decided = planned.stage in {Stage.DECISION, Stage.PROMOTING, Stage.RELEASED}
    open_ = {str(dict(w.facts).get("gate")) for w in waits if w.code == "promotion.unapproved"}
    for gate, rule in sorted(policy.approvals.items()):
        given = decided and gate not in open_
        people = f" by {within(', '.join(rule.people), 200)}" if rule.people else ""
        wants = f"{_count(rule.count, 'approval', 'approvals')}{people} wanted"
        by = _approvers(planned, gate, given, waits, snapshot)
        by = tuple(p for p in by if not rule.people or record.among(p, rule.people))
        had = f", approved by {within(', '.join(by), 200)}" if by else ""
        yield f"- [{'x' if given else ' '}] **G1** {within(gate)}: {wants}{had}"
    clauses = sorted({w.clause for w in waits})
    if clauses and planned.stage is not Stage.PROMOTING:
        yield f"- no go yet: {', '.join(within(c) for c in clauses)}"


def _approvers(
    planned: TrainPlan, gate: str, given: bool, waits: tuple[Reason, ...], snapshot: Snapshot
) -> tuple[str, ...]:
    """Who opened a gate for the newest candidate as it is, also while more are wanted."""
    known = (dict(w.facts) for w in waits if w.code == "promotion.unapproved")
    told = next((f["approved_by"] for f in known if f["gate"] == gate), ())
    if not given:
        return told if isinstance(told, tuple) else ()
    commit = planned.candidates[-1].facts.commit
    every = (e for e in record.of(snapshot.entries, Kind.APPROVED, planned.train.name) if e.payload["gate"] == gate)
    now = (e for e in every if e.payload["commit"] == commit and planned.evidence in {None, e.payload["evidence"]})
    return tuple(dict.fromkeys(e.actor for e in now))


def _waivers(train: str, hidden: _Hidden, snapshot: Snapshot, policy: Policy) -> Iterator[Entry]:
    """In force today, oldest first."""
    day = today(policy, snapshot.now).isoformat()
    for e in record.of(snapshot.entries, Kind.WAIVED, train):
        secret = str(e.payload.get("commit") or "") in hidden.commits
        if not secret and e.payload["until"] >= day and clause_of(e.payload["what"]) in policy.waivers.clauses:
            yield e


def _waiver_row(e: Entry) -> str:
    p = e.payload
    commit = f" of {code(str(p['commit'])[:12])}" if p.get("commit") else ""
    what = f"**{within(str(p['what']))}**{commit} until {within(str(p['until']))}"
    return f"- {what}, by {within(e.actor)}: {within(str(p['reason']), 300)}"
