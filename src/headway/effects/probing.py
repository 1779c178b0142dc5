"""One step of the culprit search: a commit between the ends, built and measured (E7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headway.effects.blocks import stored
from headway.effects.measure import Measurer
from headway.effects.prober import version_at
from headway.effects.subjects import Subjects
from headway.model.commit import Sha
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
        one = _subject(measurer.subjects, side, commit, version, released=version != action.train)
        if isinstance(one, Text):
            return {**known, "commit": commit, "ok": False, "why": str(one)}
        sides.append(one)
    subject, baseline = sides
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


def _subject(subjects: Subjects, side: Side, commit: Sha, version: str, *, released: bool) -> Subject | Text:
    """One side: a release as it was published, any other commit as it is built."""
    if released:
        return replace(subjects.baseline(commit, version), side=side)
    return subjects.built(side, commit, version_at(subjects.repo, commit, version))
