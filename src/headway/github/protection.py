"""What GitHub guards of a branch: its protection where that may be read, and the rules of rulesets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.errors import WorldFailed
from headway.github.client import GONE, REFUSED, GitHub, segment
from headway.github.pulls import found
from headway.github.shapes import shaped
from headway.model.hub import Protection

_NONE = "Branch not protected"  # what a 404 says to who may read protections


def protection_of(github: GitHub, branch: str) -> Protection:
    """What is told of a branch; unprotected when it is not there. Raises ``WorldFailed``.

    Everybody who may read the repository is told whether it is protected, and the rules; only administrators the
    protection itself. https://docs.github.com/rest/branches/branch-protection
    """
    name = segment(branch)
    row = found(github, f"branches/{name}")
    if row is None:
        return Protection(branch, protected=False)
    guarded = shaped("branch", row, lambda r: bool(r["protected"]))
    rules, own = _rules(github, name), _protection(github, name) if guarded else {}
    told = rules is not None and own is not None  # what is not told may forbid more
    pulls = "pull_request" in (rules or ()) or bool((own or {}).get("required_pull_request_reviews"))
    fast = "non_fast_forward" in (rules or ()) or (bool(own) and not _enabled(own, "allow_force_pushes"))
    return Protection(
        branch,
        protected=guarded or bool(rules),
        pull_only=True if pulls else False if told else None,
        force_pushes=False if fast else True if told else None,
    )


def _rules(github: GitHub, name: str) -> frozenset[str] | None:
    """The types of the rules in force on a branch; ``None`` where they may not be read."""
    try:
        return frozenset(str(r.get("type")) for r in github.listed(f"rules/branches/{name}"))
    except WorldFailed as e:
        if e.code in {GONE, REFUSED}:
            return None
        raise


def _protection(github: GitHub, name: str) -> Mapping[str, Any] | None:
    """A branch's own protection, empty where it has none; ``None`` where it may not be read."""
    try:
        return shaped("branch", github.get(f"branches/{name}/protection"), dict)
    except WorldFailed as e:
        if e.code not in {GONE, REFUSED}:
            raise
        return {} if dict(e.facts).get("message") == _NONE else None


def _enabled(protection: Mapping[str, Any] | None, name: str) -> bool:
    return bool(((protection or {}).get(name) or {}).get("enabled"))
