"""What saving and loading share: the branch, the lock, and what a saved ledger has to continue."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from headway.app import ACTOR, Headway
from headway.effects.pushing import shown
from headway.effects.statebranch import Saved, StateBranch
from headway.errors import BrokenInvariant
from headway.history.repository import remotes
from headway.model.commit import Sha
from headway.model.entry import GENESIS, Entry
from headway.model.text import facts, say
from headway.resolving import KEPT

SCHEMA = 1
ABOUT, LEDGER, MEASURED = (PurePosixPath(n) for n in ("state.json", "ledger.db", "measurements.db"))


def state_branch(app: Headway, remote: str, branch: str) -> StateBranch:
    """The branch, on a remote (its name, URL, or path from where one stands) or the policy's own. The project's own is
    reached as a tick reaches it, with the App or the token; any other by git's credentials alone."""
    named = remote or app.policy.forge.remote
    if "://" not in named and named not in remotes(app.repo) and Path(named).is_dir():
        named = str(Path(named).resolve())
    own = app.remote
    url = f"{own.access.host}/{app.policy.project.repository}" if own is not None else ""
    if own is not None and (named == own.name or named.removesuffix(".git").lower() == url.lower()):
        return StateBranch(app.repo, named, branch, KEPT, replace(own, name=named).env)
    return StateBranch(app.repo, named, branch, KEPT)


def continues(entries: Sequence[Entry], saves: Sequence[Saved], at: StateBranch) -> None:
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


def gone(at: StateBranch, known: Sha | None) -> BrokenInvariant:
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


def head_of(entries: Sequence[Entry]) -> str:
    return entries[-1].digest if entries else GENESIS


@contextmanager
def alone(app: Headway) -> Iterator[None]:
    """No tick works meanwhile."""
    app.need_policy()
    with app.writing.exclusively(f"{app.person or ACTOR} on {socket.gethostname()} (state)"):
        yield


@contextmanager
def aside_of(app: Headway) -> Iterator[Path]:
    """A folder that goes when it is over; a tick sweeps away what a kill leaves."""
    app.repo.state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="export-", dir=app.repo.state) as folder:
        yield Path(folder)
