"""What the page of a train shows."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version

from headway.app import Headway
from headway.decide import record, yanks
from headway.decide.candidates import records
from headway.decide.performance import standing
from headway.decide.trains import branch_for
from headway.errors import not_found
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Train
from headway.plan.trainplan import TrainPlan
from headway.policy.scheme import final_tag, is_fix, read_final_tag
from headway.refusal import version_of
from headway.reports import Released, look_back
from headway.views.board import board_row, candidate_row
from headway.views.timeline import TimelineRow, timeline
from headway.views.train import Release, TrainView, published_files, train_view
from headway.web.picture import Picture


@dataclass(frozen=True, slots=True)
class TrainPage:
    """A train and its story."""

    train: TrainView
    story: tuple[TimelineRow, ...]


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


def released_by(picture: Picture, version: Version) -> object | None:
    """All that the past of a released train is told by: it changes with nothing else. ``None`` for any other train."""
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
        found = _live(app, planned, snapshot)
    elif any(e.train == str(version) for e in snapshot.entries):
        found = _given_up(app, version, snapshot)
    else:
        raise not_found("train", str(version), say("see the board for the trains that run"))
    return TrainPage(found, tuple(reversed(timeline(snapshot.entries, str(version)))))


def _live(app: Headway, planned: TrainPlan, snapshot: Snapshot) -> TrainView:
    row = board_row(planned, app.policy, snapshot.entries, snapshot.now)
    line = snapshot.line(planned.train.branch)
    return train_view(planned.train, line, row.candidates, planned.performance, snapshot, app.policy, row=row)


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
    return train_view(train, back.line, rows, perf, back.snapshot, app.policy, row=None, release=release, ended=ended)


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
