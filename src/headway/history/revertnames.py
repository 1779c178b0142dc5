"""The commits and pull requests that the words of a revert name (pure): lists, addresses, abbreviations."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERB = re.compile(r"revert(?P<form>s|ed|ing)?\b", re.IGNORECASE)
_BEFORE = 60  # characters of a line before the verb that are looked at
_AFTER = 20_000  # and after it: room for some hundred SHAs
_VERBS = 500  # verbs of one message that are looked at
_SUBJECT = re.compile(
    r"(?P<mark>[^\w\n]{0,12})(?P<subject>(?:this|git)\s+(?:(?:pr|pull request|commit|change|patch|diff|mr|cl)\s+)?)?"
    r"(?:(?P<partial>part(?:ial(?:ly)?|ly)|mostly)\s+|(?:also|manually|fully|effectively|temporarily|simply)\s+)?",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:[\s:\[\]()]{0,4}\b(?:the|this|that|these|those|all|most|parts?|some|of|previous|following|merges?|merged|"
    r"changes?|commits?|prs?|pull|requests?|patch(?:es)?|revisions?|introduced|made|added|done|from|in|by)\b){0,8}"
    r"[\s:\-*•]{0,8}",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"""[`'"(\[\]<*]{0,3}(?:
    https?://[\w.:-]{1,100}/[\w.-]{1,100}/[\w.-]{1,100}/(?:-/)?
        (?:(?:pull|pulls|merge_requests)/(?P<pull>\d{1,9})|commit/(?P<page>[0-9a-f]{7,64}))\b(?:[/#?][\w/#?=&.-]{0,200})?
    | (?:PRs?\s?\#?|pull\srequest\s\#?|(?:[\w.-]{1,100}/[\w.-]{1,100})?\#)(?P<number>\d{1,9})\b
    | (?:commit\s)?(?P<sha>(?-i:[0-9a-f]{7,64}))\b(?![\w/-])
    )[`'")\]>*]{0,3}""",
    re.IGNORECASE | re.VERBOSE,
)
_BETWEEN = re.compile(r"(?:[\s,;&+/*•-]|\band\b){1,12}", re.IGNORECASE)
_NEXT_LINE = re.compile(r"[^\n]{0,300}\n\s{0,4}[-*•]?\s{0,4}")
_BY = re.compile(r"\s+(?:in|by|with|via)\s+", re.IGNORECASE)
_DIGITS = re.compile(r"(?:PR\s?)?(\d{3,6})\b", re.IGNORECASE)
_FURTHER_ON = re.compile(r"\b(?:reverting|reverts|(?:and|by) revert)\b", re.IGNORECASE)
_NOT_UNDONE = re.compile(r"\s*(?:back\s+)?to\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Names:
    """SHAs as written (lower case) and numbers of pull requests, in the order said."""

    shas: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stated:
    """What a body says. ``stated``: a line begins with it (``Reverts o/r#1``); ``alone``: those of them that need no
    title to be believed; ``loose``: further on in a line; ``by``: what is said to have reverted something."""

    stated: Names = Names()
    alone: Names = Names()
    loose: Names = Names()
    by: Names = Names()


def names_in(body: str) -> Stated:
    """The names in a body, which may be of any size."""
    found: dict[str, list[Names]] = {"stated": [], "alone": [], "loose": [], "by": []}
    end = 0
    for count, verb in enumerate(_VERB.finditer(body)):
        if count == _VERBS:
            break
        if verb.start() < end:  # inside the list of the verb before
            continue
        if (verb["form"] or "").lower() == "ed":
            by = _BY.match(body, verb.end())
            names, end = _list(body, by.end()) if by else (Names(), end)
            found["by"].append(names)
            continue
        names, end = _list(body, verb.end())
        for kind in _standing_of(body, verb, names):
            found[kind].append(names)
    return Stated(**{kind: _together(names) for kind, names in found.items()})


def _standing_of(body: str, verb: re.Match[str], names: Names) -> tuple[str, ...]:
    head = body[max(0, verb.start() - _BEFORE) : verb.start()]
    begun = "\n" in head or verb.start() <= _BEFORE
    subject = _SUBJECT.fullmatch(head.rpartition("\n")[2]) if begun else None
    if subject is None:
        return ("loose",)
    believed = (verb["form"] or "").lower() == "s" and not subject["partial"]
    # In a list of several things each is only one of what a commit does; a SHA stands so in git's own words.
    listed = bool(subject["mark"].strip()) and not (subject["subject"] and names.shas)
    return ("stated", "alone") if believed and not listed else ("stated",)


def names_said(text: str, *, anywhere: bool = False) -> Names:
    """The names in a title right after its verb (``text`` is what follows), or ``anywhere`` after a verb in it."""
    if anywhere:
        return _together([_list(text, verb.end())[0] for verb in _FURTHER_ON.finditer(text[:_AFTER])])
    return Names() if is_way_back(text) else _list(text, 0)[0]


def bare_digits(text: str) -> tuple[int, ...]:
    """Digits without ``#`` that a title begins with after its verb: ``Revert 11294``, ``revert pr4214``."""
    found = _DIGITS.match(text)
    return (int(found[1]),) if found else ()


def is_way_back(text: str) -> bool:
    """Whether what follows a verb says where things go back to (``to the old default``), not what is undone."""
    return _NOT_UNDONE.match(text) is not None


def _list(text: str, start: int) -> tuple[Names, int]:
    """The names that follow, separated by commas, "and" or lines, and where the last ends (``start`` if none)."""
    limit = start + _AFTER
    lead = _LEAD.match(text, start, limit)
    at = lead.end() if lead else start
    announced = lead is not None and ":" in lead[0]
    shas: list[str] = []
    numbers: list[int] = []
    end = start
    while found := _TARGET.match(text, at, limit):
        sha, number = found["sha"] or found["page"], found["number"] or found["pull"]
        if sha:
            shas.append(sha.lower())
        else:
            numbers.append(int(number))
        end = found.end()
        gap = _BETWEEN.match(text, end, limit)
        if gap and not announced and gap[0].count("\n") > 1:  # another paragraph
            break
        at = gap.end() if gap else limit
        if announced and not (gap and _TARGET.match(text, at, limit)):
            line = _NEXT_LINE.match(text, end, limit)  # a list with titles: one to a line
            at = line.end() if line else limit
    return Names(tuple(shas), tuple(numbers)), end


def _together(names: list[Names]) -> Names:
    return Names(
        tuple(dict.fromkeys(s for n in names for s in n.shas)),
        tuple(dict.fromkeys(i for n in names for i in n.numbers)),
    )
