"""Schema versions, on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledgertools import hold, is_postgres, reasons, sql, tamper

from headway.errors import UnusableInput
from headway.ledger.bundle import read_bundle, verify_path
from headway.ledger.store import open_ledger


def _version_0(url: str) -> None:
    """A ledger as before the first schema version: entries, no ``meta``, no triggers."""
    ledger = open_ledger(url, write=True)
    hold(ledger, "a")
    hold(ledger, "b")
    tamper(url, "DROP TABLE meta")
    if is_postgres(url):
        sql(url, "DROP TRIGGER entries_append_only ON entries", "DROP FUNCTION entries_append_only")
    else:
        sql(url, "PRAGMA journal_mode = DELETE")


def _tables(url: str) -> set[str]:
    query = (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        if is_postgres(url)
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    return {name for (name,) in sql(url, query)}


def test_an_older_ledger_is_read_as_it_is(url: str, tmp_path: Path) -> None:
    _version_0(url)
    assert reasons(open_ledger(url, write=False, backups=tmp_path / "kept")) == ["a", "b"]
    assert verify_path(url) == ()
    assert _tables(url) == {"entries"}
    assert not (tmp_path / "kept").exists()


def test_an_older_ledger_is_migrated_after_a_backup(url: str, tmp_path: Path) -> None:
    _version_0(url)
    kept = tmp_path / "kept" if is_postgres(url) else Path(url).parent
    ledger = open_ledger(url, write=True, backups=kept if is_postgres(url) else None)
    assert reasons(ledger) == ["a", "b"]
    hold(ledger, "c")
    assert sql(url, "SELECT value FROM meta WHERE key = 'schema'") == [("1",)]
    with pytest.raises(Exception, match="append-only"):
        sql(url, "DELETE FROM entries")
    (backup,) = [p for p in kept.iterdir() if ".v0." in p.name]
    assert verify_path(backup) == ()
    if is_postgres(url):
        assert [e.payload["reason"] for e in read_bundle(backup)] == ["a", "b"]
    else:
        assert backup.suffix == ".bak"
        assert reasons(open_ledger(backup, write=False)) == ["a", "b"]
        assert _tables(str(backup)) == {"entries"}
    open_ledger(url, write=True, backups=kept)
    assert len([p for p in kept.iterdir() if ".v0." in p.name]) == 1
    assert verify_path(url) == ()


def test_a_backup_never_replaces_an_earlier_one(url: str, tmp_path: Path) -> None:
    _version_0(url)
    for _ in range(2):
        open_ledger(url, write=True, backups=tmp_path / "kept") if is_postgres(url) else open_ledger(url, write=True)
        tamper(url, "DROP TABLE meta")
        if is_postgres(url):
            sql(url, "DROP FUNCTION entries_append_only CASCADE")
    kept = tmp_path / "kept" if is_postgres(url) else Path(url).parent
    assert len([p for p in kept.iterdir() if ".v0." in p.name]) == 2


@pytest.mark.parametrize("write", [True, False])
def test_a_newer_ledger_is_refused_in_words_and_left_alone(url: str, write: bool) -> None:
    hold(open_ledger(url, write=True), "a")
    sql(url, "UPDATE meta SET value = '2' WHERE key = 'schema'", "ALTER TABLE entries ADD COLUMN tomorrow TEXT")
    before = None if is_postgres(url) else Path(url).read_bytes()
    with pytest.raises(UnusableInput) as caught:
        open_ledger(url, write=write)
    assert caught.value.code == "ledger.newer"
    assert {k: v for k, v in caught.value.facts if k != "ledger"} == {"found": 2, "known": 1}
    assert before is None or Path(url).read_bytes() == before


def test_a_ledger_migrated_meanwhile_is_not_written_by_the_older_program(url: str) -> None:
    ledger = open_ledger(url, write=True)
    hold(ledger, "a")
    sql(url, "UPDATE meta SET value = '2' WHERE key = 'schema'")
    with pytest.raises(UnusableInput) as caught:
        hold(ledger, "b")
    assert caught.value.code == "ledger.newer"
    assert sql(url, "SELECT count(*) FROM entries") == [(1,)]


@pytest.mark.parametrize("tables", ["entries (id INTEGER, text TEXT)", "meta (name TEXT)"])
@pytest.mark.parametrize("write", [True, False])
def test_tables_of_another_program_are_left_alone(url: str, tables: str, write: bool) -> None:
    if not is_postgres(url):
        Path(url).parent.mkdir()
    sql(url, f"CREATE TABLE {tables}")
    with pytest.raises(UnusableInput) as caught:
        open_ledger(url, write=write)
    assert caught.value.code == "ledger.not-a-ledger"
    assert _tables(url) == {tables.split(maxsplit=1)[0]}
