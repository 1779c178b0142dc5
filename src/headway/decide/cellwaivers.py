"""Waivers of cells (E7, G1): bound to the numbers that the person saw, and lapsed by any others.

A waiver of a cell carries the digest of that cell's evidence and its verdict. It counts while the same numbers say
nothing worse: another candidate, another baseline or a further valid block lapses it, and so does a verdict that was
open and is regressed now. Reading the same numbers again does not, nor does a block that gave none.

Entries without a digest (from before it was written down) are held to what the ledger says had been measured by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from headway.decide import record
from headway.decide.calendar import day_of
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind, digest_of
from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.verdict import BROAD, CellVerdict, Verdict
from headway.policy.schema import Policy
from headway.stats.paired import usable

# What a waiver given for a verdict also covers, on the same numbers.
_COVERS = {
    Verdict.OPEN: frozenset({Verdict.OPEN}),
    Verdict.REGRESSED: frozenset({Verdict.REGRESSED, Verdict.OPEN}),
}
WAIVABLE = frozenset(_COVERS)


def cell_key(cell: Cell, metric: str) -> str:
    """How a person names a cell of the gate: model/hardware/test/metric."""
    return f"{cell.model}/{cell.hardware}/{cell.test}/{metric}"


@dataclass(frozen=True, slots=True)
class CellEvidence:
    """The numbers behind one cell-metric: (cell, block, side, repeat, value) of each block in which both sides gave
    some; behind a broad drift those of all cells of its metric."""

    subject: Sha
    baseline: Sha
    cell: Cell
    metric: str
    numbers: tuple[tuple[str, int, str, int, float], ...]

    @property
    def blocks(self) -> int:
        return len({block for _, block, *_ in self.numbers})

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        name = [self.cell.model, self.cell.hardware, self.cell.test, self.metric]
        return digest_of(
            {"subject": self.subject, "baseline": self.baseline, "cell": name, "numbers": [[*n] for n in self.numbers]}
        )


def cell_evidence(comparison: Comparison | None, subject: Sha, baseline: Sha, cell: Cell, metric: str) -> CellEvidence:
    """The evidence of a cell-metric in the blocks that are known of ``subject`` against ``baseline``."""
    found: dict[tuple[Cell, int], list[Sample]] = {}
    for s in comparison.samples if comparison else ():
        if s.metric == metric and cell in (s.cell, BROAD):
            found.setdefault((s.cell, s.block), []).append(s)
    numbers = sorted(
        (str(s.cell), s.block, s.side.value, s.repeat, s.value)
        for samples in found.values()
        if {s.side for s in samples} == set(Side) and all(usable(s.value) for s in samples)
        for s in samples
        if s.value is not None
    )
    return CellEvidence(subject, baseline, cell, metric, tuple(numbers))


def seen(c: CellVerdict, evidence: CellEvidence) -> dict[str, object]:
    """What a waiver of a cell writes down of it, beside what, reason and until."""
    known = {"commit": evidence.subject, "baseline": evidence.baseline}
    return {
        "evidence": evidence.digest,
        "seen": {**known, "blocks": evidence.blocks, "verdict": c.verdict.value, "ratio": c.ratio},
    }


@dataclass(frozen=True, slots=True)
class CellWaiver:
    """A waiver that counts for a cell as it reads now; ``digest`` is that of the cell's evidence."""

    cell: CellVerdict
    entry: Entry
    digest: str

    @property
    def key(self) -> str:
        return cell_key(self.cell.cell, self.cell.metric)

    @property
    def words(self) -> Text:
        return say(
            "{cell} was {verdict}, waived by {person} until {until}: {reason} (evidence {digest})",
            cell=self.key,
            verdict=self.cell.verdict.value,
            person=self.entry.actor,
            until=self.entry.payload["until"],
            reason=self.entry.payload["reason"],
            digest=self.digest[:12],
        )

    def as_json(self) -> dict[str, object]:
        c, e = self.cell, self.entry
        return {
            "cell": self.key,
            "verdict": c.verdict.value,
            "blocks": c.blocks,
            "ratio": c.ratio,
            "person": e.actor,
            "reason": e.payload["reason"],
            "until": e.payload["until"],
            "evidence": self.digest,
            "entry": e.seq,
        }


def cell_waiver(
    train: str,
    c: CellVerdict,
    now: CellEvidence,
    at_entry: Callable[[Entry], CellEvidence],
    snapshot: Snapshot,
    policy: Policy,
    at: datetime | None = None,
) -> CellWaiver | Reason | None:
    """The newest waiver of a cell that counts; else why the newest one does not; ``None`` where nobody gave one.

    ``at_entry`` gives the evidence that the ledger had when an entry was written; ``at`` is the moment at which it must
    be in force, when that is not now.
    """
    given = [*_given(train, cell_key(c.cell, c.metric), snapshot, policy, at)]
    day = day_of(at or snapshot.now, policy.cadence)
    refused: Reason | None = None
    for e in reversed(given):
        why = _why_not(c, now, e, at_entry, day)
        if why is None:
            return CellWaiver(c, e, now.digest)
        refused = refused or _lapsed(train, c, now, e, why)
    return refused


def _given(train: str, key: str, snapshot: Snapshot, policy: Policy, at: datetime | None) -> Iterator[Entry]:
    people = policy.waivers.people
    return (
        e
        for e in record.of(snapshot.entries, Kind.WAIVED, train)
        if "cell" in policy.waivers.clauses
        and e.payload["what"] == f"cell:{key}"
        and (at is None or e.at <= at)
        and (not people or record.among(e.actor, people))
    )


def _why_not(
    c: CellVerdict, now: CellEvidence, e: Entry, at_entry: Callable[[Entry], CellEvidence], day: date
) -> Text | None:
    known = {"cell": cell_key(c.cell, c.metric), "person": e.actor}
    if date.fromisoformat(e.payload["until"]) < day:
        return say("the waiver of {cell} by {person} ended on {day}", day=e.payload["until"], **known)
    if "evidence" not in e.payload:
        if at_entry(e).digest == now.digest:
            return None
        return say("the waiver of {cell} by {person} was given before these numbers were measured", **known)
    return _other_numbers(c, now, e, known)


def _other_numbers(c: CellVerdict, now: CellEvidence, e: Entry, known: dict[str, str]) -> Text | None:
    was = e.payload["seen"]
    if was["commit"] != now.subject:
        return say(
            "the waiver of {cell} by {person} was given for commit {was}, and the candidate is {now}",
            was=was["commit"][:12],
            now=now.subject[:12],
            **known,
        )
    if was["baseline"] != now.baseline:
        return say(
            "the waiver of {cell} by {person} was given for a comparison with {was}, and the baseline is {now}",
            was=was["baseline"][:12],
            now=now.baseline[:12],
            **known,
        )
    if e.payload["evidence"] != now.digest:
        return say(
            "the waiver of {cell} by {person} was given on other numbers: {was} blocks then, {now} now",
            was=was["blocks"],
            now=now.blocks,
            **known,
        )
    if c.verdict not in _COVERS.get(Verdict(was["verdict"]), ()):
        return say(
            "the waiver of {cell} by {person} was given while it was {was}, and it is {now}",
            was=was["verdict"],
            now=c.verdict.value,
            **known,
        )
    return None


def _lapsed(train: str, c: CellVerdict, now: CellEvidence, e: Entry, why: Text) -> Reason:
    return Reason(
        "E7",
        "perf.waiver-lapsed",
        why,
        facts(
            cell=cell_key(c.cell, c.metric),
            waiver=e.seq,
            by=e.actor,
            until=e.payload["until"],
            bound_to=e.payload.get("evidence"),
            evidence=now.digest,
            verdict=c.verdict.value,
        ),
        say(
            "look at the cell as it is now, then `headway waive {version} {cell} --reason … --until DATE`",
            version=train,
            cell=cell_key(c.cell, c.metric),
        ),
    )
