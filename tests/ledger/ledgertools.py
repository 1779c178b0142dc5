"""What the ledger's tests share: statements behind the ledger's back, child processes, a user without rights."""

from __future__ import annotations

import json
import os
import pwd
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headway.ledger.store import SqlLedger
from headway.model.entry import Entry, Kind

AT = datetime(2025, 7, 1, 9, 30, tzinfo=UTC)


def hold(ledger: SqlLedger, reason: Any) -> Entry:
    return ledger.append(AT, "Ada <ada@example.org>", Kind.HELD, "0.9.2", {"reason": reason})


def reasons(ledger: SqlLedger) -> list[Any]:
    return [e.payload["reason"] for e in ledger.entries()]


def is_postgres(url: str) -> bool:
    return url.startswith("postgresql")


def sql(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements in one transaction with the bare driver; gives the rows of the last one, if it has any."""
    if is_postgres(url):
        import psycopg

        with psycopg.connect(url) as c:
            for statement in statements:
                cursor = c.execute(statement)
            return cursor.fetchall() if cursor.description else []
    with closing(sqlite3.connect(url)) as c, c:
        for statement in statements:
            rows = c.execute(statement).fetchall()
        return rows


def tamper(url: str, *statements: str) -> None:
    """The same, by somebody who takes the triggers away first."""
    if is_postgres(url):
        sql(url, "ALTER TABLE entries DISABLE TRIGGER USER", *statements)
    else:
        names = sql(url, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
        sql(url, *[f"DROP TRIGGER {name}" for (name,) in names], *statements)


def child(code: str, *args: str) -> subprocess.Popen[str]:
    """Python code in a process of its own, with pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def without_rights(work: Callable[[], Any]) -> tuple[bool, Any]:
    """``work`` in a forked child that is not root: file modes bind it. Gives (True, result) or (False, code)."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                nobody = next(p for p in pwd.getpwall() if p.pw_uid != 0)
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
            try:
                result = (True, work())
            except Exception as e:  # noqa: BLE001 - told to the parent
                result = (False, getattr(e, "code", repr(e)))
            with os.fdopen(write_end, "w") as pipe:
                json.dump(result, pipe)
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        ok, result = json.load(pipe)
    os.waitpid(pid, 0)
    return ok, result


def picture(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Names, times and contents of all files of a folder."""
    return {
        str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()
    }
