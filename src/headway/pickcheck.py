"""``pick check``: would commits apply cleanly, each on its own, and what would a conflict need before it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from headway.history.already import Pair
from headway.history.held import Held
from headway.history.pickcheck import Asked, Pick, begin_picks, find_picks
from headway.history.repository import Repository
from headway.history.trials import Merged, Trials, words_of
from headway.model.commit import Commit, Sha
from headway.model.text import Text, say

if TYPE_CHECKING:
    from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Needed:
    """What a pick needs before it, in the order to apply: a suggestion. ``trees`` are the proof: what comes of each
    in turn and then of the commit, all clean. ``features`` are those that look like feature work (P7)."""

    commits: tuple[Commit, ...] = ()
    trees: tuple[Sha, ...] = ()
    features: tuple[Sha, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "prerequisites": [c.sha for c in self.commits],
            "trees": list(self.trees),
            "features": list(self.features),
        }


@dataclass(frozen=True, slots=True)
class CheckedPick:
    """The answer for one commit. ``clean`` is ``None`` when that cannot be told (``unsolved`` says why); ``tree`` is
    the result of a clean pick, ``empty`` that it changes nothing; ``already`` the commit that holds the change
    there."""

    onto: Sha
    commit: Sha
    clean: bool | None
    tree: Sha | None
    empty: bool
    conflicts: tuple[str, ...]
    unsolved: Text | None = None
    already: Sha | None = None
    needed: Needed | None = None

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
            **(self.needed.as_json() if self.needed else {}),
        }


def check_picks(
    repo: Repository, asked: Sequence[Asked], parent: int | None = None, policy: Policy | None = None
) -> tuple[CheckedPick, ...]:
    """The answers in the order asked; with a ``policy`` also what conflicts need before them.

    Raises ``UnusableInput`` (``pick.unknown-ref``, ``pick.merge``, ``pick.no-parent``, ``repo.shallow``) and
    ``WorldFailed`` (``git.failed``).
    """
    if not asked:
        return ()
    with Trials(repo.git, repo.here) as trials:
        picks = find_picks(repo, trials, asked, parent)
        with Held(repo, picks) as held:
            answers = begin_picks(trials, picks)
            already = held.find(trials)
            merged = answers()
        found = [_checked(p, m, already) for p, m in zip(picks, merged, strict=True)]
        if policy is not None:
            found = _with_needed(repo, trials, picks, found, policy)
        return tuple(found)


def _checked(pick: Pick, merged: Merged, already: Mapping[Pair, Sha]) -> CheckedPick:
    return CheckedPick(
        pick.onto.sha,
        pick.commit.sha,
        None if merged.unknown else merged.tree is not None,
        merged.tree,
        merged.tree == pick.onto.tree,
        words_of(merged.conflicts),
        merged.unknown,
        already.get(Pair(pick.onto.sha, pick.commit.sha)),
    )


def _with_needed(
    repo: Repository, trials: Trials, picks: Sequence[Pick], found: Sequence[CheckedPick], policy: Policy
) -> list[CheckedPick]:
    """Equal questions are solved once."""
    from headway.decide.featurework import feature_sign
    from headway.history.prerequisites import Prerequisites, Solution

    prerequisites = Prerequisites(repo, trials)
    solved: dict[Pick, Solution] = {}
    done = []
    for pick, checked in zip(picks, found, strict=True):
        if checked.clean is not False:
            done.append(replace(checked, needed=Needed()))
            continue
        if pick not in solved:
            there = Solution(unsolved=say("the branch holds it already, as {commit}", commit=checked.already))
            solved[pick] = there if checked.already else prerequisites.solve(pick)
        solution = solved[pick]
        features = tuple(c.sha for c in solution.members if feature_sign(c, policy))
        needed = Needed(solution.members, solution.trees, features)
        done.append(replace(checked, unsolved=solution.unsolved, needed=needed))
    return done
