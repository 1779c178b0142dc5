"""Tokens and logins: of their secrets only digests are kept, on SQLite and on PostgreSQL."""

from __future__ import annotations

import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from headway.errors import WorldFailed
from headway.ledger.connect import read
from headway.ledger.doors import MOST_SESSIONS, Doors, _sessions, _tokens, doors_of, id_in, new_secret
from headway.model.visitor import BoardToken, Role

NOW = datetime(2025, 1, 27, 9, tzinfo=UTC)


@pytest.fixture
def doors(url: str, tmp_path: Path) -> Doors:
    return doors_of(url, tmp_path / "state")


def made(doors: Doors, name: str = "@rosa", **more: object) -> tuple[BoardToken, str]:
    id, secret = new_secret()
    token = BoardToken(id, name, Role.MANAGER, frozenset({"read", "manage"}), "Rosa", NOW, **more)  # type: ignore[arg-type]
    doors.add(token, secret)
    return token, secret


def test_nothing_is_made_by_looking(doors: Doors, tmp_path: Path) -> None:
    assert doors.tokens() == ()
    assert doors.token_of(new_secret()[1]) is None
    assert doors.sessions(NOW, 12) == ()
    assert not list(tmp_path.rglob("people.db"))


def test_a_token_is_found_by_its_secret_alone_and_by_another_process_too(
    doors: Doors, url: str, tmp_path: Path
) -> None:
    token, secret = made(doors, ends=NOW + timedelta(days=1))
    other, others = made(doors, "@bo")
    again = doors_of(url, tmp_path / "state")
    assert again.token_of(secret) == token
    assert again.tokens() == tuple(sorted((token, other), key=lambda t: t.id))
    mixed = secret[:17] + others[17:]
    for wrong in (mixed, secret[:-1], f"{secret}x", "", "hwt_", secret.upper(), f"{secret}\n", "é" * 60):
        assert again.token_of(wrong) is None, wrong
    assert (id_in(secret), id_in(mixed), id_in("x")) == (token.id, token.id, "")


def test_no_secret_is_written_anywhere(doors: Doors, tmp_path: Path) -> None:
    _, secret = made(doors)
    login = doors.begin("@rosa", "", NOW, 12)

    def rows(db: object) -> str:
        return str([list(db.execute(select(t))) for t in (_tokens, _sessions)])  # type: ignore[attr-defined]

    kept = read(doors._kept._place, 5, rows)
    assert kept is not None
    assert "@rosa" in kept
    assert secret.rpartition("_")[2] not in kept
    assert login not in kept
    for file in tmp_path.rglob("people.db*"):
        assert secret.rpartition("_")[2].encode() not in file.read_bytes()
        assert login.encode() not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0


def test_a_revoked_token_ends_its_logins_and_no_others(doors: Doors) -> None:
    token, secret = made(doors)
    mine, others = doors.begin("@rosa", token.id, NOW, 12), doors.begin("@rosa", "", NOW, 12)
    assert doors.revoke(token.id, NOW)
    assert not doors.revoke(token.id, NOW + timedelta(days=1))
    assert not doors.revoke("0" * 12, NOW)
    found = doors.token_of(secret)
    assert found is not None
    assert (found.state(NOW), found.revoked) == ("revoked", NOW)
    assert doors.session_of(mine) is None
    assert doors.session_of(others) is not None


def test_a_login_is_found_until_it_is_ended_and_old_ones_are_forgotten(doors: Doors) -> None:
    first = doors.begin("@rosa", "", NOW, 12)
    found = doors.session_of(first)
    assert found is not None
    assert (found.name, found.how, found.ends(12)) == ("@rosa", "github", NOW + timedelta(hours=12))
    assert doors.session_of(found.ref) is None  # which names it, and opens nothing
    assert doors.sessions(NOW + timedelta(hours=12), 12) == ()
    doors.begin("@bo", "", NOW + timedelta(hours=13), 12)
    assert doors.session_of(first) is None
    (left,) = doors.sessions(NOW + timedelta(hours=13), 12)
    assert doors.end(left.ref) == left
    assert doors.end(left.ref) is None


def test_one_person_has_so_many_logins_and_the_oldest_go_first(doors: Doors) -> None:
    secrets = [doors.begin("@rosa", "", NOW + timedelta(minutes=n), 12) for n in range(MOST_SESSIONS + 3)]
    doors.begin("@bo", "", NOW, 12)
    assert [doors.session_of(s) is not None for s in secrets] == [False] * 3 + [True] * MOST_SESSIONS
    assert len(doors.sessions(NOW + timedelta(hours=1), 12)) == MOST_SESSIONS + 1


def test_the_day_of_the_last_use(doors: Doors) -> None:
    token, secret = made(doors)
    doors.used(token.id, date(2025, 1, 28))
    found = doors.token_of(secret)
    assert found is not None
    assert found.used == date(2025, 1, 28)


def test_a_database_that_fails_is_said_in_words(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "people.db").write_bytes(b"no database at all, and long enough to be looked at" * 40)
    with pytest.raises(WorldFailed) as caught:
        doors_of(tmp_path / "ledger.db", state).tokens()
    assert caught.value.code == "board.doors"
