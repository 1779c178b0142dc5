"""What the GitHub Action runs: a command of Headway's, its result in a file, on the job's summary and in the outputs.

``python -P -m headway.cli.action`` is told all by its environment, so that no value passes through a shell: ``COMMAND``
and ``ARGS`` (words as a shell would part them), and of the runner ``RUNNER_TEMP``, ``GITHUB_STEP_SUMMARY`` and
``GITHUB_OUTPUT``. Its status is 0 for an answer that is yes or open, else the command's own.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.cli.common import OPEN, USAGE, YES
from headway.views.jobsummary import job_summary


def run(env: Mapping[str, str]) -> int:
    """Run the command; the status that the step ends with."""
    try:
        words = [*shlex.split(env.get("COMMAND") or "tick"), *shlex.split(env.get("ARGS", ""))]
    except ValueError as e:
        sys.stderr.write(f"headway: the inputs command and args are no words of a command line: {e}\n")
        return USAGE
    result = Path(env.get("RUNNER_TEMP") or ".") / "headway-result.json"
    # A line of the log that begins with :: is an instruction to the runner; titles of other people are in these.
    stop = secrets.token_hex(16)
    _tell(f"::stop-commands::{stop}")
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "headway", "--json", *words], stdout=subprocess.PIPE, check=False
        )
        result.write_bytes(done.stdout)
        _tell(done.stdout.decode("utf-8", "replace"))
    finally:
        _tell(f"::{stop}::")
    _append(env, "GITHUB_STEP_SUMMARY", job_summary(shlex.join(words), done.returncode, _document(done.stdout)))
    _append(env, "GITHUB_OUTPUT", f"status={done.returncode}\nresult={result}\n")
    return YES if done.returncode in {YES, OPEN} else done.returncode if done.returncode > 0 else 1


def _document(printed: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(printed)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _append(env: Mapping[str, str], name: str, text: str) -> None:
    if env.get(name):
        with Path(env[name]).open("a", encoding="utf-8") as f:
            f.write(text)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(run(os.environ))
