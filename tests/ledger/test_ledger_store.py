"""The ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta, timezone
from pathlib import Path
from threading import Timer

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgertools import AT, child, hold, is_postgres, reasons, sql, tamper

from headway.errors import BrokenInvariant, UnusableInput, WorldFailed
from headway.ledger.bundle import verify_path
from headway.ledger.store import open_ledger
from headway.model.entry import GENESIS, Kind, broken_links


def test_entries_form_a_chain_and_come_back_as_written(url: str) -> None:
    ledger = open_ledger(url, write=True)
    assert ledger.entries() == ()
    east = timezone(timedelta(hours=8))
    one = hold(ledger, "wait for the driver · 等待")
    two = ledger.append(
        AT.astimezone(east), "王", Kind.CUT, "0.9.2", {"branch": "releases/v0.9.2", "n": (1, 2.5, None)}
    )
    assert (one.seq, one.prev, two.seq, two.prev) == (1, GENESIS, 2, one.digest)
    assert two.at.isoformat() == "2025-07-01T09:30:00+00:00"
    assert two.payload == {"branch": "releases/v0.9.2", "n": [1, 2.5, None]}
    again = open_ledger(url, write=False)
    assert again.entries() == (one, two)
    assert broken_links(again.entries()) == ()
    assert verify_path(url) == ()


def test_entries_cannot_be_changed_or_deleted(url: str) -> None:
    ledger = open_ledger(url, write=True)
    one = hold(ledger, "a")
    attempts = ["UPDATE entries SET actor = 'Eve'", "DELETE FROM entries"]
    other = "2, at, 'Eve', kind, train, payload, prev, 'x' FROM entries"
    if is_postgres(url):
        attempts.append("TRUNCATE entries")
    else:
        attempts += [f"INSERT OR REPLACE INTO entries SELECT {other}", f"REPLACE INTO entries SELECT {other}"]
    for statement in attempts:
        with pytest.raises(Exception, match="append-only"):
            sql(url, statement)
    assert ledger.entries() == (one,)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE entries SET actor = 'Eve' WHERE seq = 2", "entry 2 (held) was altered"),
        ("UPDATE entries SET at = '2025-07-02T09:30:00+00:00' WHERE seq = 2", "entry 2 (held) was altered"),
        ("""UPDATE entries SET payload = '{"reason":"x"}' WHERE seq = 2""", "entry 2 (held) was altered"),
        ("""UPDATE entries SET payload = '{"reason":"x","reason":"b"}' WHERE seq = 2""", "not in canonical form"),
        ("UPDATE entries SET payload = '{' WHERE seq = 2", "entry 2 cannot be read: it is not JSON"),
        ("UPDATE entries SET kind = 'nonsense' WHERE seq = 2", "its kind 'nonsense' is not known"),
        ("UPDATE entries SET at = 'yesterday' WHERE seq = 2", "its time 'yesterday' is not"),
        ("DELETE FROM entries WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM entries WHERE seq = 1", "entry 1 is missing"),
    ],
)
def test_tampering_is_found(url: str, statement: str, problem: str) -> None:
    ledger = open_ledger(url, write=True)
    for reason in "abc":
        hold(ledger, reason)
    assert verify_path(url) == ()
    tamper(url, statement)
    assert any(problem in p for p in verify_path(url)), verify_path(url)


def test_nothing_is_built_on_an_altered_head(url: str) -> None:
    ledger = open_ledger(url, write=True)
    hold(ledger, "a")
    tamper(url, "UPDATE entries SET actor = 'Eve'")
    with pytest.raises(BrokenInvariant) as caught:
        hold(ledger, "b")
    assert caught.value.code == "ledger.broken"
    assert len(ledger.entries()) == 1


APPENDER = """
import sys
from datetime import UTC, datetime
from headway.ledger.store import open_ledger
from headway.model.entry import Kind
url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
ledger = open_ledger(url, write=True)
for i in range(count):
    ledger.append(datetime.now(UTC), name, Kind.HELD, "", {"reason": f"{name}{i}"})
    print(i, flush=True)
"""


def test_processes_that_append_at_once_lose_nothing_and_keep_the_chain(url: str) -> None:
    """They also make the tables at once."""
    children = [child(APPENDER, url, name, "25") for name in "xyz"]
    for c in children:
        assert c.stdout is not None
        assert c.stdout.readline() == "ready\n"
    for c in children:
        assert c.stdin is not None
        c.stdin.write("go\n")
        c.stdin.flush()
    reader, seen = open_ledger(url, write=False), 0
    while any(c.poll() is None for c in children):
        entries = reader.entries()
        assert broken_links(entries) == ()
        assert len(entries) >= seen
        seen = len(entries)
    assert [c.wait() for c in children] == [0, 0, 0]
    for c in children:
        c.communicate()
    entries = reader.entries()
    assert broken_links(entries) == ()
    for name in "xyz":
        assert [e.payload["reason"] for e in entries if e.actor == name] == [f"{name}{i}" for i in range(25)]


def test_a_killed_writer_leaves_whole_entries(url: str) -> None:
    writer = child(APPENDER, url, "x", "100000")
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write("go\n")
    writer.stdin.flush()
    told = [writer.stdout.readline() for _ in range(12)]
    writer.kill()
    writer.communicate()
    before = open_ledger(url, write=False).entries()
    assert len(before) >= len(told) - 1  # the first line is "ready"
    assert broken_links(before) == ()
    hold(open_ledger(url, write=True), "after")
    assert verify_path(url) == ()


HOSTILE = [
    "nul \0 nul",
    "lone \ud800 surrogate",
    "\udcff",
    "\ud83d\ude00 a pair",
    "\u2028\x1b[2J\x7f",
    "'; DROP TABLE x",
    "",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_stored_whole(url: str, text: str) -> None:
    ledger = open_ledger(url, write=True)
    made = ledger.append(AT, "a", Kind.HELD, "", {"reason": text, text: [text]})
    assert ledger.entries() == (made,)
    joined = text.replace("\ud83d\ude00", "😀")
    assert made.payload["reason"] == joined
    assert verify_path(url) == ()


def test_ten_megabytes_are_stored_whole(url: str) -> None:
    ledger = open_ledger(url, write=True)
    hold(ledger, "长" * 3_500_000)
    assert reasons(ledger) == ["长" * 3_500_000]
    assert verify_path(url) == ()


def _deep(levels: int) -> list[object]:
    made: list[object] = []
    for _ in range(levels):
        made = [made]
    return made


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {1, 2}, b"bytes", AT, {(1, 2): 3}, _deep(500), _deep(100_000), 10**5000],
    ids=["nan", "infinity", "set", "bytes", "time", "key", "deep", "deeper", "huge"],
)
def test_what_json_cannot_hold_is_refused_in_words(url: str, value: object) -> None:
    ledger = open_ledger(url, write=True)
    hold(ledger, "a")
    with pytest.raises(UnusableInput) as caught:
        hold(ledger, value)
    assert caught.value.code == "ledger.payload"
    assert reasons(ledger) == ["a"]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"], ids=ascii)
def test_names_that_cannot_be_stored_are_refused_in_words(url: str, name: str) -> None:
    ledger = open_ledger(url, write=True)
    for actor, train in ((name, ""), ("a", name)):
        with pytest.raises(UnusableInput) as caught:
            ledger.append(AT, actor, Kind.HELD, train, {})
        assert caught.value.code == "ledger.text"
        str(caught.value).encode()
    assert ledger.entries() == ()


def test_a_time_without_a_zone_is_refused(url: str) -> None:
    ledger = open_ledger(url, write=True)
    with pytest.raises(BrokenInvariant, match="no zone"):
        ledger.append(AT.replace(tzinfo=None), "a", Kind.HELD, "", {})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(st.characters()), x, max_size=4),
    max_leaves=12,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
def test_any_json_comes_back_as_it_was_returned(url: str, value: object) -> None:
    ledger = open_ledger(url, write=True)
    made = hold(ledger, value)
    assert ledger.entries()[-1] == made
    assert broken_links(ledger.entries()) == ()


def test_a_ledger_opened_for_reading_does_not_write(url: str) -> None:
    open_ledger(url, write=True)
    ledger = open_ledger(url, write=False)
    with pytest.raises(BrokenInvariant, match="for reading only"):
        hold(ledger, "a")
    with pytest.raises(BrokenInvariant, match="for reading only"), ledger.exclusively("me"):
        pass


def test_an_empty_database_reads_as_an_empty_ledger_and_stays_empty(url: str) -> None:
    if not is_postgres(url):
        open_ledger(url, write=True).place.path.parent.mkdir(exist_ok=True)  # type: ignore[union-attr]
        url += "2"
        sqlite3.connect(url).close()
    assert open_ledger(url, write=False).entries() == ()
    where = "pg_tables WHERE schemaname = 'public'" if is_postgres(url) else "sqlite_master"
    assert sql(url, f"SELECT count(*) FROM {where}") == [(0,)]  # noqa: S608


def test_who_makes_a_ledger_while_another_writes_it_waits_for_them(tmp_path: Path) -> None:
    """Two processes begin one at once: SQLite does not wait where the journal's mode is changed."""
    path = tmp_path / "ledger.db"
    hold(open_ledger(path, write=True), "a")
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorldFailed, match="being written by somebody else"):
            open_ledger(path, write=True, wait_s=0.1)
        leaving = Timer(0.5, lambda: other.execute("COMMIT"))
        leaving.start()
        hold(open_ledger(path, write=True), "b")
        leaving.join()
    assert [e.payload["reason"] for e in open_ledger(path, write=False).entries()] == ["a", "b"]
