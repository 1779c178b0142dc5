"""Looks up what a request claims: releases, the file of a test, the commit of a feature."""

from __future__ import annotations

import re
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
    """What is to be looked up. ``good`` and ``bad`` are spellings to be tried in turn, ``test`` the path of a file
    and ``inside`` the classes and functions that it should define, ``features`` names of changes, of which the first
    that is a trunk commit counts; ``releases`` are final tags, and ``near`` those whose branches are searched for
    picked features; ``previous`` is the release compared with."""

    good: Sequence[str]
    bad: Sequence[str]
    test: str
    inside: Sequence[str]
    features: Sequence[str]
    releases: Sequence[Tag]
    near: Sequence[Tag]
    previous: Sha | None


def read_claims(repo: Repository, trunk: str, claimed: Claimed, changes: Iterable[Sha]) -> ClaimFacts:
    """The facts; ``changes`` are the commits that were asked for, none of which is its own feature."""
    origins = [*changes]
    good, bad = (_first(repo, names) for names in (claimed.good, claimed.bad))
    where = {"origin": origins, "previous": [claimed.previous] if claimed.previous else []}
    files = {name: [t for s in shas if (t := _text(repo, s, claimed.test)) is not None] for name, shas in where.items()}
    return ClaimFacts(
        good,
        bad,
        good is not None and bad is not None and is_ancestor(repo, bad, good),
        tuple(name for name, texts in files.items() if texts),
        tuple(n for n in claimed.inside if not any(_defines(t, n) for texts in files.values() for t in texts)),
        _feature(repo, trunk, claimed, frozenset(origins)) if claimed.features else None,
    )


def _first(repo: Repository, names: Sequence[str]) -> Sha | None:
    return next((sha for name in names if (sha := resolve_commit(repo, name))), None)


def _text(repo: Repository, commit: Sha, path: str) -> str | None:
    """A file of a commit; ``None`` for no path, a folder and what is outside the tree."""
    if not path or "\0" in path or "\n" in path:
        return None
    code, text, _ = repo.git.try_run("cat-file", "blob", f"{commit}:{path}", env=NO_FETCH)
    return text if code == 0 else None


def _defines(text: str, name: str) -> bool:
    return re.search(rf"^\s*(?:async\s+def|def|class)\s+{re.escape(name)}\b", text, re.MULTILINE) is not None


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
