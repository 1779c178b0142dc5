"""Somebody else's words in Markdown: shown, and doing nothing; and the marks by which Headway knows its own texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headway.model.text import Text

LIMIT = 65_536  # characters that a forge takes in one text

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~&])")
_BLOCK = re.compile(r"^([-+=/]|\d+(?=[.)]))")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NUMBER = re.compile(r"(\\#|\bGH-)(?=\d)", re.IGNORECASE)
_LINK = re.compile(r"\bwww\.", re.IGNORECASE)
_INERT = re.compile("`[^`\n]*`|\\\\([!-/:-@\\[-`{-~])|(&#36;)|(?<!@)\u200b")
_RUN = re.compile("`+")
_ABOUT = re.compile(r"[A-Za-z0-9_.:+!-]+")


def plain(text: str) -> str:
    """One line of it without control characters and what turns the direction of writing; for what is no Markdown, such
    as a title."""
    words = "".join(c for c in " ".join(text.split()) if c.isprintable() or (ord(c) > 0x9F and c not in _TURNING))
    return words.encode("utf-8", "replace").decode("utf-8")  # half a character cannot be written


def title(text: str, most: int = 250) -> str:
    """A line as a title: plain, nobody is mentioned in it, and cut to what a forge takes."""
    return _cut(plain(text), most).replace("@", "@\u200b")


def within(text: str, most: int = 0) -> str:
    """A line of somebody else's words, after others of ours, as Markdown that shows them and does nothing: no markup,
    no mention, no link, no reference to an issue, no control character, nothing that turns the direction of writing.
    ``most``: characters of theirs that are shown (0: all)."""
    words = plain(text)
    return _inert(_cut(words, most) if most else words)


def _inert(words: str) -> str:
    shown = _MARKUP.sub(r"\\\1", words)
    shown = shown.replace("$", "&#36;")  # between two of them GitHub sets mathematics, also after a backslash
    shown = _NUMBER.sub("\\1\u200b", shown).replace("@", "@\u200b").replace("://", ":\u200b//")
    return _LINK.sub(lambda m: f"{m[0][:-1]}\u200b.", shown)


def escape(text: str, most: int = 0) -> str:
    """The same at a line's begin: no heading, no list, no command."""
    shown = within(text, most)
    block = _BLOCK.match(shown)
    if block is None:
        return shown
    return f"\\{shown}" if not block[1].isdigit() else f"{block[1]}\\{shown[block.end() :]}"


def code(text: str) -> str:
    """A name to be copied, such as a file's or a digest."""
    return escape(text) if "`" in text or not text.strip() else f"`{plain(text)}`"


def sentence(text: Text, most: int = 600) -> str:
    """One of Headway's own sentences, not at a line's begin: its Markdown stays, and the values put into it are inert,
    in its code as code and outside as words. ``most``: characters of a value that are shown."""
    parts = text.template.split("`")
    if len(parts) % 2 == 0:
        return within(str(text), most)
    shown = (lambda v: within(v, most), lambda v: inside_code(v, most))
    return "`".join(text.filled(part, shown[i % 2]) for i, part in enumerate(parts))


def phrase(words: str, most: int = 600) -> str:
    """The same of a sentence whose values are in it already, as the ledger has it: what stands between backticks is
    code, all else inert words, whoever wrote which. ``most``: characters of it that are shown."""
    parts = _cut(plain(words), most).split("`")
    if len(parts) % 2 == 0 or not all(parts[1:-1]):
        return within(words, most)
    return "`".join(p if i % 2 else _inert(p) for i, p in enumerate(parts))


def inside_code(words: str, most: int = 0) -> str:
    """What can stand between two backticks."""
    shown = plain(words).replace("`", "'")
    return _cut(shown, most) if most else shown


def in_words(markdown: str) -> str:
    """A text of ours as it is read where nobody renders it, as in a tag: without what keeps the words of others inert.
    Code, headings and lists stay as they are; nobody is mentioned all the same."""
    return _INERT.sub(lambda m: m[0] if m[0][0] == "`" else m[1] or ("$" if m[2] else ""), markdown)


def spans(words: str) -> Iterator[tuple[bool, str]]:
    """The parts of a line, and of each whether it is code: what stands between two runs of as many backticks, without
    them (CommonMark 0.31, 6.1). All else is plain words, whatever markup they look like."""
    ends: dict[int, re.Match[str]] = {}
    closing: dict[int, re.Match[str]] = {}  # by where the run that it ends begins
    for run in reversed([*_RUN.finditer(words)]):
        length = len(run[0])
        if length in ends:
            closing[run.start()] = ends[length]
        ends[length] = run
    done = 0
    for run in _RUN.finditer(words):
        end = closing.get(run.start())
        if run.start() < done or end is None:
            continue
        if run.start() > done:
            yield False, words[done : run.start()]
        inside = words[run.end() : end.start()]
        padded = inside[0] == inside[-1] == " " and inside.strip(" ")
        yield True, inside[1:-1] if padded else inside
        done = end.end()
    if done < len(words):
        yield False, words[done:]


def quote(text: str, most: int = 2_000) -> str:
    """Several lines of somebody else's words as a quotation that does nothing; ``most`` characters of them."""
    rows = text[:most].splitlines() or [""]
    rest = ["> …"] if len(text) > most else []
    return "\n".join([*(f"> {escape(row)}".rstrip() for row in rows), *rest])


def marker(about: str) -> str:
    """The line that nobody sees, by which a text is known as Headway's own about something.

    Raises ``ValueError`` for a name that could end the line.
    """
    if not _ABOUT.fullmatch(about) or "--" in about:
        raise ValueError(about)
    return f"<!-- headway:{about} -->"


def marked(about: str, body: str) -> str:
    """A text with its marker, which comes first so that nothing that is cut takes it away."""
    return f"{marker(about)}\n{body.rstrip()}\n"


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"
