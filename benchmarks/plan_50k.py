"""Time of ``headway plan --json`` on a long history, beside git's own reading of the same trunk.

Makes a bare repository of ``--commits`` trunk commits (the same ones every time) in a temporary folder, with a release
every fortnight, and puts a train into the middle of its work with Headway's own commands: cut, pick requests, trunk
reverts. Then times whole processes. Needs git and headway in this environment; run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

TIP = datetime(2025, 2, 4, 18, tzinfo=UTC)
A_DAY = 64  # trunk commits, as vLLM has
STEP = timedelta(days=1) / A_DAY
PICKS, REVERTS = 10, 2
FILES, FOLDERS = 2000, 100
AUTHORS = 40
TAGS = ("[Bugfix]", "[Core]", "[Kernel]", "[CI/Build]", "[Model]", "[Misc]", "[Frontend]", "[V1]")
POLICY = 'schema = 1\npreset = "generic"\n[cadence]\nanchor = 2025-01-22\nanchor_version = "0.7.0"\n'
VERSION = "0.7.1"
WARM_UPS, RUNS = 1, 5


class History:
    """A trunk of ``count`` commits for git fast-import. Commit ``i`` (from 0) has mark ``i + 1``."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.cut = count - 1 - A_DAY  # a day before the tip
        fortnight = 14 * A_DAY
        self.released = list(range(self.cut - fortnight, fortnight, -fortnight))[::-1]

    def at(self, i: int) -> int:
        return int((TIP - (self.count - 1 - i) * STEP).timestamp())

    def commit(self, i: int, body: str = "") -> bytes:
        subject = f"{TAGS[i % len(TAGS)]} Change number {i} of file {i * 7 % FILES} (#{i + 100})"
        return self._commit("refs/heads/main", i + 1, subject, body, i, i * 7 % FILES)

    def revert(self, i: int, target: int, sha: str, parent: str) -> bytes:
        subject, body = f'Revert "Change number {target}" (#{i + 100})', f"This reverts commit {sha}.\n"
        before = target - FILES  # the change of the same file before it
        return self._commit(
            "refs/heads/main", i + 1, subject, body, i, target * 7 % FILES, parent=parent, text_of=before
        )

    def _commit(
        self,
        ref: str,
        mark: int,
        subject: str,
        body: str,
        i: int,
        file: int,
        *,
        parent: str = "",
        files: bytes = b"",
        text_of: int | None = None,
    ) -> bytes:
        who = f"Author {i % AUTHORS} <author{i % AUTHORS}@example.org> {self.at(i)} +0000"
        message = f"{subject}\n\n{body}".encode()
        text = f"line of change {i if text_of is None else text_of}\n".encode() * 20
        return (
            f"commit {ref}\nmark :{mark}\nauthor {who}\ncommitter {who}\ndata {len(message)}\n".encode()
            + message
            + (f"from {parent}\n".encode() if parent else b"")
            + files
            + f"M 100644 inline src/part{file % FOLDERS}/file{file}.py\ndata {len(text)}\n".encode()
            + text
            + b"\n"
        )

    def first(self) -> Iterator[bytes]:
        """The trunk up to the last commits, and every release with three commits of its own."""
        policy = POLICY.encode()
        files = f"M 100644 inline release.toml\ndata {len(policy)}\n".encode() + policy + b"\n"
        yield self._commit("refs/heads/main", 1, "First commit (#100)", "", 0, 0, files=files)
        for i in range(1, self.count - REVERTS):
            yield self.commit(i)
        for k, i in enumerate(self.released):
            version = "0.7.0" if i == self.released[-1] else f"0.6.{k}"
            branch = f"refs/heads/releases/v{version}"
            for n in range(3):
                mark = self.count + 10 + 3 * k + n
                parent = f":{i + 1}" if n == 0 else ""
                subject, body = f"[Bugfix] Fix {n} for {version}", f"(cherry picked from commit {i + n:040x})\n"
                yield self._commit(branch, mark, subject, body, i + n + 1, i * 7 % FILES, parent=parent)
            note = version.encode()
            who = f"Releaser <releaser@example.org> {self.at(i) + 144000} +0000"
            yield f"tag v{version}\nfrom {branch}\ntagger {who}\ndata {len(note)}\n".encode() + note + b"\n"


def make_repository(path: Path, count: int) -> None:
    """The bare repository with a train that is cut, has requests to apply and trunk reverts to carry over."""
    history = History(count)
    marks = path / "marks"
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(path))
    importing = ("git", "-C", str(path), "fast-import", "--quiet", "--date-format=raw")
    run(*importing, f"--export-marks={marks}", stdin=b"".join(history.first()))
    shas = dict(line.split() for line in marks.read_text().splitlines())
    targets = [history.cut - 10 * (n + 1) for n in range(REVERTS)]
    tail = [
        history.revert(count - REVERTS + n, t, shas[f":{t + 1}"], "" if n else "refs/heads/main^0")
        for n, t in enumerate(targets)
    ]
    run(*importing, stdin=b"".join(tail))
    cut = shas[f":{history.cut + 1}"]
    headway(path, "cut", VERSION, "--at", cut)
    for n in range(PICKS):
        sha = shas[f":{history.cut + 2 + 5 * n}"]
        options = ("--category", "regression", "--reason", "it was broken", "--good", "v0.7.0", "--bad", "main")
        headway(path, "pick", "request", sha, *options)
    actions = json.loads(headway(path, "plan"))["actions"]
    assert [(a["kind"], len(a["changes"])) for a in actions] == [("apply", PICKS + REVERTS)], actions


def run(*argv: str, stdin: bytes | None = None, statuses: tuple[int, ...] = (0,)) -> bytes:
    done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
    if done.returncode not in statuses:
        sys.exit(f"{' '.join(argv)}: status {done.returncode}\n{done.stderr.decode()}{done.stdout.decode()}")
    return done.stdout


def headway(path: Path, *args: str) -> bytes:
    common = ("--repo", str(path), "--now", TIP.isoformat(), "--as", "benchmark", "--json")
    return run(sys.executable, "-m", "headway", *args, *common)


def timed(*argv: str) -> list[float]:
    """Wall-clock seconds of whole processes, after warm-ups."""
    seconds = []
    for n in range(WARM_UPS + RUNS):
        began = time.perf_counter()
        run(*argv)
        if n >= WARM_UPS:
            seconds.append(time.perf_counter() - began)
    return seconds


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=50_000, help="trunk commits (at least 3000)")
    wanted = parser.parse_args()
    if wanted.commits < 3000:
        parser.error("--commits must be at least 3000")
    folder = Path(tempfile.mkdtemp(prefix="headway-benchmark-"))
    try:
        path = folder / "project.git"
        began = time.perf_counter()
        make_repository(path, wanted.commits)
        sys.stderr.write(f"made in {time.perf_counter() - began:.0f} s\n")
        load = os.getloadavg()[0]
        common = ("--repo", str(path), "--now", TIP.isoformat(), "--json")
        plan = timed(sys.executable, "-m", "headway", "plan", *common)
        start = timed(sys.executable, "-m", "headway", "--version")
        git = timed("git", "-C", str(path), "log", "--format=%H%s", "main")
        whole = median(git)
        trunk = int(run("git", "-C", str(path), "rev-list", "--count", "main"))
        releases = len(History(wanted.commits).released)
        print(f"{trunk} trunk commits, {releases} releases, {PICKS} requests and {REVERTS} trunk reverts to apply.")
        print(f"{os.cpu_count()} cores, {processor()}; load {load:.2f} before the first run;")
        print(f"Python {platform.python_version()}, {run('git', '--version').decode().strip()}.\n")
        print(f"| command | median of {RUNS}, s | fastest | slowest | against git log |")
        print("|---|---|---|---|---|")
        rows = (("headway plan --json", plan), ("headway --version", start), ("git log --format=%H%s main", git))
        for name, seconds in rows:
            figures = f"{median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} | {median(seconds) / whole:.2f}"
            print(f"| `{name}` | {figures} |")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
