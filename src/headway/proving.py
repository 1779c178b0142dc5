"""Proof on demand: a release, a ledger or a bundle, with its signatures and a head that was kept elsewhere (G4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from headway.app import Headway
from headway.decide.cellwaivers import CellWaiver
from headway.errors import UnusableInput
from headway.history.gitsettings import path_setting
from headway.ledger.bundle import check_path
from headway.ledger.signatures import Signature, Standing, signatures
from headway.model.entry import GENESIS, Entry
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.reports import verify_release

_HEAD = re.compile(r"[0-9a-f]{12,64}")


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. ``head`` is the digest of the last entry: kept elsewhere, it finds what is taken off later.
    ``waived`` are cells that did not pass and that people had waived when it was published (E7); ``absent`` is what is
    not here, and so was not checked."""

    subject: str
    problems: tuple[Reason, ...]
    signatures: tuple[Signature, ...]
    entries: int
    head: str
    waived: tuple[CellWaiver, ...] = ()
    absent: tuple[Reason, ...] = ()

    @property
    def unchecked(self) -> tuple[Signature, ...]:
        return tuple(s for s in self.signatures if s.standing is Standing.UNCHECKED)

    @property
    def ok(self) -> bool:
        """Nothing is wrong and nothing was left unchecked."""
        return not self.problems and not self.unchecked and not self.absent

    def as_json(self) -> dict[str, object]:
        return {
            "ok": self.ok,
            "problems": [p.as_json() for p in self.problems],
            "subject": self.subject,
            "signatures": [s.as_json() for s in self.signatures],
            "entries": self.entries,
            "head": self.head,
            "waived": [w.as_json() for w in self.waived],
            "unchecked": [r.as_json() for r in self.absent],
        }


def prove_release(app: Headway, version: Version, head: str = "", allowed: Path | None = None) -> Proof:
    """A release is exactly what was accepted, and the ledger that says so is whole (B5, G4)."""
    found, entries = verify_release(app, version, allowed), app.entries()
    return replace(
        _proof(str(version), found.problems, entries, head, allowed), waived=found.waived, absent=found.unchecked
    )


def prove_ledger(url_or_path: str, head: str = "", allowed: Path | None = None) -> Proof:
    """A ledger or a bundle, with nothing but itself (G4)."""
    checked = check_path(url_or_path)
    remedy = say("compare it with another copy: `headway ledger export` writes one")
    found = tuple(
        Reason("G4", "ledger.chain", say("{problem}", problem=p), facts(file=url_or_path), remedy)
        for p in checked.problems
    )
    return _proof(url_or_path, found, checked.entries, head, allowed)


def allowed_signers(folder: Path) -> Path | None:
    """The list of allowed signers that git is set to where somebody stands."""
    return path_setting(folder, "gpg.ssh.allowedSignersFile")


def _proof(subject: str, found: tuple[Reason, ...], entries: Sequence[Entry], head: str, allowed: Path | None) -> Proof:
    signed = signatures(entries, allowed)
    problems = (*found, *_bad(signed), *_missing(head, entries))
    return Proof(subject, problems, signed, len(entries), entries[-1].digest if entries else GENESIS)


def _bad(signed: tuple[Signature, ...]) -> tuple[Reason, ...]:
    remedy = say("compare it with another copy, and ask the signer what was signed")
    return tuple(
        Reason("G4", "ledger.signature", s.words, facts(entry=s.entry.seq, upto=s.upto, signer=s.signer), remedy)
        for s in signed
        if s.standing is Standing.BAD
    )


def _missing(head: str, entries: Sequence[Entry]) -> tuple[Reason, ...]:
    """The head that was kept is not in it: entries were taken off the end, or all of it was written anew."""
    if not head:
        return ()
    kept = head.strip().lower()
    if not _HEAD.fullmatch(kept):
        raise UnusableInput(
            "usage.head",
            say("{head} is no digest of an entry", head=head),
            remedy=say("give its 64 hexadecimal digits, or at least the first 12 of them"),
        )
    if any(e.digest.startswith(kept) for e in entries):
        return ()
    return (
        Reason(
            "G4",
            "ledger.head-missing",
            say(
                "the head that was kept, {head}, is not in it: entries were taken off, or it is another ledger",
                head=kept[:12],
            ),
            facts(head=kept, entries=len(entries), last=entries[-1].digest if entries else None),
            say("compare it with a copy that has this head"),
        ),
    )
