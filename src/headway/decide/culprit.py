"""Whose fault a slowdown is: the commits that are suspect, and the next step of the search (E7)."""

from __future__ import annotations

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.performance import INVALID_BLOCKS_ALLOWED, comparison_of, pairs_of
from headway.model.commit import Commit, Line, Sha
from headway.model.entry import Kind
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.model.verdict import BROAD, CellVerdict
from headway.policy.schema import Policy
from headway.stats.culprit import Found, Next, search


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
) -> Next | Found | None:
    """The next probe of the culprit search, its result, or ``None`` when it is done or there is nothing to search.

    The good end is the previous release itself: it is what everything is measured against.
    """
    if train.previous_commit is None or record.last(
        snapshot.entries, Kind.CULPRIT, train.name, tag=candidate.facts.tag
    ):
        return None
    commits = suspects(line, candidate, snapshot, train.previous_commit)
    target = worst(regressed)
    probes: dict[Sha, tuple[float, ...]] = {}
    broken = {e.payload["commit"] for e in record.of(snapshot.entries, Kind.PROBED, train.name) if not e.payload["ok"]}
    for c in commits:
        data = pairs_of(comparison_of(snapshot, c.sha, train.previous_commit), target.cell, target.metric)
        probes[c.sha] = data.worse
        if data.begun - len(data.worse) >= INVALID_BLOCKS_ALLOWED:
            broken.add(c.sha)  # it builds and does not run
    bad_end = probes.get(candidate.facts.commit, ())
    effect = sum(bad_end) / len(bad_end) if bad_end else 0.0
    if effect <= 0:
        return None
    ends = (train.previous_commit, *(c.sha for c in commits))
    step = search(ends, probes, frozenset(broken), effect, policy.perf.probe_blocks)
    return None if isinstance(step, Next) and step.commit in broken else step
