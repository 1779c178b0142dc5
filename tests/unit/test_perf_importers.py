"""Result files of the real ``vllm bench``, whole and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headway.perf.importers import Invalid, Result, parse_result, read_result

REAL = Path(__file__).parent.parent / "fixtures" / "vllm-results"
SERVE = REAL / "A_rate4_r1.json"


def changed(tmp_path: Path, **fields: Any) -> Path:
    document = json.loads(SERVE.read_text("utf-8")) | fields
    path = tmp_path / "result.json"
    path.write_text(json.dumps({k: v for k, v in document.items() if v != "gone"}), "utf-8")
    return path


def test_serve() -> None:
    found = parse_result(SERVE)
    assert isinstance(found, Result)
    assert found.metrics["median_ttft_ms"] == pytest.approx(79.24002799995833)
    assert found.metrics["p99_e2el_ms"] == pytest.approx(844.0770816999292)
    assert found.metrics["output_throughput"] == pytest.approx(123.36626036104316)
    assert "request_goodput" not in found.metrics
    assert not {"duration", "completed", "num_prompts", "rtfx", "request_rate"} & found.metrics.keys()
    assert (found.output_tokens, found.set_aside) == (1280, ())
    assert read_result(SERVE) == found.metrics


@pytest.mark.parametrize(
    ("name", "metric", "value"),
    [
        ("B_rateinf_r1.json", "median_tpot_ms", 36.30004620967039),
        ("A_latency_r1.json", "avg_latency", 0.4560200731998975),
        ("A_throughput_r1.json", "tokens_per_second", 2798.214723133805),
        ("B_throughput_r1.json", "requests_per_second", 10.941050887635662),
    ],
)
def test_the_other_kinds(name: str, metric: str, value: float) -> None:
    found = read_result(REAL / name)
    assert not isinstance(found, Invalid)
    assert found[metric] == pytest.approx(value)


def test_startup(tmp_path: Path) -> None:
    path = tmp_path / "startup.json"
    path.write_text('{"avg_cold_startup_time": 21.5, "avg_warm_startup_time": 9.25}', "utf-8")
    assert read_result(path) == {"avg_cold_startup_time": 21.5, "avg_warm_startup_time": 9.25}


def test_unknown_numbers_are_set_aside_by_name_and_never_used(tmp_path: Path) -> None:
    found = parse_result(changed(tmp_path, spec_decode_acceptance=0.7, median_ttft=3, steady=True))
    assert isinstance(found, Result)
    assert set(found.set_aside) == {"spec_decode_acceptance", "median_ttft"}
    assert not {"spec_decode_acceptance", "median_ttft", "steady"} & found.metrics.keys()


def test_a_zero_is_not_measured(tmp_path: Path) -> None:
    found = parse_result(changed(tmp_path, median_tpot_ms=0.0))
    assert isinstance(found, Result)
    assert "median_tpot_ms" not in found.metrics
    assert "median_tpot_ms" in found.set_aside


def test_coalesced_chunks_are_no_inter_token_latency(tmp_path: Path) -> None:
    found = parse_result(changed(tmp_path, median_itl_ms=0.009))
    assert isinstance(found, Result)
    assert not [name for name in found.metrics if name.endswith("_itl_ms")]
    assert "mean_itl_ms" in found.set_aside
    assert "median_tpot_ms" in found.metrics


def test_a_missing_count_of_failures_is_tolerated(tmp_path: Path) -> None:
    assert not isinstance(read_result(changed(tmp_path, failed="gone")), Invalid)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"completed": 39}, "39 of 40 requests completed"),
        ({"failed": 1}, "1 failed"),
        ({"completed": 0, "failed": 40, "median_ttft_ms": 0.0}, "0 of 40 requests completed, 40 failed"),
        ({"num_prompts": 0, "completed": 0}, "no requests"),
        ({"completed": "40"}, "completed is not a count"),
        ({"completed": True}, "completed is not a count"),
        ({"num_prompts": "gone"}, "num_prompts is not a count"),
        ({"total_output_tokens": 0}, "no tokens"),
        ({"total_output_tokens": "gone"}, "total_output_tokens is not a count"),
        ({"median_ttft_ms": float("nan")}, "median_ttft_ms is not a finite number"),
        ({"median_ttft_ms": float("inf")}, "median_ttft_ms is not a finite number"),
        ({"median_ttft_ms": -3.0}, "median_ttft_ms is not a finite number"),
        ({"median_ttft_ms": 10**400}, "median_ttft_ms is not a finite number"),
        ({"median_ttft_ms": "79"}, "median_ttft_ms is not a number"),
        ({"median_ttft_ms": [1.0]}, "median_ttft_ms is not a number"),
    ],
)
def test_invalid_runs_say_why(tmp_path: Path, fields: dict[str, Any], why: str) -> None:
    found = read_result(changed(tmp_path, **fields))
    assert isinstance(found, Invalid)
    assert why in found.why


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[1, 2]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "none of its known fields"),
        (b'{"speed": 3}', "none of its known fields"),
        (b"[" * 200_000, "not JSON"),
        (b'{"requests_per_second": 5, "num_requests": 0, "total_num_tokens": 9}', "no requests"),
        (b'{"avg_latency": 0.1, "latencies": [0.1, NaN]}', "latencies"),
        (b'{"avg_latency": 0.1, "latencies": 5}', "latencies"),
        (b'{"avg_latency": 0}', "no metric"),
        (b'{"avg_latency": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_damaged_files_are_invalid_never_an_exception(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(data)
    found = read_result(path)
    assert isinstance(found, Invalid)
    assert why in found.why


def test_every_truncation_of_a_real_file_is_invalid(tmp_path: Path) -> None:
    whole, path = SERVE.read_bytes().rstrip(), tmp_path / "result.json"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert isinstance(read_result(path), Invalid), length


def test_a_file_that_is_not_there_is_invalid(tmp_path: Path) -> None:
    assert read_result(tmp_path / "none.json") == Invalid("cannot be read: No such file or directory")
    assert read_result(tmp_path) == Invalid("cannot be read: Is a directory")


def test_guidellm() -> None:
    found = parse_result(REAL / "guidellm_rate4.json")
    assert isinstance(found, Result)
    assert found.output_tokens == 640
    assert found.metrics["median_time_to_first_token_ms"] == pytest.approx(160.12001037597656)
    # Its time per output token has the first token in it: it never passes for vllm bench's.
    assert not {"median_tpot_ms", "median_ttft_ms"} & found.metrics.keys()


def test_a_report_of_several_benchmarks_is_not_one_run(tmp_path: Path) -> None:
    document = json.loads((REAL / "guidellm_rate4.json").read_text("utf-8"))
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**document, "benchmarks": document["benchmarks"] * 2}), "utf-8")
    assert read_result(path) == Invalid("is a report of 2 benchmarks, not of one")
