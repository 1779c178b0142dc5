"""Who builds a candidate: this machine or a CI, behind one interface (B4)."""

from __future__ import annotations

from typing import Any, Protocol

from headway.decide.building import elsewhere
from headway.effects import candidate
from headway.effects.github_builder import builder_on_github
from headway.effects.site import Site
from headway.model.build import Artifact
from headway.model.text import Text
from headway.plan.actions import BuildCandidate
from headway.plan.build_actions import StartBuild

Payload = dict[str, Any]


class Builder(Protocol):
    """Gives a candidate's files."""

    def build(self, action: BuildCandidate) -> Payload:
        """Have the checked files in ``paths.artifacts(tag)``, complete or not at all: the payload of ``built``.

        Safe to repeat. Raises ``WorldFailed`` when the world refuses.
        """
        ...


class CiBuilder(Builder, Protocol):
    """A builder whose build goes on elsewhere, from one tick to another."""

    def start(self, action: StartBuild) -> Payload:
        """Begin it: the payload of ``build-started``.

        At most one run for each ``action.build``: what a tick began that could not write it down is found. Raises
        ``WorldFailed`` when the world refuses.
        """
        ...

    def again(self, tag: str, run: int, files: tuple[Artifact, ...]) -> Text | None:
        """Have the files of a build that was recorded once more, as they were recorded; or why they cannot be had.

        Raises ``WorldFailed`` when the world refuses, or has other bytes by now.
        """
        ...


class LocalBuilder:
    """The policy's command on this machine, in a clean export of the tag."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def build(self, action: BuildCandidate) -> Payload:
        return candidate.build(self._site, action)


def builder_of(site: Site) -> Builder:
    """The builder that the policy names."""
    return ci_of(site) if elsewhere(site.policy) else LocalBuilder(site)


def ci_of(site: Site) -> CiBuilder:
    """The CI that the policy names."""
    return builder_on_github(site)
