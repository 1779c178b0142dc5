"""The tag guard as a use case: of a whole repository (in CI), and of a push (in git's pre-push hook). Read-only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.app import Headway
from headway.decide import guard, pushguard
from headway.decide.guard import ReleaseTag, TagFacts
from headway.decide.pushguard import PushFacts, Update
from headway.decide.tags import Names, covers, release_of_branch
from headway.errors import UnusableInput, WorldFailed
from headway.history.log import contained, is_ancestor, read_tags
from headway.history.repository import Repository, remotes, resolve_commit, shallow
from headway.model.commit import Sha
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.policy.schema import Versions
from headway.policy.scheme import read_branch

_HEADS, _TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class Guarded:
    """``checked`` counts release tags, or refs of a push; ``older`` the tags from before the policy began, and
    ``begin`` is its first version (``None``: no version is held to it yet)."""

    problems: tuple[Reason, ...]
    checked: int
    older: int = 0
    begin: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": not self.problems,
            "problems": [p.as_json() for p in self.problems],
            "checked": self.checked,
            "older": self.older,
            "begin": self.begin,
        }


def guard_tags(app: Headway, against: str = "") -> Guarded:
    """All release tags of the repository. ``against`` names a remote, or the path or address of another repository.

    Raises ``UnusableInput`` (``repo.shallow``), ``WorldFailed`` (``guard.remote``) when the other one cannot be read.
    """
    if app.repo.git.shallow:
        raise shallow(app.repo.path)
    names, entries = app.policy.versions, app.entries()
    tags, branches = read_tags(app.repo), _release_branches(app)
    ours = guard.release_tags(tags, names)
    other = _tags_of(app.repo, against) if against else {}
    seen = TagFacts(tags, tuple(branches), _holding(app.repo, ours, branches, names), against, other)
    begin = guard.begins(entries, branches, names)
    older = sum(not guard.held(t, begin) for t in ours)
    found = guard.problems(seen, entries, names)
    return Guarded(found, len(ours) - older, older, str(begin) if begin else None)


def guard_push(app: Headway, lines: Iterable[str], remote: str) -> Guarded:
    """The lines that git gives its pre-push hook: ``<local ref> <local object> <remote ref> <remote object>``.

    Raises ``UnusableInput`` (``usage.pre-push``) for lines of another form.
    """
    names, entries = app.policy.versions, app.entries()
    rows = [_row(line) for line in lines if line.strip()]
    branches = _release_branches(app)
    for ref, after, _ in rows:  # a branch may go out under another name than it has here
        name = ref.removeprefix(_HEADS)
        if ref.startswith(_HEADS) and after and read_branch(name, names):
            branches[name] = (*branches.get(name, ()), after)
    updates = tuple(_update(app.repo, ref, after, before, branches, names) for ref, after, before in rows)
    ours = guard.release_tags(read_tags(app.repo), names)
    push = PushFacts(remote, updates, ours, tuple(branches))
    return Guarded(pushguard.refusals(push, entries, names), len(rows))


def _row(line: str) -> tuple[str, Sha | None, Sha | None]:
    words = line.split()
    if len(words) != 4:
        raise UnusableInput(
            "usage.pre-push",
            say("{line} is no line of git's pre-push hook", line=line.strip()),
            remedy=say("let git call it: `headway guard --install`"),
        )
    after, before = (None if set(sha) == {"0"} else sha for sha in (words[1], words[3]))
    return words[2], after, before


def _update(
    repo: Repository,
    ref: str,
    after: Sha | None,
    before: Sha | None,
    branches: dict[str, tuple[Sha, ...]],
    names: Versions,
) -> Update:
    commit = resolve_commit(repo, after) if after else None
    forward = True
    if ref.startswith(_HEADS) and before and after and before != after:
        known = resolve_commit(repo, before)  # what was never fetched is not under what is pushed
        forward = known is not None and commit is not None and is_ancestor(repo, known, commit)
    tag = guard.read_tag(ref.removeprefix(_TAGS), commit or "", names) if ref.startswith(_TAGS) else None
    on = _holding(repo, (tag,), branches, names)[tag.name] if tag is not None and commit else ()
    return Update(ref, before, after, commit, on, forward)


def _release_branches(app: Headway) -> dict[str, tuple[Sha, ...]]:
    """Release branches by name, of the policy's form or another that is in use, here and as last fetched from remotes,
    with their tips."""
    any_form = Names(app.policy.versions, loose=True)
    found: dict[str, tuple[Sha, ...]] = {}
    for place in (_HEADS, *(f"refs/remotes/{remote}/" for remote in remotes(app.repo))):
        for line in app.repo.git.run("for-each-ref", "--format=%(objectname) %(refname)", place).splitlines():
            sha, _, ref = line.partition(" ")
            name = ref.removeprefix(place)
            if name != app.trunk and release_of_branch(name, any_form):
                found[name] = (*found.get(name, ()), sha)
    return found


def _holding(
    repo: Repository, tags: Iterable[ReleaseTag], branches: dict[str, tuple[Sha, ...]], names: Versions
) -> dict[str, tuple[str, ...]]:
    """Tags to the release branches of their own version that hold their commits; one git process for each branch."""
    found: dict[str, list[str]] = {t.name: [] for t in tags}
    every = tuple(tags)
    for name, tips in branches.items():
        of_line = [t for t in every if covers(name, t.version, Names(names, loose=True))]
        held = {c for tip in dict.fromkeys(tips) for c in contained(repo, {t.commit for t in of_line}, tip)}
        for t in of_line:
            if t.commit in held:
                found[t.name].append(name)
    return {tag: tuple(on) for tag, on in found.items()}


def _tags_of(repo: Repository, against: str) -> dict[str, Sha]:
    """The tags of another repository, each with the commit that it peels to."""
    place = str(Path(against).resolve()) if Path(against).exists() else against
    code, out, words = repo.git.try_run("ls-remote", "--tags", "--end-of-options", place)
    if code:
        raise WorldFailed(
            "guard.remote",
            say("the tags of {against} cannot be read: {words}", against=against, words=words.strip()),
            clause="V5",
            facts=facts(against=against),
            remedy=say("name a remote, or the path or address of a repository that can be reached"),
        )
    found: dict[str, Sha] = {}
    for line in out.splitlines():
        sha, _, ref = line.partition("\t")
        found[ref.removeprefix(_TAGS).removesuffix("^{}")] = sha  # the peeled one comes second
    return found
