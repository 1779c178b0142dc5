"""Two releases side by side (E6, E7): the links that lead to their comparison, and the page behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from headway.app import Headway
from headway.decide.performance import as_candidate, comparison_of, design_of
from headway.errors import not_found
from headway.history.log import is_ancestor, read_commit, read_tags, trunk_tip
from headway.model.commit import Sha
from headway.model.snapshot import Snapshot
from headway.model.text import say
from headway.model.verdict import PerformanceVerdict
from headway.perf.links import PAGE, WINDOW, DashboardLink, Ref, address_of
from headway.policy.schema import Policy
from headway.policy.scheme import branch_of, read_candidate_tag, read_final_tag
from headway.sources.repository import branch_names, branches_elsewhere
from headway.stats.gate import judge

if TYPE_CHECKING:
    from headway.perf.reading import Revision
    from headway.perf.store import MeasurementStore
    from headway.views.comparison import Page

_MARGIN = timedelta(days=1)  # results carry the commit's own date, and must lie inside the window


@dataclass(frozen=True, slots=True)
class Links:
    """``dashboard`` is the policy's, ``""`` where it names none; ``path`` leads to the same on our own pages."""

    link: DashboardLink
    dashboard: str
    path: str

    def as_json(self) -> dict[str, str | None]:
        return {"dashboard": self.dashboard or None, "path": self.path}


def commit_named(app: Headway, rev: str) -> Sha:
    """Raises ``UnusableInput`` for what names no commit."""
    found = app.commit_of(rev)
    if found is None:
        raise not_found("commit", rev, say("name a commit, tag or branch"))
    return found


def ref_of(app: Headway, rev: str) -> Ref:
    """The branch and commit that a link names for a commit, tag or branch: a branch by its name, a release's or
    candidate's tag by its release branch (B1), else the trunk for what is on it, and ``""`` where none is known."""
    commit = commit_named(app, rev)
    if rev in branch_names(app.repo) or rev in branches_elsewhere(app.repo):
        return rev, commit
    names = app.policy.versions
    tags = [t.name for t in read_tags(app.repo) if t.commit == commit]
    for tag in sorted(tags, key=lambda name: name != rev):
        candidate = read_candidate_tag(tag, names)
        version = candidate.version if candidate else read_final_tag(tag, names)
        if version is not None:
            return branch_of(version, names), commit
    on_trunk = is_ancestor(app.repo, commit, trunk_tip(app.repo, app.trunk))
    return (app.trunk.rsplit("/", 1)[-1] if on_trunk else ""), commit


def links_between(app: Headway, base: str, candidate: str, granularity: str = "week") -> Links:
    """The links of a comparison of two commits, tags or branches. The window ends now and holds both commits."""
    left, right = ref_of(app, base), ref_of(app, candidate)
    dates = [read_commit(app.repo, sha).committed for _, sha in (left, right)]
    now = moment_of(app)
    stop = max([now, *(d + _MARGIN for d in dates if d >= now)])
    start = min([stop - WINDOW, *(d - _MARGIN for d in dates)])
    return links_of(app, DashboardLink(left, right, start, stop, app.policy.project.repository, granularity))


def links_of(app: Headway, link: DashboardLink) -> Links:
    dashboard = app.policy.perf.dashboard
    return Links(link, address_of(dashboard, link) if dashboard else "", address_of(PAGE, link))


@dataclass(frozen=True, slots=True)
class Judged:
    """The gate's verdict on two commits. ``counted``: by the ledger, so that a train stands on it; else by what the
    store holds of ``perf run``. ``blocks`` were begun; with none, ``unpaired`` tells whether both commits were at least
    measured separately."""

    verdict: PerformanceVerdict
    counted: bool
    blocks: int
    unpaired: bool = False


def page_of(app: Headway, link: DashboardLink) -> Page:
    """The page of a link, with the gate's verdicts on every cell that the policy names. Raises as ``observe`` does."""
    with app.measurements(write=False) as store:
        return compared(app, app.observe(), store, link)[0]


def compared(
    app: Headway,
    snapshot: Snapshot,
    store: MeasurementStore,
    link: DashboardLink,
    known: tuple[Revision, ...] | None = None,
) -> tuple[Page, Judged | None]:
    """The page of a link in a world that was observed, and the gate's verdict on its two commits, where it has two.
    ``known``: as ``ends`` takes it."""
    from headway.views.comparison import comparison_page, ends

    project, design = app.policy.project.repository, design_of(app.policy.perf)
    found = ends(store, link, project, known)
    left, right = (r.commit if r else ref[1] for r, ref in zip(found, (link.left, link.right), strict=True))
    judged = judged_in(snapshot, app.policy, left, right) if left and right else None
    verdicts = judged.verdict.cells if judged else ()
    return comparison_page(store, link, project, verdicts, design.margin_of, found), judged


def judged_between(app: Headway, base: Sha, candidate: Sha) -> Judged:
    """Raises as ``observe`` does."""
    judged = judged_in(app.observe(), app.policy, base, candidate)
    if judged.blocks:
        return judged
    from headway.perf.reading import revisions

    with app.measurements(write=False) as store:
        return replace(judged, unpaired={base, candidate} <= {r.commit for r in revisions(store)})


def judged_in(snapshot: Snapshot, policy: Policy, base: Sha, candidate: Sha) -> Judged:
    """The gate's verdict by what a snapshot holds; whether they were measured separately is not looked at."""
    counted = comparison_of(snapshot, candidate, base)
    found = counted or next((c for c in snapshot.comparisons if (c.subject, c.baseline) == (candidate, base)), None)
    verdict = judge(found, design_of(policy.perf), as_candidate(snapshot, base))
    return Judged(verdict, counted is not None, found.blocks if found else 0)


def moment_of(app: Headway) -> datetime:
    """Now, to the second: links have no more."""
    return app.clock.now().replace(microsecond=0)
