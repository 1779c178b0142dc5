"""The four forms of a configured test: latency, throughput, serving, startup."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, model_validator

from headway.perf.arguments import Kind, snake

PARAMETERS = ("parameters", "server_parameters", "common_parameters")


def _shown(name: str) -> str:
    if not name.isprintable():
        raise ValueError("holds characters that cannot be shown")
    return name


def _rate(value: object) -> object:
    """Requests a second, or ``"inf"``: all at once."""
    if value == "inf":
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 < value < math.inf):
        raise ValueError('is neither a number of requests a second above 0 nor "inf"')
    return value


def _scalar(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("is neither a text nor a number")
    return value


Name = Annotated[str, Field(min_length=1), AfterValidator(_shown)]
Rate = Annotated[Any, BeforeValidator(_rate)]
Environment = dict[str, Annotated[Any, BeforeValidator(_scalar)]]
Parameters = dict[str, Any]


class Entry(BaseModel):
    """What the four forms share."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    test_name: Name
    parameters: Parameters | None = None
    server_parameters: Parameters | None = None
    common_parameters: Parameters | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Entry:
        given = [name for name in PARAMETERS if getattr(self, name) is not None]
        if len(given) != 1:
            have = f"has {' and '.join(given)}" if given else "has none"
            raise ValueError(f"needs exactly one of {', '.join(PARAMETERS)}, and {have}")
        return self


class OfflineEntry(Entry):
    """``latency``, ``throughput`` and ``startup``: one process, no server."""

    environment_variables: Environment = Field(default_factory=dict)


class ServingEntry(Entry):
    """``serving``: a server, and a client for each rate and each concurrency."""

    qps_list: tuple[Rate, ...] = Field(min_length=1)
    max_concurrency_list: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    server_environment_variables: Environment = Field(default_factory=dict)
    client_parameters: Parameters


FORMS: Mapping[Kind, type[OfflineEntry] | type[ServingEntry]] = {
    "latency": OfflineEntry,
    "throughput": OfflineEntry,
    "startup": OfflineEntry,
    "serving": ServingEntry,
}


def merged(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters by their names in snake case."""
    return {snake(name): value for name, value in parameters.items()}


def made(entry: object, kind: Kind) -> OfflineEntry | ServingEntry:
    """An entry in its form. Raises pydantic's ``ValidationError``. (By way of JSON, where a list is a strict tuple.)"""
    return FORMS[kind].model_validate_json(json.dumps(entry))
