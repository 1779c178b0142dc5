"""Who may command what by a comment: by their login, a team, or their right in the repository (``[talk]``).

This only opens the door: the people whom the policy names for reviews, gates and waivers are asked for behind it, as on
the command line.
"""

from __future__ import annotations

from enum import StrEnum

from headway.decide import record
from headway.model.hub import Person, Right
from headway.model.reason import Reason
from headway.model.text import Text, facts, say
from headway.policy.forge_tables import Talk

TEAM = "team:"
_RANK = {right: rank for rank, right in enumerate(Right)}


class Role(StrEnum):
    """What a command wants of who gives it."""

    ASK = "anybody"
    REQUEST = "requesters"
    REVIEW = "reviewers"
    MANAGE = "managers"


_MAY: dict[Role, tuple[str, Text]] = {
    Role.REQUEST: ("P1", say("request picks by comments")),
    Role.REVIEW: ("G1", say("approve or reject by comments")),
    Role.MANAGE: ("G2", say("hold or waive by comments")),
}
_MAY_WORD: dict[str, tuple[str, Text]] = {
    "withdraw": ("P1", say("take requests back by comments")),
    "resolve": ("P8", say("resolve conflicts by comments")),
    "cut": ("B1", say("cut release branches by comments")),
    "slip": ("C4", say("give trains other dates by comments")),
    "abandon": ("C4", say("give trains up by comments")),
    "adopt": ("G3", say("explain commits by comments")),
    "drop": ("G3", say("have commits taken out by comments")),
}


def account(login: str) -> str:
    """The name under which a forge's account stands in the ledger and in the lists of a policy."""
    return f"@{login}"


def named_for(role: Role, talk: Talk) -> tuple[str, ...]:
    """The words of the policy about who has a role; for what anybody may, none."""
    if role is Role.ASK:
        return ()
    return {Role.REQUEST: talk.requesters, Role.REVIEW: talk.reviewers, Role.MANAGE: talk.managers}[role]


def teams_named(talk: Talk) -> tuple[str, ...]:
    """Teams (``org/slug``) whose members the forge has to be asked for."""
    words = (*talk.requesters, *talk.reviewers, *talk.managers)
    return tuple(dict.fromkeys(w.removeprefix(TEAM) for w in words if w.startswith(TEAM)))


def may(person: Person, role: Role, talk: Talk) -> bool:
    """Whether a person has a role. An empty list is nobody; a word that is none of the three forms is nobody too."""
    return role is Role.ASK or any(is_named(person, word) for word in named_for(role, talk))


def is_named(person: Person, word: str) -> bool:
    """Whether a word of the policy means somebody: `@login`, `team:ORG/SLUG`, or a right that they have or exceed."""
    if word.startswith("@"):
        return record.among(account(person.login), (word,))
    if word.startswith(TEAM):
        return word.removeprefix(TEAM).casefold() in {t.casefold() for t in person.teams}
    wanted = next((r for r in Right if r.value == word), Right.NONE)
    return wanted is not Right.NONE and _RANK[person.right] >= _RANK[wanted]


def refusal(person: Person, role: Role, talk: Talk, word: str = "") -> Reason | None:
    """Why somebody may not give a command (``word``) of a role, or ``None`` when they may."""
    if may(person, role, talk):
        return None
    clause, what = _MAY_WORD.get(word) or _MAY[role]
    names = named_for(role, talk)
    who = account(person.login)
    return Reason(
        clause,
        "talk.not-allowed",
        say("{person} may not {what} here", person=who, what=str(what)),
        facts(person=who, right=person.right.value, wanted=names),
        say(
            "ask one of {names}, or have talk.{role} of the policy name you",
            names=[n if n.startswith(("@", TEAM)) else f"those with the right {n}" for n in names],
            role=role.value,
        )
        if names
        else say("nobody may: talk.{role} of the policy is empty", role=role.value),
    )
