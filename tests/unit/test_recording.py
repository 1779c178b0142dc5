"""Every entry says which policy was in force; the ledger holds each policy once, in whole (G4)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import worlds

from headway.clock import SetClock
from headway.decide.record import policy_digest_of, policy_of
from headway.ledger.store import open_ledger
from headway.model.entry import Kind
from headway.policy.schema import Policy
from headway.recording import Recording

CLOCK = SetClock(datetime(2025, 1, 27, 10, tzinfo=UTC))


def test_each_policy_is_kept_once_in_whole_and_then_named_by_its_digest(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l.db", write=True)
    other = worlds.policy(candidate={"quiet_hours": 7})
    first = Recording(ledger, CLOCK, "Ann", worlds.POLICY)
    for recording in (first, first, Recording(ledger, CLOCK, "Bob", worlds.POLICY)):
        recording.record(Kind.HELD, "0.7.1", {"reason": "why"})
    Recording(ledger, CLOCK, "Bob", other).record(Kind.HELD, "0.7.1", {"reason": "why"})
    first.record(Kind.HELD, "0.7.1", {"reason": "why"})
    entries = ledger.entries()
    assert [isinstance(e.payload["policy"], dict) for e in entries] == [True, False, False, True, False]
    assert len({policy_digest_of(e) for e in entries}) == 2
    found = [Policy.model_validate_json(json.dumps(policy_of(entries, e))) for e in entries]
    assert [p.candidate.quiet_hours for p in found] == [
        *[worlds.POLICY.candidate.quiet_hours] * 3,
        7,
        worlds.POLICY.candidate.quiet_hours,
    ]


def test_an_address_with_a_password_does_not_come_into_the_ledger(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l.db", write=True)
    secret = worlds.policy(ledger={"url": "postgresql://headway:hush-hush@db/headway"})
    entry = Recording(ledger, CLOCK, "Ann", secret).record(Kind.HELD, "", {"reason": "why"})
    assert "hush-hush" not in json.dumps(entry.as_json())
    assert policy_digest_of(entry) == policy_digest_of(
        Recording(ledger, CLOCK, "Ann", worlds.POLICY).record(Kind.HELD, "", {"reason": "why"})
    )


def test_an_entry_from_before_policies_were_written_down_names_none() -> None:
    world = worlds.World()
    entry = world.note(Kind.HELD, reason="why")
    assert (policy_digest_of(entry), policy_of((entry,), entry)) == (None, None)
    unknown = replace(entry, payload={"policy": "0" * 64})
    assert policy_of((entry, unknown), unknown) is None
