"""What decisions and effects ask of the outside, as protocols. ``app.py`` is where they are filled."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from headway.model.build import Artifact
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.hub import Comment, Issue, Outcome, Person, Protection, Pull, PullCommit, Review, Written
from headway.model.release import ReleaseObject
from headway.model.text import Text


class Clock(Protocol):
    """Time is passed in; it is aware and in UTC."""

    def now(self) -> datetime: ...


class Recorder(Protocol):
    """Where effects report what they did."""

    def record(self, kind: Kind, train: str, payload: Mapping[str, Any]) -> Entry: ...


class Ledger(Protocol):
    """The append-only record."""

    def entries(self) -> tuple[Entry, ...]: ...

    def head(self) -> tuple[int, str]:
        """Number and digest of the last entry."""
        ...

    def append(self, at: datetime, actor: str, kind: Kind, train: str, payload: Mapping[str, Any]) -> Entry: ...

    def exclusively(self, who: str) -> AbstractContextManager[None]:
        """Hold the line's lock; raises ``LockHeld`` at once, with who holds it, when another process does."""
        ...


class Progress(Protocol):
    """Who watches. ``step`` names a point between two changes of the world: nothing is half done there."""

    def say(self, text: Text) -> None: ...

    def bar(self, what: Text, done: int, total: int) -> None: ...

    def step(self, name: str) -> None: ...


class Forge(Protocol):
    """Where release objects are kept. Each call may be repeated after it was killed: it completes what is there.

    All raise ``WorldFailed`` when the forge cannot be reached or written, or does not do as asked.
    """

    def draft_release(
        self,
        tag: str,
        commit: Sha,
        title: str,
        notes: str,
        assets: tuple[tuple[Path, Artifact], ...],
        *,
        prerelease: bool,
    ) -> ReleaseObject:
        """A draft of exactly these notes and assets (each a file and what it must be), as it was read back. Of notes
        that are longer than the forge takes it shows the beginning, and has all of them as an asset more.

        One that is there is brought up to this. A published one is not changed: it is returned when it is this, and
        ``WorldFailed`` (``forge.published``) is raised when it is not.
        """
        ...

    def publish_release(self, tag: str, *, latest: bool) -> ReleaseObject:
        """Show the draft to everybody, and lead people to it when it is the ``latest``; as it was read back."""
        ...

    def release(self, tag: str) -> ReleaseObject | None:
        """The object of a tag, draft or published, with its assets' digests as the forge holds them now."""
        ...


class Hub(Protocol):
    """Where people talk about changes: the same of GitHub, GitLab, Gitea and others.

    Reading: each call gives what is there now. Writing: each may be repeated after it was killed or its answer was
    lost; ``marker`` is a hidden line of what Headway writes, by which it finds its own again instead of writing it
    twice. All raise ``WorldFailed`` when the forge cannot be reached or does not do as asked.
    """

    def pulls(self, base: str) -> tuple[Pull, ...]:
        """The open pull requests onto a branch."""
        ...

    def milestone(self, title: str) -> tuple[Issue, ...]:
        """What carries a milestone, open and closed, issues and pull requests alike."""
        ...

    def pull(self, number: int) -> Pull | None: ...

    def commits(self, number: int) -> tuple[PullCommit, ...]:
        """Those of a pull request's branch, the oldest first; of very many not all (GitHub: 250)."""
        ...

    def issue(self, number: int) -> Issue | None: ...

    def comments(self, since: datetime) -> tuple[tuple[Comment, ...], bool]:
        """Of all issues and pull requests, those that were written or changed since, the oldest change first, as many
        as the forge lists at once; and whether there may be more, to be asked for from the last one's time."""
        ...

    def reviews(self, number: int) -> tuple[Review, ...]: ...

    def labels(self, numbers: frozenset[int], since: datetime) -> Mapping[int, tuple[str, ...]]:
        """The labels of closed pull requests, of those of these numbers that changed since."""
        ...

    def person(self, login: str, teams: tuple[str, ...]) -> Person:
        """What a person may do, and in which of these teams (``org/slug``) they are; of a team that cannot be seen
        nobody is one."""
        ...

    def protection(self, branch: str) -> Protection: ...

    def open_pull(self, marker: str, head: str, base: str, title: str, body: str, *, draft: bool) -> Written:
        """A pull request of a branch that is pushed; one from ``head`` onto ``base`` that is there is brought up to
        this, but for its draft state, which is its people's."""
        ...

    def close_pull(self, number: int) -> Written:
        """Close one that is open; one that is closed or merged stays as it is."""
        ...

    def write_issue(self, marker: str, number: int, title: str, body: str, *, open: bool) -> Written:
        """An issue of Headway's own, which holds ``marker``; ``number`` 0: it is looked for, and made when there is
        none."""
        ...

    def write_comment(self, marker: str, number: int, id: int, body: str) -> Written:
        """A comment that holds ``marker``; ``id`` 0: it is looked for among those of ``number``, and made when there
        is none. One that says something else is edited."""
        ...

    def write_check(
        self, commit: Sha, name: str, outcome: Outcome, title: str, summary: str, brief: str = "", url: str = ""
    ) -> Written:
        """The newest check of a name on a commit says this."""
        ...
