"""E1, E2, E5, E7 in the planner: what is measured before a release, what blocks it, whose fault a slowdown is."""

from __future__ import annotations

from typing import Any

import pytest
from worldeffects import perform, settle, step
from worlds import CELL_KEY, MEASURED, MEASURING, METRIC, RC1, World, blocks, cut, fact, policy

from headway.decide.performance import as_candidate
from headway.model.entry import Kind
from headway.model.train import Stage
from headway.model.verdict import Verdict
from headway.plan.actions import MeasureCandidate, NameCulprit, ProbeCommit

UNCONFIGURED = policy(perf={"required": True, "models": ("Llama3",), "hardware": ("H100", "MI300x")})
SECOND = "output_throughput"
TWO_METRICS = policy(
    perf={
        **MEASURED,
        "cells": [{"model": "Llama3", "hardware": "H100", "test": "decode", "metrics": (METRIC, SECOND)}],
    }
)


def up_to_measuring(world: World) -> World:
    """Up to the candidate's passed test."""
    while not isinstance(world.train().action, MeasureCandidate):
        step(world)
    return world


def measured(world: World, first: int, last: int, factor: float | None) -> None:
    """As if these blocks had been run, with these values."""
    commit, baseline = world.tags[RC1].commit, world.tags["v0.7.0"].commit
    world.samples.setdefault((commit, baseline), []).extend(blocks(commit, baseline, first, last, factor))
    known = {"tag": RC1, "commit": commit, "baseline": baseline, "branch": "b", "digest": ""}
    world.note(Kind.MEASURED, first=first, last=last, **known)


def test_E1_a_release_that_is_as_fast_passes() -> None:
    """It makes sure that no performance regression is introduced."""
    world = cut(MEASURING)
    assert [a.kind for a in settle(world)] == ["tag-candidate", "build", "test", "stage", "measure"]
    planned = world.train()
    assert planned.stage is Stage.DECISION
    assert planned.performance is not None
    assert planned.performance.verdict is not None
    assert planned.performance.verdict.verdict is Verdict.PASS
    assert planned.evidence is not None


def test_E1_a_policy_that_asks_for_evidence_and_says_not_how_blocks_the_final() -> None:
    """E1 precedes every release; E2: what is asked for and not covered must be visible."""
    world = cut(UNCONFIGURED)
    settle(world)
    waits = world.waits()
    assert waits["perf.unconfigured"].clause == "E1"
    assert waits["perf.uncovered"].clause == "E2"
    assert fact(waits["perf.uncovered"], "uncovered") == ("Llama3 × H100", "Llama3 × MI300x")
    assert world.train().evidence is None


@pytest.mark.parametrize(
    "table",
    [
        {"runner": "github", "pair_on": "hardware", "workflow": "o/n bench.yml"},
        {"client": "vllm-bench", "cells": [{**MEASURED["cells"][0], "client": "latency"}]},  # type: ignore[index]
    ],
)
def test_E5_where_no_engine_is_launched_here_no_command_for_it_is_asked_for(table: dict[str, Any]) -> None:
    """The workflow launches its own; offline kinds of `vllm bench` load the engine themselves."""
    world = cut(policy(perf={**MEASURED, "serve": "", **table}))
    assert "measure" in [a.kind for a in settle(world)]
    assert world.train().evidence is not None


def test_E5_a_server_needs_the_command_that_launches_it() -> None:
    world = cut(policy(perf={**MEASURED, "serve": "", "required": True}))
    assert "measure" not in [a.kind for a in settle(world)]
    assert "perf.unconfigured" in world.waits()


def test_E7_the_history_of_a_baseline_is_what_its_own_train_measured() -> None:
    """Not what a search compared with it, nor blocks that no entry of the ledger counts."""
    world = cut(MEASURING)
    released, before, other = world.tags["v0.7.0"].commit, world.trunk[0].sha, world.trunk[1].sha
    for baseline in (other, before):
        world.samples[released, baseline] = blocks(released, baseline, 0, 4, 1.0)
    assert as_candidate(world.snapshot(), released) is None
    probed = {"tag": "v0.7.0-rc1", "commit": released, "baseline": other, "ok": True, "why": ""}
    world.note(Kind.PROBED, first=0, last=4, **probed)
    assert as_candidate(world.snapshot(), released) is None
    known = {"tag": "v0.7.0-rc1", "commit": released, "baseline": before, "branch": "b", "digest": ""}
    world.note(Kind.MEASURED, first=0, last=2, **known)
    found = as_candidate(world.snapshot(), released)
    assert found is not None
    assert (found.baseline, found.blocks) == (before, 2)


@pytest.mark.parametrize(
    ("waived", "left"),
    [(("E1",), {"perf.uncovered"}), (("E2",), {"perf.unconfigured"}), (("E1", "E2"), set())],
)
def test_E1_E2_waived_each_sets_aside_its_own_and_no_more(waived: tuple[str, ...], left: set[str]) -> None:
    """The preset lets people waive E1 and E2, each by itself."""
    world = cut(UNCONFIGURED)
    settle(world)
    for clause in waived:
        world.waive(clause)
    assert {c for c in world.waits() if c.startswith("perf.")} == left
    assert (world.train().evidence is not None) == (not left)


def test_E1_waived_nothing_is_measured() -> None:
    """E1 waived: this release goes without performance validation."""
    world = up_to_measuring(cut(MEASURING))
    world.waive("E1")
    assert world.train().action is None
    assert world.train().performance is not None
    assert world.train().evidence is not None


def test_E1_not_required_and_not_configured_is_no_question() -> None:
    """Required is policy data."""
    world = cut(policy(perf={"required": False, "models": ("Llama3",), "hardware": ("H100",)}))
    settle(world)
    assert world.train().evidence is not None


def test_E5_it_is_run_on_the_release_branch_and_the_candidates_commit() -> None:
    """Run the workflow with two parameters: the release branch, the RC's hash."""
    world = up_to_measuring(cut(MEASURING))
    action = world.train().action
    assert isinstance(action, MeasureCandidate)
    assert (action.branch, action.commit) == ("releases/v0.7.1", world.tags[RC1].commit)
    assert (action.baseline, action.baseline_version) == (world.tags["v0.7.0"].commit, "0.7.0")
    assert (action.first, action.last, action.target) == (0, 3, RC1)
    assert action.wheel.file.endswith(".whl")


def test_E5_only_the_candidates_own_measurements_count() -> None:
    """A new candidate is measured anew."""
    world = cut(MEASURING)
    settle(world)
    world.request(world.commit("[Bugfix] A"))
    done = settle(world)
    assert [a.kind for a in done] == ["apply", "tag-candidate", "build", "test", "stage", "measure"]
    assert done[-1].target == "v0.7.1-rc2"


def test_E5_blocks_that_were_run_and_not_written_down_are_asked_for_again() -> None:
    """A tick was killed while it measured: its blocks count once an entry says so."""
    world = up_to_measuring(cut(MEASURING))
    commit, baseline = world.tags[RC1].commit, world.tags["v0.7.0"].commit
    world.samples[commit, baseline] = blocks(commit, baseline, 0, 2, 1.0)
    action = world.train().action
    assert isinstance(action, MeasureCandidate)
    assert (action.first, action.last) == (0, 3)


def test_E5_without_an_earlier_release_there_is_nothing_to_compare_with() -> None:
    """E7 compares with the previous release; a first release has none."""
    world = cut(MEASURING)
    del world.tags["v0.7.0"]
    world.now = world.now.replace(month=1, day=14)
    world.branches.clear()
    world.entries.clear()
    settle(world)
    assert world.train("0.7.0").stage is Stage.DECISION
    assert world.train("0.7.0").evidence is not None


def test_E7_more_blocks_are_run_while_the_verdict_is_open_and_it_ends_in_words() -> None:
    """Compare with the previous release and confirm that nothing regressed: noise is neither."""
    world = up_to_measuring(cut(MEASURING))
    ends = []
    while isinstance(action := world.train().action, MeasureCandidate):
        ends.append(action.last)
        for b in range(action.first, action.last):
            measured(world, b, b + 1, 1.4 if b % 2 else 0.8)
    assert ends == [3, 4, 6, 8, 12, 16]
    assert world.train().action is None
    wait = world.waits()["perf.undecided"]
    assert (wait.clause, fact(wait, "tag"), fact(wait, "blocks")) == ("E7", RC1, 16)
    assert world.train().evidence is None


def test_E7_invalid_launches_are_made_good_a_few_times_and_then_shown() -> None:
    """An all-failed run is never a fast one, and never a pass."""
    world = up_to_measuring(cut(MEASURING))
    world.crashing = {world.tags[RC1].commit}
    assert [a.kind for a in settle(world)] == ["measure"]
    wait = world.waits()["perf.undecided"]
    assert wait.clause == "E7"
    assert "invalid" in str(wait.text)
    assert "--retry measure" in str(wait.remedy)
    world.crashing = set()
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="measure")
    assert [a.kind for a in settle(world)] == ["measure"]
    assert world.train().evidence is not None


def test_E7_a_regression_blocks_and_its_culprit_is_searched_and_named() -> None:
    """Confirm that nothing regressed."""
    world = cut(MEASURING)
    slow = world.trunk[5]
    world.slow = {slow.sha: 1.5}
    done = settle(world)
    assert {a.kind for a in done[5:-1]} == {"probe"}
    named = done[-1]
    assert isinstance(named, NameCulprit)
    assert (named.commit, named.subject, named.confirmed) == (slow.sha, slow.subject, True)
    assert (named.target, named.ratio) == (slow.sha, pytest.approx(1.5, rel=0.02))
    wait = world.waits()["perf.regressed"]
    assert (wait.clause, fact(wait, "culprit"), fact(wait, "baseline")) == ("E7", slow.sha, "0.7.0")
    assert CELL_KEY in str(wait.text)
    assert "request it as a regression" in str(wait.remedy)
    assert world.train().evidence is None


def test_E7_while_the_culprit_is_searched_the_regression_is_stated() -> None:
    """Progress and the reason for it."""
    world = up_to_measuring(cut(MEASURING))
    world.slow = {world.trunk[5].sha: 1.5}
    step(world)
    assert isinstance(world.train().action, ProbeCommit)
    wait = world.waits()["perf.regressed"]
    assert fact(wait, "culprit") is None
    assert "search the culprit" in str(wait.remedy)


def test_E7_a_slow_pick_is_found_among_the_branchs_own_commits() -> None:
    """The suspects are the trunk's since the previous release, and then the branch's."""
    world = cut(MEASURING)
    fix = world.commit("[Bugfix] Slow")
    world.slow = {fix.sha: 1.4}
    world.request(fix)
    named = settle(world)[-1]
    assert isinstance(named, NameCulprit)
    assert named.commit == world.tip()


def test_E7_a_post_release_is_compared_with_its_patch_and_suspects_only_its_own() -> None:
    """Compare with the previous release."""
    world = cut(MEASURING)
    world.slow = {world.trunk[5].sha: 1.5}
    settle(world)
    world.tag("v0.7.1", world.tip())
    fix = world.commit("[Bugfix] Slow")
    world.slow[fix.sha] = 1.3
    world.request(fix, train="0.7.1.post1")
    done = settle(world)
    named = done[-1]
    assert isinstance(named, NameCulprit)
    assert (named.train, named.commit) == ("0.7.1.post1", world.tip())
    assert fact(world.waits("0.7.1.post1")["perf.regressed"], "baseline") == "0.7.1"


def test_E7_a_commit_that_cannot_be_built_is_stepped_around() -> None:
    """The culprit is the slow one, or what cannot be told from it stays suspect."""
    world = cut(MEASURING)
    slow, broken = world.trunk[5], world.trunk[4]
    world.slow, world.unbuildable = {slow.sha: 1.5}, {broken.sha}
    named = settle(world)[-1]
    assert isinstance(named, NameCulprit)
    assert (named.commit, named.suspects, named.confirmed) == (slow.sha, (broken.sha, slow.sha), False)


def test_E7_a_commit_that_builds_and_never_runs_does_not_keep_the_search_busy() -> None:
    """Ticks come to rest, whatever a commit does."""
    world = cut(MEASURING)
    slow, crashing = world.trunk[5], world.trunk[4]
    world.slow, world.crashing = {slow.sha: 1.5}, {crashing.sha}
    named = settle(world)[-1]
    assert isinstance(named, NameCulprit)
    assert (named.commit, named.suspects) == (slow.sha, (crashing.sha, slow.sha))


def test_E7_a_search_whose_bad_end_no_longer_runs_rests_and_says_so() -> None:
    """Always progress or a stated wait: the suspicion is told as one, since the commit cannot be compared any more."""
    world = up_to_measuring(cut(policy(perf={**MEASURED, "probe_blocks": 6})))
    world.slow = {world.trunk[-1].sha: 1.5}
    step(world)
    world.crashing = {world.tags[RC1].commit}
    *_, confirming, named = settle(world, limit=60)
    assert isinstance(confirming, ProbeCommit)
    assert (confirming.confirms, confirming.baseline) == (True, world.tags[RC1].commit)
    assert isinstance(named, NameCulprit)
    assert (named.commit, named.confirmed) == (world.tags[RC1].commit, False)


def test_E7_a_waived_cell_no_longer_blocks() -> None:
    """Cells can be waived one by one, by a person, until a day."""
    world = cut(MEASURING)
    world.slow = {world.trunk[5].sha: 1.5}
    settle(world)
    world.waive(f"cell:{CELL_KEY}")
    assert world.train().evidence is not None
    world.wait(days=31)
    assert "perf.regressed" in world.waits()


def test_E7_a_waived_cell_does_not_ask_for_blocks_of_the_others() -> None:
    """A cell that never gives a number is waived; the other one is decided by its own blocks."""
    world = up_to_measuring(cut(TWO_METRICS))
    world.waive(f"cell:Llama3/H100/decode/{SECOND}")
    assert [a.kind for a in settle(world)] == ["measure"]
    assert world.train().evidence is not None


def test_E7_a_cell_that_was_never_measured_is_not_a_pass() -> None:
    """Missing is never a pass."""
    world = up_to_measuring(cut(TWO_METRICS))
    settle(world)
    assert "missing" in str(world.waits()["perf.undecided"].text)
    assert world.train().evidence is None


def test_E7_waived_nothing_more_is_measured() -> None:
    """E7 waived: the comparison is not waited for."""
    world = cut(MEASURING)
    world.slow = {world.trunk[5].sha: 1.5}
    up_to_measuring(world)
    step(world)
    world.waive("E7")
    assert world.train().action is None
    assert world.train().evidence is not None


def test_E7_a_fix_is_picked_and_measured_as_the_next_candidate() -> None:
    """A slowdown is mended on the trunk and requested as a regression."""
    world = cut(MEASURING)
    world.slow = {world.trunk[5].sha: 1.5}
    settle(world)
    fix = world.commit("[Bugfix] Fast again")
    world.slow[fix.sha] = 1 / 1.5
    world.request(fix)
    settle(world)
    assert [r.facts.tag for r in world.train().candidates] == [RC1, "v0.7.1-rc2"]
    assert world.train().evidence is not None


def test_E2_what_is_not_covered_is_shown_though_all_that_is_measured_passes() -> None:
    """What is asked for and not covered must be visible."""
    world = cut(policy(perf={**MEASURED, "required": True, "models": ("Llama3", "Mixtral")}))
    settle(world)
    assert world.waits().keys() >= {"perf.uncovered"}
    assert world.train().evidence is None
    world.waive("E2")
    assert world.train().evidence is not None


def test_E7_blocks_of_another_cell_do_not_count_as_failed_launches() -> None:
    """A commit may have been probed with another cell in an earlier search."""
    world = cut(MEASURING)
    slow = world.trunk[5]
    world.slow = {slow.sha: 1.5}
    baseline = world.tags["v0.7.0"].commit
    middle = world.trunk[4].sha
    world.samples[middle, baseline] = blocks(middle, baseline, 0, 4, 1.0, "p99_ttft_ms")
    known = {"tag": RC1, "commit": middle, "baseline": baseline, "first": 0, "last": 4, "ok": True, "why": ""}
    world.note(Kind.PROBED, **known)
    named = settle(world)[-1]
    assert isinstance(named, NameCulprit)
    assert (named.commit, named.suspects) == (slow.sha, (slow.sha,))


def test_E7_a_failed_probe_is_not_evidence() -> None:
    """A commit that could not be built has no blocks."""
    world = up_to_measuring(cut(MEASURING))
    world.slow = {world.trunk[5].sha: 1.5}
    step(world)
    action = world.train().action
    assert isinstance(action, ProbeCommit)
    world.unbuildable = {action.commit}
    perform(world, action)
    after = world.train().action
    assert isinstance(after, ProbeCommit)
    assert after.commit != action.commit
