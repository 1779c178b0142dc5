"""Who may command what by a comment: logins, teams, rights in the repository."""

from __future__ import annotations

import pytest

from headway.decide import record
from headway.decide.chatrights import Role, may, refusal, teams_named
from headway.decide.requests import people
from headway.model.hub import Person, Right
from headway.policy.forge_tables import Talk

TALK = Talk(requesters=("write",), reviewers=("maintain", "team:Org/RelEng"), managers=("@Rosa",))
LADDER = list(Right)


@pytest.mark.parametrize("right", LADDER)
@pytest.mark.parametrize("wanted", LADDER[1:])
def test_a_right_stands_for_those_above_it_and_no_other(right: Right, wanted: Right) -> None:
    talk = Talk(requesters=(wanted.value,))
    assert may(Person("eve", right), Role.REQUEST, talk) is (LADDER.index(right) >= LADDER.index(wanted))


def test_a_team_and_a_login_are_the_same_in_whatever_case() -> None:
    assert may(Person("eve", Right.READ, ("org/releng",)), Role.REVIEW, TALK)
    assert not may(Person("eve", Right.READ, ("org/others",)), Role.REVIEW, TALK)
    assert may(Person("rosa", Right.NONE), Role.MANAGE, TALK)
    assert not may(Person("rosa2", Right.ADMIN), Role.MANAGE, TALK)
    assert teams_named(TALK) == ("Org/RelEng",)


@pytest.mark.parametrize("word", ["", "none", "owner", "rosa", "team:", "@", "*", "WRITE"])
def test_a_word_that_is_no_right_team_or_login_is_nobody(word: str) -> None:
    talk = Talk(managers=(word,))
    people = (Person("rosa", Right.ADMIN, ("org/releng",)), Person("", Right.NONE), Person("eve", Right.WRITE))
    assert not any(may(p, Role.MANAGE, talk) for p in people if p.login)


def test_an_empty_list_is_nobody() -> None:
    no = refusal(Person("root", Right.ADMIN), Role.MANAGE, Talk(managers=()))
    assert no is not None
    assert "is empty" in str(no.remedy)


@pytest.mark.parametrize(("role", "clause"), [(Role.REQUEST, "P1"), (Role.REVIEW, "G1"), (Role.MANAGE, "G2")])
def test_a_refusal_names_clause_person_and_who_may(role: Role, clause: str) -> None:
    no = refusal(Person("eve", Right.READ), role, TALK)
    assert no is not None
    assert no.clause == clause
    assert dict(no.facts)["person"] == "@eve"
    assert dict(no.facts)["wanted"]


def test_anybody_may_ask() -> None:
    assert refusal(Person("eve", Right.NONE), Role.ASK, Talk(requesters=(), reviewers=(), managers=())) is None


def test_accounts_in_the_lists_of_a_policy_are_the_same_in_whatever_case_and_names_are_not() -> None:
    assert record.among("@Rosa", ("@rosa", "Bo"))
    assert record.among("Bo", ("@rosa", "Bo"))
    assert not record.among("bo", ("@rosa", "Bo"))
    assert not record.among("@bo", ("Bo", "bo"))


def test_where_people_are_counted_an_account_and_its_name_are_one() -> None:
    """An approval of each of them is the approval of one."""
    assert record.person("@Rosa") == record.person(" rosa ") == record.person("@rosa")
    assert record.person("@rosa") != record.person("Rosa Luz")
    assert people(("@rosa", "Rosa", "bo", "@Bo", "@ann")) == ("@rosa", "bo", "@ann")
