"""E5, E7, G3: which stored blocks a tick takes for its own, and what it names as measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import perfkit
import pytest
from gitmaker import GitMaker
from worlds import policy

from headway.decide.blocks import JobBlocks, counted
from headway.effects.blocks import numbered, only, stored
from headway.effects.measure import Measurer
from headway.effects.paths import StatePaths
from headway.effects.probing import probe
from headway.errors import WorldFailed
from headway.history.repository import open_repository
from headway.model.measurement import IMPORTED, Cell, Comparison, Launch, Sample, Side
from headway.model.ports import Progress
from headway.model.text import say
from headway.perf.blocks import BlockJob, BlockResult, Subject
from headway.perf.identity import identity
from headway.perf.store import MeasurementStore
from headway.plan.actions import ProbeCommit
from headway.policy.perf_tables import Perf

PERF = perfkit.perf(cells=[perfkit.cell("a"), perfkit.cell("b")])
A, B = (c.cell for c in PERF.cells)
ONE, TWO, OTHER = "1" * 64, "2" * 64, "e" * 64
BASE = Subject(Side.BASELINE, "1.0", perfkit.BASELINE, "main", "b.whl", ONE)
CAND = Subject(Side.CANDIDATE, "1.1", perfkit.CANDIDATE, "main", "c.whl", TWO)


def block(
    number: int, table: Perf = PERF, wheels: tuple[str, str] = (ONE, TWO), value: float = 10.0, **told: str
) -> tuple[tuple[Sample, ...], tuple[Launch, ...]]:
    """What a host says of a block: samples and launches of both sides."""
    cells = tuple(c.cell for c in table.cells)
    samples = tuple(Sample(number, side, c, perfkit.METRIC, value) for side in Side for c in cells)
    said = tuple(identity(table, c) for c in table.cells)
    launches = tuple(
        Launch(number, side, cells, tuple(({"wheel": w} | told if w else told).items()), said)
        for side, w in zip((Side.BASELINE, Side.CANDIDATE), wheels, strict=True)
    )
    return samples, launches


def comparison(*blocks: tuple[tuple[Sample, ...], tuple[Launch, ...]]) -> Comparison:
    samples = tuple(s for b in blocks for s in b[0])
    return Comparison(CAND.commit, BASE.commit, samples, (), tuple(x for b in blocks for x in b[1]))


def taken(found: Comparison, table: Perf = PERF, subjects: tuple[Subject, Subject] = (BASE, CAND)) -> set[int]:
    mine = only(found, table, subjects)
    assert mine is not None
    return {s.block for s in mine.samples}


def test_a_block_of_these_wheels_and_arguments_is_taken() -> None:
    found = comparison(block(0), block(1, wheels=(ONE, OTHER)), block(2))
    assert taken(found) == {0, 2}
    assert numbered((0, 1, 2), found, PERF, (BASE, CAND)) == ((0, True), (2, True), (3, False))


@pytest.mark.parametrize(
    "launches",
    [
        (),
        block(0)[1][:1],
        tuple(replace(x, cells=(A,), identity=x.identity[:1]) for x in block(0)[1]),
        tuple(replace(x, told=()) for x in block(0)[1]),
        tuple(replace(x, told=(*x.told, IMPORTED)) for x in block(0)[1]),
    ],
    ids=["no launch", "of one side", "of one cell", "without its wheel", "out of a file"],
)
def test_E5_a_block_that_no_launch_of_these_wheels_accounts_for_is_not_taken(launches: tuple[Launch, ...]) -> None:
    """A file or an older store may have brought it; what the ledger counts already stays counted."""
    found = comparison((block(0)[0], launches))
    assert taken(found) == set()
    assert numbered((0,), found, PERF, (BASE, CAND)) == ((1, False),)
    counts = counted(found, [{"jobs": [JobBlocks((A, B), (0,)).as_json()]}])
    assert counts is not None
    assert counts.samples == found.samples


def test_E5_a_runner_that_takes_commits_names_no_wheel() -> None:
    """The pair of commits and what was told are enough there; a block of some wheel is not its own."""
    commits = (replace(BASE, sha256="", wheel=""), replace(CAND, sha256="", wheel=""))
    found = comparison(block(0, wheels=("", "")), block(1), (block(2)[0], ()))
    assert taken(found, subjects=commits) == {0}
    # Its launches may serve a part of the cells each.
    samples, launches = block(3, wheels=("", ""))
    parts = tuple(replace(x, cells=(c,), identity=()) for x in launches for c in (A, B))
    assert taken(comparison((samples, parts)), subjects=commits) == {3}


class Hosts:
    """Answers as hosts do; before it does so for the first time ``meanwhile`` is stored by somebody else."""

    def __init__(
        self, store: MeasurementStore, meanwhile: tuple[tuple[Sample, ...], tuple[Launch, ...]] | None = None
    ) -> None:
        self._store, self._meanwhile = store, meanwhile
        self.ran: list[int] = []

    def run(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[BlockResult]:
        if self._meanwhile:
            self._store.add(CAND.commit, BASE.commit, self._meanwhile[0], (), self._meanwhile[1])
            self._meanwhile = None
        for job in jobs:
            self.ran.append(job.number)
            samples, launches = block(job.number, job.perf, (job.baseline.sha256, job.candidate.sha256), 20.0)
            yield BlockResult(job, samples, launches, (), 1.0)


def measurer(tmp_path: Path, store: MeasurementStore, hosts: Hosts) -> Measurer:
    """With the runner ``github`` no wheel has to be built for a probe."""
    cells = [c.model_dump() for c in PERF.cells]
    rules = policy(perf={"runner": "github", "cells": cells, "serve": PERF.serve})
    made = GitMaker(tmp_path / "p.git", bare=True)
    made.commit("one", {"a": "1\n"})
    repo = open_repository(made.path)  # it has none of the commits: no file of theirs states a version
    return Measurer(repo, rules, StatePaths(tmp_path), tmp_path, store, perfkit.Watcher(), hosts)


def jobs(*numbers: int) -> list[BlockJob]:
    return [BlockJob(n, n, BASE, CAND, PERF) for n in numbers]


def test_E5_G3_a_block_that_another_run_stored_first_is_not_named_as_measured(tmp_path: Path) -> None:
    """``perf run`` with another wheel took the number between the choice and the store."""
    with MeasurementStore(tmp_path / "m.db", write=True) as store:
        hosts = Hosts(store, block(0, wheels=(ONE, OTHER)))
        runs = measurer(tmp_path, store, hosts)
        measured = runs.run(jobs(0, 1), [(PERF, (0, 1))], (BASE, CAND), say("measuring"))
        assert measured == (JobBlocks((A, B), (1,)),)
        hosts = Hosts(store, block(2, wheels=(ONE, OTHER)))
        runs = measurer(tmp_path, store, hosts)
        with pytest.raises(WorldFailed, match="another run stored a block of its number first"):
            runs.run(jobs(2), [(PERF, (2,))], (BASE, CAND), say("measuring"))


def test_E5_a_block_that_another_run_of_the_same_wheels_stored_first_is_as_good(tmp_path: Path) -> None:
    with MeasurementStore(tmp_path / "m.db", write=True) as store:
        runs = measurer(tmp_path, store, Hosts(store, block(0)))
        assert runs.run(jobs(0), [(PERF, (0,))], (BASE, CAND), say("x")) == (JobBlocks((A, B), (0,)),)
        found = stored(store, CAND.commit, BASE.commit)
        assert found is not None
        assert {s.value for s in found.samples} == {10.0}


def probed(tmp_path: Path, store: MeasurementStore, cell: Cell = A) -> tuple[dict[str, Any], list[int]]:
    hosts = Hosts(store)
    ends = (CAND.commit, "1.1", BASE.commit, "1.0")
    action = ProbeCommit("1.1", "v1.1rc1", *ends, cell, perfkit.METRIC, 0, 2, False)
    return probe(measurer(tmp_path, store, hosts), action), hosts.ran


def test_E7_a_probe_takes_no_block_of_another_wheel(tmp_path: Path) -> None:
    with MeasurementStore(tmp_path / "m.db", write=True) as store:
        for n, wheels in enumerate([(ONE, OTHER), ("", "")]):
            samples, launches = block(n, wheels=wheels)
            store.add(CAND.commit, BASE.commit, samples, (), launches)
        payload, ran = probed(tmp_path, store)
    assert ran == [2]
    assert payload["ok"]
    assert payload["jobs"] == [JobBlocks((A,), (1, 2)).as_json()]
    assert (payload["first"], payload["last"]) == (1, 3)
    assert [n["cell"] for n in payload["numbers"]] == [["toy", "cpu", "a"]]


def test_E7_a_probe_counts_its_own_cell_only(tmp_path: Path) -> None:
    """Blocks of another job that have the same numbers are not made evidence by it."""
    with MeasurementStore(tmp_path / "m.db", write=True) as store:
        unrecorded = perfkit.perf(cells=[perfkit.cell("b")])
        for n in range(2):
            samples, launches = block(n, unrecorded, ("", ""), 99.0)
            store.add(CAND.commit, BASE.commit, samples, (), launches)
        payload, ran = probed(tmp_path, store)
        assert ran == [0, 1]
        found = stored(store, CAND.commit, BASE.commit)
    assert found is not None
    counts = counted(found, [payload])
    assert counts is not None
    assert {s.cell for s in counts.samples} == {A}
