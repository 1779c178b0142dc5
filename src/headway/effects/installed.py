"""What came into an environment with a distribution: all that it requires there, directly or not."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from headway.model.build import Installed


def installed_with(name: str, environment: Path) -> tuple[Installed, ...]:
    """``name`` itself and what it brought, by normalised name; empty when it is not there. What else is there, such as
    the requirements of tests, is left out.

    ``environment`` is a virtual one of this interpreter's Python, whose markers are this one's. Requirements of an
    extra count where somebody on the way asks for that extra.
    """
    folders = [*environment.glob("lib*/python*/site-packages"), *environment.glob("Lib/site-packages")]
    there: dict[str, Distribution] = {}
    for d in distributions(path=sorted(str(f) for f in folders)):
        there.setdefault(canonicalize_name(d.metadata["Name"]), d)
    reached: dict[str, set[str]] = {}
    edges: dict[str, set[str]] = {}
    todo = [(canonicalize_name(name), frozenset({""}))]
    while todo:
        one, extras = todo.pop()
        new = extras - reached.get(one, set())
        if one not in there or not new:
            continue
        reached.setdefault(one, set()).update(new)
        for wanted in _requirements(there[one], frozenset(new)):
            needed = canonicalize_name(wanted.name)
            if needed in there and needed != one:
                edges.setdefault(one, set()).add(needed)
            todo.append((needed, frozenset({"", *wanted.extras})))
    return tuple(
        Installed(one, there[one].version, _license(there[one]), tuple(sorted(edges.get(one, ()))))
        for one in sorted(reached)
    )


def _requirements(d: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for line in d.requires or ():
        try:
            wanted = Requirement(line)
        except InvalidRequirement:  # of a distribution from before PEP 508: pip and uv leave it out as well
            continue
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in extras):
            yield wanted


def _license(d: Distribution) -> str:
    """The SPDX expression of PEP 639, or ``""``: what older fields hold is free text."""
    return " ".join(d.metadata.get_all("License-Expression") or ()).strip()
