"""What disks, files and databases do to a ledger, and how it is said. Nothing may be half written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ledgertools import child, hold, is_postgres, picture, reasons, sql, without_rights

from headway.errors import HeadwayError, UnusableInput, WorldFailed
from headway.ledger.bundle import backup, verify_path
from headway.ledger.store import open_ledger


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach (``tmp_path`` is this user's alone)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_reading_a_missing_file_is_an_empty_ledger_and_creates_nothing(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "none" / "ledger.db", write=False)
    assert ledger.entries() == ()
    assert list(tmp_path.iterdir()) == []
    hold(open_ledger(tmp_path / "none" / "ledger.db", write=True), "a")
    assert reasons(ledger) == ["a"]


def test_reading_changes_and_creates_nothing(tmp_path: Path) -> None:
    hold(open_ledger(tmp_path / "ledger.db", write=True), "a")
    before = picture(tmp_path)
    assert set(before) == {"ledger.db"}
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as c:
        assert c.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert reasons(open_ledger(tmp_path / "ledger.db", write=False)) == ["a"]
    assert verify_path(tmp_path / "ledger.db") == ()
    assert picture(tmp_path) == before


def test_a_reader_sees_what_a_writer_has_not_yet_moved_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(path, write=True)
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT * FROM entries").fetchall()  # keeps the WAL from being folded in
        hold(ledger, "a")
        assert (tmp_path / "ledger.db-wal").stat().st_size > 0
        assert reasons(open_ledger(path, write=False)) == ["a"]
    assert reasons(open_ledger(path, write=False)) == ["a"]


def test_a_read_only_folder_is_read_and_not_written(open_folder: Path) -> None:
    path = open_folder / "ledger.db"
    hold(open_ledger(path, write=True), "a")
    assert verify_path(path) == ()  # what is imported late is imported now, while this user may
    open_folder.chmod(0o555)
    path.chmod(0o444)
    before = picture(open_folder)
    assert without_rights(lambda: reasons(open_ledger(path, write=False))) == (True, ["a"])
    assert without_rights(lambda: list(verify_path(path))) == (True, [])
    for target in (path, open_folder / "new.db", open_folder / "sub" / "new.db"):
        ok, code = without_rights(lambda target=target: str(open_ledger(target, write=True)))
        assert (ok, code) == (False, "ledger.no-access"), target
    assert without_rights(lambda: backup(path, open_folder / "copy.db")) == (False, "ledger.cannot-open")
    assert picture(open_folder) == before
    path.chmod(0o000)
    assert without_rights(lambda: str(open_ledger(path, write=False))) == (False, "ledger.cannot-open")


CROWDED = """
import json, resource, sys
from datetime import UTC, datetime
from headway.errors import HeadwayError
from headway.ledger.bundle import backup
from headway.ledger.store import open_ledger
from headway.model.entry import Kind
from pathlib import Path
url, limit, copy = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ledger = open_ledger(url, write=False) if copy else open_ledger(url, write=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    if copy:
        backup(url, Path(copy))
    else:
        ledger.append(datetime.now(UTC), "a", Kind.HELD, "", {"reason": "x" * 2_000_000})
except HeadwayError as e:
    print(json.dumps({"status": e.status, **e.as_json()}))
"""


def test_a_full_disk_is_said_and_leaves_the_ledger_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(path, write=True)
    hold(ledger, "a")
    out, _ = child(CROWDED, str(path), str(256 * 1024), "").communicate()
    error = json.loads(out)
    assert error["status"] == 4
    assert error["code"] in {"ledger.disk", "ledger.disk-full"}
    assert error["remedy"]
    assert reasons(ledger) == ["a"]
    assert verify_path(path) == ()
    hold(ledger, "b")
    assert reasons(ledger) == ["a", "b"]


def test_a_backup_that_does_not_fit_is_not_there(url: str, tmp_path: Path) -> None:
    hold(open_ledger(url, write=True), "x" * 2_000_000)
    target = tmp_path / "copies" / "backup"
    out, _ = child(CROWDED, url, str(256 * 1024), str(target)).communicate()
    assert json.loads(out)["code"] in {"ledger.disk", "ledger.disk-full"}
    assert list(target.parent.iterdir()) == []


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as f, contextlib.suppress(OSError):
        while f.write(b"x" * 4096):
            pass


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="only root can mount a small disk")
def test_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this root may not mount")
    try:
        ledger = open_ledger(disk / "ledger.db", write=True)
        hold(ledger, "a")
        with pytest.raises(WorldFailed) as caught:
            hold(ledger, "x" * 2_000_000)
        assert caught.value.code == "ledger.disk-full"
        assert reasons(open_ledger(disk / "ledger.db", write=False)) == ["a"]
        _fill(disk / "rest")
        with pytest.raises(WorldFailed) as caught, ledger.exclusively("me"):
            pass
        assert caught.value.code == "ledger.disk-full"
        (disk / "rest").unlink()
        hold(ledger, "b")
        assert verify_path(disk / "ledger.db") == ()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_ledger_that_others_keep_locked_is_said(url: str) -> None:
    ledger = open_ledger(url, write=True, wait_s=0.1)
    hold(ledger, "a")
    if is_postgres(url):
        import psycopg

        other = psycopg.connect(url)
        other.execute("LOCK TABLE entries IN EXCLUSIVE MODE")
    else:
        other = sqlite3.connect(url, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    with closing(other):
        with pytest.raises(WorldFailed) as caught:
            hold(ledger, "b")
        assert caught.value.code == "ledger.busy"
        assert reasons(ledger) == ["a"]
    hold(ledger, "b")
    assert reasons(ledger) == ["a", "b"]


@pytest.mark.parametrize("write", [True, False])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, write: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 100)
    before = picture(tmp_path)
    with pytest.raises(UnusableInput) as caught:
        open_ledger(path, write=write)
    assert caught.value.code == "ledger.not-a-ledger"
    with pytest.raises(HeadwayError):
        open_ledger(tmp_path, write=write)
    with pytest.raises(HeadwayError):
        open_ledger(path / "below", write=True)
    assert picture(tmp_path) == before


def test_a_damaged_file_is_said_and_its_damage_listed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(path, write=True)
    for i in range(200):
        hold(ledger, f"{i}" * 50)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(HeadwayError):
        open_ledger(path, write=False).entries()
    assert verify_path(path) != ()
    path.write_bytes(data[: len(data) // 2])
    assert verify_path(path) != ()
    path.write_bytes(b"")
    assert verify_path(path) == ("the file is empty",)


@pytest.mark.parametrize("write", [True, False])
def test_an_unreachable_database_is_said_without_its_password(tmp_path: Path, write: bool) -> None:
    for address in (
        f"postgresql://ada:s3cret@/db?host={tmp_path}",
        f"postgres://ada@/db?host={tmp_path}&password=s3cret",
        f"postgresql+psycopg://ada:s3cret@/db?host={tmp_path}&connect_timeout=5",
    ):
        with pytest.raises(WorldFailed) as caught:
            open_ledger(address, write=write)
        assert caught.value.code == "ledger.unreachable"
        assert "s3cret" not in json.dumps(caught.value.as_json())


def test_a_database_that_does_not_exist_is_said(database: Callable[[], str]) -> None:
    with pytest.raises(WorldFailed) as caught:
        open_ledger(database().replace("/t", "/nothing"), write=True)
    assert caught.value.code == "ledger.unreachable"


def test_a_database_user_without_rights_is_told(database: Callable[[], str]) -> None:
    url = database()
    hold(open_ledger(url, write=True), "a")
    name = f"guest_{url.partition('@/')[2].partition('?')[0]}"
    sql(url, f"CREATE ROLE {name} LOGIN", f"GRANT SELECT ON entries, meta TO {name}")
    guest = url.replace("headway@", f"{name}@")
    assert reasons(open_ledger(guest, write=False)) == ["a"]
    with pytest.raises(WorldFailed) as caught:
        hold(open_ledger(guest, write=True), "b")
    assert caught.value.code == "ledger.no-access"


@pytest.mark.parametrize(
    "address",
    ["mysql://u:s3cret@h/db", "postgresql+asyncpg://u:s3cret@h/db", "sqlite://", "://", "postgresql://h:port:s3cret/x"],
)
def test_an_address_that_cannot_be_used_is_said(address: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        open_ledger(address, write=False)
    assert caught.value.code == "ledger.url"
    assert "s3cret" not in json.dumps(caught.value.as_json())


def test_a_path_may_be_written_as_a_url_and_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%41" / "账本.db"
    hold(open_ledger(path, write=True), "a")
    assert reasons(open_ledger(str(path), write=False)) == ["a"]
    shutil.copy(path, tmp_path / "plain.db")
    assert reasons(open_ledger(f"sqlite:///{tmp_path}/plain.db", write=False)) == ["a"]
