"""Names of versions: tags, branches, candidates (V4, V5), and the next version by the policy's scheme (V1–V3).

A policy may name versions in one way up to a version and in another from there on: every function asks for the naming
that is in force for the version at hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache

from packaging.version import Version

from headway.policy.recut import first_name
from headway.policy.schema import Naming, Versions

# The spellings met in practice (V5): v0.9.2-rc1, v0.9.2rc1, v0.9.2.rc1, v0.7.2-1 (an implicit post), v0.10.1.1
_CANDIDATE = re.compile(r"^(?P<base>.+?)[-._]?rc[-._]?(?P<n>\d+)$", re.IGNORECASE)
_LINE = re.compile(r"\d+\.\d+")


class ReleaseKind(StrEnum):
    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    POST = "post"


@dataclass(frozen=True, slots=True, order=True)
class CandidateName:
    """Candidate ``number`` of ``version`` (which has no rc part of its own: builds carry the final version)."""

    version: Version
    number: int


def parse_version(text: str) -> Version | None:
    """A final or post version (V4: explicit and implicit spellings are one), or ``None``.

    Versions with pre, dev, epoch or local parts are not release versions here.
    """
    try:
        v = Version(text)
    except ValueError:  # also of a number that is longer than Python reads
        return None
    if v.pre or v.dev is not None or v.local or v.epoch:
        return None
    return v


def naming(version: Version, names: Versions) -> Naming:
    """The naming in force for a version: that of the lowest bound above it, or the policy's own."""
    above = [(Version(e.below), e) for e in names.earlier if version < Version(e.below)]
    return min(above, key=lambda pair: pair[0])[1] if above else names


def _namings(names: Versions) -> tuple[Naming, ...]:
    return (names, *names.earlier)


def ignored_tag(tag: str, names: Versions) -> bool:
    """Whether the policy says that a tag is not the project's own."""
    return any(fnmatchcase(tag, pattern) for pattern in names.ignore_tags)


def _inside(template: str, text: str, field: str = "{version}") -> str | None:
    """What stands where the field stands in the template, or ``None``."""
    head, _, tail = template.partition(field)
    if text.startswith(head) and text.endswith(tail) and len(text) > len(head) + len(tail):
        return text[len(head) : len(text) - len(tail) or None]
    return None


def read_final_tag(tag: str, names: Versions) -> Version | None:
    """The version that a final or post tag names, or ``None`` for candidates and foreign tags."""
    if ignored_tag(tag, names):
        return None
    for each in _namings(names):
        inner = _inside(each.final_tag, tag)
        version = parse_version(inner) if inner and inner[0].isdigit() else None
        if version is not None and naming(version, names).final_tag == each.final_tag:
            return version
    return None


@cache
def _own_candidate(template: str) -> re.Pattern[str]:
    """The policy's own spelling of a candidate tag, which need not look like its final tag."""
    fields = {re.escape("{version}"): "(?P<base>.+?)", re.escape("{n}"): r"(?P<n>\d+)"}
    pattern = re.escape(template)
    for field, group in fields.items():
        pattern = pattern.replace(field, group, 1)
    return re.compile(pattern)


def read_candidate_tag(tag: str, names: Versions) -> CandidateName | None:
    """The candidate that a tag names, in the policy's spelling or any other of V5, or ``None``."""
    if ignored_tag(tag, names):
        return None
    for each in _namings(names):
        inner = _inside(each.final_tag, tag)
        for found in (_own_candidate(each.candidate_tag).fullmatch(tag), _CANDIDATE.match(inner) if inner else None):
            version = parse_version(found["base"]) if found and found["base"][0].isdigit() else None
            if found is None or version is None:
                continue
            now = naming(version, names)
            if (now.final_tag, now.candidate_tag) == (each.final_tag, each.candidate_tag):
                return CandidateName(version, int(found["n"]))
    return None


def is_fix(version: Version, names: Versions) -> bool:
    """Whether a version is one of fixes only, from the branch of the release that it fixes (V4, B3): a post release, a
    fourth number, and where the policy counts them so a patch."""
    return version != base_of(version, names)


def base_of(version: Version, names: Versions) -> Version:
    """The regular release that a fix release belongs to; any other version is its own base (B3)."""
    release = version.release[:3]
    if _fixed_by(naming(version, names)) is ReleaseKind.PATCH and len(release) > 2:
        release = (*release[:2], 0)
    return Version(".".join(map(str, release)))


def final_tag(version: Version, names: Versions) -> str:
    return naming(version, names).final_tag.replace("{version}", str(version))


def candidate_tag(name: CandidateName, names: Versions) -> str:
    template = naming(name.version, names).candidate_tag
    return template.replace("{version}", str(name.version)).replace("{n}", str(name.number))


def first_candidate(version: Version, names: Versions) -> int:
    """The number of a version's first candidate."""
    return naming(version, names).first_candidate


def branch_of(version: Version, names: Versions) -> str:
    """The release branch: its own for a regular release (B1), for a fix release the one cut before (B3) unless the
    policy cuts one for each."""
    now = naming(version, names)
    own = now.fix_branch == "own"
    of = Version(".".join(map(str, version.release[:3]))) if own else base_of(version, names)
    line = ".".join(map(str, (*of.release, 0)[:2]))
    return now.branch.replace("{version}", str(of)).replace("{line}", line)


def cuts_own_branch(version: Version, names: Versions) -> bool:
    """Whether a fix release has a branch of its own, cut where the release before it was made."""
    base = base_of(version, names)
    return version != base and branch_of(version, names) != branch_of(base, names) and version.post is None


def _numbers(name: str, template: str) -> tuple[int, ...] | None:
    if "{line}" in template:
        inner = _inside(template, name, "{line}")
        return tuple(map(int, inner.split("."))) if inner and _LINE.fullmatch(inner) else None
    inner = _inside(template, name)
    version = parse_version(inner) if inner and inner[0].isdigit() else None
    return version.release if version else None


def read_branch(name: str, names: Versions) -> tuple[int, ...] | None:
    """The numbers in the name of a release branch, as many as it has, or ``None`` for any other branch."""
    name = first_name(name, names)
    templates = (t for each in _namings(names) for t in (each.branch, *each.branch_also))
    return next((found for t in templates if (found := _numbers(name, t)) is not None), None)


def branch_release(name: str, names: Versions) -> Version | None:
    """The release that a branch was cut for, or ``None`` for a branch that is not the policy's own for any."""
    numbers = read_branch(name, names)
    if numbers is None:
        return None
    text = ".".join(map(str, numbers))
    guesses = [Version(text), *([Version(f"{text}.0")] if len(numbers) == 2 else [])]
    return next((v for v in reversed(guesses) if branch_of(v, names) == first_name(name, names)), None)


def kind_of(version: Version) -> ReleaseKind:
    if version.post is not None or len(version.release) > 3:
        return ReleaseKind.POST
    release = (*version.release, 0, 0, 0)
    if any(release[2:]):
        return ReleaseKind.PATCH
    return ReleaseKind.MINOR if release[1] else ReleaseKind.MAJOR


def regular_kind(names: Versions) -> ReleaseKind:
    """What a regular release counts: the patch (V3), or the minor in a train of minors."""
    return ReleaseKind.MINOR if names.scheme == "minor-train" else ReleaseKind.PATCH


def fix_kind(version: Version, names: Versions) -> ReleaseKind:
    """What the fix release after a version counts: a post release (V4), or the patch in a train of minors."""
    return _fixed_by(naming(version, names))


def _fixed_by(now: Naming) -> ReleaseKind:
    return ReleaseKind(now.fix_counts or ("patch" if now.scheme == "minor-train" else "post"))


def next_version(current: Version, kind: ReleaseKind) -> Version:
    """The version after ``current`` (V1–V4): post N+1 of the same release, or the next patch, minor or major.

    Where a fourth number is what fix releases of a project count, it goes on.
    """
    major, minor, patch = (*current.release, 0, 0, 0)[:3]
    match kind:
        case ReleaseKind.POST if len(current.release) > 3:
            return Version(f"{major}.{minor}.{patch}.{current.release[3] + 1}")
        case ReleaseKind.POST:
            release = ".".join(map(str, current.release))
            return Version(f"{release}.post{(current.post or 0) + 1}")
        case ReleaseKind.PATCH:
            return Version(f"{major}.{minor}.{patch + 1}")
        case ReleaseKind.MINOR:
            return Version(f"{major}.{minor + 1}.0")
        case ReleaseKind.MAJOR:
            return Version(f"{major + 1}.0.0")
