"""E7, G1: a regressed or open cell is waived by a named person, with reason and expiry, for the numbers that were seen;
E1: nothing is promoted without evidence of its own commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from packaging.version import Version
from worldeffects import release, settle, step
from worlds import CELL, CELL_KEY, MEASURED, MEASURING, METRIC, RC1, VERSION, World, blocks, cut, fact, policy, whole

from headway.decide.cellwaivers import cell_evidence
from headway.decide.notes import notes_of
from headway.decide.performance import evidence_of_cell, standing
from headway.decide.proof import problems, waived_cells
from headway.model.entry import Entry, Kind
from headway.model.measurement import Cell, Comparison, Sample
from headway.model.reason import Reason
from headway.model.train import Stage
from headway.model.verdict import BROAD, Verdict
from headway.plan.actions import MeasureCandidate
from headway.policy.schema import Policy

SECOND = "output_throughput"
TWO_METRICS = policy(
    perf={
        **MEASURED,
        "cells": [{"model": "Llama3", "hardware": "H100", "test": "decode", "metrics": (METRIC, SECOND)}],
    }
)
STRICT, LAX = (policy(perf={**MEASURED, "looks": (3,), "margins": {METRIC: 0.003}, "alpha": a}) for a in (0.0001, 0.4))


def regressed(rules: Policy = MEASURING, factor: float = 1.5) -> World:
    """A candidate whose one cell is slower, after all ticks."""
    world = cut(rules)
    world.slow = {world.trunk[5].sha: factor}
    settle(world)
    return world


def one_more(world: World, factor: float = 1.5) -> None:
    """As if somebody had had the next block run."""
    commit, baseline = world.tags[RC1].commit, world.tags["v0.7.0"].commit
    have = world.samples.setdefault((commit, baseline), [])
    last = 1 + max((s.block for s in have), default=-1)
    have += blocks(commit, baseline, last, last + 1, factor)
    known = {"tag": RC1, "commit": commit, "baseline": baseline, "branch": "b", "digest": ""}
    world.note(Kind.MEASURED, first=last, last=last + 1, **known)


def proof(world: World) -> dict[str, Reason]:
    found = problems(Version(VERSION), world.line(), world.snapshot(), tuple(world.index.values()), world.policy)
    return {r.code: whole(r) for r in found}


def test_E7_G4_counted_numbers_that_are_others_now_speak_against_the_release() -> None:
    """The ledger holds the digest of what was counted: a store that says something else is found out."""
    world = cut(MEASURING)
    release(world)
    assert proof(world) == {}
    (pair,) = world.samples
    counted = tuple(world.samples[pair])
    for store in (
        (replace(counted[0], value=(counted[0].value or 0.0) * 1.0001), *counted[1:]),
        (*counted, replace(counted[0], repeat=1)),
    ):
        world.samples[pair] = list(store)
        found = proof(world)
        assert found.keys() == {"verify.other-numbers"}
        assert found["verify.other-numbers"].clause == "E7"
        assert fact(found["verify.other-numbers"], "cell") == CELL_KEY
    # Blocks that were never counted may come and go, and entries of before tell no numbers.
    world.samples[pair] = [*counted, *blocks(*pair, 90, 91, 3.0)]
    assert proof(world) == {}
    world.samples[pair] = list(store)
    for i, e in enumerate(world.entries):
        if "numbers" in e.payload:
            world.entries[i] = replace(e, payload={k: v for k, v in e.payload.items() if k != "numbers"})
    assert "verify.other-numbers" not in proof(world)


def altered(world: World, kind: Kind, without: str = "", **payload: object) -> None:
    """As if entries of a kind had said something else."""
    changed = (
        replace(e, payload={k: v for k, v in {**e.payload, **payload}.items() if k != without}) if e.kind is kind else e
        for e in tuple(world.entries)
    )
    world.reseal(changed)


def released_with_waiver() -> tuple[World, Entry]:
    world = regressed()
    entry = world.waive_cell()
    world.until("2025-02-05")
    world.approve()
    settle(world)
    assert "v0.7.1" in world.tags
    return world, next(e for e in world.entries if e.seq == entry.seq)


# What a waiver is bound to ---------------------------------------------------------------------------------------


def test_E7_a_waiver_counts_for_the_numbers_that_were_seen_and_for_the_same_read_again() -> None:
    """Bound to the evidence digest."""
    world = regressed()
    assert "perf.regressed" in world.waits()
    entry = world.waive_cell()
    commit, baseline = world.tags[RC1].commit, world.tags["v0.7.0"].commit
    now = evidence_of_cell(world.snapshot(), commit, baseline, world.samples[commit, baseline][0].cell, METRIC)
    assert entry.payload["evidence"] == now.digest
    assert entry.payload["seen"] | {"ratio": 0} == {
        "commit": commit,
        "baseline": baseline,
        "blocks": 3,
        "verdict": "regressed",
        "ratio": 0,
    }
    for days in (0, 1, 20):
        world.wait(days=days)
        assert world.train().evidence is not None


def test_E7_a_further_block_lapses_a_waiver_and_says_so() -> None:
    """The person saw other numbers."""
    world = regressed()
    waiver = world.waive_cell()
    one_more(world)
    waits = world.waits()
    assert "perf.regressed" in waits
    lapsed = waits["perf.waiver-lapsed"]
    assert (lapsed.clause, fact(lapsed, "waiver")) == ("E7", waiver.seq)
    assert "3 blocks then, 4 now" in str(lapsed.text)
    assert f"`headway waive {VERSION} {CELL_KEY} --reason … --until DATE`" in str(lapsed.remedy)
    world.waive_cell()
    assert not {"perf.regressed", "perf.waiver-lapsed"} & set(world.waits())


def test_E7_a_block_that_gave_no_number_lapses_nothing() -> None:
    """What was seen is unchanged by a launch that died."""
    world = regressed()
    world.waive_cell()
    commit, baseline = world.tags[RC1].commit, world.tags["v0.7.0"].commit
    world.samples[commit, baseline] += blocks(commit, baseline, 3, 4, None)
    world.note(Kind.MEASURED, tag=RC1, commit=commit, baseline=baseline, branch="b", digest="", first=3, last=4)
    assert "perf.regressed" not in world.waits()


def test_E7_another_candidate_lapses_a_waiver() -> None:
    """It was given for one commit's numbers; the next candidate has its own."""
    world = regressed()
    world.waive_cell()
    world.request(world.commit("[Bugfix] Something else"))
    settle(world)
    assert world.train().candidates[-1].facts.tag == "v0.7.1-rc2"
    lapsed = world.waits()["perf.waiver-lapsed"]
    assert f"commit {world.tags[RC1].commit[:12]}" in str(lapsed.text)


def test_E7_what_was_open_and_is_regressed_now_is_not_waived() -> None:
    """The same numbers, held to a stricter rule, say something worse than the person accepted."""
    world = regressed(STRICT, factor=1.002)
    assert "perf.undecided" in world.waits()
    assert world.waive_cell().payload["seen"]["verdict"] == "open"
    assert "perf.undecided" not in world.waits()
    world.policy = LAX
    verdict = world.train().performance
    assert verdict is not None
    assert verdict.verdict is not None
    assert verdict.verdict.verdict is Verdict.REGRESSED
    assert "while it was open, and it is regressed" in str(world.waits()["perf.waiver-lapsed"].text)


def test_E7_an_ended_waiver_is_named_with_its_last_day() -> None:
    """A waiver has an expiry; that day counts."""
    world = regressed()
    last = world.now.date() + timedelta(days=2)
    world.waive_cell(until=last)
    world.wait(days=2)
    assert "perf.regressed" not in world.waits()
    world.wait(days=1)
    assert f"ended on {last.isoformat()}" in str(world.waits()["perf.waiver-lapsed"].text)


@pytest.mark.parametrize("before", [True, False])
def test_E7_a_waiver_without_a_digest_is_held_to_what_was_measured_by_then(before: bool) -> None:
    """Entries of before: they count for the numbers that the ledger had, and for no others."""
    world = cut(MEASURING)
    world.slow = {world.trunk[5].sha: 1.5}
    while not isinstance(world.train().action, MeasureCandidate):
        step(world)
    if before:
        world.waive(f"cell:{CELL_KEY}")
    settle(world)
    if not before:
        world.waive(f"cell:{CELL_KEY}")
    assert ("perf.regressed" in world.waits()) is before
    if before:
        assert "before these numbers" in str(world.waits()["perf.waiver-lapsed"].text)


# No evidence, no promotion ---------------------------------------------------------------------------------------


def test_E1_cells_waived_one_by_one_are_no_substitute_for_evidence() -> None:
    """No performance evidence for the accepted commit means no promotion."""
    world = cut(MEASURING)
    while not isinstance(world.train().action, MeasureCandidate):
        step(world)
    world.waive(f"cell:{CELL_KEY}")
    assert isinstance(world.train().action, MeasureCandidate)
    world.crashing = {world.tags[RC1].commit}
    settle(world)
    assert "perf.undecided" in world.waits()
    assert world.train().evidence is None
    world.waive("E7")
    assert world.train().evidence is not None


def test_E1_nothing_is_promoted_on_another_commits_run() -> None:
    """Nothing may be promoted on another commit's run: the second candidate is measured itself."""
    world = cut(MEASURING)
    settle(world)
    first = world.tags[RC1].commit
    world.request(world.commit("[Bugfix] A"))
    done = settle(world)
    (measured,) = [a for a in done if isinstance(a, MeasureCandidate)]
    assert measured.commit == world.tags["v0.7.1-rc2"].commit != first
    assert world.train().stage is Stage.DECISION


def test_E1_a_promotion_on_another_commits_run_is_found_afterwards() -> None:
    """`verify` holds the accepted commit to its own evidence."""
    world = cut(MEASURING)
    release(world)
    assert proof(world) == {}
    accepted, other = world.tags["v0.7.1"].commit, world.trunk[4].sha
    altered(world, Kind.MEASURED, commit=other)
    for (subject, baseline), samples in tuple(world.samples.items()):
        if subject == accepted:
            world.samples[other, baseline] = samples
    found = proof(world)["verify.unmeasured"]
    assert (found.clause, fact(found, "commit"), fact(found, "measured")) == ("E1", accepted, (other,))
    assert "only of" in str(found.text)


# What is shown ---------------------------------------------------------------------------------------------------


def test_E7_a_release_with_a_waived_cell_is_proved_and_names_it() -> None:
    """Shown in `verify`: person, reason, last day, digest."""
    world, entry = released_with_waiver()
    assert proof(world) == {}
    (waived,) = waived_cells(Version(VERSION), world.snapshot(), world.policy)
    told = waived.as_json()
    assert (told["cell"], told["verdict"], told["person"]) == (CELL_KEY, "regressed", "ann")
    assert (told["reason"], told["until"]) == ("known", entry.payload["until"])
    assert told["evidence"] == entry.payload["evidence"]
    world.wait(days=90)
    assert proof(world) == {}, "what counted when it was published counts for ever"


def test_E7_the_notes_name_the_waived_cell_with_its_evidence() -> None:
    """Shown in the notes; one that lapsed is not told."""
    world = regressed()
    world.waive_cell(until=world.now.date() + timedelta(days=1))
    world.wait(days=2)
    entry = world.waive_cell()
    planned, snapshot = world.train(), world.snapshot()
    newest = planned.candidates[-1]
    perf = standing(planned.train, newest, snapshot, world.policy)
    notes = notes_of(planned.train, world.line(), newest, perf, snapshot, world.policy)
    (line,) = dict(notes.sections)["waivers"]
    until = entry.payload["until"]
    assert line == f"cell:{CELL_KEY}: known (ann, until {until}, evidence {entry.payload['evidence'][:12]})"


def test_E7_a_waiver_that_had_ended_or_is_of_other_numbers_is_found_afterwards() -> None:
    """An expired or unbound waiver lets nothing through in `verify`."""
    for change in ({"until": "2025-02-04"}, {"evidence": "0" * 64}):
        world, _ = released_with_waiver()
        altered(world, Kind.WAIVED, **change)
        found = proof(world)
        assert {"perf.regressed", "perf.waiver-lapsed"} <= found.keys()


def test_E7_a_released_waiver_without_a_digest_is_still_proved() -> None:
    """Releases from before the digest was written down: the waiver followed the numbers."""
    world, _ = released_with_waiver()
    altered(world, Kind.WAIVED, without="evidence")
    world_codes = set(proof(world))
    assert "perf.waiver-lapsed" not in world_codes
    assert "perf.regressed" not in world_codes


def test_E7_a_broad_drift_is_waived_by_the_numbers_of_all_its_cells() -> None:
    """A waiver is bound to what was seen: of a broad drift every cell of the metric."""
    baseline, subject = "0" * 40, "1" * 40
    other = replace(CELL, test="prefill")
    one = blocks(subject, baseline, 0, 3, 1.01)
    two = [replace(s, cell=other) for s in one]

    def digest(samples: list[Sample], cell: Cell) -> str:
        return cell_evidence(Comparison(subject, baseline, tuple(samples)), subject, baseline, cell, METRIC).digest

    assert digest(one, CELL) == digest([*one, *two], CELL) == digest([*two, *reversed(one)], CELL)
    assert digest(one, BROAD) != digest([*one, *two], BROAD) == digest([*two, *one], BROAD)
