"""What is known of a release branch when it is looked through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headway.model.commit import Commit, Line, Sha
from headway.model.identity import Identities
from headway.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Fix:
    """A trunk commit whose message names what it fixes; ``named`` are trunk commits, found in the repository."""

    commit: Commit
    named: tuple[Sha, ...]


@dataclass(frozen=True, slots=True)
class BranchFacts:
    """A release branch beside the trunk.

    ``paths`` are what its commits touch, ``origins`` the trunk's commits that some are from; ``fixes`` trunk commits
    since the cut, and ``in_cut`` those commits that they name which the cut contains.
    """

    line: Line
    snapshot: Snapshot
    identities: Identities
    paths: Mapping[Sha, tuple[str, ...]]
    origins: Mapping[Sha, Commit]
    fixes: tuple[Fix, ...]
    in_cut: frozenset[Sha]
