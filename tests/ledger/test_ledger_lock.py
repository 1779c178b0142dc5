"""The line's lock, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest
from ledgertools import child, hold, reasons

from headway.errors import LockHeld
from headway.ledger.store import SqlLedger, open_ledger

HOLDER = """
import json, sys
from headway.ledger.store import open_ledger
with open_ledger(sys.argv[1], write=True).exclusively(json.loads(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def _holder(url: str, who: str) -> subprocess.Popen[str]:
    c = child(HOLDER, url, json.dumps(who))
    assert c.stdout is not None
    assert c.stdout.readline() == "held\n"
    return c


def _refusal(ledger: SqlLedger) -> dict[str, object]:
    with pytest.raises(LockHeld) as caught, ledger.exclusively("late"):
        pass
    assert caught.value.code == "lock.held"
    assert str(caught.value.remedy)
    return dict(caught.value.facts)


def test_the_loser_is_told_who_holds_the_line(url: str) -> None:
    ledger = open_ledger(url, write=True)
    holder = _holder(url, "tick by 王 \0 \ud800 " + "x" * 200)
    try:
        facts = _refusal(ledger)
        assert facts["who"] == "tick by 王 \0 \ud800 " + "x" * 200
        assert facts["pid"] == holder.pid
        since = datetime.fromisoformat(str(facts["since"]))
        assert abs(datetime.now(UTC) - since) < timedelta(hours=1)
        hold(ledger, "a person's entry needs no lock")
    finally:
        holder.communicate("\n")
    with ledger.exclusively("next"):
        assert _refusal(open_ledger(url, write=True))["who"] == "next"
    assert reasons(ledger) == ["a person's entry needs no lock"]


def test_the_lock_of_a_killed_process_is_free_and_its_name_forgotten(url: str) -> None:
    holder = _holder(url, "gone")
    holder.kill()
    holder.communicate()
    ledger = open_ledger(url, write=True)
    # The system, or the database's server, ends the lock on its own time.
    give_up = time.monotonic() + 30
    while True:
        try:
            with ledger.exclusively("alive"):
                assert _refusal(open_ledger(url, write=True))["who"] == "alive"
            break
        except LockHeld:
            assert time.monotonic() < give_up


def test_the_lock_is_not_reentrant_and_is_freed_by_an_error(url: str) -> None:
    ledger = open_ledger(url, write=True)
    with ledger.exclusively("me"):
        assert _refusal(ledger)["pid"] == os.getpid()
    with pytest.raises(ZeroDivisionError), ledger.exclusively("me"):
        raise ZeroDivisionError
    with ledger.exclusively("me"):
        pass
