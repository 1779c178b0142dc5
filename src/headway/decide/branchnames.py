"""Which branches are release branches, by their names (pure): the policy's own form, and the forms met in practice."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = r"v?\d+(?:\.\d+)+(?:\.x)?|v?\d+\.x"
_TAIL = r"(?:[-_.]?(?:rc\d*|dev|post\d+|release|stable|maintenance|branch))?"
_LED = re.compile(
    rf"^(?:[\w.-]+/)?(?:releases?|stable|unmaintained|maint(?:enance)?|support|branch|rel)[/_-]"
    rf"(?:{_VERSION}|v?\d+){_TAIL}$",
    re.IGNORECASE,
)
_NAMED = re.compile(r"^(?:stable|unmaintained)/[a-z]+$")
_BARE = re.compile(rf"^(?:{_VERSION}){_TAIL}$|^r\d+(?:\.\d+)+{_TAIL}$", re.IGNORECASE)


def is_release_branch(name: str, pattern: str) -> bool:
    """Whether a branch is one of a release: of the policy's ``pattern`` (``releases/v{version}``, B1) or of a form that
    projects use (``release/2.5``, ``stable-2.14``, ``stable/2025.1``, ``8.3.x``, ``r2.6``, ``v0.9.1-dev``)."""
    own = re.escape(pattern).replace(re.escape("{version}"), r"v?\d+(?:[.\w-]*)")
    return bool(re.match(f"^{own}$", name) or _LED.match(name) or _NAMED.match(name) or _BARE.match(name))


def release_branches(names: Iterable[str], pattern: str, trunk: str) -> tuple[str, ...]:
    """Those of the branches that are, without the trunk, in the order of the versions in their names."""
    last = trunk.rsplit("/", 1)[-1]
    found = [n for n in names if n not in (trunk, last) and is_release_branch(n, pattern)]
    return tuple(sorted(found, key=_key))


def _key(name: str) -> tuple[tuple[int, ...], str]:
    return tuple(int(n) for n in re.findall(r"\d+", name)), name
