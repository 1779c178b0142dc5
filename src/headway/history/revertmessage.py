"""What a commit message says it undoes or brings back (pure): tags, verbs and quotes peeled off, level by level."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from headway.model.commit import Commit

_TAG = re.compile(r"^\s*(?:\[([^\]]*)\]|【([^】]*)】)\s*")
_UNDO = re.compile(r"^revert(?:s|ed|ing)?\b\s*:?\s*", re.IGNORECASE)
_REDO = re.compile(r"^(?:re-?apply|re-?land)(?:s|ed|ing)?\b\s*:?\s*", re.IGNORECASE)
_VERB_TAG = re.compile(r"^(?:(?P<undo>revert)|re-?apply|re-?land)$", re.IGNORECASE)
_NUMBER = re.compile(r"\s*\(#(\d+)\)\s*$")
_BARE_NUMBER = re.compile(r"^(?:PR\s*)?#(\d+)\b", re.IGNORECASE)
_SHA = r"[0-9a-f]{7,64}"
_BODY_SHAS = re.compile(
    rf"^\W*This reverts commits?:?\s+({_SHA}\b(?:(?:\s*,\s*|\s+)(?:and\s+)?{_SHA}\b)*)", re.MULTILINE
)
_BODY_NUMBER = re.compile(r"^\W*Reverts\s+(?:[\w.-]+/[\w.-]+)?#(\d+)\b", re.MULTILINE)
_CUT_SHORT = re.compile(r"(?:…|\.\.\.)$")


class Verb(StrEnum):
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message claims: commits by SHA (as written), pull requests, the inner title without its number.

    ``number`` is the one of the inner title. ``plain`` says that the form leaves no doubt that this is a revert
    or reland, also when nothing that it names can be found.
    """

    verb: Verb
    shas: tuple[str, ...]
    numbers: tuple[int, ...]
    number: int | None
    title: str
    plain: bool


def read_claim(commit: Commit) -> Claim | None:
    """The claim of a commit's message, or ``None`` when it claims nothing."""
    verb, inner, quoted = _peel(commit.title)
    shas = tuple(sha for found in _BODY_SHAS.findall(commit.body) for sha in re.findall(rf"{_SHA}\b", found))
    numbers = tuple(int(n) for n in _BODY_NUMBER.findall(commit.body))
    if verb is None:
        # A squash lists its own commits, and one of those may have reverted another: only SHAs of the trunk count.
        return Claim(Verb.UNDO, _unique(shas), (), None, "", False) if shas else None
    bare = _BARE_NUMBER.match(inner)
    found = _NUMBER.search(inner)
    number = int(bare[1]) if bare else int(found[1]) if found else None
    return Claim(verb, _unique(shas), numbers, number, normal_title(inner), quoted or bool(shas or numbers))


def _unique(items: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _peel(subject: str) -> tuple[Verb | None, str, bool]:
    """The outermost verb, what it is said of, and whether that was quoted. A verb in a tag counts when none follows."""
    rest, tagged = subject, None
    while found := _TAG.match(rest):
        word = _VERB_TAG.match((found[1] or found[2] or "").strip())
        rest = rest[found.end() :]
        if word and tagged is None:
            tagged = (Verb.UNDO if word["undo"] else Verb.REDO, rest)
    for verb, pattern in ((Verb.UNDO, _UNDO), (Verb.REDO, _REDO)):
        if spoken := pattern.match(rest):
            return verb, *_inside_quotes(rest[spoken.end() :])
    if tagged is None:
        return None, subject, False
    return tagged[0], *_inside_quotes(tagged[1])


def _inside_quotes(text: str) -> tuple[str, bool]:
    """What stands between the first and the last quote; a missing closing quote (a title cut short) is forgiven."""
    text = text.strip()
    for opening, closing in (('"', '"'), ("“", "”"), ("'", "'"), ("`", "`")):
        if text.startswith(opening):
            end = text.rfind(closing)
            return (text[1:end] if end > 0 else text[1:]).strip(), True
    return _NUMBER.sub("", text), False


def brings_back(title: str) -> bool:
    """Whether, all verbs of a title together, the innermost change comes back: a reland, a revert of a revert."""
    verb, inner, _ = _peel(title)
    back = verb is not None
    while verb is not None:
        back = back != (verb is Verb.UNDO)
        verb, inner, _ = _peel(inner)
    return back


def titles_of(title: str) -> tuple[str, ...]:
    """A title itself and, when it undoes or brings back, the title that it is said of, both normalised."""
    verb, inner, _ = _peel(title)
    return (normal_title(title), *([normal_title(inner)] if verb else []))


def normal_title(subject: str) -> str:
    """A title for comparison: without its last ``(#N)``, spaces and case evened out."""
    return " ".join(_NUMBER.sub("", subject).split()).casefold()


def same_title(claimed: str, title: str) -> bool:
    """Whether a claimed title (perhaps cut short with ``…``) is this normalised title."""
    if claimed == title:
        return bool(claimed)
    head = _CUT_SHORT.sub("", claimed)
    return head != claimed and len(head) >= 20 and title.startswith(head)
