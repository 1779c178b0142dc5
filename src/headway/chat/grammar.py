"""From a comment's text to its commands.

A command begins a line: ``/WORD`` with a word of ours, or ``@NAME cherry-pick``. Everything else is talk. A line that
begins so and cannot be read is ``Wrong``, never an error; so is one whose word is meant for one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from headway.chat.cherrypick import WORD, read_cherry_pick
from headway.chat.commands import (
    Abandon,
    Adopt,
    Approve,
    Command,
    Cut,
    Drop,
    Help,
    Hold,
    Pick,
    Reject,
    ReleaseHold,
    Resolve,
    Slip,
    Status,
    Typed,
    Waive,
    Withdraw,
    Wrong,
)
from headway.chat.lines import spoken
from headway.chat.mistyped import meant
from headway.chat.words import (
    after,
    category_in,
    first_of,
    is_change,
    is_commit,
    is_line,
    line_in,
    split,
    unquoted,
)
from headway.model.pick import Category, Claims
from headway.model.text import say
from headway.policy.clauses import CLAUSES

MOST = 20
"""Commands that are read of one comment."""

_SLASH = re.compile(r"([/／])([A-Za-z][A-Za-z_-]*)(?:\s*[:,：，]\s*|\s+|$)(.*)", re.DOTALL)
_CLAIMS = ("good", "bad", "test", "perf", "symptom", "feature")
_KEYS = ("evidence", *_CLAIMS)
_GATE = re.compile(r"(?:pick:\d+|revert:[0-9a-f]{4,64}|[A-Za-z][\w.-]*)", re.ASCII)
_REQUEST = re.compile(r"(?:pick:|#)?(\d{1,12})", re.ASCII)


def read_commands(body: str, mention: str) -> tuple[Typed, ...]:
    """The commands of a comment, in order; none for talk. ``mention`` is the name in ``@NAME cherry-pick``."""
    name = rf"@{re.escape(mention)}(?:\[bot\])?"
    if re.search(rf"(?:\A|[\r\n])(?:[/／][A-Z]|{name}\s)", body, re.IGNORECASE) is None:
        return ()  # most comments are talk
    named = re.compile(rf"{name}\s+([A-Z][A-Z_-]*)(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
    found: list[Typed] = []
    for paragraph in spoken(body):
        for i, line in enumerate(paragraph):
            command = _command(line, paragraph[i + 1 :], named)
            if command is None:
                continue
            if len(found) == MOST:
                found.append(Typed(line, _too_many()))
                return tuple(found)
            found.append(Typed(line, command))
    return tuple(found)


def _command(line: str, following: Sequence[str], named: re.Pattern[str]) -> Command | None:
    slash = _SLASH.fullmatch(line)
    if slash is not None:
        mark, word, rest = slash.groups()
        read = _READERS.get(word.casefold()) if mark == "/" else None
        return read(rest, following) if read is not None else _mistyped(mark, word, rest, tuple(_READERS))
    mentioned = named.fullmatch(line)
    if mentioned is None:
        return None
    word, rest = mentioned[1].casefold(), mentioned[2] or ""
    if word in _READERS:
        return _mistyped(f"{line.split(maxsplit=1)[0]} ", word, rest, (word,))
    return read_cherry_pick(rest) if word == WORD else _mistyped("", word, rest, (WORD,))


def _mistyped(mark: str, word: str, rest: str, known: Sequence[str]) -> Wrong | None:
    """What somebody wrote for one of our words; ``None`` for what may be somebody else's."""
    like = meant(word, rest, known)
    if like is None:
        return None
    right = f"/{like}" if like in _READERS else like
    return Wrong(like, say("{word} is no command: is it {like}?", word=f"{mark}{word}", like=right))


def _too_many() -> Wrong:
    return Wrong(
        "headway", say("a comment holds at most {count} commands: those from here on were not read", count=MOST)
    )


def _pick(text: str, following: Sequence[str]) -> Command:
    words = split(text, (*_KEYS, "embargo"), _KEYS)
    for key, value in after(following, _KEYS):
        words.options.setdefault(key, []).append(value)
    if "embargo" in words.options:
        return Wrong(
            "pick", say("what is under embargo is not asked for where everybody reads: use the command line"), "P8"
        )
    if words.wrong is not None:
        return Wrong("pick", words.wrong)
    rest = words.rest
    line = line_in(rest.pop(0)) if rest else ""
    if not line:
        return Wrong("pick", say("name the release first: a version such as v0.9.2, or its branch"))
    ref = unquoted(rest.pop(0)) if rest and is_change(rest[0]) else ""
    named, glued = first_of(rest[0]) if rest else ("", "")
    category = category_in(named)
    if category is None:
        return _no_category("pick", rest)
    reason = " ".join((glued, *rest[1:])).strip()
    if not reason:
        return Wrong("pick", say("a pick states its reason, after the category"), "P1")
    claims = Claims(**{name: words.one(name) for name in _CLAIMS})
    return Pick(line, ref, category, reason, tuple(e for e in words.options.get("evidence", ()) if e), claims)


def _no_category(word: str, rest: Sequence[str]) -> Wrong:
    names = [c.value for c in Category]
    what = say("a pick names exactly one category: {names}", names=names)
    if rest:
        what = say("{word} is no category: a pick names exactly one of {names}", word=rest[0], names=names)
    return Wrong(word, what, "P1")


def _approve(text: str, following: Sequence[str]) -> Command:
    rest = text.split()
    line = line_in(rest[0]) if rest else ""
    rest = rest[1:] if line else rest
    gate = rest.pop(0) if rest else ""
    if rest or (gate and not _GATE.fullmatch(gate)):
        return Wrong("approve", say("it takes a release and a gate, and no other word"))
    return Approve(line, gate)


def _with_id(text: str) -> tuple[int | None, str]:
    first, rest = first_of(text)
    named = _REQUEST.fullmatch(first)
    return (int(named[1]), rest.strip()) if named else (None, text.strip())


def _reject(text: str, following: Sequence[str]) -> Command:
    number, reason = _with_id(text)
    return Reject(number, reason) if reason else Wrong("reject", say("a no states its reason"), "P1")


def _withdraw(text: str, following: Sequence[str]) -> Command:
    number, reason = _with_id(text)
    return Withdraw(number, reason or "withdrawn by a comment, without a reason")


def _hold(text: str, following: Sequence[str]) -> Command:
    line, reason = first_of(text)
    if not is_line(line):
        return Wrong("hold", say("name the release first: a version such as v0.9.2, or its branch"))
    return Hold(line, reason.strip()) if reason.strip() else Wrong("hold", say("a hold states its reason"), "G2")


def _release_hold(text: str, following: Sequence[str]) -> Command:
    line, rest = first_of(text)
    return (
        ReleaseHold(line)
        if is_line(line) and not rest
        else Wrong("release-hold", say("it takes a release, and no other word"))
    )


def _waive(text: str, following: Sequence[str]) -> Command:
    words = split(text, ("commit", "until"), ())
    rest = words.rest
    if words.wrong is not None:
        return Wrong("waive", words.wrong)
    line = line_in(rest.pop(0)) if rest else ""
    if not line:
        return Wrong("waive", say("name the release first: a version such as v0.9.2, or its branch"))
    at = next((i for i, w in enumerate(rest) if w.casefold().rstrip(":") == "until"), None)
    day = words.one("until")
    if at is not None and not day and at + 1 < len(rest):
        day = rest.pop(at + 1)
        del rest[at]
    if not rest or at == 0:
        return Wrong("waive", say("name the clause or the cell that is waived, after the release"), "G1")
    # The name of a cell may be several words, that of a clause, gate or check is one.
    single = rest[0].upper() in CLAUSES or rest[0].startswith(("gate:", "check:"))
    end = 1 if single or at is None else at
    what, reason = unquoted(" ".join(rest[:end])), " ".join(rest[end:])
    what = what.upper() if what.upper() in CLAUSES else what
    if (until := _day(day)) is None:
        no_day = say("{word} is no day: a waiver ends on a day, such as 2025-02-28", word=day)
        return Wrong("waive", no_day if day else say("a waiver ends on a day: until 2025-02-28, for example"), "G1")
    if not reason.strip():
        return Wrong("waive", say("a waiver states its reason, after the day"), "G1")
    return Waive(line, what, until, reason, words.one("commit"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(first_of(text)[0])
    except ValueError:
        return None


def _cut(text: str, following: Sequence[str]) -> Command:
    line, more = first_of(text)
    rest = more.split()
    if not is_line(line):
        return Wrong("cut", say("name the release first: a version such as v0.9.2, or its branch"))
    if len(rest) > 1 or not all(map(is_commit, rest)):
        return Wrong("cut", say("it takes a release and a commit of the trunk, and no other word"), "B1")
    return Cut(line, *rest) if rest else Cut(line, "")


def _slip(text: str, following: Sequence[str]) -> Command:
    line, rest = first_of(text)
    if not is_line(line):
        return Wrong("slip", say("name the release first: a version such as v0.9.2, or its branch"))
    day, reason = first_of(rest)
    if day.casefold() in {"to", "--to"}:
        day, reason = first_of(reason)
    if not day:
        return Wrong("slip", say("a slip names the new day: to 2025-02-28, for example"), "C4")
    if (to := _day(day)) is None:
        return Wrong("slip", say("{word} is no day: a slip names the new day, such as 2025-02-28", word=day), "C4")
    reason = " ".join(reason.split())
    return Slip(line, to, reason) if reason else Wrong("slip", say("a slip states its reason, after the day"), "C4")


def _abandon(text: str, following: Sequence[str]) -> Command:
    line, reason = first_of(text)
    if not is_line(line):
        return Wrong("abandon", say("name the release first: a version such as v0.9.2, or its branch"))
    if not reason.strip():
        return Wrong("abandon", say("who gives a train up states the reason"), "C4")
    return Abandon(line, reason.strip())


def _adopt(text: str, following: Sequence[str]) -> Command:
    commit, rest = first_of(text)
    if not is_commit(commit):
        return Wrong("adopt", say("name a commit of the release branch first, by its digits"), "G3")
    named, reason = first_of(rest)
    category = category_in(named)
    if category is None:
        return _no_category("adopt", [named] if named else [])
    reason = " ".join(reason.split())
    if not reason:
        return Wrong("adopt", say("what is adopted has a reason, after the category"), "G3")
    return Adopt(commit, category, reason)


def _drop(text: str, following: Sequence[str]) -> Command:
    commit, reason = first_of(text)
    if not is_commit(commit):
        return Wrong("drop", say("name a commit of the release branch first, by its digits"), "G3")
    return (
        Drop(commit, reason.strip()) if reason.strip() else Wrong("drop", say("what is taken out has a reason"), "G3")
    )


def _resolve(text: str, following: Sequence[str]) -> Command:
    return (
        Resolve() if not text.strip() else Wrong("resolve", say("it takes no word: the pull request's head is meant"))
    )


def _status(text: str, following: Sequence[str]) -> Command:
    line, rest = first_of(text)
    return (
        Status(line)
        if not rest and (not line or is_line(line))
        else Wrong("status", say("it takes a release, and no other word"))
    )


def _headway(text: str, following: Sequence[str]) -> Command:
    return Help() if text.strip().casefold() in {"", "help"} else Wrong("headway", say("it takes `help`"))


_READERS: Mapping[str, Callable[[str, Sequence[str]], Command]] = {
    "pick": _pick,
    "approve": _approve,
    "reject": _reject,
    "withdraw": _withdraw,
    "hold": _hold,
    "release-hold": _release_hold,
    "waive": _waive,
    "cut": _cut,
    "slip": _slip,
    "abandon": _abandon,
    "adopt": _adopt,
    "drop": _drop,
    "resolve": _resolve,
    "status": _status,
    "headway": _headway,
}
