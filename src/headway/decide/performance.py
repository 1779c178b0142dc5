"""Performance evidence of a candidate (E1–E7): what is to be measured, what it says, whose fault a slowdown is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

from headway.decide import record
from headway.decide.blocks import JobBlocks, budget_spent, counted, next_blocks
from headway.decide.candidates import CandidateRecord
from headway.decide.cellwaivers import CellEvidence, CellWaiver, cell_evidence, cell_key, cell_waiver
from headway.decide.waivers import waived
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.measurement import Cell, Comparison
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.model.verdict import BROAD, CellVerdict, PerformanceVerdict, Verdict
from headway.policy.perf_jobs import configured
from headway.policy.perf_tables import Perf
from headway.policy.schema import Policy
from headway.stats.gate import GateDesign, judge
from headway.stats.paired import Pairs, pairs


def paired(comparison: Comparison | None, cell: Cell, metric: str, pair_on: str = "host") -> tuple[float, ...]:
    """The datum of each valid block of one cell-metric: a log ratio, positive = worse."""
    return pairs_of(comparison, cell, metric, pair_on).worse


def pairs_of(comparison: Comparison | None, cell: Cell, metric: str, pair_on: str = "host") -> Pairs:
    samples, launches = (comparison.samples, comparison.launches) if comparison else ((), ())
    return pairs(samples, [(cell, metric)], launches, pair_on)[cell, metric]


def design_of(perf: Perf) -> GateDesign:
    """The policy's gate."""
    return GateDesign(
        alpha=perf.alpha,
        beta=perf.beta,
        looks=perf.looks,
        margins=tuple(sorted(perf.margins.items())),
        margin=perf.margin,
        wanted=tuple((c.cell, c.metrics) for c in perf.cells),
        noise=tuple((n.metric, n.sd, n.df) for n in perf.noise),
        pair_on=perf.pair_on,
    )


def uncovered(perf: Perf, measured: Iterable[Cell]) -> tuple[tuple[str, str], ...]:
    """(model, hardware) pairs that the policy asks for and no measured cell has, spelled as the policy does (E2)."""
    covered = {(c.model, c.hardware) for c in measured}
    return tuple((m, h) for m in perf.models for h in perf.hardware if (m, h) not in covered)


def comparison_of(snapshot: Snapshot, subject: Sha, baseline: Sha | None) -> Comparison | None:
    """The blocks that the ledger says were measured; others are a killed tick's, and count once it is repeated."""
    found = next((c for c in snapshot.comparisons if c.subject == subject and c.baseline == baseline), None)
    if found is None:
        return None
    said = (
        e.payload
        for kind in (Kind.MEASURED, Kind.PROBED)
        for e in record.of(snapshot.entries, kind)
        if e.payload["commit"] == subject and e.payload["baseline"] == baseline and e.payload.get("ok", True)
    )
    return counted(found, said)


def as_candidate(snapshot: Snapshot, commit: Sha | None) -> Comparison | None:
    """The comparison in which a commit, now the baseline, was the candidate: its own history.

    That is the last one that the ledger says was measured for a release; what else was compared with it, as in the
    search of a culprit, is none.
    """
    measured = record.last(snapshot.entries, Kind.MEASURED, commit=commit)
    return comparison_of(snapshot, measured.payload["commit"], measured.payload["baseline"]) if measured else None


@dataclass(frozen=True, slots=True)
class Measure:
    """Blocks that are still to be run for the candidate, job by job."""

    jobs: tuple[JobBlocks, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known: the verdict (``None`` where nothing was asked for), what blocks, and the next blocks if any.

    ``waivers`` are those of single cells that count: bound to the numbers that the verdict rests on.
    ``regressed``: the cells that are, and where only a broad drift is, the one that a culprit is searched in.
    """

    verdict: PerformanceVerdict | None
    measure: Measure | None
    blockers: tuple[Reason, ...]
    regressed: tuple[CellVerdict, ...]
    waivers: tuple[CellWaiver, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether any cell has a number of the candidate's own commit (E1)."""
        return self.verdict is not None and any(c.blocks for c in self.verdict.cells)


def standing(
    train: Train, candidate: CandidateRecord, snapshot: Snapshot, policy: Policy, at: datetime | None = None
) -> Standing:
    """The candidate's performance evidence. Only its own commit's measurements count.

    ``at`` is the moment at which waivers must be in force, when that is not now.
    """
    perf = policy.perf
    if train.previous_commit is None:
        return Standing(None, None, (), ())

    def off(what: str) -> bool:
        return waived(snapshot, train.name, what, policy, at)

    blockers: list[Reason] = []
    missing = uncovered(perf, (c.cell for c in perf.cells))
    if perf.required and missing and not off("E2"):
        blockers.append(_uncovered_reason(train, missing))
    if off("E1"):
        return Standing(None, None, tuple(blockers), ())
    if not configured(perf):
        if perf.required:
            blockers.append(_unconfigured_reason(train, perf))
        return Standing(None, None, tuple(blockers), ())
    design = design_of(perf)
    comparison = comparison_of(snapshot, candidate.facts.commit, train.previous_commit)
    verdict = judge(comparison, design, as_candidate(snapshot, train.previous_commit))
    waivers, lapsed = _cell_waivers(train, candidate, verdict, comparison, snapshot, policy, at)
    bad = tuple(c for c in verdict.cells if c.verdict is not Verdict.PASS and c not in [w.cell for w in waivers])
    if not bad or off("E7"):
        return Standing(verdict, None, tuple(blockers), (), waivers)
    regressed = tuple(c for c in bad if c.verdict is Verdict.REGRESSED)
    if regressed:
        blockers.append(_regressed_reason(train, candidate, regressed, snapshot))
        return Standing(verdict, None, (*blockers, *lapsed), searchable(regressed, verdict.cells), waivers)
    measure = _next_blocks(train, candidate, comparison, perf, bad, snapshot.entries)
    if measure is None:
        blockers += [_stuck_reason(train, candidate, bad, budget_spent(comparison, perf)), *lapsed]
    return Standing(verdict, measure, tuple(blockers), (), waivers)


def evidence_of_cell(
    snapshot: Snapshot, subject: Sha, baseline: Sha, cell: Cell, metric: str, before: int | None = None
) -> CellEvidence:
    """The numbers behind a cell-metric that the ledger says were measured; with ``before`` by that entry."""
    if before is not None:
        snapshot = replace(snapshot, entries=tuple(e for e in snapshot.entries if e.seq < before))
    return cell_evidence(comparison_of(snapshot, subject, baseline), subject, baseline, cell, metric)


def _cell_waivers(
    train: Train,
    candidate: CandidateRecord,
    verdict: PerformanceVerdict,
    comparison: Comparison | None,
    snapshot: Snapshot,
    policy: Policy,
    at: datetime | None,
) -> tuple[tuple[CellWaiver, ...], tuple[Reason, ...]]:
    """Those that count for cells that do not pass, and why others do not.

    Where no cell has a number none counts: cells are waived one by one beside evidence, never instead of it (E1).
    """
    subject, baseline = candidate.facts.commit, train.previous_commit
    if baseline is None or not any(c.blocks for c in verdict.cells):
        return (), ()
    return _waivers_of({train.name}, verdict.cells, subject, baseline, comparison, snapshot, policy, at)


def _waivers_of(
    trains: Iterable[str],
    cells: Iterable[CellVerdict],
    subject: Sha,
    baseline: Sha,
    comparison: Comparison | None,
    snapshot: Snapshot,
    policy: Policy,
    at: datetime | None,
) -> tuple[tuple[CellWaiver, ...], tuple[Reason, ...]]:
    found: list[CellWaiver | Reason | None] = []
    bad = [c for c in cells if c.verdict is not Verdict.PASS]
    for train, c in product(sorted(trains), bad):

        def then(e: Entry, c: CellVerdict = c) -> CellEvidence:
            return evidence_of_cell(snapshot, subject, baseline, c.cell, c.metric, e.seq)

        now = cell_evidence(comparison, subject, baseline, c.cell, c.metric)
        found.append(cell_waiver(train, c, now, then, snapshot, policy, at))
    return tuple(w for w in found if isinstance(w, CellWaiver)), tuple(w for w in found if isinstance(w, Reason))


def waivers_between(
    snapshot: Snapshot, policy: Policy, subject: Sha, baseline: Sha, cells: Iterable[CellVerdict]
) -> tuple[tuple[CellWaiver, ...], tuple[Reason, ...]]:
    """Of all trains: the waivers in force for cells of a comparison that do not pass, and why others lapsed."""
    given = {e.train for e in record.of(snapshot.entries, Kind.WAIVED) if e.payload["what"].startswith("cell:")}
    if not given:
        return (), ()
    comparison = comparison_of(snapshot, subject, baseline)
    return _waivers_of(given, cells, subject, baseline, comparison, snapshot, policy, None)


def searchable(regressed: tuple[CellVerdict, ...], cells: tuple[CellVerdict, ...]) -> tuple[CellVerdict, ...]:
    """With the cell of a broad drift that moved most, where none regressed by itself: a culprit is searched in one."""
    if any(c.cell != BROAD for c in regressed):
        return regressed
    drifted = {c.metric for c in regressed}
    moved = [c for c in cells if c.cell != BROAD and c.metric in drifted and c.ratio is not None]
    return (*regressed, max(moved, key=lambda c: abs(math.log(c.ratio or 1.0))))


def _next_blocks(
    train: Train,
    candidate: CandidateRecord,
    comparison: Comparison | None,
    perf: Perf,
    bad: tuple[CellVerdict, ...],
    entries: tuple[Entry, ...],
) -> Measure | None:
    retries = sum(
        1
        for e in record.of(entries, Kind.RETRIED, train.name)
        if e.payload["tag"] == candidate.facts.tag and e.payload["step"] == "measure"
    )
    jobs = next_blocks(comparison, perf, design_of(perf), ((c.cell, c.metric) for c in bad), retries)
    return Measure(jobs) if jobs else None


def _uncovered_reason(train: Train, missing: tuple[tuple[str, str], ...]) -> Reason:
    names = [f"{m} × {h}" for m, h in missing]
    return Reason(
        "E2",
        "perf.uncovered",
        say("no cell measures {names}", names=names),
        facts(uncovered=names),
        say("add [[perf.cells]] for them, or `headway waive {version} E2 --reason … --until DATE`", version=train.name),
    )


def _unconfigured_reason(train: Train, perf: Perf) -> Reason:
    return Reason(
        "E1",
        "perf.unconfigured",
        say("the policy requires performance evidence and says neither how to launch the engine nor what to measure"),
        facts(serve=perf.serve or None, cells=len(perf.cells), workflow=perf.workflow or None),
        say(
            "set perf.serve and [[perf.cells]], or `headway waive {version} E1 --reason … --until DATE`",
            version=train.name,
        ),
    )


def describe(c: CellVerdict) -> str:
    """A cell's verdict in a line: `toy-small/cpu/decode/median_tpot_ms × 2.61 [2.31, 2.95]`."""
    ratio = f" × {c.ratio:.2f}" if c.ratio is not None else ""
    ci = f" [{c.ci[0]:.2f}, {c.ci[1]:.2f}]" if c.ci else ""
    return f"{cell_key(c.cell, c.metric)}{ratio}{ci}"


def _regressed_reason(
    train: Train, candidate: CandidateRecord, regressed: tuple[CellVerdict, ...], snapshot: Snapshot
) -> Reason:
    culprit = record.last(snapshot.entries, Kind.CULPRIT, train.name, tag=candidate.facts.tag)
    named = culprit.payload if culprit else {}
    suspects = list(named.get("suspects") or ())
    alone = len(suspects) <= 1
    if culprit is None:
        remedy = say("ticks search the culprit among what can be built and launched; or waive the cell")
    elif alone:
        remedy = say("merge a fix or a revert on the trunk and request it as a regression; or waive the cell")
    else:
        remedy = say(
            "one of these {count} commits did it: {commits}; look at each, merge a fix or a revert of the one on the "
            "trunk and request it as a regression; or waive the cell",
            count=len(suspects),
            commits=[c[:12] for c in suspects],
        )
    return Reason(
        "E7",
        "perf.regressed",
        say(
            "{tag} is slower than {previous}: {cells}",
            tag=candidate.facts.tag,
            previous=train.previous,
            cells=[describe(c) for c in regressed],
        ),
        facts(
            tag=candidate.facts.tag,
            commit=candidate.facts.commit,
            baseline=train.previous,
            cells=[describe(c) for c in regressed],
            culprit=named.get("commit") if alone else None,
            culprit_subject=named.get("subject") if alone else None,
            suspects=suspects,
        ),
        remedy,
    )


def _stuck_reason(
    train: Train, candidate: CandidateRecord, bad: tuple[CellVerdict, ...], budget_is_spent: bool
) -> Reason:
    remedy = say(
        "mend invalid launches, then `headway tick --retry measure`; or waive it: `headway waive {version} CELL …`",
        version=train.name,
    )
    if budget_is_spent:
        remedy = say(
            "the policy's budget for one comparison is spent: raise it, or waive it: `headway waive {version} CELL …`",
            version=train.name,
        )
    return Reason(
        "E7",
        "perf.undecided",
        say(
            "the comparison of {tag} with {previous} is not decided: {cells}",
            tag=candidate.facts.tag,
            previous=train.previous,
            cells=[f"{cell_key(c.cell, c.metric)}: {c.verdict.value}" for c in bad],
        ),
        facts(
            tag=candidate.facts.tag,
            cells=[f"{describe(c)} {c.verdict.value} {c.cause}".strip() for c in bad],
            blocks=max(c.blocks for c in bad),
        ),
        remedy,
    )
