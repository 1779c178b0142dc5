"""GitHub as a forge: the ``ForgeAdapter`` of ``model/forgeport.py``, and the runs of its Actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from headway.errors import UnusableInput
from headway.github.actions import check_runs, run_at, runs_of
from headway.github.client import GitHub
from headway.github.examine import examine
from headway.github.gittoken import git_host, git_token
from headway.github.hub import GitHubHub
from headway.github.oauth import OAuthApp
from headway.github.project import github_of
from headway.github.session import PATIENCE_S, Session
from headway.github.webhooks import GitHubWebhooks
from headway.model.build import CiCheck, CiRun
from headway.model.commit import Sha
from headway.model.finding import Check
from headway.model.forgeport import GitAccess
from headway.model.ports import Clock, Forge, Hub
from headway.model.text import facts, say
from headway.policy.schema import Policy

_OWN_HOSTS = frozenset({"github.com", "ssh.github.com"})


@dataclass(frozen=True)
class GitHubAdapter:
    """The repository that a policy names, on the GitHub that it names."""

    policy: Policy

    @property
    def webhooks(self) -> GitHubWebhooks:
        return GitHubWebhooks()

    def hub(self) -> Hub:
        return GitHubHub(github_of(self.policy))

    def releases(self, step: Callable[[str], None]) -> Forge:
        from headway.effects.forge_github import GitHubForge

        return GitHubForge(github_of(self.policy), step)

    def git(self) -> GitAccess:
        api = self.policy.forge.api_url
        public = urlsplit(api).hostname == "api.github.com"

        @cache
        def github() -> GitHub:
            return github_of(self.policy)

        return GitAccess(
            host=git_host(api),
            user="x-access-token",
            token=lambda: git_token(github()),
            hosts=_OWN_HOSTS if public else frozenset(),
        )

    @contextmanager
    def asking(
        self, kept: Path | None, budget: int | None, clock: Clock, patience_s: float | None = None
    ) -> Iterator[Session]:
        """All that ``github_of`` gives meanwhile is asked in this session."""
        patience = PATIENCE_S if patience_s is None else patience_s
        with Session(kept, clock=clock, patience_s=patience).within(budget) as session:
            yield session

    def login(self, client_id: str, secret: str) -> OAuthApp:
        api = self.policy.forge.api_url
        return OAuthApp(client_id, secret, git_host(api), api)

    def unsigned(self) -> UnusableInput | None:
        if github_of(self.policy).signed_in:
            return None
        forge = self.policy.forge
        return UnusableInput(
            "github.no-token",
            say(
                "there is no token in {name}: set it, or a GitHub App's {app} and {key}",
                name=forge.token_env,
                app=forge.app_id_env,
                key=forge.app_key_env,
            ),
            facts=facts(repository=self.policy.project.repository),
            remedy=say("nothing was done; `headway doctor` tells what the token or the App needs"),
        )

    def checks(self, commit: Sha) -> tuple[CiCheck, ...]:
        return check_runs(github_of(self.policy), commit)

    def runs(self, commit: Sha, run: int | None) -> tuple[CiRun, ...]:
        """The run of this number, else all on a commit of the workflow that builds candidates. Raises
        ``WorldFailed``."""
        github = github_of(self.policy)
        if run is not None:
            return (run_at(github, run),)
        return runs_of(github, self.policy.build.github.workflow, commit)

    def examine(self) -> tuple[Check, ...]:
        return examine(self.policy)
