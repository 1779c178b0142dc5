"""What stands at the end of a row of changes, reverts and relands, played in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headway.model.commit import Commit, Revert, Sha


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``commit`` is how the release has it, ``origin`` the trunk commit that it is a copy of, or itself,
    in whose words it is told. ``takes_out`` what users have: a revert."""

    commit: Commit
    origin: Commit
    takes_out: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """The changes that stand, in their order, and what each reland brought back."""

    standing: tuple[Change, ...]
    back: Mapping[Sha, tuple[Change, ...]]


def replayed(rows: Sequence[Change], reverts: Mapping[Sha, Revert]) -> Replayed:
    """Play ``rows`` in their order; ``reverts`` by commit.

    What a revert names, as a commit or as an origin, goes out; what was undone comes back when that which undid it goes
    out. A change that came twice goes with the copy that is named.
    """
    inside: set[int] = set()
    effects: dict[Sha, tuple[set[int], set[int]]] = {}  # by revert: what it took out, what it brought back
    for i, row in enumerate(rows):
        sha = row.commit.sha
        if sha in reverts and sha not in effects:
            names = set(reverts[sha].targets)
            hit = {n for n in inside if rows[n].commit.sha in names or rows[n].origin.sha in names}
            undone = [effects[rows[n].commit.sha] for n in hit if rows[n].commit.sha in effects]
            out = hit.union(*(b for _, b in undone)) & inside
            back: set[int] = set().union(*(o for o, _ in undone)) - inside
            effects[sha] = (out, back)
            inside = (inside - out) | back
        inside.add(i)
    found = {sha: tuple(rows[n] for n in sorted(back)) for sha, (_, back) in effects.items() if back}
    return Replayed(tuple(rows[n] for n in sorted(inside)), found)
