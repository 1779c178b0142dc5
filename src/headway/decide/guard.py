"""The guard of release tags: each on its own release branch, where it was put, one commit for one name (V5, B1, B4).

Foreign tags are left out by the policy's pattern, and so are versions from before the policy began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.version import Version

from headway.decide.incidents import put_back, put_tags
from headway.decide.tags import Names, covers
from headway.model.commit import Sha, Tag
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.policy.schema import Versions
from headway.policy.scheme import (
    CandidateName,
    branch_of,
    parse_version,
    read_branch,
    read_candidate_tag,
    read_final_tag,
)

_BEGINS = frozenset({Kind.CUT, Kind.TAGGED, Kind.RELEASED})


@dataclass(frozen=True, slots=True)
class ReleaseTag:
    """A tag that names a release or its candidate ``number`` (``None``: the release itself)."""

    name: str
    version: Version
    number: int | None
    commit: Sha


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What git knows: ``branches`` are all release branches, here or of remotes; ``on`` maps a tag to those of its own
    version that hold its commit. ``other`` are the tags of the repository to compare with, named ``against``."""

    tags: tuple[Tag, ...]
    branches: tuple[str, ...]
    on: Mapping[str, tuple[str, ...]]
    against: str = ""
    other: Mapping[str, Sha] = field(default_factory=dict)


def read_tag(name: str, commit: Sha, names: Versions) -> ReleaseTag | None:
    """A tag in any spelling of V5, or ``None`` for a foreign one."""
    candidate = read_candidate_tag(name, names)
    if candidate is not None:
        return ReleaseTag(name, candidate.version, candidate.number, commit)
    final = read_final_tag(name, names)
    return ReleaseTag(name, final, None, commit) if final is not None else None


def release_tags(tags: Iterable[Tag], names: Versions) -> tuple[ReleaseTag, ...]:
    """The project's own tags, by version, candidates before their release."""
    found = [t for tag in tags if (t := read_tag(tag.name, tag.commit, names)) is not None]
    return tuple(sorted(found, key=lambda t: (t.version, t.number is None, t.number or 0, t.name)))


def begins(entries: tuple[Entry, ...], branches: Iterable[str], names: Versions) -> Version | None:
    """The first version that the policy's rules are for: as it says, else the oldest that the ledger knows or that has
    a release branch by the policy's names; ``None``: there is none yet."""
    if names.guard_from:
        return parse_version(names.guard_from)
    known = [parse_version(e.train) for e in entries if e.kind in _BEGINS and e.train]
    known += [Version(".".join(map(str, numbers))) for b in branches if (numbers := read_branch(b, names))]
    return min((v for v in known if v is not None), default=None)


def held(tag: ReleaseTag, begin: Version | None) -> bool:
    """Whether a tag is of the policy's time."""
    return begin is not None and tag.version >= begin


def problems(seen: TagFacts, entries: tuple[Entry, ...], names: Versions) -> tuple[Reason, ...]:
    """All that is wrong with the release tags of a repository; empty: nothing is."""
    tags = release_tags(seen.tags, names)
    begin = begins(entries, seen.branches, names)
    ours = [t for t in tags if held(t, begin)]
    return (
        *_out_of_place(seen, entries),
        *(r for t in ours if not seen.on.get(t.name) and (r := off_branch(t, seen.branches, names))),
        *_two_spellings(ours),
        *_differing(seen, tags),
    )


def _out_of_place(seen: TagFacts, entries: tuple[Entry, ...]) -> list[Reason]:
    """Tags that are not where the ledger says they were put."""
    now = {t.name: t.commit for t in seen.tags}
    found = []
    for put in put_tags(entries):
        there = now.get(put.tag)
        if there == put.commit:
            continue
        text = say("the tag {tag} of {version} was deleted", tag=put.tag, version=put.train)
        if there is not None:
            text = say("the tag {tag} of {version} was moved to {now}", tag=put.tag, version=put.train, now=there[:12])
        known = facts(tag=put.tag, recorded=put.commit, now=there, version=put.train)
        found.append(Reason("V5", "guard.moved" if there else "guard.deleted", text, known, put_back(put)))
    return found


def off_branch(tag: ReleaseTag, branches: Iterable[str], names: Versions) -> Reason:
    """A tag that lies on no release branch of its version."""
    of_line = [b for b in branches if covers(b, tag.version, Names(names, loose=True))]
    branch = of_line[-1] if of_line else branch_of(tag.version, names)
    clause = "B1" if tag.number is None else "B4"
    known = facts(tag=tag.name, commit=tag.commit, version=tag.version, branch=branch, exists=bool(of_line))
    if not of_line:
        return Reason(
            clause,
            "guard.no-branch",
            say("{tag} has no release branch: there is no {branch} here", tag=tag.name, branch=branch),
            known,
            say("fetch {branch}; for a version from before this policy, set versions.guard_from", branch=branch),
        )
    return Reason(
        clause,
        "guard.off-branch",
        say("{tag} is not on its release branch {branch}", tag=tag.name, branch=branch),
        known,
        say("put it on a commit of {branch}: a tag that was never pushed may be made again", branch=branch),
    )


def _two_spellings(tags: Iterable[ReleaseTag]) -> list[Reason]:
    found: dict[tuple[Version, int | None], list[ReleaseTag]] = {}
    for t in tags:
        found.setdefault((t.version, t.number), []).append(t)
    return [
        Reason(
            "V5",
            "guard.two-spellings",
            say("{tags} are one version and lie on different commits", tags=[t.name for t in same]),
            facts(version=same[0].version, number=same[0].number, tags=[f"{t.name} {t.commit}" for t in same]),
            say("find out which one was published; the other one is nobody's release"),
        )
        for same in found.values()
        if len({t.commit for t in same}) > 1
    ]


def _differing(seen: TagFacts, tags: Iterable[ReleaseTag]) -> list[Reason]:
    return [
        Reason(
            "V5",
            "guard.differs",
            say("the tag {tag} is on another commit in {against}", tag=t.name, against=seen.against),
            facts(tag=t.name, here=t.commit, there=seen.other[t.name], against=seen.against),
            say(
                "find out which of the two was moved; take theirs with "
                "`git fetch --force {against} refs/tags/{tag}:refs/tags/{tag}`",
                against=seen.against,
                tag=t.name,
            ),
        )
        for t in tags
        if seen.other.get(t.name, t.commit) != t.commit
    ]


def candidate_on(commit: Sha, version: Version, tags: Iterable[ReleaseTag]) -> CandidateName | None:
    """The candidate of a version whose tag is on a commit."""
    found = (t for t in tags if t.commit == commit and t.version == version and t.number is not None)
    return next((CandidateName(t.version, t.number or 0) for t in found), None)
