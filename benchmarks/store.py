"""The store of measurements at 5 million values: two releases over all cells, one cell over two years (E6).

    python benchmarks/store.py [--folder DIR] [--postgresql URL] [--nights N]

Builds, from a seed, two years of nightly launches (160 cells × 14 metrics × 3 repeats each) and two releases of five
launches a side, in the store's schema and in one flat table with a row for each value. Prints for each
question, of 21 readings, the median of the CPU time (the stable figure on a busy host) and the quickest, median and
slowest of the time it took, with the sizes. ``--postgresql`` (an SQLAlchemy URL of an empty database)
asks the same of PostgreSQL. Needs about 2 GB of disk for 5 million values.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, text

from headway.model.measurement import Cell, MeasuredCell
from headway.perf import schema as t
from headway.perf.reading import compare_releases, series
from headway.perf.store import MeasurementStore
from headway.perf.summing import summed

CELLS, METRICS, REPEATS, NIGHTS, LAUNCHES = 160, 14, 3, 740, 5
READINGS = 21
START = datetime(2024, 1, 1, tzinfo=UTC)
BASE, NEW = "b" * 40, "c" * 40
NAMES = tuple(f"{s}_{m}_ms" for s in ("mean", "median", "p99") for m in ("ttft", "tpot", "itl", "e2el"))
NAMES += ("output_throughput", "request_throughput")


def cell_of(i: int) -> MeasuredCell:
    model, hardware = ("Llama3", "Llama4", "Mixtral", "Qwen3")[i % 4], ("H100", "MI300x")[i // 4 % 2]
    return MeasuredCell(Cell(model, hardware, f"serving qps={i // 8}"), "vLLM benchmark", "vllm", device="cuda")


def launches(nights: int) -> Iterator[tuple[str, str, int]]:
    """(commit, branch, time) of each launch, oldest first."""
    for night in range(nights):
        yield f"{night:040x}", "main(refs/heads/main)", int((START + timedelta(days=night)).timestamp())
    at = int((START + timedelta(days=nights)).timestamp())
    for i in range(LAUNCHES * 2):
        yield (BASE, NEW)[i % 2], "releases/v1(refs/heads/releases/v1)", at + i


def numbers(launch: int) -> list[list[float]]:
    """The repeats of each cell-metric of a launch, in the order of cell and metric."""
    rng = random.Random(launch)  # noqa: S311 - data, not secrets
    return [[100 * rng.uniform(0.97, 1.03) for _ in range(REPEATS)] for _ in range(CELLS * METRICS)]


def build(place: str, nights: int) -> None:
    """The store's own schema, filled in bulk; the summary by the function that the store uses."""
    MeasurementStore(place, write=True).close()
    with MeasurementStore(place, write=True) as store, store.writing() as db:
        details = [
            {
                "id": i + 1,
                **{n: getattr(cell_of(i).cell, n) for n in ("model", "hardware", "test")},
                **{n: getattr(cell_of(i), n) for n in ("benchmark", "backend", "mode", "dtype", "device", "arch")},
            }
            for i in range(CELLS)
        ]
        db.execute(insert(t.cells), details)
        db.execute(insert(t.metrics), [{"id": i + 1, "name": n} for i, n in enumerate(NAMES)])
        for launch, (commit, branch, at) in enumerate(launches(nights), 1):
            row = {"id": launch, "key": str(launch), "commit": commit, "branch": branch, "repo": "o/n", "at": at}
            db.execute(insert(t.launches), [row])
            values, sums = [], []
            for i, repeats in enumerate(numbers(launch)):
                key = {"launch": launch, "cell": i // METRICS + 1, "metric": i % METRICS + 1}
                values += ({**key, "repeat": r, "value": v, "why": None} for r, v in enumerate(repeats))
                sums.append({**key, **(summed(list(repeats)) or {})})
            db.execute(insert(t.values), values)
            db.execute(insert(t.summary), sums)
    if "://" in place:
        with MeasurementStore(place, write=True) as store, store.writing() as db:
            db.execute(text("ANALYZE"))


def build_flat(path: Path, nights: int) -> None:
    """One row for each value, with all that identifies it, and an index for each question."""
    db = sqlite3.connect(path)
    db.execute(
        'CREATE TABLE flat (at INTEGER, repo TEXT, branch TEXT, "commit" TEXT, launch INTEGER, model TEXT,'
        " hardware TEXT, test TEXT, benchmark TEXT, backend TEXT, metric TEXT, repeat INTEGER, value REAL)"
    )
    for launch, (commit, branch, at) in enumerate(launches(nights), 1):
        rows = []
        for i, repeats in enumerate(numbers(launch)):
            m = cell_of(i // METRICS)
            what = (m.cell.model, m.cell.hardware, m.cell.test, m.benchmark, m.backend, NAMES[i % METRICS])
            rows += ((at, "o/n", branch, commit, launch, *what, r, v) for r, v in enumerate(repeats))
        db.executemany("INSERT INTO flat VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.execute('CREATE INDEX flat_of_commit ON flat ("commit")')
    db.execute("CREATE INDEX flat_of_cell ON flat (model, hardware, test, metric, at)")
    db.commit()
    db.close()


def flat_compare(path: Path) -> int:
    db = sqlite3.connect(path)
    found = db.execute(
        'SELECT "commit", model, hardware, test, metric, count(DISTINCT launch), count(*), avg(value), avg(ln(value)),'
        ' sum(ln(value) * ln(value)) FROM flat WHERE "commit" IN (?, ?) GROUP BY 1, 2, 3, 4, 5',
        (BASE, NEW),
    ).fetchall()
    db.close()
    return len(found) // 2


def flat_series(path: Path) -> int:
    c, db = cell_of(7).cell, sqlite3.connect(path)
    found = db.execute(
        'SELECT at, "commit", branch, avg(value), count(*) FROM flat WHERE model = ? AND hardware = ? AND test = ?'
        ' AND metric = ? GROUP BY at, "commit", branch ORDER BY at',
        (c.model, c.hardware, c.test, NAMES[1]),
    ).fetchall()
    db.close()
    return len(found)


def timed(what: str, ask: Callable[[], int]) -> None:
    rows, took, worked = ask(), [], []
    for _ in range(READINGS):
        began, busy = time.perf_counter(), time.process_time()
        ask()
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - busy) * 1000)
    took.sort()
    spread = f"{took[0]:7.1f} / {statistics.median(took):.1f} / {took[-1]:.1f} ms"
    print(f"{what:42} {statistics.median(worked):7.1f} ms CPU {spread} {rows:6} rows", flush=True)


def ask_store(name: str, place: str) -> None:
    with MeasurementStore(place) as store:
        timed(f"{name}: two releases over all cells", lambda: len(compare_releases(store, BASE, NEW)))
        timed(f"{name}: one cell over two years", lambda: len(series(store, cell_of(7), NAMES[1])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="where the databases are made, and kept")
    parser.add_argument("--postgresql", help="SQLAlchemy URL of an empty database")
    parser.add_argument("--nights", type=int, default=NIGHTS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        count = (args.nights + 2 * LAUNCHES) * CELLS * METRICS * REPEATS
        print(f"{count:,} values; {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},")
        print(f"SQLite {sqlite3.sqlite_version}, load {os.getloadavg()[0]:.1f}")
        ours, flat = folder / "store.db", folder / "flat.db"
        for path, make in (
            (ours, lambda: build(str(ours), args.nights)),
            (flat, lambda: build_flat(flat, args.nights)),
        ):
            if not path.exists():
                began = time.perf_counter()
                make()
                print(f"{path.name}: made in {time.perf_counter() - began:.0f} s", flush=True)
            print(f"{path.name}: {path.stat().st_size / 1e6:.0f} MB", flush=True)
        ask_store("store", str(ours))
        timed("flat table: two releases over all cells", lambda: flat_compare(flat))
        timed("flat table: one cell over two years", lambda: flat_series(flat))
        if args.postgresql:
            began = time.perf_counter()
            build(args.postgresql, args.nights)
            print(f"PostgreSQL: made in {time.perf_counter() - began:.0f} s", flush=True)
            ask_store("PostgreSQL", args.postgresql)


if __name__ == "__main__":
    main()
