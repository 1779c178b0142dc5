"""What the checks of a candidate's test say: which of them block, and which a person has waived (B4)."""

from __future__ import annotations

from datetime import datetime

from headway.decide.candidates import CandidateRecord
from headway.decide.waivers import waived
from headway.model.build import CheckResult
from headway.model.entry import Entry, Kind
from headway.model.matrix import rows_of, vanished
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Facts, Text, facts, say
from headway.model.train import Train
from headway.policy.candidate_tables import FILES
from headway.policy.schema import Policy


def failed(
    train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy, at: datetime | None = None
) -> tuple[CheckResult, ...]:
    """Checks that keep a candidate from its release. ``at``: when waivers must be in force, if that is not now.

    A test from before there were checks is one check, ``command``.
    """
    if r.tested is None:
        return ()
    rows = r.checks
    if not rows and not r.tested.payload["ok"]:
        rows = (CheckResult("command", False, say("{text}", text=str(r.tested.payload["why"]))),)
    return tuple(c for c in rows if _counts(c, train.name, snapshot, policy, at))


def let_pass(result: Entry, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether a person has waived all that failed in a result (of a test, or of further evidence), so that it keeps
    nothing from a release (B4)."""
    p = result.payload
    if result.kind is Kind.GATED:
        return waived(snapshot, result.train, f"gate:{p['gate']}", policy)
    rows = tuple(map(CheckResult.kept, p.get("checks", ()))) if result.kind is Kind.TESTED else ()
    return bool(rows) and not any(_counts(c, result.train, snapshot, policy, None) for c in rows)


def _counts(c: CheckResult, train: str, snapshot: Snapshot, policy: Policy, at: datetime | None) -> bool:
    return c.ok is False and blocks(c, policy) and not _waived(c, train, snapshot, policy, at)


def sound(train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> bool:
    """Built and tested, and no check keeps it from its release."""
    built = r.built is not None and bool(r.built.payload["ok"])
    return built and r.tested is not None and not failed(train, r, snapshot, policy)


def blocks(check: CheckResult, policy: Policy) -> bool:
    """By the policy in force."""
    return check.name in policy.test.blocking


def _waived(c: CheckResult, train: str, snapshot: Snapshot, policy: Policy, at: datetime | None) -> bool:
    return c.name in FILES and waived(snapshot, train, f"check:{c.name}", policy, at)


def waits(train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> tuple[Reason, ...]:
    """One wait for each check that blocks."""
    return tuple(_wait(c, train, r) for c in failed(train, r, snapshot, policy))


def _wait(c: CheckResult, train: Train, r: CandidateRecord) -> Reason:
    payload = r.tested.payload if r.tested else {}
    known: Facts = facts(
        tag=r.facts.tag,
        commit=r.facts.commit,
        step="test",
        check=c.name,
        why=c.why,
        log=payload.get("log"),
    )
    text = say("the test of {tag} failed: {why}", tag=r.facts.tag, why=c.why)
    if c.name == "previous":
        return Reason("B4", "candidate.vanished", text, (*known, *_missing(train, r)), _bring_back(train))
    if c.name in FILES:
        mend = say(
            "mend it and request the change for the next candidate; or a person lets it pass: "
            "`headway waive {version} check:{check} --reason … --until DATE`",
            version=train.name,
            check=c.name,
        )
        return Reason("B4", "candidate.check-failed", text, known, mend)
    again = say(
        "read {log}; request a pick that mends it, or do it again: `headway tick --retry {step}`",
        log=payload.get("log"),
        step="test",
    )
    return Reason("B4", "candidate.test-failed", text, known, again)


def _missing(train: Train, r: CandidateRecord) -> Facts:
    before = tuple(str(f) for f in r.tested.payload.get("previous", ())) if r.tested else ()
    now = tuple(a.file for a in r.artifacts)
    gone = vanished(before, now)
    files = tuple(f for f in before if rows_of([f]) & set(gone))
    return facts(previous=train.previous, vanished=gone, files=files, built=now)


def _bring_back(train: Train) -> Text:
    return say(
        "name it in build.expect and build it, or a person lets it go: "
        "`headway waive {version} check:previous --reason … --until DATE`",
        version=train.name,
    )
