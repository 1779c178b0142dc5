"""Runners of a CI: clones with an empty disk, of one bare repository, that load, work and save."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

from gitmaker import git_env
from trainkit import Project, open_at

from headway import carrying
from headway.app import Headway

BRANCH = "headway-state"


def git(where: Path, *args: str) -> str:
    """A git command, which must succeed."""
    done = subprocess.run(["git", *args], cwd=where, env=git_env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


def runner(project: Project, folder: Path) -> Path:
    """A fresh clone with every branch of the project's, as a tick has it after it followed the remote."""
    subprocess.run(["git", "clone", "-q", str(project.path), str(folder)], check=True, capture_output=True)
    for ref in git(folder, "for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin").split():
        if ref.startswith("releases/"):
            git(folder, "branch", "-q", ref, f"origin/{ref}")
    return folder


def load(where: Path, now: datetime, *, begin: bool = False, branch: str = BRANCH) -> carrying.Loaded:
    app = open_at(where, now)
    return carrying.load(app, carrying.state_branch(app, "", branch), begin=begin)


def save(where: Path, now: datetime, *, branch: str = BRANCH) -> carrying.Kept:
    app = open_at(where, now)
    return carrying.save(app, carrying.state_branch(app, "", branch))


def push(where: Path) -> None:
    """What a tick made goes to the remote, as a tick with a forge does by itself."""
    git(where, "push", "-q", "--tags", "origin", "refs/heads/*:refs/heads/*")


def run(project: Project, folder: Path, now: datetime) -> tuple[list[str], Headway]:
    """One whole run on a fresh runner: what it did, and the project as it left it."""
    where = runner(project, folder)
    load(where, now)
    app = open_at(where, now)
    done, _ = app.tick(settle=True)
    push(where)
    save(where, now)
    return [d.action.kind for d in done], open_at(where, now)
