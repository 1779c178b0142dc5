"""GitHub's adapter keeps what every forge promises (``headway.forgecontract``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from githubfake import NAME, OWNER, TOKEN, FakeGitHub, serving
from gitmaker import GitMaker

from headway.forgecontract import TRIALS, Stage
from headway.github.client import GitHub
from headway.github.hub import GitHubHub
from headway.model.ports import Hub


class GitHubStage:
    head, base, writer, stranger = "fix", "main", "ada", "mallory"

    def __init__(self, fake: FakeGitHub) -> None:
        self.fake = fake
        fake.person("ada", "write")
        fake.person("mallory", "read")

    @property
    def hub(self) -> Hub:
        return GitHubHub(GitHub(self.fake.api, f"{OWNER}/{NAME}", "GITHUB_TOKEN", TOKEN))

    def issue(self, login: str, title: str, body: str) -> int:
        return self.fake.talk.open_issue(login, title, body).number

    def pull(self, login: str, title: str) -> int:
        return self.fake.pulls.open(login, self.head, self.base, title).number

    def comment(self, login: str, number: int, body: str) -> int:
        return self.fake.talk.comment(login, number, body).id

    def edit(self, comment: int, body: str) -> None:
        self.fake.talk.edit(comment, body)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[GitHubStage]:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    made.branch("fix", "main")
    made.commit("Fix a", {"a": "2\n"}, branch="fix")
    with serving(made.path) as fake:
        yield GitHubStage(fake)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda t: t.__name__)
def test_it_keeps_what_a_forge_promises(stage: GitHubStage, trial: Callable[[Stage], None]) -> None:
    trial(stage)
