"""A project as large as a board must bear: 50 trains, 5,000 picks, 27,000 ledger entries, 5 million measured values.

    python benchmarks/board_world.py FOLDER [--trains N] [--picks N] [--values N]

Makes the same bare repository, ledger and store of measurements each time, in bulk: a trunk, a release branch for each
train that departed with its picks on it, fix releases of the newest lines and the next regular train under way with
more picks, some of them still to be applied. ``FOLDER/project.git`` is what `headway serve` is pointed at, with
``--now`` as it is printed. What is there already is left. Needs about 0.5 GB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import store
from sqlalchemy import insert

from headway.ledger import tables
from headway.ledger.connect import writer
from headway.ledger.place import place_of
from headway.ledger.rows import row_of, seal
from headway.ledger.store import open_ledger
from headway.model.entry import GENESIS, Kind, digest_of
from headway.model.measurement import Cell, Sample, Side
from headway.perf.store import MeasurementStore
from headway.policy.loader import load_policy

ANCHOR = datetime(2025, 1, 15, 9, tzinfo=UTC)
STEP = timedelta(days=14)
APART = 400  # trunk commits between two cuts
FIXES = 10  # fix releases under way, of the newest lines
CELLS = tuple(f"serving qps={q}" for q in (1, 4, 16, 64))
POLICY = """schema = 1
preset = "generic"
[project]
name = "toy"
[cadence]
anchor = 2025-01-15
anchor_version = "0.1.0"
[perf]
required = true
models = ["Llama3"]
hardware = ["H100"]
serve = "{python} -m toy --port {port}"
looks = [3, 6]
""" + "".join(
    f'[[perf.cells]]\nmodel = "Llama3"\nhardware = "H100"\ntest = "{c}"\nclient = "--input-len {n + 1}"\n'
    'metrics = ["median_tpot_ms", "output_throughput"]\n'
    for n, c in enumerate(CELLS)
)


@dataclass(frozen=True, slots=True)
class Size:
    """``trains`` in all; ``picks`` shared by them; ``values`` measured ones, about."""

    trains: int = 50
    picks: int = 5000
    values: int = 5_040_000

    @property
    def done(self) -> int:
        return self.trains - 1 - self.fixes

    @property
    def fixes(self) -> int:
        return min(FIXES, (self.trains - 1) // 2)

    @property
    def each(self) -> int:
        return self.picks // self.trains

    @property
    def now(self) -> datetime:
        return ANCHOR + STEP * (self.done + 1) - timedelta(days=1)


def cut_at(k: int) -> int:
    """The trunk commit, from 0, where train ``k`` (from 1) was cut."""
    return k * APART


def when(i: int) -> datetime:
    """When trunk commit ``i`` was made: train ``k`` is cut two days before its day."""
    return ANCHOR - timedelta(days=2) + STEP * i / APART


def data(text: str) -> bytes:
    raw = text.encode()
    return b"data %d\n%s\n" % (len(raw), raw)


def commit(ref: str, mark: int, at: datetime, message: str, path: str, text: str, parent: str = "") -> bytes:
    who = f"Author {mark % 40} <author{mark % 40}@example.org> {int(at.timestamp())} +0000"
    head = f"commit {ref}\nmark :{mark}\nauthor {who}\ncommitter {who}\n".encode() + data(message)
    return head + (f"from {parent}\n" if parent else "").encode() + f"M 100644 inline {path}\n".encode() + data(text)


def title(i: int) -> str:
    return f"[Bugfix] Mend number {i} of the scheduler's paged cache (#{i})"


def file_of(i: int) -> tuple[str, str]:
    return f"src/part{i % 97}/file{i}.py", f"MENDED = {i}\n" * 5


def trunk(count: int) -> Iterator[bytes]:
    yield commit("refs/heads/main", 1, when(0), "Begin (#0)\n", "release.toml", POLICY)
    for i in range(1, count):
        yield commit("refs/heads/main", i + 1, when(i), title(i) + "\n", *file_of(i))


@dataclass(frozen=True, slots=True)
class Planned:
    """A train as it is made: its picks by trunk commit, ``applied`` of them on the branch behind ``start``."""

    version: str
    branch: str
    start: str
    picks: tuple[int, ...]
    applied: int
    ended: bool


def planned(size: Size) -> Iterator[Planned]:
    for k in range(1, size.done + 2):
        version, each = f"0.1.{k}", size.each
        base, ended = cut_at(k) + 1, k <= size.done
        picks = tuple(base + 2 * n for n in range(each))
        yield Planned(version, f"releases/v{version}", f":{base}", picks, each if ended else each * 4 // 5, ended)
    for k in range(size.done - size.fixes + 1, size.done + 1):
        version, branch = f"0.1.{k}.post1", f"releases/v0.1.{k}"
        picks = tuple(cut_at(k) + 2 + 2 * n for n in range(size.each))
        yield Planned(version, branch, "", picks, size.each * 4 // 5, False)


def branches(trains: list[Planned], first: int, shas: dict[str, str]) -> Iterator[bytes]:
    """Picks on their branches, each under a mark of its own; tags of candidates and releases."""
    mark = first
    for t in trains:
        for n, i in enumerate(t.picks[: t.applied]):
            message = f"{title(i)}\n\n(cherry picked from commit {shas[f':{i + 1}']})\n"
            parent = shas[t.start] if n == 0 and t.start else ""
            yield commit(f"refs/heads/{t.branch}", mark, when(i + APART // 2), message, *file_of(i), parent)
            if n in {t.applied // 2, t.applied - 1}:
                yield tag(f"v{t.version}-rc{1 if n < t.applied - 1 else 2}", mark, when(i + APART // 2))
            mark += 1
        if t.ended:
            yield tag(f"v{t.version}", mark - 1, when(t.picks[-1] + APART // 2))


def tag(name: str, mark: int, at: datetime) -> bytes:
    return f"tag {name}\nfrom :{mark}\ntagger R <r@example.org> {int(at.timestamp())} +0000\n".encode() + data(name)


def make_repository(path: Path, size: Size) -> tuple[list[Planned], dict[str, str], int]:
    """The repository, what is planned, and the SHA of each mark; branch commits begin at the last number."""
    trains, count = list(planned(size)), cut_at(size.done + 2)
    git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
    marks = path / "marks"
    fast = ("-C", str(path), "fast-import", "--quiet", "--date-format=raw")
    git(*fast, f"--export-marks={marks}", stdin=b"".join(trunk(count)))
    shas = dict(line.split() for line in marks.read_text().splitlines())
    git(
        *fast,
        f"--import-marks={marks}",
        f"--export-marks={marks}",
        stdin=b"".join(branches(trains, count + 1, shas)),
    )
    shas = dict(line.split() for line in marks.read_text().splitlines())
    marks.unlink()
    return trains, shas, count + 1


def git(*argv: str, stdin: bytes | None = None) -> None:
    subprocess.run(["git", *argv], input=stdin, check=True)


Written = tuple[datetime, str, Kind, str, dict[str, object]]


def story(trains: list[Planned], shas: dict[str, str], first: int) -> Iterator[Written]:
    """All entries, without their policy; not in order of time, but each train's own are."""
    mark = first
    for t in trains:
        at = when(t.picks[0])
        if t.start:
            yield at, "headway", Kind.CUT, t.version, {"branch": t.branch, "commit": shas[t.start]}
        changes: list[dict[str, object]] = []
        for n, i in enumerate(t.picks):
            at, sha = when(i + APART // 2), shas[f":{i + 1}"]
            yield at, f"Person {i % 20}", Kind.REQUESTED, t.version, requested(t, i, sha)
            for what in ("pull", "check", "comment", "issue"):
                known = {"what": what, "about": f"pick:{i}:{what}", "number": i, "id": i, "url": f"https://e.org/{i}"}
                yield at, "headway", Kind.WRITTEN, t.version, {**known, "digest": digest_of(i), "open": False}
            if n < t.applied:
                change = {"kind": "pick", "origin": sha, "commit": shas[f":{mark}"], "request": i}
                changes.append({**change, "undoes": None, "subject": title(i), "resolved": None})
                mark += 1
                if n in {t.applied // 2, t.applied - 1} or len(changes) == 5:
                    yield at, "headway", Kind.APPLIED, t.version, applied(t, changes)
                    changes = []
                if n in {t.applied // 2, t.applied - 1}:
                    number = 1 if n < t.applied - 1 else 2
                    yield from candidate(t, number, shas[f":{mark - 1}"], at)


def requested(t: Planned, i: int, sha: str) -> dict[str, object]:
    return {
        "ref": f"#{i}",
        "commit": sha,
        "commits": [sha],
        "subject": title(i),
        "branch": t.branch,
        "category": "regression",
        "reason": "the cache was torn when a request ended while another began",
        "evidence": [f"https://example.org/issues/{i}"],
        "claims": {"good": "0.1.0", "bad": "main"},
        "verdict": "accepted",
        "violations": [],
        "waived": [],
        "inputs": {},
    }


def applied(t: Planned, changes: list[dict[str, object]]) -> dict[str, object]:
    before, after = changes[0]["commit"], changes[-1]["commit"]
    return {"branch": t.branch, "before": before, "after": after, "changes": changes}


def candidate(t: Planned, number: int, sha: str, at: datetime) -> Iterator[Written]:
    """A candidate from its tag to its measurement; the last one of a train that departed is published."""
    known = {"tag": f"v{t.version}-rc{number}", "commit": sha}
    yield at, "headway", Kind.TAGGED, t.version, known
    names = (f"toy-{t.version}-py3-none-any.whl", f"toy-{t.version}.tar.gz")
    files = [{"file": f, "sha256": digest_of([f, number]), "size": 70_000} for f in names]
    told = {"ok": True, "log": "", "seconds": 61.5, "why": ""}
    yield at, "headway", Kind.BUILT, t.version, {**known, **told, "artifacts": files}
    test = {"wheel": files[0]["sha256"], "files": [f["sha256"] for f in files], "command": "pytest", "checks": []}
    yield at, "headway", Kind.TESTED, t.version, {**known, **told, **test}
    span = {"first": 0, "last": 6, "branch": t.branch, "digest": "0" * 64, "baseline": store.BASE}
    yield at, "headway", Kind.MEASURED, t.version, {**known, **span}
    if t.ended and number == 2:
        offered = [{"file": f["file"], "sha256": f["sha256"]} for f in files]
        final = {"tag": f"v{t.version}", "commit": sha}
        approval = {"gate": "go", "commit": sha, "evidence": digest_of(sha), "left_out": []}
        yield at, "Rosa", Kind.APPROVED, t.version, approval
        told = {"index": "folder", "evidence": digest_of(sha)}
        yield at, "headway", Kind.PUBLISHED, t.version, {**known, **told, "files": offered}
        yield at, "headway", Kind.RELEASED, t.version, {**final, "notes_sha256": digest_of(t.version), "latest": True}


def write_ledger(path: Path, entries: list[Written]) -> None:
    """Sealed one after another as the ledger itself does it, and written in one transaction."""
    open_ledger(path, write=True)
    policy = load_policy(POLICY, source="release.toml", preset=None)
    whole = policy.model_dump(mode="json", by_alias=True, exclude={"ledger"})
    digest, head, rows, numbers = digest_of(whole), (0, GENESIS), [], {}
    for at, actor, kind, train, payload in sorted(entries, key=lambda e: e[0]):
        said: dict[str, Any] = {"policy": digest if rows else whole, **payload}
        if kind is Kind.APPLIED:
            said["changes"] = [{**c, "request": numbers[train, c["request"]]} for c in said["changes"]]
        entry = seal(head, at, actor, kind, train, said)
        if kind is Kind.REQUESTED:
            numbers[train, int(said["ref"][1:])] = entry.seq
        head = (entry.seq, entry.digest)
        rows.append(row_of(entry))
    with writer(place_of(path), 30.0).begin() as db:
        db.execute(insert(tables.entries), rows)


def samples(seed: int) -> Iterator[Sample]:
    for block in range(6):
        for n, test in enumerate(CELLS):
            wobble = 1 + 0.002 * ((block + seed + n) % 3)
            for metric, base in (("median_tpot_ms", 10.0 + n), ("output_throughput", 100.0 * (n + 1))):
                yield Sample(block, Side.BASELINE, Cell("Llama3", "H100", test), metric, base)
                yield Sample(block, Side.CANDIDATE, Cell("Llama3", "H100", test), metric, base * wobble)


def make(folder: Path, size: Size = Size()) -> Path:
    """The world in ``folder``; the path of its repository."""
    path = folder / "project.git"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    state = path / "headway"
    trains, shas, first = make_repository(path, size)
    state.mkdir()
    entries = list(story(trains, shas, first))
    write_ledger(state / "ledger.db", entries)
    measured = state / "measurements.db"
    nights = max(1, round(size.values / (store.CELLS * store.METRICS * store.REPEATS)) - 2 * store.LAUNCHES)
    store.build(str(measured), nights)
    with MeasurementStore(measured, write=True) as kept:
        tagged = [p["commit"] for _, _, kind, _, p in entries if kind is Kind.TAGGED]
        for n, sha in enumerate(tagged):
            kept.add(str(sha), store.BASE, list(samples(n)), [("host", "toy")])
    return path


def size_of(args: argparse.Namespace) -> Size:
    return Size(args.trains, args.picks, args.values)


def with_sizes(parser: argparse.ArgumentParser) -> None:
    for name in ("trains", "picks", "values"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Size(), name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    with_sizes(parser)
    args = parser.parse_args()
    size, began = size_of(args), time.perf_counter()
    path = make(args.folder, size)
    sys.stderr.write(f"made in {time.perf_counter() - began:.0f} s\n")
    print(f"headway --repo {path} --now {size.now.isoformat()} serve")


if __name__ == "__main__":
    main()
