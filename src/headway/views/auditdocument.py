"""An audit as the JSON document of the command contract."""

from __future__ import annotations

from typing import Any

from headway.decide.audit import Audit, AuditedCommit, BranchOnly, Missing, Shipped
from headway.decide.reverts import RevertFinding
from headway.model.commit import Line
from headway.model.entry import Entry


def audit_document(line: Line, trunk: str, audit: Audit) -> dict[str, Any]:
    """``audit``: every commit of the branch, the trunk's reverts, and what is missing."""
    return {
        "branch": line.branch,
        "trunk": trunk,
        "cut": line.cut,
        "commits": [commit_row(c) for c in audit.commits],
        "reverts": [revert_row(f) for f in audit.reverts],
        "branch_only": [branch_only_row(b) for b in audit.branch_only],
        "shipped_then_reverted": [shipped_row(s) for s in audit.shipped],
        "missing": [missing_row(m) for m in audit.missing],
        "waivers": [waiver_row(e) for e in audit.waivers],
    }


def commit_row(c: AuditedCommit) -> dict[str, Any]:
    """``origin`` is the newest of ``origins``."""
    return {
        "commit": c.commit.sha,
        "subject": c.commit.title,
        "origin": c.identity.origins[-1] if c.identity.origins else None,
        "origins": list(c.identity.origins),
        "signals": [s.value for s in c.identity.signals],
        "confidence": round(c.identity.confidence, 3),
        "disputed": list(c.identity.disputed),
        "category": c.category,
        "violations": [v.as_json() for v in c.violations],
        "waivers": [waiver_row(e) for e in c.waivers],
    }


def waiver_row(e: Entry) -> dict[str, Any]:
    """What a person has set aside, for one change or, without ``commit``, for a whole train."""
    known = {k: e.payload.get(k) for k in ("reason", "until", "commit")}
    return {"clause": e.payload["what"], "by": e.actor, **known, "version": e.train}


def revert_row(f: RevertFinding) -> dict[str, Any]:
    """A trunk revert or reland, and whether the branch needs it."""
    return {
        "revert": f.revert.commit.sha,
        "subject": f.revert.commit.title,
        "reverts": list(f.revert.targets),
        "kind": f.revert.kind.value,
        "on_branch": list(f.on_branch),
        "verdict": f.verdict.value,
        "why": str(f.why),
    }


def branch_only_row(b: BranchOnly) -> dict[str, Any]:
    """What only the branch did."""
    return {
        "commit": b.commit.sha,
        "subject": b.commit.title,
        "kind": b.kind,
        "reverts": list(b.reverts),
        "origins": list(b.origins),
    }


def shipped_row(s: Shipped) -> dict[str, Any]:
    """A revert of what users have."""
    return {**revert_row(s.finding), "tags": list(s.tags)}


def missing_row(m: Missing) -> dict[str, Any]:
    """A trunk fix that was not picked."""
    return {
        "fix": m.fix.commit.sha,
        "subject": m.fix.commit.title,
        "fixes": list(m.fix.named),
        "on_branch": list(m.holders),
    }
