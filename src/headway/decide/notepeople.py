"""Who made a release: contributors, and who of them did so for the first time (N2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from headway.decide.replay import Change
from headway.model.noted import Noted, Person, authors
from headway.policy.notes_tables import Notes


@dataclass(frozen=True, slots=True)
class FirstTime:
    """Somebody who is in no earlier history, and the change that they came with."""

    person: Person
    change: Change


@dataclass(frozen=True, slots=True)
class People:
    """``contributors`` by name, each once; ``first_time`` in the order of their changes, ``None`` where the history
    that would tell was not read."""

    contributors: tuple[Person, ...]
    first_time: tuple[FirstTime, ...] | None


def people_of(changes: Iterable[Change], noted: Noted, notes: Notes) -> People:
    """Authors and co-authors of changes, as ``.mailmap`` names them, without bots."""
    found: dict[str, Person] = {}
    first: list[FirstTime] = []
    for change in changes:
        # Whoever brought it to the branch has a part in it too.
        for written in (*authors(change.origin), *authors(change.commit)):
            person = noted.people.get(written, written)
            if _bot(person, notes) or _bot(written, notes):
                continue
            keys = person.keys
            if found.keys().isdisjoint(keys):
                first.append(FirstTime(person, change))
            known = next((found[k] for k in keys if k in found), person)
            found |= dict.fromkeys(keys, known)
    people = tuple(sorted(dict.fromkeys(found.values()), key=lambda p: (p.name.casefold(), p.email)))
    earlier = noted.earlier
    if earlier is None:
        return People(people, None)
    return People(people, tuple(f for f in first if earlier.isdisjoint(f.person.keys)))


def _bot(person: Person, notes: Notes) -> bool:
    return any(re.search(p, word) for p in notes.bots for word in (person.name, person.email))
