"""``pick check`` beside ``git cherry-pick``: the same answers, and how much sooner.

Takes the real picks of a release branch: each commit whose origin on the trunk is found, to be picked again onto what
the branch was before it. Git does so one by one in the work tree of a temporary clone; the checkouts that this takes
are timed apart. Headway gets the same pairs in one file, as a process of its own, cold; the git processes that it
starts are counted through a ``git`` on PATH that leaves a mark. States counts and times; writes nothing to the
repository.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from headway.history.git import NO_FETCH, git_env
from headway.history.identity import find_origins
from headway.history.objects import Objects
from headway.history.records import read_records
from headway.history.repository import Repository, open_repository, resolve_commit

SURE = 0.9
_SIDE = re.compile(r"~(?:HEAD|[0-9a-f]{7,64} \(.*\))$", re.DOTALL)
_UNREADABLE = re.compile(rb"unable to read sha1 file of (.+) \([0-9a-f]{40,64}\)")
_TRIES = 4  # checkouts
_CALM = ("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false")

Pair = tuple[str, str]  # onto, commit


@dataclass(frozen=True)
class Result:
    """``tree`` of a clean pick; else the conflicting paths."""

    tree: str | None
    conflicts: tuple[str, ...]


def real_picks(repo: Repository, trunk: str, branch: str, limit: int) -> list[Pair]:
    """The newest picks of a branch: what it was before each, and the pick's origin."""
    tip, top = resolve_commit(repo, branch), resolve_commit(repo, trunk)
    subjects = read_records(repo.git, ("--no-merges", str(tip), f"^{top}"))
    candidates = read_records(repo.git, ("--no-merges", str(top), f"^{tip}"))
    with Objects(repo.git) as objects:
        identities = find_origins(subjects, candidates, objects)
    found = [
        (s.parents[0], identities[s.sha].origins[0])
        for s in subjects
        if s.parents and len(identities[s.sha].origins) == 1 and identities[s.sha].confidence >= SURE
    ]
    return found[-limit:]


class _NotHere(Exception):
    """The clone lacks objects of this commit's files: git cannot check it out."""


class Tree:
    """A clone with a work tree that shares the objects of the repository."""

    def __init__(self, repo: Repository, folder: Path) -> None:
        self.folder = folder
        self.left_out: list[bytes] = []
        subprocess.run(
            ["git", "clone", "-q", "--shared", "--no-checkout", str(repo.git_dir), str(folder)],
            check=True,
            env=git_env({"GIT_LFS_SKIP_SMUDGE": "1"}),
        )
        self.env = git_env(
            NO_FETCH
            | {
                f"GIT_{w}_{k}": v
                for w in ("AUTHOR", "COMMITTER")
                for k, v in (("NAME", "n"), ("EMAIL", "e@example.org"))
            }
        )

    def git(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["git", *_CALM, *args], cwd=self.folder, env=self.env, capture_output=True, check=False)

    def _leave_out(self, words: bytes) -> bool:
        """Keep files whose content the clone lacks out of the work tree, where a checkout named some."""
        names = dict.fromkeys(_UNREADABLE.findall(words))
        self.left_out += [b"!/" + re.sub(rb"([\\*?\[\]!#])", rb"\\\1", name) for name in names]
        (self.folder / ".git" / "info" / "sparse-checkout").write_bytes(b"\n".join((b"/*", *self.left_out, b"")))
        self.git("config", "core.sparseCheckout", "true")
        self.git("config", "remote.origin.promisor", "true")  # then trees may name what is not here
        return bool(names)

    def pick(self, pair: Pair) -> tuple[Result, float, float]:
        """The result; seconds of the checkout and of the pick alone."""
        onto, commit = pair
        self.git("cherry-pick", "--quit")
        for _ in range(_TRIES):
            begun = time.perf_counter()
            out = self.git("checkout", "-q", "-f", "--detach", onto)
            between = time.perf_counter()
            if not out.returncode or not self._leave_out(out.stderr):
                break
        if out.returncode:
            raise _NotHere
        done = self.git("cherry-pick", "--allow-empty", "--keep-redundant-commits", commit)
        ended = time.perf_counter()
        rows = self.git("ls-files", "-u", "-z").stdout.decode("utf-8", "replace").split("\0")
        unmerged = sorted({_SIDE.sub("", row.split("\t", 1)[1]) for row in rows if row})
        if done.returncode:
            assert unmerged or b"could not apply" in done.stderr, done.stderr
            self.git("reset", "-q", "--hard")
            self.git("clean", "-qffdx")
            return Result(None, tuple(unmerged)), between - begun, ended - between
        tree = self.git("rev-parse", "HEAD^{tree}").stdout.decode().strip()
        return Result(tree, ()), between - begun, ended - between


def headway(repo: Repository, pairs: list[Pair], folder: Path, *more: str) -> tuple[list[dict[str, Any]], float, int]:
    """The results, the seconds of the whole process, and the git processes that it started."""
    real = shutil.which("git")
    marks = folder / "marks"
    wrapper = folder / "bin" / "git"
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\necho "$*" >> "{marks}"\nexec "{real}" "$@"\n')
    wrapper.chmod(0o755)
    marks.write_text("")
    (folder / "pairs").write_text("".join(f"{onto} {commit}\n" for onto, commit in pairs))
    command = [sys.executable, "-m", "headway", "pick", "check", "--json", "--repo", str(repo.git_dir)]
    env = {**os.environ, "PATH": f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"}
    begun = time.perf_counter()
    done = subprocess.run(
        [*command, "--pairs", str(folder / "pairs"), *more], env=env, capture_output=True, check=False
    )
    took = time.perf_counter() - begun
    document = json.loads(done.stdout)
    assert "results" in document, document
    return document["results"], took, len(marks.read_text().splitlines())


def compare(repo: Repository, pairs: list[Pair], show: bool) -> list[object]:
    """A row: picks, clean, conflicts, equal; git's and Headway's milliseconds a pick; ratios; git processes."""
    with tempfile.TemporaryDirectory(prefix="headway-bench-") as name:
        folder = Path(name)
        tree = Tree(repo, folder / "clone")
        tree.git("checkout", "-q", "-f", "--detach", pairs[0][0])
        results, took, processes = headway(repo, pairs, folder)
        checkout = alone = 0.0
        count: Counter[str] = Counter()
        for pair, row in zip(pairs, results, strict=True):
            try:
                real, moved, picked = tree.pick(pair)
            except _NotHere:
                count["not here"] += 1
                continue
            checkout, alone = checkout + moved, alone + picked
            mine = Result(row["tree"], tuple(sorted(row["conflicts"])))
            count["clean" if real.tree else "conflict"] += 1
            count["same"] += mine == real
            if show and mine != real:
                print(f"  {pair} git {real} headway {mine}", file=sys.stderr)
    done = len(pairs) - count["not here"]  # the others cost Headway time all the same: it is charged to these
    each = [f"{1000 * t / max(done, 1):.1f}" for t in (alone, checkout, took)]
    ratios = [f"{alone / took:.1f}", f"{(alone + checkout) / took:.1f}"]
    return [done, count["clean"], count["conflict"], count["same"], *each, *ratios, processes]


def prerequisites(repo: Repository, trunk: str, by_branch: dict[str, list[Pair]]) -> list[object]:
    """A row: conflicts on the cut that people solved by picking more (onto what the branch was before the pick it is
    clean), how many Headway solves, the median of the seconds and the size of the largest set."""
    cases = []
    with tempfile.TemporaryDirectory(prefix="headway-bench-") as name:
        folder = Path(name)
        for branch, mine in by_branch.items():
            cut = repo.git.run("merge-base", trunk, branch).strip()
            if mine:
                there, before = (headway(repo, p, folder)[0] for p in (mine, [(cut, c) for _, c in mine]))
                cases += [
                    (cut, t["commit"]) for t, b in zip(there, before, strict=True) if t["clean"] and b["clean"] is False
                ]
        sizes, seconds = [], []
        for case in dict.fromkeys(cases):
            ((row,), took, _) = headway(repo, [case], folder, "--prerequisites")
            sizes.append(len(row["prerequisites"]))
            seconds.append(took)
    share = f"{sum(map(bool, sizes))}/{len(sizes)}"
    return [share, f"{median(seconds):.2f}" if seconds else "-", max(sizes, default=0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clone", "--repo", dest="repo", metavar="PATH", type=Path, required=True)
    parser.add_argument("--trunk", required=True)
    parser.add_argument("--branch", action="append", required=True, help="may be given several times")
    parser.add_argument("--picks", type=int, default=300, help="of all branches together, the newest of each")
    parser.add_argument("--no-prerequisites", action="store_true", help="leave the conflicts on the cut out")
    parser.add_argument("--show", action="store_true", help="say on stderr what differs")
    options = parser.parse_args()
    repo = open_repository(options.repo)
    share = max(options.picks // len(options.branch), 1)
    by_branch = {b: real_picks(repo, options.trunk, b, share) for b in options.branch}
    pairs = [p for mine in by_branch.values() for p in mine]
    titles = ("repository", "picks", "clean", "conflicts", "same", "cherry-pick ms", "checkout ms", "Headway ms")
    more = ("ratio alone", "with checkouts", "git processes", "solved", "median s", "largest set")
    if not pairs:
        parser.error("no commit of these branches has an origin on the trunk that is sure")
    print(f"| {' | '.join((*titles, *more))} |")
    print("|" + "---|" * len((*titles, *more)))
    row = [options.repo.resolve().parent.name, *compare(repo, pairs, options.show)]
    row += ["-"] * 3 if options.no_prerequisites else prerequisites(repo, options.trunk, by_branch)
    print(f"| {' | '.join(map(str, row))} |")


if __name__ == "__main__":
    main()
