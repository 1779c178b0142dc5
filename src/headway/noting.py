"""Release notes as use cases: read them, write a draft, keep what a person made of it (N2)."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from headway.app import Headway
from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.notedocument import ENGLISH, Item, Tongue, document, markdown
from headway.decide.notedraft import LARGEST, Edit, draft, read_draft
from headway.decide.noteedit import Lost, edit_of, merged, sections_of
from headway.decide.notes import Notes, notes_of
from headway.decide.performance import Standing, standing
from headway.errors import UnusableInput, not_found
from headway.files import write_new
from headway.model.commit import Line
from headway.model.entry import Entry, Kind, digest_of
from headway.model.snapshot import Snapshot
from headway.model.text import say
from headway.model.train import Train
from headway.plan.planner import plan
from headway.plan.trainplan import TrainPlan, pick_train
from headway.refusal import Refused, no
from headway.reports import look_back

Labels = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Report:
    """The notes of a release and a person's edit of them, if there is one."""

    notes: Notes
    edit: Edit | None = None
    entry: Entry | None = None

    @property
    def version(self) -> str:
        return self.notes.version

    @property
    def previous(self) -> str | None:
        return self.notes.previous

    @property
    def sections(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Section name to its lines, as the person left them."""
        return tuple((name, tuple(rows)) for name, rows in sections_of(self.notes, self.items()).items())

    @property
    def lost(self) -> tuple[Lost, ...]:
        """What of the edit no longer fits."""
        return merged(document(self.notes), self.edit).lost if self.edit else ()

    def items(self, tongue: Tongue = ENGLISH) -> tuple[Item, ...]:
        """The document, with the person's edit in it."""
        generated = document(self.notes, tongue)
        return merged(generated, self.edit).items if self.edit else generated

    def markdown(self, tongue: Tongue = ENGLISH) -> str:
        return markdown(self.items(tongue))

    def draft(self, tongue: Tongue = ENGLISH) -> str:
        """The same for a person to edit."""
        deleted = self.edit.deleted if self.edit else ()
        return draft(self.version, self.items(tongue), document(self.notes, tongue), deleted, tongue)


def notes_for(app: Headway, version: Version, *, labels: Labels | None = None, edited: bool = True) -> Report:
    """Notes of a release, or of a train as it stands; without a person's edit when ``edited`` is false.

    ``labels`` are those of pull requests, by number. Raises ``UnusableInput`` for a version that is neither.
    """
    if any(r.version == version for r in app.releases()):
        back = look_back(app, version)
        published = record.last(back.snapshot.entries, Kind.PUBLISHED, str(version))
        accepted = next((r for r in back.candidates if published and r.facts.tag == published.payload["tag"]), None)
        return _report(app, back.train, back.line, accepted, back.snapshot, labels, edited)
    snapshot = app.observe()
    planned: TrainPlan = pick_train(plan(snapshot, app.policy).trains, str(version))
    line = snapshot.line(planned.train.branch) or Line(planned.train.branch, snapshot.trunk.tip, snapshot.trunk.tip, ())
    newest = planned.candidates[-1] if planned.candidates else None
    return _report(app, planned.train, line, newest, snapshot, labels, edited)


def _report(
    app: Headway,
    train: Train,
    line: Line,
    candidate: CandidateRecord | None,
    snapshot: Snapshot,
    labels: Labels | None,
    edited: bool,
) -> Report:
    snapshot = app.with_noted(snapshot, train, line.tip, labels)
    published = record.last(snapshot.entries, Kind.PUBLISHED, train.name)
    at = published.at if published else None
    perf: Standing | None = standing(train, candidate, snapshot, app.policy, at) if candidate else None
    notes = notes_of(train, line, candidate, perf, snapshot, app.policy)
    found = edit_of(snapshot.entries, train.name) if edited else None
    return replace(Report(notes), edit=found[0], entry=found[1]) if found else Report(notes)


def tagged(app: Headway, version: Version) -> str:
    """The very notes that the final tag carries, to put it back. Raises ``UnusableInput`` when Headway made none."""
    found = record.last(app.entries(), Kind.RELEASED, str(version))
    if found is None:
        raise not_found("release", str(version), say("name one that Headway made the final tag of"))
    text = str(found.payload.get("notes") or notes_for(app, version).markdown())
    if digest_of(text) != found.payload["notes_sha256"]:
        raise UnusableInput(
            "notes.not-kept",
            say(
                "the ledger does not hold the notes of {version}, and they would be told otherwise now", version=version
            ),
            clause="B5",
            remedy=say(
                "fetch the tag from a clone that has it: `git fetch REMOTE tag {tag}`", tag=found.payload["tag"]
            ),
        )
    return text


def write_draft(report: Report, path: Path, tongue: Tongue = ENGLISH) -> None:
    """A draft as a new file, whole or not there. Raises ``UnusableInput`` (``file.exists``) and ``WorldFailed``."""
    write_new(path, report.draft(tongue).encode("utf-8", "replace"))


def keep(app: Headway, version: Version, path: Path) -> Entry | Refused:
    """Write down what a person made of a draft, in their name. The newest one counts; the notes of what is published
    already are what its final tag carries. Raises ``UnusableInput`` for a file that is no draft of this version."""
    published = record.last(app.entries(), Kind.PUBLISHED, str(version))
    if published is not None or any(r.version == version for r in app.releases()):
        return no(
            "B5",
            "notes.published",
            say("{version} is published: its final tag carries its notes, and is made once", version=version),
            say("tell what is to be told in the notes of the next release"),
            version=str(version),
        )
    train = pick_train(plan(app.observe(), app.policy).trains, str(version)).train
    edit = read_draft(_bytes(path), train.name)
    return app.record(Kind.NOTES_EDITED, train.name, edit.as_json())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as f:
            return f.read(LARGEST + 1)
    except OSError as e:
        raise UnusableInput(
            "file.unreadable",
            say("{path} cannot be read: {why}", path=path, why=e.strerror or str(e)),
            remedy=say("name a file that is there"),
        ) from e


def read_labels(path: Path) -> dict[int, tuple[str, ...]]:
    """Labels of pull requests from a file: a JSON object of number to list of labels, or CSV rows of a number and its
    labels. Raises ``UnusableInput`` (``notes.labels``)."""
    data = _bytes(path)
    try:
        text = data.decode("utf-8-sig")
        rows = _json_rows(json.loads(text)) if text.lstrip().startswith(("{", "[")) else _csv_rows(text)
        return {
            int(str(pr).lstrip("#")): tuple(str(x).strip() for x in labels if str(x).strip()) for pr, labels in rows
        }
    except (ValueError, TypeError, AttributeError) as e:
        raise UnusableInput(
            "notes.labels",
            say("{path} does not say which labels pull requests have: {why}", path=path, why=e),
            clause="N2",
            remedy=say(
                "write {example}, or a CSV line for each: 12,bug,frontend", example='{"12": ["bug", "frontend"]}'
            ),
        ) from e


def _json_rows(found: object) -> list[tuple[object, list[object]]]:
    if not isinstance(found, dict) or not all(isinstance(v, list) for v in found.values()):
        raise ValueError("not an object of lists")
    return [*found.items()]


def _csv_rows(text: str) -> list[tuple[object, list[object]]]:
    rows = [row for row in csv.reader(text.splitlines()) if row]
    if rows and not rows[0][0].strip().lstrip("#").isdigit():
        rows = rows[1:]  # a line of names
        if not rows:
            raise ValueError("no line begins with the number of a pull request")
    return [(row[0].strip(), [*row[1:]]) for row in rows]
