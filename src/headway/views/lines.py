"""Lines that take nothing in now, and days that were moved: what the board tells beside its trains. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from packaging.version import Version

from headway.decide import record
from headway.decide.phases import phase_of
from headway.decide.trains import Release, branch_for, today
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Stage
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy
from headway.policy.scheme import base_of

_LINES = 6  # of the past; older ones are seldom looked for


@dataclass(frozen=True, slots=True)
class Slip:
    """A train's date as it was moved once (C4)."""

    before: date
    after: date
    reason: str
    by: str

    def as_json(self) -> dict[str, object]:
        return {
            "before": self.before.isoformat(),
            "after": self.after.isoformat(),
            "reason": self.reason,
            "by": self.by,
        }


@dataclass(frozen=True, slots=True)
class PastLine:
    """The branch of a release (``None`` where it was made without one): only a fix release may come from it. ``runs``
    is one that does now."""

    branch: str | None
    version: str
    day: date
    fixes: tuple[str, ...]
    runs: str | None
    words: Text

    def as_json(self) -> dict[str, object]:
        return {
            "branch": self.branch,
            "version": self.version,
            "released": self.day.isoformat(),
            "fixes": list(self.fixes),
            "runs": self.runs,
            "words": str(self.words),
        }


def slips_of(entries: Iterable[Entry], train: str) -> tuple[Slip, ...]:
    """How often a train's date was moved, oldest first."""
    return tuple(
        Slip(
            date.fromisoformat(e.payload["before"]),
            date.fromisoformat(e.payload["after"]),
            str(e.payload.get("reason") or ""),
            e.actor,
        )
        for e in record.of(tuple(entries), Kind.SLIPPED, train)
    )


def frozen(planned: TrainPlan, policy: Policy, day: date) -> Text | None:
    """Why a live train's line takes nothing in; ``None`` where it does, or is not cut yet."""
    held = next((w for w in planned.waits if w.code == "train.held"), None)
    if held is not None:
        return say("frozen: held")
    if planned.stage is Stage.PROMOTING:
        return say("frozen: being published")
    if planned.stage in {Stage.PLANNED, Stage.CUT_DUE}:
        return None
    now = phase_of(planned.train, day, policy)
    if now is not None and not now.phase.categories:
        return say("frozen: {phase} (P1)", phase=now.phase.name)
    if now is not None and now.since is not None:
        return say("only {categories} may enter", categories=now.phase.categories)
    return None


def past_lines(
    done: tuple[Release, ...],
    plan_trains: tuple[TrainPlan, ...],
    snapshot: Snapshot,
    policy: Policy,
    there: Collection[str],
) -> tuple[PastLine, ...]:
    """Lines of past releases, the newest first. ``there`` are branches that exist; others did, where the ledger says
    that they were cut."""
    by_base: dict[Version, list[Release]] = {}
    for r in done:
        by_base.setdefault(base_of(r.version, policy.versions), []).append(r)
    live = {t.train.branch: t.train.name for t in plan_trains if t.train.post}
    day = today(policy, snapshot.now)
    cut = {str(e.payload["branch"]) for e in record.of(snapshot.entries, Kind.CUT)}
    found = []
    for base in sorted(by_base, reverse=True)[:_LINES]:
        rows = by_base[base]
        branch = branch_for(base, snapshot.entries, policy)
        fixes = tuple(str(r.version) for r in rows if r.version != base)
        runs = live.get(branch)
        words = _words(rows[0].day, runs, day, policy)
        known = branch in there or branch in cut
        found.append(PastLine(branch if known else None, str(base), rows[0].day, fixes, runs, words))
    return tuple(found)


def _words(released: date, runs: str | None, day: date, policy: Policy) -> Text:
    near, far = (released + timedelta(days=n) for n in policy.cadence.post_days_after)
    if runs is not None:
        return say("only fixes for {version} may enter", version=runs)
    if day < near:
        return say("frozen; a fix release may come from {first} to {last} (C2)", first=near, last=far)
    if day <= far:
        return say("frozen but for a fix release, until {last} (C2)", last=far)
    return say("frozen; the days for a fix release ended on {last} (C2)", last=far)
