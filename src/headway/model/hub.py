"""What a forge says of the talk about changes: pull requests, issues, comments, checks. Everything is as read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from headway.model.commit import Sha

MARK = "<!-- headway:"  # begins the hidden line in every text that Headway writes, see ``headway.model.markdown``

APPROVED, CHANGES, DISMISSED = "approved", "changes_requested", "dismissed"  # states of a review that settle something


class Right(StrEnum):
    """What a person may do in the repository, by the forge's own word; each includes those before it."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"


class Outcome(StrEnum):
    """The answer of a check on a commit."""

    PASSED = "success"
    REFUSED = "failure"
    WAITS = "action_required"
    NOTHING = "neutral"


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request. ``merged`` is the commit that it became (``None``: it is not merged); ``head_repository`` is
    ``owner/name`` of where its branch lies (``""``: gone), which is another one for a fork."""

    number: int
    title: str
    body: str
    author: str
    base: str
    head: str
    head_sha: Sha
    head_repository: str
    open: bool
    draft: bool
    merged: Sha | None
    labels: tuple[str, ...]
    milestone: str
    updated: datetime
    url: str


@dataclass(frozen=True, slots=True)
class PullCommit:
    """A commit of a pull request's branch; ``message`` and ``authored`` are the author's, which a rebase keeps."""

    sha: Sha
    message: str
    authored: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue, or the issue side of a pull request (``is_pull``)."""

    number: int
    title: str
    body: str
    author: str
    open: bool
    is_pull: bool
    labels: tuple[str, ...]
    milestone: str
    updated: datetime
    url: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on issue or pull request ``number``. ``by_app``: a program wrote it, which commands nothing; ``own``:
    Headway did (its marker alone, which anybody can copy, does not make it so)."""

    id: int
    number: int
    author: str
    by_app: bool
    body: str
    created: datetime
    updated: datetime
    url: str
    own: bool = False

    @property
    def edited(self) -> bool:
        """What it says is not what it said when it was written."""
        return self.updated != self.created


@dataclass(frozen=True, slots=True)
class Review:
    """A review of a pull request on ``commit``; ``state`` in GitHub's words, lower case (``approved`` …)."""

    number: int
    author: str
    state: str
    commit: Sha
    submitted: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account: ``right`` in the repository; ``teams`` as ``org/slug``, of those that the policy
    names."""

    login: str
    right: Right
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Protection:
    """What the forge guards of a branch. ``None`` where it does not say."""

    branch: str
    protected: bool
    pull_only: bool | None = None
    force_pushes: bool | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Something of Headway's own on the forge, as it is there now. ``id`` is the forge's own number of it; ``number``
    the issue or pull request that it is or lies on (0: none)."""

    number: int
    id: int
    url: str


@dataclass(frozen=True, slots=True)
class HubWanted:
    """What has to be read for a tick.

    ``branches`` are live release branches; ``milestones`` maps a title to pull requests that need not be read, for they
    have their requests. ``pulls`` and ``issues``: those that Headway keeps, by number; ``left`` maps a branch to those
    of its pull requests that are read only if they are open. ``since``: from when on comments are read (``None``: not
    at all); a line that begins with one of ``commands`` (lower case) may be one, and who wrote it is asked for, with
    ``teams`` (``org/slug``), where the comment's id is not ``answered``.
    ``reviews``: whether anybody looks at those of pull requests onto ``branches``; ``pushed``: branches
    that are about to be pushed to, whose protection is asked for.
    """

    branches: tuple[str, ...] = ()
    milestones: Mapping[str, frozenset[int]] = field(default_factory=dict)
    pulls: tuple[int, ...] = ()
    left: Mapping[str, frozenset[int]] = field(default_factory=dict)
    issues: tuple[int, ...] = ()
    since: datetime | None = None
    commands: tuple[str, ...] = ()
    answered: frozenset[int] = frozenset()
    teams: tuple[str, ...] = ()
    reviews: bool = True
    pushed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HubSeen:
    """What was read for one tick.

    ``pulls``: open ones onto live release branches, those that carry a milestone of a live train and have no request
    yet, and those that Headway opened. ``issues``: those that Headway keeps, by number. ``comments``: not by programs
    nor Headway's own, in the order in which they were written, of the time since the last tick that read them.
    ``reviews`` of the open pull requests onto release branches and of Headway's own that were merged (not
    ``reviewed``: they were not read), ``people`` who wrote what may be a command or asked for changes, ``protections``
    of branches about to be pushed to. ``bodies``: what those of Headway's own comments say that changed in that time,
    by their id. ``milestones``: each that was read to the numbers of all pull requests in it. ``upto``: all that was
    said before is in ``comments`` (``None``: none was read), by the forge's clock. ``whole``: nothing was left over for
    the next tick; else what is not here may be there all the same. ``unheard``: comments are among that. ``failed``:
    why it could not be read; then nothing else is known; ``limited``: it asked to come back later.
    """

    pulls: tuple[Pull, ...] = ()
    issues: tuple[Issue, ...] = ()
    comments: tuple[Comment, ...] = ()
    reviews: tuple[Review, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    protections: tuple[Protection, ...] = ()
    bodies: Mapping[int, str] = field(default_factory=dict)
    milestones: Mapping[str, frozenset[int]] = field(default_factory=dict)
    upto: datetime | None = None
    whole: bool = True
    unheard: bool = False
    reviewed: bool = True
    failed: str = ""
    limited: bool = False

    def pull(self, number: int) -> Pull | None:
        return next((p for p in self.pulls if p.number == number), None)

    def issue(self, number: int) -> Issue | None:
        return next((i for i in self.issues if i.number == number), None)
