"""Writing to the ledger: every entry in somebody's name, at the clock's time, with the policy that was in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headway.decide import record
from headway.model.entry import Entry, Kind, digest_of
from headway.model.ports import Clock, Ledger
from headway.policy.schema import Policy


@dataclass(slots=True)
class Recording:
    """``Recorder``: what is done and decided, in the name of ``actor``.

    Each payload gets ``policy``: its digest, or the whole policy where the ledger does not hold it yet, so that a
    ledger, or a bundle of it, tells with nothing else what each decision was made by.
    """

    ledger: Ledger
    clock: Clock
    actor: str
    policy: Policy
    _held: str = field(default="", init=False)

    def record(self, kind: Kind, train: str, payload: Mapping[str, Any]) -> Entry:
        # Not where the ledger is: that decides nothing, and its address may hold a password.
        whole = self.policy.model_dump(mode="json", by_alias=True, exclude={"ledger"})
        digest = digest_of(whole)
        held = self._held == digest or record.holds_policy(self.ledger.entries(), digest)
        known = {"policy": digest if held else whole, **payload}
        entry = self.ledger.append(self.clock.now(), self.actor, kind, train, known)
        self._held = digest
        return entry
