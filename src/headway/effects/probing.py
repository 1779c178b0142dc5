"""One step of the culprit search: a commit between the ends, built and measured (E7)."""

from __future__ import annotations

from typing import Any

from headway.effects.blocks import stored
from headway.effects.measure import Measurer
from headway.model.measurement import Side
from headway.model.text import Text, say
from headway.perf.blocks import BlockJob
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
    subject = measurer.subjects.built(Side.CANDIDATE, action.commit, action.version)
    if isinstance(subject, Text):
        return {**known, "ok": False, "why": str(subject)}
    baseline = measurer.subjects.baseline(action.baseline, action.baseline_version)
    row = next(c for c in measurer.policy.perf.cells if c.cell == action.cell)
    only = (row.model_copy(update={"metrics": (action.metric,)}),)
    perf = measurer.policy.perf.model_copy(update={"cells": only})
    numbers = tuple(range(action.first, action.last))
    found = stored(measurer.store, action.commit, action.baseline)
    have = {s.block for s in found.samples if s.cell == action.cell} if found else set()
    missing = [BlockJob(n, n, baseline, subject, perf) for n in numbers if n not in have]
    title = say("searching the culprit: {commit}", commit=action.commit[:12])
    measured = measurer.run(missing, [(perf, numbers)], title)
    digest = measurer.digest(action.commit, action.baseline, measured)
    after = stored(measurer.store, action.commit, action.baseline)
    done = [s for s in after.samples if s.block >= action.first] if after else []
    if not any(s.value is not None for s in done):
        # Nothing of it can be measured: for the search that is a commit like one that does not build.
        return {**known, "ok": False, "why": next((s.why for s in done if s.why), ""), "digest": digest}
    return {**known, "ok": True, "why": "", "digest": digest}
