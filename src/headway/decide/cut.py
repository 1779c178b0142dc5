"""The cut: when, and which trunk commit (B1, B2)."""

from __future__ import annotations

from headway.decide import record
from headway.decide.trains import today
from headway.decide.waivers import waived
from headway.model.commit import Sha
from headway.model.entry import Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


def window_wait(train: Train, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """Why the branch may not be cut today, or ``None`` (B2)."""
    day = today(policy, snapshot.now)
    first, last = train.window
    again = record.last(snapshot.entries, Kind.RECUT, train.name)  # its window was that of the first cut
    if again is not None or first <= day <= last or waived(snapshot, train.name, "B2", policy):
        return None
    known = facts(today=day, cut_from=first, cut_to=last, release=train.date, tentative=True)
    if day < first:
        return Reason(
            "B2",
            "cut.too-early",
            say("{version} is cut from {first} on", version=train.name, first=first),
            known,
            say("wait; or `headway slip {version} --to DATE --reason …`, or waive B2", version=train.name),
        )
    return Reason(
        "B2",
        "cut.too-late",
        say("the window to cut {version} closed on {last}", version=train.name, last=last),
        known,
        say("give a new date: `headway slip {version} --to DATE --reason …`; or waive B2", version=train.name),
    )


def checked(snapshot: Snapshot) -> dict[Sha, bool]:
    """Trunk commits that the policy's check was run on, and whether it was green."""
    return {e.payload["commit"]: bool(e.payload["ok"]) for e in record.of(snapshot.entries, Kind.CHECKED)}


def choose_commit(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[Sha | None, Sha | None, Reason | None]:
    """The commit to cut, or the commit to check first, or why there is none (exactly one is given).

    A commit that a person chose is taken as it is; else the newest one that the check calls green (B2).
    """
    words = {Kind.CUT_CHOSEN, Kind.RECUT}
    chosen = next((e for e in reversed(snapshot.entries) if e.kind in words and e.train == train.name), None)
    if chosen is not None and chosen.payload["commit"]:
        return chosen.payload["commit"], None, None
    if not policy.cut.check:
        return snapshot.trunk.tip, None, None
    known = checked(snapshot)
    newest_first = [c.sha for c in reversed(snapshot.trunk.commits)][: policy.cut.check_depth] or [snapshot.trunk.tip]
    for sha in newest_first:
        if known.get(sha):
            return sha, None, None
        if sha not in known:
            return None, sha, None
    return (
        None,
        None,
        Reason(
            "B2",
            "cut.nothing-green",
            say("none of the newest {count} trunk commits passed the check", count=len(newest_first)),
            facts(check=policy.cut.check, tried=newest_first),
            say("mend the trunk, or choose: `headway cut {version} --at COMMIT`", version=train.name),
        ),
    )
