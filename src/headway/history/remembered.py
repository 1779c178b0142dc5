"""Targets of reverts that took a search, kept between runs: a commit's ancestors do not change."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

from headway.history import contents, inverse, revertmessage, revertnames
from headway.history.kept import Kept, form_of, is_plain
from headway.history.log import read_commits
from headway.history.repository import Repository
from headway.history.revertmessage import Claim
from headway.model.commit import Commit, Revert, Sha

_KIND = f"target {form_of(__file__, contents.__file__, inverse.__file__, revertmessage.__file__, revertnames.__file__)}"
_SHA = re.compile(rb"[0-9a-f]{40,64}|")


class Remembered:
    """What is kept for these commits. A clone that lacks history or objects may learn more: it is asked again when it
    got more packs."""

    def __init__(self, repo: Repository, kept: Kept | None, asked: Iterable[Sha]) -> None:
        self._repo = repo
        self._kept = kept if kept and (repo.git.shallow or is_plain(repo.git)) else None
        self._kind = _KIND + _lacking(repo)
        self._asked = tuple(asked)

    @cached_property
    def targets(self) -> dict[Sha, Sha]:
        """By revert; empty for one whose target could not be told."""
        found = self._kept.get(self._kind, self._asked) if self._kept else {}
        return {sha: data.decode() for sha, data in found.items() if _SHA.fullmatch(data)}

    def target(self, commit: Commit, claim: Claim, reverts: Sequence[Revert]) -> Sha | None:
        """The target that is kept (``ByContent``)."""
        return self.targets.get(commit.sha) or None

    def commits_outside(self, seen: Collection[Sha]) -> tuple[Commit, ...]:
        """The targets that are not among those ``seen``, oldest first."""
        shas = {t for t in self.targets.values() if t and t not in seen}
        return read_commits(self._repo, ("--no-walk=sorted",), stdin=sorted(shas)) if shas else ()

    def keep(self, found: Mapping[Sha, tuple[Sha, ...]], asked: Iterable[Sha]) -> None:
        """Keep what was found for these, where it is one target or none."""
        values = {sha: "".join(found.get(sha, ())).encode() for sha in asked if len(found.get(sha, ())) < 2}
        if self._kept:
            self._kept.put(self._kind, values)


def _lacking(repo: Repository) -> str:
    """Empty for a whole clone; else a name for what it has."""
    packs = sorted(p.name for p in (repo.git_dir / "objects" / "pack").glob("*.p*"))
    whole = not repo.git.shallow and not any(name.endswith(".promisor") for name in packs)
    return "" if whole else " ".join((*packs, *sorted(repo.git.shallow)))
