"""The release branch against the ledger: cut where it says, every commit explained, nothing lost (B1, P1, G3)."""

from __future__ import annotations

from headway.decide import record
from headway.model.commit import Commit, Line
from headway.model.entry import Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train

UNEXPLAINED = "branch.unexplained"


def gone(train: Train, snapshot: Snapshot) -> Reason | None:
    """The branch was cut and is not there any more, and nobody chose to cut it again (B1). A post release never cuts
    one (B3)."""
    cut = record.last(snapshot.entries, Kind.CUT, branch=train.branch)
    again = record.last(snapshot.entries, Kind.CUT_CHOSEN, train.name)
    if (not train.post or train.cut_from) and (cut is None or (again is not None and again.seq > cut.seq)):
        return None
    moved = [
        e.payload["after"] for e in record.of(snapshot.entries, Kind.APPLIED) if e.payload["branch"] == train.branch
    ]
    tip = [train.previous_commit, *([cut.payload["commit"]] if cut else []), *moved][-1]
    back = say("put it back: `git branch {branch} {tip}`", branch=train.branch, tip=tip)
    anew = say(
        "put it back: `git branch {branch} {tip}`; or cut it anew: `headway cut {version} --at COMMIT`",
        branch=train.branch,
        tip=tip,
        version=train.name,
    )
    return Reason(
        "B3" if train.post and not train.cut_from else "B1",
        "branch.gone",
        say("{branch} was cut and is gone", branch=train.branch),
        facts(branch=train.branch, tip=tip),
        back if train.post and not train.cut_from else anew,
    )


def elsewhere(train: Train, snapshot: Snapshot) -> Reason | None:
    """Somebody cut the branch in another repository: it is used, not cut again (B1)."""
    ref = snapshot.elsewhere.get(train.branch)
    if ref is None:
        return None
    return Reason(
        "B1",
        "branch.elsewhere",
        say("{branch} is not here, but its remote has it: {ref}", branch=train.branch, ref=ref),
        facts(branch=train.branch, ref=ref),
        say("take it over: `git branch --no-track {branch} {ref}`", branch=train.branch, ref=ref),
    )


def altered(line: Line, snapshot: Snapshot) -> tuple[Reason, ...]:
    """The branch does not stand on its cut, or lost what was applied: nothing is done on it until it is put back."""
    return tuple(r for r in (_other_cut(line, snapshot), _lost(line, snapshot)) if r is not None)


def unexplained(train: Train, line: Line, snapshot: Snapshot) -> Reason | None:
    """Commits of the branch that nothing accounts for (G3). For a post release those since the one before it, which
    answers for the others and may be older than the ledger."""
    known = record.explained(snapshot.entries, line.branch)
    out = line.upto(train.previous_commit).commits if train.post and train.previous_commit else ()
    strange = tuple(c for c in line.commits[len(out) :] if c.sha not in known)
    if not strange:
        return None
    return Reason(
        "G3",
        UNEXPLAINED,
        say("unexplained commits on {branch}: {commits}", branch=line.branch, commits=_named(strange)),
        facts(branch=line.branch, commits=[f"{c.sha} {c.subject}" for c in strange]),
        say(
            "for each: `headway adopt {sha} --category …`, or have it reverted: `headway pick drop {sha} --reason …`",
            sha=strange[0].sha[:12],
        ),
    )


def _named(commits: tuple[Commit, ...]) -> list[str]:
    most = 10
    more = [f"… ({len(commits)})"] if len(commits) > most else []
    return [*(c.sha[:12] for c in commits[:most]), *more]


def _other_cut(line: Line, snapshot: Snapshot) -> Reason | None:
    """The trunk was merged in, or the branch moved along it: changes came in that no request named (P1)."""
    cut = record.last(snapshot.entries, Kind.CUT, branch=line.branch)
    if cut is None or cut.payload["commit"] in {line.cut, *(c.sha for c in line.commits)}:
        return None
    return Reason(
        "P1",
        "branch.other-cut",
        say("{branch} holds trunk commits that are not its cut", branch=line.branch),
        facts(branch=line.branch, cut=cut.payload["commit"], now=line.cut),
        say(
            "put {branch} back on what was cut at {cut}, and request what it needs",
            branch=line.branch,
            cut=cut.payload["commit"][:12],
        ),
    )


def _lost(line: Line, snapshot: Snapshot) -> Reason | None:
    """Changes that were applied and are not on the branch any more: somebody rewrote it (B1)."""
    there = {c.sha for c in line.commits}
    lost = tuple(a for a in record.applied(snapshot.entries, line.branch) if a.commit not in there)
    if not lost:
        return None
    return Reason(
        "B1",
        "branch.rewritten",
        say("{count} applied changes are gone from {branch}", count=len(lost), branch=line.branch),
        facts(
            branch=line.branch, commits=[f"{a.commit} {a.subject}" for a in lost], tip=lost[-1].entry.payload["after"]
        ),
        say(
            "put the branch back: `git branch -f {branch} {tip}`",
            branch=line.branch,
            tip=lost[-1].entry.payload["after"],
        ),
    )


def checked_out(line: Line, train: Train, snapshot: Snapshot) -> Reason | None:
    """Why the branch is not moved: somebody works on it."""
    if line.branch not in snapshot.checked_out:
        return None
    return Reason(
        "B1",
        "branch.checked-out",
        say("{branch} is checked out in a work tree, which would be left behind", branch=line.branch),
        facts(branch=line.branch, train=train.name),
        say("switch that work tree to another branch: `git switch -`"),
    )
