"""A repository as it is found: where it is, what its trunk is, which branches are checked out."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from headway.errors import UnusableInput
from headway.history.git import NO_FETCH, Git, check_git, git_env, text_of
from headway.model.commit import Commit, Sha
from headway.model.text import facts, say


@dataclass(frozen=True, slots=True)
class Repository:
    """``git_dir`` is the common git directory; ``work_tree`` is ``None`` for a bare repository. ``here`` is git where
    the repository was opened, which has a HEAD of its own in a linked work tree (``None``: it was not asked for)."""

    path: Path
    git_dir: Path
    bare: bool
    work_tree: Path | None
    git: Git
    here: Git | None = None

    @property
    def state(self) -> Path:
        """Headway's own folder, beside git's: ledger, lock, artifacts."""
        return self.git_dir / "headway"


def open_repository(path: Path) -> Repository:
    """The repository at or above ``path``.

    Raises ``UnusableInput``: ``repo.not-a-directory``, ``repo.not-found``, ``repo.not-trusted``, ``repo.empty``.
    """
    check_git()
    if not path.is_dir():
        raise _no_directory(path)
    code, out, words = _ask(path, "--path-format=absolute", "--git-common-dir", "--is-bare-repository")
    if code:
        raise _unusable(path, words)
    common, bare = out.rstrip("\n").rsplit("\n", 1)
    has_tree, top, _ = _ask(path, "--path-format=absolute", "--show-toplevel")
    git_dir = Path(common)
    git = Git(git_dir)
    if git.try_run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")[0] and not git.run("for-each-ref", "--count=1"):
        raise UnusableInput(
            "repo.empty",
            say("the repository {path} has no commit yet", path=path),
            remedy=say("commit something to its trunk first"),
        )
    tree = Path(top.rstrip("\n")) if has_tree == 0 and bare != "true" else None
    # Asked from inside .git, or with the bare repository of linked work trees: the common one decides.
    return Repository(path, git_dir, _is_bare(git, bare == "true"), tree, git)


def open_at_once(path: Path) -> Repository:
    """The same by one git process, for questions that need neither the work tree nor any ref; git's version is left
    unchecked. Raises ``UnusableInput``: ``git.missing``, ``repo.not-a-directory``, ``repo.not-found``,
    ``repo.not-trusted``."""
    if shutil.which("git") is None:
        check_git()
    if not path.is_dir():
        raise _no_directory(path)
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


def _no_directory(path: Path) -> UnusableInput:
    return UnusableInput(
        "repo.not-a-directory",
        say("{path} is not a directory", path=path),
        remedy=say("name a git repository with --repo PATH"),
    )


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
    if not rev.strip() or "\0" in rev or "\n" in rev:
        return None
    for name in (f"refs/heads/{rev}", f"refs/remotes/{rev}"):
        code, out, _ = repo.git.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if code == 0:
            return out.strip()
    # Asked where the repository was opened: each work tree has a HEAD of its own.
    code, out, _ = _ask(repo.path, "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    return out.strip() if code == 0 else None


def head_commit(repo: Repository) -> tuple[Sha, str] | None:
    """What is checked out where the repository was opened: the commit and its branch (``""``: detached).

    ``None`` for a bare repository and before the branch's first commit.
    """
    if repo.work_tree is None:
        return None
    code, sha, _ = _ask(repo.path, "--verify", "--quiet", "HEAD^{commit}")
    named, ref, _ = _ask(repo.path, "--symbolic-full-name", "HEAD")
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
