"""The last resort in finding what a revert undoes: which earlier commit its content takes back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

from headway.history.inverse import find_undone
from headway.history.objects import Objects
from headway.history.records import Record, stream_records
from headway.history.repository import Repository
from headway.history.revertmessage import Claim, Verb, brings_back, read_claim
from headway.model.commit import Commit, Revert, RevertKind, Sha

ByContent = Callable[[Commit, Claim, Sequence[Revert]], Sha | None]

_BACK = 2_000  # commits before a revert in which its target is looked for
_LEAST_PLAIN = 0.6  # measured (benchmarks/revert_targets.py)
_LEAST_WORDS = 0.9  # a title that may say something else needs more proof


class Contents:
    """Reads what ``asked`` (of ``commits``, first-parent, oldest first) and the commits before them touch: once, and
    only when the first is asked for."""

    def __init__(self, repo: Repository, commits: Sequence[Commit], asked: Collection[Sha], objects: Objects) -> None:
        self._repo = repo
        self._asked = asked
        self._objects = objects
        at = [i for i, c in enumerate(commits) if c.sha in asked]
        self._newest = commits[at[-1]].sha
        self._count = at[-1] - at[0] + 1 + _BACK

    def target(self, commit: Commit, claim: Claim, reverts: Sequence[Revert]) -> Sha | None:
        """The commit that this one undoes; of one that brings back only a revert."""
        at = self._position.get(commit.sha)
        if at is None or commit.sha not in self._asked:
            return None
        earlier: Sequence[Record] = self._records[at + 1 : at + 1 + _BACK]
        if claim.verb is Verb.REDO:
            undoing = {r.commit.sha for r in reverts if r.kind is RevertKind.REVERT}
            earlier = [r for r in earlier if r.sha in undoing or _says_revert(r.commit)]
        least = _LEAST_PLAIN if claim.plain else _LEAST_WORDS
        return find_undone(self._records[at], earlier, self._objects, least)

    @cached_property
    def _records(self) -> tuple[Record, ...]:
        """Newest first."""
        args = ("--first-parent", f"--max-count={self._count}", self._newest)
        return tuple(stream_records(self._repo.git, args))

    @cached_property
    def _position(self) -> dict[Sha, int]:
        return {r.sha: i for i, r in enumerate(self._records)}


def _says_revert(commit: Commit) -> bool:
    claim = read_claim(commit)
    return claim is not None and claim.plain and not brings_back(commit.title)
