"""A toy project on the tests' GitHub, people who talk there, and a clone of Headway's that hears them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from githubfake import APP_ID, NAME, OWNER, FakeGitHub, app_key, serving
from githubgit import git_url
from gitmaker import HOUR, GitMaker
from trainkit import CUT, FIX, Project, make_project, open_at

from headway.app import Headway
from headway.github import transport
from headway.model.entry import Entry, Kind

BOT = "headway[bot]"
VERSION = "0.1.1"
LINE = "releases/v0.1.1"
PORTS = {"now": (0, 0, 0)}  # kept from one GitHub to the next, so that its address is the same


@dataclass
class Town:
    """``github`` is the repository there, where people commit; ``clone`` Headway's; ``now`` what its clock says."""

    folder: Path
    fake: FakeGitHub
    there: Project
    now: datetime = CUT
    pulls: dict[str, int] = field(default_factory=dict)

    @property
    def clone(self) -> Path:
        return self.folder / "clone.git"

    @property
    def state(self) -> Path:
        return self.clone / "headway"

    @property
    def app(self) -> Headway:
        return open_at(self.clone, self.now)

    def at(self, now: datetime) -> None:
        """Both clocks go on."""
        self.now = now
        self.fake.now = max(self.fake.now, now)

    def entries(self, *kinds: Kind) -> list[Entry]:
        return [e for e in self.app.entries() if not kinds or e.kind in kinds]

    def merged(self, name: str, title: str, files: dict[str, str | None], by: str = "ada") -> int:
        """A pull request that somebody made and rosa merged, squashed."""
        made = self.there.made
        made.now = max(made.now, self.fake.now) + HOUR
        made.branch(name, "main")
        made.commit(title, files, branch=name)
        self.fake.now = max(self.fake.now, made.now)
        number = self.fake.pulls.open(by, name, "main", title).number
        self.there.shas[name] = self.fake.pulls.merge(number, "rosa")
        made.run("branch", "-D", name)
        self.pulls[name] = number
        return number

    def says(self, login: str, number: int, body: str) -> int:
        return self.fake.talk.comment(login, number, body).id

    def answers(self, number: int) -> list[str]:
        """What Headway wrote under an issue or pull request."""
        return [n.body for n in self.fake.talk.notes.values() if n.number == number and n.author == BOT]

    def tracker(self, version: str = VERSION) -> int:
        """The number of a train's issue."""
        mine = [t for t in self.fake.talk.threads.values() if t.pull is None and t.title == f"Release v{version}"]
        assert len(mine) == 1, [t.title for t in self.fake.talk.threads.values()]
        return mine[0].number


def policy_text(fake: FakeGitHub, there: Project, more: str = "") -> str:
    text = there.git("show", "main:release.toml")
    text = text.replace('name = "toykit"', f'name = "toykit"\nrepository = "{OWNER}/{NAME}"')
    return text.replace('[forge]\npath = ""', f'[forge]\nkind = "github"\napi_url = "{fake.api}"') + more


def app_env() -> dict[str, str]:
    """The environment of a Headway that is an App."""
    return {"HEADWAY_APP_ID": str(APP_ID), "HEADWAY_APP_KEY": app_key()}


def people(fake: FakeGitHub) -> None:
    fake.talk.first = 4  # the project has three already
    for login, right in (("ada", "write"), ("rosa", "maintain"), ("root", "admin"), ("mallory", "read")):
        fake.person(login, right)


@contextmanager
def town(folder: Path, more: str = "") -> Iterator[Town]:
    """The project before its cut, and what landed since the last release; nothing is known of any GitHub before."""
    transport._TOKENS.clear()
    there = make_project(folder / "github.git")
    with serving(there.path, ports=PORTS["now"]) as fake:
        PORTS["now"] = fake.ports  # type: ignore[assignment]
        people(fake)
        GitMaker.run(there.made, "clone", "-q", "--bare", git_url(fake), str(folder / "clone.git"), cwd=folder)
        state = folder / "clone.git" / "headway"
        state.mkdir()
        (state / "release.toml").write_text(policy_text(fake, there, more))
        yield Town(folder, fake, there)


def land(town: Town) -> None:
    """What lands on the trunk after the cut: a fix, documents, a feature, a revert of what the cut has."""
    town.merged("fix", "[Bugfix] Count all of them", {"toykit/count.py": FIX})
    town.merged("docs", "[Doc] How to install", {"docs/install.md": "pip install toykit\n"})
    coloured = "def parse(text, colour=None):\n    words = text.split()\n    return words, colour\n"
    town.merged("feature", "[Feature] Colours", {"toykit/parse.py": coloured})
    town.there.shas["revert"] = town.there.made.revert(town.there.shas["table"])
