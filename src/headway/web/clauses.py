"""The policy in force: each clause with the values that the policy file gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import tomlkit
from pydantic import BaseModel

from headway.model.text import Text
from headway.policy.clauses import CLAUSES
from headway.policy.schema import Policy

_NAMED = re.compile(r"\b([NVCBPEG]\d)(?:–([NVCBPEG]\d))?")
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Value:
    """A key of the policy file, as ``table.key``, and its value in TOML; long lists have a line for each element.
    ``preset`` is what the preset says, where that is something else."""

    key: str
    value: str
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class ClauseRow:
    """A clause, its sentence and its values."""

    id: str
    text: Text
    values: tuple[Value, ...]

    @property
    def short(self) -> bool:
        """Its values take no more than a few lines."""
        return sum(1 + v.value.count("\n") + len(v.value) // 80 for v in self.values) <= 6

    @property
    def own(self) -> int:
        """How many of its values are the project's own."""
        return sum(v.preset is not None for v in self.values)

    def as_json(self) -> dict[str, Any]:
        values = [{"key": v.key, "value": v.value, "preset": v.preset} for v in self.values]
        return {"clause": self.id, "text": str(self.text), "values": values}


def clause_rows(policy: Policy, preset: Policy) -> tuple[ClauseRow, ...]:
    """All clauses. A value stands at the clauses that its description names, else at those of its table. ``preset`` is
    the policy of a project that sets nothing itself."""
    usual = {v.key: v.value for _, v in _values(preset)}
    placed: dict[str, list[Value]] = {}
    for clauses, value in _values(policy):
        known = usual.get(value.key, "-")
        for clause in clauses:
            placed.setdefault(clause, []).append(value if known == value.value else replace(value, preset=known))
    return tuple(ClauseRow(c, text, tuple(placed.get(c, ()))) for c, text in CLAUSES.items())


def _values(policy: Policy) -> Iterator[tuple[tuple[str, ...], Value]]:
    for table_name in type(policy).model_fields:
        table = getattr(policy, table_name)
        if isinstance(table, BaseModel):
            fallback = _clauses(type(table).__doc__ or "")[:1]
            for name, field in type(table).model_fields.items():
                named = _clauses(field.description or "") or fallback
                value = table.model_dump(mode="json")[name]
                yield named, Value(f"{table_name}.{name}", value_shown(value))
    for name, gate in policy.approvals.items():
        yield ("G1",), Value(f"approvals.{name}", value_shown(gate.model_dump(mode="json")))


def _clauses(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for first, last in _NAMED.findall(text):
        end = int((last or first)[1:])
        found += [f"{first[0]}{n}" for n in range(int(first[1:]), end + 1)]
    return tuple(c for c in dict.fromkeys(found) if c in CLAUSES)


def value_shown(value: object) -> str:
    """TOML, with the user and password of an address left out."""
    if isinstance(value, dict):
        text = "\n".join(f"{k} = {value_shown(v)}" for k, v in value.items()) or "{}"
    elif isinstance(value, list):
        items = [value_shown(v) for v in value]
        short = f"[{', '.join(items)}]"
        text = short if len(short) <= 60 else "\n".join(items)
    elif value is None:
        text = "-"
    else:
        text = tomlkit.item(value).as_string()
    return _SECRET.sub("…@", text)
