"""In which section and group of the notes a change stands: the policy's rules on titles, bodies and labels (N2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from headway.decide.replay import Change
from headway.policy.notes_tables import NoteRule, Notes, SectionName

ORDER: tuple[SectionName, ...] = ("breaking", "upcoming", "features", "fixes", "improvements")
_UNDOING = re.compile(r"^(?:(?:Revert|Reapply|Reland)\b[\s:]*[\"“]?)+", re.IGNORECASE)
_TAG = re.compile(r"\s*[\[【]([^\[\]【】]+)[\]】]\s*")
_CONVENTIONAL = re.compile(r"\s*(?P<type>\w+)\s*(?:\((?P<scope>[^()]*)\))?\s*(?P<breaking>!)?\s*:")
_SEPARATORS = re.compile(r"[\s_.\-]+")


@dataclass(frozen=True, slots=True)
class Marks:
    """What a title says of itself, each word as ``plain`` makes it: the ``tags`` in brackets before it, in order, a
    conventional commit's ``type`` (``""``) and ``scopes``."""

    tags: tuple[str, ...]
    type: str
    scopes: tuple[str, ...]
    breaking: bool


@lru_cache(maxsize=4096)
def plain(word: str) -> str:
    """Spellings of one word (`Spec Decode`, `spec-decode`, `SpecDecode`) are the same."""
    return _SEPARATORS.sub("", word).casefold()


def marks_of(title: str) -> Marks:
    """The marks of a title; those of what it reverts, for a revert."""
    rest = _UNDOING.sub("", title)
    tags: list[str] = []
    while found := _TAG.match(rest):
        tags += _parts(found[1])
        rest = rest[found.end() :]
    said = _CONVENTIONAL.match(rest)
    if said is None:
        return Marks(tuple(tags), "", (), False)
    scopes = tuple(plain(s) for s in re.split(r"[,/]", said["scope"] or "") if plain(s))
    return Marks(tuple(tags), plain(said["type"]), scopes, bool(said["breaking"]))


def _parts(tag: str) -> list[str]:
    """A tag, and what it joins: `CI/Build`, `ROCm, Kernel`."""
    parts = [plain(p) for p in re.split(r"[/,|&+]", tag)]
    return [*dict.fromkeys(p for p in (plain(tag), *parts) if p)]


def section_of(change: Change, labels: Iterable[str], notes: Notes) -> SectionName:
    """The section of a change; what no rule has is an improvement."""
    if change.takes_out:
        return notes.reverts
    c = change.origin
    given, said = [plain(label) for label in labels], marks_of(c.title)
    regexes = {
        "breaking": notes.breaking,
        "upcoming": notes.upcoming,
        "features": notes.features,
        "fixes": notes.fixes,
    }
    for name in ORDER:
        if name in notes.sections and _any(notes.sections[name].labels, given):
            return name
    found: list[SectionName] = []
    for name in ORDER:
        rule = notes.sections.get(name)
        if any(re.search(p, c.title) for p in regexes.get(name, ())) or (rule is not None and _has(rule, said)):
            found.append(name)
    whole = f"{c.title}\n{c.body}"
    if "breaking" in found or any(re.search(p, whole) for p in notes.breaking):
        return "breaking"
    # Long bodies speak of deprecated things while they mend others.
    if "upcoming" in found or ("fixes" not in found and any(re.search(p, whole) for p in notes.upcoming)):
        return "upcoming"
    return found[0] if found else "improvements"


def _has(rule: NoteRule, said: Marks) -> bool:
    words = [*said.tags, said.type] if said.type else said.tags
    kind = said.type and _any((t for t in rule.types if t != "!"), [said.type])
    return bool(
        kind or (said.breaking and "!" in rule.types) or _any(rule.prefixes, words) or _any(rule.scopes, said.scopes)
    )


def group_of(change: Change, labels: Iterable[str], notes: Notes) -> int | None:
    """The number of the group of a change, or ``None``."""
    given, said = [plain(label) for label in labels], marks_of(change.origin.title)
    tries: list[tuple[str, str]] = [("labels", label) for label in given]
    tries += [("prefixes", tag) for tag in said.tags]
    tries += [("prefixes", said.type), ("types", said.type)] if said.type else []
    tries += [("scopes", scope) for scope in said.scopes]
    for kind, word in tries:
        for i, group in enumerate(notes.groups):
            if _any(getattr(group, kind), [word]):
                return i
    title = change.origin.title
    return next((i for i, g in enumerate(notes.groups) if any(re.search(p, title) for p in g.titles)), None)


def _any(patterns: Iterable[str], words: Iterable[str]) -> bool:
    wanted = [plain(p) for p in patterns]
    return any(fnmatchcase(word, pattern) for word in words for pattern in wanted)
