"""What the demo leaves behind, as the command contract's document: read from git, index and ledger, not remembered."""

from __future__ import annotations

from typing import Any

from headway.app import Headway
from headway.decide import record
from headway.decide.performance import comparison_of, design_of
from headway.model.entry import Kind
from headway.model.pick import ChangeKind
from headway.model.snapshot import Snapshot
from headway.policy.schema import Policy
from headway.policy.scheme import branch_of, parse_version
from headway.stats.gate import judge


def document(app: Headway, version: str, post: str) -> dict[str, Any]:
    """``{release, candidates, final, refused, reverts, culprit, post, repo, index, ledger}``."""
    snapshot = app.observe()
    entries = snapshot.entries
    named = parse_version(version)
    branch = branch_of(named, app.policy.versions) if named else ""
    culprit = record.last(entries, Kind.CULPRIT, version)
    return {
        "release": version,
        "candidates": [
            {
                "tag": e.payload["tag"],
                "commit": e.payload["commit"],
                "artifacts": e.payload["artifacts"],
                "perf": _performance(snapshot, app.policy, e.payload["commit"]),
            }
            for e in record.of(entries, Kind.BUILT)
        ],
        "final": _released(entries, version),
        "refused": [
            {"ref": e.payload["ref"], **violation}
            for e in record.of(entries, Kind.REQUESTED)
            if e.payload["verdict"] == "refused"
            for violation in e.payload["violations"]
        ],
        "reverts": [
            {"revert": a.origin, "undoes": a.undoes, "commit": a.commit, "subject": a.subject}
            for a in record.applied(entries, branch)
            if a.kind == ChangeKind.REVERT
        ],
        "waivers": [
            {"version": e.train, "what": e.payload["what"], "by": e.actor} for e in record.of(entries, Kind.WAIVED)
        ],
        "culprit": dict(culprit.payload) if culprit else None,
        "post": _released(entries, post),
        "repo": str(app.repo.path),
        "index": str(app.index_folder),
        "ledger": str(app.ledger_place),
    }


def _released(entries: record.Entries, version: str) -> dict[str, Any] | None:
    published = record.last(entries, Kind.PUBLISHED, version)
    released = record.last(entries, Kind.RELEASED, version)
    if published is None or released is None:
        return None
    return {
        "tag": released.payload["tag"],
        "commit": released.payload["commit"],
        "artifacts": published.payload["files"],
    }


def _performance(snapshot: Snapshot, policy: Policy, commit: str) -> dict[str, Any] | None:
    measured = record.last(snapshot.entries, Kind.MEASURED, commit=commit)
    found = comparison_of(snapshot, commit, measured.payload["baseline"]) if measured else None
    return judge(found, design_of(policy.perf)).as_json() if found else None
