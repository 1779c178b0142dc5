"""A command's JSON document as the summary of a CI's job: Markdown in which other people's words do nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from headway.model.markdown import code, escape

LIMIT = 200_000  # characters; GitHub takes 1 MiB for one step
_ROWS = 200
_PLAIN = re.compile(r"[\w./+-]+", re.ASCII)
_WORDS = {
    0: "done",
    1: "the answer is no",
    2: "it cannot be used like this",
    3: "open: a person or more data is needed",
    4: "the outside world failed",
}


def job_summary(command: str, status: int, document: Mapping[str, Any] | None) -> str:
    """The summary of ``headway COMMAND`` that ended with ``status``; ``None`` when it printed no document."""
    head = f"## Headway: {escape(command)}\n\n**{_WORDS.get(status, 'it was ended')}** (status {status})\n"
    return head + (_body(document) if document is not None else "")


def _body(document: Mapping[str, Any]) -> str:
    if isinstance(error := document.get("error"), Mapping):
        return _reasons("", [error])
    if isinstance(done := document.get("done"), list) and isinstance(waits := document.get("waits"), list):
        rows = [(escape(str(d.get("kind", ""))), _name(d.get("target", ""))) for d in done]
        return _table("Done", ("action", "target"), rows) + _reasons("Waiting for", waits)
    if isinstance(commits := document.get("commits"), list) and "cut" in document:
        return _audit(commits)
    return _whole(document)


def _audit(commits: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (_name(str(c.get("commit", ""))[:12]), escape(str(v.get("clause", ""))), escape(str(v.get("message", ""))))
        for c in commits
        for v in c.get("violations", ())
    ]
    said = f"\n{len(commits)} commits since the cut, {len(rows)} violations.\n"
    return said + _table("Violations", ("commit", "clause", "what"), rows)


def _reasons(title: str, reasons: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        f"- **{escape(str(r.get('clause') or '–'))}** {escape(str(r.get('message', '')))}\n"
        f"  → {escape(str(r.get('remedy', '')))}"
        for r in reasons[:_ROWS]
    ]
    if not rows:
        return ""
    return "\n".join([f"\n### {title}\n" if title else "", *rows, *_more(len(reasons)), ""])


def _table(title: str, titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = [" | ".join(titles), " | ".join("---" for _ in titles), *(" | ".join(r) for r in rows[:_ROWS])]
    return "\n".join([f"\n### {title}\n", *(f"| {line} |" for line in lines), *_more(len(rows)), ""])


def _name(value: object) -> str:
    """A name to be copied. In a table a bar ends the cell, also within code: what is not plainly a name is escaped."""
    text = str(value)
    return code(text) if _PLAIN.fullmatch(text) else escape(text)


def _more(count: int) -> list[str]:
    return [f"\n… and {count - _ROWS} more"] if count > _ROWS else []


def _whole(document: Mapping[str, Any]) -> str:
    """As it is, in a fence that nothing in it can end."""
    text = json.dumps(document, indent=1, default=str)  # ASCII: nothing in it turns the direction of writing
    return (
        f"\n~~~~~~~~json\n{text[:LIMIT]}\n~~~~~~~~\n" if len(text) <= LIMIT else "\nThe result is too long to show.\n"
    )
