"""Taking a commit out of a release branch at a person's word: unexplained, or regretted (G3)."""

from __future__ import annotations

from headway.app import Headway
from headway.decide import dropping
from headway.decide.trains import live_trains
from headway.errors import not_found
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.model.text import say
from headway.refusal import Refused, no
from headway.reviewing import may_not_review


def drop(app: Headway, rev: str, reason: str) -> Entry | Refused:
    """Ask for the revert of a commit; the next tick applies it. What was requested is closed by it: it is not picked
    again but by another request."""
    sha = app.commit_of(rev)
    if sha is None:
        raise not_found("commit", rev, say("name a commit of a release branch"))
    if not reason.strip():
        return no("G3", "drop.no-reason", say("what is taken out has a reason"), say("add --reason"), commit=sha)
    snapshot = app.observe()
    trains = {t.branch: t for t in live_trains(snapshot, app.policy)}
    line = next((x for x in snapshot.lines if any(c.sha == sha for c in x.commits)), None)
    if line is None:
        return _not_on_branch(sha, snapshot)
    commit = next(c for c in line.commits if c.sha == sha)
    wrong = dropping.refused(commit, line, snapshot, app.policy)
    if wrong is not None:
        return Refused((wrong,))
    if line.branch not in trains:
        return _not_on_branch(sha, snapshot)
    train = trains[line.branch]
    closed = dropping.closes(commit, line, train, snapshot.entries)
    refused = may_not_review(app) if closed else None
    if refused is not None:
        return refused
    return app.record(
        Kind.REVERT_ASKED,
        train.name,
        {"branch": line.branch, "commit": sha, "subject": commit.title, "reason": reason, "requests": list(closed)},
    )


def _not_on_branch(sha: str, snapshot: Snapshot) -> Refused:
    cut = next((x.branch for x in snapshot.lines if x.cut == sha), None)
    if cut is not None:
        return no(
            "B1",
            "drop.cut",
            say("{branch} was cut at {commit}", branch=cut, commit=sha[:12]),
            say("undo it on the trunk: such reverts are carried over"),
            commit=sha,
            branch=cut,
        )
    return no(
        "G3",
        "drop.not-on-branch",
        say("{commit} is on no live release branch", commit=sha[:12]),
        say("name a commit of {names}", names=[x.branch for x in snapshot.lines]),
        commit=sha,
    )
