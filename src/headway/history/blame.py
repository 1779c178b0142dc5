"""Which commits of a range wrote the lines on which a pick's two sides disagree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from headway.history.git import NO_FETCH, Git
from headway.model.commit import Sha

_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@", re.MULTILINE)
_GROUP = re.compile(rb"^([0-9a-f]{40}(?:[0-9a-f]{24})?) \d+ \d+(?: \d+)?$")


class Span(NamedTuple):
    """Lines of a file: from ``start`` (counted from 1), ``size`` of them; 0 of them: the place before ``start``."""

    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


class Blame:
    """Answers of ``git diff`` and ``git blame``, each asked once. Nothing is fetched for them."""

    def __init__(self, git: Git, env: Mapping[str, str]) -> None:
        self._git = git
        self._env = {**env, **NO_FETCH}
        self._hunks: dict[tuple[Sha, Sha], tuple[Span, ...]] = {}
        self._lines: dict[tuple[Sha, Sha, bytes, tuple[Span, ...]], frozenset[Sha]] = {}

    def disputed(self, ours: Sha, base: Sha, theirs: Sha | None) -> tuple[Span, ...]:
        """The lines of the base blob that our side has otherwise, where their side changes them too or next to them;
        with ``theirs`` ``None`` (they delete the file) wherever our side has them otherwise."""
        mine = self._changed(base, ours)
        if theirs is None:
            return mine
        others = self._changed(base, theirs)
        return tuple(m for m in mine if any(m.start <= o.end and o.start <= m.end for o in others))

    def _changed(self, old: Sha, new: Sha) -> tuple[Span, ...]:
        """Spans of the old blob that differ; empty also for binary content and for what is not here."""
        if (old, new) not in self._hunks:
            args = ("diff", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--text", old, new)
            code, out, _ = self._git.try_run(*args, env=self._env)
            found = _HUNK.findall(out.encode()) if code in (0, 1) else []
            spans = (Span(int(start), int(count or 1)) for start, count in found)
            # A place between lines is told by the line before it.
            self._hunks[old, new] = tuple(s if s.size else Span(s.start + 1, 0) for s in spans)
        return self._hunks[old, new]

    def writers(self, commit: Sha, onto: Sha, path: bytes, spans: Sequence[Span]) -> frozenset[Sha]:
        """Who wrote these lines of the file as ``commit`` has it, of the commits that ``onto`` lacks."""
        key = (commit, onto, path, tuple(spans))
        if key not in self._lines:
            self._lines[key] = self._asked(*key)
        return self._lines[key]

    def _asked(self, commit: Sha, onto: Sha, path: bytes, spans: Iterable[Span]) -> frozenset[Sha]:
        ranges = [f"-L{max(s.start, 1)},+{max(s.size, 1)}" for s in spans]
        name = path.decode("utf-8", "surrogateescape")
        args = ("blame", "--porcelain", *ranges, commit, f"^{onto}", "--", name)
        code, out, _ = self._git.try_run(*args, env=self._env)
        if code or not ranges:
            return frozenset()
        found, boundary, at = set[Sha](), set[Sha](), ""
        for line in out.encode().split(b"\n"):
            if line.startswith(b"\t"):
                continue
            if group := _GROUP.match(line):
                at = group[1].decode("ascii")
                found.add(at)
            elif line == b"boundary":
                boundary.add(at)
        return frozenset(found - boundary)
