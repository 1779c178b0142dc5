"""How answers of ``pick check`` are shown to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headway.cli.common import Screen
from headway.lang import tr
from headway.model.text import Text, say

if TYPE_CHECKING:
    from headway.pickcheck import CheckedPick

_MOST = 8  # conflicting paths that are named


def show_checked(found: Sequence[CheckedPick], screen: Screen) -> None:
    """One line for each commit, and under it what stands in the way."""
    for c in found:
        words, style = _state(c)
        screen.line(f"  {c.commit[:12]} → {c.onto[:12]}  {tr(words, screen.lang)}", style)
        for path in c.conflicts[:_MOST]:
            screen.line(f"       {path}")
        if len(c.conflicts) > _MOST:
            screen.say(say("       and {count} more", count=len(c.conflicts) - _MOST))
        if c.already:
            screen.say(say("       it is there already: {commit}", commit=c.already), "dim")
        if c.needed and c.needed.commits:
            screen.say(say("       applies after these {count}:", count=len(c.needed.commits)))
            for commit in c.needed.commits:
                mark = tr(say("P7: feature work"), screen.lang) if commit.sha in c.needed.features else ""
                screen.line(f"         {commit.sha[:12]}  {commit.title}  {mark}".rstrip(), "yellow" if mark else "")
        if c.unsolved:
            screen.line(f"       {tr(c.unsolved, screen.lang)}", "dim")
    clean = sum(c.clean is True for c in found)
    screen.say(say("{clean} of {all} apply cleanly", clean=clean, all=len(found)), "bold")


def _state(c: CheckedPick) -> tuple[Text, str]:
    if c.clean is None:
        return say("cannot be told here"), "bold yellow"
    if not c.clean:
        return say("conflicts in {count} files", count=len(c.conflicts)), "bold red"
    return (say("applies, and changes nothing"), "yellow") if c.empty else (say("applies"), "green")
