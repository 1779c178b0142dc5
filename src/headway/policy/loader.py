"""``release.toml`` over its preset, as one checked ``Policy``; or every error of the file at once."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, time
from importlib import resources
from typing import Any

from pydantic import ValidationError

from headway.errors import UnusableInput, not_found
from headway.model.entry import digest_of
from headway.model.text import facts, say
from headway.policy.checks import meaning_problems
from headway.policy.problems import Problem, nearest, open_maps, schema_problems
from headway.policy.schema import SCHEMA, Policy
from headway.policy.toml_lines import Path, key_lines

DEFAULT_PRESET = "vllm-2025"
_HEADER = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n)*")


def load_policy(text: str | None, *, source: str, preset: str | None = None) -> Policy:
    """The policy of a file's text (``None``: no file), which ``source`` names in messages.

    Values that the file leaves out come from its preset: ``preset``, else the one that the file names, else vllm-2025.
    Tables are merged, lists are replaced; an empty table whose keys are the user's own (``releases_per_month = {}``)
    empties the preset's. A file without ``schema`` is read as schema 0.

    Raises ``UnusableInput``: ``policy.invalid`` with all errors of the file, ``policy.newer`` for a newer schema,
    ``preset.not-found`` for an unknown ``preset`` argument.
    """
    if preset is not None and preset not in preset_names():
        raise not_found("preset", preset, say("the presets are {names}", names=preset_names()))
    given = _parsed(text or "", source)
    problems = _own_keys(given, source)
    named = given.get("preset")
    name = preset or (named if named in preset_names() else DEFAULT_PRESET)
    own = {k: v for k, v in given.items() if k not in {"schema", "preset"}}
    base = {**_preset(name), "schema": SCHEMA, "preset": name}
    policy = _checked(own, base, problems)
    if problems:
        raise _refused(source, text or "", problems)
    return policy


def _preset(name: str) -> dict[str, Any]:
    """A preset's values, over those of the one that it extends."""
    own = tomllib.loads(preset_text(name))
    extended = own.pop("extends", None)
    return _merged(_preset(extended), own, (), open_maps()) if extended else own


def preset_names() -> tuple[str, ...]:
    """The presets that are shipped."""
    files = resources.files("headway.policy").joinpath("presets").iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


def preset_text(name: str) -> str:
    """A preset's TOML text. Raises ``UnusableInput`` for an unknown name."""
    if name not in preset_names():
        raise not_found("preset", name, say("the presets are {names}", names=preset_names()))
    return resources.files("headway.policy").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")


def policy_digest(policy: Policy) -> str:
    """SHA-256 (hex) of all values, wherever they came from: two files that mean the same have the same digest."""
    return digest_of(policy.model_dump(mode="json", by_alias=True))


def upgrade_text(text: str, *, source: str = "release.toml") -> str:
    """The file's text in the current schema; the same text when it is current. Comments and order are kept.

    Schema 0 is a file without ``schema``: it gains that key. Raises ``UnusableInput`` as ``load_policy`` does.
    """
    given = _parsed(text, source)
    problems = _own_keys(given, source)
    if problems:
        raise _refused(source, text, problems)
    if "schema" in given:
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    found = _HEADER.match(text)
    top = found.end() if found else 0
    return f"{text[:top]}schema = {SCHEMA}{newline}{text[top:]}"


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff")


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_plain(text))
    except (ValueError, RecursionError) as e:
        found = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(e), re.DOTALL)
        if found:
            why, line, column = found.groups()
        else:
            lines = text.splitlines() or [""]
            why, line, column = str(e), str(len(lines)), str(len(lines[-1]) + 1)
        raise _invalid(source, [f"{source}:{line}:{column}: not TOML: {why}"]) from e


def _own_keys(given: Mapping[str, Any], source: str) -> list[Problem]:
    """``schema`` and ``preset``, which say how all the rest is read."""
    problems = []
    schema = given.get("schema", SCHEMA)
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        problems.append(Problem(("schema",), f"{schema!r} is not a number of a format; this one is {SCHEMA}"))
    elif schema > SCHEMA:
        raise UnusableInput(
            "policy.newer",
            say("{file} was written for a newer Headway: its format is {found}", file=source, found=schema),
            facts=facts(file=source, schema=schema, known=SCHEMA),
            remedy=say("install a newer Headway; this one reads formats up to {known}", known=SCHEMA),
        )
    name = given.get("preset", DEFAULT_PRESET)
    if name not in preset_names():
        what = f"{name!r} is not a preset; there are {', '.join(preset_names())}"
        problems.append(Problem(("preset",), what, nearest(str(name), preset_names())))
    return problems


def _checked(own: dict[str, Any], base: Mapping[str, Any], problems: list[Problem]) -> Policy:
    """The merged policy. What the schema refuses is added to ``problems`` and taken out, so that the meaning of all the
    rest is checked in the same run."""
    maps = open_maps()
    while True:
        merged = _merged(base, own, (), maps)
        try:
            policy = Policy.model_validate_json(json.dumps(merged, default=_iso), strict=True)
        except ValidationError as e:
            found = schema_problems(e)
            problems += [p for p in found if p not in problems]
            left = _without(own, (p.path for p in found))
            if left == own:
                return Policy.model_validate_json(json.dumps(base, default=_iso), strict=True)
            own = left
        else:
            problems += meaning_problems(policy)
            return policy


def _iso(value: date | time) -> str:
    """TOML's other values are JSON's; these are its dates and times (a ``datetime`` is a ``date``)."""
    return value.isoformat()


def _merged(base: Mapping[str, Any], own: Mapping[str, Any], path: Path, maps: frozenset[Path]) -> dict[str, Any]:
    out = dict(base)
    for key, value in own.items():
        at = (*path, key)
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = _merged(out[key], value, at, maps) if both and (value or at not in maps) else value
    return out


def _without(own: dict[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """``own`` without the keys at these paths (a list goes as a whole); a whole section when the key is not in it."""
    left = own
    for path in paths:
        keys = [str(p) for p in path[: next((i for i, p in enumerate(path) if isinstance(p, int)), len(path))]]
        left = _pruned(left, keys if _pruned(own, keys) != own else keys[:1])
    return left


def _pruned(table: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    head, *rest = keys or [""]
    if head not in table:
        return table
    if not rest or not isinstance(table[head], dict):
        return {k: v for k, v in table.items() if k != head}
    return {**table, head: _pruned(table[head], rest)}


def _refused(source: str, text: str, problems: list[Problem]) -> UnusableInput:
    lines = key_lines(_plain(text))
    by_line = sorted(problems, key=lambda p: p.line(lines) or 0)
    return _invalid(source, [p.told(source, lines) for p in by_line])


def _invalid(source: str, errors: list[str]) -> UnusableInput:
    return UnusableInput(
        "policy.invalid",
        say("{file} cannot be used: {count} error(s)", file=source, count=len(errors)),
        facts=facts(file=source, errors=errors),
        remedy=say("mend the lines named; every key is explained in docs/reference/policy.md"),
    )
