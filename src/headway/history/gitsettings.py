"""git's own settings where somebody stands, in a repository or not."""

from __future__ import annotations

import subprocess
from pathlib import Path

from headway.history.git import git_env


def path_setting(folder: Path, name: str) -> Path | None:
    """A setting that is a file's path, as git reads it in ``folder``; ``None`` when it is not set, or without git."""
    try:
        done = subprocess.run(
            ["git", "config", "--type=path", "--get", name],
            cwd=folder,
            capture_output=True,
            text=True,
            env=git_env(),
            check=False,
        )
    except OSError:
        return None
    value = done.stdout.strip()
    return folder / value if done.returncode == 0 and value else None
