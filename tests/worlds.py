"""Worlds as values: commits, branches, tags and ledger entries without git, looked at as a ``Snapshot``.

Decisions are pure, so a test may hand them any world. Reverts are linked by the reader's own pure part, entries chained
by the model's own functions; only how a change applies is the test's word (``conflicting``, ``empty``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from headway.decide import changes, debts, landing, queue
from headway.decide.cellwaivers import cell_key, seen
from headway.decide.embargo import private_branch
from headway.decide.performance import evidence_of_cell, standing
from headway.decide.trains import live_branches, live_trains
from headway.history.revertmessage import read_claim
from headway.history.reverts import link_reverts
from headway.model.build import CiChecks, PublishedFile
from headway.model.claimed import ClaimFacts, FeatureFacts
from headway.model.commit import Commit, Line, Revert, Tag
from headway.model.entry import GENESIS, Entry, Kind, digest_of, sealed_fields
from headway.model.hub import HubSeen
from headway.model.image import ImageRead
from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.model.pick import Category, ChangeFacts, ChangeKind, Claims, Copy, PendingChange, PickRequest, Trial
from headway.model.pulled import Pulled
from headway.model.reason import Reason
from headway.model.snapshot import PrivateBranch, Snapshot, Trunk
from headway.model.text import Facts
from headway.plan.planner import plan
from headway.plan.trainplan import TrainPlan
from headway.policy.clauses import CLAUSES
from headway.policy.loader import load_policy
from headway.policy.schema import Policy

START = datetime(2025, 1, 10, 9, tzinfo=UTC)
PRESET = load_policy(None, source="vllm-2025")
CELL = Cell("Llama3", "H100", "decode")
METRIC = "median_tpot_ms"
CELL_KEY = f"Llama3/H100/decode/{METRIC}"
MEASURED = {
    "models": ("Llama3",),
    "hardware": ("H100",),
    "serve": "serve {port}",
    "cells": [{"model": "Llama3", "hardware": "H100", "test": "decode", "metrics": (METRIC,)}],
}
RC1, BRANCH, VERSION = "v0.7.1-rc1", "releases/v0.7.1", "0.7.1"


def policy(**tables: Mapping[str, Any]) -> Policy:
    """The default preset with these keys of these tables; without performance evidence, documents, release objects."""
    plain = {"documents": {"sbom": False, "provenance": False}, "forge": {"path": ""}}
    asked = {"perf": {"required": False}, **plain, **tables}
    whole = PRESET.model_dump(by_alias=True)
    for name, values in asked.items():
        whole[name] = {**whole[name], **values} if isinstance(whole[name], dict) else values
    return Policy.model_validate(whole)


POLICY = policy()
MEASURING = policy(perf=MEASURED)


def sha(*parts: object) -> str:
    """A made-up object name."""
    return hashlib.sha1("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


@dataclass
class World:
    """A project that a test changes and looks at.

    ``slow`` maps trunk commits to the factor by which they slow down; ``built`` are the ends of the names of what is
    built; ``results`` a gate to its number, or to whether it passes (which it does); ``bad_files`` are checks of files
    that say no; ``needing`` are those that apply on a branch only after others.
    """

    policy: Policy = POLICY
    now: datetime = START
    trunk: list[Commit] = field(default_factory=list)
    cuts: dict[str, str] = field(default_factory=dict)
    branches: dict[str, list[Commit]] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    index: dict[str, PublishedFile] = field(default_factory=dict)
    checked_out: set[str] = field(default_factory=set)
    conflicting: set[str] = field(default_factory=set)
    paths: tuple[str, ...] = ("src/a.py",)
    empty: set[str] = field(default_factory=set)
    red: set[str] = field(default_factory=set)
    unbuildable: set[str] = field(default_factory=set)
    unrepackable: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    crashing: set[str] = field(default_factory=set)
    slow: dict[str, float] = field(default_factory=dict)
    built: tuple[str, ...] = ("-py3-none-any.whl", ".tar.gz")
    host: tuple[str, ...] = ("py3-none-any",)
    results: dict[str, float | bool] = field(default_factory=dict)
    bad_files: set[str] = field(default_factory=set)
    checks: dict[str, CiChecks] = field(default_factory=dict)
    private: dict[str, PrivateBranch] = field(default_factory=dict)
    ours: set[str] = field(default_factory=set)
    unfaithful: set[str] = field(default_factory=set)
    images: dict[tuple[str, str], ImageRead] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)
    hub: HubSeen | None = None
    pulled: dict[int, Pulled] = field(default_factory=dict)
    needing: set[str] = field(default_factory=set)
    made: int = 0

    # Time and commits ------------------------------------------------------------------------------------------

    def wait(self, days: float = 0, hours: float = 0) -> None:
        self.now += timedelta(days=days, hours=hours)

    def until(self, day: str) -> None:
        """Nine o'clock (UTC) of a day."""
        self.now = datetime.fromisoformat(day).replace(hour=9, tzinfo=UTC)

    def _made(self, parent: Commit | None, subject: str, body: str, author: str) -> Commit:
        self.made += 1
        self.wait(hours=0.01)
        name = sha(self.made, subject, body)
        parents = (parent.sha,) if parent else ()
        return Commit(name, parents, sha("tree", name), author, f"{author}@b.c", self.now, self.now, subject, body)

    def commit(self, subject: str, body: str = "", author: str = "Ann") -> Commit:
        """One squash merge on the trunk; it gets a pull request number when it has none."""
        if not subject.endswith(")"):
            subject = f"{subject} (#{self.made + 1})"
        self.trunk.append(self._made(self.trunk[-1] if self.trunk else None, subject, body, author))
        return self.trunk[-1]

    def revert(self, undone: Commit) -> Commit:
        """The trunk undoes a commit, as git says it."""
        return self.commit(f'Revert "{undone.subject}"', f"This reverts commit {undone.sha}.", "Bob")

    def on_branch(self, subject: str, body: str = "", branch: str = BRANCH, author: str = "Ann") -> Commit:
        """Somebody commits on a release branch by hand."""
        commits = self.branches[branch]
        parent = commits[-1] if commits else self.known(self.cuts[branch])
        commits.append(self._made(parent, subject, body, author))
        return commits[-1]

    def by_hand(self, origin: Commit, branch: str = BRANCH) -> Commit:
        """``git cherry-pick -x``."""
        body = f"{origin.body}\n\n(cherry picked from commit {origin.sha})".strip()
        return self.on_branch(origin.subject, body, branch, origin.author)

    def known(self, name: str) -> Commit:
        return next(c for c in self._all() if c.sha == name)

    def _all(self) -> list[Commit]:
        return [*self.trunk, *(c for commits in self.branches.values() for c in commits)]

    def branch(self, name: str, at: str) -> None:
        self.cuts[name], self.branches[name] = at, []

    def tip(self, branch: str = BRANCH) -> str:
        commits = self.branches[branch]
        return commits[-1].sha if commits else self.cuts[branch]

    def tag(self, name: str, commit: str, annotated: bool = True) -> Tag:
        self.tags[name] = Tag(name, commit, annotated, self.now)
        return self.tags[name]

    # The ledger ------------------------------------------------------------------------------------------------

    def note(self, kind: Kind, /, train: str = VERSION, actor: str = "headway", **payload: Any) -> Entry:
        """Append an entry to the chain."""
        prev = self.entries[-1].digest if self.entries else GENESIS
        seq = len(self.entries) + 1
        digest = digest_of(sealed_fields(seq, self.now, actor, kind, train, payload, prev))
        self.entries.append(Entry(seq, self.now, actor, kind, train, payload, prev, digest))
        return self.entries[-1]

    def reseal(self, entries: Iterable[Entry]) -> None:
        """Another history with a chain that holds."""
        now, self.entries = self.now, []
        for e in tuple(entries):
            self.now = e.at
            self.note(e.kind, e.train, e.actor, **e.payload)
        self.now = now

    def request(
        self,
        commit: Commit,
        category: Category = Category.REGRESSION,
        verdict: str = "accepted",
        train: str = VERSION,
        evidence: tuple[str, ...] = (),
    ) -> Entry:
        return self.note(
            Kind.REQUESTED,
            train,
            "ann",
            ref=commit.sha,
            commit=commit.sha,
            subject=commit.subject,
            category=category.value,
            reason="because",
            evidence=list(evidence),
            verdict=verdict,
            violations=[],
        )

    def waive(
        self,
        what: str,
        until: date | None = None,
        train: str = VERSION,
        commit: Commit | None = None,
        actor: str = "ann",
    ) -> Entry:
        day = until or self.now.date() + timedelta(days=30)
        known = {"commit": commit.sha} if commit else {}
        return self.note(Kind.WAIVED, train, actor, what=what, reason="known", until=day.isoformat(), **known)

    def waive_cell(self, key: str = CELL_KEY, until: date | None = None, actor: str = "ann") -> Entry:
        """As a person does who looks at the newest candidate's cell: bound to what is known of it now."""
        snapshot, planned = self.snapshot(), self.train()
        commit, baseline = planned.candidates[-1].facts.commit, planned.train.previous_commit
        assert baseline is not None
        perf = standing(planned.train, planned.candidates[-1], snapshot, self.policy)
        assert perf.verdict is not None
        c = next(c for c in perf.verdict.cells if cell_key(c.cell, c.metric) == key)
        bound = seen(c, evidence_of_cell(snapshot, commit, baseline, c.cell, c.metric))
        day = (until or self.now.date() + timedelta(days=30)).isoformat()
        return self.note(Kind.WAIVED, VERSION, actor, what=f"cell:{key}", reason="known", until=day, **bound)

    def approve(self, train: str = VERSION, actor: str = "ann", gate: str = "go") -> Entry:
        """For the newest candidate and the evidence as they are now; there must be some."""
        planned = self.train(train)
        assert planned.evidence is not None, [w.code for w in planned.waits]
        commit = planned.candidates[-1].facts.commit
        return self.note(Kind.APPROVED, train, actor, gate=gate, commit=commit, evidence=planned.evidence)

    # Looking ---------------------------------------------------------------------------------------------------

    def _linked(self, commits: Iterable[Commit], earlier: Iterable[Commit]) -> tuple[Revert, ...]:
        commits, earlier = list(commits), list(earlier)
        claims = {c.sha: claim for c in (*earlier, *commits) if (claim := read_claim(c))}
        names = {name for claim in claims.values() for name in claim.shas}
        full = {n: c.sha for n in names for c in self._all() if c.sha.startswith(n)}
        seen = frozenset(c.sha for c in (*earlier, *commits))
        return link_reverts(commits, earlier, claims, full, seen, {})

    def line(self, branch: str = BRANCH) -> Line:
        shas = [c.sha for c in self.trunk]
        in_cut = self.trunk[: shas.index(self.cuts[branch]) + 1]
        targets = {t for r in self._linked(self.trunk, ()) for t in r.targets}
        held = frozenset(c.sha for c in in_cut if c.sha in targets)
        commits = tuple(self.branches[branch])
        return Line(branch, self.tip(branch), self.cuts[branch], commits, held, self._linked(commits, in_cut))

    def snapshot(self) -> Snapshot:
        """The world as it is read, with the trials of what is pending."""
        tags, entries = tuple(self.tags[name] for name in sorted(self.tags)), tuple(self.entries)
        live = live_branches(sorted(self.branches), tags, self.policy, entries)
        bases = {t.commit: self._base(t.commit) for t in tags}
        seen = Snapshot(
            now=self.now,
            trunk=Trunk("main", self.trunk[-1].sha, tuple(self.trunk)),
            tags=tags,
            lines=tuple(self.line(b) for b in live),
            reverts=self._linked(self.trunk, ()),
            entries=entries,
            index=tuple(self.index.values()),
            comparisons=tuple(Comparison(s, b, tuple(x)) for (s, b), x in self.samples.items()),
            bases=bases,
            checked_out=frozenset(self.checked_out),
            images=dict(self.images),
            checks=dict(self.checks),
            host=self.host,
            hub=self.hub,
            pulled=dict(self.pulled),
        )
        trains = live_trains(seen, self.policy)
        owed = debts.owed(trains, seen.entries)
        seen = replace(
            seen, private=dict(self.private), repaid={o: self._on_trunk(o) for o in owed if self._on_trunk(o)}
        )
        trials, alone, copies = {}, {}, {}
        for train in trains:
            line = seen.line(train.branch)
            if line is not None:
                for _, c in landing.claimed(train, line, seen, self.policy):
                    copies[c.sha] = Copy(c.sha not in self.unfaithful, "" if c.sha in self.ours else "Ann")
                for m in landing.strange_merges(line, seen):
                    copies[m.sha] = Copy(m.sha not in self.unfaithful, "Ann")
                trials[line.branch] = self._trials(changes.pending(train, line, seen, self.policy))
                alone[line.branch] = tuple(
                    replace(t, tree=None, conflicts=self.paths) if t.change.origin in self.needing else t
                    for t in trials[line.branch]
                )
                hidden = queue.embargoed(train, seen, self.policy)
                trials[private_branch(line.branch, self.policy)] = self._trials(hidden)
        return replace(seen, trials=trials, alone=alone, copies=copies)

    def _on_trunk(self, origin: str) -> str:
        return next((c.sha for c in self.trunk if origin == c.sha or origin in c.trailers), "")

    def _base(self, commit: str) -> str:
        home = next((b for b, commits in self.branches.items() if any(c.sha == commit for c in commits)), None)
        return self.cuts[home] if home else commit

    def _trials(self, pending: Iterable[PendingChange]) -> tuple[Trial, ...]:
        """Those of one group all or none."""
        tried = [self._tried(c) for c in pending]
        stuck: dict[int | None, str] = {}
        for t in tried:
            if t.tree is None and t.change.group is not None:
                stuck.setdefault(t.change.group, t.change.origin)
        return tuple(
            Trial(t.change, None, (), False, held_by=stuck[t.change.group])
            if stuck.get(t.change.group, t.change.origin) != t.change.origin
            else t
            for t in tried
        )

    def _tried(self, change: PendingChange) -> Trial:
        subject = change.undoes if change.kind is ChangeKind.REVERT else change.origin
        clash = subject if change.resolution is None else change.resolution.commit
        if clash in self.conflicting:
            return Trial(change, None, self.paths, False)
        return Trial(change, sha("tree", change.kind, subject), (), subject in self.empty)

    def train(self, version: str = VERSION) -> TrainPlan:
        return next(t for t in plan(self.snapshot(), self.policy).trains if t.train.name == version)

    def waits(self, version: str = VERSION) -> dict[str, Reason]:
        """Waits by code; each is checked to be whole."""
        found = self.train(version).waits
        for w in found:
            whole(w)
        return {w.code: w for w in found}


def released(policy: Policy = POLICY) -> World:
    """0.7.0 went out by hand on 2025-01-15; four more changes are on the trunk. 0.7.1 is planned for 2025-02-05."""
    world = World(policy)
    for n in range(3):
        world.commit(f"[Core] Old {n}")
    world.until("2025-01-15")
    world.tag("v0.7.0", world.trunk[-1].sha)
    for n in range(4):
        world.commit(f"[Core] New {n}")
    world.until("2025-02-03")
    return world


def cut(policy: Policy = POLICY) -> World:
    """… and 0.7.1 was cut from the trunk's tip on 2025-02-03."""
    world = released(policy)
    world.branch(BRANCH, world.trunk[-1].sha)
    world.note(Kind.CUT, branch=BRANCH, commit=world.trunk[-1].sha)
    return world


def whole(reason: Reason) -> Reason:
    """A refusal or wait has a known clause, facts (but for what is missing altogether), words and a remedy."""
    assert reason.clause in CLAUSES
    assert str(reason.text)
    assert str(reason.remedy)
    assert reason.facts or reason.code == "picks.no-reason", reason.code
    assert reason.as_json()["clause"] == reason.clause
    return reason


def fact(reason: Reason, name: str) -> object:
    found: Facts = reason.facts
    return dict(found)[name]


def change_facts(commit: Commit, paths: tuple[str, ...] = ("src/a.py",), on_trunk: bool = True) -> ChangeFacts:
    return ChangeFacts(commit.sha, commit, on_trunk, None, None, paths)


def shown(world: World, category: str, reason: str = "why") -> PickRequest:
    """A request whose evidence is all that its category asks for."""
    claims = {
        "regression": Claims(good="0.7.0", bad="main"),
        "critical": Claims(symptom="crash"),
        "new-feature-fix": Claims(feature=world.trunk[0].sha),
    }.get(category, Claims())
    return PickRequest("#7", category, reason, ("https://example.org/1",), claims)


def known_claims(world: World) -> ClaimFacts:
    """What git knows of ``shown``: 0.7.0, the trunk's tip, and a feature that 0.7.0 was the first to have."""
    feature = FeatureFacts("#1", world.trunk[0], ("v0.7.0",), ())
    return ClaimFacts(world.tags["v0.7.0"].commit, world.trunk[-1].sha, feature=feature)


def pick_request(category: str = "regression", reason: str = "slower", *evidence: str) -> PickRequest:
    return PickRequest("#7", category, reason, evidence)


def blocks(
    subject: str, baseline: str, first: int, last: int, factor: float | None, metric: str = METRIC
) -> list[Sample]:
    """Blocks of a cell: the candidate takes ``factor`` times as long, with a little noise; ``None``: it never ran."""
    found = []
    for b in range(first, last):
        noise = 1 + ((b * 7919) % 11 - 5) / 5000
        found.append(Sample(b, Side.BASELINE, CELL, metric, 10.0))
        value = None if factor is None else 10.0 * factor * noise
        found.append(Sample(b, Side.CANDIDATE, CELL, metric, value, "" if value else "no answer"))
    assert subject != baseline
    return found
