"""One step of the culprit search: a commit between the ends, built and measured (E7)."""

from __future__ import annotations

from typing import Any

from headway.effects.measure import Measurer
from headway.model.measurement import Side
from headway.model.text import Text, say
from headway.perf.local import Engine
from headway.plan.actions import ProbeCommit


def probe(measurer: Measurer, action: ProbeCommit) -> dict[str, Any]:
    """Build the commit and measure the one cell, or say that it cannot be built."""
    known: dict[str, Any] = {
        "tag": action.tag,
        "commit": action.commit,
        "baseline": action.baseline,
        "first": action.first,
        "last": action.last,
    }
    out = measurer.paths.probe(action.commit, action.version)
    wheel = measurer.build(action.commit, action.version, out)
    if isinstance(wheel, Text):
        return {**known, "ok": False, "why": str(wheel)}
    baseline = measurer.baseline(action.baseline, action.baseline_version)
    subject = Engine(Side.CANDIDATE, measurer.install(wheel), action.version, action.commit, "")
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
