"""The version that a build of a commit would carry, and whether tags make it wrong. Read-only."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway.app import Headway
from headway.decide.tags import (
    Built,
    Moved,
    Names,
    line_problems,
    moved_problem,
    moved_tags,
    release_of_branch,
    tag_problems,
)
from headway.errors import not_found
from headway.history.log import contained, read_tags, trunk_tip
from headway.history.repository import Repository, head_commit, remotes, resolve_commit
from headway.history.scm import Described, ask_scm
from headway.history.versionsource import SCM, VCS, VersionSource, project_folder, version_source
from headway.model.commit import Sha
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.policyfile import NO_POLICY


@dataclass(frozen=True, slots=True)
class Prediction:
    """``version`` is ``None`` when it cannot be told, and ``waits`` says why. ``by`` is what makes it."""

    commit: Sha
    version: str | None
    by: str
    file: str
    project: str
    branch: str
    tag: str
    distance: int
    problems: tuple[Reason, ...]
    waits: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "commit": self.commit,
            "version": self.version,
            "problems": [p.as_json() for p in self.problems],
            "by": self.by or None,
            "file": self.file or None,
            "project": self.project,
            "branch": self.branch or None,
            "tag": self.tag or None,
            "distance": self.distance if self.tag else None,
            "waits": [w.as_json() for w in self.waits],
        }


def predict(app: Headway, rev: str | None = None, folder: str | None = None) -> Prediction:
    """The version of a build of ``rev``; by default of what is checked out, in a bare repository of the trunk.

    The project is the one in ``folder``, by default the nearest at or above the folder that the repository was
    opened in. Raises ``UnusableInput``: ``commit.not-found``, ``project.not-found``, ``repo.shallow``.
    """
    commit, branch = _target(app, rev)
    project = _project(app.repo, commit, folder)
    source = version_source(app.repo, commit, project)
    counted = source.by in {SCM, VCS}
    seen = Described(source.static, "", 0, source.unread)
    if counted and not source.unread:
        now = app.clock.now()
        seen = ask_scm(app.repo, commit, source.options, project=project, branch=branch, now=now)
    names = Names(app.policy.versions, app.policy_source == NO_POLICY, _declared(source.options))
    built = _built(app, commit, branch, seen, names, "" if counted else source.file)
    problems = (*tag_problems(built, names), *line_problems(built, names))
    if counted:
        problems = (*problems, *(moved_problem(m) for m in _moved(app, commit)))
    waits = () if seen.version else (_unknown(source, seen.why),)
    return Prediction(
        commit, seen.version, source.by, source.file, project, branch, seen.tag, seen.distance, problems, waits
    )


def _target(app: Headway, rev: str | None) -> tuple[Sha, str]:
    """The commit, and the branch that a build of it has checked out."""
    head = head_commit(app.repo) if rev is None else None
    if head is not None:
        return head
    named = app.trunk if rev is None else rev
    commit = trunk_tip(app.repo, named) if rev is None else resolve_commit(app.repo, named)
    if commit is None:
        raise not_found("commit", named, say("name a commit, a branch or a tag; `git fetch` may bring it"))
    refs = _branches(app.repo)
    by_ref = {ref.partition("/")[2].partition("/")[2]: name for name, all_refs in refs.items() for ref in all_refs}
    return commit, by_ref.get(named, "")


def _project(repo: Repository, commit: Sha, folder: str | None) -> str:
    if folder is None:
        return project_folder(repo, commit, _folder(repo))
    wanted = posixpath.normpath(folder).strip("/").removeprefix(".")
    found = "" if wanted.startswith(".") or "\0" in wanted else project_folder(repo, commit, wanted)
    if found != wanted:
        raise not_found("project", folder, say("name a folder of the commit that holds a pyproject.toml or a setup.py"))
    return found


def _folder(repo: Repository) -> str:
    """Where in the work tree the repository was opened."""
    here = repo.path.resolve()
    top = repo.work_tree.resolve() if repo.work_tree else here
    return here.relative_to(top).as_posix().removeprefix(".") if here.is_relative_to(top) else ""


def _declared(options: Mapping[str, Any]) -> bool:
    tag = options.get("tag")
    return bool(options.get("tag_regex") or (isinstance(tag, dict) and (tag.get("regex") or tag.get("prefix"))))


def _branches(repo: Repository) -> dict[str, tuple[str, ...]]:
    """Branches by name, wherever they are: the refs here and of remotes."""
    found: dict[str, list[str]] = {}
    places = ["refs/heads/", *(f"refs/remotes/{remote}/" for remote in remotes(repo))]
    for place in places:
        for ref in repo.git.run("for-each-ref", "--format=%(refname)", place).split("\n")[:-1]:
            name = ref.removeprefix(place)
            if name != "HEAD":
                found.setdefault(name, []).append(ref)
    return {name: tuple(refs) for name, refs in found.items()}


def _holding(repo: Repository, commit: Sha, branches: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Those of the branches that contain a commit; one git process for all."""
    refs = [ref for refs in branches.values() for ref in refs]
    if not refs:
        return ()
    args = ("for-each-ref", "--format=%(refname)", f"--contains={commit}")
    held = frozenset(repo.git.run(*args, *refs).split("\n"))
    return tuple(name for name, refs in branches.items() if not held.isdisjoint(refs))


def _built(app: Headway, commit: Sha, branch: str, seen: Described, names: Names, stated_in: str) -> Built:
    releases = {name: refs for name, refs in _branches(app.repo).items() if release_of_branch(name, names)}
    releases.pop(app.trunk, None)
    tagged = _tagged(app.repo, seen.tag)
    on: tuple[str, ...] = (branch,) if branch in releases else ()
    if not on and not contained(app.repo, (commit,), trunk_tip(app.repo, app.trunk)):
        on = _holding(app.repo, commit, releases)
    return Built(
        commit=commit,
        version=seen.version,
        tag=seen.tag,
        tag_commit=tagged,
        distance=seen.distance,
        branches=tuple(releases),
        tag_on=_holding(app.repo, tagged, releases) if tagged else (),
        on=on,
        stated_in=stated_in,
    )


def _tagged(repo: Repository, tag: str) -> Sha | None:
    return resolve_commit(repo, f"refs/tags/{tag}") if tag else None


def _moved(app: Headway, commit: Sha) -> tuple[Moved, ...]:
    """The moved tags that lie in the commit's history, or did: the others do not touch its version."""
    moved = moved_tags(app.entries(), read_tags(app.repo))
    ends = {sha for m in moved for sha in (m.recorded, m.now) if sha and resolve_commit(app.repo, sha)}
    touching = contained(app.repo, ends, commit)
    return tuple(m for m in moved if m.recorded in touching or m.now in touching)


def _unknown(source: VersionSource, why: str) -> Reason:
    scm = source.by in {SCM, VCS}
    known = facts(by=source.by or None, file=source.file or None)
    if scm and not source.unread:
        return Reason(
            "V5",
            "version.none",
            say("setuptools-scm gives this commit no version: {why}", why=why),
            known,
            say("mend its configuration in {file}, or the tags that it finds", file=source.file),
        )
    return Reason(
        "V5",
        "version.not-told",
        say("the version cannot be told without running the project's code: {why}", why=why),
        known,
        say("build the commit to see its version"),
    )
