"""E5: blocks by the benchmark workflow of GitHub Actions, which really runs on the fake GitHub of the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from benchworkflow import BENCH, FILE, FLOW, LATENCY, MODEL, SERVING
from githubfake import NAME, OWNER, TOKEN, FakeGitHub, serving
from githubfaults import Faults
from gitmaker import GitMaker

from headway.clock import SetClock
from headway.decide.performance import design_of
from headway.errors import UnusableInput, WorldFailed
from headway.github.session import Session
from headway.model.measurement import Cell, Side
from headway.model.text import Text
from headway.model.verdict import Verdict
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace, Runner, Subject
from headway.perf.github_runner import GitHubRunner, github_runner
from headway.perf.links import DashboardLink
from headway.perf.store import MeasurementStore
from headway.policy.loader import load_policy
from headway.policy.perf_tables import Fleet, Perf, PerfCell
from headway.stats.gate import judge
from headway.stats.validity import disagreement
from headway.views.comparison import comparison_page

BASE, NEW = "1" * 40, "2" * 40
NOW = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)
PERF = Perf(
    cells=(
        PerfCell(model="Llama3", hardware="H100", test=SERVING, serve=f"--model {MODEL}"),
        PerfCell(model="Llama3", hardware="H100", test=LATENCY, serve=f"--model {MODEL}", metrics=("latency",)),
    ),
    fleet=(Fleet(hardware="H100", runners="h100", devices=2),),
    runner="github",
    pair_on="hardware",
    workflow=f"{OWNER}/{NAME} {FILE}",
)


class Watcher:
    """Keeps what it is told, and is killed at ``at``."""

    def __init__(self, at: str = "never") -> None:
        self.at, self.said = at, [""]

    def say(self, text: Text) -> None:
        self.said.append(str(text))

    def bar(self, what: Text, done: int, total: int) -> None: ...

    def step(self, name: str) -> None:
        if name.startswith(self.at):
            raise KeyboardInterrupt(name)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {f".github/workflows/{FILE}": FLOW, "bench.py": BENCH})
    with serving(made.path, FILE) as fake:
        fake.works_after = 2
        yield fake


def runner(fake: FakeGitHub, tmp_path: Path, now: datetime = NOW) -> GitHubRunner:
    policy = load_policy(None, source="preset", preset="vllm-2025")
    forge = policy.forge.model_copy(update={"api_url": fake.api})
    policy = policy.model_copy(update={"perf": PERF, "forge": forge})
    return replace(github_runner(policy, tmp_path / "state", SetClock(now)), poll_s=0.0, pause=lambda _: None)


def job(number: int = 0, perf: Perf = PERF) -> BlockJob:
    base = Subject(Side.BASELINE, "0.9.1", BASE, "")  # of a published release: its branch is told by its version
    return BlockJob(number, 7, base, Subject(Side.CANDIDATE, "0.9.2", NEW, "releases/v0.9.2"), perf)


def one(found: Iterator[BlockResult | NoPlace | Lost]) -> BlockResult | NoPlace | Lost:
    (answer,) = found
    return answer


def measured(found: BlockResult | NoPlace | Lost) -> BlockResult:
    assert isinstance(found, BlockResult), found
    return found


def test_e5_a_block_is_two_dispatches_with_branch_commit_and_the_hardware_asked_for(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOW", NEW)
    made: Runner = runner(fake, tmp_path)
    found = measured(one(made.run([job()], Watcher())))
    assert [r.inputs for r in fake.runs] == [
        {"vllm_branch": b, "vllm_commit": c, "models": MODEL.lower(), "runners": "h100"}
        for b, c in (("releases/v0.9.1", BASE), ("releases/v0.9.2", NEW))
    ]
    assert [(r.tag, r.conclusion) for r in fake.runs] == [("main", "success")] * 2
    values = {(s.side, s.cell.test, s.metric, s.repeat): s.value for s in found.samples}
    assert values[Side.BASELINE, SERVING, "median_tpot_ms", 0] == 7.5
    assert values[Side.CANDIDATE, SERVING, "median_tpot_ms", 0] == 9.0
    assert values[Side.BASELINE, SERVING, "output_throughput", 0] == 900.0
    assert [values[Side.BASELINE, LATENCY, "latency", i] for i in range(3)] == [1.0, 1.1, 1.2]
    assert "unheard_of" not in {s.metric for s in found.samples}
    assert all(s.value is not None for s in found.samples)


def test_e5_a_launch_says_its_machine_device_engine_client_and_commands(fake: FakeGitHub, tmp_path: Path) -> None:
    found = measured(one(runner(fake, tmp_path).run([job()], Watcher())))
    assert [(x.side, [c.test for c in x.cells]) for x in found.launches] == [
        (side, [test]) for side in (Side.BASELINE, Side.CANDIDATE) for test in (SERVING, LATENCY)
    ]
    told = dict(found.launches[0].told)
    assert told["host"] == f"machine-{fake.runs[0].id % 3}"
    assert told["devices"] == "NVIDIA_H100_80GB_HBM3"
    assert (told["engine"], told["driver"]) == ("0.9.1", "570.133.20")
    assert (told["cpu"], told["system"]) == ("Intel(R) Xeon(R) Platinum 8488C", "Ubuntu 22.04.5 LTS (x86_64)")
    assert told["serve"] == f"vllm serve {MODEL}"
    assert told["arguments"] == "vllm bench serve --request-rate 4"
    assert found.device_seconds == sum(float(dict(x.told)["device_seconds"]) for x in found.launches) > 0
    assert {disagreement(found.launches, c.cell, "hardware") for c in PERF.cells} == {""}


def test_e5_odd_blocks_start_with_the_candidate(fake: FakeGitHub, tmp_path: Path) -> None:
    list(runner(fake, tmp_path).run([job(0), job(1)], Watcher()))
    assert [r.inputs["vllm_commit"] for r in fake.runs] == [BASE, NEW, NEW, BASE]
    assert {r.conclusion for r in fake.runs} == {"success"}


def test_e5_nothing_is_dispatched_while_somebody_elses_run_is_under_way(fake: FakeGitHub, tmp_path: Path) -> None:
    flow = fake.workflow(fake.git("rev-parse", "main"))
    assert flow is not None
    theirs = fake._begin("workflow_dispatch", "main", fake.git("rev-parse", "main"), flow, {"vllm_commit": "9" * 40})
    looks = []

    def pause(_: float) -> None:
        looks.append(len(fake.runs))
        if len(looks) == 3:
            theirs.status, theirs.conclusion = "completed", "success"

    watcher = Watcher()
    measured(one(replace(runner(fake, tmp_path), pause=pause).run([job()], watcher)))
    assert looks[:3] == [1, 1, 1]
    assert theirs.conclusion == "success"
    assert any("would cancel it" in words for words in watcher.said)


@pytest.mark.parametrize("details", [True, False])
@pytest.mark.parametrize("at", [f"dispatched:{BASE}", f"dispatched:{NEW}"])
def test_e5_killed_after_a_dispatch_the_run_is_found_again(
    fake: FakeGitHub, tmp_path: Path, at: str, details: bool
) -> None:
    fake.details = details
    with pytest.raises(KeyboardInterrupt):
        list(runner(fake, tmp_path).run([job()], Watcher(at)))
    measured(one(runner(fake, tmp_path).run([job()], Watcher())))
    assert [r.inputs["vllm_commit"] for r in fake.runs] == [BASE, NEW]


def test_e5_killed_after_both_the_block_costs_nothing_again(fake: FakeGitHub, tmp_path: Path) -> None:
    first = measured(one(runner(fake, tmp_path).run([job()], Watcher())))
    assert measured(one(runner(fake, tmp_path).run([job()], Watcher()))).samples == first.samples
    assert len(fake.runs) == 2


def test_e5_a_dispatch_without_an_answer_is_not_made_twice(fake: FakeGitHub, tmp_path: Path) -> None:
    fake.fault("POST", "dispatches", "cut")
    fake.lists = False
    with pytest.raises(WorldFailed) as lost:
        list(runner(fake, tmp_path).run([job()], Watcher()))
    assert lost.value.clause == "E5"
    with pytest.raises(WorldFailed) as unsure:
        list(runner(fake, tmp_path).run([job()], Watcher()))
    assert unsure.value.code == "perf.unsure"
    fake.lists = True
    measured(one(runner(fake, tmp_path).run([job()], Watcher())))
    assert [r.inputs["vllm_commit"] for r in fake.runs] == [BASE, NEW]


def test_e5_a_dispatch_that_never_came_is_made_anew(fake: FakeGitHub, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        list(runner(fake, tmp_path).run([job()], Watcher("dispatching:")))
    assert fake.runs == []
    measured(one(runner(fake, tmp_path, NOW + timedelta(minutes=3)).run([job()], Watcher())))
    assert len(fake.runs) == 2


def test_e5_a_run_that_others_dispatched_meanwhile_is_not_taken_for_ours(fake: FakeGitHub, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        list(runner(fake, tmp_path).run([job()], Watcher("dispatching:")))
    sha = fake.git("rev-parse", "main")
    flow = fake.workflow(sha)
    assert flow is not None
    fake._begin("workflow_dispatch", "main", sha, flow, {"vllm_commit": "9" * 40, "runners": "h100", "models": MODEL})
    found = measured(one(runner(fake, tmp_path, NOW + timedelta(minutes=3)).run([job()], Watcher())))
    assert [r.inputs["vllm_commit"] for r in fake.runs] == ["9" * 40, BASE, NEW]
    assert len(found.samples) == 2 * 6


@pytest.mark.parametrize(
    ("mode", "why"),
    [("fails", "ended as failure: Run vLLM benchmarks (h100"), ("other-commit", "it measured something else")],
)
def test_e5_a_run_that_failed_or_measured_another_commit_is_lost_and_is_dispatched_anew_when_asked_again(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, why: str
) -> None:
    monkeypatch.setenv("BENCH", mode)
    lost = one(runner(fake, tmp_path).run([job()], Watcher()))
    assert isinstance(lost, Lost)
    assert why in lost.why
    monkeypatch.setenv("BENCH", "")
    measured(one(runner(fake, tmp_path).run([job()], Watcher())))
    assert len(fake.runs) == 3


@pytest.mark.parametrize("details", [True, False])
def test_e5_no_results_are_taken_of_a_run_without_a_log(fake: FakeGitHub, tmp_path: Path, details: bool) -> None:
    fake.details = details
    with pytest.raises(KeyboardInterrupt):
        list(runner(fake, tmp_path).run([job()], Watcher(f"dispatched:{NEW}")))
    run = fake.runs[-1]
    run.status, run.conclusion, run.log = "completed", "success", b"the log is gone"
    lost = one(runner(fake, tmp_path).run([job()], Watcher()))
    assert isinstance(lost, Lost)
    assert "left no log" in lost.why
    measured(one(runner(fake, tmp_path).run([job()], Watcher())))


@pytest.mark.parametrize("conclusion", ["cancelled", "timed_out"])
def test_e5_a_run_that_was_ended_costs_its_side_only(fake: FakeGitHub, tmp_path: Path, conclusion: str) -> None:
    watcher = Watcher(f"dispatched:{NEW}")
    with pytest.raises(KeyboardInterrupt):
        list(runner(fake, tmp_path).run([job()], watcher))
    fake.end(conclusion)
    lost = one(runner(fake, tmp_path).run([job()], Watcher()))
    assert isinstance(lost, Lost)
    assert f"ended as {conclusion}" in lost.why
    measured(one(runner(fake, tmp_path).run([job()], Watcher())))
    assert [r.inputs["vllm_commit"] for r in fake.runs] == [BASE, NEW, NEW]


def test_e5_a_cell_that_no_record_tells_is_missing_and_told(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH", "no-latency")
    watcher = Watcher()
    found = measured(one(runner(fake, tmp_path).run([job()], watcher)))
    assert {s.cell for s in found.samples} == {Cell("Llama3", "H100", SERVING)}
    assert sum("has no record of" in words and LATENCY in words for words in watcher.said) == 2


def test_e5_failed_requests_and_damaged_records_are_invalid_never_fast(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH", "failed-requests")
    found = measured(one(runner(fake, tmp_path).run([job()], Watcher())))
    bad = [s for s in found.samples if s.cell.test == SERVING]
    assert [(s.metric, s.value) for s in bad] == [("median_tpot_ms", None)] * 2
    assert "197 of 200 requests completed, 3 failed" in bad[0].why
    monkeypatch.setenv("BENCH", "other-commands")
    found = measured(one(runner(fake, tmp_path).run([job(2)], Watcher())))
    assert {s.why.partition(":")[0] for s in found.samples} == {"the sides were run by different commands"}
    monkeypatch.setenv("BENCH", "damaged")
    found = measured(one(runner(fake, tmp_path).run([job(1)], Watcher())))
    assert [s.value for s in found.samples if s.cell.test == LATENCY] == [None, None]


def test_e5_hosts_differ_so_a_policy_that_pairs_on_hosts_is_refused(fake: FakeGitHub, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as refused:
        list(runner(fake, tmp_path).run([job(perf=PERF.model_copy(update={"pair_on": "host"}))], Watcher()))
    assert refused.value.code == "perf.pair-on"
    assert 'pair_on = "hardware"' in str(refused.value.remedy)
    assert fake.runs == []


def test_e2_hardware_without_a_runner_word_and_a_model_without_a_name_have_no_place(
    fake: FakeGitHub, tmp_path: Path
) -> None:
    nowhere = job(perf=PERF.model_copy(update={"fleet": ()}))
    nameless = job(perf=PERF.model_copy(update={"cells": (PerfCell(model="Llama3", hardware="H100", test=SERVING),)}))
    answers = list(runner(fake, tmp_path).run([nowhere, nameless], Watcher()))
    assert all(isinstance(a, NoPlace) for a in answers)
    assert "never takes it" in answers[0].why  # type: ignore[union-attr]
    assert "--model OWNER/NAME" in answers[1].why  # type: ignore[union-attr]
    assert fake.runs == []


def test_e3_a_token_that_may_not_dispatch_is_told_what_to_do(fake: FakeGitHub, tmp_path: Path) -> None:
    fake.may["push"] = False
    with pytest.raises(WorldFailed) as refused:
        list(runner(fake, tmp_path).run([job()], Watcher()))
    assert "perf access" in str(refused.value.remedy)
    fake.may["push"] = True
    measured(one(runner(fake, tmp_path).run([job()], Watcher())))


def test_e5_a_github_that_fails_for_a_while_does_not_end_it(fake: FakeGitHub, tmp_path: Path) -> None:
    for path in ("runs/1000$", "artifacts$", "logs$"):
        fake.fault("GET", path, 502)
        fake.fault("GET", path, 502)
    fake.fault("BLOB", "artifacts", "cut")
    measured(one(runner(fake, tmp_path).run([job()], Watcher())))
    assert len(fake.runs) == 2


def stubborn(fake: FakeGitHub, folder: Path) -> BlockResult:
    """A block, asked for again after each failure, when GitHub lists by then what was dispatched."""
    now = NOW
    for _ in range(30):
        made = runner(fake, folder, now)
        made = replace(made, github=replace(made.github, own=Session(pause=lambda _: None)))
        try:
            return measured(one(made.run([job()], Watcher())))
        except WorldFailed:
            now += timedelta(minutes=3)
    raise AssertionError(fake.faults.hit)


@pytest.mark.parametrize("kind", ["unavailable", "drop", "cut", "primary", "secondary"])
def test_e5_a_fault_at_any_call_of_a_block_dispatches_nothing_twice_and_cancels_nothing(
    fake: FakeGitHub, tmp_path: Path, kind: str
) -> None:
    sound = stubborn(fake, tmp_path / "sound")
    left = fake.faults.keys
    assert len([k for k in left if "dispatches" in k.call]) == 2
    rounds = 0
    while left:  # what a round misses, since a fault before changed its way, meets its fault in the next
        fake.runs.clear()
        fake.faults = Faults(planned=dict.fromkeys(left, kind))
        found = stubborn(fake, tmp_path / f"round{rounds}")
        assert [(r.inputs["vllm_commit"], r.conclusion) for r in fake.runs] == [(BASE, "success"), (NEW, "success")]
        assert found.samples == sound.samples
        assert left[0] in fake.faults.met
        left, rounds = [k for k in left if k not in fake.faults.met], rounds + 1


def test_e7_blocks_of_the_workflow_decide_and_are_on_the_comparison_page(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOW", NEW)
    monkeypatch.setenv("BENCH", "noisy")
    with MeasurementStore(tmp_path / "m.db", write=True) as store:
        for answer in runner(fake, tmp_path).run([job(n) for n in range(3)], Watcher()):
            found = measured(answer)
            store.add(NEW, BASE, found.samples, launches=found.launches)
        (kept,) = store.comparisons()
        # One look has all of alpha: three blocks of this noise decide then, whatever it draws.
        verdict = judge(kept, design_of(PERF.model_copy(update={"looks": (3,)})))
        assert verdict.verdict is Verdict.REGRESSED
        assert {(c.cell.test, c.verdict, c.blocks) for c in verdict.cells} == {
            (test, Verdict.REGRESSED, 3) for test in (SERVING, LATENCY)
        }
        link = DashboardLink(("", BASE), ("", NEW), datetime(2020, 1, 1, tzinfo=UTC), NOW, "", "week")
        page = comparison_page(store, link, verdicts=verdict.cells)
    by_metric = {r.found.metric: r for r in page.rows}
    row = by_metric["latency"]
    assert row.found.base is not None
    assert (row.found.base.launches, row.found.base.repeats) == (3, 9)
    assert row.state == "worse"
    assert row.verdict is not None
    assert row.commands == (f"vllm bench latency --model {MODEL}", "")
    assert by_metric["output_throughput"].state == "worse"
    assert {d.name for d in page.differences} >= {"engine"}


def test_e3_without_a_token_nothing_is_asked_of_github(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    made = runner(fake, tmp_path)
    with pytest.raises(UnusableInput) as refused:
        list(made.run([job()], Watcher()))
    assert (refused.value.code, refused.value.clause) == ("github.no-token", "E3")
    assert fake.asked == []


def test_e5_perf_run_by_the_workflow_needs_no_wheel(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.works_after = 1
    monkeypatch.setenv("BENCH", "noisy")
    made = GitMaker(tmp_path / "p.git", bare=True)
    cells = "".join(
        f'[[perf.cells]]\nmodel = "{MODEL}"\nhardware = "H100"\ntest = "{test}"\nmetrics = ["{metric}"]\n'
        for test, metric in ((SERVING, "median_tpot_ms"), (LATENCY, "latency"))
    )
    policy = f"""
preset = "vllm-2025"
[forge]
api_url = "{fake.api}"
[perf]
runner = "github"
workflow = "{OWNER}/{NAME} {FILE}"
pair_on = "hardware"
looks = [3]
fleet = [{{ hardware = "H100", runners = "h100" }}]
{cells}"""
    old = made.commit("Begin", {"release.toml": policy, "a": "1\n"})
    made.tag("v0.9.1", old)
    new = made.commit("Slow down", {"a": "2\n"})
    made.tag("v0.9.2-rc1", new)
    monkeypatch.setenv("SLOW", new)
    argv = ["perf", "run", "v0.9.1", "v0.9.2-rc1", "--repo", str(made.path), "--json"]
    done = subprocess.run([sys.executable, "-m", "headway", *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads(done.stdout)["verdict"] == "regressed"
    assert [(r.inputs["vllm_branch"], r.inputs["vllm_commit"]) for r in fake.runs] == [
        (branch, commit)
        for n in range(3)
        for branch, commit in (("releases/v0.9.1", old), ("releases/v0.9.2", new))[:: -1 if n % 2 else 1]
    ]
    assert TOKEN not in done.stdout + done.stderr
