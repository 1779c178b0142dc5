"""What a schema cannot say of ``[[images]]``: names, tags and hosts that a registry would not take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from headway.model.image import is_loopback
from headway.policy.problems import Problem
from headway.policy.scheme import CandidateName, candidate_tag
from headway.policy.toml_lines import Path

if TYPE_CHECKING:
    from headway.policy.image_tables import ImageTable
    from headway.policy.schema import Policy

# The distribution specification's names and tags; a host has a dot or a port, or is localhost.
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:[\w.-]+\.[\w-]+|\[[0-9a-f:]+\]|localhost|[\w.-]+(?=:))(?::\d+)?/{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?")
_FIELD = re.compile(r"\{[^}]*\}?|\}")
_CANDIDATE = ("{version}", "{n}", "{tag}", "{commit}")


def image_problems(policy: Policy) -> Iterator[Problem]:
    """Every finding, in the order of the file."""
    seen: dict[str, int] = {}
    for i, image in enumerate(policy.images):
        at: Path = ("images", i)
        if not _NAME.fullmatch(image.name):
            yield Problem((*at, "name"), f"{image.name!r} is not a registry and a repository, as in host.example/a/b")
        first = seen.setdefault(image.name, i)
        if first != i:
            yield Problem((*at, "name"), f"is the name of image {first}, too")
        if image.insecure and not is_loopback(_host(image.name)):
            yield Problem((*at, "insecure"), "is for a registry on loopback only: elsewhere others can read along")
        if bool(image.username_env) != bool(image.password_env):
            yield Problem((*at, "username_env"), "and password_env are given together or not at all")
        yield from _tags(at, image, policy)
        for n, platform in enumerate(image.platforms):
            if not _PLATFORM.fullmatch(platform):
                yield Problem((*at, "platforms", n), f"{platform!r} is not an os/architecture, such as linux/amd64")


def _tags(at: Path, image: ImageTable, policy: Policy) -> Iterator[Problem]:
    rc = CandidateName(Version("1.2.3"), 4)
    found = {
        "candidate_tag": image.candidate("1.2.3", 4, candidate_tag(rc, policy.versions), "a" * 40),
        "version_tag": image.final("1.2.3"),
        "latest": image.latest or "latest",
    }
    allowed = {"candidate_tag": _CANDIDATE, "version_tag": ("{version}",), "latest": ()}
    for key, tag in found.items():
        unknown = sorted(set(_FIELD.findall(getattr(image, key))) - set(allowed[key]))
        if unknown:
            yield Problem((*at, key), f"holds {' '.join(unknown)}; its fields are {' '.join(allowed[key]) or 'none'}")
        elif not _TAG.fullmatch(tag):
            yield Problem((*at, key), f"{tag!r} is not a tag that a registry takes")
    fields = set(_FIELD.findall(image.candidate_tag))
    if not (fields & {"{tag}", "{commit}"} or fields >= {"{version}", "{n}"}):
        yield Problem((*at, "candidate_tag"), "must differ by candidate: {tag}, {commit}, or {version} and {n}")
    if "{version}" not in image.version_tag:
        yield Problem((*at, "version_tag"), "is the same for every release: it needs {version}")
    if len(set(found.values())) < len(found):
        yield Problem((*at, "version_tag"), "is not the release's own: the candidate's tag or latest is the same")


def _host(name: str) -> str:
    host = name.partition("/")[0]
    return host if host.endswith("]") else host.rpartition(":")[0] or host
