"""What a person is shown before they decide: rows of a name and values, whole digests included (G1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway.decide import record
from headway.decide.cellwaivers import CellEvidence
from headway.decide.performance import describe
from headway.decide.pickstates import COMES_TO_NOTHING, ON_BRANCH, PickState, State
from headway.decide.requests import Asked
from headway.model.build import CheckResult
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.verdict import CellVerdict
from headway.plan.trainplan import TrainPlan
from headway.views.entrywords import check_text, claim_text
from headway.views.findings import WHYS
from headway.views.timeline import timeline
from headway.views.train import CAUSES, VERDICTS
from headway.views.words import category_text, short


@dataclass(frozen=True, slots=True)
class Shown:
    """A row; ``values`` are words of others, digests and texts, or ``words`` one sentence of ours."""

    label: Text
    values: tuple[str | Text, ...] = ()
    words: Text | None = None

    def as_json(self) -> dict[str, object]:
        return {"label": str(self.label), "values": [str(v) for v in ((self.words,) if self.words else self.values)]}


def evidence_shown(planned: TrainPlan, snapshot: Snapshot) -> tuple[Shown, ...]:
    """All that a go rests on; nothing while there is nothing to decide."""
    basis = planned.basis
    if basis is None:
        return ()
    line = snapshot.line(planned.train.branch)
    subjects = {c.sha: c.title for c in (*snapshot.trunk.commits, *(line.commits if line else ()))}
    rows = (
        Shown(say("Candidate"), (str(basis["tag"]),)),
        Shown(say("Commit"), (str(basis["commit"]),)),
        Shown(say("Artifacts"), _files(basis["artifacts"])),
        Shown(say("Images"), tuple(f"{i['name']}:{i['reference']} {i['digest']}" for i in basis["images"])),
        Shown(
            say("Published as"), _files(basis["published_as"]) if basis["published_as"] != basis["artifacts"] else ()
        ),
        Shown(say("Checks"), _checks(planned.candidates[-1].checks)),
        Shown(say("Gates"), tuple(map(_gate, basis["gates"]))),
        Shown(say("Performance"), _performance(planned)),
        Shown(say("On the branch"), _commits(basis["changes"], subjects)),
        Shown(say("Left out, since they conflict"), _commits(basis["left_out"], subjects)),
        Shown(say("Trunk reverts not carried over"), _commits(basis["open_reverts"], subjects)),
        Shown(say("Waivers"), _waivers(snapshot, planned.train.name)),
        Shown(say("Entry of the test"), (str(basis["tested"]),) if basis["tested"] else ()),
        Shown(say("Policy"), (str(basis["policy"]),)),
    )
    return tuple(r for r in rows if r.values)


_MARKS = {True: "✓", False: "✗", None: "–"}


def _files(rows: Any) -> tuple[str, ...]:
    return tuple(f"{r['file']} sha256:{r['sha256']}" for r in rows)


def _checks(rows: tuple[CheckResult, ...]) -> tuple[Text, ...]:
    """What failed or was not run in a line each, what passed in one."""
    passed = [check_text(c.name) for c in rows if c.ok]
    others = tuple(
        say("{mark} {check}: {why}", mark=_MARKS[c.ok], check=check_text(c.name), why=c.why) for c in rows if not c.ok
    )
    return (*others, *((say("✓ {checks}", checks=passed),) if passed else ()))


def _gate(row: Mapping[str, Any]) -> str:
    said = row["said"]
    if said is None:
        return f"– {row['gate']}"
    value = "" if said["value"] is None else f" {said['metric'] or ''} {said['value']}".rstrip()
    return f"{_MARKS[bool(said['passed'])]} {row['gate']}{value}"


def _performance(planned: TrainPlan) -> tuple[Text, ...]:
    verdict = planned.performance.verdict if planned.performance else None
    if verdict is None:
        return ()
    bad = tuple(
        say("{verdict}: {cell}", verdict=c.verdict.value, cell=describe(c))
        for c in verdict.cells
        if c.verdict.value != "pass"
    )
    passed, count = sum(1 for c in verdict.cells if c.verdict.value == "pass"), len(verdict.cells)
    return (say("{verdict}: {passed} / {count}", verdict=verdict.verdict.value, passed=passed, count=count), *bad)


def _commits(shas: Any, subjects: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{short(s)} {subjects.get(s, '')}".rstrip() for s in shas)


def _waivers(snapshot: Snapshot, train: str) -> tuple[str, ...]:
    return tuple(
        f"{e.payload['what']} {e.actor} → {e.payload['until']}: {e.payload['reason']}"
        for e in record.of(snapshot.entries, Kind.WAIVED, train)
    )


def pick_shown(asked: Asked, waits: tuple[Text, ...], state: Text) -> tuple[Shown, ...]:
    """A request as it stands."""
    p = asked.payload
    claims = tuple(say("{claim}: {value}", claim=claim_text(k), value=v) for k, v in p.get("claims", {}).items())
    answers = tuple(map(Reason.kept, p.get("violations", ())))
    resolved = tuple(f"#{e.seq} {e.actor}: {', '.join(e.payload['paths'])}" for e in asked.resolved)
    rows = (
        Shown(say("Change"), tuple(filter(None, (asked.subject, str(p["ref"]))))),
        Shown(say("Commit"), asked.commits),
        Shown(say("State"), words=state),
        Shown(say("Category"), words=category_text(str(p.get("category") or ""))),
        Shown(say("Reason"), tuple(filter(None, (str(p.get("reason") or ""),)))),
        Shown(say("Evidence"), (*p.get("evidence", ()), *claims)),
        Shown(say("Asked for by"), (asked.entry.actor,)),
        *(Shown(say("The gate says ({clause})", clause=r.clause), words=r.text) for r in answers),
        Shown(say("Conflicts resolved"), resolved),
        Shown(say("Approved by"), tuple(dict.fromkeys(e.actor for e in asked.counted))),
        *(Shown(say("Waits"), words=w) for w in waits),
    )
    return tuple(r for r in rows if r.values or r.words)


def asked_shown(standing: tuple[State, ...]) -> tuple[Shown, ...]:
    """What was asked for and is not in what is decided on: it waits for a review, or for something else."""
    review, other = [], []
    for asked, state, _ in standing:
        row = f"{asked.id}: {asked.subject or asked.payload['ref']}"
        if state is PickState.REVIEW:
            review.append(row)
        elif state not in COMES_TO_NOTHING | ON_BRANCH | _ELSEWHERE:
            other.append(row)
    rows = (
        Shown(say("Not in it: requests that wait for a review"), tuple(review)),
        Shown(say("Not in it: requests that wait for something else"), tuple(other)),
    )
    return tuple(r for r in rows if r.values)


_ELSEWHERE = frozenset({PickState.CONFLICT, PickState.HELD_UP, PickState.PENDING})
"""What is left out since it conflicts is part of the evidence, and what is to be applied comes before the decision."""


def resolution_shown(made: Entry) -> tuple[Shown, ...]:
    """How the conflict of a revert was resolved."""
    p = made.payload
    return (
        Shown(say("Change"), (str(p["subject"] or p["origin"]),)),
        Shown(say("Takes out"), (str(p["undoes"]),)),
        Shown(say("Revert"), (str(p["origin"]),)),
        Shown(say("Resolved by"), (made.actor,)),
        Shown(say("Commit"), (str(p["commit"]),)),
        Shown(say("Files"), tuple(p["paths"])),
    )


def cell_shown(c: CellVerdict, now: CellEvidence) -> tuple[Shown, ...]:
    """A cell's numbers, in words."""
    return (
        Shown(say("Cell"), (describe(c),)),
        Shown(say("Verdict"), (_said(c),)),
        Shown(say("Blocks"), (str(now.blocks),)),
        Shown(say("Margin"), (f"{c.margin * 100:.1f} %",)),
        Shown(say("Candidate"), (now.subject,)),
        Shown(say("Baseline"), (now.baseline,)),
    )


def _said(c: CellVerdict) -> Text:
    why = CAUSES.get(c.cause) or WHYS.get(c.cause)
    return say("{verdict}: {cause}", verdict=VERDICTS[c.verdict], cause=why) if why else VERDICTS[c.verdict]


def entry_shown(e: Entry) -> tuple[Shown, ...]:
    """An entry's own words."""
    return (Shown(say("Entry {seq}", seq=e.seq), words=timeline((e,))[0].words), Shown(say("By"), (e.actor,)))


def stand_shown(planned: TrainPlan) -> tuple[Shown, ...]:
    """Where a train stands, in few rows."""
    newest = planned.candidates[-1].facts if planned.candidates else None
    rows = (
        Shown(say("Date"), (planned.train.date.isoformat(),)),
        Shown(say("Branch"), (planned.train.branch,)),
        Shown(say("Candidate"), (f"{newest.tag} {newest.commit}",) if newest else ()),
        *(Shown(say("Waits"), words=w.text) for w in planned.waits[:8]),
    )
    return tuple(r for r in rows if r.values or r.words)


_PARTS: Mapping[str, Text] = {
    "version": say("Version"),
    "policy": say("Policy"),
    "tag": say("Candidate"),
    "commit": say("Commit"),
    "artifacts": say("Artifacts"),
    "images": say("Images"),
    "published_as": say("Published as"),
    "tested": say("Test"),
    "checks": say("Checks"),
    "gates": say("Gates"),
    "performance": say("Performance"),
    "changes": say("On the branch"),
    "left_out": say("Left out, since they conflict"),
    "open_reverts": say("Trunk reverts not carried over"),
    "waivers": say("Waivers"),
    "request": say("Request"),
    "entry": say("Newest entry about it"),
    "verdict": say("Verdict"),
    "category": say("Category"),
    "commits": say("Commit"),
    "resolved": say("Conflicts resolved"),
    "state": say("State"),
    "evidence": say("Evidence"),
    "revert": say("Revert"),
    "undoes": say("Takes out"),
    "by": say("By"),
    "cell": say("Cell"),
    "candidate": say("Candidate"),
    "baseline": say("Baseline"),
    "ratio": say("Ratio"),
    "blocks": say("Blocks"),
    "stage": say("Stage"),
    "date": say("Date"),
    "hold": say("Hold"),
    "step": say("Step"),
    "result": say("Newest result"),
    "again": say("Done again by"),
    "reason": say("Reason"),
    "links": say("Evidence"),
}


def part_text(name: str) -> Text:
    """What a part of what was seen is called; its own name where a form brings back another."""
    return _PARTS.get(name) or say("{word}", word=name)
