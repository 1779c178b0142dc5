"""What is wrong in a policy file, and the words for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from headway.policy.schema import Policy
from headway.policy.table import Table
from headway.policy.toml_lines import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One error: where (keys and list indices from the top), what, and the nearest word that is known."""

    path: Path
    what: str
    nearest: str | None = None

    def line(self, lines: Mapping[Path, int]) -> int | None:
        """The line of the longest part of the path that is written in the file."""
        return next((lines[self.path[:n]] for n in range(len(self.path), 0, -1) if self.path[:n] in lines), None)

    def told(self, source: str, lines: Mapping[Path, int]) -> str:
        """``file:line: key: what is wrong``, with the nearest known word."""
        line = self.line(lines)
        where = source if line is None else f"{source}:{line}"
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return ": ".join(part for part in (where, dotted(self.path), f"{self.what}{hint}") if part)


def dotted(path: Path) -> str:
    """``perf.cells[0].model``."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word most like this one, or ``None`` when none is like it."""
    return next(iter(get_close_matches(word, list(known), n=1)), None)


def schema_problems(error: ValidationError) -> list[Problem]:
    """The schema's own findings."""
    return [_problem(e["loc"], e["type"], e["msg"]) for e in error.errors(include_url=False, include_input=False)]


def _problem(loc: Path, kind: str, message: str) -> Problem:
    path = tuple(p for p in loc if p != "[key]")
    if kind == "missing":
        return Problem(path, "is missing")
    if kind == "json_invalid":
        return Problem((), "its values are nested too deeply")
    if kind != "extra_forbidden":
        return Problem(path, message[:1].lower() + message[1:])
    beside = known_keys(path[:-1])
    word = str(path[-1])
    like = nearest(word, beside)
    if like is not None:
        return Problem(path, "is not a known key", dotted((*path[:-1], like)))
    everywhere = {key: f"{section}.{key}" for section in known_keys(()) for key in known_keys((section,))}
    like = nearest(word, everywhere)
    if like is not None:
        return Problem(path, "is not a known key", everywhere[like])
    return Problem(path, f"is not a known key; known here: {', '.join(beside)}")


def known_keys(path: Path) -> tuple[str, ...]:
    """The keys that the schema knows in the table at ``path``; none for a map with keys of the user's own."""
    found = _table_at(path)
    return tuple(f.alias or name for name, f in found.model_fields.items()) if found else ()


def open_maps(table: type[Table] = Policy, path: Path = ()) -> frozenset[Path]:
    """Paths of the tables whose keys are the user's own (environment, margins, gates, years)."""
    found: set[Path] = set()
    for name, field in table.model_fields.items():
        if get_origin(field.annotation) is dict:
            found.add((*path, name))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Table):
            found |= open_maps(field.annotation, (*path, name))
    return frozenset(found)


def _table_at(path: Path) -> type[Table] | None:
    at: Any = Policy
    for key in path:
        if isinstance(at, type) and issubclass(at, Table):
            field = next((f for name, f in at.model_fields.items() if key in {name, f.alias}), None)
            at = field.annotation if field else None
        elif get_origin(at) is dict:
            at = get_args(at)[1]
        elif get_origin(at) is tuple:
            at = get_args(at)[0]
        else:
            return None
    return at if isinstance(at, type) and issubclass(at, Table) else None
