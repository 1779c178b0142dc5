"""A command that was mistyped, told from the commands of other programs, which read the same comments."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from headway.chat.words import is_change, is_line

_OTHERS = frozenset((
    "cat", "cc", "cp", "dog", "help", "honk", "hug", "kick", "list", "lint", "lock", "mute", "nit", "ping", "poll",
    "remove", "reset", "retest", "revert", "run", "ship", "shipit", "sig", "skip", "split", "state", "stats", "stop",
    "tick", "tip", "top", "unhold", "wait", "wave",
))  # fmt: skip
"""Commands of other programs (Prow's and its like, GitHub's own, bots for issues) that are few letters from ours."""


def meant(word: str, rest: str, known: Sequence[str]) -> str | None:
    """Which of ``known`` words was meant by another one that begins a line, ``None`` for none of them: one edit away
    where nothing follows, two where a release, a change or an option does."""
    mine = word.casefold().replace("_", "-")
    if mine in _OTHERS or len(mine) < 3:
        return None
    follows = rest.split()
    if follows and not (is_line(follows[0]) or is_change(follows[0]) or follows[0].startswith(("--", "pick:"))):
        return None
    away = {name: edits(mine, name) for name in known}
    like = min(known, key=away.__getitem__)
    return like if away[like] <= (2 if follows and len(like) > 3 else 1) else None


def edits(a: str, b: str) -> int:
    """Letters that are put in, left out or others, as ``difflib`` finds them, no fewer than there have to be; two that
    changed places count as one."""
    apart = [i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y]
    if len(a) == len(b) and len(apart) == 2 and apart[1] == apart[0] + 1 and a[apart[0]] == b[apart[1]]:
        return 1 if a[apart[1]] == b[apart[0]] else 2
    codes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return sum(max(i2 - i1, j2 - j1) for what, i1, i2, j1, j2 in codes if what != "equal")
