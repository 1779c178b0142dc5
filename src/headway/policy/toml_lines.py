"""On which line each key of a TOML file stands. ``tomllib`` keeps no positions, and an error must name its line."""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
_LONG_BASIC = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> dict[Path, int]:
    """Path of every key, table and array element of a *valid* TOML text, to its line (from 1).

    Elements of arrays, and of arrays of tables, have their index (from 0) in the path.
    """
    return _Scanner(text).lines()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.arrays: dict[Path, int] = {}

    def lines(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            began = self.at
            if self.text.startswith("[[", self.at):
                self.at += 2
                *parents, last = self._key()
                path = (*self._inside(parents), last)
                self.arrays[path] = self.arrays.get(path, -1) + 1
                table = (*path, self.arrays[path])
                self._note((), table, began)
                self.at += 2
            elif self.text[self.at] == "[":
                self.at += 1
                table = self._inside(self._key())
                self._note((), table, began)
                self.at += 1
            else:
                self._pair(table)
        return self.found

    def _inside(self, keys: list[str]) -> Path:
        """A header's keys as a path: inside an array of tables they mean its newest element."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self.arrays:
                path = (*path, self.arrays[path])
        return path

    def _note(self, table: Path, path: Path, at: int) -> None:
        """Every part of ``path`` below ``table`` is first seen on the line of ``at``."""
        line = self.text.count("\n", 0, at) + 1
        for end in range(len(table) + 1, len(path) + 1):
            self.found.setdefault(path[:end], line)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _take(self, *patterns: re.Pattern[str]) -> str:
        """What the first fitting pattern finds here. In a valid text one always fits."""
        found = next(m for p in patterns if (m := p.match(self.text, self.at)))
        self.at = found.end()
        return found.group()

    def _key(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            raw = self._take(_BARE, _BASIC, _LITERAL)
            keys.append(tomllib.loads(f"k = {raw}")["k"] if raw[0] in "\"'" else raw)
            if self.text[self._skip(_SPACE)] != ".":
                return keys
            self.at += 1

    def _pair(self, table: Path) -> None:
        began = self.at
        path = (*table, *self._key())
        self._note(table, path, began)
        self.at += 1
        self._value(path)

    def _value(self, path: Path) -> None:
        match self.text[self._skip(_SPACE)]:
            case "[":
                self._items(path, "]")
            case "{":
                self._items(path, "}")
            case _:
                self._take(_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _SCALAR)

    def _items(self, path: Path, end: str) -> None:
        """An array's elements or an inline table's pairs, up to the closing bracket."""
        self.at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != end:
            if self.text[self.at] == ",":
                self.at += 1
            elif end == "}":
                self._pair(path)
            else:
                self._note(path, (*path, index), self.at)
                self._value((*path, index))
                index += 1
        self.at += 1
