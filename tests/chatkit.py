"""Comments on a real project: a train that is cut, people with their rights, and the inbox that reads them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from gitmaker import GitMaker
from trainkit import CUT, PICKS, Project, grow_trunk, make_project, open_at

from headway.app import Headway
from headway.inbox import answer_mail
from headway.model.entry import Entry, Kind
from headway.model.hub import Comment, HubSeen, Person, Pull, PullCommit, Right
from headway.model.ports import Hub
from headway.policy.schema import Policy

VERSION = "0.1.1"
REGRESSION = "/pick v0.1.1 regression it counts one too few --good v0.1.0 --bad main"
PEOPLE = {
    "ada": Person("ada", Right.WRITE),
    "rosa": Person("rosa", Right.MAINTAIN),
    "root": Person("root", Right.ADMIN),
    "eve": Person("eve", Right.READ),
}


@dataclass
class Forge:
    """Pull requests and people that the inbox asks for, and the branches that it had fetched."""

    pulls: dict[int, Pull] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=lambda: dict(PEOPLE))
    asked: list[str] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)
    pulled: dict[int, tuple[PullCommit, ...]] = field(default_factory=dict)

    def bring(self, branch: str) -> None:
        self.brought.append(branch)

    def commits(self, number: int) -> tuple[PullCommit, ...]:
        return self.pulled.get(number, ())

    def pull(self, number: int) -> Pull | None:
        return self.pulls.get(number)

    def person(self, login: str, teams: tuple[str, ...]) -> Person:
        self.asked.append(login)
        return self.people.get(login, Person(login, Right.READ))


@dataclass
class Chat:
    """One project and what was written about it so far."""

    project: Project
    forge: Forge
    talk: dict[str, Any]
    comments: list[Comment] = field(default_factory=list)
    at: datetime = PICKS

    @property
    def app(self) -> Headway:
        app = open_at(self.project.path, self.at)
        return replace(app, policy=_github(app.policy, self.talk))

    @property
    def plain(self) -> Policy:
        """The policy without the forge, by which a tick goes on alone."""
        return open_at(self.project.path, self.at).policy

    def pull(self, number: int, merged: str | None = None, **how: Any) -> Pull:
        made = Pull(
            number=number,
            title=f"Change {number}",
            body="",
            author="ada",
            base="main",
            head=f"change-{number}",
            head_sha=merged or "e" * 40,
            head_repository="toy/kit",
            open=merged is None,
            draft=False,
            merged=merged,
            labels=(),
            milestone="",
            updated=PICKS,
            url=f"https://github.example/toy/kit/pull/{number}",
        )
        self.forge.pulls[number] = replace(made, **how)
        return self.forge.pulls[number]

    def write(self, body: str, number: int = 4, by: str = "ada", **how: Any) -> Comment:
        n = 100 + len(self.comments)
        # The forge's clock is two days ahead of this host's.
        when = PICKS + timedelta(days=2, minutes=n)
        url = f"https://github.example/toy/kit/issues/{number}#issuecomment-{n}"
        self.comments.append(replace(Comment(n, number, by, False, body, when, when, url), **how))
        return self.comments[-1]

    def seen(self, comments: Iterable[Comment] | None = None) -> HubSeen:
        return HubSeen(
            pulls=tuple(p for p in self.forge.pulls.values() if p.milestone),
            comments=tuple(self.comments if comments is None else comments),
            milestones={"v0.1.1 cherry picks": frozenset(p.number for p in self.forge.pulls.values() if p.milestone)},
        )

    def tick(self, comments: Iterable[Comment] | None = None) -> tuple[Entry, ...]:
        return self.tick_seen(self.seen(comments))

    def tick_seen(self, seen: HubSeen) -> tuple[Entry, ...]:
        return answer_mail(self.app, cast(Hub, self.forge), seen, self.forge.bring)

    def say(self, body: str, number: int = 4, by: str = "ada", **how: Any) -> Entry:
        """Write a comment, have it read, and give its answer."""
        comment = self.write(body, number, by, **how)
        (entry,) = [e for e in self.tick() if e.payload["comment"] == comment.id]
        return entry

    def made(self, *kinds: Kind) -> list[Entry]:
        """What comments and milestones brought about, answers left out."""
        found = [e for e in self.app.entries() if e.payload.get("via")]
        return [e for e in found if not kinds or e.kind in kinds]


def _github(policy: Policy, talk: dict[str, Any]) -> Policy:
    """The policy with a forge; nothing of it is reached."""
    known = policy.model_dump(mode="json", by_alias=True)
    known["forge"] |= {"kind": "github"}
    for key, value in talk.items():
        table, _, name = key.rpartition("__")
        known[table or "talk"] |= {name: value}
    return Policy.model_validate(known)


def copy_chat(chat: Chat, folder: Path, **talk: Any) -> Chat:
    """The same project and pull requests in a repository of their own."""
    shutil.copytree(chat.project.path, folder)
    made = GitMaker(folder, bare=True)
    made.now = chat.project.made.now
    project = Project(made, folder, dict(chat.project.shas))
    return Chat(project, Forge(dict(chat.forge.pulls)), talk)


def make_chat(folder: Path, **talk: Any) -> Chat:
    """A train that is cut, with the trunk grown since; #4 to #7 are merged pull requests, #8 is a fork's and is not."""
    project = make_project(folder)
    app = open_at(project.path, CUT)
    while not any(e.kind is Kind.CUT for e in app.entries()):
        app.tick()
    grow_trunk(project)
    chat = Chat(project, Forge(), talk)
    for number, name in ((4, "fix"), (5, "docs"), (6, "feature"), (7, "on-feature")):
        chat.pull(number, project.shas[name])
    chat.pull(8, head_sha=project.shas["unmerged"], author="eve", head_repository="eve/kit")
    return chat
