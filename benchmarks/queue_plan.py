"""Time of ``headway plan`` with a long queue: hundreds of accepted requests on a trunk of tens of thousands of commits.

Makes a bare repository of ``--commits`` trunk commits in a temporary folder, cuts a release branch ``2 * --requests``
commits before the tip, and writes a request for every second commit since into the ledger, as ``pick request`` does.
Those commits change a few files again and again, so that no pick is settled without a merge, and some conflict. Then
times whole processes of ``plan``: the first, and the median of those after it. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from plan_50k import STEP, TIP, VERSION, History, headway, processor, run

from headway.ledger.store import open_ledger
from headway.model.entry import Kind

FILES, LINES, APART = 51, 400, 19  # an odd number: what is asked for stands on what is not
CONFLICT_EVERY = 25  # a commit that rewrites the line that the one before it in its file wrote
RUNS = 5
BRANCH = f"releases/v{VERSION}"


class Queue(History):
    """A trunk whose last commits are what is asked for."""

    def __init__(self, count: int, requests: int) -> None:
        super().__init__(count)
        self.cut = count - 1 - 2 * requests
        self.released = [i for i in self.released if i < self.cut - 14 * 64]

    def tail(self) -> Iterator[bytes]:
        """The trunk since the cut: each commit changes one line of one of a few files."""
        texts = [[f"line {n} of {file}\n" for n in range(LINES)] for file in range(FILES)]
        for j in range(self.count - 1 - self.cut):
            i, file, turn = self.cut + 1 + j, j % FILES, j // FILES
            again = j % CONFLICT_EVERY == 0 and turn > 0
            texts[file][(turn - again) * APART % LINES] = f"changed by {i}\n"
            data = "".join(texts[file]).encode()
            yield self._edit(i, f"[Bugfix] Change number {i} (#{i + 100})", f"queue/file{file}.py", data)

    def _edit(self, i: int, subject: str, path: str, data: bytes) -> bytes:
        who = f"Author {i % 40} <author{i % 40}@example.org> {self.at(i)} +0000"
        message = f"{subject}\n".encode()
        head = f"commit refs/heads/main\nmark :{i + 1}\nauthor {who}\ncommitter {who}\ndata {len(message)}\n".encode()
        return head + message + f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"

    def first(self) -> Iterator[bytes]:
        """All of it; the files that the queue changes are there before the cut."""
        whole, self.count = self.count, self.cut - FILES + 3  # the base class leaves its own reverts out
        yield from super().first()
        self.count = whole
        for file in range(FILES):
            i = self.cut - FILES + 1 + file
            data = "".join(f"line {n} of {file}\n" for n in range(LINES)).encode()
            yield self._edit(i, f"Begin file {file} (#{i + 100})", f"queue/file{file}.py", data)
        yield from self.tail()


def make_repository(path: Path, count: int, requests: int) -> None:
    queue = Queue(count, requests)
    marks = path / "marks"
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(path))
    importing = ("git", "-C", str(path), "fast-import", "--quiet", "--date-format=raw", f"--export-marks={marks}")
    run(*importing, stdin=b"".join(queue.first()))
    shas = dict(line.split() for line in marks.read_text().splitlines())
    headway(path, "cut", VERSION, "--at", shas[f":{queue.cut + 1}"])
    ledger = open_ledger(path / "headway" / "ledger.db", write=True)
    for n in range(requests):
        i = queue.cut + 2 + 2 * n
        payload = {
            "ref": f"#{i + 100}",
            "commit": shas[f":{i + 1}"],
            "commits": [shas[f":{i + 1}"]],
            "subject": f"[Bugfix] Change number {i} (#{i + 100})",
            "branch": BRANCH,
            "category": "regression",
            "reason": "it was broken",
            "evidence": ["https://example.org/a-failing-test"],
            "claims": {"good": "0.7.0", "bad": "main"},
            "verdict": "accepted",
            "violations": [],
            "inputs": {},
        }
        ledger.append(TIP - STEP * (requests - n), f"Person {n % 20}", Kind.REQUESTED, VERSION, payload)


def plan(path: Path) -> tuple[float, dict[str, int]]:
    """Seconds of one process, and what it said."""
    began = time.perf_counter()
    said = json.loads(headway(path, "plan"))
    seconds = time.perf_counter() - began
    waits = [w["code"] for w in said["waits"]]
    return seconds, {
        "apply": sum(len(a["changes"]) for a in said["actions"] if a["kind"] == "apply"),
        "conflicts": waits.count("picks.conflict"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=50_000, help="trunk commits (at least 5000)")
    parser.add_argument("--requests", type=int, default=500, help="accepted requests (at most 1000)")
    parser.add_argument("--keep", type=Path, help="make the repository here, and leave it")
    wanted = parser.parse_args()
    if wanted.commits < 5000 or not 0 < wanted.requests <= 1000:
        parser.error("--commits must be at least 5000, --requests from 1 to 1000")
    folder = Path(tempfile.mkdtemp(prefix="headway-benchmark-"))
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")  # so that the first one has nothing to go by
    try:
        path = wanted.keep or folder / "project.git"
        began = time.perf_counter()
        make_repository(path, wanted.commits, wanted.requests)
        sys.stderr.write(f"made in {time.perf_counter() - began:.0f} s\n")
        load = os.getloadavg()[0]
        first, found = plan(path)
        again = [plan(path) for _ in range(RUNS)]
        if any(said != found for _, said in again) or sum(found.values()) != wanted.requests:
            sys.exit(f"not every request was planned: {found}, {[said for _, said in again]}")
        seconds = [s for s, _ in again]
        print(f"{wanted.commits} trunk commits, {wanted.requests} accepted requests: {found['apply']} apply, ", end="")
        print(f"{found['conflicts']} conflict.")
        print(f"{os.cpu_count()} cores, {processor()}; load {load:.2f} before the first run;")
        print(f"Python {platform.python_version()}, {run('git', '--version').decode().strip()}.\n")
        print(f"| command | first, s | median of {RUNS} more, s | fastest | slowest |")
        print("|---|---|---|---|---|")
        print(
            f"| `headway plan --json` | {first:.2f} | {median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} |"
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
