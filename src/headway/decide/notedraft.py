"""A draft: the notes with a comment at each piece, by which it is known again after a person's edit (N2)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from headway.decide.notedocument import ENGLISH, HEADINGS, Item, Piece, Tongue, assembled, shown
from headway.errors import UnusableInput
from headway.model.text import clean, facts, say

_MARK = re.compile(
    r"[ \t]*<!-- headway:(?P<piece>title|section|group|line|block) (?P<name>\S+) (?P<made>[0-9a-f]{8}) -->"
)
_HEAD = re.compile(r"<!-- headway:draft (?P<version>\S+).*?-->\n?", re.DOTALL)
_SEEN = re.compile(r"<!-- headway:seen\b(?P<names>.*?)-->\n?", re.DOTALL)
_BULLET = re.compile(r"^\s*[-*+]\s+")
_HASHES = re.compile(r"^\s*#+\s*")
_NAMES_A_LINE = 6
_NONE = "~"  # stands for an empty name
LARGEST = 2 << 20  # bytes of a draft


@dataclass(frozen=True, slots=True)
class Kept:
    """A piece as a person left it: ``text`` is ``None`` where it is as it was made, else in the person's words;
    ``made`` is the digest of what it was made as."""

    piece: Piece
    name: str
    text: str | None
    made: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person made of a draft: the pieces in their order, and the names of those that they deleted."""

    pieces: tuple[Kept, ...]
    deleted: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {"pieces": [[p.piece.value, p.name, p.text, p.made] for p in self.pieces], "deleted": [*self.deleted]}

    @classmethod
    def of(cls, payload: dict[str, object]) -> Edit:
        """From ``as_json``."""
        rows: Iterable[tuple[str, str, str | None, str]] = payload["pieces"]  # type: ignore[assignment]
        deleted: Iterable[str] = payload["deleted"]  # type: ignore[assignment]
        return cls(tuple(Kept(Piece(p), name, text, made) for p, name, text, made in rows), tuple(deleted))


def made(text: str) -> str:
    """A short digest of a piece as it was made."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def draft(
    version: str, items: Iterable[Item], generated: Iterable[Item], deleted: Iterable[str], tongue: Tongue = ENGLISH
) -> str:
    """The notes as they are to be edited. ``items`` is the document with earlier edits in it, ``generated`` the same
    without: what an earlier edit ``deleted``, or this one will, is what is in neither the text nor new."""
    fresh = {(g.piece, g.name): g.text for g in generated}
    seen = dict.fromkeys([*(name for piece, name in fresh if piece in {Piece.LINE, Piece.BLOCK}), *deleted])
    how = [*(tongue.words(h) for h in _HOW), f"headway notes {version} --keep FILE"]
    head = [f"<!-- headway:draft {version}", *how, "-->", "", ""]
    body = assembled((i.piece, _marked(i, fresh.get((i.piece, i.name), i.text))) for i in items)
    names = [_quoted(name) for name in seen]
    rows = [" ".join(names[i : i + _NAMES_A_LINE]) for i in range(0, len(names), _NAMES_A_LINE)]
    return "\n".join(head) + body + "\n" + "\n".join(["<!-- headway:seen", *rows, "-->", ""])


_HOW = (
    say(
        "Edit what you like: words, order, sections; add paragraphs of your own; a line that you delete stays deleted."
    ),
    say("Leave the comments with `headway:` at their lines: by them each line is known again. Then:"),
)


def _quoted(name: str) -> str:
    return quote(name, safe=":+!") or _NONE


def _marked(item: Item, fresh: str) -> str:
    if item.piece is Piece.WORDS:
        return item.text
    mark = f"<!-- headway:{item.piece.value} {_quoted(item.name)} {made(fresh)} -->"
    if item.piece is Piece.BLOCK:
        return f"{mark}\n{item.text}"
    first, *more = shown(item).split("\n")
    return "\n".join([f"{first} {mark}", *more])


def read_draft(data: bytes, version: str) -> Edit:
    """What a person made of a draft of this version.

    Their Markdown is kept as typed, but for control characters. Raises ``UnusableInput``: ``notes.not-text``,
    ``notes.no-draft``, ``notes.other-version``.
    """
    text = _text(data)
    head, seen = _HEAD.search(text), _SEEN.search(text)
    if head is None or seen is None:
        raise UnusableInput(
            "notes.no-draft",
            say("this is no draft of notes: the comment at its beginning or at its end is missing"),
            clause="N2",
            remedy=say("write one with `headway notes {version} --draft FILE`, and edit that", version=version),
        )
    if head["version"] != version:
        raise UnusableInput(
            "notes.other-version",
            say("this is a draft of the notes of {other}, not of {version}", other=head["version"], version=version),
            clause="N2",
            facts=facts(draft=head["version"], version=version),
            remedy=say("name the version that it is of"),
        )
    pieces = tuple(_pieces(_SEEN.sub("", _HEAD.sub("", text)).split("\n")))
    there = {p.name for p in pieces}
    return Edit(pieces, tuple(name for word in seen["names"].split() if (name := _name(word)) not in there))


def _text(data: bytes) -> str:
    try:
        if len(data) > LARGEST:
            raise ValueError
        return clean(data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n"))
    except ValueError as e:
        raise UnusableInput(
            "notes.not-text",
            say("the draft is no UTF-8 text of less than {size} bytes", size=LARGEST),
            clause="N2",
            remedy=say("save it as UTF-8"),
        ) from e


def _name(word: str) -> str:
    return "" if word == _NONE else unquote(word)


def _pieces(lines: Iterable[str]) -> Iterator[Kept]:
    """Each marked piece with its lines, and between them the person's own words."""
    words: list[str] = []
    piece: tuple[Piece, str, str, list[str]] | None = None
    for line in lines:
        found = _MARK.search(line)
        if found:
            yield from _ended(piece, words)
            words = []
            kind, rest = Piece(found["piece"]), _MARK.sub("", line)
            piece = (kind, _name(found["name"]), found["made"], [] if kind is Piece.BLOCK else [_bare(kind, rest)])
        elif piece is not None and _goes_on(piece[0], piece[3], line):
            piece[3].append(line.rstrip())
        else:
            yield from _ended(piece, ())
            piece = None
            words.append(line.rstrip())
    yield from _ended(piece, words)


def _bare(kind: Piece, line: str) -> str:
    return (_HASHES if kind in HEADINGS else _BULLET).sub("", line).strip()


def _goes_on(kind: Piece, have: list[str], line: str) -> bool:
    """A block goes to the next empty line; an element of a list has its indented lines."""
    if not line.strip():
        return False
    return kind is Piece.BLOCK or (kind is Piece.LINE and bool(have[0]) and line.startswith(("  ", "\t")))


def _ended(piece: tuple[Piece, str, str, list[str]] | None, words: Iterable[str]) -> Iterator[Kept]:
    if piece is not None:
        kind, name, digest, lines = piece
        text = "\n".join(lines)
        if text:  # a line whose words were deleted is a deleted line
            yield Kept(kind, name, None if made(text) == digest else text, digest)
    own = "\n".join(words)
    if own.strip():
        before, after = own.startswith("\n"), own.endswith("\n")
        yield Kept(Piece.WORDS, "", "\n" * before + own.strip("\n") + "\n" * after)
