"""The world at one moment: all that a decision may know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from headway.model.build import CiChecks, CiRuns, PublishedFile
from headway.model.commit import Commit, Line, Revert, Sha, Tag
from headway.model.entry import Entry
from headway.model.hub import HubSeen
from headway.model.image import ImageRead
from headway.model.measurement import Comparison
from headway.model.noted import Noted
from headway.model.once import once
from headway.model.pick import Copy, Trial
from headway.model.pulled import Pulled
from headway.model.remote import Remembered


@dataclass(frozen=True, slots=True)
class Trunk:
    """The trunk: the ref as named, its tip, and its newest first-parent commits (oldest first)."""

    ref: str
    tip: Sha
    commits: tuple[Commit, ...]


@once
def places(trunk: Trunk) -> Mapping[Sha, int]:
    """Where each of its commits stands in it."""
    return {c.sha: i for i, c in enumerate(trunk.commits)}


@dataclass(frozen=True, slots=True)
class PrivateBranch:
    """A branch of embargoed picks: its tip, that commit's tree, the commits it has over where it left the release
    branch (``base``), and whether others than Headway wrote any of them."""

    tip: Sha
    tree: Sha
    base: Sha
    count: int
    strange: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Facts only. Everything is as read; nothing is concluded here.

    ``bases`` maps the commits of recent releases to where their branches left the trunk; ``trials`` a branch to how
    what is pending on it applied, ``alone`` how on its tip without the others, where each gets a pull request;
    ``copies`` its commits that say they hold a change, and its merges, that no entry accounts for to what git knows of
    them; ``elsewhere`` a release branch that only a remote has to its ref there; ``private`` a
    release branch to its branch of embargoed picks; ``repaid`` changes that were released first to the trunk commits
    that have them by now; ``images`` the (name, tag) of container images that were looked for to what was found;
    ``builds`` the tag of a candidate that a CI builds to the runs seen of it; ``checks`` a commit to the CI checks that
    gates wait for; ``noted`` a train to what its notes need to know, where that was read; ``withheld`` versions that a
    person has to yank by hand to whether the index withholds
    them; ``host`` the wheel tags that this host installs, the most specific first; ``hub`` what the forge says of pull
    requests, issues and comments, ``None`` where the policy has no such forge or it was not asked; ``pulled`` a pull
    request onto a live release branch to what it would bring, where that is in the clone; ``remote`` the project's own
    repository there as it was when it was followed last (``tags`` are its tags then).
    """

    now: datetime
    trunk: Trunk
    tags: tuple[Tag, ...]
    lines: tuple[Line, ...]
    reverts: tuple[Revert, ...]
    entries: tuple[Entry, ...]
    index: tuple[PublishedFile, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    bases: Mapping[Sha, Sha] = field(default_factory=dict)
    trials: Mapping[str, tuple[Trial, ...]] = field(default_factory=dict)
    copies: Mapping[Sha, Copy] = field(default_factory=dict)
    checked_out: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    alone: Mapping[str, tuple[Trial, ...]] = field(default_factory=dict)
    private: Mapping[str, PrivateBranch] = field(default_factory=dict)
    repaid: Mapping[Sha, Sha] = field(default_factory=dict)
    images: Mapping[tuple[str, str], ImageRead] = field(default_factory=dict)
    builds: Mapping[str, CiRuns] = field(default_factory=dict)
    checks: Mapping[Sha, CiChecks] = field(default_factory=dict)
    noted: Mapping[str, Noted] = field(default_factory=dict)
    withheld: Mapping[str, bool] = field(default_factory=dict)
    host: tuple[str, ...] = ("py3-none-any",)
    hub: HubSeen | None = None
    pulled: Mapping[int, Pulled] = field(default_factory=dict)
    remote: Remembered | None = None

    def line(self, branch: str) -> Line | None:
        return next((x for x in self.lines if x.branch == branch), None)

    def trunk_since(self, release: Sha | None, upto: Sha) -> tuple[Commit, ...]:
        """Trunk commits after a release left the trunk, up to ``upto`` (included); all known ones for no release."""
        shas = [c.sha for c in self.trunk.commits]
        base = self.bases.get(release) if release else None
        start = shas.index(base) + 1 if base in shas else 0
        end = shas.index(upto) + 1 if upto in shas else 0
        return self.trunk.commits[start:end]

    def tag(self, name: str) -> Tag | None:
        return next((t for t in self.tags if t.name == name), None)
