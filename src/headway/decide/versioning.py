"""The next version of the project, from the final tags it has (V1–V4, C1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from packaging.version import Version

from headway.errors import UnusableInput
from headway.model.text import say
from headway.policy.schema import Policy
from headway.policy.scheme import ReleaseKind, next_version, regular_kind


def latest_final(versions: Iterable[Version]) -> Version | None:
    """The greatest version, post releases included, or ``None`` when nothing was released."""
    return max(versions, default=None)


def next_train_version(
    finals: Collection[Version], skipped: Collection[Version], kind: ReleaseKind, policy: Policy
) -> Version:
    """The version after the newest final one, leaving out those that were skipped or abandoned.

    A project without a release starts at the policy's anchor version, or at the minor or major after it.
    Raises ``UnusableInput`` (V4) for a fix release of a project that has no release.
    """
    newest = latest_final(finals)
    if newest is not None:
        version = next_version(newest, kind)
    elif kind is ReleaseKind.POST or (kind is ReleaseKind.PATCH and kind is not regular_kind(policy.versions)):
        raise UnusableInput(
            "version.no-release",
            say("there is no release yet, so there is none that a fix release could fix"),
            clause="V4",
            remedy=say("publish a release first: headway version next"),
        )
    elif kind is regular_kind(policy.versions):
        version = Version(policy.cadence.anchor_version)
    else:
        version = next_version(Version(policy.cadence.anchor_version), kind)
    while version in skipped:
        version = next_version(version, kind)
    return version
