"""How the line does over all its trains: post releases, slips, and what proving it cost (C2, C4, E1). Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from packaging.version import Version

from headway.decide import record
from headway.decide.blocks import device_seconds
from headway.decide.trains import Release
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.measurement import Comparison
from headway.policy.schema import Versions
from headway.policy.scheme import base_of, is_fix


@dataclass(frozen=True, slots=True)
class PostRate:
    """Of the regular releases, how many needed a fix release afterwards; ``fixes`` counts all of those."""

    releases: int
    mended: int
    fixes: int

    @property
    def rate(self) -> float | None:
        """0 to 1; ``None`` without any release."""
        return self.mended / self.releases if self.releases else None

    def as_json(self) -> dict[str, object]:
        return {"releases": self.releases, "mended": self.mended, "fixes": self.fixes, "rate": self.rate}


@dataclass(frozen=True, slots=True)
class Slip:
    """How often and how far a train's date moved: from the first day to the last, in days (below 0: earlier)."""

    train: str
    times: int
    first: date
    last: date
    reason: str

    @property
    def days(self) -> int:
        return (self.last - self.first).days

    def as_json(self) -> dict[str, object]:
        return {
            "train": self.train,
            "times": self.times,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "days": self.days,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Validation:
    """What measuring a train's candidates took. ``told`` of the ``launches`` (at least so many: one for each side of a
    block) said how long they held their devices:
    ``device_minutes`` (minutes × devices) are of those alone."""

    train: str
    launches: int
    told: int
    device_minutes: float

    def as_json(self) -> dict[str, object]:
        return {
            "train": self.train,
            "launches": self.launches,
            "told": self.told,
            "device_minutes": round(self.device_minutes, 2),
        }


@dataclass(frozen=True, slots=True)
class LineFigures:
    """Trains in the order of their versions; ``elsewhere`` is what was measured for no train (``train`` is ``""``)."""

    posts: PostRate
    slips: tuple[Slip, ...]
    validation: tuple[Validation, ...]
    elsewhere: Validation

    def as_json(self) -> dict[str, object]:
        return {
            "post_releases": self.posts.as_json(),
            "slips": [s.as_json() for s in self.slips],
            "validation": [v.as_json() for v in self.validation],
            "measured_for_no_train": self.elsewhere.as_json(),
        }


def line_figures(
    entries: tuple[Entry, ...], releases: Iterable[Release], comparisons: Iterable[Comparison], names: Versions
) -> LineFigures:
    """Over all that the tags, the ledger and the measurements tell."""
    cost = _validation(entries, comparisons)
    trains = tuple(cost[t] for t in sorted((t for t in cost if t), key=Version))
    return LineFigures(
        post_rate((r.version for r in releases), names),
        _slips(entries),
        trains,
        cost.get("", Validation("", 0, 0, 0.0)),
    )


def post_rate(versions: Iterable[Version], names: Versions) -> PostRate:
    """Of releases, by their versions (V4, B3)."""
    known = tuple(versions)
    fixes = Counter(base_of(v, names) for v in known if is_fix(v, names))
    regular = {v for v in known if not is_fix(v, names)}
    return PostRate(len(regular), sum(v in fixes for v in regular), sum(fixes.values()))


def _slips(entries: tuple[Entry, ...]) -> tuple[Slip, ...]:
    moved: dict[str, list[Entry]] = defaultdict(list)
    for e in record.of(entries, Kind.SLIPPED):
        moved[e.train].append(e)
    return tuple(
        Slip(
            train,
            len(some),
            date.fromisoformat(some[0].payload["before"]),
            date.fromisoformat(some[-1].payload["after"]),
            str(some[-1].payload["reason"]),
        )
        for train, some in sorted(moved.items(), key=lambda item: Version(item[0]))
    )


def _validation(entries: tuple[Entry, ...], comparisons: Iterable[Comparison]) -> Mapping[str, Validation]:
    of: dict[Sha, str] = {}
    for e in entries:
        if e.kind in {Kind.MEASURED, Kind.PROBED, Kind.TAGGED} and e.train:
            of.setdefault(e.payload["commit"], e.train)
    found: dict[str, Validation] = {}
    for c in comparisons:
        train = of.get(c.subject, "")
        before = found.get(train, Validation(train, 0, 0, 0.0))
        held = [s for x in c.launches if (s := device_seconds(x)) is not None]
        found[train] = Validation(
            train,
            before.launches + max(len(c.launches), len({(x.block, x.side) for x in c.samples})),
            before.told + len(held),
            before.device_minutes + sum(held) / 60,
        )
    return found
