"""E7, E6, E2: the comparison page over real stores: the dashboard's links, the gate's verdicts, what is missing."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from boardkit import Desk
from compareworld import FORMULA, NIGHTS, RESULTS, STEP, CompareWorld, launched, measured
from gitmaker import git_env
from webserved import Served
from webworld import PERF, POLICY, World

from headway import controls
from headway.errors import UnusableInput
from headway.perf.links import PAGE, parse_dashboard_link
from headway.perf.store import MeasurementStore
from headway.views.findings import Finding
from headway.web.compare import ComparisonView
from headway.web.compareread import comparison
from headway.web.picture import Picture, picture_of

ASKED = POLICY + PERF.replace('models = ["toy-small"]', 'models = ["toy-small", "Mixtral"]')


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> CompareWorld:
    return CompareWorld(tmp_path_factory.mktemp("compare"), ASKED).imported().nightly().hostile()


@pytest.fixture(scope="module")
def picture(world: CompareWorld) -> Picture:
    return picture_of(world.app(), "1")


@pytest.fixture(scope="module")
def served(world: CompareWorld) -> Iterator[httpx.Client]:
    with Served(world.git.path, world.clock.now()) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


def asked(picture: Picture, link: str) -> ComparisonView:
    return comparison(picture, urlsplit(link).query)


# Links of the clause ----------------------------------------------------------------------------------------------


def test_e7_the_clauses_own_link_works_when_only_its_host_is_changed(served: httpx.Client) -> None:
    link = (
        "/benchmark/llms?startTime=Thu%2C%2017%20Apr%202025%2021%3A43%3A50%20GMT"
        "&stopTime=Wed%2C%2016%20Jul%202025%2021%3A43%3A50%20GMT&granularity=week"
        "&lBranch=releases/v0.9.1&lCommit=b6553be1bc75f046b00046a4ad7576364d03c835"
        "&rBranch=releases/v0.9.2&rCommit=a5dd03c1ebc5e4f56f3c9d3dc0436e9c582c978f"
        "&repoName=vllm-project%2Fvllm&benchmarkName=&modelName=All%20Models&backendName=All%20Backends"
        "&modeName=All%20Modes&dtypeName=All%20DType&deviceName=All%20Devices&archName=All%20Platforms"
    )
    page = served.get(link)
    assert page.status_code == 200
    assert "b6553be1bc75" in page.text
    assert "a5dd03c1ebc5" in page.text
    assert "nothing of it was measured in the window" in page.text
    found = served.get(f"{link}&format=json").json()
    assert found["path"] == link.removeprefix("https://hud.pytorch.org")
    assert (found["filters"], found["left"]["launches"], found["verdict"]["verdict"]) == ({}, 0, "missing")


def test_e7_the_api_takes_each_parameter_of_the_page(served: httpx.Client, world: CompareWorld) -> None:
    link = world.link(
        metricName="output_throughput", granularity="hour", show="regressed", data="another", page="2", per=""
    )
    page = served.get(f"{link}&format=json&per=5000").json()
    api = served.get(f"/api/v1/comparison?{urlsplit(link).query}").json()
    assert api == page
    assert (api["window"]["granularity"], api["page"]["number"], api["renewed"]) == ("hour", 2, True)
    assert api != served.get(f"/api/v1/comparison?{urlsplit(world.link()).query}").json()


def test_e7_a_branch_may_be_written_as_the_dashboard_shows_it(picture: Picture, world: CompareWorld) -> None:
    plain = asked(picture, world.link(lCommit="", lBranch="main"))
    shown = asked(picture, world.link(lCommit="", lBranch="main(main)"))
    assert plain.left.commit == shown.left.commit == f"{0:040x}"
    release = asked(picture, world.link(rBranch=f"{world.branch}(main)"))
    assert release.right.commit == world.new


def test_e7_empty_commits_are_the_oldest_and_the_newest_and_tags_and_short_ones_are_known(
    picture: Picture, world: CompareWorld
) -> None:
    ends = asked(picture, world.link(lCommit="", rCommit="", rBranch="main", stopTime="2025-01-29"))
    assert (ends.left.commit, ends.right.commit) == (f"{0:040x}", world.new)
    named = asked(picture, world.link(lCommit="v0.1.0", rCommit=world.new[:9]))
    assert (named.left.commit, named.right.commit) == (world.base, world.new)
    assert named.left.tags == ("v0.1.0",)


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 29 Jan 2025 00:00:00 GMT",
        "2025-01-29",
        "2025-01-29T00:00:00Z",
        "Wed Jan 29 2025 08:00:00 GMT+0800 (China Standard Time)",
        "Wed Jan 29 2025 00:00:00 GMT+0000 (Coordinated Universal Time)",
        "Jan 29, 2025",
        "29 January 2025",
        "2025-01-28T19:00:00-05:00",
    ],
)
def test_e7_a_window_is_given_in_any_date_text(text: str) -> None:
    link = parse_dashboard_link(str(httpx.URL("/benchmark/llms", params={"startTime": "2025-01-01", "stopTime": text})))
    assert link.stop == datetime(2025, 1, 29, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "10", "may", "2025", "12:30", "Jan 29 2025 9pm PST", "9" * 400, "0", "-1"])
def test_e7_a_date_that_would_be_guessed_is_refused(text: str, served: httpx.Client) -> None:
    params = {"startTime": "2025-01-01", "stopTime": text}
    with pytest.raises(UnusableInput) as refused:
        parse_dashboard_link(str(httpx.URL("/benchmark/llms", params=params)))
    assert refused.value.clause == "E7"
    page = served.get("/benchmark/llms", params=params)
    assert page.status_code == 400
    assert "stopTime" in page.text
    error = served.get("/benchmark/llms", params={**params, "format": "json"})
    assert (error.status_code, error.json()["error"]["code"]) == (400, "link.parameter")


def test_e7_the_window_has_its_start_and_lacks_its_stop(picture: Picture, world: CompareWorld) -> None:
    first = world.clock.now() - timedelta(days=NIGHTS)
    window = {"startTime": first.isoformat(), "stopTime": (first + timedelta(days=3)).isoformat()}
    found = asked(picture, world.link(lCommit="", rCommit="", rBranch="main", **window))
    assert (found.left.commit, found.right.commit) == (f"{0:040x}", f"{2:040x}")


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("modelName", "Mixtral", {"Mixtral"}),
        ("backendName", "openai", {"Llama3"}),
        ("deviceName", "cuda (-2+3)", {""}),
        ("archName", "cpu", {"toy-small"}),
        ("archName", "All Platforms", None),
        ("benchmarkName", "nightly", None),
        ("dtypeName", "fp4", set()),
    ],
)
def test_e7_filters_filter_and_their_words_do_not(
    picture: Picture, world: CompareWorld, name: str, value: str, left: set[str] | None
) -> None:
    found = asked(picture, world.link(per="1000", **{name: value}))
    models = {r.row.found.cell.cell.model for r in found.rows}
    if name == "archName" and left is None:
        assert models >= {"toy-small", "Llama3", "Mixtral"}
    elif name == "deviceName":
        assert {r.row.found.cell.arch for r in found.rows} == {"-2+3"}
    elif left is not None:
        assert models == left
    # a policy tells neither backend nor device of a cell: that those are left out is said
    tells_no_more = name in {"backendName", "deviceName", "benchmarkName", "dtypeName"}
    assert (found.page.left_out > 0) == (tells_no_more and name != "deviceName")


# What the gate says ---------------------------------------------------------------------------------------------


def compare(world: CompareWorld) -> dict[str, Any]:
    command = [sys.executable, "-m", "headway", "--repo", str(world.git.path), "--now", world.clock.now().isoformat()]
    done = subprocess.run(
        [*command, "perf", "compare", world.base, world.new, "--json"],
        check=False,
        capture_output=True,
        text=True,
        env=git_env(),
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_e7_the_pages_verdicts_are_those_of_perf_compare(served: httpx.Client, world: CompareWorld) -> None:
    ours = served.get(world.link(format="json")).json()
    gate = compare(world)
    assert ours["verdict"]["verdict"] == gate["verdict"] == "regressed"
    rows = [r["gate"] for r in ours["rows"] if r["gate"]]
    assert sorted(rows, key=str) == sorted(gate["cells"], key=str)
    assert {r["finding"] for r in ours["rows"] if r["gate"] and r["gate"]["verdict"] == "pass"} == {"pass"}
    assert ours["counted"]


@pytest.mark.parametrize("ratio", [0.9, 1.0, 1.02, 1.04, 1.3])
def test_e7_any_comparison_reads_as_perf_compare_says(tmp_path: Path, ratio: float) -> None:
    """Property: whatever was measured, in blocks or not at all, the page and the command say the same of each cell."""
    world = CompareWorld(tmp_path, POLICY + PERF)
    later = world.git.commit("Another (#9)", {"b.py": f"{ratio}\n"})
    with world.app().measurements(write=True) as store:
        from webworld import _samples

        store.add(later, world.base, [s for s in _samples(0, 4, ratio) if s.cell.test == "decode"])
    world.new = later
    found, gate = asked(picture_of(world.app(), "1"), world.link(rCommit=later)), compare(world)
    cells = {(c["cell"]["test"], c["metric"]): c for c in gate["cells"]}
    shown = {(r.row.found.cell.cell.test, r.row.found.metric): r.row.verdict for r in found.rows if r.row.verdict}
    assert {k: v.as_json() for k, v in shown.items()} == cells
    assert found.judged is not None
    assert found.judged.verdict.verdict.value == gate["verdict"]
    assert not found.judged.counted


def test_e7_what_was_not_measured_in_blocks_has_no_verdict_whatever_it_looks_like(
    picture: Picture, world: CompareWorld
) -> None:
    found = asked(picture, world.link(per="1000"))
    apart = [r for r in found.rows if r.row.verdict is None]
    assert {r.finding for r in apart} <= {Finding.LOOKS_WORSE, Finding.SINGLE, Finding.APART, Finding.MISSING}
    single = next(r for r in apart if r.row.found.cell.cell.model == "Llama3" and r.row.found.cell.mode == "serving")
    assert (single.finding, single.why, single.ci) == (Finding.SINGLE, "single", None)
    real = [r for r in apart if r.row.found.cell.backend == "openai"]
    assert real
    assert all(r.ci is not None and r.why == "launches" for r in real)


def test_e2_what_is_asked_for_and_missing_is_as_visible_as_a_regression(
    served: httpx.Client, world: CompareWorld
) -> None:
    page = served.get(world.link(lang="en")).text
    matrix = page[page.index('<table class="heat"') : page.index("</table>")]
    uncovered = 'class="heat-gap" role="cell" data-label="cpu"><strong>not covered</strong>'
    assert uncovered in matrix  # Mixtral × cpu: the policy asks, no cell has it
    assert 'class="heat-bad"' in matrix
    found = served.get(world.link(format="json")).json()
    assert found["uncovered"] == [["Mixtral", "cpu"]]
    missing = [r for r in found["rows"] if r["finding"] == "missing"]
    assert [(r["cell"]["model"], r["missing"], r["why"]) for r in missing] == [("Mixtral", ["right"], "right")]
    assert found["counts"]["missing"] == 1
    assert found["counts"]["invalid"] == 0  # also said when there is none
    unmeasured = served.get(world.link(rCommit="f" * 40, format="json")).json()
    asked_for = [r for r in unmeasured["rows"] if r["gate"]]
    assert {(r["finding"], r["why"]) for r in asked_for} == {("missing", "no blocks")}
    assert len(asked_for) == 3


def test_e7_averages_are_only_over_cells_of_both_sides_and_say_of_how_many(
    picture: Picture, world: CompareWorld
) -> None:
    found = asked(picture, world.link(benchmarkName="nightly", per="1000"))
    average = next(a for a in found.page.averages if a.metric == "median_tpot_ms")
    rows = [r for r in found.rows if r.row.found.metric == "median_tpot_ms"]
    both = [r.ratio for r in rows if r.ratio is not None]
    assert average.ratio == pytest.approx(math.exp(sum(map(math.log, both)) / len(both)))
    assert (average.both, average.others) == (len(both), 1)  # Mixtral was not measured on the right


def test_e7_under_a_metric_only_its_average_is_listed(
    picture: Picture, served: httpx.Client, world: CompareWorld
) -> None:
    every = [a.metric for a in asked(picture, world.link()).averages]
    assert {"median_tpot_ms", "output_throughput"} < set(every)
    link = world.link(metricName="output_throughput", lang="en")
    assert [a.metric for a in asked(picture, link).averages] == ["output_throughput"]
    assert [a["metric"] for a in served.get(f"{link}&format=json").json()["averages"]] == ["output_throughput"]
    rows = csv.DictReader(io.StringIO(served.get(f"{link}&view=averages&format=csv").text))
    assert [r["metric"] for r in rows] == ["output_throughput"]
    part = served.get(link).text.partition('id="averages"')[2].partition("</section>")[0]
    assert re.findall(r"<code>(.*?)</code>", part) == ["output_throughput"]


def test_e7_the_trend_tells_where_the_level_moved(picture: Picture, world: CompareWorld) -> None:
    found = asked(picture, world.link(benchmarkName="nightly", modelName="Mixtral", per="1000"))
    assert found.trend is not None
    (shift,) = found.trend.shifts
    assert (shift.first.commit, shift.before.commit) == (f"{STEP:040x}", f"{STEP - 1:040x}")
    assert shift.worse
    assert shift.ratio == pytest.approx(1.12, abs=0.005)
    faster = asked(picture, world.link(benchmarkName="nightly", metricName="output_throughput"))
    assert faster.trend is not None
    assert faster.trend.shifts[0].worse  # less throughput
    few = asked(picture, world.link(benchmarkName="nightly", startTime="2025-01-20"))
    assert few.trend is not None
    assert not few.trend.enough


def test_e7_a_side_is_named_by_what_is_known_of_it(tmp_path: Path) -> None:
    """Results that came in with a commit and no branch, and a link that names neither."""
    world = CompareWorld(tmp_path)
    results = str(RESULTS / "A_rate4_r1.json")
    told = ["perf", "import", results, "--commit", world.base]
    command = [sys.executable, "-m", "headway", "--repo", str(world.git.path), *told]
    subprocess.run(command, check=True, env=git_env(), capture_output=True)

    def titles(**changes: str) -> list[str]:
        link = world.link(lBranch="", rBranch="", **changes)
        text = httpx.get(served.url.rstrip("/") + link + "&lang=en", timeout=60).text
        sides = re.findall(r'<h2>(?:Left|Right):[^<]*</h2>\s*<p class="line1">(.*?)</p>', text)
        return [re.sub(r"<[^>]*>", "", s).strip() for s in sides]

    with Served(world.git.path, world.clock.now()) as served:
        assert titles() == [f"v0.1.0 {world.base[:12]}", f"v0.1.1-rc1 {world.new[:12]}"]
        empty = titles(lCommit="", rCommit="", startTime="2024-01-01", stopTime="2024-01-02")
        assert empty == ["the oldest in the window", "the newest in the window"]


# Permalinks, waivers, files ---------------------------------------------------------------------------------------


def test_e7_a_frozen_link_says_when_more_was_measured_since(tmp_path: Path) -> None:
    world = CompareWorld(tmp_path, POLICY + PERF).nightly()
    first = asked(picture_of(world.app(), "1"), world.link(lCommit="", rCommit="", rBranch="main"))
    link = f"/benchmark/llms?{httpx.QueryParams(first.frozen)}"
    given = dict(parse_qsl(urlsplit(link).query))
    assert (given["lCommit"], given["rCommit"], given["data"]) == (f"{0:040x}", world.new, first.digest)
    again = asked(picture_of(world.app(), "2"), link)
    assert (again.renewed, again.left.commit, again.right.commit) == (False, f"{0:040x}", world.new)
    at = world.clock.now() - timedelta(hours=20)
    world.kept([launched(world.new, at, {(measured("Llama3", "serving qps=4"), "median_tpot_ms"): 11.0}, "main", "2")])
    late = asked(picture_of(world.app(), "3"), link)
    assert late.renewed
    with Served(world.git.path, world.clock.now()) as served:
        page = httpx.get(served.url.rstrip("/") + link, timeout=60).text
    assert "More was measured since this link was made" in page
    assert late.digest in page


def test_e7_waivers_in_force_stand_at_their_cells(tmp_path: Path) -> None:
    world = CompareWorld(tmp_path, POLICY + PERF)
    cell = "cell:toy-small/cpu/decode/median_tpot_ms"
    refused = controls.waive(world.app(), "0.1.1", cell, "known <b>trade</b>", world.clock.now().date() + timedelta(9))
    assert type(refused).__name__ == "Entry", refused
    found = asked(picture_of(world.app(), "1"), world.link())
    (waiver,) = found.waivers
    assert (waiver.entry.actor, waiver.entry.payload["reason"]) == ("Rosa", "known <b>trade</b>")
    assert [r.finding for r in found.rows if r.waiver] == [Finding.REGRESSED]
    with Served(world.git.path, world.clock.now()) as served:
        page = httpx.get(served.url.rstrip("/") + world.link(), timeout=60).text
    assert "known &lt;b&gt;trade&lt;/b&gt;" in page


@pytest.mark.parametrize("view", ["cells", "matrix", "trend", "averages", "environment", "waivers"])
def test_every_view_is_there_as_csv_markdown_and_json(served: httpx.Client, world: CompareWorld, view: str) -> None:
    link = world.link(view=view, trend="0" * 16)
    text = served.get(f"{link}&format=csv")
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(text.text)))
    assert len({len(r) for r in rows}) == 1
    for value in (v for r in rows for v in r):
        assert not value.startswith(("=", "+", "@", "\t", "\r"))
        assert not value.startswith("-") or float(value) < 0
    markdown = served.get(f"{link}&format=md")
    assert markdown.headers["content-type"] == "text/markdown; charset=utf-8"
    table = [line for line in markdown.text.splitlines() if line.startswith("|")]
    assert len(table) == len(rows) + 1
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert "<script>" not in markdown.text
    assert not re.search(r"(?<!\\)\]\(", markdown.text)
    assert view in served.get(f"{link}&format=json").json()
    by_accept = served.get(link, headers={"Accept": "text/csv"})
    assert by_accept.text == text.text


def test_names_of_others_are_inert_everywhere(served: httpx.Client, world: CompareWorld) -> None:
    page = served.get(world.link(lang="en"))
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text
    assert "style=" not in page.text
    cells = list(csv.DictReader(io.StringIO(served.get(world.link(format="csv")).text)))
    assert {r["test"] for r in cells} >= {f"'{FORMULA}", "'+1"}
    assert {r["benchmark"] for r in cells} >= {"'@SUM(A1)"}
    assert {r["hardware"] for r in cells} >= {"'-2+3"}
    assert all("\x1b" not in v and "\u202e" not in v for r in cells for v in r.values())


def test_the_address_is_the_whole_state_and_rows_come_in_pages(picture: Picture, world: CompareWorld) -> None:
    whole = asked(picture, world.link(per="1000"))
    seen = []
    for number in range(1, 30):
        part = asked(picture, world.link(per="7", page=str(number)))
        assert (part.total, part.pages) == (whole.total, -(-whole.total // 7))
        seen += [r.key for r in part.rows]
    assert seen == [r.key for r in whole.rows]
    assert len(set(seen)) == len(seen)
    only = asked(picture, world.link(show="missing"))
    assert {r.finding for r in only.rows} == {Finding.MISSING}
    assert only.everything == whole.everything


@pytest.mark.parametrize(
    "wrong", ["show=all", "page=0", "page=x", "per=-1", "view=cell", "format=xml", "granularity=eon", "modelName=%00"]
)
def test_what_no_page_knows_is_refused_in_words(served: httpx.Client, wrong: str) -> None:
    answer = served.get(f"/benchmark/llms?{wrong}")
    assert answer.status_code == 400
    assert wrong.partition("=")[0] in answer.text
    assert "Traceback" not in answer.text


def test_e6_without_measurements_the_page_says_how_to_bring_them(tmp_path: Path) -> None:
    from webworld import World

    world = World(tmp_path)
    with Served(world.git.path, world.clock.now()) as served:
        page = httpx.get(f"{served.url}benchmark/llms?lang=en", timeout=60)
        found = httpx.get(f"{served.url}benchmark/llms?format=json", timeout=60).json()
    assert page.status_code == 200
    assert "headway perf import" in page.text
    assert "Nothing is measured yet." in page.text
    assert (found["rows"], found["page"]["everything"], found["trend"]) == ([], 0, None)


def test_a_page_has_a_bounded_number_of_rows_and_a_file_has_more(tmp_path: Path) -> None:
    world = World(tmp_path)
    at = world.clock.now() - timedelta(hours=2)
    values = {(measured(f"model-{n}", "serving"), "median_tpot_ms"): 1.0 + n for n in range(600)}
    with MeasurementStore(world.app().repo.state / "measurements.db", write=True) as store:
        store.keep([launched(c, at, values, "main", "2.7.0") for c in (world.first, world.broken)])
    http = Desk(world).http
    page = http.get(f"{PAGE}?per=5000&lang=en").text
    assert "Rows 1 to 500 of 600" in page
    assert "page 1 of 2" in page
    assert len(http.get(f"{PAGE}?per=5000&format=csv").text.splitlines()) == 601
