"""What the page of a train shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.version import Version

from headway.app import Headway
from headway.decide import record, yanks
from headway.decide.candidates import records
from headway.decide.gates import Gates, gates_of
from headway.decide.performance import standing
from headway.decide.pickstates import ON_BRANCH, PickState
from headway.decide.trains import branch_for
from headway.errors import not_found
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Stage, Train
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy
from headway.policy.scheme import base_of, final_tag, is_fix, read_final_tag
from headway.refusal import version_of
from headway.reports import Released, look_back
from headway.views.acts import Act, amend_act, appeal_acts, drop_act, pick_acts
from headway.views.board import candidate_row
from headway.views.checklist import Check, checklist
from headway.views.gatelist import GateListRow, gate_rows
from headway.views.nextstep import Doing, next_tick
from headway.views.shown import Shown, evidence_shown
from headway.views.stops import StopKind
from headway.views.timeline import TimelineRow, timeline
from headway.views.train import Release, TrainView, published_files, train_view
from headway.web.picture import Picture


@dataclass(frozen=True, slots=True)
class TrainPage:
    """A train and its story, the newest first; of a live one also what the next tick does, the points of its go or
    no-go, what that rests on, and what people may do: of itself, of a pick (``pick:ID``), of a commit of its branch."""

    train: TrainView
    story: tuple[TimelineRow, ...]
    next: tuple[Doing, ...] = ()
    checks: tuple[Check, ...] = ()
    evidence: tuple[Shown, ...] = ()
    digest: str = ""
    gates: tuple[GateListRow, ...] = ()
    acts: tuple[Act, ...] = ()
    acts_of: Mapping[str, tuple[Act, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The JSON twin of the page, in English."""
        return {
            **self.train.as_json(),
            "next_tick": [d.as_json() for d in self.next],
            "checklist": [c.as_json() for c in self.checks],
            "evidence": {"digest": self.digest or None, "shown": [s.as_json() for s in self.evidence]},
            "gates": [g.as_json() for g in self.gates],
            "timeline": [r.as_json() for r in self.story],
        }


def project_name(app: Headway) -> str:
    """What the project is called: in its policy, else its folder."""
    folder = app.repo.work_tree or app.repo.git_dir
    return app.policy.project.name or folder.name.removesuffix(".git")


def train_of(picture: Picture, text: str, *, wait: bool = False) -> TrainPage:
    """A train by its version: live, released, or given up. Raises ``UnusableInput`` (``….not-found``) for any other,
    ``BeingRead`` for a released one that nobody has looked at since it changed, unless somebody can ``wait``."""
    version = version_of(text)
    goes_by = released_by(picture, version)
    if goes_by is None:
        return picture.kept(("train", version), lambda: _train(picture, version))
    return picture.lasting(("train", version, goes_by), lambda: _train(picture, version), wait=wait)


def all_acts(picture: Picture, version: str) -> tuple[Act, ...]:
    """What people may do of a train, of its picks and of its commits; nothing of one that is not on its way."""
    if all(t.train.name != version for t in picture.plan.trains):
        return ()
    page = train_of(picture, version)
    return (*page.acts, *(a for some in page.acts_of.values() for a in some))


def released_by(picture: Picture, version: Version) -> object | None:
    """All that the past of a released train is told by: it changes with nothing else. ``None`` for any other train."""
    return picture.kept(("goes by", version), lambda: _released_by(picture, version))


def _released_by(picture: Picture, version: Version) -> object | None:
    names, snapshot = picture.policy.versions, picture.snapshot
    finals = [(t, v) for t in snapshot.tags if (v := read_final_tag(t.name, names)) is not None]
    if not any(v == version for _, v in finals):
        return None
    own = [e for e in picture.entries if e.train in {"", str(version)}]
    tags = tuple((t.name, t.commit) for t in snapshot.tags if str(version) in t.name)
    measured = {commit for _, commit in tags}
    return (
        picture.policy.model_dump_json(),
        snapshot.trunk.tip,
        tuple((t.name, t.commit) for t, _ in finals),
        tags,
        own[-1].digest if own else "",
        tuple((c.subject, c.baseline, len(c.samples)) for c in snapshot.comparisons if c.subject in measured),
    )


def _train(picture: Picture, version: Version) -> TrainPage:
    app, snapshot = picture.app, picture.snapshot
    planned = next((t for t in picture.plan.trains if t.train.version == version), None)
    if any(r.version == version for r in app.releases()):
        found = _released(app, look_back(app, version))
    elif planned is not None:
        found = _live(picture, planned)
    elif any(e.train == str(version) for e in snapshot.entries):
        found = _given_up(app, version, snapshot)
    else:
        raise not_found("train", str(version), say("see the board for the trains that run"))
    story = tuple(reversed(timeline(snapshot.entries, str(version))))
    if found.row is None or planned is None:
        return TrainPage(found, story)
    return TrainPage(
        found,
        story,
        next_tick(planned, picture.plan),
        checklist(planned, found.row.gates, app.policy),
        evidence_shown(planned, snapshot),
        planned.evidence or "",
        _gates(planned, snapshot, app.policy),
        found.row.acts,
        _acts_of(found, planned, app.policy),
    )


def _live(picture: Picture, planned: TrainPlan) -> TrainView:
    app, snapshot = picture.app, picture.snapshot
    row = next(r for r in picture.board.trains if r.version == planned.train.name)
    line = snapshot.line(planned.train.branch)
    return train_view(planned.train, line, row.candidates, planned.performance, snapshot, app.policy, row=row)


def _gates(planned: TrainPlan, snapshot: Snapshot, policy: Policy) -> tuple[GateListRow, ...]:
    if not planned.candidates:
        return gate_rows(policy, Gates(()))
    return gate_rows(policy, gates_of(planned.train, planned.candidates[-1], snapshot, policy))


def _acts_of(found: TrainView, planned: TrainPlan, policy: Policy) -> dict[str, tuple[Act, ...]]:
    name = planned.train.name
    acts = {
        f"pick:{p.id}": pick_acts(name, p.id, p.by, review=p.state is PickState.REVIEW, policy=policy)
        for p in found.picks
        if p.state not in _OVER
    }
    refused = {
        f"pick:{p.id}": (
            amend_act(name, p.id, p.by, policy),
            *appeal_acts(name, map(Reason.kept, p.violations), policy),
        )
        for p in found.picks
        if p.state is PickState.REFUSED
    }
    out = {s.commit: (drop_act(name, s.commit),) for s in found.stops if s.kind in _TAKEN_OUT}
    return {**acts, **refused, **(out if planned.stage is not Stage.PROMOTING else {})}


_OVER = ON_BRANCH | {
    PickState.REFUSED,
    PickState.WITHDRAWN,
    PickState.REJECTED,
    PickState.TAKEN_OUT,
    PickState.LEFT_OUT,
}
_TAKEN_OUT = frozenset({StopKind.PICK, StopKind.ADOPTED, StopKind.UNEXPLAINED})


def _released(app: Headway, back: Released) -> TrainView:
    train, entries = back.train, back.snapshot.entries
    tag = next(t for t in back.snapshot.tags if t.name == train.tag)
    files, index = published_files(entries, train.name)
    published = record.last(entries, Kind.PUBLISHED, train.name)
    accepted = next((c for c in back.candidates if published and c.facts.tag == published.payload["tag"]), None)
    then = published.at if published else None
    perf = standing(train, accepted, back.snapshot, app.policy, then) if accepted else None
    if perf and perf.verdict and not any(c.blocks for c in perf.verdict.cells):
        perf = None  # today's policy asks for what that release was never asked
    yanked = yanks.yanked(entries).get(train.name)
    done = record.last(entries, Kind.RELEASED, train.name)
    reason = yanks.reason_of(yanked) if yanked else None
    release = Release(train.tag, tag.commit, done.at if done else tag.when, files, index, reason)
    rows = tuple(candidate_row(c) for c in back.candidates)
    ended = say("withdrawn: {reason}", reason=reason) if yanked else say("released")
    base = base_of(train.version, app.policy.versions)
    after = [r for r in app.releases() if base_of(r.version, app.policy.versions) == base and r.version > train.version]
    return train_view(
        train,
        back.line,
        rows,
        perf,
        back.snapshot,
        app.policy,
        row=None,
        release=release,
        ended=ended,
        posts=tuple(after),
    )


def _given_up(app: Headway, version: Version, snapshot: Snapshot) -> TrainView:
    names, entries = app.policy.versions, snapshot.entries
    branch, tag = branch_for(version, entries, app.policy), final_tag(version, names)
    day = snapshot.now.date()
    train = Train(version, is_fix(version, names), None, None, day, (day, day), branch, tag)
    rows = tuple(candidate_row(c) for c in records(train, snapshot, app.policy))
    ended = _ending(entries, train.name)
    return train_view(train, snapshot.line(branch), rows, None, snapshot, app.policy, row=None, ended=ended)


def _ending(entries: tuple[Entry, ...], train: str) -> Text:
    skipped = record.last(entries, Kind.SKIPPED, train)
    abandoned = record.last(entries, Kind.ABANDONED, train)
    if abandoned is not None:
        return say("given up: {reason}", reason=abandoned.payload["reason"])
    if skipped is not None:
        return say("skipped: {reason}", reason=skipped.payload["reason"])
    return say("not on the board")
