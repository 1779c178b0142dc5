"""What release notes need to know beyond a snapshot: who people are, and what merges brought."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from headway.model.commit import Commit, Line, Sha

_TRAILER = re.compile(r"^Co-authored-by:[ \t]*([^<\n]*?)[ \t]*<([^>\n]*)>[ \t]*$", re.MULTILINE | re.IGNORECASE)
_NUMBERED = re.compile(r"^\d+\+(?=[^@]+@users\.noreply\.)")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a commit names them, or as ``.mailmap`` says they want to be named."""

    name: str
    email: str

    @property
    def keys(self) -> frozenset[str]:
        """By what two mentions are taken for one person: the e-mail address (a forge's own with or without its number),
        and the name, for people have several addresses, and nobody is welcomed twice."""
        name, email = " ".join(self.name.split()).casefold(), _NUMBERED.sub("", self.email.strip().casefold())
        return frozenset({*([f"<{email}>"] if email else ()), *([name] if name else ())})


def authors(commit: Commit) -> tuple[Person, ...]:
    """Who wrote a commit: its author, then those of its ``Co-authored-by`` trailers, as written."""
    return (Person(commit.author, commit.email), *(Person(n, e) for n, e in _TRAILER.findall(commit.body) if n))


@dataclass(frozen=True, slots=True)
class Noted:
    """For one release.

    ``brought`` maps the merges since the previous release to what came with each and is in no earlier one: commits of
    the merged branch, oldest first, merges among them. ``people`` maps those whom ``.mailmap`` knows under another
    name. ``earlier`` are the keys of all who wrote anything up to the previous release; ``None``: that history was not
    fetched. ``labels`` are those of pull requests, where they are known. ``before`` is the line up to the previous
    release.
    """

    brought: Mapping[Sha, tuple[Commit, ...]] = field(default_factory=dict)
    people: Mapping[Person, Person] = field(default_factory=dict)
    earlier: frozenset[str] | None = None
    labels: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    before: Line | None = None
