"""The store of measurements, on SQLite and on a PostgreSQL that the test brings up."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from headway.errors import UnusableInput, WorldFailed
from headway.model.measurement import Cell, Comparison, Launch, RawSeries, Sample, Side
from headway.perf.exporting import lines
from headway.perf.imported import Block
from headway.perf.reading import compare_releases, series
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


def launch(number: int, side: Side, *cells: Cell, started: str = "2026-11-30T04:00:00+00:00") -> Launch:
    told = (("host", f"node{number}"), ("devices", "GPU 0"), ("started", started))
    return Launch(number, side, cells, told, tuple("d" * 64 for _ in cells))


def test_every_repeat_and_launch_is_kept_and_the_first_stays(url: str) -> None:
    samples = [Sample(0, side, CELL, "median_tpot_ms", 10.0 + r, "", r) for side in Side for r in range(3)]
    told = [launch(0, side, CELL) for side in Side]
    with MeasurementStore(url, write=True) as store:
        assert store.add(A, B, samples, launches=told) == 6
        later = [launch(0, side, CELL, started="2027-01-01T00:00:00+00:00") for side in Side]
        assert store.add(A, B, [Sample(0, Side.BASELINE, CELL, "median_tpot_ms", 99.0, "", 2)], launches=later) == 0
        (found,) = store.comparisons()
    assert sorted(found.samples, key=lambda s: (list(Side).index(s.side), s.repeat)) == samples
    assert sorted(found.launches, key=lambda x: list(Side).index(x.side)) == told


def test_E7_what_may_have_been_counted_gets_no_repeats_and_no_other_launch_later(url: str) -> None:
    """The unit is the launch: planted repeats would move its mean, a planted host would make its block invalid."""
    planted = [Sample(0, side, CELL, "median_tpot_ms", 1.0, "", r) for side in Side for r in range(20)]
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, block(0), ENV)
        before = store.comparisons()
        assert store.add(A, B, planted, ENV, [launch(0, side, CELL) for side in Side]) == 0
        assert store.comparisons() == before
        added, refused = store.restore(Block(A, B, (), (), (*planted, *block(1)), ()))
        assert (added, len(refused)) == (2, 38)
        assert {s.repeat for s in refused} == set(range(1, 20))


def test_launches_of_two_jobs_of_one_block_are_two(url: str) -> None:
    other = Cell("Mixtral", "H100", "serving")
    with MeasurementStore(url, write=True) as store:
        for cell in (CELL, other):
            samples = [Sample(0, side, cell, "median_tpot_ms", 10.0) for side in Side]
            store.add(A, B, samples, launches=[launch(0, side, cell) for side in Side])
        (found,) = store.comparisons()
        assert sorted(x.cells for x in found.launches) == sorted(2 * [(CELL,)] + 2 * [(other,)])
        assert {r.cell.cell: r.new and r.new.launches for r in compare_releases(store, B, A)} == {CELL: 1, other: 1}


def test_a_launch_that_served_nothing_is_kept_too(url: str) -> None:
    died = [Sample(0, Side.BASELINE, CELL, "median_tpot_ms", None, "the engine died")]
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, died, launches=[launch(0, Side.BASELINE, CELL)])
        store.add(A, B, (), launches=[launch(1, Side.CANDIDATE, CELL)])
        (found,) = store.comparisons()
    assert [(x.block, x.side) for x in found.launches] == [(0, Side.BASELINE), (1, Side.CANDIDATE)]


def test_series_of_requests_are_kept_once(url: str) -> None:
    raw = RawSeries(0, Side.CANDIDATE, CELL, 0, "ttfts", (0.1, 1 / 3, 5e-324, 7.0))
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, block(0), raw=[raw])
        store.add(A, B, block(0), raw=[raw, RawSeries(0, Side.CANDIDATE, CELL, 0, "ttfts", (9.0,))])
        found = [line["metric"] for line in lines(store) if line["metric"]["name"] == "ttfts"]
    assert [f["benchmark_values"] for f in found] == [list(raw.values)]


def test_only_the_metrics_asked_for_are_read(url: str) -> None:
    shown = [Sample(0, Side.BASELINE, CELL, "p99_e2el_ms", 800.0)]
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, (*block(0), *shown), ENV)
        store.add(C, B, block(0))
        (found,) = store.comparisons({"median_tpot_ms"}, subject=A)
        assert found == Comparison(A, B, block(0), ENV)
        assert store.comparisons(set(), baseline=B) == (Comparison(A, B, (), ENV), Comparison(C, B, ()))


def test_the_summary_is_of_launches_and_leaves_out_what_is_not_valid(url: str) -> None:
    def at(n: int) -> str:
        return f"2026-11-0{n}T00:00:00+00:00"

    values = {0: (10.0, 20.0), 1: (40.0, 40.0), 2: (30.0, None)}
    samples = [
        Sample(n, Side.CANDIDATE, CELL, "median_tpot_ms", v, "" if v else "it failed", r)
        for n, repeats in values.items()
        for r, v in enumerate(repeats)
    ]
    launches = [launch(n, Side.CANDIDATE, CELL, started=at(n + 1)) for n in values]
    with MeasurementStore(url, write=True) as store:
        store.add(A, B, samples[:2], launches=launches)
        store.add(A, B, samples[2:], launches=launches)
        (row,) = compare_releases(store, B, A)
        points = series(store, row.cell, "median_tpot_ms")
    logs = [(math.log(10) + math.log(20)) / 2, math.log(40)]
    mean = sum(logs) / 2
    assert row.base is None
    assert row.new is not None
    assert (row.new.launches, row.new.repeats, row.new.mean) == (2, 4, 27.5)
    assert row.new.log_mean == pytest.approx(mean)
    assert row.new.log_sd == pytest.approx(math.sqrt(sum((x - mean) ** 2 for x in logs)))
    assert [(p.commit, p.mean, p.repeats, p.at.isoformat()) for p in points] == [
        (A, 15.0, 2, at(1)),
        (A, 40.0, 2, at(2)),
    ]


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


def test_an_address_is_shown_without_its_password() -> None:
    with pytest.raises(WorldFailed) as failed:
        MeasurementStore("postgresql://me:secret@127.0.0.1:1/db?password=secret&connect_timeout=1", write=True)
    assert "secret" not in json.dumps(failed.value.as_json())
    assert "127.0.0.1" in str(failed.value)


def test_a_store_of_a_newer_headway_is_refused(url: str) -> None:
    MeasurementStore(url, write=True).close()
    engine = create_engine(url if "://" in url else f"sqlite:///{url}")
    with engine.begin() as db:
        db.execute(text("UPDATE perf_schema SET version = 99"))
    engine.dispose()
    with pytest.raises(UnusableInput) as refused:
        MeasurementStore(url)
    assert refused.value.code == "perf.store.newer"
