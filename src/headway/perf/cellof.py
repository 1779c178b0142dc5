"""Which cell a record v3 is of: the parts that the comparison page filters by, and a test named by its load."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from headway.model.entry import canonical
from headway.model.measurement import Cell, MeasuredCell

# What makes a test another one, in the order in which its name tells them.
_LOAD = (
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "data_parallel_size",
    "quantization",
    "dataset_name",
    "dataset",
    "batch_size",
    "input_len",
    "output_len",
    "random_input_len",
    "random_output_len",
    "num_prompts",
    "request_rate",
    "burstiness",
    "max_concurrency",
    "profile",
)
_USUAL = {"burstiness": "1"}
# Settings that two runs of one test may differ in.
_VOLATILE = frozenset(
    {
        "seed",
        "date",
        "label",
        "metadata",
        "round",
        "host",
        "port",
        "base_url",
        "endpoint",
        "target",
        "model",
        "tokenizer",
        "save_result",
        "save_detailed",
        "append_result",
        "result_dir",
        "result_filename",
        "output_json",
        "disable_tqdm",
        "profile_dir",
        "func",
        "subparser",
        "dispatch_function",
    }
)


def cell_of(record: Mapping[str, Any]) -> MeasuredCell:
    """The cell of a record whose ``benchmark``, ``model`` and ``runners`` were checked to have record v3's shape."""
    benchmark, model = record["benchmark"], record["model"]
    extra, args = told(benchmark)
    runner = (record.get("runners") or [{}])[0]
    name = _text(benchmark.get("name"))
    if exact := _text(extra.get("test")):  # a person named it
        test, load = exact, []
    else:
        test = _text(extra.get("test_name") or args.get("test_name")) or name
        load = [f"{key}={text}" for key in _LOAD if (text := _text(args.get(key))) not in {"", _USUAL.get(key)}]
    arch = _text(runner.get("type") or extra.get("arch"))
    return MeasuredCell(
        Cell(_text(model.get("name")), arch, f"{test} ({', '.join(load)})" if load else test),
        benchmark=name,
        backend=_text(model.get("backend")),
        mode=_text(benchmark.get("mode")),
        dtype=_text(benchmark.get("dtype") or args.get("dtype")),
        device=_text(runner.get("name") or extra.get("device")),
        arch=arch,
    )


def kin_of(record: Mapping[str, Any]) -> str:
    """Digest of all that a record says of its test, but for what two runs of one test may differ in."""
    extra, args = told(record["benchmark"])
    steady = {k: v for k, v in args.items() if k not in _VOLATILE}
    rest = {k: v for k, v in extra.items() if k not in _VOLATILE and k != "args"}
    benchmark = {k: v for k, v in record["benchmark"].items() if k != "extra_info"}
    what = [benchmark, rest, steady, record["model"], record.get("inputs") or {}]
    return hashlib.sha256(canonical(what).encode()).hexdigest()


def told(benchmark: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """``extra_info`` and its ``args``, which some writers put there as JSON text."""
    extra = benchmark.get("extra_info")
    if not isinstance(extra, Mapping):
        return {}, {}
    args = extra.get("args")
    if isinstance(args, str):
        try:
            args = json.loads(args)
        except (ValueError, RecursionError):
            args = {}
    return extra, args if isinstance(args, Mapping) else {}


def _text(value: object) -> str:
    """A setting as a name has it; ``""`` for what is not set."""
    if value is None or value is False or value == "" or isinstance(value, dict | list):
        return ""
    if value is True:
        return "true"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
