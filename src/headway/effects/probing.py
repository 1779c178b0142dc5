"""One step of the culprit search: a commit between the ends, built and measured (E7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headway.effects.measure import Measurer
from headway.model.commit import Sha
from headway.model.measurement import Side
from headway.model.text import Text, say
from headway.perf.local import Engine
from headway.plan.actions import ProbeCommit


def probe(measurer: Measurer, action: ProbeCommit) -> dict[str, Any]:
    """Build what is measured and measure the one cell, or say which commit cannot be built (``commit`` is that one)."""
    known: dict[str, Any] = {
        "tag": action.tag,
        "commit": action.commit,
        "baseline": action.baseline,
        "first": action.first,
        "last": action.last,
        "confirms": action.confirms,
    }
    engines: list[Engine] = []
    for side, commit, version in (
        (Side.CANDIDATE, action.commit, action.version),
        (Side.BASELINE, action.baseline, action.baseline_version),
    ):
        engine = _engine(measurer, side, commit, version, released=version != action.train)
        if isinstance(engine, Text):
            return {**known, "commit": commit, "ok": False, "why": str(engine)}
        engines.append(engine)
    subject, baseline = engines
    row = next(c for c in measurer.policy.perf.cells if c.cell == action.cell)
    only = (row.model_copy(update={"metrics": (action.metric,)}),)
    perf = measurer.policy.perf.model_copy(update={"cells": only})
    title = say("searching the culprit: {commit}", commit=action.commit[:12])
    digest = measurer.blocks(action.first, action.last, baseline, subject, perf, title)
    done = [s for s in measurer.stored(action.commit, action.baseline) if s.block >= action.first]
    if not any(s.value is not None for s in done):
        # Nothing of it can be measured: for the search that is a commit like one that does not build.
        return {**known, "ok": False, "why": next((s.why for s in done if s.why), ""), "digest": digest}
    return {**known, "ok": True, "why": "", "digest": digest}


def _engine(measurer: Measurer, side: Side, commit: Sha, version: str, *, released: bool) -> Engine | Text:
    """One side, installed: a release as it was published, any other commit as it is built."""
    if released:
        return replace(measurer.baseline(commit, version), side=side)
    wheel = measurer.build(commit, version, measurer.paths.probe(commit, version))
    return wheel if isinstance(wheel, Text) else Engine(side, measurer.install(wheel), version, commit, "")
