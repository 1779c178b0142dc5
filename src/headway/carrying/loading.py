"""Bringing what was saved last: that it is what was saved, that it continues what is here, and where it goes."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from headway.app import Headway
from headway.carrying.common import ABOUT, LEDGER, MEASURED, SCHEMA, alone, aside_of, continues, gone, head_of
from headway.decide import carried as rules
from headway.effects.refs import IDENTITY
from headway.effects.statebranch import Saved, StateBranch
from headway.errors import BrokenInvariant, UnusableInput
from headway.files import write_whole
from headway.ledger.bundle import check_path
from headway.ledger.carried import is_copy_of, put_back
from headway.ledger.place import SqliteFile, place_of
from headway.model.commit import Sha
from headway.model.entry import Entry
from headway.model.text import Text, facts, say

_WHOLE = ("artifacts", "documents", "repacked")  # folders of candidates, each of which appears complete


class Standing(StrEnum):
    """How what was here stood to what was loaded."""

    BEGUN = "begun"  # nothing was saved yet
    TAKEN = "taken"  # it was behind, or there was nothing
    SAME = "same"
    AHEAD = "ahead"  # entries were made here since


@dataclass(frozen=True, slots=True)
class Loaded:
    """``commit`` is the save; ``missing`` are candidates whose files their CI no longer has, and why."""

    branch: str
    commit: Sha | None
    standing: Standing
    entries: int
    head: str
    missing: tuple[tuple[str, Text], ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "branch": self.branch,
            "commit": self.commit,
            "standing": str(self.standing),
            "entries": self.entries,
            "head": self.head,
            "missing": [{"tag": tag, "why": str(why)} for tag, why in self.missing],
        }


def load(app: Headway, at: StateBranch, *, begin: bool = False) -> Loaded:
    """Bring what was saved last. Where entries were made here since, what is here stays.

    ``begin``: a repository in which Headway made tags may have no state yet. Raises ``WorldFailed`` (``state.gone``,
    ``state.unread``); ``UnusableInput`` (``state.no-state``, ``state.newer``, ``state.unsaved``); ``BrokenInvariant``
    (``state.altered``, ``state.rewound``, ``state.diverged``).
    """
    with alone(app), aside_of(app) as aside:
        entries = app.sound_entries()
        commit = at.fetched()
        if commit is None:
            _may_begin(app, at, entries, begin)
            return Loaded(at.branch, None, Standing.BEGUN, len(entries), head_of(entries))
        saves = _not_rewound(at, commit)
        files = at.files(commit)
        saved = _verified(app, at, files, saves, aside)
        standing = _standing(entries, saved, at)
        if standing is Standing.TAKEN:
            _measured_here(app, at, files, aside)
        app.progress.say(say("loading the state from {branch}", branch=at.branch))
        _place(app, at, files, aside, standing)
        at.learn(commit)
    entries = app.entries()
    return Loaded(at.branch, commit, standing, len(entries), head_of(entries), _given_again(app, entries))


def _may_begin(app: Headway, at: StateBranch, entries: tuple[Entry, ...], begin: bool) -> None:
    """A branch that is not there is a first run, or was deleted: then what was done would be done again."""
    if at.known is not None:
        raise gone(at, at.known)
    form = "--format=%(taggeremail) %(refname:lstrip=2)"
    rows = app.repo.git.run("for-each-ref", form, "refs/tags").splitlines()
    made = [row.partition(" ")[2] for row in rows if row.startswith(f"<{IDENTITY[1]}> ")]
    if made and not entries and not begin:
        raise UnusableInput(
            "state.gone",
            say("Headway made tags here, such as {tag}, and {branch} is not there", tag=made[-1], branch=at.branch),
            clause="G4",
            facts=facts(branch=at.branch, tags=made[-5:]),
            remedy=say(
                "put the branch back, or `headway state save` where the ledger is; `headway state load --begin` begins"
                " a new ledger"
            ),
        )


def _not_rewound(at: StateBranch, commit: Sha) -> tuple[Saved, ...]:
    """The saves up to this one, which comes after the one that was known here."""
    known = at.known
    if known is not None and not at.follows(known, commit):
        raise BrokenInvariant(
            "state.rewound",
            say("{branch} was put back behind a save that was loaded here, or written anew", branch=at.branch),
            clause="G4",
            facts=facts(branch=at.branch, known=known, now=commit),
            remedy=say("nothing was changed here; find out who forced it, and push {known} there again", known=known),
        )
    return at.saves(commit)


def _verified(
    app: Headway, at: StateBranch, files: dict[PurePosixPath, Sha], saves: tuple[Saved, ...], aside: Path
) -> tuple[Entry, ...] | None:
    """The entries of the ledger that was saved, whole and continuing every one before; ``None``: it is elsewhere."""
    schema = _schema_of(at.data(files[ABOUT])) if ABOUT in files else None
    if schema is None:
        raise _altered(at, saves[0], (f"{ABOUT} is not what a save wrote",))
    if schema != SCHEMA:
        raise UnusableInput(
            "state.newer",
            say(
                "{branch} has the format {schema}, this Headway reads {own}",
                branch=at.branch,
                schema=schema,
                own=SCHEMA,
            ),
            remedy=say("install a newer Headway"),
        )
    if not isinstance(place_of(app.ledger_place), SqliteFile) or LEDGER not in files:
        continues(app.entries(), saves, at)
        return None
    (aside / LEDGER).write_bytes(at.data(files[LEDGER]))
    checked = check_path(aside / LEDGER)
    if checked.problems:
        raise _altered(at, saves[0], checked.problems)
    continues(checked.entries, saves, at)
    if len(checked.entries) != saves[0].entries:
        raise _altered(at, saves[0], (f"it has {len(checked.entries)} entries, the save says {saves[0].entries}",))
    return checked.entries


def _schema_of(about: bytes) -> int | None:
    try:
        found = json.loads(about)["schema"]
    except (ValueError, TypeError, KeyError):
        return None
    return found if isinstance(found, int) else None


def _altered(at: StateBranch, save: Saved, problems: tuple[str, ...]) -> BrokenInvariant:
    return BrokenInvariant(
        "state.altered",
        say("the ledger on {branch} is not the one that was saved", branch=at.branch),
        clause="G4",
        facts=facts(branch=at.branch, commit=save.commit, problems=problems[:20]),
        remedy=say("nothing was changed here; find out who pushed it, and put the save before it back"),
    )


def _standing(here: tuple[Entry, ...], saved: tuple[Entry, ...] | None, at: StateBranch) -> Standing:
    if saved is None:
        return Standing.TAKEN
    common = min(len(here), len(saved))
    if common and here[common - 1].digest != saved[common - 1].digest:
        raise BrokenInvariant(
            "state.diverged",
            say("the ledger here and the one on {branch} went apart", branch=at.branch),
            clause="G4",
            facts=facts(branch=at.branch, here=head_of(here), saved=head_of(saved)),
            remedy=say("nothing was changed; a ledger is only ever continued: keep both, and find out which is whose"),
        )
    if len(here) == len(saved) and here:
        return Standing.SAME
    return Standing.AHEAD if len(here) > len(saved) else Standing.TAKEN


def _measured_here(app: Headway, at: StateBranch, files: dict[PurePosixPath, Sha], aside: Path) -> None:
    """Raises ``UnusableInput`` (``state.unsaved``) for measurements that were taken here and never saved."""
    store = app.repo.state / MEASURED
    if app.policy.ledger.url or not store.exists():
        return
    known = at.files(at.known).get(MEASURED) if at.known else None
    if is_copy_of(store, aside / "here.db", [at.data(b) for b in {known, files.get(MEASURED)} if b]):
        return
    raise UnusableInput(
        "state.unsaved",
        say("measurements were taken here and not saved, and {branch} went on", branch=at.branch),
        facts=facts(branch=at.branch, store=store),
        remedy=say("`headway perf export` them, move {file} away, load, and import them again", file=store),
    )


def _place(app: Headway, at: StateBranch, files: dict[PurePosixPath, Sha], aside: Path, standing: Standing) -> None:
    """Write the files; the ledger last, since its entries tell what is there."""
    root, taken = app.repo.state, standing is Standing.TAKEN
    whole = {p.parent for p in files if p.parts[0] in _WHOLE and len(p.parts) == 3}
    for folder in sorted(whole):
        _place_folder(root / folder, {p.name: at.data(b) for p, b in files.items() if p.parent == folder}, taken)
    for path, blob in files.items():
        plain = path.parent not in whole and path not in {ABOUT, LEDGER, MEASURED}
        if plain and (taken or not (root / path).exists()):
            write_whole(root / path, at.data(blob))
    if taken:
        for left in (p for f in rules.FLAT for p in (root / f).glob("*.json" if f == "dispatches" else "*")):
            if PurePosixPath(left.relative_to(root)) not in files and left.is_file():
                left.unlink()
    app.progress.step("state:placed")
    place = place_of(app.ledger_place)
    if MEASURED in files and not app.policy.ledger.url and (taken or not (root / MEASURED).exists()):
        (aside / MEASURED).write_bytes(at.data(files[MEASURED]))
        put_back(aside / MEASURED, root / MEASURED)
        app.progress.step("state:measurements")
    if taken and isinstance(place, SqliteFile) and LEDGER in files:
        put_back(aside / LEDGER, place.path)
        app.progress.step("state:ledger")


def _place_folder(folder: Path, files: dict[str, bytes], anew: bool) -> None:
    """A candidate's folder, which appears complete."""
    if folder.exists() and not anew:
        return
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, data in files.items():
        write_whole(partial / name, data)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _given_again(app: Headway, entries: tuple[Entry, ...]) -> tuple[tuple[str, Text], ...]:
    """Fetch the files of live candidates that their CI built; those that it no longer has."""
    wanted = [g for g in rules.given_again(entries, app.policy) if not app.paths.artifacts(g.tag).exists()]
    if not wanted:
        return ()
    from headway.effects.builders import ci_of
    from headway.effects.site import Site

    ci = ci_of(Site(app.repo, app.policy, app.clock, app.progress, app.paths, app.index_folder, app.forge))
    tried = [(g.tag, ci.again(g.tag, g.run, g.files)) for g in wanted]
    return tuple((tag, why) for tag, why in tried if why is not None)
