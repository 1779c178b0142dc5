"""One step of the culprit search: a commit between the ends, built and measured (E7)."""

from __future__ import annotations

from typing import Any

from headway.decide.blocks import span
from headway.effects.blocks import numbered, stored
from headway.effects.measure import Measurer
from headway.effects.prober import probe_side
from headway.model.measurement import Side
from headway.model.text import Text, say
from headway.perf.blocks import BlockJob, Subject
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
    sides: list[Subject] = []
    for side, commit, version in (
        (Side.CANDIDATE, action.commit, action.version),
        (Side.BASELINE, action.baseline, action.baseline_version),
    ):
        released = version if version != action.train else None
        one = probe_side(measurer.subjects, side, commit, released, version)
        if isinstance(one, Text):
            return {**known, "commit": commit, "ok": False, "why": str(one)}
        sides.append(one)
    subject, baseline = sides
    row = next(c for c in measurer.policy.perf.cells if c.cell == action.cell)
    only = (row.model_copy(update={"metrics": (action.metric,)}),)
    perf = measurer.policy.perf.model_copy(update={"cells": only})
    found = stored(measurer.store, action.commit, action.baseline)
    wanted = numbered(range(action.first, action.last), found, perf, (baseline, subject))
    missing = [BlockJob(n, n, baseline, subject, perf) for n, have in wanted if not have]
    title = say("searching the culprit: {commit}", commit=action.commit[:12])
    measured = measurer.run(missing, [(perf, tuple(n for n, _ in wanted))], (baseline, subject), title)
    first, last = span(measured)
    known |= {
        "jobs": [j.as_json() for j in measured],
        "first": first,
        "last": last,
        "digest": measurer.digest(action.commit, action.baseline, measured),
        "numbers": measurer.numbers(action.commit, action.baseline, measured),
    }
    after = stored(measurer.store, action.commit, action.baseline)
    blocks = {b for j in measured for b in j.blocks}
    done = [s for s in after.samples if s.block in blocks and s.cell == action.cell] if after else []
    if not any(s.value is not None for s in done):
        # Nothing of it can be measured: for the search that is a commit like one that does not build.
        return {**known, "ok": False, "why": next((s.why for s in done if s.why), "")}
    return {**known, "ok": True, "why": ""}
