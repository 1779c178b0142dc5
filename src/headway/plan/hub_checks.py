"""The check on pull requests onto live release branches, of forks too: the gate's answer for what they would bring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headway.decide.onforge import on_forge
from headway.decide.outbox import Outbox
from headway.decide.pickstates import states
from headway.decide.pullcheck import JudgedChange, PullVerdict, judge, worst
from headway.model.commit import Sha
from headway.model.hub import APPROVED, CHANGES, Outcome
from headway.model.markdown import LIMIT, code, sentence, title, within
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.plan.hub_actions import WriteCheck, digest_of_action
from headway.plan.trainplan import TrainPlan
from headway.policy.forge_tables import Talk
from headway.policy.schema import Policy

_MARKS = {Outcome.PASSED: "✅", Outcome.REFUSED: "❌", Outcome.WAITS: "⏳", Outcome.NOTHING: "▫️"}
_TITLES = {
    Outcome.PASSED: "Let in",
    Outcome.REFUSED: "Refused",
    Outcome.WAITS: "Waits for people or evidence",
    Outcome.NOTHING: "Nothing to let in",
}
_REVIEWS, _REVIEWERS = {APPROVED: "approved", CHANGES: "asks for changes"}, 20
_FACTS, _WORDS = 8, 300  # facts of one refusal that are shown; characters of each
_ROOM = LIMIT - 2_000  # for the line that says what was left out


def checks(trains: tuple[TrainPlan, ...], outbox: Outbox, snapshot: Snapshot, policy: Policy) -> Iterator[WriteCheck]:
    """One for each commit that is the head of an open pull request."""
    if not policy.talk.check or not outbox.hub.reviewed:  # somebody may object in what is not read yet
        return
    heads: dict[Sha, list[tuple[str, PullVerdict]]] = {}
    for planned in trains:
        train, line = planned.train, snapshot.line(planned.train.branch)
        mine = [
            found
            for p in outbox.hub.pulls
            if line is not None
            and p.open
            and p.base == line.branch
            and (found := snapshot.pulled.get(p.number)) is not None
            and found.head == p.head_sha
        ]
        if line is None or not mine:
            continue
        known = states(train, snapshot, policy)
        for pulled in mine:
            verdict = judge(pulled, train, line, known, snapshot, policy, outbox)
            heads.setdefault(pulled.head, []).append((train.name, verdict))
    for head, verdicts in heads.items():
        action = _check(head, verdicts, outbox, policy)
        if outbox.due(action.about, digest_of_action(action)):
            yield action


def _check(head: Sha, found: Sequence[tuple[str, PullVerdict]], outbox: Outbox, policy: Policy) -> WriteCheck:
    verdicts = [v for _, v in found]
    outcome = worst(verdicts)
    against = [a for v in verdicts for a in (*v.against, *(a for c in v.changes for a in c.against))]
    clauses = sorted({a.clause for a in against})
    brief = f"{_TITLES[outcome]}: {against[0].clause} {against[0].text}" if against else _TITLES[outcome]
    words = _TITLES[outcome] + (f": {', '.join(clauses)}" if clauses else "")
    summary = "\n\n".join(_summary(train, v, policy.talk) for train, v in found)
    train, first = found[0]
    name = policy.talk.check
    tracker = outbox.last.get(f"tracker:{train}")
    url = str(tracker.payload["url"]) if tracker else outbox.url_of(first.number)
    said = (title(words), summary[:_ROOM], title(brief), url)
    return WriteCheck(train, f"check:{head}", first.number, head, name, outcome, *said)


def _summary(train: str, v: PullVerdict, talk: Talk) -> str:
    rows = [*_reviewed(v, talk), f"Onto {code(v.base)} for {within(train)} this would bring:", ""]
    left, room = len(v.changes), _ROOM - 500 - sum(len(r) + 1 for r in rows)
    for c in v.changes:
        row = _row(c, talk)
        if len(row) + 1 > room:
            break
        rows.append(row)
        left, room = left - 1, room - len(row) - 1
    if left:
        rows.append(f"- … and {left} more commits")
    if v.more:
        rows.append(f"- {v.more} commits, too many to be picks: **P8** start the branch at {code(v.base)}")
    elif not v.changes and v.outcome is Outcome.NOTHING:
        rows.append("- nothing that the branch has not")
    return "\n".join(rows)


def _reviewed(v: PullVerdict, talk: Talk) -> list[str]:
    """Who reviewed it on the forge, and what stands against all of it for that."""
    people = list(v.reviews.items())
    said = [f"{within(f'@{who}', 60)} {_REVIEWS[state]}" for who, state in people[:_REVIEWERS]]
    said += [f"{len(people) - _REVIEWERS} more"] if len(people) > _REVIEWERS else []
    rows = [f"Reviews here, which are no approvals of a request: {', '.join(said)}.", ""] if said else []
    for a in v.against:
        told = on_forge(a, commands=talk.commands)
        mark = _MARKS[Outcome.WAITS if v.changes else v.outcome]  # an objection to what is there, or to its size
        rows += [f"- {mark} **{within(a.clause)}** {sentence(told.text, 500)}"]
        rows += [f"  - → {sentence(told.remedy, 500)}", ""]
    return rows


def _row(c: JudgedChange, talk: Talk) -> str:
    rows = [f"- {_MARKS[c.outcome]} {code(c.commit.sha[:12])} {within(c.commit.title, 200)}: {sentence(c.why, 200)}"]
    known = [f"origin {', '.join(code(o[:12]) for o in c.origins[:5])}"] if c.origins else []
    known += [f"request {c.request}"] if c.request is not None else []
    known += [within(c.category)] if c.category else []
    rows += [f"  - {' · '.join(known)}"] if known else []
    rows += [_against(a, talk) for a in c.against]
    return "\n".join(rows)


def _against(a: Reason, talk: Talk) -> str:
    told = on_forge(a, commands=talk.commands)
    rows = [f"  - **{within(a.clause)}** {sentence(told.text, 500)}"]
    for name, value in told.facts[:_FACTS]:
        if name != "today" and value not in (None, (), ""):
            shown = ", ".join(value) if isinstance(value, tuple) else str(value)
            rows.append(f"    - {within(name)}: {within(shown, _WORDS)}")
    rows += [f"    - → {sentence(told.remedy, 500)}"] if str(told.remedy) else []
    return "\n".join(rows)
