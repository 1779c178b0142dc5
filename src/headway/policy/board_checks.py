"""What the schema cannot say of ``[board]``: where it is reached, and how people are named."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from headway.model.hub import Right
from headway.policy.problems import Problem
from headway.policy.schema import Policy

_PERSON = re.compile(r"\*|@\S+|team:[^\s/]+/[^\s/]+")
_RIGHTS = tuple(r.value for r in Right if r is not Right.NONE)


def board_problems(policy: Policy) -> Iterator[Problem]:
    board = policy.board
    if board.url and (why := _unfit(board.url)):
        yield Problem(("board", "url"), why)
    for name in ("viewers", "requesters", "managers", "admins"):
        for i, word in enumerate(getattr(board, name)):
            if not _PERSON.fullmatch(word) and word not in _RIGHTS:
                forms = f"`@login`, `team:ORG/SLUG`, `*` or a right ({', '.join(_RIGHTS)})"
                yield Problem(("board", name, i), f"{word!r} names nobody: write {forms}")


def _unfit(url: str) -> str:
    try:
        at = urlsplit(url)
        host, _ = at.hostname or "", at.port
    except ValueError:
        return "is not an address"
    if at.scheme not in {"http", "https"} or not host or re.search(r"[\s\\]", url):
        return "is not an address such as https://board.example.org"
    if at.username is not None or at.password is not None:
        return "holds credentials"
    if at.path not in {"", "/"} or at.query or at.fragment:
        return "must not have a path: the board is served at the root of its host"
    return "must begin with https: logins would be read on the way" if at.scheme == "http" and not _here(at) else ""


def _here(at: SplitResult) -> bool:
    host = at.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
