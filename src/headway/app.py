"""The composition root: the only place where readers, decisions, effects and the ledger meet.

Everything here is a use case of the command line and of the pages alike: look (``observe``, ``plan``), act (``tick``),
and the controls of a person (``headway.controls``), each of which ends in ledger entries.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.acting import Done, act
from headway.clock import SystemClock
from headway.decide import changes, debts, landing, pulls, queue, record
from headway.decide.embargo import private_branch
from headway.decide.trains import Release, live_branches, live_trains, releases
from headway.effects.paths import StatePaths
from headway.effects.refs import IDENTITY
from headway.errors import BrokenInvariant, UnusableInput
from headway.forges import forge_of
from headway.history.copies import read_copies
from headway.history.kept import Kept
from headway.history.log import read_tags
from headway.history.merge import try_changes
from headway.history.mirror import resolve_there
from headway.history.people import read_noted
from headway.history.privately import read_private
from headway.history.repaid import read_repaid
from headway.history.repository import Repository, find_trunk, open_repository
from headway.host import host_tags
from headway.ledger.kept import problems_of
from headway.model.build import PublishedFile
from headway.model.commit import Sha, Tag
from headway.model.entry import GENESIS, Entry, Kind
from headway.model.hub import HubSeen
from headway.model.pick import Copy
from headway.model.ports import Clock, Forge, Hub, Ledger, Progress
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.outside import asked, withheld
from headway.plan.planner import plan
from headway.plan.trainplan import Plan, TrainPlan, pick_train
from headway.policy import POLICY_FILE
from headway.policy.schema import Policy
from headway.policyfile import NO_POLICY, find_policy
from headway.recording import Recording
from headway.sources.labels import read_labels
from headway.sources.pulls import read_pulled
from headway.sources.repository import branch_names, branches_elsewhere, read_released, read_repository, repository_now
from headway.upstream import follow, followed, remembered, remote_of, tags_of, trunk_there

ACTOR = "headway"

if TYPE_CHECKING:
    from headway.effects.perform import Performer
    from headway.effects.remote import Remote
    from headway.perf.store import MeasurementStore


class Silent:
    """Nobody watches."""

    def say(self, text: Text) -> None: ...

    def bar(self, what: Text, done: int, total: int) -> None: ...

    def step(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """How a project was asked for: trunk, policy file and preset as given."""

    trunk: str = ""
    policy_file: Path | None = None
    preset: str | None = None


@dataclass(frozen=True)
class Headway:
    """One project. ``person`` is who is at the controls, and ``via`` what they used for it where that is no command
    line (of a comment: its ``comment``, ``url``), which every entry of theirs carries; ``policy_source`` says where the
    policy came from, and ``opened`` how it was asked for; ``hub_seen`` is what the forge said, where it was asked."""

    repo: Repository
    policy: Policy
    policy_source: str
    trunk: str
    clock: Clock = field(default_factory=SystemClock)
    progress: Progress = field(default_factory=Silent)
    person: str = ""
    via: Mapping[str, str] = field(default_factory=dict)
    opened: Opened = Opened()
    hub_seen: HubSeen | None = None

    # Where things are ------------------------------------------------------------------------------------------

    @property
    def paths(self) -> StatePaths:
        return StatePaths(self.repo.state)

    @property
    def ledger_place(self) -> str | Path:
        """The policy's URL, or SQLite in the state folder."""
        return self.policy.ledger.url or self.repo.state / "ledger.db"

    @property
    def index_folder(self) -> Path:
        return self.repo.state / (self.policy.index.path or "index")

    @property
    def forge(self) -> Forge | None:
        """Where release objects are; ``None`` where the policy wants none."""
        from headway.effects.forge_folder import FolderForge

        path = self.policy.forge.path
        if not path:
            return None
        forge = forge_of(self.policy)
        return forge.releases(self.progress.step) if forge else FolderForge(self.repo.state / path, self.progress.step)

    @cached_property
    def hub(self) -> Hub | None:
        """Where people talk about changes; ``None`` where the project has no such place."""
        forge = forge_of(self.policy)
        return forge.hub() if forge is not None else None

    @property
    def remote(self) -> Remote | None:
        """The project's own repository on its forge; ``None`` where it has none."""
        return remote_of(self.policy, self.progress.step)

    @cached_property
    def reading(self) -> Ledger:
        from headway.ledger.store import open_ledger  # a database's driver: for those who have a ledger

        return open_ledger(self.ledger_place, write=False)

    @cached_property
    def writing(self) -> Ledger:
        from headway.ledger.store import open_ledger

        return open_ledger(self.ledger_place, write=True)

    def measurements(self, write: bool) -> MeasurementStore:
        """The store of measurements: where the ledger is."""
        from headway.perf.store import MeasurementStore

        return MeasurementStore(self.policy.ledger.url or self.repo.state / "measurements.db", write=write)

    # Looking ---------------------------------------------------------------------------------------------------

    def entries(self) -> tuple[Entry, ...]:
        """All entries; none where no ledger was begun."""
        place = self.ledger_place
        return () if isinstance(place, Path) and not place.exists() else self.reading.entries()

    def head(self) -> tuple[int, str]:
        """Number and digest of the ledger's last entry."""
        place = self.ledger_place
        return (0, GENESIS) if isinstance(place, Path) and not place.exists() else self.reading.head()

    def sound_entries(self) -> tuple[Entry, ...]:
        """The same, where something is to be concluded from them (G4). Raises ``BrokenInvariant``
        (``ledger.broken``) when the ledger was altered."""
        found = self.entries()
        problems = problems_of(found)
        if problems:
            from headway.ledger.place import place_of

            place = str(place_of(self.ledger_place))
            raise BrokenInvariant(
                "ledger.broken",
                say("the chain of the ledger is broken"),
                clause="G4",
                facts=facts(ledger=place, problems=problems[:20]),
                remedy=say("`headway verify {ledger}` lists all that is wrong; put a backup back", ledger=place),
            )
        return found

    def tags(self) -> tuple[Tag, ...]:
        """The project's tags: those of its remote, where it was followed."""
        return tags_of(self.repo, read_tags(self.repo), self.policy)

    def releases(self) -> tuple[Release, ...]:
        return releases(self.tags(), self.policy)

    def published(self, project: str = "") -> tuple[PublishedFile, ...]:
        """Files on the index as they are there now."""
        from headway.sources.index import read_folder_index, read_simple_index

        if self.policy.index.upload_url:
            name = project or self.policy.project.name
            return read_simple_index(self.policy.index.simple_url, name) if name else ()
        return read_folder_index(self.index_folder)

    def commit_of(self, rev: str) -> Sha | None:
        """The commit that a person's word names, or ``None``: the trunk and release branches as the remote has them."""
        return resolve_there(self.repo, rev, self.trunk, followed(self.policy))

    def branch_named(self, name: str) -> str:
        """A branch as it is known here: one that only a remote has goes by its name there."""
        return branches_elsewhere(self.repo).get(name, name)

    def observe(self, also: Release | None = None, branch: str = "", *, anew: bool = False) -> Snapshot:
        """The world now, read-only. ``also`` is for looking back at a release: its line up to its commit, under that
        name, in place of those under way. ``branch`` adds that of any branch, tag or commit, under this name.
        ``anew``: no trial of before is believed.

        Raises ``BrokenInvariant`` (``ledger.broken``) when the ledger was altered, but not to look back.
        """
        tags, entries = self.tags(), self.entries() if also is not None else self.sound_entries()
        if entries and also is None:
            self.need_policy()
        done = releases(tags, self.policy)
        here, there = branch_names(self.repo), branches_elsewhere(self.repo)
        branches = live_branches(here, tags, self.policy, entries)
        remote = remembered(self.repo, self.policy, self.trunk, branches)
        if remote is not None:
            there = {}  # those that count are here
        recent = done[-3:]
        if also is not None:
            recent = (*[r for r in done if r.version < also.version][-1:], also)
            branches = (also.commit,)
        if branch and branch not in branches:
            branches = (*branches, branch)
        read = repository_now if not branch else read_repository  # a person's word may be anything that git reads
        seen = read(self.repo, self.trunk, branches, tuple(r.commit for r in recent))
        store = self.measurements(write=False)
        snapshot = Snapshot(
            now=self.clock.now(),
            trunk=seen.trunk,
            tags=tags,
            lines=seen.lines,
            reverts=seen.reverts,
            entries=entries,
            comparisons=store.comparisons(metrics={m for c in self.policy.perf.cells for m in c.metrics}),
            bases=seen.bases,
            checked_out=seen.checked_out,
            elsewhere={b: there[b] for b in live_branches(there, tags, self.policy, entries)},
            withheld=withheld(entries, self.published) if also is None else {},
            host=host_tags(),
            hub=self.hub_seen,
            remote=remote,
            pulled=read_pulled(self.repo, seen.trunk.tip, seen.lines, talked.pulls)
            if (talked := self.hub_seen)
            else {},
        )
        store.close()
        if also is not None:
            return snapshot  # nothing is to be done to it
        trains = live_trains(snapshot, self.policy)
        owed = debts.owed(trains, entries)
        snapshot = replace(snapshot, repaid=read_repaid(self.repo, seen.trunk.tip, owed) if owed else {})
        snapshot = asked(trains, snapshot, self.policy)
        snapshot = self._with_trials(trains, snapshot, None if anew else Kept())
        for train in trains:
            published = record.last(entries, Kind.PUBLISHED, train.name)
            if published is not None:  # its final tag, with the notes, is what comes next
                snapshot = self.with_noted(snapshot, train, published.payload["commit"])
        return snapshot

    def with_noted(
        self, snapshot: Snapshot, train: Train, tip: Sha, labels: Mapping[int, tuple[str, ...]] | None = None
    ) -> Snapshot:
        """The snapshot with what the notes of a train, released as the commit ``tip``, need to know (N2)."""
        noted = read_noted(self.repo, train.previous_commit, tip, Kept())
        if labels is None and self.policy.forge.kind != "none":
            labels = read_labels(self.paths.labels, self.policy.project.repository)
        noted = replace(noted, labels=labels or {})
        if train.previous_commit is not None:
            noted = replace(noted, before=read_released(self.repo, self.trunk, train.previous_commit))
        return replace(snapshot, noted={**snapshot.noted, train.name: noted})

    def _with_trials(self, trains: tuple[Train, ...], snapshot: Snapshot, kept: Kept | None) -> Snapshot:
        """How what is pending applies; embargoed picks on the private branches that they get."""
        trials, alone, private = {}, {}, {}
        copies: dict[Sha, Copy] = {}
        for train in trains:
            line = snapshot.line(train.branch)
            if line is None:
                continue
            held = landing.claimed(train, line, snapshot, self.policy)
            copies |= read_copies(self.repo, held, landing.strange_merges(line, snapshot), IDENTITY[1])
            pending = changes.pending(train, line, snapshot, self.policy)
            if pending:
                trials[line.branch] = try_changes(self.repo, line.tip, pending, kept)
                if pulls.by_pull(self.policy):
                    groups = pulls.grouped(pending)
                    alone[line.branch] = tuple(t for g in groups for t in try_changes(self.repo, line.tip, g, kept))
            hidden = queue.embargoed(train, snapshot, self.policy)
            if hidden:
                name = private_branch(line.branch, self.policy)
                trials[name] = try_changes(self.repo, line.tip, hidden)
                if (there := read_private(self.repo, name, line.tip, IDENTITY[1])) is not None:
                    private[line.branch] = there
        return replace(snapshot, trials=trials, alone=alone, private=private, copies=copies)

    def plan(self, *, anew: bool = False) -> Plan:
        """What the next tick would do, and what it waits for. Writes nothing."""
        return plan(self.observe(anew=anew), self.policy)

    def train(self, version: str | None) -> TrainPlan:
        """One live train: of a version, or the one that is on its way (a post release before the next patch)."""
        trains = self.plan().trains
        return pick_train(trains, version)

    # Acting ----------------------------------------------------------------------------------------------------

    def tick(self, version: str | None = None, *, settle: bool = False) -> tuple[tuple[Done, ...], tuple[Reason, ...]]:
        """Follow the remote and do what the plan says of trains, once, or until nothing but waits is left. One tick at
        a time (``LockHeld``). What people say on the forge is for ``headway.ticking``."""
        self.need_policy()
        with self.exclusively():
            return self.followed().act(version, settle=settle)

    def exclusively(self) -> AbstractContextManager[None]:
        """The line's lock, for a whole tick. Raises ``LockHeld``."""
        return self.writing.exclusively(self._who())

    def followed(self) -> Headway:
        """The project as its remote has it now, with the policy that this brings. Raises ``WorldFailed``:
        ``remote.unreachable``; nothing is decided on what may be stale."""
        remote = self.remote
        if remote is None:
            return self
        for told in follow(self.repo, remote, self.policy, self.trunk, self.sound_entries(), self.clock.now()):
            self.progress.say(told)
        opened = self.opened
        policy, source = find_policy(self.repo, opened.trunk, opened.policy_file, opened.preset)
        return self if policy == self.policy else replace(self, policy=policy, policy_source=source)

    def act(self, version: str | None = None, *, settle: bool = False) -> tuple[tuple[Done, ...], tuple[Reason, ...]]:
        """What a tick does of trains while it holds the lock.

        Where the world or its own files fail one train, the others go on; then the first failure is raised.
        """
        with self.performing() as performer:
            return act(self.plan, self.followed, performer, version, settle=settle)

    def performing(self, hub: Hub | None = None) -> _Performing:
        return _Performing(self, hub)

    def record(self, kind: Kind, train: str, payload: Mapping[str, Any]) -> Entry:
        """Write down what a person decided, in that person's name. Raises as ``observe`` does."""
        self.need_policy()
        self.sound_entries()
        known = {**payload, "via": dict(self.via)} if self.via else payload
        return self.recording(self.person).record(kind, train, known)

    def recording(self, actor: str) -> Recording:
        return Recording(self.writing, self.clock, actor, self.policy)

    def need_policy(self) -> None:
        """Nothing is decided by rules that nobody chose."""
        if self.policy_source == NO_POLICY:
            raise UnusableInput(
                "policy.none",
                say("this project has no {file}, so nothing says how it is released", file=POLICY_FILE),
                remedy=say(
                    "write one with `headway init`, or put yours back (the work tree may be on a branch without it); "
                    "`--preset NAME` takes a preset as it is"
                ),
            )

    def _who(self) -> str:
        return f"{self.person or ACTOR} on {socket.gethostname()} (process {os.getpid()})"


class _Performing:
    """A performer with its measurement store open for writing."""

    def __init__(self, app: Headway, hub: Hub | None) -> None:
        self._app, self._hub = app, hub
        self._store = app.measurements(write=True)

    def __enter__(self) -> Performer:
        # Builders, runners and the HTTP client are loaded by what acts, not by what looks.
        from headway.effects.measure import Measurer
        from headway.effects.perform import Performer
        from headway.effects.runners import runner_of
        from headway.effects.site import Site

        app = self._app
        return Performer(
            site=Site(
                app.repo, app.policy, app.clock, app.progress, app.paths, app.index_folder, app.forge, app.remote
            ),
            recorder=app.recording(ACTOR),
            measurer=Measurer(
                app.repo,
                app.policy,
                app.paths,
                app.index_folder,
                self._store,
                app.progress,
                runner_of(app.policy, app.paths),
            ),
            hub=self._hub,
        )

    def __exit__(self, *exc: object) -> None:
        self._store.close()


def open_headway(
    path: Path,
    *,
    trunk: str = "",
    policy_file: Path | None = None,
    preset: str | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
    person: Callable[[Repository], str] | str = "",
) -> Headway:
    """A project, from its repository. Raises ``UnusableInput`` for what cannot be used."""
    repo = open_repository(path)
    policy, source = find_policy(repo, trunk, policy_file, preset)
    return Headway(
        repo=repo,
        policy=policy,
        policy_source=source,
        trunk=trunk_there(repo, policy, find_trunk(repo, trunk or policy.project.trunk)),
        opened=Opened(trunk, policy_file, preset),
        clock=clock or SystemClock(),
        progress=progress or Silent(),
        person=person if isinstance(person, str) else person(repo),
    )
