"""A release branch looked through (pure): every commit's origin and category, what breaks policy, what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from headway.decide import record
from headway.decide.featurework import feature_sign
from headway.decide.holding import Holdings
from headway.decide.reverts import RevertFinding, RevertVerdict, findings
from headway.decide.tags import Names, covers, read_release_tag
from headway.model.audited import BranchFacts, Fix
from headway.model.commit import Commit, Line, RevertKind, Sha, Tag, standing, undone_by
from headway.model.entry import Entry, Kind
from headway.model.identity import NOBODY, Identity
from headway.model.pick import Category
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.policy.paths import matches
from headway.policy.schema import Policy

# Words of a title; hints, not proof.
_CRITICAL = re.compile(
    r"\b(?:crash\w*|seg ?fault\w*|dead ?lock\w*|hangs?|hung|leak\w*|oom|out of memory|data loss|corrupt\w*"
    r"|(?:wrong|incorrect) (?:results?|outputs?|answers?)|cve-\d+|security|vulnerab\w*)\b",
    re.IGNORECASE,
)
_REGRESSION = re.compile(r"\bregress\w*\b", re.IGNORECASE)
_FIX = re.compile(r"\b(?:bug|hot)?[ _-]?fix(?:e[sd])?\b|\bbugs?\b|\bunbreak\b", re.IGNORECASE)


class AuditKind(StrEnum):
    """What a commit can be besides one of the categories that are let in (P2–P6)."""

    FEATURE = "feature"
    FIX = "fix"
    REVERT = "revert"
    RELAND = "reland"
    MERGE = "merge"
    CHANGE = "change"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AuditedCommit:
    """A commit of the branch. ``category`` is one of P2–P6 as far as text and files tell, else an ``AuditKind``;
    ``waivers`` are the ledger's entries of those that name this change, whether they are in force or not."""

    commit: Commit
    identity: Identity
    category: str
    violations: tuple[Reason, ...]
    waivers: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchOnly:
    """Something that only the branch did: ``kind`` ``revert`` undoes ``reverts`` (its own commits), which the trunk
    still has as ``origins``; ``kind`` ``change`` has no origin and is no release-branch work."""

    commit: Commit
    kind: str
    reverts: tuple[Sha, ...]
    origins: tuple[Sha, ...]


@dataclass(frozen=True, slots=True)
class Shipped:
    """A trunk revert of what ``tags`` of this line (oldest first) hold: a post release may take it out."""

    finding: RevertFinding
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A trunk fix of something that the branch holds, which it does not hold itself."""

    fix: Fix
    holders: tuple[Sha, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """All that there is to say of one branch; ``waivers`` are those of whole trains of it."""

    commits: tuple[AuditedCommit, ...]
    reverts: tuple[RevertFinding, ...]
    branch_only: tuple[BranchOnly, ...]
    shipped: tuple[Shipped, ...]
    missing: tuple[Missing, ...]
    waivers: tuple[Entry, ...] = ()

    @property
    def needed(self) -> tuple[RevertFinding, ...]:
        return tuple(f for f in self.reverts if f.verdict is RevertVerdict.NEEDED)

    @property
    def clean(self) -> bool:
        """Nothing breaks policy and no revert was missed."""
        return not self.needed and not any(c.violations for c in self.commits)


def audit(known: BranchFacts, policy: Policy, published: Sequence[tuple[str, Sha]]) -> Audit:
    """The audit of a branch; ``published`` are this line's tags that users have, with their commits."""
    auditor = _Auditor(known, policy)
    commits = tuple(auditor.audited(c) for c in known.line.commits)
    reverts = findings(known.line, known.snapshot)
    only = branch_only(known, commits)
    trains = record.trains_on(known.snapshot.entries, known.line.branch)
    given = record.of(known.snapshot.entries, Kind.WAIVED)
    of_trains = tuple(e for e in given if e.train in trains and not e.payload.get("commit"))
    return Audit(commits, reverts, only, shipped(known, reverts, published), missing(known), of_trains)


class _Auditor:
    """What the looks at all commits share."""

    def __init__(self, known: BranchFacts, policy: Policy) -> None:
        self._known = known
        self._policy = policy
        self._explained = record.explained(known.snapshot.entries, known.line.branch)
        self._stated = record.categories(known.snapshot.entries, known.line.branch)
        self._kept = record.last(known.snapshot.entries, Kind.CUT, branch=known.line.branch) is not None
        self._waived = [e for e in record.of(known.snapshot.entries, Kind.WAIVED) if e.payload.get("commit")]
        self._undoing = {r.commit.sha: r for r in known.line.reverts}
        gone = {t for r in standing(known.snapshot.reverts) for t in r.targets}
        self._takes_back = gone | {c.sha for c in known.line.commits}

    def audited(self, commit: Commit) -> AuditedCommit:
        identity = self._known.identities.get(commit.sha, NOBODY)
        strange = self._unexplained(commit)
        if len(commit.parents) > 1:
            return AuditedCommit(commit, identity, AuditKind.MERGE, strange, self._waivers(commit, identity))
        category = self._category(commit, identity)
        explained = commit.sha in self._explained
        found = () if explained else (*self._no_origin(commit, identity, category), *self._feature(commit, category))
        found = (*found, *strange)
        return AuditedCommit(commit, identity, category, found, self._waivers(commit, identity))

    def _unexplained(self, commit: Commit) -> tuple[Reason, ...]:
        """What the ledger of a branch that it keeps does not account for (G3): somebody pushed it by hand."""
        if not self._kept or commit.sha in self._explained:
            return ()
        return (
            Reason(
                "G3",
                "audit.unexplained",
                say("{sha} is unexplained: no entry of the ledger accounts for it", sha=commit.sha[:12]),
                facts(commit=commit.sha, branch=self._known.line.branch),
                say(
                    "`headway adopt {sha} --category …`, or have it reverted: `headway pick drop {sha} --reason …`",
                    sha=commit.sha[:12],
                ),
            ),
        )

    def _waivers(self, commit: Commit, identity: Identity) -> tuple[Entry, ...]:
        names = (commit.sha, *identity.origins, *commit.trailers)
        return tuple(e for e in self._waived if e.payload["commit"].startswith(names))

    def _paths(self, commit: Commit) -> tuple[str, ...]:
        return self._known.paths.get(commit.sha, ())

    def _category(self, commit: Commit, identity: Identity) -> str:
        if commit.sha in self._stated:
            return self._stated[commit.sha]
        undoing = self._undoing.get(commit.sha)
        if undoing is not None:
            return undoing.kind.value
        paths = self._paths(commit)
        if paths and all(matches(p, self._policy.picks.docs_paths) for p in paths):
            return Category.DOCS.value
        if paths and all(matches(p, self._policy.picks.branch_paths) for p in paths):
            return Category.RELEASE_BRANCH.value
        told = (commit, *(self._known.origins[o] for o in identity.origins if o in self._known.origins))
        if any(feature_sign(c, self._policy) for c in told):
            return AuditKind.FEATURE.value
        signs = (
            (_REGRESSION, Category.REGRESSION.value),
            (_CRITICAL, Category.CRITICAL.value),
            (_FIX, AuditKind.FIX.value),
        )
        found = (name for sign, name in signs if any(sign.search(c.title) for c in told))
        return next(found, AuditKind.UNKNOWN.value)

    def _no_origin(self, commit: Commit, identity: Identity, category: str) -> tuple[Reason, ...]:
        if identity.origins or category == Category.RELEASE_BRANCH.value or self._brings_nothing(commit):
            return ()
        paths = self._paths(commit)[:20]
        return (
            Reason(
                "P8",
                "audit.no-origin",
                say("no commit of the trunk is its origin"),
                facts(commit=commit.sha, subject=commit.title, paths=paths, pr=commit.pr),
                say("merge it on the trunk first; if it is release-branch work (P6), touch only files of that kind"),
            ),
        )

    def _brings_nothing(self, commit: Commit) -> bool:
        """Whether it undoes commits of the branch itself, or what the trunk undid too: nothing new comes in."""
        undoing = self._undoing.get(commit.sha)
        return undoing is not None and bool(undoing.targets) and self._takes_back.issuperset(undoing.targets)

    def _feature(self, commit: Commit, category: str) -> tuple[Reason, ...]:
        if category != AuditKind.FEATURE:
            return ()
        return (
            Reason(
                "P7",
                "audit.feature",
                say("it looks like feature work"),
                facts(commit=commit.sha, subject=commit.title, pattern=feature_sign(commit, self._policy)),
                say("take it out: `headway pick drop COMMIT --reason …`; or who lets it in waives P7 for it"),
            ),
        )


def published_tags(line: Line, tags: Sequence[Tag], names: Names) -> tuple[tuple[str, Sha], ...]:
    """The line's tags that users have, with their commits, oldest first: final and post releases, and pre-releases
    under their own version (``v0.21.0rc1``); a candidate as the policy names it (B4) is tested, not published."""
    at = {c.sha: i for i, c in enumerate(line.commits)}
    found = []
    for tag in tags:
        read = read_release_tag(tag.name, names)
        if read is None:
            continue
        own = read.candidate and fnmatchcase(tag.name, names.versions.candidate_tag.format(version="*", n="*"))
        on_cut = tag.commit == line.cut and not read.candidate and covers(line.branch, read.version, names)
        if not own and (tag.commit in at or on_cut):
            found.append((at.get(tag.commit, -1), tag.name, tag.commit))
    return tuple((name, commit) for _, name, commit in sorted(found))


def branch_only(known: BranchFacts, commits: Sequence[AuditedCommit]) -> tuple[BranchOnly, ...]:
    """What was reverted or changed on the branch only, never on the trunk."""
    origins = {c.commit.sha: c.identity.origins for c in commits}
    mine = {r.commit.sha: r for r in standing(known.line.reverts) if r.kind is RevertKind.REVERT}
    found = []
    for c in commits:
        revert = mine.get(c.commit.sha)
        if revert is not None and not c.identity.origins:
            first = tuple(dict.fromkeys(o for t in revert.targets for o in origins.get(t, ()) or (t,)))
            kept = tuple(o for o in first if undone_by(o, known.snapshot.reverts) is None)
            if kept:
                found.append(BranchOnly(c.commit, AuditKind.REVERT, revert.targets, kept))
        elif any(v.clause == "P8" for v in c.violations):
            found.append(BranchOnly(c.commit, AuditKind.CHANGE, (), ()))
    return tuple(found)


def shipped(
    known: BranchFacts, reverts: Sequence[RevertFinding], published: Sequence[tuple[str, Sha]]
) -> tuple[Shipped, ...]:
    """Trunk reverts, standing, of what a published tag of this line holds."""
    still = {r.commit.sha for r in standing(known.snapshot.reverts)}
    at = [(name, Holdings.of(known.line.upto(commit), known.snapshot)) for name, commit in published]
    found = []
    for f in reverts:
        if f.revert.kind is not RevertKind.REVERT or f.revert.commit.sha not in still or not f.on_branch:
            continue
        tags = tuple(name for name, held in at if any(held.holding(t).holder for t in f.revert.targets))
        if tags:
            found.append(Shipped(f, tags))
    return tuple(found)


def missing(known: BranchFacts) -> tuple[Missing, ...]:
    """Trunk fixes, standing, that name a commit which the branch holds, and were not picked."""
    holdings = Holdings.of(known.line, known.snapshot)
    holdings = replace(holdings, in_cut=holdings.in_cut | known.in_cut)
    found = []
    for fix in known.fixes:
        if holdings.holding(fix.commit.sha).holder or undone_by(fix.commit.sha, known.snapshot.reverts):
            continue
        held = (holdings.holding(t).holder for t in fix.named)
        holders = tuple(h for h in held if h)
        if holders:
            found.append(Missing(fix, holders))
    return tuple(found)
