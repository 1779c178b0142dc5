"""A forge on paper, and Headway's adapter for it: what people say lies in one file of a folder, beside the repository.

It is a package of its own that ``installed`` puts into a folder with its metadata, as an installer would: Headway finds
it by its entry point alone. ``Paper`` is the forge itself, with what people do there.
"""

from __future__ import annotations

import hmac
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headway.effects.forge_folder import FolderForge
from headway.errors import BudgetSpent, UnusableInput, WorldFailed
from headway.model.build import CiCheck
from headway.model.finding import Check
from headway.model.forgeport import Delivery, GitAccess, Headers
from headway.model.hub import (
    MARK,
    Comment,
    Issue,
    Outcome,
    Person,
    Protection,
    Pull,
    PullCommit,
    Review,
    Right,
    Written,
)
from headway.model.ports import Clock, Forge, Hub
from headway.model.text import say
from headway.policy.schema import Policy

ME, PAGE = "headway-on-paper", 20
FOLDER, KEY = "PAPER_FOLDER", "PAPER_KEY"
Row = dict[str, Any]


# The forge ---------------------------------------------------------------------------------------------------------


@dataclass
class Paper:
    """``folder/paper.json`` is all that was said; ``folder/<owner>/<name>.git`` the repository."""

    folder: Path

    def read(self) -> Row:
        path = self.folder / "paper.json"
        empty: Row = {"now": "2025-01-01T00:00:00+00:00", "next": 1, "people": {}, "threads": {}, "notes": {}}
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {**empty, "checks": {}}

    def write(self, said: Row) -> None:
        new = self.folder / "paper.json.new"
        new.write_text(json.dumps(said, indent=1), "utf-8")
        new.replace(self.folder / "paper.json")

    @contextmanager
    def changing(self) -> Iterator[tuple[Row, str]]:
        """All of it, and the time of the change: no two are at one time."""
        said = self.read()
        said["now"] = (datetime.fromisoformat(said["now"]) + timedelta(seconds=1)).isoformat()
        yield said, said["now"]
        self.write(said)

    def at(self, now: datetime) -> None:
        said = self.read()
        said["now"] = max(said["now"], now.isoformat())
        self.write(said)

    def person(self, login: str, right: str) -> None:
        with self.changing() as (said, _):
            said["people"][login] = right

    def thread(self, login: str, title: str, body: str, pull: Row | None = None, *, draft: bool = False) -> int:
        with self.changing() as (said, now):
            number = int(said["next"])
            said["next"] = number + 1
            more = {"open": True, "draft": draft, "pull": pull, "updated": now}
            said["threads"][str(number)] = {"title": title, "body": body, "author": login, **more}
        return number

    def note(self, login: str, number: int, body: str) -> int:
        with self.changing() as (said, now):
            id = int(said["next"])
            said["next"] = id + 1
            about = {"number": number, "author": login, "created": now}
            said["notes"][str(id)] = {**about, "body": body, "updated": now}
        return id

    def change(self, what: str, id: int, **values: Any) -> None:
        """A thread or a note; nothing where it is so already."""
        row = self.read()[what][str(id)]
        if any(row[k] != v for k, v in values.items()):
            with self.changing() as (said, now):
                said[what][str(id)] |= {**values, "updated": now}

    def tip(self, repository: str, branch: str) -> str:
        asked = ("git", "-C", str(self.folder / f"{repository}.git"), "rev-parse", f"refs/heads/{branch}")
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


# The adapter -------------------------------------------------------------------------------------------------------

_TICK: ContextVar[PaperAsking | None] = ContextVar("tick", default=None)


@dataclass
class PaperAsking:
    """A tick's: adapters are made anew within it, so it is theirs together."""

    budget: int | None
    spent: int = 0

    @property
    def used_up(self) -> bool:
        return self.budget is not None and self.spent >= self.budget

    @contextmanager
    def sparing(self) -> Iterator[None]:
        whole = self.budget
        self.budget = whole - whole // 4 if whole is not None else None
        yield
        self.budget = whole

    def count(self) -> None:
        if self.used_up:
            raise BudgetSpent("paper.budget", say("the paper is turned no more"), remedy=say("tick again"))
        self.spent += 1


@dataclass
class PaperHub:
    paper: Paper
    repository: str

    def _said(self) -> Row:
        if (tick := _TICK.get()) is not None:
            tick.count()
        if not (self.paper.folder / f"{self.repository}.git").is_dir():
            raise WorldFailed("paper.gone", say("there is no such paper"), remedy=say("look for it"))
        return self.paper.read()

    def _url(self, number: int, note: int = 0) -> str:
        return f"https://paper.example/{self.repository}/{number}" + (f"#{note}" if note else "")

    def _issue(self, number: int, row: Row) -> Issue:
        at, pull = datetime.fromisoformat(row["updated"]), row["pull"] is not None
        return Issue(number, row["title"], row["body"], row["author"], row["open"], pull, (), "", at, self._url(number))

    def _pull(self, number: int, row: Row) -> Pull:
        i, p = self._issue(number, row), row["pull"]
        sha = self.paper.tip(self.repository, p["head"]) if i.open else p["sha"]
        who = (i.number, i.title, i.body, i.author, p["base"], p["head"], sha, self.repository)
        return Pull(*who, i.open, row["draft"], p["merged"], i.labels, "", i.updated, i.url)

    def _threads(self) -> dict[int, Row]:
        return {int(n): row for n, row in self._said()["threads"].items()}

    def pulls(self, base: str) -> tuple[Pull, ...]:
        found = (self._pull(n, r) for n, r in self._threads().items() if r["pull"] and r["open"])
        return tuple(p for p in found if p.base == base)

    def milestone(self, title: str) -> tuple[Issue, ...]:
        return ()

    def pull(self, number: int) -> Pull | None:
        row = self._threads().get(number)
        return self._pull(number, row) if row is not None and row["pull"] else None

    def issue(self, number: int) -> Issue | None:
        row = self._threads().get(number)
        return self._issue(number, row) if row is not None else None

    def comments(self, since: datetime) -> tuple[tuple[Comment, ...], bool]:
        rows = ((int(i), r) for i, r in self._said()["notes"].items())
        found = sorted((c for i, r in rows if (c := self._comment(i, r)).updated >= since), key=lambda c: c.updated)
        return tuple(found[:PAGE]), len(found) > PAGE

    def _comment(self, id: int, row: Row) -> Comment:
        made, changed = (datetime.fromisoformat(row[k]) for k in ("created", "updated"))
        own = row["author"] == ME and MARK in row["body"]
        url = self._url(row["number"], id)
        return Comment(id, row["number"], row["author"], False, row["body"], made, changed, url, own)

    def commits(self, number: int) -> tuple[PullCommit, ...]:
        return ()

    def reviews(self, number: int) -> tuple[Review, ...]:
        return ()

    def labels(self, numbers: frozenset[int], since: datetime) -> Mapping[int, tuple[str, ...]]:
        return {}

    def person(self, login: str, teams: tuple[str, ...]) -> Person:
        return Person(login, Right(self._said()["people"].get(login, "none")))

    def protection(self, branch: str) -> Protection:
        return Protection(branch, protected=False, pull_only=False, force_pushes=True)

    def open_pull(self, marker: str, head: str, base: str, title: str, body: str, *, draft: bool) -> Written:
        number = next((p.number for p in self.pulls(base) if p.head == head), 0)
        if number:
            self.paper.change("threads", number, title=title, body=body)
        else:
            sha = self.paper.tip(self.repository, head)
            pull = {"head": head, "base": base, "sha": sha, "merged": None}
            number = self.paper.thread(ME, title, body, pull, draft=draft)
        return Written(number, number, self._url(number))

    def close_pull(self, number: int) -> Written:
        self.paper.change("threads", number, open=False)
        return Written(number, number, self._url(number))

    def write_issue(self, marker: str, number: int, title: str, body: str, *, open: bool) -> Written:
        threads = self._threads()
        mine = [n for n, r in threads.items() if r["author"] == ME and marker in r["body"] and not r["pull"]]
        number = number if number in threads else next(iter(mine), 0)
        number = number or self.paper.thread(ME, title, body)
        self.paper.change("threads", number, title=title, body=body, open=open)
        return Written(number, number, self._url(number))

    def write_comment(self, marker: str, number: int, id: int, body: str) -> Written:
        notes = {int(i): r for i, r in self._said()["notes"].items() if r["number"] == number and r["author"] == ME}
        id = id if id in notes else next((i for i, r in notes.items() if marker in r["body"]), 0)
        id = id or self.paper.note(ME, number, body)
        self.paper.change("notes", id, body=body)
        return Written(number, id, self._url(number, id))

    def write_check(
        self, commit: str, name: str, outcome: Outcome, title: str, summary: str, brief: str = "", url: str = ""
    ) -> Written:
        with self.paper.changing() as (said, now):
            said["checks"][f"{commit} {name}"] = [outcome, title, summary, now]
        return Written(0, 1, self._url(0))


@dataclass(frozen=True)
class PaperWebhooks:
    """A line signed as ``X-Paper-Signature: hmac``."""

    most_bytes: int = 1000

    def claims(self, headers: Headers) -> bool:
        return len(headers.get("x-paper-signature", ())) == 1

    def signed(self, headers: Headers, body: bytes, secret: str) -> bool:
        signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
        return hmac.compare_digest(signature.encode(), headers["x-paper-signature"][0].encode("utf-8", "replace"))

    def read(self, headers: Headers, body: bytes) -> Delivery:
        try:
            said = json.loads(body)
            return Delivery(said["id"], said["paper"], "written", "", 0, ping=False, look=True)
        except (ValueError, KeyError, TypeError) as e:
            raise UnusableInput("webhook.payload", say("the paper cannot be read"), remedy=say("write it")) from e


@dataclass(frozen=True)
class PaperForge:
    """The entry point ``paper`` of ``headway.forges``."""

    policy: Policy
    webhooks: PaperWebhooks = field(default_factory=PaperWebhooks)

    @property
    def paper(self) -> Paper:
        return Paper(Path(os.environ.get(FOLDER, "no-such-folder")))

    def hub(self) -> Hub:
        return PaperHub(self.paper, self.policy.project.repository)

    def releases(self, step: Callable[[str], None]) -> Forge:
        return FolderForge(self.paper.folder / "shown", step)

    def git(self) -> GitAccess:
        return GitAccess(pull_head="refs/papers/{number}")

    def login(self, client_id: str, secret: str) -> None:
        return None

    @contextmanager
    def asking(
        self, kept: Path | None, budget: int | None, clock: Clock, patience_s: float | None = None
    ) -> Iterator[PaperAsking]:
        asking = PaperAsking(budget)
        mark = _TICK.set(asking)
        try:
            yield asking
        finally:
            _TICK.reset(mark)

    def unsigned(self) -> UnusableInput | None:
        if os.environ.get(KEY):
            return None
        return UnusableInput(
            "paper.no-key", say("there is no key in {name}", name=KEY), remedy=say("set {name}", name=KEY)
        )

    def checks(self, commit: str) -> tuple[CiCheck, ...]:
        found = ((k.partition(" ")[2], row) for k, row in self.paper.read()["checks"].items() if k.startswith(commit))
        return tuple(CiCheck(n, commit, str(r[0]), "", datetime.fromisoformat(r[3]).astimezone(UTC)) for n, r in found)

    def examine(self) -> tuple[Check, ...]:
        if (why := self.unsigned()) is not None:
            return (Check("forge", False, why.message, why.remedy),)
        there = self.paper.folder.is_dir()
        words = say("the paper lies in {folder}", folder=self.paper.folder)
        return (Check("forge", there, words, say("set {name} to the paper's folder", name=FOLDER)),)


def installed(site: Path) -> Path:
    """The package in a folder, as an installer leaves it there: to be put onto ``sys.path``."""
    info = site / "paperforge-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "paperforge.py").write_bytes(Path(__file__).read_bytes())
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paperforge\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[headway.forges]\npaper = paperforge:PaperForge\n", "utf-8")
    return site
