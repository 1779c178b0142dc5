"""GitHub for tests: its API on loopback over a real bare repository, with runs that really run the workflow's steps.

Every request and every answer that GitHub describes is checked against its published description; what does not fit
is in ``violations``, and so is a request that this GitHub cannot answer. Bytes are served from another host and port,
as GitHub does, and uploads are taken at a third.

``talk`` has issues, comments, labels and milestones, ``pulls`` pull requests and reviews, ``check_runs`` checks and
statuses, ``releases`` release objects, ``people`` teams, the App, branches and their guards, ``oauth`` the login for
other programs; the object itself users, tokens, the clock and workflow runs. What people do there is a method
(``talk.comment("ada", 3, "…")``, ``pulls.merge(3, "ada")``); what Headway does goes through HTTP. Pushes to the
repository are noticed with the next request, or by ``sync``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from githubactions import WORKFLOW, Actions
from githubchecks import Checks
from githubcore import BEGAN, NAME, OWNER, TOKEN, Asked, Identity, Said, User, error
from githubfaults import Past
from githubhttp import Taken, serve
from githublogin import OAuthApps
from githubpeople import APP_ID, INSTALLATION, People, app_key
from githubpulls import Pulls
from githubreleases import Releases
from githubrun import Fault, Made, Run
from githubtalk import Talk

__all__ = [
    "APP_ID", "BEGAN", "INSTALLATION", "NAME", "OWNER", "TOKEN", "WORKFLOW", "FakeGitHub", "Fault", "Identity", "Made",
    "Run", "User", "app_key", "serving",
]  # fmt: skip


ZERO = "0" * 40


class FakeGitHub(Actions):
    """``repo`` is the bare repository that GitHub has."""

    def __init__(self, repo: Path, file: str = WORKFLOW) -> None:
        super().__init__(repo, file)
        self.talk = Talk(self)
        self.pulls = Pulls(self, self.talk)
        self.check_runs = Checks(self)
        self.releases = Releases(self)
        self.people = People(self)
        self.oauth = OAuthApps(self)
        parts = (self.people, self.talk, self.pulls, self.check_runs, self.releases)
        self.routes = (*self.actions_routes(), *(r for part in parts for r in part.routes()))
        self.upload_routes = self.releases.upload_routes()
        self.past = Past(self)
        self._refs = self._pushed()

    @property
    def issues(self) -> list[dict[str, Any]]:
        """Issues as GitHub shows them."""
        return [self.talk.issue_row(t) for t in self.talk.threads.values() if t.pull is None]

    @property
    def checks(self) -> list[dict[str, Any]]:
        return self.check_runs.rows

    @checks.setter
    def checks(self, rows: list[dict[str, Any]]) -> None:
        self.check_runs.rows = rows

    def fork(self, login: str, branch: str, sha: str) -> str:
        """A branch in somebody's fork, as a pull request names it."""
        if login not in self.users:
            self.person(login)
        self.git("update-ref", f"refs/forks/{login}/{branch}", sha)
        return f"{login}:{branch}"

    def sync(self) -> None:
        """Notice what was pushed since."""
        with self._lock:
            found = self._pushed()
            if found == self._refs:
                return
            super().sync()
            self._tell(_refs_of(self._refs), _refs_of(found))
            self._refs = found
            self.pulls.sync()
            self._refs = self._pushed()

    def _pushed(self) -> str:
        return self.git("for-each-ref", "--format=%(refname) %(objectname)")

    def _tell(self, before: dict[str, str], now: dict[str, str]) -> None:
        """The push of each branch and tag that is not where it was."""
        for ref in sorted(before.keys() | now.keys()):
            was, tip = before.get(ref, ZERO), now.get(ref, ZERO)
            if was != tip and ref.startswith(("refs/heads/", "refs/tags/")):
                news = {"ref": ref, "before": was, "after": tip, "created": was == ZERO, "deleted": tip == ZERO}
                self.emit("push", "", **news)

    def fault(self, method: str, path: str, what: int | str, **headers: str) -> None:
        self.faults.listed.append(Fault(method, path, what, {k.replace("_", "-"): v for k, v in headers.items()}))

    # Answers ---------------------------------------------------------------------------------------------------

    def route(self, method: str, path: str, uploads: bool = False) -> Taken | None:
        for route in self.upload_routes if uploads else self.routes:
            args = route.fits(method, path)
            if args is not None:
                return Taken(route, args)
        return None

    def answer(self, asked: Asked, taken: Taken) -> Said:
        """What GitHub does and says, when the token may."""
        self.sync()
        route = taken.route
        if route.needs == "app":
            return self.people.wrong_jwt(asked.auth) or route.answer(asked, *taken.args)
        if asked.who is None and (self.private or asked.method != "GET"):
            return error(404, "Not Found") if asked.method == "GET" else error(401, "Requires authentication")
        if asked.who is not None and route.needs and not asked.who.may(route.needs):
            kind = "integration" if asked.who.app else "personal access token"
            said = error(403, f"Resource not accessible by {kind}")
            said.headers["X-Accepted-GitHub-Permissions"] = route.needs
            return said
        said = route.answer(asked, *taken.args)
        if route.needs:
            said.headers["X-Accepted-GitHub-Permissions"] = route.needs
        return said

    def blob(self, path: str) -> bytes | None:
        kind, _, name = path.strip("/").partition("/")
        if kind == "logs":
            return next((r.log for r in self.runs if str(r.id) == name), None)
        if kind in {"assets", "download"}:
            return self.releases.data(name.partition("/")[0])
        return next((a.data for r in self.runs for a in r.artifacts if str(a.id) == name), None)


def _refs_of(text: str) -> dict[str, str]:
    return dict(row.rsplit(" ", 1) for row in text.splitlines())


@contextmanager
def serving(repo: Path, file: str = WORKFLOW, ports: tuple[int, int, int] = (0, 0, 0)) -> Iterator[FakeGitHub]:
    """GitHub over a bare repository with a workflow ``file``, as long as the context lasts."""
    fake = FakeGitHub(repo, file)
    with serve(fake, ports):
        yield fake
    assert not fake.violations, "\n".join(v if len(v) < 3000 else f"{v[:300]} … {v[-2500:]}" for v in fake.violations)
