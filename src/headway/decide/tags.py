"""Tags that make a build's version wrong (V5, B1, B4). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from headway.decide import record
from headway.model.commit import Sha, Tag
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import Text, facts, say
from headway.policy.schema import Versions
from headway.policy.scheme import (
    base_of,
    branch_of,
    fix_kind,
    ignored_tag,
    next_version,
    parse_version,
    read_branch,
    read_candidate_tag,
    read_final_tag,
)

# Names met in practice: releases/v0.9.2, releases/v0.22.1rc, release/2.5, stable-1.4, stable/4.2.x, 8.4.x, r2.18,
# v0.9.1-dev
_BRANCH = re.compile(
    r"(?:releases?[/-]|stable[/-]|r)?v?(?P<release>\d+(?:\.\d+){1,3})(?:\.x)?(?:[-_.]?rc\d*)?(?:-dev)?"
)


@dataclass(frozen=True, slots=True)
class Names:
    """How tags and branches are read: as the policy spells them, and with no policy (``loose``) also as others do.

    ``declared`` says that the project's own configuration tells which tags are its own.
    """

    versions: Versions
    loose: bool
    declared: bool = False


@dataclass(frozen=True, slots=True)
class TagRead:
    """A release tag: the version that it is for, and whether it is a candidate of it."""

    version: Version
    candidate: bool


@dataclass(frozen=True, slots=True)
class Built:
    """A build of a commit: its version (``None``: it would have none) and the tag that it is counted from.

    ``tag`` is ``""`` for none. ``tag_on`` are the release branches that hold the tag's commit, ``branches`` all
    release branches, ``on`` those of which the build is a build. ``stated_in`` is the file that states the version,
    when it is not counted from tags.
    """

    commit: Sha
    version: str | None
    tag: str
    tag_commit: Sha | None
    distance: int
    branches: tuple[str, ...]
    tag_on: tuple[str, ...]
    on: tuple[str, ...]
    stated_in: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A tag that the ledger records on ``recorded`` and that is on ``now`` (``None``: it is gone)."""

    tag: str
    recorded: Sha
    now: Sha | None


def release_of_branch(branch: str, names: Names) -> tuple[int, ...] | None:
    """The numbers of the release that a branch is for, as many as its name has; ``None`` for any other branch."""
    own = read_branch(branch, names.versions)
    if own or not names.loose:
        return own
    found = _BRANCH.fullmatch(branch)
    return tuple(map(int, found["release"].split("."))) if found else None


def read_release_tag(tag: str, names: Names) -> TagRead | None:
    """A final, post or candidate tag as the project names them (V5); ``None`` for others."""
    candidate = read_candidate_tag(tag, names.versions)
    if candidate:
        return TagRead(candidate.version, True)
    final = read_final_tag(tag, names.versions)
    if final:
        return TagRead(final, False)
    version = _loose(tag, names)
    if version is None or version.is_devrelease or (version.pre and version.pre[0] != "rc"):
        return None
    base = parse_version(re.sub(r"rc\d+", "", str(version)))
    return TagRead(base, version.pre is not None) if base else None


def _loose(tag: str, names: Names) -> Version | None:
    if not names.loose or ignored_tag(tag, names.versions):
        return None
    try:
        return Version(tag) if tag.removeprefix("v")[:1].isdigit() else None
    except InvalidVersion:
        return None


def covers(branch: str, version: Version, names: Names) -> bool:
    """Whether a version is of the line that a branch is for: ``release/2.5`` is for 2.5.1, ``releases/v0.9.2`` is not
    for 0.9.3; a fourth number belongs to its patch."""
    numbers = release_of_branch(branch, names)
    if numbers is None:
        return False
    base = base_of(version, names.versions).release  # the branch that was cut before is a fix release's too (B3)
    return any((*r, 0, 0, 0, 0)[: len(numbers)] == numbers for r in (version.release, base))


def tag_problems(built: Built, names: Names) -> tuple[Reason, ...]:
    """What is wrong with the tag that a build counts from: whose it is (V5), and on which branch it lies (B1, B4)."""
    if not built.tag:
        return ()
    read = read_release_tag(built.tag, names)
    if read is None:
        return (_foreign(built, names),) if _is_foreign(built.tag, names) else ()
    if built.tag_commit is None or any(covers(b, read.version, names) for b in built.tag_on):
        return ()
    return (_off_line(built, read, names),)


def _is_foreign(tag: str, names: Names) -> bool:
    """With no policy a pre-release of any kind is the project's own, and so is what it configured itself."""
    return not (names.loose and (_loose(tag, names) is not None or names.declared))


def _foreign(built: Built, names: Names) -> Reason:
    pattern = names.versions.final_tag.replace("{version}", "[0-9]*")
    command = f'["git", "describe", "--dirty", "--tags", "--long", "--match", "{pattern}"]'
    return Reason(
        "V5",
        "tags.foreign",
        say("the version is counted from {tag}, which is not a release tag of this project", tag=built.tag),
        facts(tag=built.tag, commit=built.tag_commit, distance=built.distance, version=built.version),
        say("have setuptools-scm look at release tags only: git_describe_command = {command}", command=command),
    )


def _off_line(built: Built, read: TagRead, names: Names) -> Reason:
    wanted = [b for b in built.branches if covers(b, read.version, names)]
    branch = wanted[0] if wanted else branch_of(read.version, names.versions)
    known = facts(
        tag=built.tag,
        commit=built.tag_commit,
        branch=branch,
        exists=bool(wanted),
        on=built.tag_on,
        version=built.version,
    )
    if read.candidate:
        return Reason(
            "B4",
            "tags.candidate-off-line",
            say(
                "the candidate tag {tag} does not lie on the release branch of {version}, {branch}",
                tag=built.tag,
                version=read.version,
                branch=branch,
            ),
            known,
            say(
                "put candidates on {branch} only; take {tag} away if nothing was built from it",
                branch=branch,
                tag=built.tag,
            ),
        )
    return Reason(
        "B1",
        "tags.no-branch",
        say("the final tag {tag} lies on no release branch of {version}", tag=built.tag, version=read.version),
        known,
        say("release from a release branch: keep or fetch {branch}, with the tagged commit on it", branch=branch),
    )


def line_problems(built: Built, names: Names) -> tuple[Reason, ...]:
    """A build of a release branch carries a version of another line (B1)."""
    version = _version(built.version)
    if version is None or not built.on or any(covers(b, version, names) for b in built.on):
        return ()
    branch = built.on[0]
    line = ".".join(map(str, release_of_branch(branch, names) or ()))
    return (
        Reason(
            "B1",
            "tags.other-line",
            say("a build of {branch} would be called {version}", branch=branch, version=built.version),
            facts(branch=branch, line=line, version=built.version, tag=built.tag or None, commit=built.commit),
            _back_on_the_line(built, branch, line, names),
        ),
    )


def _back_on_the_line(built: Built, branch: str, line: str, names: Names) -> Text:
    """What gives a build of a release branch a version of its own line again."""
    if built.stated_in:
        return say("set the version in {file} on {branch} (P6)", file=built.stated_in, branch=branch)
    read = read_release_tag(built.tag, names)
    if read and not read.candidate and covers(branch, read.version, names):
        post = next_version(read.version, fix_kind(read.version, names.versions))
        return say(
            "after {tag} only a fix release comes from {branch} (B3): build it as {post}, "
            "with SETUPTOOLS_SCM_PRETEND_VERSION={post}",
            tag=built.tag,
            branch=branch,
            post=post,
        )
    return say("put the next candidate tag of {line} on {branch} before it is built", line=line, branch=branch)


def _version(text: str | None) -> Version | None:
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None


def moved_tags(entries: tuple[Entry, ...], tags: Iterable[Tag]) -> tuple[Moved, ...]:
    """Tags of candidates and releases that are not where the ledger says they were put (V5)."""
    now = {t.name: t.commit for t in tags}
    put = {
        str(e.payload["tag"]): str(e.payload["commit"])
        for kind in (Kind.TAGGED, Kind.RELEASED)
        for e in record.of(entries, kind)
    }
    return tuple(Moved(tag, sha, now.get(tag)) for tag, sha in put.items() if now.get(tag) != sha)


def moved_problem(moved: Moved) -> Reason:
    """A tag that moved makes every version that is counted from it another one (V5)."""
    known = facts(tag=moved.tag, recorded=moved.recorded, now=moved.now)
    back = say("put it back: `git tag -f {tag} {commit}`", tag=moved.tag, commit=moved.recorded)
    if moved.now is None:
        return Reason("V5", "tags.gone", say("the tag {tag} is gone", tag=moved.tag), known, back)
    return Reason(
        "V5",
        "tags.moved",
        say(
            "the tag {tag} is on {now}, and was put on {recorded}",
            tag=moved.tag,
            now=moved.now[:12],
            recorded=moved.recorded[:12],
        ),
        known,
        back,
    )
