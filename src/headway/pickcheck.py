"""``pick check``: would commits apply cleanly, each on its own, and what would a conflict need before it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headway.history.already import Pair
from headway.history.held import Held
from headway.history.pickcheck import Asked, Pick, find_picks, try_picks
from headway.history.repository import Repository
from headway.history.trials import Merged, Trials, words_of
from headway.model.commit import Sha
from headway.model.text import Text, say


@dataclass(frozen=True, slots=True)
class CheckedPick:
    """The answer for one commit. ``clean`` is ``None`` when an object that is needed is not here; ``tree`` is the
    result of a clean pick, ``empty`` that it changes nothing; ``already`` the commit that holds the change there."""

    onto: Sha
    commit: Sha
    clean: bool | None
    tree: Sha | None
    empty: bool
    conflicts: tuple[str, ...]
    unsolved: Text | None = None
    already: Sha | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "onto": self.onto,
            "commit": self.commit,
            "clean": self.clean,
            "tree": self.tree,
            "empty": self.empty,
            "conflicts": list(self.conflicts),
            "unsolved": None if self.unsolved is None else str(self.unsolved),
            "already": self.already,
        }


def check_picks(repo: Repository, asked: Sequence[Asked], parent: int | None = None) -> tuple[CheckedPick, ...]:
    """The answers in the order asked.

    Raises ``UnusableInput`` (``pick.unknown-ref``, ``pick.merge``, ``pick.no-parent``, ``repo.shallow``) and
    ``WorldFailed`` (``git.failed``).
    """
    if not asked:
        return ()
    with Trials(repo.git) as trials:
        picks = find_picks(repo, trials, asked, parent)
        with Held(repo, picks) as held:
            merged = try_picks(trials, picks)
            already = held.find(trials)
        return tuple(_checked(p, m, already) for p, m in zip(picks, merged, strict=True))


def _checked(pick: Pick, merged: Merged, already: Mapping[Pair, Sha]) -> CheckedPick:
    unsolved = None
    if merged.missing:
        unsolved = say(
            "the object {sha} is not in this clone: fetch it, then ask again",
            sha="-" if merged.missing == "?" else merged.missing,
        )
    return CheckedPick(
        pick.onto.sha,
        pick.commit.sha,
        None if merged.missing else merged.tree is not None,
        merged.tree,
        merged.tree == pick.onto.tree,
        words_of(merged.conflicts),
        unsolved,
        already.get(Pair(pick.onto.sha, pick.commit.sha)),
    )
