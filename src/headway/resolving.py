"""A person's resolution of a conflict, and what reviewers see of it (P8).

A refused resolution writes nothing. An accepted one is kept under a ref of its own: the workspace branch may go then.
"""

from __future__ import annotations

from dataclasses import dataclass

from headway.app import Headway
from headway.decide import record, resolutions, revertreview
from headway.decide.requests import Lacking, lacking, requests
from headway.effects.refs import keep
from headway.errors import not_found
from headway.history.interdiff import interdiff
from headway.history.merge import merge_resolved
from headway.history.repository import resolve_commit
from headway.history.resolution import read_resolution
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.model.text import say
from headway.plan.planner import plan
from headway.refusal import Refused
from headway.reviewing import asked_for, is_over
from headway.views.pickpage import PickPage
from headway.views.picks import past_picks, picks
from headway.views.revertpage import RevertPage

KEPT = "refs/headway/resolutions"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A resolution as it was recorded: what its request lacks now, and where it conflicts on the branch as that is
    now (it was made on an earlier tip)."""

    entry: Entry
    needs: Lacking
    conflicts: tuple[str, ...]


def resolve(app: Headway, request: int, rev: str | None) -> Resolved | Refused:
    """Record the tip of a request's workspace (or ``rev``) as the person's resolution of its conflict."""
    asked = asked_for(app, request)
    over = is_over(asked)
    if over is not None:
        return over
    snapshot, branch = app.observe(), asked.payload["branch"]
    conflict = resolutions.conflict_entry(asked, branch, snapshot.entries)
    if conflict is None:
        return Refused((resolutions.no_conflict(asked, branch),))
    entry = _recorded(app, conflict, asked.resolution(conflict.payload["origin"]), asked.id, rev)
    return entry if isinstance(entry, Refused) else _as_it_stands(app, entry, snapshot)


def resolve_revert(app: Headway, commit: str, rev: str | None) -> Resolved | Refused:
    """The same of the revert that takes ``commit`` (the beginning of its name) out of its release branch."""
    snapshot = app.observe()
    conflict = _revert_conflict(commit, snapshot)
    entry = _recorded(app, conflict, revertreview.resolved_on(conflict, snapshot.entries), None, rev)
    if isinstance(entry, Refused):
        return entry
    line = snapshot.line(entry.payload["branch"])
    merged = merge_resolved(app.repo.git, line.tip, record.resolution(entry)) if line else None
    needs = revertreview.lacking(entry, (*snapshot.entries, entry), app.policy)
    return Resolved(entry, needs, merged.conflicts if merged else ())


def _revert_conflict(commit: str, snapshot: Snapshot) -> Entry:
    found = resolutions.revert_conflict(commit, snapshot.entries)
    if found is None:
        raise not_found("conflict", commit, say("a request's number, or the commit that a revert takes out"))
    return found


def _recorded(
    app: Headway, conflict: Entry, last: Entry | None, request: int | None, rev: str | None
) -> Entry | Refused:
    """``last`` is how this conflict was resolved before."""
    p = conflict.payload
    commit = resolve_commit(app.repo, rev or f"refs/heads/{p['workspace']}")
    if commit is None and rev is not None:
        raise not_found("commit", rev, say("name a commit that was made on {workspace}", workspace=p["workspace"]))
    if commit is None:
        return Refused((resolutions.gone(p),))
    source = p["undoes"] or p["origin"]
    known = read_resolution(app.repo, commit, p["base"], p["commit"], source, p["paths"])
    base = app.repo.git.run("rev-parse", f"{p['base']}^{{tree}}").strip()
    offered = resolutions.Offered(commit, known.tree, base, known.descended, known.marked, known.strange)
    refused = resolutions.refusals(offered, p, last, app.person)
    if refused:
        return Refused(refused)
    keep(app.repo.git, f"{KEPT}/{p['branch']}/{source[:12]}/{commit[:12]}", commit)
    same = {k: p[k] for k in ("branch", "kind", "origin", "undoes", "subject", "workspace")}
    return app.record(
        Kind.RESOLVED,
        conflict.train,
        {
            **same,
            "request": request,
            "tip": p["base"],
            "commit": commit,
            "tree": known.tree,
            "paths": list(known.paths),
        },
    )


def _as_it_stands(app: Headway, entry: Entry, snapshot: Snapshot) -> Resolved:
    p = entry.payload
    asked = next(a for a in requests((*snapshot.entries, entry), entry.train) if a.id == p["request"])
    line = snapshot.line(p["branch"])
    alone = len(asked.commits) == 1  # else it goes onto what the request brings before it
    merged = merge_resolved(app.repo.git, line.tip, record.resolution(entry)) if line and alone else None
    return Resolved(entry, lacking(asked, snapshot, app.policy), merged.conflicts if merged else ())


def shown(app: Headway, request: int) -> PickPage:
    """A request as a reviewer looks at it."""
    asked = asked_for(app, request)
    snapshot, name = app.observe(), asked.entry.train
    planned = next((t for t in plan(snapshot, app.policy).trains if t.train.name == name), None)
    rows = picks(planned.train, snapshot, app.policy) if planned else past_picks(name, snapshot)
    waits = planned.waits if planned else ()
    return PickPage(
        next(r for r in rows if r.id == request),
        asked,
        tuple(w for w in waits if dict(w.facts).get("request") == request),
        lacking(asked, snapshot, app.policy),
        tuple((e, _difference(app, e)) for e in asked.resolved),
    )


def _difference(app: Headway, entry: Entry) -> str | None:
    """Of a revert, against a plain one of the same commit."""
    p = entry.payload
    source = p["undoes"] or p["origin"]
    here = all(resolve_commit(app.repo, sha) for sha in (source, p["tip"], p["commit"]))
    return interdiff(app.repo.git, source, p["tip"], p["tree"], revert=bool(p["undoes"])) if here else None


def shown_revert(app: Headway, commit: str) -> RevertPage:
    """A revert that conflicts, as a reviewer looks at it; ``commit`` is the beginning of the name of what it takes
    out."""
    snapshot = app.observe()
    conflict = _revert_conflict(commit, snapshot)
    p, made = conflict.payload, revertreview.resolved_on(conflict, snapshot.entries)
    planned = next((t for t in plan(snapshot, app.policy).trains if t.train.branch == p["branch"]), None)
    waits = (w for w in (planned.waits if planned else ()) if p["undoes"] in dict(w.facts).values())
    needs = revertreview.lacking(made, snapshot.entries, app.policy) if made else Lacking(0, 0)
    done = (a for a in record.applied(snapshot.entries, p["branch"]) if a.undoes == p["undoes"])
    applied = next((a.commit for a in done if a.entry.seq > conflict.seq), None)
    return RevertPage(conflict, made, tuple(waits), needs, _difference(app, made) if made else None, applied)
