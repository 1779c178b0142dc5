"""What two policies say otherwise, setting by setting. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headway.policy.schema import Policy


def differences(before: Policy, after: Policy) -> tuple[tuple[str, Any, Any], ...]:
    """Each setting that is another one: its dotted key, and its JSON value before and after; ``None`` where it does not
    say anything. Lists are compared as wholes. None: the two have the same digest."""
    was, now = (dict(_settings(p.model_dump(mode="json", by_alias=True), ())) for p in (before, after))
    return tuple((k, was.get(k), now.get(k)) for k in dict.fromkeys((*was, *now)) if was.get(k) != now.get(k))


def _settings(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        at = (*path, str(key))
        if isinstance(value, Mapping) and value:
            yield from _settings(value, at)
        else:
            yield ".".join(at), value
