"""Asks git for the commits of branches while picks are tried, and tells then what the branches hold already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from headway.history.already import Holders, Pair
from headway.history.objectrecords import ObjectRecords
from headway.history.pickcheck import Pick
from headway.history.records import Record, stream_records
from headway.history.repository import Repository
from headway.history.trials import Trials
from headway.model.commit import Sha


class Held:
    """Use as a context manager: git is at work from the start to the end of it."""

    def __init__(self, repo: Repository, picks: Sequence[Pick]) -> None:
        self._git = repo.git
        self._pairs = tuple(Pair(p.onto.sha, p.commit.sha) for p in picks)
        self._pool = ThreadPoolExecutor(1)
        self._listing = self._pool.submit(self._listed)

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def _listed(self) -> tuple[Record, ...]:
        """What some of the branches have and no asked commit, newest first."""
        tips = dict.fromkeys(pair.onto for pair in self._pairs)
        asked = dict.fromkeys(pair.commit for pair in self._pairs)
        return tuple(stream_records(self._git, ("--topo-order",), (*tips, *(f"^{sha}" for sha in asked))))

    def find(self, trials: Trials) -> Mapping[Pair, Sha]:
        """The commit that holds the change, for each pair that has one. Raises ``WorldFailed`` (``git.failed``)."""
        records = ObjectRecords(trials.objects, trials.trees)
        holders = Holders(self._listing.result(), (pair.commit for pair in self._pairs), records)
        return holders.find(self._pairs)
