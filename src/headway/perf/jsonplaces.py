"""Where the keys of a JSON text stand, so that an error can name the line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Places:
    """``lines``: path of every value to its line (from 1), ``()`` is the whole; ``twice``: keys that one object has
    twice, with the later line. JSON readers keep the later value and say nothing (RFC 8259, section 4)."""

    lines: dict[Path, int]
    twice: tuple[tuple[Path, int], ...]

    def line(self, path: Path) -> int:
        """The line of the longest part of ``path`` that is in the text."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 1)


@dataclass
class _Open:
    """An object (``key`` is its newest) or an array (``index`` is its newest) that is not closed yet."""

    path: Path
    is_object: bool
    index: int = 0
    key: str | None = None
    seen: set[str] = field(default_factory=set)


def places(text: str) -> Places:
    """The places of a *valid* JSON text."""
    lines: dict[Path, int] = {}
    twice: list[tuple[Path, int]] = []
    stack: list[_Open] = []
    line, upto = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", upto, token.start())
        upto = token.start()
        word, top = token.group(), stack[-1] if stack else None
        if word in "}]":
            stack.pop()
        elif word == ",":
            if top is not None:
                top.index, top.key = top.index + 1, None
        elif word == ":":
            continue
        elif top is not None and top.is_object and top.key is None:
            top.key = json.loads(word)
            path = (*top.path, top.key)
            if top.key in top.seen:
                twice.append((path, line))
            top.seen.add(top.key)
            lines[path] = line
        else:
            path = () if top is None else (*top.path, top.key if top.is_object and top.key is not None else top.index)
            lines.setdefault(path, line)
            if word in "{[":
                stack.append(_Open(path, word == "{"))
    return Places(lines, tuple(twice))
