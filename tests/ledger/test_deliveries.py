"""The queue of webhooks: each id once, kept over restarts, looked at when a tick that began after it has ended."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from headway.errors import UnusableInput, WorldFailed
from headway.ledger.deliveries import KEPT, Deliveries, deliveries_of
from headway.ledger.store import open_ledger
from headway.model.entry import Kind

NOW = datetime(2025, 1, 27, 9, tzinfo=UTC)
IDS = tuple(str(uuid4()) for _ in range(4))


@pytest.fixture
def queue(url: str, tmp_path: Path) -> Deliveries:
    return deliveries_of(url, tmp_path / "state")


def again(url: str, tmp_path: Path) -> Deliveries:
    """As another process would open it."""
    return deliveries_of(url, tmp_path / "state")


def test_nothing_is_made_by_looking(queue: Deliveries, tmp_path: Path) -> None:
    assert queue.unlooked() == ()
    assert not list(tmp_path.rglob("deliveries.db"))


def test_an_id_is_written_once_and_outlives_the_process(queue: Deliveries, url: str, tmp_path: Path) -> None:
    assert queue.add(IDS[1], "issue_comment", "created", 5, NOW)
    assert not queue.add(IDS[1], "issue_comment", "created", 5, NOW + timedelta(days=1))
    assert queue.add(IDS[0], "push", "", 0, NOW + timedelta(seconds=1))
    other = again(url, tmp_path)
    assert not other.add(IDS[0], "push", "", 0, NOW)
    assert other.unlooked() == (IDS[1], IDS[0])


def test_only_those_that_were_there_when_a_tick_began_are_looked_at(queue: Deliveries) -> None:
    queue.add(IDS[0], "push", "", 0, NOW)
    began = queue.unlooked()
    queue.add(IDS[1], "push", "", 0, NOW)
    queue.looked(began, NOW)
    assert queue.unlooked() == (IDS[1],)
    assert not queue.add(IDS[0], "push", "", 0, NOW)


def test_what_was_looked_at_long_ago_is_forgotten_and_nothing_else(queue: Deliveries) -> None:
    for name in IDS[:3]:
        queue.add(name, "push", "", 0, NOW)
    queue.looked(IDS[:1], NOW)
    queue.looked(IDS[1:2], NOW + KEPT)
    assert not queue.add(IDS[0], "push", "", 0, NOW + KEPT)  # it is kept so long, and no longer
    queue.looked((), NOW + KEPT + timedelta(seconds=1))
    assert queue.add(IDS[0], "push", "", 0, NOW)
    assert not queue.add(IDS[1], "push", "", 0, NOW)
    assert queue.unlooked() == tuple(sorted((IDS[0], IDS[2])))


def test_of_the_same_id_at_the_same_time_one_is_written(queue: Deliveries, url: str, tmp_path: Path) -> None:
    names = [IDS[n % 4] for n in range(40)]

    def add(name: str) -> bool:
        return again(url, tmp_path).add(name, "push", "", 0, NOW)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, names)) == 4
    assert sorted(queue.unlooked()) == sorted(IDS)


def test_many_are_marked_at_once(queue: Deliveries) -> None:
    names = [str(uuid4()) for _ in range(40)]
    for name in names:
        queue.add(name, "push", "", 2**53 - 1, NOW)
    queue.looked([*names, *(str(uuid4()) for _ in range(3000))], NOW)
    assert queue.unlooked() == ()


def test_it_lies_beside_a_ledger_that_stays_whole(url: str, tmp_path: Path) -> None:
    queue = again(url, tmp_path)
    queue.add(IDS[0], "push", "", 0, NOW)
    ledger = open_ledger(url, write=True)
    entry = ledger.append(NOW, "headway", Kind.CUT, "0.1.1", {})
    queue.looked(queue.unlooked(), NOW)
    assert open_ledger(url, write=False).entries() == (entry,)


def test_what_was_said_is_not_kept(queue: Deliveries, tmp_path: Path, url: str) -> None:
    queue.add(IDS[0], "issue_comment", "created", 5, NOW)
    if "://" in url:
        pytest.skip("the columns are the same")
    with sqlite3.connect(tmp_path / "state" / "deliveries.db") as db:
        rows = db.execute("SELECT * FROM deliveries").fetchall()
    assert rows == [(IDS[0], "issue_comment", "created", 5, "2025-01-27T09:00:00.000000+00:00", None)]


def test_a_kill_between_two_leaves_what_was_written(tmp_path: Path) -> None:
    program = f"""
import os, signal, uuid
from datetime import datetime, UTC
from pathlib import Path
from headway.ledger.deliveries import deliveries_of
queue = deliveries_of(Path({str(tmp_path / "ledger.db")!r}), Path({str(tmp_path)!r}))
for _ in range(5):
    name = str(uuid.uuid4())
    assert queue.add(name, "push", "", 0, datetime.now(UTC))
    print(name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    said = tuple(done.stdout.split())
    assert len(said) == 5
    assert deliveries_of(tmp_path / "ledger.db", tmp_path).unlooked() == said


def test_a_file_that_was_taken_away_is_made_again(tmp_path: Path) -> None:
    queue = deliveries_of(tmp_path / "ledger.db", tmp_path)
    queue.add(IDS[0], "push", "", 0, NOW)
    (tmp_path / "deliveries.db").unlink()
    assert queue.unlooked() == ()
    assert queue.add(IDS[0], "push", "", 0, NOW)


@pytest.mark.parametrize("content", [b"this is no database, though it is long enough to be read as one" * 99, None])
def test_a_file_that_is_no_queue_is_said_in_words(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "deliveries.db"
    path.mkdir() if content is None else path.write_bytes(content)
    queue = deliveries_of(tmp_path / "ledger.db", tmp_path)
    for ask in (queue.unlooked, lambda: queue.add(IDS[0], "push", "", 0, NOW), lambda: queue.looked(IDS, NOW)):
        with pytest.raises(WorldFailed) as caught:
            ask()
        assert caught.value.code == "webhook.queue"
        assert "deliveries.db" in str(caught.value)


def test_a_database_that_does_not_answer_is_said_without_its_password(tmp_path: Path) -> None:
    queue = deliveries_of("postgresql://headway:hunter2@127.0.0.1:1/none?connect_timeout=2", tmp_path)
    with pytest.raises(WorldFailed) as caught:
        queue.add(IDS[0], "push", "", 0, NOW)
    assert "hunter2" not in repr(caught.value.as_json())


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput):
        deliveries_of("mysql://localhost/x", tmp_path)
