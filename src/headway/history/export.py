"""A clean export of a commit, as a build or a check sees it."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path

from headway.errors import UnusableInput
from headway.history.git import git_env, text_of
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.text import say


def export_tree(repo: Repository, commit: Sha, target: Path, paths: tuple[str, ...] = ()) -> None:
    """The files of a commit (``git archive``), or only ``paths``, under ``target``, which is made when missing.

    Links that stay inside are kept. Raises ``UnusableInput``: ``export.no-path``, ``export.unsafe`` (a link or name
    that leads outside); ``WorldFailed`` (``git.failed``).
    """
    for path in paths:
        if not repo.git.run("ls-tree", "--full-tree", "--name-only", commit, "--", path.rstrip("/")).strip():
            raise UnusableInput(
                "export.no-path",
                say("the commit {commit} has no {path}", commit=commit[:12], path=path),
                remedy=say("correct the paths in the policy"),
            )
    target.mkdir(parents=True, exist_ok=True)
    settings = ("-c", "tar.umask=0022", "-c", "core.autocrlf=false")  # the same bytes whoever exports
    args = (*settings, "archive", "--format=tar", commit, "--", *(f":(literal){p}" for p in paths))
    with tempfile.TemporaryFile() as words:
        child = subprocess.Popen(
            repo.git.command(*args), stdout=subprocess.PIPE, stderr=words, env=git_env(), cwd=repo.git_dir
        )
        with child:
            broken = _extract(child, target)
        words.seek(0)
        if isinstance(broken, UnusableInput):
            raise broken
        if child.returncode or broken:
            raise repo.git.failed(
                ("archive", commit), child.returncode, text_of(words.read()) or str(broken)
            ) from broken


def _extract(child: subprocess.Popen[bytes], target: Path) -> UnusableInput | tarfile.ReadError | None:
    try:
        with tarfile.open(fileobj=child.stdout, mode="r|") as archive:
            archive.extractall(target, filter="data")
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
