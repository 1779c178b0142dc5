"""Workflows run for real by ``act`` on this host, without containers. Stand-ins only for the two actions that need
GitHub: a checkout that clones a bare repository here, and a Python that is here already. The action is our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SHA = "f" * 40
ACTION = f"octo/headway@{SHA}"
NAME = "octo/toy"

# A work tree whose branches and tags go to the remote as soon as they are made, as a tick with a forge sends them.
_CHECKOUT = """
name: checkout
description: a clone of the repository here
inputs:
  ref: {{description: ref}}
  fetch-depth: {{description: depth}}
  persist-credentials: {{description: credentials}}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        REF: ${{{{ inputs.ref }}}}
        DEPTH: ${{{{ inputs.fetch-depth }}}}
        CREDENTIALS: ${{{{ inputs.persist-credentials }}}}
      run: |
        test "$DEPTH" = 0 && test "$CREDENTIALS" = false
        git clone -q --branch "$REF" {remote} .
        for b in $(git for-each-ref --format='%(refname:lstrip=3)' refs/remotes/origin/releases); do
          git branch -q "$b" "origin/$b"
        done
        cat >.git/hooks/reference-transaction <<'HOOK'
        #!/bin/sh
        test "$1" = committed || exit 0
        while read -r _ new ref; do
          case "$new $ref" in
            *[1-9a-f]*\\ refs/tags/*|*[1-9a-f]*\\ refs/heads/releases/*) git push -q origin "$new:$ref" ;;
          esac
        done
        HOOK
        chmod +x .git/hooks/reference-transaction
"""
_PYTHON = """
name: python
description: the one that is here
inputs:
  python-version: {{description: version}}
outputs:
  python-path: {{description: path, value: '{python}'}}
runs:
  using: composite
  steps:
    - shell: bash
      run: echo
"""


def own_action(folder: Path) -> Path:
    """What a runner fetches of Headway's repository, without what is not in it."""
    for name in ("action.yml", "pyproject.toml", "requirements.lock", "README.md", "LICENSE", "src"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    return folder


def pins(folder: Path) -> list[str]:
    """Every action that the workflows and Headway's own action use from elsewhere."""
    files = [*(folder / ".github" / "workflows").glob("*.yml"), ROOT / "action.yml"]
    found = {str(u) for f in files for u in _uses(yaml.safe_load(f.read_text("utf-8")))}
    return sorted(u for u in found if not u.startswith("./") and u != ACTION)


def _uses(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["uses"]] if isinstance(value.get("uses"), str) else []
        return own + [u for v in value.values() for u in _uses(v)]
    return [u for v in value for u in _uses(v)] if isinstance(value, list) else []


class Act:
    """``remote`` is the bare repository; ``flows`` a clone of it that holds the workflows."""

    def __init__(self, folder: Path, remote: Path, flows: Path) -> None:
        self.folder, self.flows = folder, flows
        own = own_action(folder / "headway")
        checkout, python = folder / "checkout", folder / "python"
        for place, text in (
            (checkout, _CHECKOUT.format(remote=remote)),
            (python, _PYTHON.format(python=sys.executable)),
        ):
            place.mkdir()
            (place / "action.yml").write_text(text, "utf-8")
        given = {"actions/checkout": checkout, "actions/setup-python": python}
        self._local = [f"{ACTION}={own}", *(f"{u}={given[u.partition('@')[0]]}" for u in pins(flows))]

    def run(self, event: str, payload: dict[str, Any], workflow: str = "headway.yml") -> tuple[int, str]:
        """Exit status and log of the workflow's run for an event."""
        told = self.folder / "event.json"
        repository = {"default_branch": "main", "full_name": NAME, "fork": False}
        told.write_text(json.dumps({"repository": repository, **payload}), "utf-8")
        local = [word for one in self._local for word in ("--local-repository", one)]
        home = self.folder / "home"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PYTHON", "VIRTUAL_ENV"))}
        env |= {
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "UV_CACHE_DIR": _cache("uv"),
            "UV_LINK_MODE": "copy",
        }
        argv = [
            str(Path(sys.executable).parent / "act"),
            event,
            f"--eventpath={told}",
            f"--workflows=.github/workflows/{workflow}",
            "--platform=ubuntu-latest=-self-hosted",
            "--secret=GITHUB_TOKEN=ghs_0123456789abcdefSECRET",
            "--no-cache-server",
            "--pull=false",
            f"--action-cache-path={self.folder / 'cache'}",
            *local,
        ]
        done = subprocess.run(argv, cwd=self.flows, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def _cache(name: str) -> str:
    return os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / name)
