"""What a result file turns into, whatever its form: runs, each a launch with records and series of requests."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.measurement import Launch, MeasuredCell, RawSeries, Sample


@dataclass(frozen=True, slots=True)
class Record:
    """One metric of one cell: its repeats, in the metric's unit.

    ``at`` is in seconds since 1970. ``document`` is the canonical JSON of all else that the record says, ``kin`` the
    digest of what makes it the same test: two records of one cell whose kin differ are two tests with one identity.
    """

    cell: MeasuredCell
    metric: str
    values: tuple[float, ...]
    at: int | None
    document: str
    kin: str
    line: int


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of each request of the cell's run, the ``repeat``-th in its launch."""

    cell: MeasuredCell
    name: str
    values: tuple[float, ...]
    repeat: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One launch, told by a client or a workflow's job. ``key`` is its content identity: equal keys, one launch.

    ``branch`` is as the record has it (``main(refs/heads/main)``); ``document`` the canonical JSON of run and attempt,
    job, runners, dependencies.
    """

    key: str
    repo: str
    branch: str
    commit: str
    at: int | None
    document: str
    records: tuple[Record, ...]
    series: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """What an export of a store tells of blocks of one comparison."""

    subject: str
    baseline: str
    environment: tuple[tuple[str, str], ...]
    launches: tuple[Launch, ...]
    samples: tuple[Sample, ...]
    raw: tuple[RawSeries, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A record, or with ``line`` 0 a whole file, that is set aside, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of what a file held: ``new`` records, ``known`` ones that were there already."""

    new: int = 0
    known: int = 0
    launches: int = 0
    series: int = 0
    refused: tuple[Refused, ...] = ()

    def __add__(self, other: Kept) -> Kept:
        return Kept(
            self.new + other.new,
            self.known + other.known,
            self.launches + other.launches,
            self.series + other.series,
            self.refused + other.refused,
        )


def branch_as_stored(name: str) -> str:
    """``main`` as record v3 has it: ``main(refs/heads/main)``."""
    return f"{name}(refs/heads/{name})" if name and "(" not in name else name


def branch_name(stored: str) -> str:
    """The name in it: ``main(refs/heads/main)`` and ``main`` are ``main``."""
    return stored.partition("(")[0]
