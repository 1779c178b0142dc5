"""Notes as a document: pieces in order, each with a name that stays the same when it is made again (N2)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from headway.decide.noteperformance import Figures, key
from headway.decide.notes import OF_CHANGES, SECTIONS, Notes, Told
from headway.decide.notetext import change_line
from headway.model.markdown import code, escape
from headway.model.text import Text, say

OTHER, FIRST = "", "first-time"  # names of groups that are not the policy's


class Piece(StrEnum):
    """``LINE``: an element of a list; ``BLOCK``: a paragraph or a table of ours; ``WORDS``: a person's own."""

    TITLE = "title"
    SECTION = "section"
    GROUP = "group"
    LINE = "line"
    BLOCK = "block"
    WORDS = "words"


HEADINGS = {Piece.TITLE: "#", Piece.SECTION: "##", Piece.GROUP: "###"}


@dataclass(frozen=True, slots=True)
class Item:
    """One piece: its name (of a section, a group, a line; ``""`` for a person's words), its Markdown without what
    marks a heading or a line, and the same as plain text where there is one."""

    piece: Piece
    name: str
    text: str
    plain: str = ""


@dataclass(frozen=True, slots=True)
class Tongue:
    """The language in which a document is made; people's words stay as they are."""

    words: Callable[[Text], str] = str
    chinese: bool = False


ENGLISH = Tongue()


def document(notes: Notes, tongue: Tongue = ENGLISH) -> tuple[Item, ...]:
    """The notes of a release; parts without content are left out."""
    since = say("{version} (since {previous})", version=notes.version, previous=notes.previous)
    title = tongue.words(since) if notes.previous else notes.version
    items = [Item(Piece.TITLE, notes.version, title), Item(Piece.BLOCK, "summary", _summary(notes, tongue))]
    for name, heading in SECTIONS:
        rows = tuple(_rows(name, notes, tongue))
        items += [Item(Piece.SECTION, name, tongue.words(heading)), *rows] if rows else []
    return tuple(items)


def _summary(notes: Notes, tongue: Tongue) -> str:
    people, first = notes.people.contributors, notes.people.first_time
    known = {"changes": len(notes.told), "people": len(people), "new": len(first or ())}
    parts = [
        say("Changes: {changes}. Contributors: {people}, {new} of them for the first time.", **known)
        if first
        else say("Changes: {changes}. Contributors: {people}.", **known)
    ]
    if notes.left_out:
        parts.append(say("Not listed: {count} (merges, version bumps and the like).", count=len(notes.left_out)))
    return " ".join(tongue.words(p) for p in parts)


def _rows(section: str, notes: Notes, tongue: Tongue) -> Iterator[Item]:
    if section in OF_CHANGES:
        yield from _changes([t for t in notes.told if t.section == section], notes, tongue)
    elif section == "performance" and notes.figures:
        yield from _performance(notes.figures, notes, tongue)
    elif section == "waivers":
        yield from (Item(Piece.LINE, f"waiver:{seq}", escape(words), words) for seq, words in notes.waivers)
    elif section == "history":
        for told in notes.history:
            words = told.words()
            yield Item(Piece.LINE, f"history:{_short(words)}", escape(told.words(tongue.words)), words)
    elif section == "contributors" and notes.people.contributors:
        yield from _people(notes, tongue)
    elif section == "artifacts":
        for file, digest in notes.artifacts:
            yield Item(Piece.LINE, f"artifact:{file}", f"{code(file)} {code(digest)}", f"{file} {digest}")


def _changes(told: list[Told], notes: Notes, tongue: Tongue) -> Iterator[Item]:
    """Group by group in the policy's order; what is in none comes last, under a title where there are groups."""
    numbers = [i for i, _ in enumerate(notes.groups) if any(t.group == i for t in told)]
    for i in numbers:
        group = notes.groups[i]
        yield Item(Piece.GROUP, group.title, escape((tongue.chinese and group.title_zh) or group.title))
        yield from (_line(t) for t in told if t.group == i)
    rest = [t for t in told if t.group is None]
    if rest and numbers:
        yield Item(Piece.GROUP, OTHER, tongue.words(say("Other")))
    yield from (_line(t) for t in rest)


def name_of(t: Told) -> str:
    """The name of a change's line: the same whenever and from wherever it is told."""
    return t.change.origin.sha[:12]


def _line(t: Told) -> Item:
    return Item(Piece.LINE, name_of(t), change_line(t.title, t.pr), t.title)


def _people(notes: Notes, tongue: Tongue) -> Iterator[Item]:
    names = ", ".join(escape(p.name) for p in notes.people.contributors)
    yield Item(Piece.BLOCK, "contributors", names)
    if notes.people.first_time:
        yield Item(Piece.GROUP, FIRST, tongue.words(say("First contributions")))
    for f in notes.people.first_time or ():
        c = f.change.origin
        text = f"{escape(f.person.name)}: {change_line(c.title, c.pr)}"
        yield Item(Piece.LINE, f"first:{_short(f.person.name, f.person.email)}", text, f"{f.person.name}: {c.title}")


def _performance(figures: Figures, notes: Notes, tongue: Tongue) -> Iterator[Item]:
    counts = figures.counts()
    told = say(
        "Cells compared with {previous}: {cells}. Passed: {passed}, regressed: {regressed}, waived: {waived}, "
        "undecided: {open}, missing: {missing}.",
        previous=notes.previous,
        **counts,
    )
    yield Item(Piece.BLOCK, "performance", tongue.words(told))
    heads = (say("Model"), say("Hardware"), say("Test"), say("Metric"), say("Ratio"), say("Interval"), say("Result"))
    rows = [[tongue.words(h) for h in heads], ["---"] * len(heads)]
    for c in figures.cells:
        ratio = f"{c.ratio:.3f}" if c.ratio is not None else "–"
        interval = f"{c.ci[0]:.3f} – {c.ci[1]:.3f}" if c.ci else "–"
        verdict = f"{c.verdict.value}, waived" if key(c) in figures.waived else c.verdict.value
        names = (c.cell.model, c.cell.hardware, c.cell.test, c.metric)
        rows.append([*(escape(n) for n in names), ratio, interval, verdict])
    rows += [[escape(model), escape(hardware), "–", "–", "–", "–", "missing"] for model, hardware in figures.missing]
    yield Item(Piece.BLOCK, "performance-table", "\n".join(f"| {' | '.join(row)} |" for row in rows))


def _short(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:12]


def markdown(items: Iterable[Item]) -> str:
    """A document as Markdown, without the names of its pieces."""
    return assembled((i.piece, shown(i)) for i in items)


def shown(item: Item) -> str:
    """A piece as it stands in the text."""
    if item.piece in HEADINGS:
        return f"{HEADINGS[item.piece]} {item.text}"
    return f"- {item.text}" if item.piece is Piece.LINE else item.text


def assembled(parts: Iterable[tuple[Piece, str]]) -> str:
    """Pieces, with an empty line around all that is no element of a list; a person's own words keep their distance, as
    they bring their empty lines along."""
    lines: list[str] = []
    apart = False
    for piece, text in parts:
        alone = piece not in {Piece.LINE, Piece.WORDS}
        if lines and lines[-1] and (alone or apart):
            lines.append("")
        words = text.split("\n")
        while lines and not lines[-1] and words and not words[0]:
            words = words[1:]
        lines += words
        apart = alone
    return "\n".join(lines).strip("\n") + "\n"
