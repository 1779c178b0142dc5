"""Release branches looked through: audit, reverts, back-test. Read-only."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from headway.app import Headway
from headway.decide.audit import Audit, audit, published_tags
from headway.decide.branchnames import release_branches
from headway.decide.reverts import RevertVerdict
from headway.decide.tags import Names
from headway.decide.trains import live_branches
from headway.errors import HeadwayError, UnusableInput, not_found
from headway.history.fixes import find_fixes
from headway.history.kept import Kept
from headway.history.log import contained, read_tags
from headway.history.repository import resolve_commit
from headway.history.sides import identify, origins_of, read_sides
from headway.model.audited import BranchFacts
from headway.model.commit import Line, Sha, Tag
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.policyfile import NO_POLICY
from headway.sources.repository import branch_names, branches_elsewhere, read_repository, with_origins


@dataclass(frozen=True, slots=True)
class Looked:
    """A branch as it was looked through."""

    line: Line
    trunk: str
    audit: Audit


@dataclass(frozen=True, slots=True)
class BacktestRow:
    """One past release branch: its commits, violations by clause, needed reverts that it never got. ``error`` says why
    it could not be looked through, then the rest is empty."""

    branch: str
    commits: int
    violations: dict[str, int]
    missed: tuple[Sha, ...]
    error: Text | None = None


def look(app: Headway, ref: str, *, ignore_trailers: bool = False, tags: tuple[Tag, ...] | None = None) -> Looked:
    """The audit of one branch (or tag, or commit). Raises ``UnusableInput``: ``branch.not-found``, ``repo.shallow``,
    ``repo.unrelated``."""
    name = app.branch_named(ref)
    if resolve_commit(app.repo, name) is None:
        raise _no_branch(app, ref)
    tags = read_tags(app.repo) if tags is None else tags
    with _no_garbage():
        facts = read_branch(app, name, tags, ignore_trailers=ignore_trailers)
    names = Names(app.policy.versions, app.policy_source == NO_POLICY)
    report = audit(facts, app.policy, published_tags(facts.line, tags, names))
    return Looked(facts.line, app.trunk, report)


def _no_branch(app: Headway, ref: str) -> UnusableInput:
    found = all_release_branches(app)[-12:]
    return not_found("branch", ref, say("the release branches here are {names}", names=list(found)))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Ten thousands of records are made and all are used: a search for garbage among them is a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def read_branch(app: Headway, name: str, tags: tuple[Tag, ...], *, ignore_trailers: bool) -> BranchFacts:
    """All facts of one branch."""
    repo = app.repo
    seen = read_repository(repo, app.trunk, [name], [], explained=True)
    if not seen.lines:  # somebody deleted it meanwhile
        raise _no_branch(app, name)
    line = seen.lines[0]
    sides = read_sides(repo, line, seen.trunk.tip)
    identities = identify(repo, sides, ignore_trailers=ignore_trailers, kept=Kept())
    line = with_origins(repo, line, seen.reverts, origins_of(identities, sides))
    fixes = find_fixes(repo, seen.trunk.commits, line.cut)
    wanted = {o for i in identities.values() for o in i.origins}
    return BranchFacts(
        line,
        Snapshot(app.clock.now(), seen.trunk, tags, (line,), seen.reverts, app.sound_entries()),
        identities,
        {r.sha: r.paths for r in sides.branch},
        {r.sha: r.commit for r in sides.trunk if r.sha in wanted},
        fixes,
        contained(repo, {t for f in fixes for t in f.named} - {c.sha for c in seen.trunk.commits}, line.cut),
    )


def all_release_branches(app: Headway) -> tuple[str, ...]:
    """Release branches of this repository, here or only on a remote, by version."""
    names = (*branch_names(app.repo), *branches_elsewhere(app.repo))
    return release_branches(names, app.policy.versions.branch, app.trunk)


def live_release_branches(app: Headway) -> tuple[str, ...]:
    """Branches whose release is not out yet. Raises ``UnusableInput`` (``branch.not-found``) when there is none."""
    live = live_branches(branch_names(app.repo), read_tags(app.repo), app.policy, app.entries())
    if not live:
        found = list(all_release_branches(app)[-12:])
        remedy = say("name it with --branch REF; the release branches here are {names}", names=found)
        raise not_found("branch", "release branch", remedy)
    return live


def backtest(app: Headway, releases: int | None = None) -> Iterator[BacktestRow]:
    """What the policy says of the newest ``releases`` release branches (by default all), oldest first."""
    branches = all_release_branches(app)
    tags = read_tags(app.repo)
    chosen = branches[-releases:] if releases else branches
    for i, branch in enumerate(chosen):
        app.progress.bar(say("looking through {branch}", branch=branch), i, len(chosen))
        yield _row(app, branch, tags)
    if chosen:
        app.progress.bar(say("looked through"), len(chosen), len(chosen))


def _row(app: Headway, branch: str, tags: tuple[Tag, ...]) -> BacktestRow:
    try:
        seen = look(app, branch, tags=tags).audit
    except HeadwayError as e:  # one branch without a common history says nothing of the others
        return BacktestRow(branch, 0, {}, (), e.message)
    counts = Counter(v.clause for c in seen.commits for v in c.violations)
    missed = tuple(f.revert.commit.sha for f in seen.reverts if f.verdict is RevertVerdict.NEEDED)
    return BacktestRow(branch, len(seen.commits), dict(sorted(counts.items())), missed)
