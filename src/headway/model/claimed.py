"""What git knows of what a request claims."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.commit import Commit, Sha


@dataclass(frozen=True, slots=True)
class FeatureFacts:
    """The trunk commit of a feature that a request names; ``releases`` are the final tags that contain it, ``picked``
    those whose branch holds a copy of it."""

    named: str
    commit: Commit
    releases: tuple[str, ...]
    picked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """``good`` and ``bad`` are the commits of those names (``None``: nothing has that name), ``bad_in_good`` that the
    good one contains the bad one; ``test_at`` says where the test's file exists (``origin``, ``previous``),
    and ``test_undefined`` which of the names in the test's id it defines in none of them."""

    good: Sha | None = None
    bad: Sha | None = None
    bad_in_good: bool = False
    test_at: tuple[str, ...] = ()
    test_undefined: tuple[str, ...] = ()
    feature: FeatureFacts | None = None
