"""What a push may not do to release tags and branches (V5, B1, B4, B5): the pre-push hook's rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.version import Version

from headway.decide.guard import ReleaseTag, begins, candidate_on, held, off_branch, read_tag
from headway.decide.incidents import put_tags
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.policy.schema import Versions
from headway.policy.scheme import parse_version, read_branch

_TAGS, _HEADS = "refs/tags/", "refs/heads/"


@dataclass(frozen=True, slots=True)
class Update:
    """One line of git's pre-push hook: a ref of the remote, the object it is on (``None``: it is not there) and the
    one it is to be on (``None``: it is to be deleted).

    ``commit`` is the commit that the new object peels to, ``on`` the release branches of the tag's own version that
    hold it; ``forward`` whether a branch only moves on from where it is.
    """

    ref: str
    before: Sha | None
    after: Sha | None
    commit: Sha | None = None
    on: tuple[str, ...] = ()
    forward: bool = True


@dataclass(frozen=True, slots=True)
class PushFacts:
    """A push to ``remote``; ``tags`` are the release tags here, ``branches`` all release branches."""

    remote: str
    updates: tuple[Update, ...]
    tags: tuple[ReleaseTag, ...]
    branches: tuple[str, ...]


def refusals(push: PushFacts, entries: tuple[Entry, ...], names: Versions) -> tuple[Reason, ...]:
    """Every update that the policy does not let through; empty: the push may go."""
    found: list[Reason | None] = []
    for u in push.updates:
        if u.ref.startswith(_TAGS):
            found.append(_tag(u, push, entries, names))
        elif u.ref.startswith(_HEADS) and read_branch(u.ref.removeprefix(_HEADS), names):
            found.append(_branch(u, push))
    return tuple(r for r in found if r is not None)


def _branch(u: Update, push: PushFacts) -> Reason | None:
    branch = u.ref.removeprefix(_HEADS)
    known = facts(branch=branch, remote=push.remote, before=u.before, after=u.after)
    if u.after is None and u.before is not None:
        return Reason(
            "B1",
            "guard.branch-deleted",
            say("the push deletes the release branch {branch} of {remote}", branch=branch, remote=push.remote),
            known,
            say("leave it: its tags, and a post release, stand on it"),
        )
    if not u.forward:
        return Reason(
            "B1",
            "guard.branch-forced",
            say(
                "the push takes commits off the release branch {branch} of {remote}", branch=branch, remote=push.remote
            ),
            known,
            say(
                "`git fetch {remote}` and build on what is there; what must go is reverted: "
                "`headway pick drop COMMIT --reason …`",
                remote=push.remote,
            ),
        )
    return None


def _tag(u: Update, push: PushFacts, entries: tuple[Entry, ...], names: Versions) -> Reason | None:
    tag = read_tag(u.ref.removeprefix(_TAGS), u.commit or "", names)
    if tag is None or u.before == u.after:
        return None
    known = facts(tag=tag.name, remote=push.remote, before=u.before, after=u.after)
    if u.before is not None and any(p.tag == tag.name and p.commit == u.commit for p in put_tags(entries)):
        return None  # back to where it was made
    if u.before is not None:
        gone = u.after is None
        return Reason(
            "V5",
            "guard.tag-deleted" if gone else "guard.tag-moved",
            say("the push deletes the release tag {tag} of {remote}", tag=tag.name, remote=push.remote)
            if gone
            else say("the push moves the release tag {tag} of {remote}", tag=tag.name, remote=push.remote),
            known,
            say(
                "a tag is made once: take theirs with `git fetch --force {remote} tag {tag}`, and make the next one",
                remote=push.remote,
                tag=tag.name,
            ),
        )
    return _new_tag(u, tag, push, entries, names)


def _new_tag(u: Update, tag: ReleaseTag, push: PushFacts, entries: tuple[Entry, ...], names: Versions) -> Reason | None:
    put = next((p for p in put_tags(entries) if p.tag == tag.name), None)
    if put is not None:
        return None if put.commit == u.commit else _not_as_recorded(tag, put.commit)
    if not held(tag, begins(entries, push.branches, names)):
        return None
    if not u.on:
        return off_branch(tag, push.branches, names)
    if tag.number is not None:
        return None
    first = _first_version(entries)
    if first is not None and tag.version >= first:
        return None if _published(tag, entries) else _not_released(tag)
    return None if candidate_on(tag.commit, tag.version, push.tags) else _no_candidate(tag)


def _published(tag: ReleaseTag, entries: Iterable[Entry]) -> bool:
    """Its files are out, from this commit: the tag comes next, and is pushed before it is written down."""
    known = (e for e in entries if e.kind is Kind.PUBLISHED and parse_version(e.train) == tag.version)
    return any(e.payload["commit"] == tag.commit for e in known)


def _first_version(entries: Iterable[Entry]) -> Version | None:
    """The first release that is Headway's to make, where there is a ledger."""
    known = (parse_version(e.train) for e in entries if e.kind in {Kind.CUT, Kind.TAGGED, Kind.RELEASED} and e.train)
    return min((v for v in known if v is not None), default=None)


def _not_as_recorded(tag: ReleaseTag, recorded: Sha) -> Reason:
    return Reason(
        "V5",
        "guard.moved",
        say(
            "the tag {tag} is on {now}, and was put on {recorded}",
            tag=tag.name,
            now=tag.commit[:12],
            recorded=recorded[:12],
        ),
        facts(tag=tag.name, recorded=recorded, now=tag.commit),
        say("put it back: `git tag -f {tag} {commit}`", tag=tag.name, commit=recorded),
    )


def _not_released(tag: ReleaseTag) -> Reason:
    return Reason(
        "B5",
        "guard.not-released",
        say("{tag} is a final tag that the ledger did not release", tag=tag.name),
        facts(tag=tag.name, commit=tag.commit, version=tag.version),
        say(
            "remove it: `git tag -d {tag}`; `headway tick` makes it when {version} is approved and published",
            tag=tag.name,
            version=tag.version,
        ),
    )


def _no_candidate(tag: ReleaseTag) -> Reason:
    return Reason(
        "B5",
        "guard.no-candidate",
        say(
            "{tag} is a final tag on a commit that was never a candidate of {version}",
            tag=tag.name,
            version=tag.version,
        ),
        facts(tag=tag.name, commit=tag.commit, version=tag.version),
        say("tag a candidate there first, and have it built and tested: the final tag builds nothing"),
    )
