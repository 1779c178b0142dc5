"""Files of every form into the store: what is kept, what is set aside and why, and that twice is once."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headway.app import Silent
from headway.model.measurement import IMPORTED, Cell, Comparison, Launch, MeasuredCell, RawSeries, Sample, Side
from headway.perf.exporting import export, lines
from headway.perf.files import UNDATED
from headway.perf.importing import Outcome, import_files
from headway.perf.reading import Filters, compare_releases, imported_logs, revisions, series
from headway.perf.store import MeasurementStore
from headway.perf.told import Told
from headway.perf.vllmbench import NO_WARM_UP

REAL = Path(__file__).parent.parent / "fixtures" / "vllm-results"
A, B = "a" * 40, "b" * 40
TOLD = Told(commit=A, branch="main", repo="o/n", hardware="H100", engine="0.32.0")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "perf.db")
    made: str = request.getfixturevalue("database")()
    return made


def imported(url: str, *paths: Path, told: Told = TOLD, blocks: bool = False) -> Outcome:
    with MeasurementStore(url, write=True) as store:
        return import_files(store, paths, told, Silent(), blocks=blocks)


def cells_in(store: MeasurementStore) -> tuple[MeasuredCell, ...]:
    """What was measured of commit ``A``."""
    return tuple(dict.fromkeys(r.cell for r in compare_releases(store, B, A)))


def contents(url: str) -> list[dict[str, Any]]:
    with MeasurementStore(url) as store:
        return list(lines(store))


def record(metric: str = "median_ttft_ms", *values: float, **fields: Any) -> dict[str, Any]:
    """A record v3 as the dashboard's uploader writes it."""
    made = {
        "timestamp": 1752000000,
        "schema_version": "v3",
        "name": "vLLM benchmark",
        "repo": "vllm-project/vllm",
        "head_branch": "main(refs/heads/main)",
        "head_sha": A,
        "workflow_id": 16000000000,
        "run_attempt": 1,
        "job_id": 45000000001,
        "runners": [
            {"name": "cuda", "type": "NVIDIA H100 80GB HBM3", "gpu_count": 8, "extra_info": {"hostname": "n1"}}
        ],
        "benchmark": {
            "name": "vLLM benchmark",
            "mode": "",
            "dtype": "bfloat16",
            "extra_info": {"args": {"request_rate": 4.0, "tensor_parallel_size": 8, "seed": 0}, "use_compile": "true"},
        },
        "model": {"name": "meta-llama/Llama-4", "type": "OSS model", "backend": "vllm", "origins": []},
        "inputs": {},
        "dependencies": {"vllm": {"repo": "vllm-project/vllm", "version": "0.9.2"}},
        "metric": {"name": metric, "benchmark_values": list(values or (20.0,)), "target_value": 0, "extra_info": {}},
    }
    return made | fields


def with_args(**args: Any) -> dict[str, Any]:
    benchmark = record()["benchmark"]
    old = benchmark["extra_info"]["args"]
    return {"benchmark": benchmark | {"extra_info": {**benchmark["extra_info"], "args": old | args}}}


def written(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
    return path


def test_a_record_keeps_all_its_repeats_and_what_the_page_filters_by(url: str, tmp_path: Path) -> None:
    found = imported(url, written(tmp_path / "r.jsonl", record("median_ttft_ms", 20.0, 21.0, 25.0)))
    assert (found.kept.new, found.kept.launches, found.skipped) == (1, 1, [])
    with MeasurementStore(url) as store:
        (cell,) = cells_in(store)
        assert (cell.cell.model, cell.device, cell.arch) == ("meta-llama/Llama-4", "cuda", "NVIDIA H100 80GB HBM3")
        assert (cell.backend, cell.dtype, cell.benchmark) == ("vllm", "bfloat16", "vLLM benchmark")
        assert cell.cell.test == "vLLM benchmark (tensor_parallel_size=8, request_rate=4)"
        (revision,) = revisions(store, branch="main")
        assert (revision.commit, revision.branch, revision.repo) == (A, "main", "vllm-project/vllm")
        (row,) = compare_releases(store, B, A, Filters(device="cuda", backend="vllm"))
        assert row.new is not None
        assert (row.new.launches, row.new.repeats, row.new.mean) == (1, 3, 22.0)
        assert compare_releases(store, B, A, Filters(device="rocm")) == ()
        (point,) = series(store, cell, "median_ttft_ms", branch="main")
        assert (point.mean, point.at) == (22.0, datetime.fromtimestamp(1752000000, UTC))


def test_twice_is_once_and_another_job_is_another_launch(url: str, tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", record(), record("median_tpot_ms", 5.0))
    assert imported(url, path).kept.new == 2
    before = contents(url)
    again = imported(url, path)
    assert (again.kept.new, again.kept.known, again.kept.launches, again.skipped) == (0, 2, 0, [])
    assert contents(url) == before
    rerun = [record(job_id=7), record(workflow_id=16000000009), record(run_attempt=2)]
    assert imported(url, written(tmp_path / "again.jsonl", *rerun)).kept.launches == 3
    with MeasurementStore(url) as store:
        found = {r.metric: r.new for r in compare_releases(store, B, A)}
    assert found["median_ttft_ms"] is not None
    assert found["median_ttft_ms"].launches == 4


def test_what_came_without_a_time_gets_one_and_is_not_counted_twice(url: str, tmp_path: Path) -> None:
    path = tmp_path / "throughput.json"
    path.write_text(
        json.dumps(
            {
                "elapsed_time": 2.0,
                "num_requests": 4,
                "total_num_tokens": 400,
                "requests_per_second": 2.0,
                "tokens_per_second": 200.0,
            }
        )
    )
    first = imported(url, path)
    assert UNDATED in first.notes
    with MeasurementStore(url) as store:
        assert compare_releases(store, B, A, Filters(since=datetime(2026, 1, 1, tzinfo=UTC))) == ()
    dated = imported(url, path, told=replace(TOLD, date=datetime(2026, 11, 22, tzinfo=UTC)))
    assert (dated.kept.new, dated.kept.known, dated.skipped) == (0, first.kept.new, [])
    assert UNDATED not in dated.notes
    with MeasurementStore(url) as store:
        rows = compare_releases(store, B, A, Filters(since=datetime(2026, 1, 1, tzinfo=UTC)))
    assert {(r.new.launches, r.new.repeats) for r in rows if r.new is not None} == {(1, 1)}


def test_runs_of_one_test_in_one_job_are_repeats(url: str, tmp_path: Path) -> None:
    runs = [record("median_ttft_ms", 20.0 + i, timestamp=1752000000 + i, **with_args(seed=i)) for i in range(3)]
    assert imported(url, written(tmp_path / "r.jsonl", *runs)).kept.new == 3
    with MeasurementStore(url) as store:
        (row,) = compare_releases(store, B, A)
    assert row.new is not None
    assert (row.new.launches, row.new.repeats, row.new.mean) == (1, 3, 21.0)


@pytest.mark.parametrize(
    "other",
    [record("median_ttft_ms", 99.0), record("median_ttft_ms", 20.0, **with_args(enable_prefix_caching=True))],
    ids=["other values", "another test by the same name"],
)
def test_two_tests_of_one_identity_are_both_refused(url: str, tmp_path: Path, other: dict[str, Any]) -> None:
    found = imported(url, written(tmp_path / "r.jsonl", record(), other, record("median_tpot_ms", 5.0)))
    assert found.kept.new == 1
    assert [r.line for _, r in found.skipped] == [1, 2]
    assert "one identity" in found.skipped[0][1].why


def test_what_the_store_has_is_not_overwritten_by_another_file(url: str, tmp_path: Path) -> None:
    imported(url, written(tmp_path / "r.jsonl", record()))
    before = contents(url)
    found = imported(url, written(tmp_path / "s.jsonl", record("median_ttft_ms", 5.0)))
    assert [r.why.partition(":")[0] for _, r in found.skipped] == ["the store has this with other values, which stay"]
    assert contents(url) == before


BAD: list[tuple[dict[str, Any] | str, str]] = [
    ({"schema_version": "v2"}, "schema_version"),
    ({"timestamp": -1}, "timestamp"),
    ({"timestamp": 1752000000000}, "not in seconds"),
    ({"timestamp": True}, "timestamp"),
    ({"workflow_id": 2**64}, "workflow_id"),
    ({"job_id": None}, "job_id"),
    ({"head_sha": "; rm -rf /"}, "head_sha"),
    ({"head_branch": None}, "head_branch"),
    ({"repo": "a\0b"}, "NUL"),
    ({"repo": "\ud800"}, "UTF-8"),
    ({"model": {"backend": "vllm"}}, "model has no name"),
    ({"benchmark": []}, "benchmark"),
    ({"runners": {"name": "x"}}, "runners"),
    ({"runners": [7]}, "a runner"),
    ({"metric": {"name": "median_ttft_ms", "benchmark_values": []}}, "empty"),
    ({"metric": {"name": "median_ttft_ms", "benchmark_values": [0.0]}}, "nothing was measured"),
    ({"metric": {"name": "median_ttft_ms", "benchmark_values": [20.0, -1]}}, "nothing was measured"),
    ({"metric": {"name": "median_ttft_ms", "benchmark_values": [float("nan")]}}, "JSON"),
    ({"metric": {"name": "median_ttft_ms", "benchmark_values": ["20"]}}, "not a finite number"),
    ({"metric": {"name": "median_ttft_ms", "benchmark_values": [10**400]}}, "not a finite number"),
    ({"metric": {"name": "median_ttft_ms", "benchmark_values": [True]}}, "not a finite number"),
    (
        {
            "metric": {
                "name": "median_ttft_ms",
                "benchmark_values": [1.0],
                "extra_info": {"completed": 39, "num_prompts": 40},
            }
        },
        "39 of 40",
    ),
    (
        {"metric": {"name": "median_ttft_ms", "benchmark_values": [1.0], "extra_info": {"failed": 40}}},
        "40 requests failed",
    ),
    ("not JSON at all", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ("7", "not a JSON object"),
    ("{}", "none of its known fields"),
    ('{"timestamp": 17520', "not JSON"),
]


@pytest.mark.parametrize(("bad", "why"), BAD)
def test_bad_lines_are_named_and_the_sound_ones_go_in(tmp_path: Path, bad: dict[str, Any] | str, why: str) -> None:
    line = bad if isinstance(bad, str) else json.dumps(record() | bad)
    path = tmp_path / "r.jsonl"
    path.write_text(f"{json.dumps(record())}\n\n{line}\n{json.dumps(record('median_tpot_ms', 5.0))}\n", "utf-8")
    found = imported(str(tmp_path / "perf.db"), path)
    assert found.kept.new == 2
    assert [r.line for _, r in found.skipped] == [3]
    assert why in found.skipped[0][1].why


def truncated(data: bytes) -> bytes:
    return gzip.compress(data)[:-20]


@pytest.mark.parametrize(
    ("name", "damage", "why"),
    [
        ("r.jsonl.gz", truncated, "cut off"),
        ("r.jsonl.gz", lambda data: gzip.compress(data)[:30] + b"\0\0\0\0" + gzip.compress(data)[34:], "gzip"),
        ("r.jsonl.gz", lambda data: b"\x1f\x8b", "cut off"),
        ("r.jsonl", lambda data: data + b"\xff\xfe", "not UTF-8"),
        ("r.jsonl", lambda data: b"", "empty"),
        ("r.json", lambda data: b"   \n", "empty"),
        ("r.json", lambda data: b"[]", "empty"),
        ("r.json", lambda data: data[:100], "not JSON"),
    ],
)
def test_a_damaged_file_is_set_aside_whole(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes], why: str
) -> None:
    path = tmp_path / name
    path.write_bytes(damage(b"".join(json.dumps(record(job_id=i)).encode() + b"\n" for i in range(20))))
    found = imported(str(tmp_path / "perf.db"), path)
    assert found.kept.new == 0
    ((_, refused),) = found.skipped
    assert refused.line == 0
    assert why in refused.why


def test_unknown_numbers_are_set_aside_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", record("spec_decode_acceptance", 0.7), record("duration", 10.0), record())
    found = imported(str(tmp_path / "perf.db"), path)
    assert found.kept.new == 1
    assert found.set_aside == {str(path): {"spec_decode_acceptance": 1, "duration": 1}}


@pytest.mark.parametrize("form", ["json list", "json lines", "gzip", "one record"])
def test_every_wrapping_of_records_is_read(tmp_path: Path, form: str) -> None:
    records = [record(), record("median_tpot_ms", 5.0)]
    path = tmp_path / ("r.jsonl" if form == "json lines" else "r.json.gz" if form == "gzip" else "r.json")
    text = json.dumps(records) if form == "json list" else "\n".join(map(json.dumps, records))
    text = json.dumps(records[0]) if form == "one record" else text
    path.write_bytes(gzip.compress(text.encode()) if form == "gzip" else text.encode())
    assert imported(str(tmp_path / "perf.db"), path).kept.new == (1 if form == "one record" else 2)


def test_what_a_client_wrote_before_the_upload_is_completed_by_what_a_person_says(tmp_path: Path) -> None:
    bare = {k: record()[k] for k in ("benchmark", "model", "metric")}
    path = tmp_path / "results.pytorch.json"
    path.write_text(json.dumps([bare]), "utf-8")
    url = str(tmp_path / "perf.db")
    assert imported(url, path).kept.new == 1
    assert imported(url, path).kept.known == 1
    (line,) = contents(url)
    assert (line["head_sha"], line["head_branch"], line["repo"]) == (A, "main(refs/heads/main)", "o/n")
    assert line["runners"] == [{"type": "H100"}]


def test_results_of_vllm_bench(url: str) -> None:
    names = ("A_rate4_r1", "B_rateinf_r1", "A_latency_r1", "A_throughput_r1")
    found = imported(url, *(REAL / f"{name}.json" for name in names))
    assert (found.kept.launches, found.skipped) == (4, [])
    latency, throughput = (str(REAL / f"A_{name}_r1.json") for name in ("latency", "throughput"))
    assert found.notes == {UNDATED: [latency, throughput], NO_WARM_UP: [throughput]}
    by_test: dict[str, dict[str, Any]] = {}
    for line in contents(url):
        by_test.setdefault(line["benchmark"]["name"], {})[line["metric"]["name"]] = line
    assert set(by_test) == {"vllm bench serve", "vllm bench latency", "vllm bench throughput"}
    assert by_test["vllm bench throughput"]["tokens_per_second"]["metric"]["benchmark_values"] == [2798.214723133805]
    raw = json.loads((REAL / "A_latency_r1.json").read_text("utf-8"))["latencies"]
    assert by_test["vllm bench latency"]["latencies"]["metric"]["benchmark_values"] == raw
    one = by_test["vllm bench latency"]["avg_latency"]
    assert (one["head_sha"], one["dependencies"]) == (A, {"engine": {"version": "0.32.0"}})
    with MeasurementStore(url) as store:
        tests = {c.cell.test for c in cells_in(store)}
    assert "vllm bench serve (num_prompts=40, request_rate=4)" in tests
    assert "vllm bench serve (num_prompts=40, request_rate=inf)" in tests


def test_gaps_within_requests_keep_their_requests(tmp_path: Path) -> None:
    document = json.loads((REAL / "A_rate4_r1.json").read_text("utf-8")) | {"itls": [[0.1, 0.2], [], [0.3]]}
    path = tmp_path / "serve.json"
    path.write_text(json.dumps(document), "utf-8")
    url = str(tmp_path / "perf.db")
    imported(url, path)
    found = {line["metric"]["name"]: line["metric"]["benchmark_values"] for line in contents(url)}
    assert (found["itls"], found["itls.lengths"]) == ([0.1, 0.2, 0.3], [2.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"completed": 0, "failed": 40}, "0 of 40 requests completed"),
        ({"completed": 39}, "39 of 40"),
        ({"total_output_tokens": 0}, "no tokens"),
        ({"median_ttft_ms": float("nan")}, "median_ttft_ms is not a finite number"),
    ],
)
def test_an_invalid_run_of_vllm_bench_is_skipped_never_fast(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    path = tmp_path / "serve.json"
    path.write_text(json.dumps(json.loads((REAL / "A_rate4_r1.json").read_text("utf-8")) | change), "utf-8")
    found = imported(str(tmp_path / "perf.db"), path)
    assert (found.kept.new, found.kept.launches) == (0, 0)
    assert why in found.skipped[0][1].why


def test_coalesced_chunks_stay_out(tmp_path: Path) -> None:
    path = tmp_path / "serve.json"
    changed = {"median_itl_ms": 0.009}
    path.write_text(json.dumps(json.loads((REAL / "A_rate4_r1.json").read_text("utf-8")) | changed), "utf-8")
    url = str(tmp_path / "perf.db")
    assert "median_itl_ms" in imported(url, path).set_aside[str(path)]
    assert not [line for line in contents(url) if line["metric"]["name"].endswith("_itl_ms")]


def test_a_report_of_guidellm(url: str) -> None:
    found = imported(url, REAL / "guidellm_rate4.json", told=Told(commit=A, hardware="cpu", test="chat"))
    assert (found.kept.launches, found.skipped) == (1, [])
    by_name = {line["metric"]["name"]: line for line in contents(url)}
    assert by_name["median_time_to_first_token_ms"]["metric"]["benchmark_values"] == [160.12001037597656]
    assert by_name["output_tokens_per_second"]["metric"]["benchmark_values"] == [127.39645671064505]
    assert len(by_name["time_to_first_token_ms"]["metric"]["benchmark_values"]) == 20  # of each request
    assert by_name["requests_per_second"]["timestamp"] == 1795359806
    with MeasurementStore(url) as store:
        assert [c.cell for c in cells_in(store)] == [Cell("tiny", "cpu", "chat")]


def test_the_same_test_again_in_one_report_is_a_repeat(tmp_path: Path) -> None:
    document = json.loads((REAL / "guidellm_rate4.json").read_text("utf-8"))
    document["benchmarks"] *= 2
    document["benchmarks"][1] = document["benchmarks"][1] | {"start_time": 1795359900.0}
    path, url = tmp_path / "guidellm.json", str(tmp_path / "perf.db")
    path.write_text(json.dumps(document), "utf-8")
    found = imported(url, path, told=Told(commit=A))
    assert (found.kept.launches, found.skipped) == (1, [])
    names = [line["metric"]["name"] for line in contents(url)]
    assert names.count("requests_per_second") == names.count("time_to_first_token_ms") == 2


@pytest.mark.parametrize(
    ("totals", "why"),
    [
        ({"successful": 0, "errored": 20, "incomplete": 0}, "0 requests completed, 20 failed"),
        ({"successful": 19, "errored": 1, "incomplete": 0}, "1 failed"),
        ({"successful": 19, "errored": 0, "incomplete": 1}, "1 were cut off"),
        ({"successful": "many"}, "successful is not a count"),
    ],
)
def test_an_invalid_report_of_guidellm_is_skipped(tmp_path: Path, totals: dict[str, Any], why: str) -> None:
    document = json.loads((REAL / "guidellm_rate4.json").read_text("utf-8"))
    document["benchmarks"][0]["metrics"]["request_totals"] = totals
    path = tmp_path / "guidellm.json"
    path.write_text(json.dumps(document), "utf-8")
    found = imported(str(tmp_path / "perf.db"), path)
    assert found.kept.new == 0
    assert why in found.skipped[0][1].why


def comparison(store: MeasurementStore) -> None:
    cell = Cell("Llama3", "H100", "serving · 模型")
    samples = [Sample(0, side, cell, "median_tpot_ms", 10.0 + r, "", r) for side in Side for r in range(2)]
    died = [
        Sample(1, side, cell, "median_tpot_ms", None, "the engine died\nbadly", r) for side in Side for r in range(2)
    ]
    told = [
        Launch(0, side, (cell,), (("host", "n1"), ("started", "2026-11-30T04:00:00")), ("d" * 64,)) for side in Side
    ]
    raw = [RawSeries(0, Side.BASELINE, cell, 1, "ttfts", (0.1, 1 / 3))]
    store.add(A, B, [*samples, *died], (("client", "own"), ("client", "other")), told, raw)


def test_nothing_is_lost_out_and_in_again(url: str, tmp_path: Path) -> None:
    mixed = [
        record("median_ttft_ms", 20.0, 21.0),
        record(job_id="benchmark", extra={"a": [1]}),
        record("latency", 1 / 3),
    ]
    mixed += [record("median_ttft_ms", 30.0, timestamp=0, run_attempt="2", **with_args(seed=3))]
    imported(url, written(tmp_path / "r.jsonl", *mixed), REAL)
    with MeasurementStore(url, write=True) as store:
        comparison(store)
        first = export(store, tmp_path / "one.jsonl.gz")
        before = store.comparisons()
    with gzip.open(tmp_path / "one.jsonl.gz", "rt", encoding="utf-8") as f:
        assert sum(1 for _ in f) == first
    again = imported(url, tmp_path / "one.jsonl.gz", blocks=True)
    assert (again.kept.new, again.kept.launches, again.kept.series, again.blocks, again.skipped) == (0, 0, 0, 0, [])

    copy = str(tmp_path / "copy.db")
    assert imported(copy, tmp_path / "one.jsonl.gz", blocks=True).skipped == []
    with MeasurementStore(copy) as store:
        export(store, tmp_path / "two.jsonl")
        (found,) = store.comparisons()
    assert all(IMPORTED in x.told for x in found.launches)
    assert (replace(found, launches=tuple(map(unmarked, found.launches))),) == before
    # But for that mark it is the same, and from then on it is the very same.
    third = str(tmp_path / "third.db")
    assert imported(third, tmp_path / "two.jsonl", blocks=True).skipped == []
    with MeasurementStore(third) as store:
        assert export(store, tmp_path / "three.jsonl") == first
    assert (tmp_path / "two.jsonl").read_bytes() == (tmp_path / "three.jsonl").read_bytes()


def unmarked(launch: Launch) -> Launch:
    return replace(launch, told=tuple(t for t in launch.told if t != IMPORTED))


def test_E7_a_block_that_is_there_is_not_diluted_by_a_file(tmp_path: Path) -> None:
    """A block measured 20 % slower stays so, whatever repeats a file adds to its launches."""
    with MeasurementStore(tmp_path / "planted.db", write=True) as store:
        comparison(store)
        (known,) = store.comparisons()
        slow = next(s for s in known.samples if s.value is not None)
        planted = [replace(slow, side=side, value=1.0, repeat=r) for side in Side for r in range(2, 21)]
    with MeasurementStore(tmp_path / "other.db", write=True) as store:
        store.add(A, B, planted)
        export(store, tmp_path / "planted.jsonl")
    found = imported(str(tmp_path / "planted.db"), tmp_path / "planted.jsonl", blocks=True)
    assert found.blocks == 0
    assert len(found.skipped) == 38
    assert all("the store has this launch whole" in r.why for _, r in found.skipped)
    with MeasurementStore(tmp_path / "planted.db") as store:
        assert store.comparisons() == (known,)


def test_blocks_are_evidence_and_come_in_on_a_persons_word_only(tmp_path: Path) -> None:
    with MeasurementStore(tmp_path / "a.db", write=True) as store:
        comparison(store)
        export(store, tmp_path / "a.jsonl")
    found = imported(str(tmp_path / "b.db"), tmp_path / "a.jsonl")
    assert found.kept.new == found.blocks == 0
    assert {r.why for _, r in found.skipped} == {
        "a block of a comparison is evidence of the gate: it is restored with --blocks only"
    }
    with MeasurementStore(tmp_path / "b.db") as store:
        assert store.comparisons() == ()


def _number(line: dict[str, Any], value: Any) -> None:
    line["metric"]["benchmark_values"] = [value, value]


def _marked(part: str, **marks: Any) -> Callable[[dict[str, Any]], None]:
    def change(line: dict[str, Any]) -> None:
        extra = line[part]["extra_info"]
        extra["headway"] = json.dumps(json.loads(extra["headway"]) | marks)

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda line: _number(line, 10**400),
        lambda line: _number(line, math.nan),
        _marked("benchmark", block=10**30),
        _marked("benchmark", block=-1),
        _marked("benchmark", block=True),
        _marked("benchmark", subject="\ud800"),
        _marked("benchmark", cell=["a", "b", "\0"]),
        _marked("metric", repeats=[0, 10**30]),
        _marked("metric", repeats=[-1, 0]),
        _marked("metric", none=[2**31]),
        _marked("metric", whys={"0": "\udfff"}),
        _marked("metric", series=-1),
        _marked("metric", series=10**30),
    ],
)
def test_a_damaged_line_of_a_block_is_refused_and_the_others_are_restored(
    url: str, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    with MeasurementStore(tmp_path / "a.db", write=True) as store:
        comparison(store)
        sound = list(lines(store))
    damaged = next(json.loads(json.dumps(x)) for x in sound if x["metric"]["name"] == "median_tpot_ms")
    damaged["benchmark"]["extra_info"]["headway"] = damaged["benchmark"]["extra_info"]["headway"].replace(A, "c" * 40)
    change(damaged)
    found = imported(url, written(tmp_path / "b.jsonl", *sound, damaged), blocks=True)
    assert [r.line for _, r in found.skipped] == [len(sound) + 1]
    with MeasurementStore(url) as store, MeasurementStore(tmp_path / "a.db") as first:
        (restored,), (kept,) = store.comparisons(), first.comparisons()
    assert (restored.samples, restored.environment) == (kept.samples, kept.environment)


def nested(deep: int) -> Any:
    found: Any = 1
    for _ in range(deep):
        found = {"a": found}
    return found


@pytest.mark.parametrize(
    "fields",
    [
        {"nested": nested(900)},
        {"label": nested(900), "request_rate": nested(900)},
        {"latencies": [10**400], "avg_latency": 1.0},
        {"note": "\ud800"},
        {"un\ud800known": 5},
    ],
)
def test_a_hostile_result_of_vllm_bench_gives_no_traceback(tmp_path: Path, fields: dict[str, Any]) -> None:
    document = json.loads((REAL / "A_rate4_r1.json").read_text("utf-8")) | fields
    if "latencies" in fields:
        document = fields
    path = tmp_path / "serve.json"
    path.write_text(json.dumps(document), "utf-8")
    found = imported(str(tmp_path / "perf.db"), path)
    assert found.skipped or found.kept.new
    json.dumps(found.as_json(), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("args", ['{"a": NaN}', '{"dataset_name": "\\ud800"}', '{"x": 1e400}'])
def test_arguments_that_json_or_utf_8_has_no_word_for_are_refused(url: str, tmp_path: Path, args: str) -> None:
    hostile = record(**{"benchmark": record()["benchmark"] | {"extra_info": {"args": args}}})
    found = imported(url, written(tmp_path / "r.jsonl", hostile, record("latency", 1.0)))
    assert (found.kept.new, [r.line for _, r in found.skipped]) == (1, [1])


def test_a_series_without_a_record_makes_no_launch(url: str, tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", record())
    imported(url, path)
    lone = record("ttfts", 0.1, 0.2)
    lone["metric"]["extra_info"] = {"headway": "series:0"}
    lone["job_id"] = 7
    found = imported(url, written(tmp_path / "lone.jsonl", lone))
    assert (found.kept.launches, found.kept.series) == (0, 0)
    assert [(r.line, r.why) for _, r in found.skipped] == [
        (1, "a series of requests without a record of its run: ttfts")
    ]
    assert len(contents(url)) == 1


def test_imports_belong_to_no_comparison(tmp_path: Path) -> None:
    url = str(tmp_path / "perf.db")
    imported(url, written(tmp_path / "r.jsonl", record()))
    with MeasurementStore(url, write=True) as store:
        comparison(store)
        (found,) = store.comparisons()
    assert isinstance(found, Comparison)
    assert {s.metric for s in found.samples} == {"median_tpot_ms"}


def test_folders_are_walked_and_other_files_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    (folder / "deep" / "er").mkdir(parents=True)
    written(folder / "deep" / "er" / "r.jsonl", record())
    (folder / "notes.txt").write_text("mine", "utf-8")
    (folder / "a\u202ehostile\x1b[31m.json").write_text("{}", "utf-8")
    found = imported(str(tmp_path / "perf.db"), folder)
    assert (found.files, found.kept.new, len(found.skipped)) == (2, 1, 1)


def test_a_file_with_many_bad_lines_is_told_shortly(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", *range(1000))
    found = imported(str(tmp_path / "perf.db"), path)
    assert len(found.skipped) == 101
    assert found.skipped[-1][1].why == "900 more lines are set aside"


def test_an_export_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = written(tmp_path / "out.jsonl", {"mine": 1})
    (tmp_path / "perf.db").write_bytes(b"this is a letter, not a database. " * 200)
    before = path.read_bytes()
    with pytest.raises(Exception, match="cannot be used"):
        export(MeasurementStore(tmp_path / "perf.db"), path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "perf.db"]


def test_nightly_runs_are_found_by_commit_for_the_search_of_a_culprit(url: str, tmp_path: Path) -> None:
    """E7: launches that were imported, by commit; those of blocks are paired already and are none of them."""
    night = [
        record("median_ttft_ms", v, head_sha=sha, job_id=i)
        for i, (sha, v) in enumerate([(A, 20.0), (A, 22.0), (B, 30.0)])
    ]
    imported(url, written(tmp_path / "nights.jsonl", *night))
    with MeasurementStore(url, write=True) as store:
        (cell,) = cells_in(store)
        sample = Sample(0, Side.CANDIDATE, cell.cell, "median_ttft_ms", 99.0)
        store.add(A, B, [sample, replace(sample, side=Side.BASELINE)])
        found = imported_logs(store, (A, "c" * 40), cell.cell, "median_ttft_ms")
        assert imported_logs(store, (A,), cell.cell, "median_tpot_ms") == {}
    assert found == {A: pytest.approx((math.log(20.0), math.log(22.0)))}


def test_what_a_folder_hides_is_told(url: str, tmp_path: Path) -> None:
    """A link that leads nowhere, and a folder without results: nobody is to think that they were read."""
    (tmp_path / "in").mkdir()
    written(tmp_path / "in" / "one.jsonl", record())
    (tmp_path / "in" / "gone.json").symlink_to(tmp_path / "nowhere.json")
    (tmp_path / "none").mkdir()
    outcome = imported(url, tmp_path / "in", tmp_path / "none")
    assert (outcome.files, outcome.kept.new) == (1, 1)
    told = {Path(name).name: refused.why for name, refused in outcome.skipped}
    assert told["gone.json"] == "leads to no file"
    assert "no result file" in told["none"]
