"""Somebody else's words in Markdown: shown, and doing nothing."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~&])")
_BLOCK = re.compile(r"^([-+=]|\d+(?=[.)]))")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_OWN_PR = re.compile(r"\s*\(#(\d+)\)\s*$")


def _plain(text: str) -> str:
    words = "".join(c for c in " ".join(text.split()) if c.isprintable() or (ord(c) > 0x9F and c not in _TURNING))
    return words.encode("utf-8", "replace").decode("utf-8")  # half a character cannot be written


def escape(text: str) -> str:
    """A line of somebody else's words as Markdown that shows them and does nothing: no markup, no mention, no control
    character, nothing that turns the direction of writing."""
    shown = _MARKUP.sub(r"\\\1", _plain(text)).replace("@", "@\u200b").replace("://", ":\u200b//")
    block = _BLOCK.match(shown)
    if block is None:
        return shown
    return f"\\{shown}" if not block[1].isdigit() else f"{block[1]}\\{shown[block.end() :]}"


def change_line(title: str, pr: int | None) -> str:
    """A change's title; its own pull request stays a reference, for a forge to make a link of."""
    own = _OWN_PR.search(title)
    if pr is None or own is None or int(own[1]) != pr:
        return escape(title)
    return f"{escape(title[: own.start()])} (#{pr})"


def code(text: str) -> str:
    """A name to be copied, such as a file's or a digest."""
    return escape(text) if "`" in text or not text.strip() else f"`{_plain(text)}`"
