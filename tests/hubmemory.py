"""A forge's talk in memory, as the port describes it: what is written is found again by its marker.

It is no GitHub: what that answers is the business of ``githubfake``. Here a decision or an effect meets a forge that
keeps the port's promises, loses an answer when it is told to, and has people who merge, close and edit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from headway.errors import WorldFailed
from headway.model.entry import Entry, Kind
from headway.model.hub import (
    Comment,
    HubSeen,
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
from headway.model.text import say

THEN = datetime(2025, 1, 27, tzinfo=UTC)


def no_branches(branch: str) -> str | None:
    """No git stands behind it."""
    return None


@dataclass
class MemoryHub:
    """``tip`` is where a branch is; ``losing``: calls whose answer is lost once, after they did what was asked."""

    tip: Callable[[str], str | None] = no_branches
    pulls_: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    bodies: dict[int, tuple[int, str]] = field(default_factory=dict)
    checks: dict[tuple[str, str], tuple[Outcome, str, str]] = field(default_factory=dict)
    losing: set[str] = field(default_factory=set)
    writes: list[str] = field(default_factory=list)
    numbers: int = 100
    briefs: dict[str, tuple[str, str]] = field(default_factory=dict)
    reviews_: list[Review] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    protections: list[Protection] = field(default_factory=list)

    # What people do --------------------------------------------------------------------------------------------

    def new(self) -> int:
        self.numbers += 1
        return self.numbers

    def people_open(self, head: str, base: str, sha: str, repository: str = "acme/proj", title: str = "Fix") -> int:
        number = self.new()
        self.pulls_[number] = self._pull(number, head, base, title, "", sha, repository)
        return number

    def edit(self, number: int, **what: object) -> None:
        """Somebody changes a pull request or an issue."""
        if number in self.pulls_:
            self.pulls_[number] = replace(self.pulls_[number], **what)  # type: ignore[arg-type]
        else:
            self.issues[number] = replace(self.issues[number], **what)  # type: ignore[arg-type]

    @staticmethod
    def _pull(number: int, head: str, base: str, title: str, body: str, sha: str, repository: str) -> Pull:
        url = f"https://forge.example/acme/proj/pull/{number}"
        how = {"open": True, "draft": False, "merged": None, "labels": (), "milestone": "", "updated": THEN}
        return Pull(number, title, body, "ann", base, head, sha, repository, url=url, **how)  # type: ignore[arg-type]

    # What a tick reads -----------------------------------------------------------------------------------------

    def seen(self, entries: tuple[Entry, ...]) -> HubSeen:
        mine = [e.payload for e in entries if e.kind is Kind.WRITTEN]
        issues = {p["number"] for p in mine if p["what"] == "issue"}
        comments = {p["id"] for p in mine if p["what"] == "comment"}
        pulls = {p["number"] for p in mine if p["what"] == "pull"}
        return HubSeen(
            pulls=tuple(self._now(p) for p in self.pulls_.values() if p.open or p.number in pulls),
            issues=tuple(i for n, i in self.issues.items() if n in issues),
            reviews=tuple(self.reviews_),
            people=self.people,
            protections=tuple(self.protections),
            bodies={i: body for i, (_, body) in self.bodies.items() if i in comments},
        )

    def _now(self, pull: Pull) -> Pull:
        sha = self.tip(pull.head) if pull.open and pull.head_repository == "acme/proj" else None
        return replace(pull, head_sha=sha) if sha else pull

    # The port --------------------------------------------------------------------------------------------------

    def pulls(self, *, base: str = "", milestone: str = "") -> tuple[Pull, ...]:
        return tuple(self._now(p) for p in self.pulls_.values() if p.open and base in {"", p.base})

    def pull(self, number: int) -> Pull | None:
        found = self.pulls_.get(number)
        return self._now(found) if found else None

    def commits(self, number: int) -> tuple[PullCommit, ...]:
        return ()

    def issue(self, number: int) -> Issue | None:
        return self.issues.get(number)

    def comments(self, since: datetime) -> tuple[Comment, ...]:
        return ()

    def reviews(self, number: int) -> tuple[Review, ...]:
        return ()

    def person(self, login: str, teams: tuple[str, ...]) -> Person:
        return Person(login, Right.NONE)

    def protection(self, branch: str) -> Protection:
        return Protection(branch, protected=False)

    def open_pull(self, marker: str, head: str, base: str, title: str, body: str, *, draft: bool) -> Written:
        assert body.startswith(marker)
        found = next((p for p in self.pulls_.values() if p.open and (p.head, p.base) == (head, base)), None)
        if found is None:
            sha = self.tip(head) or "0" * 40
            found = replace(self._pull(self.new(), head, base, title, body, sha, "acme/proj"), draft=draft)
        self.pulls_[found.number] = replace(found, title=title, body=body)
        return self._wrote("open_pull", found.number, found.number)

    def close_pull(self, number: int) -> Written:
        self.pulls_[number] = replace(self._now(self.pulls_[number]), open=False)
        return self._wrote("close_pull", number, number)

    def write_issue(self, marker: str, number: int, title: str, body: str, *, open: bool) -> Written:
        assert body.startswith(marker)
        found = self.issues.get(number) or next((i for i in self.issues.values() if marker in i.body), None)
        if found is None:
            n = self.new()
            url = f"https://forge.example/acme/proj/issues/{n}"
            found = Issue(n, title, body, "headway", True, False, (), "", THEN, url)
        self.issues[found.number] = replace(found, title=title, body=body, open=open)
        return self._wrote("write_issue", found.number, found.number)

    def write_comment(self, marker: str, number: int, id: int, body: str) -> Written:
        assert body.startswith(marker)
        mine = (i for i, (n, text) in self.bodies.items() if n == number and marker in text)
        found = id if id in self.bodies else next(mine, None)
        found = self.new() if found is None else found
        self.bodies[found] = (number, body)
        return self._wrote("write_comment", number, found)

    def write_check(
        self, commit: str, name: str, outcome: Outcome, title: str, summary: str, brief: str = "", url: str = ""
    ) -> Written:
        self.briefs[commit] = (brief, url)
        self.checks[commit, name] = (outcome, title, summary)
        return self._wrote("write_check", 0, 1)

    def _wrote(self, call: str, number: int, id: int) -> Written:
        self.writes.append(call)
        if call in self.losing:
            self.losing.remove(call)
            raise WorldFailed("forge.timeout", say("no answer"), remedy=say("tick again"))
        return Written(number, id, f"https://forge.example/acme/proj/issues/{number}")
