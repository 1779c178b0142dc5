"""What is wrong with one entry of a configuration file: its form, its arguments, the metrics that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from headway.perf.arguments import Kind, is_known, known_arguments, snake
from headway.perf.entryforms import FORMS, PARAMETERS, made
from headway.perf.jsonplaces import Path

# `vllm bench serve`: what --percentile-metrics and --goodput can name
_PERCENTILES_OF = ("ttft", "tpot", "itl", "e2el")
_GOODPUT_OF = ("ttft", "tpot", "e2el")


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of an entry: keys and indices from its top, and what is wrong, with the nearest known word."""

    path: Path
    what: str
    nearest: str | None = None

    def told(self) -> str:
        key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.path).lstrip(".")
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return ": ".join(part for part in (key, f"{self.what}{hint}") if part)


def entry_problems(entry: object, kind: Kind, also_known: frozenset[str] = frozenset()) -> list[Problem]:
    """All problems of an entry; none: its form of ``FORMS`` can be made of it."""
    if not isinstance(entry, dict):
        return [Problem((), "is not an object")]
    form = FORMS[kind]
    try:
        made(entry, kind)
        found: list[Problem] = []
    except ValidationError as e:
        found = list(read_problems(e, form))
    for name in PARAMETERS:
        if isinstance(entry.get(name), dict):
            found += _arguments(entry[name], (name,), kind, False, also_known)
            found += _model(entry[name], (name,))
    client = entry.get("client_parameters")
    if kind == "serving" and isinstance(client, dict):
        found += _arguments(client, ("client_parameters",), kind, True, also_known)
        found += _model(client, ("client_parameters",))
        found += _metrics(client)
    return found


def read_problems(error: ValidationError, form: type[BaseModel]) -> Iterator[Problem]:
    """pydantic's findings in words."""
    for e in error.errors(include_url=False, include_input=False):
        path = tuple(p for p in e["loc"] if p != "[key]")
        what = e["msg"].removeprefix("Value error, ")
        if e["type"] == "missing":
            yield Problem(path, "is missing")
        elif e["type"] == "extra_forbidden":
            known = tuple(form.model_fields)
            near = _near(str(path[-1]), known)
            yield Problem(
                path, "is not a known key" if near else f"is not a known key; known: {', '.join(known)}", near
            )
        else:
            yield Problem(path, what[:1].lower() + what[1:])


def _near(word: str, known: tuple[str, ...] | frozenset[str]) -> str | None:
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.75)), None)


def _arguments(
    given: Mapping[str, Any], at: Path, kind: Kind, client: bool, also_known: frozenset[str]
) -> Iterator[Problem]:
    known = known_arguments(kind, client=client)
    other = known_arguments(kind, client=not client) if kind == "serving" else frozenset()
    whose = "the client" if client else f"`vllm {'serve' if kind == 'serving' else f'bench {kind}'}`"
    seen: dict[str, str] = {}
    for name in given:
        plain = snake(name)
        if plain in seen:
            yield Problem((*at, name), f"is the same as {seen[plain]}, which is there too")
        seen[plain] = name
        if is_known(plain, known) or plain in also_known:
            continue
        near = _near(plain, known)
        what = f"is not a known argument of {whose}"
        if near is None and is_known(plain, other):
            what += ", but of the other side"
        yield Problem((*at, name), what, near)


def _model(given: Mapping[str, Any], at: Path) -> Iterator[Problem]:
    plain = {snake(name): (name, value) for name, value in given.items()}
    name, model = plain.get("model", ("", None))
    if not name:
        yield Problem((*at, "model"), "is missing")
    elif not isinstance(model, str) or not model.strip() or not model.isprintable():
        yield Problem((*at, name), "is not the name of a model")
    name, size = plain.get("tensor_parallel_size", ("", 1))
    if name and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        yield Problem((*at, name), f"{size!r:.40} is not a number of devices")


def _metrics(client: Mapping[str, Any]) -> Iterator[Problem]:
    """The metrics that a client is asked for by name."""
    at: Path = ("client_parameters",)
    for name, value in client.items():
        match snake(name):
            case "percentile_metrics":
                words = [w.strip() for w in value.split(",")] if isinstance(value, str) else [value]
                yield from _unknown(words, _PERCENTILES_OF, (*at, name))
            case "goodput":
                pairs = value.split() if isinstance(value, str) else value if isinstance(value, list) else [value]
                yield from _unknown([str(p).partition(":")[0] for p in pairs], _GOODPUT_OF, (*at, name))
            case "metric_percentiles":
                words = [w.strip() for w in value.split(",")] if isinstance(value, str) else [value]
                for word in words:
                    if not re.fullmatch(r"\d+(\.\d+)?", str(word)) or float(word) > 100:
                        yield Problem((*at, name), f"{word!r:.40} is not a percentile")


def _unknown(words: list[Any], known: tuple[str, ...], at: Path) -> Iterator[Problem]:
    for word in words:
        if word not in known:
            what = f"{word!r:.40} is not a metric that can stand here; known: {', '.join(known)}"
            yield Problem(at, what, _near(str(word), known))
