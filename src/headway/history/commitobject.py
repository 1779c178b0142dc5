"""A commit read from its object, as ``git log`` would tell it."""

from __future__ import annotations

import re

from headway.history.objects import Found
from headway.history.records import Record

_PERSON = re.compile(rb"(?P<name>.*?) ?<(?P<email>[^>]*)>(?: (?P<when>-?\d+))?")


def record_of(found: Found) -> Record:
    """A commit (``found``) as ``git log`` tells it, the fields of ``history.records``; its message in UTF-8. What it
    touches is not told."""
    head, _, message = found.data.partition(b"\n\n")
    tree, author, committer, encoding = b"", b"", b"", ""
    parents = []
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        if key == b"tree":
            tree = value
        elif key == b"parent":
            parents.append(value)
        elif key == b"author":
            author = value
        elif key == b"committer":
            committer = value
        elif key == b"encoding":
            encoding = value.decode("ascii", "replace")
    name, email, written = _person(author)
    return Record(
        (
            found.sha.encode(),
            b" ".join(parents),
            tree,
            name,
            email,
            written,
            _person(committer)[2],
            _in_utf8(message, encoding),
        ),
        b"",
    )


def _person(line: bytes) -> tuple[bytes, bytes, bytes]:
    found = _PERSON.match(line)
    return (found["name"], found["email"], found["when"] or b"") if found else (line, b"", b"")


def _in_utf8(message: bytes, encoding: str) -> bytes:
    if not encoding or encoding.lower() in {"utf-8", "utf8"}:
        return message
    try:
        return message.decode(encoding, "replace").encode()
    except LookupError:
        return message
