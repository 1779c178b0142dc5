"""Which arguments a test may give to the engine and to the client of ``vllm bench``."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Literal

Kind = Literal["latency", "throughput", "serving", "startup"]
KINDS: tuple[Kind, ...] = ("latency", "throughput", "serving", "startup")
# A short name that the workflow's own generator reads too.
_SHORT = {"tp": "tensor_parallel_size"}


def snake(name: str) -> str:
    """An argument's one name: ``max-model-len`` and ``max_model_len`` are the same, as are ``tp`` and its long name."""
    plain = name.replace("-", "_")
    return _SHORT.get(plain, plain)


@functools.cache
def _tables() -> Mapping[str, frozenset[str]]:
    text = resources.files("headway.perf").joinpath("data", "vllm_arguments.json").read_text(encoding="utf-8")
    return {name: frozenset(words) for name, words in json.loads(text).items() if name != "source"}


def known_arguments(kind: Kind, *, client: bool) -> frozenset[str]:
    """Names, in snake case, that stand in this test type's parameters, or in its client's."""
    tables = _tables()
    return tables["client"] if client else tables["engine"] | tables["serve" if kind == "serving" else kind]


def is_known(name: str, known: frozenset[str]) -> bool:
    """Whether ``name`` (snake case) is one of ``known``, its negation (``no_…``), or a field of it (``x.y``)."""
    head = name.partition(".")[0]
    return head in known or head.removeprefix("no_") in known
