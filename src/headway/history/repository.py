"""A repository as it is found: where it is, what its trunk is, which branches are checked out."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from headway.errors import UnusableInput
from headway.history.git import NO_FETCH, Git, check_git, git_env, text_of
from headway.model.commit import Commit, Sha
from headway.model.text import facts, say


@dataclass(frozen=True, slots=True)
class Repository:
    """``git_dir`` is the common git directory; ``work_tree`` is ``None`` for a bare repository. ``here`` is git where
    the repository was opened, which has a HEAD of its own in a linked work tree."""

    path: Path
    git_dir: Path
    bare: bool
    work_tree: Path | None
    git: Git
    here: Git

    @property
    def state(self) -> Path:
        """Headway's own folder, beside git's: ledger, lock, artifacts."""
        return self.git_dir / "headway"


def open_repository(path: Path) -> Repository:
    """The repository at or above ``path``.

    Raises ``UnusableInput``: ``repo.not-a-directory``, ``repo.not-found``, ``repo.not-trusted``, ``repo.empty``.
    """
    check_git()
    found = open_at_once(path)
    git = found.git
    if git.try_run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")[0] and not git.run("for-each-ref", "--count=1"):
        raise UnusableInput(
            "repo.empty",
            say("the repository {path} has no commit yet", path=path),
            remedy=say("commit something to its trunk first"),
        )
    # Asked from inside .git, or with the bare repository of linked work trees: the common one decides.
    tree = None if found.bare else work_tree_at(path)
    return replace(found, bare=_is_bare(git, found.bare), work_tree=tree)


def work_tree_at(path: Path) -> Path | None:
    """The top of the work tree that ``path`` lies in."""
    code, top, _ = _ask(path, "--path-format=absolute", "--show-toplevel")
    return None if code else Path(top.rstrip("\n"))


def open_at_once(path: Path) -> Repository:
    """The same by one git process, for questions that need neither the work tree nor any ref; git's version is left
    unchecked. Raises ``UnusableInput``: ``git.missing``, ``repo.not-a-directory``, ``repo.not-found``,
    ``repo.not-trusted``."""
    if shutil.which("git") is None:
        check_git()
    if not path.is_dir():
        raise UnusableInput(
            "repo.not-a-directory",
            say("{path} is not a directory", path=path),
            remedy=say("name a git repository with --repo PATH"),
        )
    code, out, words = _ask(path, "--is-bare-repository", "--absolute-git-dir")
    if code:
        raise _unusable(path, words)
    bare, _, own = out.removesuffix("\n").partition("\n")
    here = Git(Path(own), check=False)
    git_dir = _common(here.git_dir)
    return Repository(path, git_dir, bare == "true", None, Git(git_dir, check=False), here)


def _common(own: Path) -> Path:
    """The common git directory, as a linked work tree's own names it."""
    try:
        named = os.fsdecode((own / "commondir").read_bytes().rstrip(b"\n"))
    except FileNotFoundError:
        return own
    return Path(os.path.normpath(own / named))


def _is_bare(git: Git, here: bool) -> bool:
    code, out, _ = git.try_run("config", "--type=bool", "core.bare")
    return out.strip() == "true" if code == 0 else here


def _ask(path: Path, *args: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["git", "rev-parse", *args], cwd=path, env=git_env(NO_FETCH), capture_output=True, check=False
    )
    return done.returncode, text_of(done.stdout), text_of(done.stderr)


def _unusable(path: Path, words: str) -> UnusableInput:
    if "dubious ownership" in words:
        return UnusableInput(
            "repo.not-trusted",
            say("git does not trust the repository {path}: it belongs to somebody else", path=path),
            facts=facts(git=words.strip()),
            remedy=say("git config --global --add safe.directory {path}", path=path.resolve()),
        )
    return UnusableInput(
        "repo.not-found",
        say("there is no git repository at {path}", path=path),
        facts=facts(git=words.strip()),
        remedy=say("name a git repository with --repo PATH, or make one with git init"),
    )


def resolve_commit(repo: Repository, rev: str) -> Sha | None:
    """The full SHA of the commit that any revision names (branches before tags), or ``None``."""
    for name in commit_names(rev):
        code, out, _ = repo.here.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        if code == 0:
            return out.strip()
    return None


def commit_names(rev: str) -> tuple[str, ...]:
    """How git is asked for the commit that a person's word names, in turn: branches, remote branches, then tags and
    all other revisions. Nothing for a word that git cannot be asked for."""
    if not rev.strip() or "\0" in rev or "\n" in rev:
        return ()
    return tuple(f"{name}^{{commit}}" for name in (f"refs/heads/{rev}", f"refs/remotes/{rev}", rev))


def head_commit(repo: Repository) -> tuple[Sha, str] | None:
    """What is checked out where the repository was opened: the commit and its branch (``""``: detached).

    ``None`` for a bare repository and before the branch's first commit.
    """
    if repo.work_tree is None:
        return None
    code, sha, _ = repo.here.try_run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    named, ref, _ = repo.here.try_run("rev-parse", "--symbolic-full-name", "HEAD")
    branch = ref.strip() if named == 0 else ""
    head = "refs/heads/"
    return (sha.strip(), branch.removeprefix(head) if branch.startswith(head) else "") if code == 0 else None


def find_trunk(repo: Repository, wanted: str = "") -> str:
    """The trunk's ref: ``wanted`` when given, else the remote's HEAD, a bare repository's HEAD, main, master.

    What HEAD of a work tree points to never matters. A wanted branch that only a remote has is found there.
    Raises ``UnusableInput`` (``repo.no-trunk``) with the refs that exist.
    """
    if wanted:
        candidates = [wanted, *(f"{remote}/{wanted}" for remote in remotes(repo))]
    else:
        candidates = [name for remote in remotes(repo) if (name := _symbolic(repo, f"refs/remotes/{remote}/HEAD"))]
        if repo.bare and (name := _symbolic(repo, "HEAD")):
            candidates.append(name)
        candidates += ["main", "master"]
    for name in candidates:
        if resolve_commit(repo, name):
            return name
    existing = repo.git.run("for-each-ref", "--count=40", "--format=%(refname:lstrip=2)", "refs/heads", "refs/remotes")
    raise UnusableInput(
        "repo.no-trunk",
        say("the trunk {wanted} does not exist here", wanted=wanted)
        if wanted
        else say("no trunk was found: there is no remote HEAD, no main and no master"),
        facts=facts(refs=existing.split()),
        remedy=say("name it with --trunk REF, or as project.trunk in the policy"),
    )


def remotes(repo: Repository) -> list[str]:
    """Names of the remotes, ``origin`` first."""
    names = repo.git.run("remote").splitlines()
    return sorted(names, key=lambda name: (name != "origin", name))


def _symbolic(repo: Repository, ref: str) -> str | None:
    code, out, _ = repo.git.try_run("symbolic-ref", "--quiet", ref)
    return out.strip().removeprefix("refs/heads/").removeprefix("refs/remotes/") if code == 0 else None


def checked_out_branches(repo: Repository) -> frozenset[str]:
    """Branches that some work tree of the repository has checked out (or is rebasing)."""
    lines = repo.git.run("worktree", "list", "--porcelain", "-z").split("\0")
    heads = "branch refs/heads/"
    return frozenset(line.removeprefix(heads) for line in lines if line.startswith(heads))


def refuse_shallow(repo: Repository, commits: Iterable[Commit | Sha]) -> None:
    """Raises ``UnusableInput`` (``repo.shallow``) when the parents of one of these commits were not fetched."""
    for commit in commits if repo.git.shallow else ():
        if (commit.sha if isinstance(commit, Commit) else commit) in repo.git.shallow:
            raise shallow(repo.path)


def shallow(where: Path) -> UnusableInput:
    """The error for a clone that lacks the history which is needed."""
    return UnusableInput(
        "repo.shallow",
        say("{path} is a shallow clone: history that is needed was not fetched", path=where),
        remedy=say("git fetch --unshallow"),
    )
