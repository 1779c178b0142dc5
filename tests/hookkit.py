"""Webhooks as GitHub sends them, signed, and a project that lets them in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import uvicorn
from githubfake import NAME, OWNER, FakeGitHub, serving
from webserved import Served
from webworld import POLICY, World

from headway.app import Headway, open_headway
from headway.clock import SetClock
from headway.github.delivery import signature_of
from headway.ledger.deliveries import Deliveries, deliveries_of
from headway.web.pages import web_app
from headway.web.ticker import Ticker
from headway.web.webhooks import webhooks_of

REPOSITORY = f"{OWNER}/{NAME}"
SECRET = "correct horse battery staple"
SECRET_ENV = "HEADWAY_WEBHOOK_SECRET"
HOOKED = f'{POLICY.replace("[project]", f"[project]{chr(10)}repository = {REPOSITORY!r}")}[forge]\nkind = "github"\n'
COMMENTED: dict[str, Any] = {
    "action": "created",
    "repository": {"full_name": REPOSITORY},
    "issue": {"number": 5, "title": "Explain the answer"},
    "comment": {"id": 1, "body": "/status", "user": {"login": "rosa"}},
}
_CLIENT = httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0))


def request(
    payload: dict[str, Any] | bytes = COMMENTED,
    event: str = "issue_comment",
    delivery: str | None = None,
    *,
    form: bool = False,
    **headers: str | None,
) -> tuple[dict[str, str], bytes]:
    """Headers and body. Others are given by name, ``_`` for ``-``; ``None`` leaves one out."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    if form:
        body = urlencode({"payload": body.decode()}).encode()
    known: dict[str, str | None] = {
        "content-type": "application/x-www-form-urlencoded" if form else "application/json",
        "user-agent": "GitHub-Hookshot/044aadd",
        "x-github-event": event,
        "x-github-delivery": delivery or str(uuid4()),
        "x-github-hook-id": "292430182",
        "x-hub-signature-256": signature_of(body, SECRET),
    }
    known |= {k.replace("_", "-"): v for k, v in headers.items()}
    return {k: v for k, v in known.items() if v is not None}, body


def post(url: str, *given: Any, **named: Any) -> httpx.Response:
    """Send such a request to a server whose address ends with a slash."""
    headers, body = request(*given, **named)
    return _CLIENT.post(f"{url}webhooks/github", headers=headers, content=body)


def queue_of(world: World) -> Deliveries:
    return _queue_in(world.git.path)


def _queue_in(repo: Path) -> Deliveries:
    return deliveries_of(repo / "headway" / "ledger.db", repo / "headway")


def letting_in(app: Headway) -> Headway:
    """The project as it lets webhooks in; what its ticks look at stays what it was."""
    tables = {
        "project": app.policy.project.model_copy(update={"repository": REPOSITORY}),
        "forge": app.policy.forge.model_copy(update={"kind": "github"}),
    }
    return replace(app, policy=app.policy.model_copy(update=tables))


class Forge:
    """A project on the tests' GitHub (``there``), and the clone (``here``) that a real `headway serve` is given."""

    def __init__(self, fake: FakeGitHub, there: World, here: Path) -> None:
        self.fake, self.there, self.here = fake, there, here

    def served(self) -> Served:
        """It ticks when it begins, and when it is asked to."""
        return Served(self.here, self.fake.now, "--tick-every", "86400")

    def app(self) -> Headway:
        return open_headway(self.here, clock=SetClock(self.fake.now))

    @property
    def queue(self) -> Deliveries:
        return _queue_in(self.here)


@contextmanager
def on_github(folder: Path, more: str = "", files: Mapping[str, str] | None = None) -> Iterator[Forge]:
    """``more`` is added to the policy, ``files`` to the trunk. The day is that of the cut."""
    there = World(folder).at("01-27T09")
    with serving(there.git.path) as fake:
        policy = f'{HOOKED}api_url = "{fake.api}"\n{more}'
        there.git.commit("Go to GitHub", {"release.toml": policy, **(files or {})})
        there.git.run("clone", "--quiet", "--bare", str(there.git.path), str(folder / "here.git"))
        yield Forge(fake, there, folder / "here.git")


class Heard:
    """A server in this process, with its ticks: ``opened`` counts them."""

    def __init__(self) -> None:
        self.opened = 0
        self.url = ""


@contextmanager
def listening(
    open_app: Callable[[], Headway],
    every_s: float = 3600,
    let_in: Callable[[Headway], Headway] = letting_in,
    heard: Heard | None = None,
) -> Iterator[Heard]:
    """Real HTTP on loopback and a real ticker, as `headway serve` puts them together. Ticks look at the repository that
    is here, so that nothing but the webhooks is tested."""
    heard = heard or Heard()

    def counted() -> Headway:
        heard.opened += 1
        return open_app()

    app = open_app()
    found = webhooks_of(let_in(app))
    ticker = Ticker(counted, every_s, app.progress, found.deliveries)
    config = uvicorn.Config(
        web_app(open_app, found.asking(ticker.ask)), port=0, log_config=None, lifespan="off", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        heard.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
        with ticker.running():
            yield heard
    finally:
        server.should_exit = True
        thread.join()
