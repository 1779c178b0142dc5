"""How long ``headway audit`` takes: with nothing kept, after 100 new trunk commits, when nothing changed.

Beside it one ``git log --raw`` over the trunk's commits since the cut. Takes clones that exist (``--repo`` with
``--branch``), or makes a repository of N commits whose branch has 300 picks of the last 5,000 (``--make N``), some with
trailers, most without. Each run is a process of its own with a cache folder of its own; nothing is written to a clone.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from headway.history.git import git_env

NEW = 100
FILES = 400
PICKS = 300
SINCE = 5_000


def timed(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Wall time (s) and largest resident set (MB) of a process; it may say no (status 1), not fail."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    took = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        sys.exit(f"{command} ended with status {child.returncode}")
    return took, used.ru_maxrss / 1024


def git(repo: Path, *args: str) -> str:
    done = subprocess.run(["git", "-C", str(repo), *args], env=git_env(), capture_output=True, text=True, check=True)
    return done.stdout.strip()


def measure(repo: Path, trunk: str, branch: str) -> None:
    """One row."""
    count = git(repo, "rev-list", "--count", trunk)
    cut = git(repo, "merge-base", trunk, branch)
    picks = git(repo, "rev-list", "--count", f"{cut}..{branch}")
    since = git(repo, "rev-list", "--count", f"{cut}..{trunk}")
    before = git(repo, "rev-parse", f"{trunk}~{min(NEW, int(since))}")
    now = git(repo, "rev-parse", trunk)
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "XDG_CACHE_HOME": cache}

        def audit(top: str) -> tuple[float, float]:
            command = [sys.executable, "-m", "headway", "audit", branch, "--repo", str(repo), "--trunk", top, "--json"]
            return timed(command, env)

        raw, _ = timed(["git", "-C", str(repo), "log", "--raw", "--no-renames", f"{cut}..{trunk}"], git_env())
        cold, peak = audit(before)
        grown, _ = audit(now)
        same, _ = audit(now)
    cells = (f"{repo.parent.name if repo.name == 'repo' else repo.name} {branch}", count, picks, since, f"{cold:.2f}")
    rest = (f"{cold / raw:.1f}", f"{grown:.2f}", f"{same:.2f}", f"{peak:.0f}")
    print(f"| {' | '.join((*cells, *rest))} |", flush=True)


def stream(commits: int) -> Iterator[bytes]:
    """A trunk of one-line edits, and a branch that picks some of the last, as ``git fast-import`` reads it."""
    rng = random.Random(7)  # noqa: S311 - data to measure with
    lines = {i: [f"line {i} {j}" for j in range(40)] for i in range(FILES)}
    edits: list[tuple[int, int, str]] = []
    who = "Ada <ada@example.org>"

    def write(ref: str, mark: int, parent: int | None, at: int, message: str, file: int, text: list[str]) -> bytes:
        data = ("\n".join(text) + "\n").encode()
        told = message.encode()
        head = f"commit {ref}\nmark :{mark}\nauthor {who} {at} +0000\ncommitter {who} {at} +0000\n".encode()
        origin = f"from :{parent}\n".encode() if parent else b""
        path = f"M 644 inline src/d{file % 20}/f{file}.py\ndata {len(data)}\n".encode()
        return head + f"data {len(told)}\n".encode() + told + b"\n" + origin + path + data + b"\n"

    for n in range(1, commits + 1):
        file, row = rng.randrange(FILES), rng.randrange(40)
        text = f"value_{rng.randrange(10**6)} = step_{n}({rng.randrange(10**6)})"
        edits.append((file, row, text))
        lines[file][row] = text
        message = f"[Core] Change {text.split(maxsplit=1)[0]} in part {file} (#{n})\n"
        yield write("refs/heads/main", n, n - 1 or None, 1_600_000_000 + n * 900, message, file, lines[file])
        if n == commits - SINCE:
            branched = {f: list(v) for f, v in lines.items()}
    parent = commits - SINCE
    for i, n in enumerate(sorted(rng.sample(range(commits - SINCE + 1, commits), PICKS))):
        file, row, text = edits[n - 1]
        branched[file][row] = text
        mark = commits + 1 + i
        trailer = f"\n(cherry picked from commit {'0' * 40})\n" if i % 10 == 0 else ""
        message = f"[v1.0] Change {text.split()[0]} in part {file} (#{commits + i})\n{trailer}"
        at = 1_600_000_000 + (n + 50) * 900
        yield write("refs/heads/releases/v1.0.0", mark, parent, at, message, file, branched[file])
        parent = mark


def make(folder: Path, commits: int) -> Path:
    repo = folder / f"made of {commits}"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(repo)], env=git_env(), check=True)
    child = subprocess.Popen(["git", "-C", str(repo), "fast-import", "--quiet"], stdin=subprocess.PIPE, env=git_env())
    assert child.stdin
    for piece in stream(commits):
        child.stdin.write(piece)
    child.stdin.close()
    child.wait()
    git(repo, "repack", "-a", "-d", "-q")
    return repo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", type=Path, help="a clone")
    parser.add_argument("--trunk", default="main", help="its trunk")
    parser.add_argument("--branch", action="append", default=[], help="a release branch; may be given several times")
    parser.add_argument("--make", type=int, action="append", default=[], help="make a repository of so many commits")
    options = parser.parse_args()
    titles = ("repository, branch", "commits", "of the branch", "since the cut", "cold s", "× git log --raw")
    print(f"| {' | '.join((*titles, f'{NEW} new s', 'unchanged s', 'peak MB'))} |\n|{'---|' * 9}")
    for branch in options.branch:
        measure(options.repo, options.trunk, branch)
    for commits in options.make:
        with tempfile.TemporaryDirectory() as folder:
            measure(make(Path(folder), commits), "main", "releases/v1.0.0")


if __name__ == "__main__":
    main()
