"""E6, E7: the dashboard's links, and the page that answers the same parameters, over a real store."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gitmaker import GitMaker, git_env
from rich.cells import cell_len
from rich.console import Console

from headway.cli.common import Screen
from headway.errors import UnusableInput
from headway.model.measurement import Cell, Launch, MeasuredCell, Sample, Side
from headway.model.verdict import CellVerdict, Verdict
from headway.perf.imported import Record, Run
from headway.perf.links import PAGE, WINDOW, address_of, device_and_arch, parse_dashboard_link
from headway.perf.reading import Point
from headway.perf.store import MeasurementStore
from headway.views.comparison import as_json, buckets, chart, comparison_page
from headway.views.comparisontable import show_page

EXAMPLE = (
    "https://hud.pytorch.org/benchmark/llms?startTime=Thu%2C%2017%20Apr%202025%2021%3A43%3A50%20GMT"
    "&stopTime=Wed%2C%2016%20Jul%202025%2021%3A43%3A50%20GMT&granularity=week"
    "&lBranch=releases/v0.9.1&lCommit=b6553be1bc75f046b00046a4ad7576364d03c835"
    "&rBranch=releases/v0.9.2&rCommit=a5dd03c1ebc5e4f56f3c9d3dc0436e9c582c978f"
    "&repoName=vllm-project%2Fvllm&benchmarkName=&modelName=All%20Models&backendName=All%20Backends"
    "&modeName=All%20Modes&dtypeName=All%20DType&deviceName=All%20Devices&archName=All%20Platforms"
)
OLD, NEW = "b6553be1bc75f046b00046a4ad7576364d03c835", "a5dd03c1ebc5e4f56f3c9d3dc0436e9c582c978f"
REPO = "vllm-project/vllm"
JUNE = datetime(2025, 6, 10, 7, 30, tzinfo=UTC)
TPOT, RATE = "median_tpot_ms", "request_throughput"
H100 = "NVIDIA H100 80GB HBM3"


def cell(test: str = "qps_4", model: str = "meta-llama/Llama-3.1-8B", arch: str = H100) -> MeasuredCell:
    return MeasuredCell(Cell(model, arch, test), "vLLM benchmark", "vllm", "serving", "bf16", "cuda", arch)


def run(
    commit: str,
    n: int,
    values: dict[tuple[MeasuredCell, str], tuple[float, ...]],
    *,
    branch: str = "",
    at: datetime = JUNE,
    repo: str = REPO,
    cpu: str = "Xeon 8488C",
) -> Run:
    when = int(at.timestamp())
    records = tuple(Record(c, m, v, when, "{}", f"{c}", i) for i, ((c, m), v) in enumerate(values.items()))
    document = json.dumps({"runners": [{"name": "cuda", "type": H100, "gpu_info": H100, "cpu_info": cpu}]})
    name = branch or ("releases/v0.9.1" if commit == OLD else "releases/v0.9.2")
    return Run(f"{commit}-{n}-{repo}", repo, f"{name}(refs/heads/{name})", commit, when, document, records)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with MeasurementStore(tmp_path / "m.db", write=True) as made:
        yield made


def three(store: MeasurementStore, factor: float = 1.2) -> None:
    """Three launches of each side, two repeats each: the new one ``factor`` slower in one cell, the other unchanged."""
    for n, noise in enumerate((0.99, 1.0, 1.01)):
        for commit, slow in ((OLD, 1.0), (NEW, factor)):
            base = 10.0 * noise * slow
            values = {(cell(), TPOT): (base, base * 1.02), (cell("qps_1"), TPOT): (8.0 / noise, 8.0 / noise)}
            store.keep([run(commit, n, values, at=JUNE + timedelta(hours=n + (24 * 14 if commit == NEW else 0)))])


def test_e7_the_documents_own_link_is_written_and_read_byte_for_byte() -> None:
    link = parse_dashboard_link(EXAMPLE)
    assert (link.left, link.right) == (("releases/v0.9.1", OLD), ("releases/v0.9.2", NEW))
    assert (link.repo, link.granularity, link.filters) == (REPO, "week", ())
    assert link.stop - link.start == WINDOW
    assert address_of("https://hud.pytorch.org/benchmark/llms", link) == EXAMPLE


def test_e7_a_link_works_when_only_its_host_is_changed() -> None:
    ours = EXAMPLE.replace("https://hud.pytorch.org", "http://127.0.0.1:8787")
    assert parse_dashboard_link(ours) == parse_dashboard_link(EXAMPLE)
    assert address_of(f"http://127.0.0.1:8787{PAGE}", parse_dashboard_link(EXAMPLE)) == ours


def test_e6_a_link_to_a_repository_alone_is_read_with_a_clock() -> None:
    link = parse_dashboard_link("https://hud.pytorch.org/benchmark/llms?repoName=vllm-project%2Fvllm", now=JUNE)
    assert (link.left, link.right, link.repo) == (("", ""), ("", ""), REPO)
    assert (link.start, link.stop) == (JUNE - WINDOW, JUNE)


def test_e7_filters_survive_being_written() -> None:
    odd = EXAMPLE.replace("All%20Devices", "cuda%20(NVIDIA%20H100%2080GB%20HBM3)").replace(
        "All%20Models", "a%2Fb%20%26c"
    )
    link = parse_dashboard_link(odd)
    assert dict(link.filters) == {"modelName": "a/b &c", "deviceName": f"cuda ({H100})"}
    assert device_and_arch(link) == ("cuda", H100)
    assert parse_dashboard_link(address_of("http://x", link)) == link


@pytest.mark.parametrize(
    "wrong",
    [
        EXAMPLE.replace("17%20Apr%202025", "17%20Apr%202026"),
        EXAMPLE.replace("17%20Apr%202025%2021%3A43%3A50%20GMT", "soon"),
        EXAMPLE.replace(
            "startTime=Thu%2C%2017%20Apr%202025%2021%3A43%3A50%20GMT", "startTime=0001-01-01T00:00%2B14:00"
        ),
        EXAMPLE.replace("week", "eon"),
        "http://[",
        "notaurl",
        "https://hud.pytorch.org/hud/vllm-project/vllm/main?repoName=vllm-project%2Fvllm",
        EXAMPLE.replace(OLD, "%00"),
        EXAMPLE.replace("v0.9.1", "v0.9.1%1B[31m"),
    ],
)
def test_e7_a_link_that_cannot_be_read_is_refused_in_words(wrong: str) -> None:
    with pytest.raises(UnusableInput) as refused:
        parse_dashboard_link(wrong, now=JUNE)
    assert refused.value.clause == "E7"


def test_e7_launches_not_repeats_make_the_interval(store: MeasurementStore) -> None:
    three(store)
    page = comparison_page(store, parse_dashboard_link(EXAMPLE))
    rows = {r.found.cell.cell.test: r for r in page.rows}
    slow, same = rows["qps_4"], rows["qps_1"]
    assert slow.found.base is not None
    assert (slow.found.base.launches, slow.found.base.repeats) == (3, 6)
    assert slow.ratio == pytest.approx(1.2)
    # Welch on three launches a side with equal spread: df = 4, t = 2.776
    sd = slow.found.base.log_sd
    assert sd is not None
    half = 2.7764451 * sd * math.sqrt(2 / 3)
    assert slow.ci == pytest.approx((1.2 * math.exp(-half), 1.2 * math.exp(half)))
    assert (slow.state, same.state) == ("worse", "unclear")
    assert slow.worse_by == pytest.approx(0.2)


def test_e7_higher_is_better_where_it_is(store: MeasurementStore) -> None:
    for n, noise in enumerate((0.99, 1.0, 1.01)):
        store.keep([run(OLD, n, {(cell(), RATE): (10 * noise,)}), run(NEW, n, {(cell(), RATE): (8 * noise,)})])
    (row,) = comparison_page(store, parse_dashboard_link(EXAMPLE)).rows
    assert (row.state, row.ratio, row.worse_by) == ("worse", pytest.approx(0.8), pytest.approx(0.25))


def test_e7_single_launches_say_so_however_many_repeats(store: MeasurementStore) -> None:
    store.keep([run(OLD, 0, {(cell(), TPOT): (10.0,) * 50}), run(NEW, 0, {(cell(), TPOT): (13.0,) * 50})])
    (row,) = comparison_page(store, parse_dashboard_link(EXAMPLE)).rows
    assert (row.state, row.ci, row.ratio) == ("single", None, pytest.approx(1.3))


def test_e7_launches_without_any_spread_have_no_interval(store: MeasurementStore) -> None:
    for n in range(3):
        store.keep([run(OLD, n, {(cell(), TPOT): (10.0,)}), run(NEW, n, {(cell(), TPOT): (13.0,)})])
    (row,) = comparison_page(store, parse_dashboard_link(EXAMPLE)).rows
    assert (row.state, row.ci) == ("unclear", None)


def test_e7_missing_is_an_answer_and_counts_for_no_average(store: MeasurementStore) -> None:
    """TI#6969: averages only over what both sides have."""
    old = {(cell("a"), TPOT): (10.0,), (cell("gone"), TPOT): (500.0,)}
    new = {(cell("a"), TPOT): (11.0,), (cell("fresh"), TPOT): (0.1,)}
    store.keep([run(OLD, 0, old), run(NEW, 0, new)])
    page = comparison_page(store, parse_dashboard_link(EXAMPLE))
    assert {r.found.cell.cell.test: r.missing for r in page.rows} == {"a": (), "fresh": ("left",), "gone": ("right",)}
    (average,) = page.averages
    assert (average.ratio, average.both, average.others) == (pytest.approx(1.1), 1, 2)
    assert as_json(page)["counts"]["missing"] == 2


def test_e7_a_number_of_unknown_direction_is_set_aside(store: MeasurementStore) -> None:
    values = {(cell(), TPOT): (10.0,), (cell(), "frobs_per_s"): (3.0,)}
    store.keep([run(OLD, 0, values), run(NEW, 0, values)])
    page = comparison_page(store, parse_dashboard_link(EXAMPLE))
    assert [r.found.metric for r in page.rows] == [TPOT]
    assert page.set_aside == ("frobs_per_s",)


def test_e7_an_empty_commit_is_the_oldest_or_newest_in_the_window(store: MeasurementStore) -> None:
    for n, commit in enumerate(("1" * 40, "2" * 40, "3" * 40, "4" * 40)):
        at = datetime(2025, 4, 1, tzinfo=UTC) + timedelta(days=30 * n)
        store.keep([run(commit, 0, {(cell(), TPOT): (10.0 + n,)}, branch="main", at=at)])
    store.keep([run("9" * 40, 0, {(cell(), TPOT): (1.0,)}, branch="main", at=JUNE, repo="other/fork")])
    asked = (
        EXAMPLE.replace(OLD, "").replace(NEW, "").replace("releases/v0.9.1", "main").replace("releases/v0.9.2", "main")
    )
    page = comparison_page(store, parse_dashboard_link(asked))
    assert page.commits == ("2" * 40, "4" * 40)
    (row,) = page.rows
    assert row.ratio == pytest.approx(13 / 11)


def test_e7_a_side_that_nobody_measured_is_none_and_its_cells_are_missing(store: MeasurementStore) -> None:
    store.keep([run(OLD, 0, {(cell(), TPOT): (10.0,)})])
    page = comparison_page(store, parse_dashboard_link(EXAMPLE))
    assert page.right is None
    assert [r.missing for r in page.rows] == [("right",)]
    assert as_json(page)["right"] == {
        "branch": "releases/v0.9.2",
        "commit": NEW,
        "launches": 0,
        "first": None,
        "last": None,
    }


def test_e7_filters_keep_their_cells(store: MeasurementStore) -> None:
    values = {(cell(), TPOT): (10.0,), (cell(arch="AMD MI300X"), TPOT): (9.0,)}
    store.keep([run(OLD, 0, values), run(NEW, 0, values)])
    asked = EXAMPLE.replace("All%20Devices", "cuda%20(NVIDIA%20H100%2080GB%20HBM3)")
    assert [r.found.cell.arch for r in comparison_page(store, parse_dashboard_link(asked)).rows] == [H100]


def test_e7_what_the_launches_told_differently_is_shown(store: MeasurementStore) -> None:
    values = {(cell(), TPOT): (10.0,)}
    store.keep([run(OLD, 0, values), run(NEW, 0, values, cpu="EPYC 9654")])
    (found,) = comparison_page(store, parse_dashboard_link(EXAMPLE)).differences
    assert (found.name, found.left, found.right) == ("cpu", ("Xeon 8488C",), ("EPYC 9654",))


def test_e7_blocks_are_on_the_page_with_the_gates_verdict_and_their_commands(store: MeasurementStore) -> None:
    place = Cell("Llama3", "H100", "closed-2")
    launches, samples = [], []
    for block in range(3):
        for side, value in ((Side.BASELINE, 10.0), (Side.CANDIDATE, 12.0)):
            told = (("serve", "vllm serve x"), ("arguments", "--rate 2"), ("started", JUNE.isoformat()))
            launches.append(Launch(block, side, (place,), told))
            samples.append(Sample(block, side, place, TPOT, value + block / 10))
    store.add(NEW, OLD, samples, launches=launches)
    verdict = CellVerdict(place, TPOT, 3, 1.2, (1.1, 1.3), 0.05, 0.03, Verdict.REGRESSED, "regression")
    (row,) = comparison_page(store, parse_dashboard_link(EXAMPLE), REPO, [verdict]).rows
    assert row.verdict == verdict
    assert row.commands == ("vllm serve x", "--rate 2")
    other = comparison_page(store, parse_dashboard_link(EXAMPLE), "toy/kit", [verdict])
    assert (other.left, other.right) == (None, None)


def test_e7_charts_go_by_the_links_granularity(store: MeasurementStore) -> None:
    three(store)
    link = parse_dashboard_link(EXAMPLE)
    found = chart(store, cell(), TPOT, link)
    assert [(b.at.isoformat(), b.launches, b.commits) for b in found] == [
        ("2025-06-09T00:00:00+00:00", 3, (OLD,)),
        ("2025-06-23T00:00:00+00:00", 3, (NEW,)),
    ]
    hours = chart(store, cell(), TPOT, parse_dashboard_link(EXAMPLE.replace("week", "hour")))
    assert [b.launches for b in hours] == [1] * 6
    months = buckets([Point(JUNE, OLD, "", 2.0, 1), Point(JUNE + timedelta(days=21), NEW, "", 3.0, 1)], "month")
    assert [(b.at.month, b.at.day, b.mean) for b in months] == [(6, 1, 2.0), (7, 1, 3.0)]
    days = buckets([Point(JUNE, OLD, "", 2.0, 1), Point(JUNE + timedelta(hours=2), OLD, "", 4.0, 1)], "day")
    assert [(b.at.hour, b.mean) for b in days] == [(0, 3.0)]


# The commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> GitMaker:
    made = GitMaker(tmp_path / "p.git", bare=True)
    made.commit("Begin", {"release.toml": f'preset = "vllm-2025"\n[project]\nrepository = "{REPO}"\n', "a": "1\n"})
    return made


def asked(project: GitMaker, *argv: str) -> tuple[int, Any]:
    command = [sys.executable, "-m", "headway", "perf", *argv, "--repo", str(project.path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=git_env(), check=False)
    return done.returncode, json.loads(done.stdout)


def test_e7_a_link_is_made_of_two_releases(project: GitMaker) -> None:
    old = project.tip("main")
    project.tag("v0.9.1", old)
    project.branch("releases/v0.9.2", project.commit("Next", {"a": "2\n"}))
    new = project.tip("releases/v0.9.2")
    status, found = asked(project, "link", "v0.9.1", "releases/v0.9.2", "--now", "2025-07-16T21:43:50+00:00")
    assert status == 0
    link = parse_dashboard_link(found["dashboard"])
    assert found["dashboard"].startswith("https://hud.pytorch.org/benchmark/llms?startTime=")
    assert found["path"] == found["dashboard"].removeprefix("https://hud.pytorch.org")
    assert (link.left, link.right) == (("releases/v0.9.1", old), ("releases/v0.9.2", new))
    assert link.repo == REPO
    assert asked(project, "compare", "v0.9.1", "releases/v0.9.2")[1]["links"]["path"].startswith("/benchmark/llms?")
    assert asked(project, "link", "v0.9.1", "v9")[0] == 2


def test_e7_the_table_answers_a_link_and_two_refs_alike(project: GitMaker) -> None:
    with MeasurementStore(project.path / "headway" / "measurements.db", write=True) as store:
        three(store)
    status, found = asked(project, "table", EXAMPLE, "--series")
    assert status == 0
    assert found["counts"] == {"worse": 1, "better": 0, "unclear": 1, "single": 0, "missing": 0}
    assert (found["left"]["commit"], found["right"]["commit"]) == (OLD, NEW)
    assert [len(r["series"]) for r in found["rows"]] == [2, 2]
    assert found["links"]["dashboard"] == EXAMPLE
    again = asked(project, "table", found["path"])[1]["rows"]
    assert again == [{k: v for k, v in r.items() if k != "series"} for r in found["rows"]]
    assert asked(project, "table", "--left", "main", "--right", "main")[0] == 3
    assert asked(project, "table")[0] == 2
    assert asked(project, "table", EXAMPLE.replace("week", "eon"))[1]["error"]["clause"] == "E7"


def test_e7_the_table_is_readable_on_a_terminal(project: GitMaker) -> None:
    with MeasurementStore(project.path / "headway" / "measurements.db", write=True) as store:
        three(store)
        store.keep([run(OLD, 9, {(cell("evil\x1b[31m\u202e"), TPOT): (1.0,)})])
    command = [sys.executable, "-m", "headway", "perf", "table", EXAMPLE, "--repo", str(project.path)]
    done = subprocess.run(command, capture_output=True, text=True, env=git_env() | {"COLUMNS": "240"}, check=False)
    assert done.returncode == 0, done.stderr
    assert "\x1b[31m" not in done.stdout
    assert "\u202e" not in done.stdout
    for words in ("worse", "missing", "1.200", "headway perf table"):
        assert words in done.stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_e7_the_table_is_whole_in_80_columns(store: MeasurementStore, lang: str) -> None:
    """Of long names nothing is cut, with the gate's verdicts or without; the command to copy stays on one line."""
    long = cell("serving " + "input_len=4096 output_len=1024 " * 4, "org/" + "Mixture-" * 8)
    for n in range(3):
        for commit, value in ((OLD, 123456.7), (NEW, 1234567.8 + n)):
            values = {(long, "max_output_tokens_per_s"): (value,), (cell(), TPOT): (10.0 + n,)}
            store.keep([run(commit, n, values)])
    store.keep([run(OLD, 9, {(cell("qps_1"), TPOT): (1.0,)})])
    place, tpot = Cell("Llama3", "H100", "closed-2"), "median_tpot_ms"
    verdict = CellVerdict(place, tpot, 3, 1.2, (1.1, 1.3), 0.05, 0.03, Verdict.REGRESSED, "regression")
    for verdicts in ([], [verdict]):
        page = comparison_page(store, parse_dashboard_link(EXAMPLE), REPO, verdicts)
        screen = Screen(Console(file=io.StringIO(), width=80), lang)
        show_page(page, screen)
        *table, command = screen.console.file.getvalue().splitlines()
        assert command.startswith("headway perf table ")
        assert max(map(cell_len, table)) <= 80
        told = "".join("".join(table).split())
        for r in page.rows:
            assert "".join(str(r.found.cell.cell).split()) in told
        assert "\u2026" not in told
        assert ("gate" if lang == "en" else "门禁") in told or not verdicts


def test_e7_a_side_whose_branch_nobody_told_is_named_by_its_commit(store: MeasurementStore) -> None:
    store.keep([run(OLD, 0, {(cell(), TPOT): (10.0,)})])
    link = EXAMPLE.replace("releases/v0.9.1", "").replace("releases/v0.9.2", "").replace(NEW, "f" * 40)
    page = comparison_page(store, parse_dashboard_link(link))
    assert page.left is not None
    page = replace(page, left=replace(page.left, branch=""))
    screen = Screen(Console(file=io.StringIO(), width=80), "en")
    show_page(page, screen)
    assert screen.console.file.getvalue().splitlines()[:2] == [
        f"left: {OLD[:12]}, 1 launches",
        f"right: nothing of {'f' * 40} was measured in the window",
    ]
