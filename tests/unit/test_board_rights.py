"""Who may do what on the board: roles by the policy's lists, and what a token was made for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from headway.decide.boardrights import role_of, teams_named
from headway.errors import UnusableInput
from headway.model.hub import Person, Right
from headway.model.visitor import BoardToken, Role, Visitor
from headway.policy.board_tables import Board
from headway.policy.loader import load_policy

BOARD = Board(viewers=("triage",), requesters=("write",), managers=("@Rosa", "team:Toy/Release"), admins=("admin",))
NOW = datetime(2025, 1, 27, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("person", "role"),
    [
        (Person("eve", Right.NONE), Role.NOBODY),
        (Person("eve", Right.READ), Role.NOBODY),
        (Person("tess", Right.TRIAGE), Role.VIEWER),
        (Person("ada", Right.WRITE), Role.REQUESTER),
        (Person("mo", Right.MAINTAIN), Role.REQUESTER),
        (Person("rosa", Right.NONE), Role.MANAGER),
        (Person("bo", Right.READ, ("toy/release",)), Role.MANAGER),
        (Person("root", Right.ADMIN), Role.ADMIN),
    ],
)
def test_the_highest_list_that_names_somebody_is_their_role(person: Person, role: Role) -> None:
    assert role_of(person, BOARD) is role
    assert teams_named(BOARD) == ("Toy/Release",)


def test_everybody_means_whoever_has_an_account_and_the_defaults_let_in_nobody_from_outside() -> None:
    stranger = Person("eve", Right.NONE)
    assert role_of(stranger, Board(viewers=("*",))) is Role.VIEWER
    assert role_of(stranger, Board()) is Role.NOBODY
    assert role_of(Person("root", Right.ADMIN), Board()) is Role.MANAGER  # of others' logins nobody, unless named
    assert role_of(stranger, Board(viewers=(), requesters=(), managers=(), admins=())) is Role.NOBODY


ROLES = tuple(Role)
SCOPED = {
    frozenset({"read"}): {Role.VIEWER},
    frozenset({"request"}): {Role.REQUESTER},
    frozenset({"read", "request"}): {Role.VIEWER, Role.REQUESTER},
    frozenset({"metrics"}): set(),
    frozenset({"read", "request", "manage"}): {Role.VIEWER, Role.REQUESTER, Role.MANAGER, Role.ADMIN},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("wanted", ROLES[1:])
def test_a_role_has_those_below_it(role: Role, wanted: Role) -> None:
    assert Visitor("x", role, "session").may(wanted) is (ROLES.index(role) >= ROLES.index(wanted))


@pytest.mark.parametrize("scopes", SCOPED)
@pytest.mark.parametrize("role", ROLES[1:])
@pytest.mark.parametrize("wanted", ROLES[1:])
def test_a_token_does_no_more_than_it_was_made_for_and_no_more_than_its_role(
    scopes: frozenset[str], role: Role, wanted: Role
) -> None:
    may = Visitor("x", role, "token", "", scopes).may(wanted)
    assert may is (role.includes(wanted) and wanted in SCOPED[scopes])


def test_a_token_ends_at_its_moment_or_when_it_is_revoked() -> None:
    token = BoardToken("1", "x", Role.VIEWER, frozenset({"read"}), "Rosa", NOW, NOW + timedelta(days=1))
    assert token.state(NOW + timedelta(hours=23)) == "valid"
    assert token.state(NOW + timedelta(days=1)) == "expired"
    gone = BoardToken("1", "x", Role.VIEWER, frozenset({"read"}), "Rosa", NOW, None, NOW)
    assert gone.state(NOW) == "revoked"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('url = "http://board.example.org"', "must begin with https"),
        ('url = "https://me:pw@board.example.org"', "holds credentials"),
        ('url = "https://board.example.org/headway"', "must not have a path"),
        ('url = "https://board.example.org?x=1"', "must not have a path"),
        ('url = "board.example.org"', "is not an address"),
        ('url = "https://board.example.org:port"', "is not an address"),
        ('url = "https://board.example.org\\\\@evil.example"', "is not an address"),
        ('managers = ["rosa"]', "names nobody"),
        ('managers = ["team:toy"]', "names nobody"),
        ('admins = ["owner"]', "names nobody"),
        ("session_hours = 0", "greater than 0"),
        ("session_hours = 999999999", "less than or equal"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_in_words(line: str, words: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        load_policy(f'schema = 1\npreset = "generic"\n[board]\n{line}\n', source="release.toml")
    told = str(caught.value.facts)
    assert words in told
    assert "release.toml:4" in told
    assert "pw" not in told


@pytest.mark.parametrize(
    "url", ["", "https://b.example", "https://b.example:8443/", "http://127.0.0.1:9", "http://[::1]:9"]
)
def test_addresses_that_can_be_meant(url: str) -> None:
    text = f'schema = 1\npreset = "generic"\n[board]\nurl = "{url}"\n'
    assert load_policy(text, source="release.toml").board.url == url
