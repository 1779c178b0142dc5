"""Whose fault a slowdown is: the commits that are suspect, and the next step of the search (E7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.performance import comparison_of, design_of, paired, pairs_of
from headway.model.commit import Commit, Line, Sha
from headway.model.entry import Kind
from headway.model.measurement import Comparison, Side
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.model.verdict import BROAD, CellVerdict
from headway.policy.perf_tables import Perf
from headway.policy.schema import Policy
from headway.stats.culprit import (
    INVALID_BLOCKS_ALLOWED,
    SURE,
    TOLD_SD,
    Confirm,
    Found,
    Next,
    Search,
    Suspicion,
    one_cell,
)
from headway.stats.paired import Key


def suspects(line: Line, candidate: CandidateRecord, snapshot: Snapshot, previous: Sha) -> tuple[Commit, ...]:
    """First-parent trunk commits since the previous release's cut, then the branch's own, up to the candidate."""
    own = line.commits
    at = next((i for i, c in enumerate(own) if c.sha == candidate.facts.commit), -1)
    start = next((i + 1 for i, c in enumerate(own) if c.sha == previous), None)
    return own[start : at + 1] if start is not None else (*snapshot.trunk_since(previous, line.cut), *own[: at + 1])


def worst(regressed: tuple[CellVerdict, ...]) -> CellVerdict:
    """The cell with the largest effect: the one a culprit is searched with. A broad drift is none that could be
    measured; ``standing`` gives a cell of it where nothing else regressed."""
    return max(
        (c for c in regressed if c.cell != BROAD), key=lambda c: abs(c.ratio - 1) if c.ratio is not None else 0.0
    )


def culprit_step(
    train: Train,
    line: Line,
    candidate: CandidateRecord,
    regressed: tuple[CellVerdict, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> Next | Confirm | Found | None:
    """The next probe of the culprit search, its result, or ``None`` when it is done or there is nothing to search.

    The good end is the previous release itself: it is what everything is measured against.
    """
    if train.previous_commit is None or record.last(
        snapshot.entries, Kind.CULPRIT, train.name, tag=candidate.facts.tag
    ):
        return None
    target = worst(regressed)
    key = (target.cell, target.metric)
    found = suspects(line, candidate, snapshot, train.previous_commit)
    commits = (train.previous_commit, *(c.sha for c in found))
    compared = comparison_of(snapshot, candidate.facts.commit, train.previous_commit)
    bad_end = paired(compared, *key, policy.perf.pair_on)
    if not sum(bad_end) > 0:
        return None
    broken = {e.payload["commit"] for e in record.of(snapshot.entries, Kind.PROBED, train.name) if not e.payload["ok"]}
    return next_step(
        commits, key, policy.perf, lambda subject, baseline: comparison_of(snapshot, subject, baseline), broken
    )


def next_step(
    commits: tuple[Sha, ...],
    key: Key,
    perf: Perf,
    measured: Callable[[Sha, Sha], Comparison | None],
    broken: set[Sha],
    *,
    nightly: Mapping[Sha, tuple[float, ...]] | None = None,
    hosts: int = 1,
    sure: float = SURE,
) -> Next | Confirm | Found:
    """One step of the search among ``commits`` (oldest first, from the good end to the bad end).

    ``measured`` gives what there is of a commit against another. ``broken``: commits that cannot be built; one with too
    many invalid blocks builds and does not run, which is the same.
    """
    good, *after = commits
    probes: dict[Sha, tuple[float, ...]] = {}
    unbuildable = set(broken)
    for c in after:
        data = pairs_of(measured(c, good), *key, perf.pair_on)
        probes[c] = data.worse
        if data.begun - len(data.worse) >= INVALID_BLOCKS_ALLOWED:
            unbuildable.add(c)
    told = next((n.sd for n in perf.noise if n.metric == key[1]), TOLD_SD)
    search = Search(commits, probes, frozenset(unbuildable), nightly, told, perf.probe_blocks, hosts, sure)
    step = search.step()
    if not isinstance(step, Suspicion):
        return step
    return search.end(step, turned(measured(step.parent, step.commit)), one_cell(design_of(perf), *key))


def turned(comparison: Comparison | None) -> Comparison | None:
    """A confirmation as the gate reads it.

    It is kept the other way round, the parent against the culprit: so its blocks are never those that found the
    culprit, not even where the parent is the good end.
    """
    if comparison is None:
        return None
    other = {Side.BASELINE: Side.CANDIDATE, Side.CANDIDATE: Side.BASELINE}
    return replace(
        comparison,
        subject=comparison.baseline,
        baseline=comparison.subject,
        samples=tuple(replace(s, side=other[s.side]) for s in comparison.samples),
        launches=tuple(replace(x, side=other[x.side]) for x in comparison.launches),
    )
