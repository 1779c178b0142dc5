"""Names of versions: tags, branches, candidates (V4, V5), and the next version by the right-shifted scheme (V1–V3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache

from packaging.version import InvalidVersion, Version

from headway.policy.recut import first_name
from headway.policy.schema import Versions

# The spellings met in practice (V5): v0.9.2-rc1, v0.9.2rc1, v0.9.2.rc1, v0.7.2-1 (an implicit post), v0.10.1.1
_CANDIDATE = re.compile(r"^(?P<base>.+?)[-._]?rc[-._]?(?P<n>\d+)$", re.IGNORECASE)


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
    except InvalidVersion:
        return None
    if v.pre or v.dev is not None or v.local or v.epoch:
        return None
    return v


def ignored_tag(tag: str, names: Versions) -> bool:
    """Whether the policy says that a tag is not the project's own."""
    return any(fnmatchcase(tag, pattern) for pattern in names.ignore_tags)


def _inside(template: str, text: str) -> str | None:
    """What stands where ``{version}`` stands in the template, or ``None``."""
    head, _, tail = template.partition("{version}")
    if text.startswith(head) and text.endswith(tail) and len(text) > len(head) + len(tail):
        return text[len(head) : len(text) - len(tail) or None]
    return None


def read_final_tag(tag: str, names: Versions) -> Version | None:
    """The version that a final or post tag names, or ``None`` for candidates and foreign tags."""
    inner = None if ignored_tag(tag, names) else _inside(names.final_tag, tag)
    return parse_version(inner) if inner and inner[0].isdigit() else None


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
    inner = _inside(names.final_tag, tag)
    found = _own_candidate(names.candidate_tag).fullmatch(tag) or (_CANDIDATE.match(inner) if inner else None)
    if found is None or not found.group("base")[0].isdigit():
        return None
    version = parse_version(found.group("base"))
    return CandidateName(version, int(found.group("n"))) if version else None


def base_of(version: Version) -> Version:
    """The patch release that a post release belongs to; any other version is its own base (B3)."""
    return Version(".".join(map(str, version.release)))


def final_tag(version: Version, names: Versions) -> str:
    return names.final_tag.replace("{version}", str(version))


def candidate_tag(name: CandidateName, names: Versions) -> str:
    return names.candidate_tag.replace("{version}", str(name.version)).replace("{n}", str(name.number))


def branch_of(version: Version, names: Versions) -> str:
    """The release branch: its own for a patch, minor or major (B1), the one cut before for a post release (B3)."""
    return names.branch.replace("{version}", str(base_of(version)))


def read_branch(name: str, names: Versions) -> tuple[int, ...] | None:
    """The numbers in the name of a release branch, as many as it has, or ``None`` for any other branch."""
    inner = _inside(names.branch, first_name(name, names))
    version = parse_version(inner) if inner and inner[0].isdigit() else None
    return version.release if version else None


def kind_of(version: Version) -> ReleaseKind:
    if version.post is not None:
        return ReleaseKind.POST
    release = (*version.release, 0, 0, 0)
    if any(release[2:]):
        return ReleaseKind.PATCH
    return ReleaseKind.MINOR if release[1] else ReleaseKind.MAJOR


def next_version(current: Version, kind: ReleaseKind) -> Version:
    """The version after ``current`` (V1–V4): post N+1 of the same release, or the next patch, minor or major."""
    major, minor, patch = (*current.release, 0, 0, 0)[:3]
    match kind:
        case ReleaseKind.POST:
            return Version(f"{base_of(current)}.post{(current.post or 0) + 1}")
        case ReleaseKind.PATCH:
            return Version(f"{major}.{minor}.{patch + 1}")
        case ReleaseKind.MINOR:
            return Version(f"{major}.{minor + 1}.0")
        case ReleaseKind.MAJOR:
            return Version(f"{major + 1}.0.0")
