"""The ledger and what goes with it, carried from one machine to the next on a branch of the project's repository.

A runner of a CI begins with an empty disk: it loads, works and saves. The branch is Headway's own; the ledger in it has
to continue the one of every save before (G4), and a save never goes over one that was not loaded.
"""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from headway.app import ACTOR, Headway
from headway.decide import carried as rules
from headway.decide.trains import today
from headway.effects.pushing import shown
from headway.effects.refs import IDENTITY
from headway.effects.statebranch import Saved, StateBranch, carried, fits
from headway.errors import BrokenInvariant, UnusableInput
from headway.files import write_whole
from headway.ledger.bundle import check_path
from headway.ledger.carried import copy_of, is_copy_of, put_back
from headway.ledger.place import SqliteFile, place_of
from headway.model.commit import Sha
from headway.model.entry import GENESIS, Entry
from headway.model.text import Text, facts, say
from headway.resolving import KEPT

_SCHEMA = 1
_ABOUT, _LEDGER, _MEASURED = (PurePosixPath(n) for n in ("state.json", "ledger.db", "measurements.db"))
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


def state_branch(app: Headway, remote: str, branch: str) -> StateBranch:
    """The branch, on a remote or the policy's own."""
    return StateBranch(app.repo, remote or app.policy.forge.remote, branch, KEPT)


# Saving ------------------------------------------------------------------------------------------------------------


def save(app: Headway, at: StateBranch) -> Kept:
    """Put what a train needs to go on onto the branch. Nothing is pushed when it is there already.

    Raises ``UnusableInput``: ``state.embargoed``, ``state.too-large``, ``state.not-loaded``; ``BrokenInvariant``
    (``ledger.broken``, ``state.diverged``); ``WorldFailed`` (``state.moved``, ``state.gone``, ``state.refused``).
    """
    with _alone(app), _aside(app) as aside:
        entries = app.sound_entries()
        _nothing_hidden(app, entries, at)
        before = _base(at)
        if before is not None:
            _continues(entries, at.saves(before)[:1], at)
        app.progress.say(say("saving the state on {branch}", branch=at.branch))
        blobs = {name: at.blob(path) for name, path in _files(app, entries, aside)}
        if before is not None and _weighty(at.files(before)) == _weighty(blobs):
            commit = before
        else:
            commit = at.commit(blobs, before, len(entries), _head(entries), app.clock.now())
        if commit != before:
            app.progress.step("state:push")
            at.push(commit, before)
            app.progress.step("state:pushed")
    names = tuple(str(name) for name in sorted(blobs))
    return Kept(at.branch, commit, commit != before, len(entries), _head(entries), names)


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
        raise _gone(at, known)
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
    about = aside / _ABOUT
    about.write_text(json.dumps({"schema": _SCHEMA}) + "\n", "utf-8")
    yield _ABOUT, about
    databases = {_LEDGER: place.path} if isinstance(place, SqliteFile) else {}
    if not policy.ledger.url:
        databases[_MEASURED] = root / _MEASURED
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
    hidden = rules.embargoed(entries, today(app.policy, app.clock.now()))
    if hidden:
        raise UnusableInput(
            "state.embargoed",
            say("a request is under embargo, and everybody who reads the repository reads {branch}", branch=at.branch),
            clause="P8",
            facts=facts(requests=[e.seq for e in hidden]),
            remedy=say("nothing was pushed; release it from a machine of your own, or keep the ledger in PostgreSQL"),
        )


# Loading -----------------------------------------------------------------------------------------------------------


def load(app: Headway, at: StateBranch, *, begin: bool = False) -> Loaded:
    """Bring what was saved last. Where entries were made here since, what is here stays.

    ``begin``: a repository in which Headway made tags may have no state yet. Raises ``WorldFailed`` (``state.gone``,
    ``state.unread``); ``UnusableInput`` (``state.no-state``, ``state.newer``, ``state.unsaved``); ``BrokenInvariant``
    (``state.altered``, ``state.rewound``, ``state.diverged``).
    """
    with _alone(app), _aside(app) as aside:
        entries = app.sound_entries()
        commit = at.fetched()
        if commit is None:
            _may_begin(app, at, entries, begin)
            return Loaded(at.branch, None, Standing.BEGUN, len(entries), _head(entries))
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
    return Loaded(at.branch, commit, standing, len(entries), _head(entries), _given_again(app, entries))


def _may_begin(app: Headway, at: StateBranch, entries: tuple[Entry, ...], begin: bool) -> None:
    """A branch that is not there is a first run, or was deleted: then what was done would be done again."""
    if at.known is not None:
        raise _gone(at, at.known)
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


def _gone(at: StateBranch, known: Sha | None) -> BrokenInvariant:
    return BrokenInvariant(
        "state.gone",
        say("{branch} was deleted", branch=at.branch),
        clause="G4",
        facts=facts(branch=at.branch, known=known),
        remedy=say(
            "put it back: `git push {remote} {known}:refs/heads/{branch}`",
            known=known,
            branch=at.branch,
            remote=shown(at.remote),
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
    schema = _schema_of(at.data(files[_ABOUT])) if _ABOUT in files else None
    if schema is None:
        raise _altered(at, saves[0], (f"{_ABOUT} is not what a save wrote",))
    if schema != _SCHEMA:
        raise UnusableInput(
            "state.newer",
            say(
                "{branch} has the format {schema}, this Headway reads {own}",
                branch=at.branch,
                schema=schema,
                own=_SCHEMA,
            ),
            remedy=say("install a newer Headway"),
        )
    if not isinstance(place_of(app.ledger_place), SqliteFile) or _LEDGER not in files:
        _continues(app.entries(), saves, at)
        return None
    (aside / _LEDGER).write_bytes(at.data(files[_LEDGER]))
    checked = check_path(aside / _LEDGER)
    if checked.problems:
        raise _altered(at, saves[0], checked.problems)
    _continues(checked.entries, saves, at)
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


def _continues(entries: Sequence[Entry], saves: Sequence[Saved], at: StateBranch) -> None:
    """Raises ``BrokenInvariant`` (``state.diverged``) unless every save's last entry is among these."""
    for s in saves:
        if s.entries and (len(entries) < s.entries or entries[s.entries - 1].digest != s.head):
            raise BrokenInvariant(
                "state.diverged",
                say("the ledger does not continue the one that was saved as {commit}", commit=s.commit[:12]),
                clause="G4",
                facts=facts(branch=at.branch, save=s.commit, entries=s.entries, head=s.head, here=len(entries)),
                remedy=say(
                    "nothing was changed; a ledger is only ever continued: keep both, and find out which is whose"
                ),
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
            facts=facts(branch=at.branch, here=_head(here), saved=_head(saved)),
            remedy=say("nothing was changed; a ledger is only ever continued: keep both, and find out which is whose"),
        )
    if len(here) == len(saved) and here:
        return Standing.SAME
    return Standing.AHEAD if len(here) > len(saved) else Standing.TAKEN


def _measured_here(app: Headway, at: StateBranch, files: dict[PurePosixPath, Sha], aside: Path) -> None:
    """Raises ``UnusableInput`` (``state.unsaved``) for measurements that were taken here and never saved."""
    store = app.repo.state / _MEASURED
    if app.policy.ledger.url or not store.exists():
        return
    known = at.files(at.known).get(_MEASURED) if at.known else None
    if is_copy_of(store, aside / "here.db", [at.data(b) for b in {known, files.get(_MEASURED)} if b]):
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
        plain = path.parent not in whole and path not in {_ABOUT, _LEDGER, _MEASURED}
        if plain and (taken or not (root / path).exists()):
            write_whole(root / path, at.data(blob))
    if taken:
        for left in (p for f in rules.FLAT for p in (root / f).glob("*.json" if f == "dispatches" else "*")):
            if PurePosixPath(left.relative_to(root)) not in files and left.is_file():
                left.unlink()
    app.progress.step("state:placed")
    place = place_of(app.ledger_place)
    if _MEASURED in files and not app.policy.ledger.url and (taken or not (root / _MEASURED).exists()):
        (aside / _MEASURED).write_bytes(at.data(files[_MEASURED]))
        put_back(aside / _MEASURED, root / _MEASURED)
        app.progress.step("state:measurements")
    if taken and isinstance(place, SqliteFile) and _LEDGER in files:
        put_back(aside / _LEDGER, place.path)
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
    from headway.effects.github_builder import GitHubBuilder
    from headway.effects.site import Site
    from headway.github.client import github_at

    forge = app.policy.forge
    site = Site(app.repo, app.policy, app.clock, app.progress, app.paths, app.index_folder, app.forge)
    ci = GitHubBuilder(site, github_at(forge.api_url, app.policy.project.repository, forge.token_env))
    tried = [(g.tag, ci.again(g.tag, g.run, g.files)) for g in wanted]
    return tuple((tag, why) for tag, why in tried if why is not None)


# Both --------------------------------------------------------------------------------------------------------------


def _head(entries: Sequence[Entry]) -> str:
    return entries[-1].digest if entries else GENESIS


@contextmanager
def _alone(app: Headway) -> Iterator[None]:
    """No tick works meanwhile."""
    app.need_policy()
    with app.writing.exclusively(f"{app.person or ACTOR} on {socket.gethostname()} (state)"):
        yield


@contextmanager
def _aside(app: Headway) -> Iterator[Path]:
    """A folder that goes when it is over; a tick sweeps away what a kill leaves."""
    app.repo.state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="export-", dir=app.repo.state) as folder:
        yield Path(folder)
