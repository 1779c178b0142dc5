"""What a person's controls share: how they refuse, and what would follow from one more entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from packaging.version import Version

from headway.app import Headway
from headway.errors import UnusableInput
from headway.model.entry import GENESIS, Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Fact, Text, facts, say
from headway.policy.scheme import parse_version


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a control was not carried out."""

    reasons: tuple[Reason, ...]


def no(clause: str, code: str, text: Text, remedy: Text, **known: Fact) -> Refused:
    """A refusal with one reason."""
    return Refused((Reason(clause, code, text, facts(**known), remedy),))


def version_of(text: str) -> Version:
    """A version as a person types it, with or without ``v``. Raises ``UnusableInput``."""
    version = parse_version(text.removeprefix("v"))
    if version is None:
        raise UnusableInput(
            "version.unreadable",
            say("{text} is not a release version", text=text),
            remedy=say("versions look like 0.7.1 or 0.7.1.post1"),
            clause="V5",
        )
    return version


def as_if(app: Headway, snapshot: Snapshot, kind: Kind, train: str, payload: dict[str, Any]) -> Snapshot:
    """The snapshot with one more entry, to ask what would follow from it."""
    entry = Entry(len(snapshot.entries) + 1, app.clock.now(), app.person, kind, train, payload, GENESIS, GENESIS)
    return replace(snapshot, entries=(*snapshot.entries, entry))
