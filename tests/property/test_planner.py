"""A model test of the planner: random worlds, random people, a model of the effects; what must hold in every one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from packaging.version import Version
from worldeffects import effect, perform, release, settle
from worlds import MEASURED, World, change_facts, known_claims, policy, released, shown, whole

from headway.decide import record
from headway.decide.branch import unexplained
from headway.decide.holding import Holdings
from headway.decide.picks import gate
from headway.decide.reverts import needed
from headway.decide.trains import live_trains, released_train, today
from headway.decide.waivers import waived
from headway.model.claimed import ClaimFacts
from headway.model.commit import Commit, undone_by
from headway.model.entry import Kind, broken_links
from headway.model.pick import Category, ChangeFacts, ChangeKind, PickRequest
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.plan.actions import (
    Action,
    ApplyChanges,
    BuildCandidate,
    CheckCommit,
    CutBranch,
    MeasureCandidate,
    NameCulprit,
    ProbeCommit,
    Publish,
    RecordApplied,
    RecordIncident,
    TagCandidate,
    TagFinal,
    action_json,
)
from headway.plan.planner import plan
from headway.plan.trainplan import TrainPlan
from headway.plan.trust_actions import DraftRelease

POLICY = policy(
    perf={**MEASURED, "looks": (2, 3), "probe_blocks": 1},
    cut={"check": "make check", "check_depth": 2},
    reverts={"soak_hours": 2},
    candidate={"quiet_hours": 1},
    documents={"sbom": True, "provenance": True},
    forge={"path": "releases"},
    gates=({"name": "suite", "command": "run"}, {"name": "told", "command": "run", "required": False}),
    waivers={"clauses": ("B2", "B4", "B6", "C1", "C2", "E1", "E2", "E7", "gate", "cell")},
)
PATHS = {"docs": ("docs/a.md",), "release-branch": (".ci/run",)}
CATEGORIES = ("regression", "critical", "new-feature-fix", "docs", "release-branch", "", "cleanup")
SUBJECTS = ("[Bugfix] Mend", "[Feature] Shiny", "[Doc] Say", "[Core] Move", 'Revert "Nobody knows"', "[Perf] Slow")
MARKS = ("conflicting", "empty", "red", "unbuildable", "failing", "crashing")
index = st.integers(0, 60)


def picked(items: list[Any] | tuple[Any, ...], i: int) -> Any:
    """The i-th from the end, round and round: recent things matter most."""
    return items[-1 - i % len(items)]


class Planner(RuleBasedStateMachine):
    """One project; each rule is something that people, the trunk, time or a tick do."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(POLICY)
        self.done: set[tuple[object, ...]] = set()

    @initialize(where=st.sampled_from(["new", "released", "cut", "hand-made", "post", "decided"]))
    def begin(self, where: str) -> None:
        self.world = released(POLICY)
        if where == "new":
            self.world.tags.clear()
            self.world.until("2025-01-13")
        if where == "hand-made":
            self.world.branch("releases/v0.7.1", self.world.trunk[4].sha)
            self.world.on_branch("[CI] By hand")
        if where == "cut":
            settle(self.world)
        if where in {"post", "decided"}:
            fix = self.world.commit("[Bugfix] A")
            settle(self.world)
            self.world.wait(hours=2)
            self.world.request(fix)
            release(self.world)
        if where == "post":
            self.world.request(self.world.commit("[Bugfix] B"), train="0.7.1.post1")
        if where == "decided":
            self.world.until("2025-02-18")
            settle(self.world)

    # The trunk and time ----------------------------------------------------------------------------------------

    @rule(subject=st.sampled_from(SUBJECTS), slow=st.sampled_from([1.0, 1.0, 1.0, 1.5]))
    def merge(self, subject: str, slow: float) -> None:
        made = self.world.commit(subject)
        if slow != 1.0:
            self.world.slow[made.sha] = slow

    @rule(i=index)
    def revert(self, i: int) -> None:
        self.world.revert(picked(self.world.trunk, i))

    @rule(hours=st.sampled_from([1, 3, 20, 48]))
    def time_passes(self, hours: int) -> None:
        self.world.wait(hours=hours)

    @rule()
    def time_passes_to_the_next_date(self) -> None:
        train = live_trains(self.world.snapshot(), POLICY)[-1]
        day = train.date if train.branch in self.world.branches else train.window[0]
        if day > self.world.now.date():
            self.world.until(day.isoformat())

    @rule(mark=st.sampled_from(MARKS), i=index, where=st.sampled_from(["trunk", "branch"]))
    def something_is_wrong_with_a_commit(self, mark: str, i: int, where: str) -> None:
        branches = [c for commits in self.world.branches.values() for c in commits]
        commits = branches if where == "branch" and branches else self.world.trunk
        getattr(self.world, mark).add(picked(commits, i).sha)

    @rule()
    def all_is_mended(self) -> None:
        for mark in MARKS:
            getattr(self.world, mark).clear()

    # People ----------------------------------------------------------------------------------------------------

    def _train(self, i: int) -> TrainPlan:
        trains: TrainPlan = picked(plan(self.world.snapshot(), POLICY).trains, i)
        return trains

    @rule(i=index, t=index, category=st.sampled_from(CATEGORIES), proof=st.booleans(), post=st.booleans())
    def request(self, i: int, t: int, category: str, proof: bool, post: bool) -> None:
        """Through the real gate, for a live train, or for the post release that it would open."""
        world, snapshot = self.world, self.world.snapshot()
        train = self._train(t).train
        done = [v for v in world.tags if v.startswith("v") and "rc" not in v]
        line = snapshot.line(train.branch)
        if post and done and not train.post:
            return self._request_post(picked(world.trunk, i), snapshot)
        commit: Commit = picked(world.trunk, i)
        holder = Holdings.of(line, snapshot).holding(commit.sha).holder if line else None
        by = undone_by(commit.sha, snapshot.reverts)
        known = ChangeFacts(commit.sha, commit, True, by, holder, PATHS.get(category, ("src/a.py",)))
        proven = category in set(Category) and proof and "v0.7.0" in world.tags
        asked = shown(world, category, "because") if proven else PickRequest(commit.sha, category, "because", ())
        claims = known_claims(world) if proven else ClaimFacts()
        answer = gate(asked, (known,), train, line, snapshot, POLICY, claims)
        for reason in (*answer.violations, *answer.reviews):
            whole(reason)
        world.note(
            Kind.REQUESTED,
            train.name,
            "ann",
            **{"ref": commit.sha, "commit": commit.sha, "subject": commit.subject, "category": category},
            **{"reason": "because", "evidence": list(asked.evidence), "verdict": str(answer.verdict)},
            violations=[],
        )
        return None

    def _request_post(self, commit: Commit, snapshot: Snapshot) -> None:
        newest = max((t for t in snapshot.tags if "rc" not in t.name), key=lambda t: t.when)
        base = newest.name.removeprefix("v").partition(".post")
        number = int(base[2] or 0) + 1
        if f"releases/v{base[0]}" in self.world.branches and change_facts(commit).on_trunk:
            self.world.request(commit, train=f"{base[0]}.post{number}")

    @rule(i=index)
    def review(self, i: int) -> None:
        asked = record.of(tuple(self.world.entries), Kind.REQUESTED)
        waiting = [e for e in asked if e.payload["verdict"] == "needs-review"]
        if waiting:
            e = picked(waiting, i)
            known = {"commit": e.payload["commit"], "evidence": e.digest}
            self.world.note(Kind.APPROVED, e.train, "ann", gate=f"pick:{e.seq}", **known)

    @rule(t=index)
    def approve(self, t: int) -> None:
        planned = self._train(t)
        if planned.evidence is not None:
            self.world.approve(planned.train.name)

    @rule(t=index, what=st.sampled_from(["hold", "release", "slip", "abandon"]), days=st.integers(-2, 9))
    def control(self, t: int, what: str, days: int) -> None:
        planned, world = self._train(t), self.world
        train, entries = planned.train, tuple(world.entries)
        held = record.open_hold(entries, train.name)
        if what == "hold" and held is None:
            world.note(Kind.HELD, train.name if days else "", "ann", reason="wait")
        elif what == "release" and held is not None:
            world.note(Kind.HOLD_RELEASED, held.train, "ann", held=held.seq)
        elif what == "slip" and f"v{train.name}" not in world.tags:
            day = train.date.fromordinal(today(POLICY, world.now).toordinal() + days)
            known = {"before": train.date.isoformat(), "after": day.isoformat()}
            world.note(Kind.SLIPPED, train.name, "ann", reason="snow", **known)
        elif what == "abandon" and days == 9 and record.last(entries, Kind.PUBLISHED, train.name) is None:
            world.note(Kind.ABANDONED, train.name, "ann", reason="broken")

    @rule(name=st.sampled_from(["suite", "told"]), passes=st.booleans())
    def a_gate_will_pass_or_fail(self, name: str, passes: bool) -> None:
        self.world.results[name] = passes

    @rule(t=index, what=st.sampled_from([*POLICY.waivers.clauses[:-2], "gate:suite", "G3", "P7"]))
    def waive(self, t: int, what: str) -> None:
        self.world.waive(what, train=self._train(t).train.name)

    @rule(t=index, step=st.sampled_from(["build", "test", "measure", "gate:suite"]))
    def retry(self, t: int, step: str) -> None:
        planned = self._train(t)
        if step == "gate:suite":
            if any(w.code == "gate.failed" for w in planned.waits):
                tag = planned.candidates[-1].facts.tag
                self.world.note(Kind.RETRIED, planned.train.name, "ann", tag=tag, step=step)
            return
        entry = {"build": "built", "test": "tested", "measure": "tested"}[step]
        found = getattr(planned.candidates[-1], entry) if planned.candidates else None
        if found is not None and (step == "measure" or not found.payload["ok"]):
            tag = planned.candidates[-1].facts.tag
            self.world.note(Kind.RETRIED, planned.train.name, "ann", tag=tag, step=step)
            self.done -= {d for d in self.done if d[1] == tag and d[0] in {"build", "test"}}

    # By hand ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.branches)
    @rule(i=index, t=index, how=st.sampled_from(["commit", "pick", "botched", "undo", "adopt", "adopt"]))
    def on_the_branch(self, i: int, t: int, how: str) -> None:
        world = self.world
        branch: str = picked(sorted(world.branches), t)
        own = world.branches[branch]
        if how == "commit":
            world.on_branch("[CI] By hand", branch=branch)
        elif how == "pick":
            world.by_hand(picked(world.trunk, i), branch)
        elif how == "botched":
            world.unfaithful.add(world.by_hand(picked(world.trunk, i), branch).sha)
        elif how == "undo" and own:
            undone: Commit = picked(own, i)
            world.on_branch(f'Revert "{undone.subject}"', f"This reverts commit {undone.sha}.", branch)
        elif how == "adopt":
            known = record.explained(tuple(world.entries), branch)
            for c in own:
                if c.sha not in known:
                    world.note(Kind.ADOPTED, "", "ann", commit=c.sha, branch=branch, category="regression", reason="x")

    @rule(t=index, i=index, n=st.integers(0, 4), spelling=st.sampled_from(["v{}-rc{}", "v{}rc{}"]), off=st.booleans())
    def an_rc_tag_by_hand(self, t: int, i: int, n: int, spelling: str, off: bool) -> None:
        train, world = self._train(t).train, self.world
        name = spelling.format(train.name, n)
        if name not in world.tags:
            home = world.branches.get(train.branch, [])
            world.tag(name, picked(world.trunk if off or not home else home, i).sha)

    @precondition(lambda self: self.world.branches)
    @rule(i=index, t=index, what=st.sampled_from(["branch", "tag", "branch-gone"]))
    def somebody_rewrites(self, i: int, t: int, what: str) -> None:
        world = self.world
        branch: str = picked(sorted(world.branches), t)
        if what == "tag" and world.tags and i < 5:
            del world.tags[picked(sorted(world.tags), i)]
        elif what == "branch" and i < 3 and world.branches[branch]:
            if world.branches[branch][-1].sha not in {x.commit for x in world.tags.values()}:
                world.branches[branch].pop()
        elif what == "branch-gone" and i == 0 and not world.branches[branch]:
            del world.branches[branch]

    # Ticks -----------------------------------------------------------------------------------------------------

    @rule(kill=st.integers(0, 3))
    def tick(self, kill: int) -> None:
        """All actions of one plan; with ``kill``, the process dies between that action's effect and its entry."""
        for n, action in enumerate(plan(self.world.snapshot(), POLICY).actions, start=1):
            self._allowed(action)
            if n == kill:
                self._killed(action)
            self._once(action)
            perform(self.world, action)

    @rule()
    def ticks(self) -> None:
        """Until nothing but waits is left."""
        for _ in range(80):
            actions = plan(self.world.snapshot(), POLICY).actions
            if not actions:
                return
            for action in actions:
                self._allowed(action)
                self._once(action)
                perform(self.world, action)
        pytest.fail("the planner does not come to rest")

    @rule()
    def everybody_wants_it_out(self) -> None:
        """Time, waits for quiet and approvals are given: whatever is not published then was stopped by something."""
        self.ticks()
        self.world.wait(hours=3)
        self.ticks()
        for t in plan(self.world.snapshot(), POLICY).trains:
            if t.evidence is not None:
                self.world.approve(t.train.name)
        self.time_passes_to_the_next_date()
        self.ticks()

    def _killed(self, action: Action) -> None:
        """Killed and run on, or never killed: the same refs, files and entries."""
        whole_, killed = copy.deepcopy(self.world), copy.deepcopy(self.world)
        perform(whole_, action)
        effect(killed, action)
        for world in (whole_, killed):
            only(world, action.train)
        assert state(killed) == state(whole_)

    def _once(self, action: Action) -> None:
        """What has its entry is never asked for again."""
        for key in keys(action):
            assert key not in self.done, key
            self.done.add(key)

    def _allowed(self, action: Action) -> None:
        world, snapshot = self.world, self.world.snapshot()
        entries = snapshot.entries
        assert isinstance(action, RecordIncident) or record.open_hold(entries, action.train) is None
        if isinstance(action, BuildCandidate):
            line = snapshot.line(next(t.branch for t in live_trains(snapshot, POLICY) if t.name == action.train))
            assert line is not None
            assert action.commit in {line.cut, *(c.sha for c in line.commits)}
        if isinstance(action, TagCandidate | TagFinal):
            there = world.tags.get(action.tag)
            assert there is None or there.commit == action.commit
        if isinstance(action, TagCandidate) and action.tag not in world.tags:
            train = next(t for t in live_trains(snapshot, POLICY) if t.name == action.train)
            line = snapshot.line(train.branch)
            assert line is None or unexplained(train, line, snapshot) is None
        if isinstance(action, RecordApplied):
            assert world.unfaithful.isdisjoint(a.commit for a in action.changes)
        if isinstance(action, DraftRelease):
            assert action.tag not in world.tags or action.tag not in world.releases
            assert {a.file for a in action.files} == {
                f["file"] for e in record.of(entries, Kind.PUBLISHED, action.train) for f in e.payload["files"]
            }
        if isinstance(action, TagFinal):
            drafted = record.last(entries, Kind.DRAFTED, action.train)
            assert drafted is not None
            published = record.last(entries, Kind.PUBLISHED, action.train)
            assert published is not None
            assert published.payload["commit"] == action.commit
        if isinstance(action, ApplyChanges):
            for p in action.changes:
                if p.change.kind is ChangeKind.PICK:
                    asked = entries[(p.change.request or 0) - 1]
                    assert asked.kind is Kind.REQUESTED
                    assert asked.payload["verdict"] != "refused"
                    assert undone_by(p.change.origin, snapshot.reverts) is None
                else:
                    revert = next(r for r in snapshot.reverts if r.commit.sha == p.change.origin)
                    assert revert.kind.value == "revert"
        if isinstance(action, Publish):
            train = next(t for t in live_trains(snapshot, POLICY) if t.name == action.train)
            self._publishable(action, train, snapshot)

    def _publishable(self, action: Publish, train: Train, snapshot: Snapshot) -> None:
        """Every blocker looked at once more, from the facts."""
        entries, line = snapshot.entries, snapshot.line(train.branch)
        assert line is not None
        assert line.tip == action.commit == self.world.tags[action.tag].commit
        built = record.last(entries, Kind.BUILT, action.train, tag=action.tag)
        tested = record.last(entries, Kind.TESTED, action.train, tag=action.tag)
        assert built is not None
        assert tested is not None
        assert [(a.file, a.sha256) for a in action.files] == [
            (a["file"], a["sha256"]) for a in built.payload["artifacts"]
        ]
        assert built.payload["ok"]
        assert tested.payload["ok"]
        digests = {a.sha256 for a in action.files}
        assert tested.payload["wheel"] in digests
        gated = record.last(entries, Kind.GATED, action.train, gate="suite", commit=action.commit)
        free = waived(snapshot, train.name, "gate:suite", POLICY)
        assert free or (gated is not None and gated.payload["ok"] and gated.payload["wheel"] in digests)
        assert record.last(entries, Kind.APPROVED, action.train, gate="go", commit=action.commit) is not None
        assert {c.sha for c in line.commits} <= record.explained(entries, line.branch)
        assert waived(snapshot, train.name, "B6", POLICY) or not needed(train, line, snapshot)
        clause = "C2" if train.post else "C1"
        assert waived(snapshot, train.name, clause, POLICY) or today(POLICY, snapshot.now) >= train.date
        off = any(waived(snapshot, train.name, c, POLICY) for c in ("E1", "E7"))
        measured = record.last(entries, Kind.MEASURED, action.train, commit=action.commit)
        assert off or measured is not None or train.previous_commit is None
        for e in entries:
            if e.kind is Kind.TAGGED and e.train == train.name:
                assert self.world.tags[e.payload["tag"]].commit == e.payload["commit"]

    # What always holds -----------------------------------------------------------------------------------------

    @invariant()
    def every_train_goes_on_or_says_why_not(self) -> None:
        if not self.world.trunk:
            return
        snapshot = self.world.snapshot()
        planned = plan(snapshot, POLICY)
        assert planned == plan(copy.deepcopy(snapshot), POLICY)
        assert planned.trains
        for t in planned.trains:
            assert t.action is not None or t.waits, t.train.name
            for w in t.waits:
                whole(w)
        names = [t.train.name for t in planned.trains]
        assert len(set(names)) == len(names)
        targets = [(a.kind, a.target) for a in planned.actions if not isinstance(a, CheckCommit | ProbeCommit)]
        assert len(set(targets)) == len(targets)
        branches = [a.branch for a in planned.actions if isinstance(a, CutBranch | ApplyChanges | RecordApplied)]
        assert len(set(branches)) == len(branches)
        assert all(action_json(a)["target"] == a.target for a in planned.actions)

    def teardown(self) -> None:
        world = self.world
        if not world.trunk:
            return
        assert broken_links(world.entries) == ()
        for e in record.of(tuple(world.entries), Kind.RELEASED):
            published = record.last(tuple(world.entries), Kind.PUBLISHED, e.train)
            assert published is not None
            assert e.payload["commit"] == published.payload["commit"]
            if e.payload["tag"] in world.tags:
                assert released_train(Version(e.train), world.snapshot(), POLICY).tag == e.payload["tag"]
                assert world.tags[e.payload["tag"]].commit == published.payload["commit"]
            built = record.last(tuple(world.entries), Kind.BUILT, e.train, tag=published.payload["tag"])
            assert built is not None
            for a in built.payload["artifacts"]:
                assert world.index[a["file"]].sha256 == a["sha256"]


def only(world: World, train: str, limit: int = 80) -> None:
    """Tick one train until it waits."""
    for _ in range(limit):
        planned = plan(world.snapshot(), POLICY)
        own = (t.action for t in planned.trains if t.train.name == train and t.action is not None)
        actions = (*planned.notes, *own)
        if not actions:
            return
        for action in actions:
            perform(world, action)
    pytest.fail("the planner does not come to rest")


def state(world: World) -> object:
    """Refs, files and entries, without the moments."""
    refs = {b: world.tip(b) for b in world.branches} | {t.name: t.commit for t in world.tags.values()}
    files = {f.file: f.sha256 for f in world.index.values()}
    return refs, files, [(e.kind, e.train, e.payload) for e in world.entries]


def keys(action: Action) -> list[tuple[object, ...]]:  # noqa: PLR0911 - one return for each action
    """What an action is one with, if it is the same again. A check may be asked for by two trains at once."""
    match action:
        # a tag may be put back, and go again
        case CheckCommit() | ProbeCommit() | CutBranch() | DraftRelease() | RecordIncident():
            return []
        case ApplyChanges():
            return [
                ("change", action.branch, p.change.origin, p.change.request, p.change.undoes) for p in action.changes
            ]
        case RecordApplied():
            return [("landed", action.branch, c.commit) for c in action.changes]
        case MeasureCandidate():
            return [(action.kind, action.tag, b) for b in range(action.first, action.last)]
        case Publish() | TagFinal():
            return [(action.kind, action.train)]
        case NameCulprit():
            return [(action.kind, action.tag)]
        case _:
            return [(action.kind, action.target)]


TestPlanner = Planner.TestCase
TestPlanner.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
