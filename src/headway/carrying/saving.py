"""Putting what a train needs to go on onto the branch: what it is, and that it goes over nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headway.app import Headway
from headway.carrying.common import ABOUT, LEDGER, MEASURED, SCHEMA, alone, aside_of, continues, gone, head_of
from headway.decide import carried as rules
from headway.decide.trains import today
from headway.effects.statebranch import StateBranch, carried, fits
from headway.errors import UnusableInput
from headway.ledger.carried import copy_of
from headway.ledger.place import SqliteFile, place_of
from headway.model.commit import Sha
from headway.model.entry import Entry
from headway.model.text import facts, say


@dataclass(frozen=True, slots=True)
class Kept:
    """A save; ``changed`` is false when the branch held the same already."""

    branch: str
    commit: Sha | None
    changed: bool
    entries: int
    head: str
    files: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "branch": self.branch,
            "commit": self.commit,
            "changed": self.changed,
            "entries": self.entries,
            "head": self.head,
            "files": list(self.files),
        }


def save(app: Headway, at: StateBranch) -> Kept:
    """Put what a train needs to go on onto the branch. Nothing is pushed when it is there already.

    Raises ``UnusableInput``: ``state.embargoed``, ``state.too-large``, ``state.not-loaded``; ``BrokenInvariant``
    (``ledger.broken``, ``state.diverged``); ``WorldFailed`` (``state.moved``, ``state.gone``, ``state.refused``).
    """
    with alone(app), aside_of(app) as aside:
        entries = app.sound_entries()
        _nothing_hidden(app, entries, at)
        before = _base(at)
        if before is not None:
            continues(entries, at.saves(before)[:1], at)
        app.progress.say(say("saving the state on {branch}", branch=at.branch))
        blobs = {name: at.blob(path) for name, path in _files(app, entries, aside)}
        if before is not None and _weighty(at.files(before)) == _weighty(blobs):
            commit = before
        else:
            commit = at.commit(blobs, before, len(entries), head_of(entries), app.clock.now())
        if commit != before:
            app.progress.step("state:push")
            at.push(commit, before)
            app.progress.step("state:pushed")
    names = tuple(str(name) for name in sorted(blobs))
    return Kept(at.branch, commit, commit != before, len(entries), head_of(entries), names)


def _weighty(files: Mapping[PurePosixPath, Sha]) -> dict[PurePosixPath, Sha]:
    """Without what changes at every look and spares only questions."""
    return {path: blob for path, blob in files.items() if str(path) not in rules.SPARING}


def _base(at: StateBranch) -> Sha | None:
    """The save that the next one goes on from: the remote's, if it was loaded or made here."""
    known, now = at.known, at.tip()
    if now is not None and now == at.pending and now != known:  # killed, or without an answer, after the push
        at.learn(now)
        known = now
    if now == known:
        return known
    if now is None:
        raise gone(at, known)
    if known is None:
        raise UnusableInput(
            "state.not-loaded",
            say("{branch} holds a state that was not loaded here", branch=at.branch),
            clause="G4",
            facts=facts(branch=at.branch, now=now),
            remedy=say("nothing was overwritten; `headway state load` first"),
        )
    raise at.moved(known, now)


def _files(app: Headway, entries: tuple[Entry, ...], aside: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """All that goes onto the branch. Databases as consistent copies, the ledger's first: what its entries name is
    complete by then."""
    place, policy, root = place_of(app.ledger_place), app.policy, app.repo.state
    about = aside / ABOUT
    about.write_text(json.dumps({"schema": SCHEMA}) + "\n", "utf-8")
    yield ABOUT, about
    databases = {LEDGER: place.path} if isinstance(place, SqliteFile) else {}
    if not policy.ledger.url:
        databases[MEASURED] = root / MEASURED
    for name, path in databases.items():
        if path.exists():
            copy_of(path, aside / name)
            fits(aside / name)
            yield name, aside / name
    yield from ((PurePosixPath(n), root / n) for n in rules.SPARING if (root / n).is_file())
    paths = app.paths
    again = {g.tag for g in rules.given_again(entries, policy)}
    tags = [e.payload["tag"] for e in rules.live(entries)]
    folders = [root / name for name in (*rules.FLAT, *_published(app))]
    folders += [paths.artifacts(tag) for tag in tags if tag not in again]
    folders += [where for tag in tags for where in (paths.documents(tag), paths.repacked(tag))]
    yield from carried(root, folders)


def _published(app: Headway) -> tuple[str, ...]:
    """Folders that stand for an index and a forge where the policy names no others."""
    index = () if app.policy.index.upload_url else (app.policy.index.path or "index",)
    forge = (app.policy.forge.path,) if app.policy.forge.kind == "none" and app.policy.forge.path else ()
    return (*index, *forge)


def _nothing_hidden(app: Headway, entries: tuple[Entry, ...], at: StateBranch) -> None:
    """The ledger tells of an embargo; nothing else of what is saved does."""
    hidden = rules.embargoed(entries, today(app.policy, app.clock.now()))
    if hidden and isinstance(place_of(app.ledger_place), SqliteFile):
        raise UnusableInput(
            "state.embargoed",
            say("a request is under embargo, and everybody who reads the repository reads {branch}", branch=at.branch),
            clause="P8",
            facts=facts(requests=[e.seq for e in hidden]),
            remedy=say("nothing was pushed; release it from a machine of your own, or keep the ledger in PostgreSQL"),
        )
