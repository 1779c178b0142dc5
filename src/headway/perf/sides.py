"""What the launches of a commit said of themselves, blocks and imports alike: for a comparison's differences (E7)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from headway.model.measurement import Cell
from headway.perf import schema as t
from headway.perf.store import MeasurementStore

# What differs between any two launches, and says nothing of the machine or the method.
_OF_ONE_LAUNCH = frozenset({"started", "device_seconds", "wheel", "seed", "python"})


@dataclass(frozen=True, slots=True)
class Told:
    """``facts``: name to every value that a launch told, sorted. ``commands``: cell to (serve, arguments) of its newest
    launch, where it told them."""

    facts: dict[str, tuple[str, ...]]
    commands: dict[Cell, tuple[str, str]]


def told_by(store: MeasurementStore, commit: str) -> Told:
    """All that launches of ``commit`` told. A launch that told nothing adds nothing."""
    facts: dict[str, set[str]] = defaultdict(set)
    commands: dict[Cell, tuple[str, str]] = {}
    la, d = t.launches.c, t.documents.c
    newest = func.max(la.at).label("newest")
    ours = select(la.document, newest).where(la.commit == commit).group_by(la.document).subquery()
    rows = select(d.body).join(ours, ours.c.document == d.id).order_by(func.coalesce(ours.c.newest, 0), d.id)
    with store.reading() as db:
        bodies = [] if db is None else db.scalars(rows).all()
    for body in bodies:
        document = json.loads(t.opened(body))
        pairs = list(_pairs(document))
        for name, value in pairs:
            if name not in _OF_ONE_LAUNCH and value:
                facts[name].add(value)
        said = dict(pairs)
        for cell in document.get("cells", ()):
            if said.get("serve") or said.get("arguments"):
                commands[Cell(*cell)] = (said.get("serve", ""), said.get("arguments", ""))
    return Told({name: tuple(sorted(values)) for name, values in sorted(facts.items())}, commands)


def _pairs(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Of a launch of ours what it told; of record v3 its runners and dependencies, by our names where they are ours."""
    yield from ((str(name), str(value)) for name, value in document.get("told", ()))
    for runner in document.get("runners") or ():
        extra = runner.get("extra_info") or {}
        yield "host", str(extra.get("hostname") or "")
        yield "devices", str(runner.get("gpu_info") or runner.get("type") or "")
        yield "cpu", str(runner.get("cpu_info") or "")
        if runner.get("gpu_count"):
            yield "device count", str(runner["gpu_count"])
    for name, found in (document.get("dependencies") or {}).items():
        yield str(name), str(found.get("version") or found.get("sha") or "")
