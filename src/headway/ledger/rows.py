"""Entries as rows and lines: what may be stored, and how it is read back without trusting it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from headway.errors import BrokenInvariant, UnusableInput
from headway.model.entry import Entry, Kind, canonical, digest_of, sealed_fields
from headway.model.text import facts, say

FIELDS = ("seq", "at", "actor", "kind", "train", "payload", "prev", "digest")
_KINDS = frozenset(k.value for k in Kind)
_DEEPEST = 100
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable(ValueError):
    """A row or line that cannot be an entry; the message says why, in ASCII, without its number."""


def storable(value: object) -> str:
    """Canonical JSON that every database and file can hold: lone surrogates stand as ``\\udXXX`` escapes.

    Control characters, NUL among them, are escaped by JSON itself.
    """
    return _SURROGATE.sub(lambda m: f"\\u{ord(m[0]):04x}", canonical(value))


def plain(payload: Mapping[str, Any]) -> dict[str, Any]:
    """``payload`` as it will be read back: tuples are lists, keys are strings, surrogate pairs are joined.

    Raises ``UnusableInput`` (``ledger.payload``) for what JSON cannot hold.
    """
    try:
        made: dict[str, Any] = json.loads(json.dumps(dict(payload), allow_nan=False))
        _refuse_deep(made, _DEEPEST)
    except (TypeError, ValueError, RecursionError) as e:
        raise UnusableInput(
            "ledger.payload",
            say("this cannot be written to the ledger: {why}", why=str(e)),
            remedy=say("an entry holds JSON values: text, whole and finite numbers, lists and objects of them"),
        ) from e
    return made


def _refuse_deep(value: object, levels: int) -> None:
    # JSON readers recurse: what one call could just write, another, called from further down, could not read.
    if levels == 0:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep")
    if isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            _refuse_deep(inside, levels - 1)


def seal(head: tuple[int, str], at: datetime, actor: str, kind: Kind, train: str, payload: Mapping[str, Any]) -> Entry:
    """The entry that follows ``head`` (its number and digest).

    Raises ``UnusableInput`` for text or payload that cannot be stored, ``BrokenInvariant`` for a time without a zone.
    """
    if at.tzinfo is None:
        raise BrokenInvariant(
            "ledger.naive-time",
            say("the time {at} of a ledger entry has no zone", at=at),
            remedy=say("pass an aware time, in UTC"),
        )
    for field, text in (("actor", actor), ("train", train)):
        if "\0" in text or _SURROGATE.search(text):
            raise UnusableInput(
                "ledger.text",
                say("the {field} {text} holds characters that cannot be stored", field=field, text=ascii(text)),
                remedy=say("use text in UTF-8, without NUL"),
                facts=facts(field=field, text=ascii(text)),
            )
    seq, when, content = head[0] + 1, at.astimezone(UTC), plain(payload)
    digest = digest_of(sealed_fields(seq, when, actor, kind, train, content, head[1]))
    return Entry(seq, when, actor, kind, train, content, head[1], digest)


def row_of(entry: Entry) -> dict[str, object]:
    """The row of the ``entries`` table."""
    return {**entry.as_json(), "payload": storable(entry.payload)}


def entry_of_row(row: tuple[object, ...]) -> Entry:
    """The entry of a row in the order of ``FIELDS``. Raises ``Unreadable``.

    The payload must be canonical byte for byte: a rewriting that another JSON reader might understand otherwise
    (doubled keys, say) does not pass as the same content.
    """
    fields = dict(zip(FIELDS, row, strict=True))
    text = fields["payload"]
    if not isinstance(text, str):
        raise Unreadable("its payload is not text")
    payload = loads(text)
    if storable(payload) != text:
        raise Unreadable("its payload is not in canonical form")
    return entry_of_json({**fields, "payload": payload})


def entry_of_json(fields: Mapping[str, object]) -> Entry:
    """The entry of a JSON object with exactly ``FIELDS``. Raises ``Unreadable``."""
    if set(fields) != set(FIELDS):
        raise Unreadable(f"its fields are not {', '.join(FIELDS)}")
    seq, at, actor, kind, train, payload, prev, digest = (fields[f] for f in FIELDS)
    if type(seq) is not int or not isinstance(payload, dict):
        raise Unreadable("its number or payload is of the wrong type")
    if not (isinstance(actor, str) and isinstance(train, str) and isinstance(prev, str) and isinstance(digest, str)):
        raise Unreadable("its actor, train or digests are not text")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise Unreadable(f"its kind {kind!a} is not known")
    return Entry(seq, _time(at), actor, Kind(kind), train, payload, prev, digest)


def loads(text: str | bytes) -> object:
    """JSON as ``canonical`` writes it. Raises ``Unreadable``; ``NaN`` and its like are refused."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        raise Unreadable(f"it is not JSON ({ascii(str(e))[1:-1]})") from e


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _time(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.isoformat() != text:
        raise Unreadable(f"its time {text!a} is not an ISO 8601 time with a zone")
    return at
