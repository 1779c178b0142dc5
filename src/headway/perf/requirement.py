"""Which coverage is asked for: a TOML table like the policy's ``[perf]``, or a whole policy."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headway.errors import UnusableInput
from headway.model.text import facts, say
from headway.perf.coverage import Required
from headway.policy.loader import load_policy
from headway.policy.perf_tables import Perf
from headway.policy.problems import Problem, nearest
from headway.policy.toml_lines import key_lines

_BARE = ("models", "hardware")


def required_by(perf: Perf) -> Required:
    """The coverage of a policy (E2)."""
    return Required(perf.models, perf.hardware)


def read_required(file: Path, preset: str | None) -> Required:
    """``models`` and ``hardware`` of a file: at its top, or in ``[perf]``. What it leaves out is the preset's.

    Raises ``UnusableInput``: ``perf.unreadable``, or ``policy.invalid`` with every error and its line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise UnusableInput(
            "perf.unreadable",
            say("{file} cannot be read: {why}", file=file, why=str(e)),
            remedy=say("name a TOML file with `models` and `hardware`, as in the policy's [perf]"),
        ) from e
    if not _is_bare(text):
        return required_by(load_policy(text, source=str(file), preset=preset).perf)
    given = tomllib.loads(text)
    problems = list(_problems(given))
    if problems:
        lines = key_lines(text)
        raise UnusableInput(
            "policy.invalid",
            say("{file} cannot be used: {count} error(s)", file=file, count=len(problems)),
            clause="E2",
            facts=facts(file=file, errors=[p.told(str(file), lines) for p in problems]),
            remedy=say("name a TOML file with `models` and `hardware`, as in the policy's [perf]"),
        )
    rest = required_by(load_policy(None, source="preset", preset=preset).perf)
    return Required(tuple(given.get("models", rest.models)), tuple(given.get("hardware", rest.hardware)))


def _is_bare(text: str) -> bool:
    try:
        return any(key in _BARE for key in tomllib.loads(text))
    except (ValueError, RecursionError):
        return False


def _problems(given: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in given.items():
        if key not in _BARE:
            yield Problem((key,), f"is not a known key; known here: {', '.join(_BARE)}", nearest(key, _BARE))
        elif not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
            yield Problem((key,), "is not a list of words")
