"""What a commit message says it undoes or brings back (pure): tags, verbs and quotes peeled off, level by level."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from headway.history.revertnames import Names, Stated, bare_digits, is_way_back, names_in, names_said
from headway.model.commit import Commit

# Every repetition is bounded or cannot match in two ways: a message of 10 MB is read in one pass.
_TITLE = 4_000  # characters of a title that are looked at
_LEVELS = 12  # verbs inside one another
_TAG = re.compile(r"\s*(?:\[([^\]]*)\]|【([^】]*)】):?\s*")
_UNDO = r"(?:re-)?revert(?:s|ed|ing)?"
_REDO = r"(?:re-?){1,6}(?:appl(?:y|ies|ied|ying)|land(?:s|ed|ing)?)\d?|un-?revert(?:s|ed|ing)?"
_HOW = r"(?:(?:partial(?:ly)?|temporar(?:il)?y|manual(?:ly)?|fully|properly)\s+)?"
_SPOKEN = re.compile(
    rf"{_HOW}(?:(?P<undo>{_UNDO})(?:\^(?P<power>\d))?|(?P<redo>{_REDO}))(?![\w-])\s*:?\s*(?:of\s+)?(?:the\s+(?=revert))?",
    re.IGNORECASE,
)
# These have other meanings: they count only before a quote, a SHA or a number.
_BACK_OUT = re.compile(
    r"(?:back(?:s|ed|ing)?[\s-]?out|undo(?:es|ing)?|unland|(?P<redo>(?:add|bring)(?:s|ing)?\s+back))\s*:?\s+"
    r"(?:(?:commit|PR|pull request)\s+)?"
    r'(?=["“]|#\d|PR\s*#?\d|D\d{5}|https?://|[0-9a-f]{7,64}\b)',
    re.IGNORECASE,
)
_VERB_TAG = re.compile(rf"(?:(?P<undo>revert)|(?P<redo>{_REDO}|revert[\s-]+revert|revert\^2))$", re.IGNORECASE)
_VERB_ASIDE = re.compile(rf"\((?P<redo>{_REDO})\)\s*", re.IGNORECASE)
_PICKED = re.compile(
    r"(?:manual(?:ly)?\s+)?(?:cherry[\s-]?pick(?:s|ed)?|backport(?:s|ed)?)\b(?:\s+of)?(?:\s+(?:PR\s*)?#\d{1,9})?\s*:?\s*",
    re.IGNORECASE,
)
_GERRIT_MERGE = re.compile(r'Merge "(.*)"(?: into \S{1,200})?$')
_GITHUB_BRANCH = re.compile(r"Merge pull request #\d{1,9} from [^\s/]{1,100}/((?:revert-\d{1,9}-)+)")
_AREA = re.compile(r'[^"“`:]{1,60}?(?::|\s-)\s+')
_LEAD = re.compile(
    r"(?:with\s+fix(?:es)?:?\s+)?(?:the\s+)?(?:(?:PRs?|pull\s+requests?|commits?|changes?)\s+(?:of|from|in|for)\s+)?"
    r"(?:D\d{5,12}\b\s*(?::|-)?\s*)?",
    re.IGNORECASE,
)
_DIFF = re.compile(r"\bD(\d{5,12})\b")
_DIFF_OF = re.compile(r"^Differential Revision:\s*\[?D(\d{5,12})\b", re.MULTILINE)
_NUMBER = re.compile(r"\s*\(#(\d{1,9})\)\s*$")
_BARE_NUMBER = re.compile(r"(?:PR\s*)?#(\d{1,9})\b", re.IGNORECASE)
_ANY_NUMBER = re.compile(r"#(\d{1,9})\b")
_CUT_SHORT = re.compile(r"(?:…|\.\.\.)$")
_ASIDE = re.compile(rf"\s\((?:{_REDO})\)$", re.IGNORECASE)
_LEFT_OUT = str.maketrans("", "", "\"“”'`")

_Item = TypeVar("_Item")


class Verb(StrEnum):
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message claims: commits by SHA (as written), pull requests, the inner title without its number.

    ``numbers`` are stated (``Reverts org/repo#N``), ``number`` is the one of the inner title; ``loose`` stand in free
    text, and ``diffs`` are Phabricator's: each counts only where an earlier commit bears it. ``plain`` says that the
    form leaves no doubt that this is a revert or reland, also when nothing that it names can be found; ``spoken``
    that the title says so in some words (else only the body names what is undone).
    """

    verb: Verb
    shas: tuple[str, ...]
    numbers: tuple[int, ...]
    number: int | None
    title: str
    plain: bool
    spoken: bool = True
    loose: tuple[int, ...] = ()
    diffs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Peeled:
    """The outermost verb of a title, what it is said of, what follows the closing quote."""

    verb: Verb
    inner: str
    quoted: bool
    tail: str = ""


@lru_cache(maxsize=1 << 14)
def read_claim(commit: Commit) -> Claim | None:
    """The claim of a commit's message, or ``None`` when it claims nothing."""
    title = _whole_title(commit)
    said = names_in(commit.body)
    peeled = _peel(title)
    return _spoken_claim(commit, title, peeled, said) if peeled else _unspoken_claim(commit, title, said)


def _spoken_claim(commit: Commit, title: str, peeled: _Peeled, said: Stated) -> Claim:
    own = _NUMBER.search(peeled.inner)
    cut = own is not None and int(own[1]) == commit.pr  # the closing quote is missing: the last number is outside
    inner = peeled.inner[: own.start()] if own and cut else peeled.inner
    bare, found = _BARE_NUMBER.match(inner), _NUMBER.search(inner)
    number = int(bare[1]) if bare else int(found[1]) if found else _number_in_body(commit.body, inner)
    stated = said.stated
    here = Names() if peeled.quoted else names_said(inner)
    # Of several quoted titles each has its number; of one, those further in are of what it undid itself.
    free = () if is_way_back(inner) or (peeled.quoted and '", "' not in inner) else _numbers(inner)
    digits = () if peeled.quoted else bare_digits(inner)
    loose = [*digits, *free, *_numbers(peeled.tail), *said.loose.numbers]
    if peeled.verb is Verb.REDO:
        loose += said.by.numbers
    numbers = stated.numbers or here.numbers
    return Claim(
        peeled.verb,
        _unique((*stated.shas, *here.shas)),
        numbers,
        number,
        normal_title(inner),
        peeled.quoted or bool(stated.shas or stated.numbers),
        loose=_unique(n for n in loose if n not in (number, commit.pr, *numbers)),
        diffs=_unique(_DIFF.findall(title)),
    )


def _unspoken_claim(commit: Commit, title: str, said: Stated) -> Claim | None:
    """A title that is none of a revert: the branch of GitHub's button, the body, or a name after a verb further on."""
    branch = _GITHUB_BRANCH.match(title)
    if branch:
        numbers = re.findall(r"\d+", branch[1])
        return Claim(Verb.UNDO, said.stated.shas, (), int(numbers[0]), "", True)
    # A squash lists its own commits, and one of those may have reverted another: only what the trunk has counts.
    here = names_said(title, anywhere=True)
    shas = _unique((*said.alone.shas, *here.shas))
    loose = tuple(n for n in here.numbers if n != commit.pr)
    if not (shas or said.alone.numbers or loose):
        return None
    return Claim(Verb.UNDO, shas, said.alone.numbers, None, "", False, spoken=False, loose=loose)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in _ANY_NUMBER.findall(text))


def _unique(items: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(items))


def _whole_title(commit: Commit) -> str:
    """The title, with the rest that GitHub put into the body when it was too long."""
    title = commit.title[:_TITLE]
    head = _NUMBER.sub("", title)
    rest = commit.body[:_TITLE].lstrip("\n").partition("\n")[0].strip()
    if title == commit.subject and head.endswith("…") and rest.startswith("…"):
        return f"{head[:-1]}{rest[1:]}{title[len(head) :]}"
    return title


def _number_in_body(body: str, inner: str) -> int | None:
    """The number of ``Revert "inner (#N)"``, which squashes keep in the body, where the title lost it."""
    wanted = key(normal_title(inner))
    for line in body[: _TITLE * 4].split("\n"):
        peeled = _peel(line.lstrip("*- ")) if "(#" in line else None
        found = _NUMBER.search(peeled.inner) if peeled and peeled.quoted else None
        if peeled and found and wanted and key(normal_title(peeled.inner)) == wanted:
            return int(found[1])
    return None


def _peel(subject: str) -> _Peeled | None:
    """A verb in a tag counts when none follows; an area before a colon is no tag but may stand before the verb."""
    text = subject[:_TITLE].strip()
    outer = _GERRIT_MERGE.match(text)
    rest, tagged = outer[1] if outer else text, None
    for areas in range(4):
        while found := _TAG.match(rest) or _VERB_ASIDE.match(rest) or _PICKED.match(rest):
            word = _VERB_TAG.match((found[1] or found[2] or "").strip()) if found.re.groups else None
            rest = rest[found.end() :]
            if word and tagged is None:
                tagged = _of(Verb.UNDO if word["undo"] else Verb.REDO, rest)
        if spoken := _spoken(rest, after_area=areas > 0):
            return spoken
        area = _AREA.match(rest)
        if not area:
            break
        rest = rest[area.end() :]
    if tagged:
        return tagged
    head = _NUMBER.sub("", text)
    aside = _ASIDE.search(head)
    return _Peeled(Verb.REDO, head[: aside.start()], False) if aside else None


def _spoken(text: str, *, after_area: bool) -> _Peeled | None:
    """After an area, words that only begin with a quote (``mod: revert "changed" names``) are free text."""
    found = _SPOKEN.match(text) or _BACK_OUT.match(text)
    if found is None:
        return None
    rest = text[found.end() :]
    verb = Verb.REDO if found["redo"] else Verb.UNDO
    peeled = _of(verb, rest)
    if after_area and peeled.quoted and peeled.tail.strip(" ."):
        return _Peeled(verb, _NUMBER.sub("", rest), False)
    inner = peeled.inner
    for _ in range(int(found["power"] or 1) - 1 if found.re is _SPOKEN else 0):  # Revert^2 "x" reverts Revert "x"
        inner = f'Revert "{inner}"'
    return _Peeled(verb, inner, peeled.quoted, peeled.tail)


def _of(verb: Verb, text: str) -> _Peeled:
    """What stands between the first and the last quote; a missing closing quote (a title cut short) is forgiven."""
    text = text.strip()
    lead = _LEAD.match(text)
    for opening, closing in (('"', '"'), ("“", "”"), ("'", "'"), ("`", "`")):
        at = lead.end() if lead and text.startswith(opening, lead.end()) else 0
        if text.startswith(opening, at):
            end = text.rfind(closing)
            if opening in "'`" and _NUMBER.sub("", text[end + 1 :]).strip(" ."):
                break  # these mark names as well: ``Revert `flag` to its default``
            if end > at:
                return _Peeled(verb, text[at + 1 : end].strip(), True, _NUMBER.sub("", text[end + 1 :]))
            return _Peeled(verb, text[at + 1 :].strip(), True)
    diff = re.match(r"D\d{5,12}\b\s*(?::|-)?\s*", text)
    inner = _NUMBER.sub("", text[diff.end() :] if diff else text)
    return _Peeled(verb, inner, diff is not None)


def brings_back(title: str) -> bool:
    """Whether, all verbs of a title together, the innermost change comes back: a reland, a revert of a revert."""
    peeled = _peel(title)
    if peeled is None:
        branch = _GITHUB_BRANCH.match(title)
        return branch is not None and branch[1].count("revert") % 2 == 0
    back = True
    for _ in range(_LEVELS):
        back = back != (peeled.verb is Verb.UNDO)
        inner = _peel(peeled.inner)
        if inner is None:
            break
        peeled = inner
    return back


def titles_of(title: str) -> tuple[str, ...]:
    """A title itself and, when it undoes or brings back, the title that it is said of, both normalised."""
    peeled = _peel(title)
    return (normal_title(title), *([normal_title(peeled.inner)] if peeled else []))


def diff_of(body: str) -> str | None:
    """The Phabricator number of a commit's own change, without its ``D``."""
    found = _DIFF_OF.search(body) if "Differential Revision" in body else None
    return found[1] if found else None


def normal_title(subject: str) -> str:
    """A title for comparison: without its last ``(#N)``, spaces and case evened out; Gerrit's merge is its change."""
    subject = _NUMBER.sub("", subject[:_TITLE])
    if subject.startswith('Merge "') and (outer := _GERRIT_MERGE.match(subject)):
        subject = outer[1]
    return " ".join(subject.split()).casefold()


def key(title: str) -> str:
    """A normalised title without its quotes, which titles cut short leave unbalanced."""
    return title.translate(_LEFT_OUT)


def untagged(title: str) -> str:
    """A normalised title without the tags before it, which people change when they quote."""
    while found := _TAG.match(title):
        title = title[found.end() :]
    return title


def is_cut(title: str) -> bool:
    """Whether a title was cut short."""
    return _CUT_SHORT.search(title) is not None


def same_title(claimed: str, title: str) -> bool:
    """Whether a claimed title (perhaps cut short with ``…``) is this normalised title."""
    if claimed == title:
        return bool(claimed)
    head = _CUT_SHORT.sub("", claimed)
    return head != claimed and len(head) >= 20 and title.startswith(head)
