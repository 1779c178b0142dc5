"""Looks up what a request claims: releases, the file of a test, the commit of a feature."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headway.history.changes import held_by, trunk_change
from headway.history.git import NO_FETCH
from headway.history.log import is_ancestor, read_line, trunk_tip
from headway.history.repository import Repository, resolve_commit
from headway.history.reverts import trunk_titles
from headway.model.claimed import ClaimFacts, FeatureFacts
from headway.model.commit import Commit, Sha, Tag


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is to be looked up. ``good`` and ``bad`` are spellings to be tried in turn, ``test`` the path of a file,
    ``features`` names of changes, of which the first that is a trunk commit counts; ``releases`` are final tags, and
    ``near`` those whose branches are searched for picked features; ``previous`` is the release compared with."""

    good: Sequence[str]
    bad: Sequence[str]
    test: str
    features: Sequence[str]
    releases: Sequence[Tag]
    near: Sequence[Tag]
    previous: Sha | None


def read_claims(repo: Repository, trunk: str, claimed: Claimed, changes: Iterable[Sha]) -> ClaimFacts:
    """The facts; ``changes`` are the commits that were asked for, none of which is its own feature."""
    origins = [*changes]
    good, bad = (_first(repo, names) for names in (claimed.good, claimed.bad))
    where = {"origin": origins, "previous": [claimed.previous] if claimed.previous else []}
    return ClaimFacts(
        good,
        bad,
        good is not None and bad is not None and is_ancestor(repo, bad, good),
        tuple(name for name, shas in where.items() if claimed.test and any(_has(repo, s, claimed.test) for s in shas)),
        _feature(repo, trunk, claimed, frozenset(origins)) if claimed.features else None,
    )


def _first(repo: Repository, names: Sequence[str]) -> Sha | None:
    return next((sha for name in names if (sha := resolve_commit(repo, name))), None)


def _has(repo: Repository, commit: Sha, path: str) -> bool:
    """Whether a commit has such a file; no link, folder or path outside the tree."""
    if "\0" in path or "\n" in path:
        return False
    out = repo.git.try_run("cat-file", "-t", "--end-of-options", f"{commit}:{path}", env=NO_FETCH)
    return out[0] == 0 and out[1].strip() == "blob"


def _feature(repo: Repository, trunk: str, claimed: Claimed, own: frozenset[Sha]) -> FeatureFacts | None:
    tip = trunk_tip(repo, trunk)
    rows = trunk_titles(repo, tip)
    found = ((name, trunk_change(repo, name, tip, rows)) for name in claimed.features)
    named = next(((name, commit) for name, commit in found if commit is not None and commit.sha not in own), None)
    if named is None:
        return None
    name, commit = named
    refs = [f"refs/tags/{t.name}" for t in claimed.releases]
    inside = repo.git.run("for-each-ref", f"--contains={commit.sha}", "--format=%(refname:lstrip=2)", *refs)
    having = {*inside.split("\n")} if refs else set()
    releases = tuple(t.name for t in claimed.releases if t.name in having)
    picked = tuple(t.name for t in claimed.near if t.name not in having and _picked(repo, trunk, commit, t))
    return FeatureFacts(name, commit, releases, picked)


def _picked(repo: Repository, trunk: str, commit: Commit, tag: Tag) -> bool:
    line = read_line(repo, tag.commit, trunk)
    return line is not None and held_by(repo, commit, line)
