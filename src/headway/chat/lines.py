"""The lines of a comment that its author says, as its page shows them: no code, no quotation, nothing hidden."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt

from headway.model.text import clean


def spoken(body: str) -> tuple[tuple[str, ...], ...]:
    """The paragraphs (headings too) that stand in nothing else, each as its lines; HTML comments are left out.

    Blocks are those of CommonMark. Control and direction characters become U+FFFD.
    """
    text = clean(body.replace("\r\n", "\n").replace("\r", "\n"))
    rows = text.split("\n")
    found = []
    for token in _blocks().parse(text):
        if token.type == "inline" and token.level == 1 and token.map is not None:
            shown = _without_comments("\n".join(rows[slice(*token.map)]))
            found.append(tuple(line.rstrip() for line in shown.split("\n")))
    return tuple(found)


@cache
def _blocks() -> MarkdownIt:
    """Of blocks only: what is in a line is not looked at, so that no text takes long."""
    return MarkdownIt("commonmark").disable(["inline", "reference"])


def _without_comments(text: str) -> str:
    parts, at = [], 0
    while (begin := text.find("<!--", at)) >= 0 and (end := text.find("-->", begin + 4)) >= 0:
        parts.append(text[at:begin])
        at = end + len("-->")
    return "".join((*parts, text[at:]))
