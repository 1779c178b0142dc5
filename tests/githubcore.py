"""What every part of the tests' GitHub stands on: the bare repository, people and their tokens, the clock, routes."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

from githubfaults import Faults
from githubrun import page_of
from githubspec import Description, description
from gitmaker import git_env

OWNER, NAME, TOKEN = "toy", "kit", "gh-secret-of-the-test"
HTML = f"https://github.example/{OWNER}/{NAME}"
BEGAN = datetime(2025, 1, 27, 10, 0, tzinfo=UTC)
RIGHTS = ("none", "read", "triage", "write", "maintain", "admin")
_ALL = ("actions", "administration", "checks", "contents", "issues", "members", "pull_requests", "statuses", "metadata")


@dataclass
class User:
    """An account. ``right`` in the repository (one of ``RIGHTS``); ``teams`` as ``org/slug``."""

    login: str
    id: int
    right: str = "read"
    kind: str = "User"
    teams: set[str] = field(default_factory=set)


@dataclass
class Identity:
    """Whom a token speaks for. ``app``: an installation of an App; ``permissions`` by GitHub's names."""

    user: User
    app: bool = False
    permissions: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_ALL, "write"))

    def may(self, needed: str) -> bool:
        """``needed`` is written ``issues=write``; alternatives stand between semicolons."""
        rank = ("none", "read", "write", "admin")
        return any(
            rank.index(self.permissions.get(k, "none")) >= rank.index(v)
            for k, v in (part.split("=") for part in needed.split("; "))
        )


@dataclass
class Asked:
    """A request. ``who`` is ``None`` without a token."""

    method: str
    path: str
    query: dict[str, str]
    raw: bytes
    kind: str
    accept: str
    auth: str
    who: Identity | None

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw) if self.raw else {}
        return found

    @property
    def actor(self) -> User:
        assert self.who is not None
        return self.who.user


@dataclass
class Said:
    """An answer; ``None`` as JSON is an empty one."""

    status: int
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """``template`` as in GitHub's description; ``needs`` what a fine-grained token must be permitted."""

    method: str
    template: str
    needs: str
    answer: Callable[..., Said]

    def fits(self, method: str, path: str) -> tuple[str, ...] | None:
        found = _pattern(self.template).fullmatch(path) if method == self.method else None
        return tuple(unquote(g) for g in found.groups()) if found else None

    def described(self, args: Sequence[str]) -> str:
        """The path with each argument quoted, as the description has one step for each."""
        left = iter(args)
        whole = self.template.replace("{owner}", OWNER).replace("{repo}", NAME)
        return re.sub(r"\{\w+\}", lambda _: quote(next(left), safe=""), whole)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    def step(found: re.Match[str]) -> str:
        name = found[1]
        if name in {"owner", "repo"}:
            return OWNER if name == "owner" else NAME
        return r"(\d+)" if name.endswith(("_number", "_id")) and name != "workflow_id" else _ARGUMENTS.get(name, "(.+)")

    return re.compile(re.sub(r"\{(\w+)\}", step, template))


_ARGUMENTS = dict.fromkeys(("workflow_id", "username", "org", "team_slug", "sha", "commit_sha"), "([^/]+)")
REPO = "/repos/{owner}/{repo}"


def error(status: int, message: str, **more: Any) -> Said:
    return Said(status, {"message": message, "documentation_url": "https://docs.github.com/rest", **more})


def invalid(resource: str, code: str, name: str, message: str = "Validation Failed") -> Said:
    return error(422, message, errors=[{"resource": resource, "code": code, "field": name}])


class Core:
    """``repo`` is the bare repository that GitHub has. ``now`` goes on by a second with each write; ``skew`` is how far
    GitHub's clock is from it. ``may`` is what the token's owner may; ``scopes`` those of a classic token."""

    def __init__(self, repo: Path) -> None:
        self.repo = repo
        self.spec: Description = description()
        self.now, self.skew = BEGAN, timedelta(0)
        self.private = False
        self.scopes: str | None = None
        self.faults = Faults()
        self.asked: list[tuple[str, str]] = []
        self.violations: list[str] = []
        self.api = self.blobs = self.uploads = ""
        self.ports: tuple[int, ...] = ()
        self.users: dict[str, User] = {}
        self.may = {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True}
        self.bot = self.person("headway-bot", "write")
        self.tokens: dict[str, Identity] = {TOKEN: Identity(self.bot)}
        self.on_git: Callable[[], None] = lambda: None  # while git waits for an answer
        self.listeners: list[Callable[[str, str, dict[str, Any]], None]] = []
        self._lock = threading.RLock()
        self._ids = 100
        self.used = 0

    # Git -------------------------------------------------------------------------------------------------------

    def git(self, *args: str, cwd: Path | None = None, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["git", *args],
            cwd=cwd or self.repo,
            capture_output=True,
            text=True,
            env=git_env(self.now),
            check=False,
            input=stdin if stdin is not None else "",
        )
        if done.returncode:
            raise LookupError(done.stderr + done.stdout)
        return done.stdout.strip()

    def refs(self, under: str) -> dict[str, str]:
        """Names below ``refs/…`` and the commits that they lead to."""
        depth = under.strip("/").count("/") + 1
        rows = self.git("for-each-ref", f"--format=%(refname:strip={depth}) %(objectname) %(*objectname)", under)
        return {name: peeled or sha for name, sha, peeled in (f"{r} ".split(" ")[:3] for r in rows.splitlines())}

    def commit_of(self, name: str) -> str | None:
        """The commit of a branch, tag or SHA."""
        for spec in (f"refs/heads/{name}", f"refs/tags/{name}", name if re.fullmatch("[0-9a-f]{40}", name) else ""):
            try:
                return self.git("rev-parse", "--verify", "--quiet", f"{spec}^{{commit}}") if spec else None
            except LookupError:
                continue
        return None

    # People ----------------------------------------------------------------------------------------------------

    def person(self, login: str, right: str = "read", *teams: str, kind: str = "User") -> User:
        """An account, made or changed. ``right`` ``read`` is an outsider of a public repository."""
        assert right in RIGHTS
        had = self.users.get(login)
        self.users[login] = User(login, had.id if had else 1 + len(self.users), right, kind, set(teams))
        return self.users[login]

    def as_app(self, token: str = TOKEN) -> None:
        """The token is that of an App's installation, as ``GITHUB_TOKEN`` is within Actions."""
        self.bot.kind = "Bot"
        self.tokens[token] = Identity(self.bot, app=True)

    def identity(self, auth: str) -> Identity | None:
        """Whom an ``Authorization`` speaks for; ``KeyError`` when it is not good."""
        scheme, _, token = auth.partition(" ")
        if not auth:
            return None
        if scheme.lower() not in {"bearer", "token"}:
            raise KeyError(scheme)
        return self.tokens[token]

    def pushes(self, who: Identity) -> bool:
        """May write to the repository; ``may`` says it for the bot."""
        if who.user is self.bot:
            return self.may["push"]
        return RIGHTS.index(who.user.right) >= RIGHTS.index("write")

    def row_of(self, login: str) -> dict[str, Any]:
        user = self.users[login]
        shape: dict[str, Any] = self.spec.example("issue-comment")["user"]
        api = f"https://api.github.com/users/{quote(login)}"
        return {
            **{k: re.sub(r"https://api.github.com/users/octocat", api, v) if isinstance(v, str) else v
               for k, v in shape.items()},
            "login": login,
            "id": user.id,
            "type": user.kind,
            "html_url": f"https://github.example/{quote(login)}",
        }  # fmt: skip

    def association(self, login: str) -> str:
        rank = RIGHTS.index(self.users[login].right)
        return "MEMBER" if rank >= 3 else "CONTRIBUTOR" if rank == 2 else "NONE"

    # Time, numbers, pages --------------------------------------------------------------------------------------

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def stamp(self, when: datetime) -> str:
        return f"{when + self.skew:%Y-%m-%dT%H:%M:%SZ}"

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def emit(self, event: str, action: str, **more: Any) -> None:
        """Something happened that webhooks tell."""
        for listener in self.listeners:
            listener(event, action, more)

    def page(self, asked: Asked, rows: list[dict[str, Any]], key: str = "") -> Said:
        """One page of rows, with the links to the others; under ``key`` where GitHub wraps them with a count."""
        size, at = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        last = max(1, -(-len(rows) // size))
        links = {"first": 1, "prev": at - 1} if at > 1 else {}
        links |= {"next": at + 1, "last": last} if at < last else {}
        said = ", ".join(
            f'<{self.api}{asked.path}?{urlencode({**asked.query, "page": n})}>; rel="{rel}"' for rel, n in links.items()
        )
        found = page_of(rows, asked.query)
        body = {"total_count": len(rows), key: found} if key else found
        return Said(200, body, {"Link": said} if said else {})
