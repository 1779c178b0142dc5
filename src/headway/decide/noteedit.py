"""A person's edit laid over notes that are made again: by the names of the pieces, not by their text (N2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from headway.decide import record
from headway.decide.notedocument import OTHER, Item, Piece, document
from headway.decide.notedraft import Edit, made
from headway.decide.notes import SECTIONS, Notes
from headway.model.entry import Entry, Kind

_OWN_HEADING = re.compile(r"^#{1,2} ", re.MULTILINE)
_RANK = {Piece.TITLE: 0, Piece.SECTION: 1, Piece.GROUP: 2}
# What these say must be true: when it is not what the person edited, their words give way.
_EXACT = ("artifact:", "performance")


@dataclass(frozen=True, slots=True)
class Lost:
    """Words of a person that no longer fit: of a line whose change is ``gone``, or was made of other facts since; they
    ``stay`` all the same where they are an opinion rather than a fact."""

    name: str
    text: str
    gone: bool
    stay: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """The document with a person's edit in it, and what of the edit no longer fits."""

    items: tuple[Item, ...]
    lost: tuple[Lost, ...]


def edit_of(entries: tuple[Entry, ...], train: str) -> tuple[Edit, Entry] | None:
    """The newest edit of a train's notes."""
    found = record.last(entries, Kind.NOTES_EDITED, train)
    return (Edit.of(dict(found.payload)), found) if found else None


def merged(generated: Sequence[Item], edit: Edit) -> Merged:
    """The person's document: their words, their order; without what is gone, with what is new in its section."""
    fresh = {(g.piece, g.name): g for g in generated}
    lost: list[Lost] = []
    items: list[Item] = []
    for kept in edit.pieces:
        there = fresh.get((kept.piece, kept.name))
        item = _placed(there, kept.piece, kept.name, kept.text, kept.made, lost)
        if item is not None:
            items.append(item)
    known = {p.name for p in edit.pieces if p.piece in {Piece.LINE, Piece.BLOCK}} | {*edit.deleted}
    section: str = ""
    group: str | None = None
    for g in generated:
        if g.piece in {Piece.SECTION, Piece.GROUP}:
            section, group = (g.name, None) if g.piece is Piece.SECTION else (section, g.name)
        elif g.piece is not Piece.TITLE and g.name not in known:
            _insert(items, g, section, group, generated)
    return Merged(tuple(_without_empty(items)), tuple(lost))


def _placed(there: Item | None, piece: Piece, name: str, text: str | None, was: str, lost: list[Lost]) -> Item | None:
    if piece is Piece.WORDS:
        return Item(piece, "", text or "")
    if there is None:
        heading = piece in _RANK
        if text is not None and not heading:
            lost.append(Lost(name, text, gone=True, stay=False))
        return Item(piece, name, text or name, text or "") if heading else None
    if text is None:
        return there
    if piece not in _RANK and was != made(there.text):
        exact = name.startswith(_EXACT)
        lost.append(Lost(name, text, gone=False, stay=not exact))
        if exact:
            return there
    return replace(there, text=text, plain=text)


def _insert(items: list[Item], new: Item, section: str, group: str | None, generated: Sequence[Item]) -> None:
    """Put a new piece behind the last of its kind in its section and group; a heading that is missing comes with it."""
    if not section:
        items.insert(next((i + 1 for i, x in enumerate(items) if x.piece is Piece.TITLE), 0), new)
        return
    whole = generated.index(next(g for g in generated if g.piece is Piece.SECTION and g.name == section))
    found = _find(items, Piece.SECTION, section, 0, len(items))
    start = _section_place(items, section) if found is None else found
    if found is None:
        items.insert(start, generated[whole])
    end = _end(items, start, 1)
    first = next((i for i in range(start + 1, end) if items[i].piece is Piece.GROUP), end)
    loose = any(x.piece is Piece.LINE for x in items[start:first])  # those of no group, from before there were any
    if group is None or (group == OTHER and loose):
        end = first
    else:
        groups = [g for g in generated[whole : _end(generated, whole, 1)] if g.piece is Piece.GROUP]
        found = _find(items, Piece.GROUP, group, start, end)
        if found is None:
            later = [g.name for g in groups]
            later = later[later.index(group) + 1 :]
            found = next((i for i in range(start, end) if _is_group(items[i], later)), end)
            items.insert(found, next(g for g in groups if g.name == group))
        start, end = found, _end(items, found, 2)
    last = max((i for i in range(start, end) if items[i].piece is new.piece), default=start)
    items.insert(last + 1, new)


def _is_group(item: Item, names: Sequence[str]) -> bool:
    return item.piece is Piece.GROUP and item.name in names


def _find(items: Sequence[Item], piece: Piece, name: str, start: int, end: int) -> int | None:
    return next((i for i in range(start, end) if items[i].piece is piece and items[i].name == name), None)


def _end(items: Sequence[Item], start: int, rank: int) -> int:
    """Where what stands under a heading ends: at the next of its rank or above, also one of the person's own."""
    for i in range(start + 1, len(items)):
        item = items[i]
        if _RANK.get(item.piece, 9) <= rank or (item.piece is Piece.WORDS and _OWN_HEADING.search(item.text)):
            return i
    return len(items)


def _section_place(items: Sequence[Item], section: str) -> int:
    """Before the first section that comes after it by rights, else at the end."""
    order = [name for name, _ in SECTIONS]
    later = order[order.index(section) + 1 :]
    return next((i for i, x in enumerate(items) if x.piece is Piece.SECTION and x.name in later), len(items))


def _without_empty(items: Sequence[Item]) -> Iterable[Item]:
    """Headings under which nothing stands are left out."""
    for i, item in enumerate(items):
        rank = _RANK.get(item.piece)
        if rank in {1, 2}:
            under = items[i + 1 : _end(items, i, rank)]
            if all(x.piece in _RANK for x in under):
                continue
        yield item


def told_again(notes: Notes, edit: Edit | None) -> Merged:
    """The document in English, as the final tag carries it."""
    items = document(notes)
    return merged(items, edit) if edit else Merged(items, ())


def placed(items: Iterable[Item]) -> Iterator[tuple[str, Item]]:
    """The lines, each with the section in which it stands (``""``: under a heading of the person's own)."""
    at = ""
    for item in items:
        if item.piece is Piece.SECTION:
            at = item.name
        elif item.piece is Piece.WORDS and _OWN_HEADING.search(item.text):
            at = ""
        elif item.piece is Piece.LINE:
            yield at, item


def sections_of(notes: Notes, items: Iterable[Item]) -> dict[str, list[str]]:
    """Lines by section as they stand in a document, as plain text or in the person's words. What is told in one
    paragraph or a table, people and measurements, is listed from the facts."""
    facts = dict(notes.sections)
    found: dict[str, list[str]] = {name: [] for name in facts if name not in {"contributors", "performance"}}
    for section, item in placed(items):
        if section in found:
            found[section].append(item.plain)
    return {name: found.get(name, list(rows)) for name, rows in facts.items()}
