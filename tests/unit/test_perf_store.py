"""The store of measurements, on SQLite and on a PostgreSQL that the test brings up."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from headway.errors import UnusableInput, WorldFailed
from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.perf.store import MeasurementStore

A, B, C = "a" * 40, "b" * 40, "c" * 40
CELL = Cell("Llama3", "H100", "serving · 模型")
ENV = (("host", "x"), ("client", "own 1"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "deep er" / "perf.db")
    made: str = request.getfixturevalue("database")()
    return made.replace("postgresql://", "postgresql+psycopg://", 1)


def block(number: int, value: float | None = 10.0, why: str = "") -> tuple[Sample, ...]:
    return tuple(Sample(number, side, CELL, "median_tpot_ms", value, why) for side in Side)


def test_what_goes_in_comes_out_and_every_block_is_kept(url: str) -> None:
    with MeasurementStore(url, write=True) as store:
        assert store.add(A, B, block(0), ENV) == 2
        assert store.add(A, B, block(1, None, "the engine died"), ENV) == 2
        assert store.add(C, B, block(0, 11.5), ENV) == 2
    with MeasurementStore(url) as store:
        assert store.comparisons() == (
            Comparison(A, B, block(0) + block(1, None, "the engine died"), ENV),
            Comparison(C, B, block(0, 11.5), ENV),
        )


def test_adding_again_changes_nothing(url: str) -> None:
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, block(0), ENV)
        before = store.comparisons()
        assert store.add(A, B, block(0), ENV) == 0
        assert store.add(A, B, block(0, 99.0), ENV) == 0
        assert store.comparisons() == before


def test_a_changed_environment_is_kept_beside_the_first(url: str) -> None:
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, block(0), ENV)
        store.add(A, B, block(1), (("host", "x"), ("client", "own 2")))
        assert store.comparisons()[0].environment == (*ENV, ("client", "own 2"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_kept_as_none_with_why(url: str, value: float) -> None:
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, block(0, value))
        assert {(s.value, s.why) for s in store.comparisons()[0].samples} == {(None, f"not a finite number: {value}")}


def test_a_failure_half_way_leaves_nothing(url: str) -> None:
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, block(0))

        def interrupted() -> Iterator[Sample]:
            yield from block(0)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.add(C, B, interrupted())
        assert [c.subject for c in store.comparisons()] == [A]


def test_reading_what_is_not_there_is_empty_and_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none" / "perf.db"
    with MeasurementStore(path) as store:
        assert store.comparisons() == ()
        with pytest.raises(WorldFailed):
            store.add(A, B, block(0))
    assert not path.parent.exists()


def test_a_database_without_measurements_is_empty_when_read(url: str) -> None:
    if "://" not in url:
        Path(url).parent.mkdir(parents=True)
        Path(url).touch()
    with MeasurementStore(url) as store:
        assert store.comparisons() == ()


def test_reading_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "perf.db"
    with MeasurementStore(path, write=True) as store:
        store.add(A, B, block(0))
    before = (path.read_bytes(), sorted(os.listdir(tmp_path)))
    with MeasurementStore(path) as store:
        assert store.comparisons()
        with pytest.raises(WorldFailed):
            store.add(A, B, block(1))
    assert (path.read_bytes(), sorted(os.listdir(tmp_path))) == before


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "perf.db"
    path.write_bytes(b"this is a letter, not a database. " * 200)
    for write in (False, True):
        with pytest.raises(WorldFailed) as failed:
            MeasurementStore(path, write=write)
        assert failed.value.code == "perf.store"


def test_a_store_of_a_newer_headway_is_refused(url: str) -> None:
    MeasurementStore(url, write=True).close()
    engine = create_engine(url if "://" in url else f"sqlite:///{url}")
    with engine.begin() as db:
        db.execute(text("UPDATE perf_schema SET version = 99"))
    engine.dispose()
    with pytest.raises(UnusableInput) as refused:
        MeasurementStore(url)
    assert refused.value.code == "perf.store.newer"
