"""A store as Headway made it before launches were kept (schema 1): read as it is, upgraded when it is written to."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.perf.reading import compare_releases
from headway.perf.store import MeasurementStore

# Written by the old store itself: three blocks of A against B, the last of them not valid, one of C against B.
OLD = (Path(__file__).parent.parent / "fixtures" / "perf-store" / "schema1.sql").read_text("utf-8")
A, B, C = "a" * 40, "b" * 40, "c" * 40
LLAMA, MIXTRAL = Cell("Llama3", "H100", "serving · 模型"), Cell("Mixtral", "MI300x", "latency")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        path = tmp_path / "perf.db"
        db = sqlite3.connect(path)
        db.executescript(OLD)
        db.close()
        return str(path)
    made: str = request.getfixturevalue("database")().replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(made)
    with engine.begin() as db:
        script = OLD.replace('"', "").replace("id INTEGER NOT NULL", "id SERIAL NOT NULL")
        for statement in sorted(script.split(";\n"), key=_order):
            if statement.strip():
                db.exec_driver_sql(statement.replace("%", "%%"))
        for table in ("perf_runs", "perf_cells", "perf_metrics", "perf_environment", "perf_samples"):
            db.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))  # noqa: S608 - our own names
    engine.dispose()
    return made


def _order(statement: str) -> tuple[bool, int]:
    """Tables before rows, and what is referred to before what refers to it."""
    names = ("perf_schema", "perf_runs", "perf_cells", "perf_metrics", "perf_environment", "perf_samples")
    found = re.search(r"(?:TABLE|INTO) (\w+)", statement)
    return "CREATE" not in statement, names.index(found[1]) if found else -1


def block(n: int, subject_is_a: bool = True) -> list[Sample]:
    if not subject_is_a:
        return [Sample(0, side, LLAMA, "median_tpot_ms", 11.5) for side in Side]
    if n == 2:
        return [Sample(2, side, LLAMA, "median_tpot_ms", None, "the engine died") for side in Side]
    return [
        Sample(n, side, cell, metric, 100.0 + n + i * 10 + (side is Side.CANDIDATE))
        for i, cell in enumerate((LLAMA, MIXTRAL))
        for side in Side
        for metric in ("median_tpot_ms", "p99_e2el_ms")
    ]


def holds_all(found: tuple[Comparison, ...]) -> None:
    assert [(c.subject, c.baseline) for c in found] == [(A, B), (C, B)]
    assert Counter(found[0].samples) == Counter(block(0) + block(1) + block(2))
    assert Counter(found[1].samples) == Counter(block(0, subject_is_a=False))
    assert found[0].environment == (("host", "x"), ("client", "own 1"), ("client", "own 2"))
    assert found[0].launches == ()


def version(url: str) -> int:
    engine = create_engine(url if "://" in url else f"sqlite:///{url}")
    with engine.connect() as db:
        found: int = db.execute(text("SELECT version FROM perf_schema")).scalar_one()
    engine.dispose()
    return found


def test_it_is_read_as_it_is_and_not_written(url: str) -> None:
    before = Path(url).read_bytes() if "://" not in url else b""
    with MeasurementStore(url) as store:
        holds_all(store.comparisons())
        assert {r.cell.cell for r in compare_releases(store, B, A)} == {LLAMA, MIXTRAL}
        rows = {(r.cell.cell, r.metric): r for r in compare_releases(store, B, A)}
    assert version(url) == 1
    assert "://" in url or Path(url).read_bytes() == before
    stat = rows[MIXTRAL, "p99_e2el_ms"].new
    assert stat is not None
    assert (stat.launches, stat.mean) == (2, 111.5)


def test_it_is_upgraded_when_it_is_written_to_and_goes_on(url: str) -> None:
    with MeasurementStore(url, write=True) as store:
        holds_all(store.comparisons())
        assert store.add(A, B, block(0)) == 0
        assert store.add(A, B, [Sample(0, Side.BASELINE, LLAMA, "median_tpot_ms", 5.0, repeat=1)]) == 0
        assert store.add(A, B, [Sample(3, Side.BASELINE, LLAMA, "median_tpot_ms", 5.0)]) == 1
    assert version(url) == 3
    with MeasurementStore(url, write=True) as store:
        assert len(store.comparisons()[0].samples) == 8 + 8 + 2 + 1
    engine = create_engine(url if "://" in url else f"sqlite:///{url}")
    with engine.connect() as db, pytest.raises(Exception, match="perf_samples"):
        db.execute(text("SELECT * FROM perf_samples"))
    engine.dispose()


def test_a_store_without_the_index_by_time_gets_it_when_it_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "perf.db"
    with MeasurementStore(path, write=True) as store:
        store.add(A, B, block(0))
    db = sqlite3.connect(path)
    db.execute("DROP INDEX perf_launches_by_time")
    db.execute("UPDATE perf_schema SET version = 2")
    db.commit()
    with MeasurementStore(path) as store:
        assert len(store.comparisons()) == 1
    assert version(str(path)) == 2
    for _ in range(2):
        with MeasurementStore(path, write=True) as store:
            assert store.add(A, B, block(0)) == 0
    assert version(str(path)) == 3
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'perf_launches_by_time'").fetchone() == (1,)
    plan = str(db.execute('EXPLAIN QUERY PLAN SELECT max(at), "commit" FROM perf_launches WHERE at > 1').fetchall())
    assert "COVERING INDEX perf_launches_by_time" in plan
    db.close()


def test_a_kill_in_the_upgrade_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "perf.db"
    db = sqlite3.connect(path)
    db.executescript(OLD)
    db.close()
    dies = (
        "import os, signal, sys\n"
        "from headway.perf import schema1\n"
        "from headway.perf.store import MeasurementStore\n"
        "real = schema1.write\n"
        "def write(db, found):\n"
        "    real(db, found[:1])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "schema1.write = write\n"
        "MeasurementStore(sys.argv[1], write=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", dies, str(path)], check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    with MeasurementStore(path, write=True) as store:
        holds_all(store.comparisons())
