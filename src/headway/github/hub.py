"""GitHub as the place where people talk about changes: the ``Hub`` of ``model/ports.py``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from headway.github import checks, comments, issues, people, protection, pulls
from headway.github.client import GitHub
from headway.model.commit import Sha
from headway.model.hub import Comment, Issue, Outcome, Person, Protection, Pull, PullCommit, Review, Written


@dataclass
class GitHubHub:
    """One repository. It remembers who it is there, and whether it may write check runs."""

    github: GitHub
    _me: str = field(default="", init=False)
    _runs: bool = field(default=True, init=False)

    @property
    def me(self) -> str:
        """The account that writes."""
        if not self._me:
            self._me = people.own_login(self.github)
        return self._me

    def pulls(self, base: str) -> tuple[Pull, ...]:
        return pulls.open_pulls(self.github, base)

    def milestone(self, title: str) -> tuple[Issue, ...]:
        return issues.of_milestone(self.github, title)

    def pull(self, number: int) -> Pull | None:
        return pulls.pull_at(self.github, number)

    def commits(self, number: int) -> tuple[PullCommit, ...]:
        return pulls.commits_of(self.github, number)

    def issue(self, number: int) -> Issue | None:
        return issues.issue_at(self.github, number)

    def comments(self, since: datetime) -> tuple[tuple[Comment, ...], bool]:
        return comments.comments_since(self.github, self.me, since)

    def reviews(self, number: int) -> tuple[Review, ...]:
        return pulls.reviews_of(self.github, number)

    def labels(self, numbers: frozenset[int], since: datetime) -> dict[int, tuple[str, ...]]:
        return pulls.labels_of(self.github, numbers, since)

    def person(self, login: str, teams: tuple[str, ...]) -> Person:
        return people.person_at(self.github, login, teams)

    def protection(self, branch: str) -> Protection:
        return protection.protection_of(self.github, branch)

    def open_pull(self, marker: str, head: str, base: str, title: str, body: str, *, draft: bool) -> Written:
        return pulls.open_pull(self.github, head, base, title, body, draft=draft)

    def close_pull(self, number: int) -> Written:
        return pulls.close_pull(self.github, number)

    def write_issue(self, marker: str, number: int, title: str, body: str, *, open: bool) -> Written:
        return issues.write_issue(self.github, self.me, marker, number, title, body, open=open)

    def write_comment(self, marker: str, number: int, id: int, body: str) -> Written:
        return comments.write_comment(self.github, self.me, marker, number, id, body)

    def write_check(
        self, commit: Sha, name: str, outcome: Outcome, title: str, summary: str, brief: str = "", url: str = ""
    ) -> Written:
        if self._runs:
            made = checks.write_check_run(self.github, commit, name, outcome, title, summary)
            if made is not None:
                return made
            self._runs = False
        return checks.write_status(self.github, commit, name, outcome, brief or title, url)
