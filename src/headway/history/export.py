"""A clean export of a commit, as a build or a check sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from headway.errors import UnusableInput
from headway.history.git import Git, git_env, text_of
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.text import say

if TYPE_CHECKING or sys.version_info >= (3, 12):
    import tarfile
else:  # the first releases of 3.11 have no extraction filters (PEP 706)
    from backports import tarfile

# An archive leaves files out and rewrites them as .gitattributes say; a checkout, from which projects build, does not.
_AS_CHECKED_OUT = "* -export-ignore -export-subst\n"


def export_tree(repo: Repository, commit: Sha, target: Path, paths: tuple[str, ...] = (), *, tag: str = "") -> None:
    """The files of a commit, or only ``paths``, under ``target``, which is made when missing.

    A whole export is a git checkout of its own, borrowing the repository's objects: HEAD is the commit, and ``tag``,
    when given, names it. Back-ends that ask git what belongs to an sdist, or which version this is, find an answer;
    no branch and no other tag is there. Links that stay inside are kept. Raises ``UnusableInput``: ``export.no-path``,
    ``export.unsafe`` (a link or name that leads outside); ``WorldFailed`` (``git.failed``).
    """
    for path in paths:
        if not repo.git.run("ls-tree", "--full-tree", "--name-only", commit, "--", path.rstrip("/")).strip():
            raise UnusableInput(
                "export.no-path",
                say("the commit {commit} has no {path}", commit=commit[:12], path=path),
                remedy=say("correct the paths in the policy"),
            )
    target.mkdir(parents=True, exist_ok=True)
    if not paths:
        git = borrowing(repo, target / ".git")
        _archive(git, commit, target, ())
        _check_out(git, commit, tag)
        return
    with tempfile.TemporaryDirectory() as aside:
        _archive(borrowing(repo, Path(aside) / ".git"), commit, target, paths)


def borrowing(repo: Repository, git_dir: Path) -> Git:
    """A new repository that has the other's objects, and its way to fetch those that a partial clone lacks."""
    git_dir.mkdir(parents=True)
    git = Git(git_dir)
    form = repo.git.run("rev-parse", "--show-object-format").strip()
    git.run("init", "--quiet", "--template=", f"--object-format={form}")
    git.run("config", "core.bare", "false")
    (git_dir / "objects/info/alternates").write_bytes(os.fsencode(repo.git_dir / "objects") + b"\n")
    (git_dir / "info").mkdir()
    (git_dir / "info/attributes").write_text(_AS_CHECKED_OUT, encoding="ascii")
    if repo.git.shallow:
        (git_dir / "shallow").write_text("".join(f"{sha}\n" for sha in repo.git.shallow), encoding="ascii")
    promised = repo.git.try_run("config", "-z", "--get-regexp", r"^remote\..*\.(promisor|url)$")[1]
    if ".promisor\n" in promised:
        for row in promised.split("\0")[:-1]:
            git.run("config", "--add", *row.split("\n", 1))
    return git


def _check_out(git: Git, commit: Sha, tag: str) -> None:
    git.run("update-ref", "--no-deref", "HEAD", commit)
    git.run("read-tree", commit)
    if tag:
        git.run("update-ref", f"refs/tags/{tag}", commit)


def _archive(git: Git, commit: Sha, target: Path, paths: tuple[str, ...]) -> None:
    settings = ("-c", "tar.umask=0022", "-c", "core.autocrlf=false")  # the same bytes whoever exports
    args = (*settings, "archive", "--format=tar", commit, "--", *(f":(literal){p}" for p in paths))
    with tempfile.TemporaryFile() as words:
        child = subprocess.Popen(
            git.command(*args), stdout=subprocess.PIPE, stderr=words, env=git_env(), cwd=git.git_dir
        )
        with child:
            broken = _extract(child, target)
        words.seek(0)
        if isinstance(broken, UnusableInput):
            raise broken
        if child.returncode or broken:
            raise git.failed(("archive", commit), child.returncode, text_of(words.read()) or str(broken)) from broken


def _extract(child: subprocess.Popen[bytes], target: Path) -> UnusableInput | tarfile.ReadError | None:
    try:
        with tarfile.open(fileobj=child.stdout, mode="r|") as archive:
            archive.extractall(target, filter="data")
        while child.stdout and child.stdout.read(1 << 16):  # padding: git that cannot write it dies of SIGPIPE
            pass
    except tarfile.FilterError as e:
        child.kill()
        return UnusableInput(
            "export.unsafe",
            say("{path} leads out of the tree: {why}", path=e.tarinfo.name, why=str(e)),
            remedy=say("make it a link inside the tree, or take it out"),
        )
    except tarfile.ReadError as e:  # git stopped in the middle: its own words say why
        return e
    return None
