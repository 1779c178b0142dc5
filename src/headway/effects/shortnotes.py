"""Release notes that are longer than a forge takes: their beginning, which says where the whole is (N2)."""

from __future__ import annotations

from dataclasses import dataclass

WHOLE = "RELEASE-NOTES.md"  # the file with all of them, beside the release's other files
_ENDING = (
    "\n\n---\n\n**These notes are cut here: they are too long for this page.** All of them are in `{file}`, among the "
    "files of this release, and in the message of the tag `{tag}`.\n"
)
_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says; ``whole`` where that is not all of the notes, else ``""``."""

    text: str
    whole: str = ""


def shown(notes: str, tag: str, most: int) -> Shown:
    """The notes as they can stand in ``most`` characters: whole sections, else whole lines. The same every time."""
    if len(notes) <= most:
        return Shown(notes)
    ending = _ENDING.format(file=WHOLE, tag=tag)
    return Shown(_beginning(notes, most - len(ending)) + ending, notes)


def _beginning(notes: str, room: int) -> str:
    """As many whole lines as there is room for, back to the last section's end where that leaves half of the room used;
    no heading with nothing below it, no code that does not end. Of one endless line, what fits."""
    kept: list[str] = []
    used, fence, section = len("\n```"), "", 0  # section: lines up to the last one's end
    for line in notes.splitlines():
        used += len(line) + 1
        if used > room:
            break
        mark = line.lstrip()[:3]
        if mark in _FENCES and fence in {"", mark}:
            fence = "" if fence else mark
        elif not fence and line.startswith("## "):
            section = len(kept)
        kept.append(line)
    if len("\n".join(kept[:section])) >= room // 2:
        kept, fence = kept[:section], ""
    while kept and (not kept[-1].strip() or (not fence and kept[-1].startswith("#"))):
        kept.pop()
    return "\n".join([*kept, fence] if fence else kept) if kept else notes[:room].rstrip()
