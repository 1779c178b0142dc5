"""Signed heads: who stands behind a ledger up to an entry, and whether that still holds (G4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from headway.ledger import keyless, ssh
from headway.model.entry import Entry, Kind
from headway.model.text import Text, say

SSH, SIGSTORE = "ssh", "sigstore"
_FIELDS = ("seq", "head", "format", "signature", "signer")


class Standing(StrEnum):
    """``VOUCHED``: by somebody whom the reader's list of allowed signers names. ``UNVOUCHED``: it holds, and whose it
    is, the reader must know. ``UNCHECKED``: what it takes to tell is not here. ``BAD``: it does not hold."""

    VOUCHED = "vouched"
    UNVOUCHED = "unvouched"
    UNCHECKED = "unchecked"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Signature:
    """A ``signed`` entry that was looked at. ``upto`` is the entry that it signs."""

    entry: Entry
    upto: int
    standing: Standing
    signer: str
    words: Text

    def as_json(self) -> dict[str, object]:
        return {
            "entry": self.entry.seq,
            "upto": self.upto,
            "format": str(self.entry.payload.get("format")),
            "standing": self.standing.value,
            "signer": self.signer,
            "message": str(self.words),
        }


def statement(seq: int, head: str) -> bytes:
    """What is signed: the number and digest of the last entry, and with it all before it."""
    return f"headway ledger\nentry {seq}\ndigest {head}\n".encode()


def signatures(entries: Sequence[Entry], allowed: Path | None) -> tuple[Signature, ...]:
    """Every signature of a ledger. ``allowed`` is a list of allowed signers as ssh-keygen(1) has it."""
    known = {e.seq: e.digest for e in entries}
    return tuple(_looked_at(e, known, allowed) for e in entries if e.kind is Kind.SIGNED)


def _looked_at(e: Entry, known: Mapping[int, str], allowed: Path | None) -> Signature:
    p = e.payload
    if type(p.get("seq")) is not int or not all(isinstance(p.get(f), str) for f in _FIELDS[1:]):
        return Signature(e, 0, Standing.BAD, "", say("entry {entry} has no whole signature", entry=e.seq))
    if p["seq"] >= e.seq or known.get(p["seq"]) != p["head"]:
        words = say("what entry {entry} signs is not entry {seq} of this ledger", entry=e.seq, seq=p["seq"])
        return Signature(e, p["seq"], Standing.BAD, p["signer"], words)
    if p["format"] == SSH:
        return _of_ssh(e, p, allowed)
    if p["format"] == SIGSTORE:
        return _of_sigstore(e, p)
    words = say("entry {entry} is signed in the form {form}, which is not known here", entry=e.seq, form=p["format"])
    return Signature(e, p["seq"], Standing.UNCHECKED, p["signer"], words)


def _of_ssh(e: Entry, p: Mapping[str, Any], allowed: Path | None) -> Signature:
    seen = ssh.check(statement(p["seq"], p["head"]), p["signature"], e.at, allowed)
    if isinstance(seen, Text):
        return _unchecked(e, p, seen)
    if seen.key is None:
        return _bad(e, p, seen.why)
    if seen.key != p["signer"]:
        return _other_signer(e, p, seen.key)
    if seen.principal:
        words = say("signed up to entry {seq} by {who}, key {key}", seq=p["seq"], who=seen.principal, key=seen.key)
        return Signature(e, p["seq"], Standing.VOUCHED, seen.principal, words)
    words = say("signed up to entry {seq} by key {key}, which nobody vouches for here", seq=p["seq"], key=seen.key)
    return Signature(e, p["seq"], Standing.UNVOUCHED, seen.key, words)


def _of_sigstore(e: Entry, p: Mapping[str, Any]) -> Signature:
    seen = keyless.check(statement(p["seq"], p["head"]), p["signature"])
    if isinstance(seen, Text):
        return _unchecked(e, p, seen)
    if seen.identity is None:
        return _bad(e, p, seen.why)
    if seen.identity != p["signer"]:
        return _other_signer(e, p, seen.identity)
    words = say("signed up to entry {seq} by {who}, as Sigstore certifies", seq=p["seq"], who=seen.identity)
    return Signature(e, p["seq"], Standing.UNVOUCHED, seen.identity, words)


def _unchecked(e: Entry, p: Mapping[str, Any], why: Text) -> Signature:
    words = say("the signature of entry {entry} could not be checked: {why}", entry=e.seq, why=str(why))
    return Signature(e, p["seq"], Standing.UNCHECKED, p["signer"], words)


def _bad(e: Entry, p: Mapping[str, Any], why: str) -> Signature:
    words = say("the signature of entry {entry} does not hold: {why}", entry=e.seq, why=why)
    return Signature(e, p["seq"], Standing.BAD, p["signer"], words)


def _other_signer(e: Entry, p: Mapping[str, Any], signer: str) -> Signature:
    words = say(
        "entry {entry} says that {said} signed, but it was {signer}", entry=e.seq, said=p["signer"], signer=signer
    )
    return Signature(e, p["seq"], Standing.BAD, signer, words)
