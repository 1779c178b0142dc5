"""What a release branch and the trunk each have since they parted, with what every commit touches."""

from __future__ import annotations

from dataclasses import dataclass

from headway.history.identity import find_origins
from headway.history.inverse import undone_share
from headway.history.kept import Kept
from headway.history.objects import Objects
from headway.history.records import Record, read_records, records_of
from headway.history.repository import Repository
from headway.model.commit import Line, Revert, Sha
from headway.model.identity import SURE, Identities, Identity, sure_origins


@dataclass(frozen=True, slots=True)
class Sides:
    """``branch`` are the branch's commits since its cut, ``trunk`` the trunk's that it has not; both oldest first.

    Where the trunk was merged into the branch, ``trunk`` begins at the first parting: what was picked before that merge
    has its origin there. ``both`` are commits of the branch that the trunk has as well: it was cut from a commit of a
    pull request, or merged back.
    """

    branch: tuple[Record, ...]
    trunk: tuple[Record, ...]
    both: frozenset[Sha] = frozenset()


def read_sides(repo: Repository, line: Line, trunk: Sha) -> Sides:
    """Both sides of a line. Raises ``WorldFailed`` (``git.failed``)."""
    ours = read_records(repo.git, (line.tip, f"^{line.cut}"))
    mine = {r.sha for r in ours}
    parted = {p for r in ours for p in r.parents} - mine
    base = line.cut
    if len(parted) > 1:
        code, out, _ = repo.git.try_run("merge-base", "--octopus", *sorted(parted))
        base = out.strip() if code == 0 else base
    theirs = read_records(repo.git, (trunk, f"^{base}"))
    both = frozenset(r.sha for r in theirs if r.sha in mine)
    # A merge of the branch back into the trunk is no origin: what it brings was on the branch first (P8).
    trunk_only = (r for r in theirs if r.sha not in mine and mine.isdisjoint(r.parents[1:]))
    return Sides(ours, tuple(trunk_only), both)


def identify(repo: Repository, sides: Sides, *, ignore_trailers: bool = False, kept: Kept | None = None) -> Identities:
    """The identity of every commit of the branch that is no merge, by its SHA."""
    picks = [r for r in sides.branch if len(r.parents) < 2]
    with Objects(repo.git) as objects:
        found = find_origins(picks, sides.trunk, objects, ignore_trailers=ignore_trailers, kept=kept)
    # A pick that was merged back keeps its origin; anything else that the trunk has is its own.
    unsure = (sha for sha in sides.both if sha in found and found[sha].confidence < SURE)
    return {**found, **{sha: Identity((sha,), (), 1.0) for sha in unsure}}


def origins_of(identities: Identities, sides: Sides) -> dict[Sha, tuple[Sha, ...]]:
    """The sure origins by commit; beside each the merge that brought it, and what it brought if it is a merge."""
    merges = {p: r.sha for r in sides.trunk for p in r.parents[1:]}
    brought = {r.sha: r.parents[1:] for r in sides.trunk if len(r.parents) > 1}
    return {
        sha: tuple(dict.fromkeys(n for o in origins for n in (o, merges.get(o, o), *brought.get(o, ()))))
        for sha, origins in sure_origins(identities).items()
    }


def undone_shares(repo: Repository, reverts: tuple[Revert, ...]) -> dict[Sha, float]:
    """How much (0 to 1) of what it undoes each revert takes back: the least of its targets."""
    records = records_of(repo.git, (sha for r in reverts for sha in (r.commit.sha, *r.targets)))
    with Objects(repo.git) as objects:
        return {
            r.commit.sha: min(undone_share(records[r.commit.sha], records[t], objects) for t in r.targets)
            for r in reverts
            if r.targets
        }
