"""What a message says of where its change came from (pure): titles made comparable, pull requests, trailers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headway.history.revertmessage import read_claim
from headway.model.commit import Commit

# Tags say little of a change, except that it takes something back.
_TAG = re.compile(
    r"^\s*(?:\[(?!\s*re(?:vert|-?land|-?apply))[^\]]{0,60}\]|【(?!\s*re(?:vert|-?land|-?apply))[^】]{0,60}】"
    r"|\([^)#]{0,40}\))\s*[:：]?\s*",
    re.IGNORECASE,
)
_PICKED = re.compile(
    r"^\s*(?:[\"“'`]|(?:auto(?:mated)?[\s-]*)?(?:back[\s-]?port(?:ed|ing)?|cherry[\s-]?pick(?:ed|ing)?|bp)\b"
    r"(?:\s+(?:of|from|the|pr|pull request|commit|changes?|in|to|fix))*\s*(?:#\d+|[0-9a-f]{7,40}\b)?\s*"
    r"(?:(?:on)?to\s+\S+)?\s*[:：\-]?)\s*",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"\s*\(?(?:from\s+|pr\s*)?(?:[\w.-]+/[\w.-]+)?#\d+\)?", re.IGNORECASE)
_ONTO = re.compile(
    r"\s*[\[(]?\b(?:(?:in|on)?to|for|on)\s+(?:branch\s+)?[`'\"]?"
    r"(?:release[-s/]\S*|stable\S*|v?\d+\.\d+\S*|r\d\S*)[`'\"]?[\])]?\s*$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_CUT = re.compile(r"(?:…|\.\.\.)\s*(?:\(#\d+\)\s*)*$")

_SUBJECT_NUMBERS = re.compile(r"#(\d+)\b")
_BRACKETED = re.compile(r"[(\[](?:from |pr )?(?:[\w.-]+/[\w.-]+)?#(\d+)[)\]]", re.IGNORECASE)
_MENTION = re.compile(r"(?:(?P<repo>[\w.-]+/[\w.-]+)?#|/pull/|\bGH-|\bPR[\s#:]{1,3})(?P<n>\d{1,9})\b")
_SAID_PICK = re.compile(
    r"cherry[\s-]*pick|back[\s-]*port|\bpick(?:ed|s)?\b|\bport(?:ed|s)? (?:of|from)\b|\bbp\b"
    r"|(?:original|main|trunk|master|upstream|source)\W{0,3}(?:branch\W{0,3})?(?:pr|pull)|sync\w*\b[^.\n]{0,40}\b(?:main|master)",
    re.IGNORECASE,
)
_TRAILER = re.compile(r"cherry[\s-]?picked\s+from\s+(?:commit\s+)?([0-9a-f]{7,64})\b", re.IGNORECASE)
_BACKPORT = re.compile(
    r"(?:back[\s-]?port(?:ed)?|cherry[\s-]?pick(?:ed)?)(?:\s+of|\s+from)?(?:\s+commit)?[\s:]+([0-9a-f]{7,64})\b"
    r"|\b([0-9a-f]{7,64}) from (?:main|master|trunk)\b",
    re.IGNORECASE,
)
_CHANGE_ID = re.compile(r"^Change-Id: (I[0-9a-f]{40})\s*$", re.MULTILINE)
_HEAD = 20_000  # characters of a message in which people say where a change is from


@dataclass(frozen=True, slots=True)
class Wording:
    """``own`` is the pull request whose commit it is. ``title`` is what is left of a title for comparison (tags,
    numbers, target branch off; words in lower case); ``cut`` that it was cut short. ``picked`` are pull requests
    that it says it is from, ``mentioned`` others that it names, ``trailers`` SHAs as written, ``change_ids`` Gerrit's.
    """

    own: int | None
    title: str
    cut: bool
    picked: tuple[int, ...]
    mentioned: tuple[int, ...]
    trailers: tuple[str, ...]
    change_ids: tuple[str, ...]


def read_wording(commit: Commit) -> Wording:
    """The wording of a commit's message."""
    title = commit.title
    body = commit.body if len(commit.body) <= 2 * _HEAD else commit.body[:_HEAD] + "\n" + commit.body[-_HEAD:]
    picked, mentioned = _numbers(commit, title, body)
    shas = [*_TRAILER.findall(body), *(a or b for a, b in _BACKPORT.findall(f"{title}\n{body}"))]
    return Wording(
        commit.pr,
        plain_title(title),
        bool(_CUT.search(title)),
        picked,
        mentioned,
        tuple(dict.fromkeys(s for s in shas if any(c.isdigit() for c in s))),
        tuple(_CHANGE_ID.findall(body)),
    )


def read_title(commit: Commit) -> Wording:
    """The same of the title alone: a fraction of the work where a body is long."""
    return Wording(commit.pr, plain_title(commit.title), bool(_CUT.search(commit.title)), (), (), (), ())


def plain_title(title: str) -> str:
    """A title's words, without what a pick adds to them: tags, numbers, the branch it goes to."""
    rest = title
    for pattern in (_TAG, _PICKED) * 4:
        shorter = pattern.sub("", rest, count=1)
        rest = shorter if _WORD.search(shorter) else rest
    rest = _NUMBERS.sub(" ", rest)
    shorter = _ONTO.sub("", rest)
    words = _WORD.findall((shorter if _WORD.search(shorter) else rest).casefold())
    return " ".join(words) or " ".join(_WORD.findall(title.casefold()))


def _numbers(commit: Commit, title: str, body: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Pull requests that a message is from, and others that it names; its own, the last of the title, aside."""
    own = commit.pr
    inner = [int(n) for n in _SUBJECT_NUMBERS.findall(title)]
    if own is not None and inner and inner[-1] == own:
        inner.pop()
    claim = read_claim(commit)
    if claim and claim.plain:  # the number that a revert names is of what it undoes
        inner = []
    elif not _SAID_PICK.search(title):  # "follow up to #621" says nothing of where it is from
        inner = [n for n in inner if str(n) in _BRACKETED.findall(title)]
    picked, mentioned = list(inner), list[int]()
    before = ""
    for line in body.splitlines():
        for found in _MENTION.finditer(line):
            n = int(found["n"])
            head = line[: found.start()] + found[0][:2] * found[0].lower().startswith("pr")  # "Main PR: #5"
            said = _SAID_PICK.search(head[-80:]) or (
                not line[: found.start()].strip(" -*#") and _SAID_PICK.search(before[-80:])
            )
            (picked if said else mentioned).append(n)
        before = line if line.strip() else before
    picked = [n for n in dict.fromkeys(picked) if n != own]
    return tuple(picked), tuple(n for n in dict.fromkeys(mentioned) if n != own and n not in picked)
