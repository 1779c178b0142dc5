"""The toy project's history as data: commits made of edits, read from ``template/``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from headway.errors import BrokenInvariant
from headway.model.text import facts, say

TEMPLATE = Path(__file__).parent / "template"
INITIAL = TEMPLATE / "initial"

Files = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a file: ``old``, which stands there exactly once, becomes ``new``.

    ``old`` is ``None`` for a file that is added, ``new`` is ``None`` for one that is removed (``old`` is all of it).
    """

    path: str
    old: str | None
    new: str | None

    @property
    def inverse(self) -> Edit:
        return Edit(self.path, self.new, self.old)


@dataclass(frozen=True, slots=True)
class Step:
    """One commit to be: a squashed pull request.

    ``name`` is set for events after the cut, ``side`` when one goes to a branch of that name instead of the trunk.
    ``inverse_of`` is the pull request that it takes back; ``{sha}`` in the body stands for that one's commit.
    """

    pr: int
    subject: str
    author: str
    at: datetime
    body: str
    coauthors: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    name: str = ""
    side: str = ""
    inverse_of: int | None = None

    def message(self, sha: str = "") -> str:
        """The whole commit message."""
        lines = [f"{self.subject} (#{self.pr})", "", self.body.strip().replace("{sha}", sha), ""]
        lines += [f"Co-authored-by: {mailbox(a)}" for a in self.coauthors]
        return "\n".join([*lines, f"Signed-off-by: {mailbox(self.author)}", ""])


@dataclass(frozen=True, slots=True)
class History:
    """Trunk commits up to the release branch of v0.7.0, from there to the cut of v0.7.1, and events after it."""

    initial: Files
    before_release: tuple[Step, ...]
    before_cut: tuple[Step, ...]
    events: tuple[Step, ...]

    @property
    def trunk(self) -> tuple[Step, ...]:
        return self.before_release + self.before_cut

    def event(self, name: str) -> Step:
        return next(step for step in self.events if step.name == name)


def mailbox(author: str) -> str:
    """``Mei Tanaka`` is ``Mei Tanaka <mei.tanaka@toyserve.example>``."""
    return f"{author} <{author.lower().replace(' ', '.')}@toyserve.example>"


def applied(files: Files, edits: tuple[Edit, ...]) -> dict[str, str]:
    """The files after the edits. Raises ``BrokenInvariant`` when one of them does not fit."""
    result = dict(files)
    for edit in edits:
        text = result.get(edit.path)
        if edit.old is None:
            fits = text is None
        elif edit.new is None:
            fits = text == edit.old
        else:
            fits = text is not None and edit.old != "" and text.count(edit.old) == 1
        if not fits:
            raise BrokenInvariant(
                "demo.edit",
                say("an edit of the toy project does not fit {path}", path=edit.path),
                facts=facts(path=edit.path, old=edit.old, count=(text or "").count(edit.old or "")),
                remedy=say("the template's old text must stand exactly once in the file"),
            )
        if edit.new is None:
            del result[edit.path]
        else:
            result[edit.path] = edit.new if edit.old is None else (text or "").replace(edit.old, edit.new)
    return result


@cache
def history() -> History:
    """The history as shipped."""
    initial = {
        f.relative_to(INITIAL).as_posix(): f.read_text("utf-8")
        for f in sorted(INITIAL.rglob("*"))
        if f.is_file() and "__pycache__" not in f.parts
    }
    before_release = _steps("1-before-v0.7.0.toml", {})
    before_cut = _steps("2-before-v0.7.1.toml", {})
    known = {step.pr: step for step in before_release + before_cut}
    return History(initial, before_release, before_cut, _steps("3-events.toml", known))


def _steps(file: str, known: Mapping[int, Step]) -> tuple[Step, ...]:
    tables = tomllib.loads((TEMPLATE / "history" / file).read_text("utf-8"))["commit"]
    return tuple(_step(table, known) for table in tables)


def _step(table: Mapping[str, Any], known: Mapping[int, Step]) -> Step:
    edits = tuple(Edit(e["path"], e.get("old"), e["new"]) for e in table.get("edit", ()))
    if undone := table.get("inverse_of"):
        edits = tuple(e.inverse for e in reversed(known[undone].edits)) + edits
    plain = {k: v for k, v in table.items() if k not in {"edit", "coauthors"}}
    return Step(**plain, edits=edits, coauthors=tuple(table.get("coauthors", ())))
