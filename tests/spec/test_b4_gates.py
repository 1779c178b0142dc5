"""B4: further evidence that the policy names, bound to the candidate's tag, commit and wheel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from packaging.version import Version
from worldeffects import effect, perform, release, settle
from worlds import BRANCH, MEASURED, RC1, VERSION, World, cut, fact, policy

from headway.decide.gates import GateState, gates_of, judge, wanted
from headway.decide.proof import problems
from headway.model.build import CiCheck, CiChecks
from headway.model.entry import Kind
from headway.model.text import say
from headway.model.train import Stage
from headway.plan.actions import MeasureCandidate
from headway.plan.gate_actions import RecordCheck, RunGate
from headway.policy.gate_tables import EvidenceGate

SUITE = {"name": "suite", "command": "run"}
ACCURACY = {"name": "accuracy", "command": "run {result}", "metric": "acc", "expected": 0.5, "tolerance": 0.02}
CI = {"name": "smoke", "check": "smoke / gpu"}
ALLOWING = {"clauses": ("C1", "B4", "gate", "E1", "E7")}


def world_of(*gates: dict[str, Any], **tables: Any) -> World:
    return cut(policy(gates=gates, waivers=ALLOWING, **tables))


def report(world: World, name: str, passed: bool, **known: Any) -> None:
    """As ``headway gate report`` writes it down for the newest candidate."""
    newest = world.train().candidates[-1]
    assert newest.wheel is not None
    told = {"gate": name, "tag": newest.facts.tag, "commit": newest.facts.commit, "wheel": newest.wheel.sha256}
    told |= {"passed": passed, "ok": passed, "why": "", "value": None, "metric": "", "check": CI["check"], "url": "u"}
    world.note(Kind.GATED, VERSION, "ci", **{**told, **known})


def state(world: World, name: str) -> GateState:
    r = world.train().candidates[-1]
    rows = gates_of(world.train().train, r, world.snapshot(), world.policy).rows
    return next(row.state for row in rows if row.gate.name == name)


def test_B4_a_gate_is_run_after_the_test_and_before_the_decision() -> None:
    """Each candidate is built and tested, further as the policy names."""
    world = world_of(SUITE, ACCURACY)
    world.results = {"accuracy": 0.51}
    kinds = [(a.kind, a.target) for a in settle(world)]
    assert kinds[-2:] == [("gate", f"{RC1} suite"), ("gate", f"{RC1} accuracy")]
    assert world.train().stage is Stage.DECISION
    assert world.train().evidence is not None


@pytest.mark.parametrize("value", [0.47, 0.53, False])
def test_B4_a_failed_gate_blocks_like_a_failed_test(value: float | bool) -> None:
    """Each candidate is tested: a number that is too far from what is expected is a failure."""
    world = world_of(ACCURACY)
    world.results = {"accuracy": value}
    settle(world)
    wait = world.waits()["gate.failed"]
    assert (wait.clause, fact(wait, "gate"), fact(wait, "tag")) == ("B4", "accuracy", RC1)
    assert fact(wait, "wanted") == "between 0.48 and 0.52"
    assert fact(wait, "commit") == world.tip()
    assert "--retry gate:accuracy" in str(wait.remedy)
    assert (world.train().evidence, world.train().action) == (None, None)


def test_B4_a_failed_gate_is_run_again_when_a_person_asks() -> None:
    """Each candidate is tested; a flaky run is done again."""
    world = world_of(ACCURACY)
    world.results = {"accuracy": 0.1}
    settle(world)
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="gate:other")
    assert world.train().action is None
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="gate:accuracy")
    assert isinstance(world.train().action, RunGate)
    world.results = {"accuracy": 0.5}
    settle(world)
    assert world.train().evidence is not None


def test_B4_a_check_of_ci_is_waited_for() -> None:
    """A candidate without its evidence does not reach the decision; what to report is told."""
    world = world_of(CI)
    settle(world)
    wait = world.waits()["gate.awaited"]
    assert (wait.clause, fact(wait, "required")) == ("B4", True)
    assert f"headway gate report 0.7.1 smoke --ok --url URL --commit {world.tip()}" in str(wait.remedy)
    assert world.train().evidence is None
    report(world, "smoke", True)
    assert world.train().evidence is not None
    report(world, "smoke", False)
    assert "gate.failed" in world.waits()


def test_B4_performance_is_measured_while_ci_is_waited_for() -> None:
    """E5 needs no word of CI; but what failed is not measured."""
    world = world_of(CI, perf=MEASURED)
    settle(world)
    assert any(e.kind is Kind.MEASURED for e in world.entries)
    world = world_of(SUITE, perf=MEASURED)
    world.results = {"suite": False}
    done = settle(world)
    assert not any(isinstance(a, MeasureCandidate) for a in done)


def test_B4_every_gate_is_run_though_one_failed() -> None:
    """One candidate tells all that is wrong with it, so that the next can have it all mended."""
    world = world_of(SUITE, ACCURACY)
    world.results = {"suite": False, "accuracy": 0.5}
    settle(world)
    assert (state(world, "suite"), state(world, "accuracy")) == (GateState.FAILED, GateState.PASSED)


@pytest.mark.parametrize("key", ["tag", "commit", "wheel", "check", "metric"])
def test_B4_evidence_is_bound_to_the_candidate(key: str) -> None:
    """Of another tag, commit or wheel, or of another check, it is no evidence for this candidate."""
    world = world_of(CI)
    settle(world)
    report(world, "smoke", True, **{key: "f" * 40})
    assert state(world, "smoke") is GateState.AWAITED


def test_B4_the_next_candidate_is_evaluated_anew() -> None:
    """One release may have many RCs; each is built and tested."""
    world = world_of(ACCURACY)
    world.results = {"accuracy": 0.5}
    settle(world)
    world.request(world.commit("[Bugfix] A"))
    kinds = [a.kind for a in settle(world)]
    assert kinds == ["apply", "tag-candidate", "build", "test", "stage", "gate"]


def test_B4_a_gate_that_is_not_required_is_told_and_holds_nothing_up() -> None:
    """What holds a release up is the policy's."""
    world = world_of({**SUITE, "required": False}, {**CI, "required": False})
    world.results = {"suite": False}
    settle(world)
    assert {"gate.failed-optional", "gate.awaited-optional", "promotion.unapproved"} <= world.waits().keys()
    assert world.train().evidence is not None


def test_B4_a_waiver_sets_a_gate_aside_where_the_policy_lets_it() -> None:
    """A waiver names what it sets aside."""
    for clauses, held in ((("gate", "C1"), False), (("B4", "C1"), True)):
        world = cut(policy(gates=[SUITE, CI], waivers={"clauses": clauses}))
        world.results = {"suite": False}
        settle(world)
        world.waive("gate:suite")
        world.waive("gate:smoke")
        assert (world.train().evidence is None) is held
        if not held:
            assert state(world, "suite") is GateState.WAIVED
            release(world)


def test_G1_an_approval_is_bound_to_the_results_of_the_gates() -> None:
    """It lapses when the evidence changes: a gate that is not required counts when it fails."""
    world = world_of({**CI, "required": False})
    settle(world)
    before = world.train().evidence
    world.approve()
    report(world, "smoke", False)
    assert world.train().evidence not in {None, before}
    assert fact(world.waits()["promotion.unapproved"], "lapsed") == ("ann",)


def test_B4_another_bound_judges_the_same_number_again() -> None:
    """The number is evidence; what it must be is the policy in force."""
    world = world_of(ACCURACY)
    world.results = {"accuracy": 0.53}
    settle(world)
    assert "gate.failed" in world.waits()
    world.policy = policy(gates=[{**ACCURACY, "tolerance": 0.05}], waivers=ALLOWING)
    assert world.train().evidence is not None


def test_G3_the_proof_asks_for_every_required_gate() -> None:
    """verify: the gates of the policy then in force were passed, or waived, before the publication."""
    for what in ("passed", "waived", "late", "retried"):
        world = world_of(SUITE)
        if what == "waived":
            world.results = {"suite": False}
            settle(world)
            world.waive("gate:suite")
        release(world)
        gated = [e for e in world.entries if e.kind is Kind.GATED]
        if what == "late":
            world.reseal([*(e for e in world.entries if e not in gated), *gated])
        if what == "retried":
            at = world.entries.index(gated[0]) + 1
            entries = list(world.entries)
            world.note(Kind.RETRIED, actor="ann", tag=RC1, step="gate:suite")
            world.reseal([*entries[:at], world.entries[-1], *entries[at:]])
        snapshot = world.snapshot()
        found = problems(Version(VERSION), world.line(), snapshot, snapshot.index, world.policy)
        codes = {p.code for p in found if p.clause == "B4"}
        assert codes == (set() if what in {"passed", "waived"} else {"verify.gate-not-passed"}), what


def test_B4_a_tick_killed_between_a_gate_and_its_entry_runs_it_again() -> None:
    """What is not written down has not happened."""
    world = world_of(SUITE)
    while not isinstance(world.train().action, RunGate):
        action = world.train().action
        assert action is not None
        perform(world, action)
    action = world.train().action
    assert action is not None
    effect(world, action)
    assert world.train().action == action
    perform(world, action)
    assert world.train().stage is Stage.DECISION


@pytest.mark.parametrize(
    ("rules", "value", "passes"),
    [
        ({"at_least": 0.5}, 0.5, True),
        ({"at_least": 0.5}, 0.4999, False),
        ({"at_most": 3}, 3, True),
        ({"at_most": 3}, 3.01, False),
        ({"expected": 200.0, "tolerance": 0.01, "tolerance_kind": "relative"}, 202.0, True),
        ({"expected": 200.0, "tolerance": 0.01, "tolerance_kind": "relative"}, 202.5, False),
        ({"expected": -10.0, "tolerance": 0.1, "tolerance_kind": "relative"}, -9.5, True),
        ({"expected": 10.0, "tolerance": 1.0, "at_least": 9.5}, 9.2, False),
        ({"expected": 10.0, "tolerance": 0.0}, 10.0, True),
        ({"at_least": 0.5}, None, False),
        ({"at_least": 0.5}, float("nan"), False),
        ({"at_least": 0.5}, float("inf"), False),
        ({}, None, True),
    ],
)
def test_B4_how_a_number_is_judged(rules: dict[str, Any], value: float | None, passes: bool) -> None:
    """An accuracy evaluation with a tolerance."""
    gate = EvidenceGate.model_validate({"name": "g", "command": "x {result}", "metric": "m", **rules})
    assert (judge(gate, True, value) is None) is passes
    assert judge(gate, False, value) is not None
    assert str(wanted(gate))


# Checks of the CI, read from its forge -------------------------------------------------------------------------------

READING = {"forge": {"path": "", "read_checks": True}}


def said(world: World, conclusion: str, name: str = CI["check"]) -> None:
    """What the forge tells of the branch's tip now."""
    check = CiCheck(name, world.tip(), conclusion, "https://ci/1", world.now if conclusion else None)
    world.checks[world.tip()] = CiChecks((check,))


def test_B4_a_ci_check_that_passed_on_the_candidates_commit_is_its_evidence() -> None:
    """Evidence bound to the candidate's commit, in the same way as what a command finds."""
    world = world_of(CI, **READING)
    settle(world)
    assert state(world, "smoke") is GateState.AWAITED
    said(world, "")
    assert world.train().action is None
    said(world, "success", name="another")
    assert world.train().action is None
    said(world, "success")
    action = world.train().action
    assert isinstance(action, RecordCheck)
    assert (action.commit, action.check, action.url) == (world.tip(), CI["check"], "https://ci/1")
    perform(world, action)
    assert state(world, "smoke") is GateState.PASSED
    assert world.train().evidence is not None


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", "skipped", "neutral"])
def test_B4_a_ci_check_that_shows_nothing_or_failed_blocks(conclusion: str) -> None:
    world = world_of(CI, **READING)
    settle(world)
    said(world, conclusion)
    settle(world)
    assert conclusion in str(world.waits()["gate.failed"].text)
    assert world.train().evidence is None
    said(world, "success")
    assert world.train().action is None  # it is a person who says that it is looked at again
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="gate:smoke")
    settle(world)
    assert world.train().evidence is not None


def test_B4_a_check_of_another_commit_counts_for_nothing() -> None:
    world = world_of(CI, **READING)
    settle(world)
    said(world, "success")
    world.checks = {"0" * 40: world.checks[world.tip()]}
    assert world.train().action is None
    assert "gate.awaited" in world.waits()


def test_B4_a_gate_that_wants_a_number_is_reported_not_read() -> None:
    world = world_of({**CI, "at_least": 0.5}, **READING)
    settle(world)
    said(world, "success")
    assert world.train().action is None


def test_B4_the_last_word_of_a_check_counts_and_none_while_a_run_is_under_way() -> None:
    """One name may have been run by a push and by hand."""
    world = world_of(CI, **READING)
    settle(world)
    early = CiCheck(CI["check"], world.tip(), "success", "https://ci/1", world.now)
    late = CiCheck(CI["check"], world.tip(), "failure", "https://ci/2", world.now + timedelta(hours=1))
    running = CiCheck(CI["check"], world.tip(), "", "https://ci/3", None)
    world.checks[world.tip()] = CiChecks((early, running))
    assert world.train().action is None
    for both in ((early, late), (late, early)):
        world.checks[world.tip()] = CiChecks(both)
        action = world.train().action
        assert isinstance(action, RecordCheck)
        assert action.url == "https://ci/2"


def test_B4_a_forge_that_cannot_be_asked_is_told_with_what_waits_for_it() -> None:
    world = world_of(CI, **READING)
    settle(world)
    world.checks[world.tip()] = CiChecks((), say("it answers 401"))
    assert "it answers 401" in str(world.waits()["gate.awaited"].text)


def test_G1_an_approval_does_not_lapse_by_the_same_report_again_or_by_what_is_not_required() -> None:
    world = world_of(CI, {**CI, "name": "told", "required": False})
    settle(world)
    report(world, "smoke", True)
    world.approve()
    before = world.train().evidence
    report(world, "smoke", True, url="https://ci/again")
    report(world, "told", True)
    assert world.train().evidence == before
    assert "promotion.unapproved" not in world.waits()
    report(world, "smoke", True, value=0.7)
    assert world.train().evidence != before


def problems_of(world: World) -> list[str]:
    line = world.snapshot().line(BRANCH)
    assert line is not None
    index = tuple(world.index.values())
    return [r.code for r in problems(Version(VERSION), line, world.snapshot(), index, world.policy)]


def test_G1_verify_holds_approvals_against_the_evidence_that_was_published() -> None:
    world = world_of()
    release(world)
    assert problems_of(world) == []
    entries = [
        replace(e, payload={**e.payload, "evidence": "0" * 64}) if e.kind is Kind.PUBLISHED else e
        for e in world.entries
    ]
    world.reseal(entries)
    assert problems_of(world) == ["verify.unapproved"]
