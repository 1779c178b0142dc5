"""Somebody who sits before the board: fills in forms as a browser does, and reads the answers."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
from gitmaker import GitMaker
from starlette.requests import Request
from starlette.types import ASGIApp
from webworld import World

from headway.app import Headway
from headway.clock import SetClock
from headway.model.entry import Entry
from headway.model.visitor import Role, Visitor
from headway.web.pages import site_app
from headway.web.site import Site, nobody_ticks
from headway.web.watch import Watch
from headway.web.webhooks import webhooks_of


@dataclass
class Only:
    """Everybody who comes is this visitor."""

    who: Visitor

    def stranger(self, request: Request) -> Visitor | None:
        return None

    def visitor(self, request: Request, app: Headway) -> Visitor:
        return self.who

    def forget(self) -> None: ...


class _Form(HTMLParser):
    """The fields of the act's form, and where it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.action = ""
        self._inside = self._words = False
        self._name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {k: v or "" for k, v in attrs}
        if tag == "form" and known.get("class") == "filling":
            self.action, self._inside = known["action"], True
        elif self._inside and tag in {"input", "textarea", "select"}:
            self._name, self._words = known["name"], tag == "textarea"
            self.fields[self._name] = known.get("value", "")
        elif self._inside and tag == "option" and "selected" in known:
            self.fields[self._name] = known["value"]

    def handle_data(self, data: str) -> None:
        if self._words:
            self.fields[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        self._words = self._words and tag != "textarea"


def form_in(page: str) -> tuple[str, dict[str, str]]:
    """The address of the form on a page, and its fields as they stand."""
    found = _Form()
    found.feed(page)
    assert found.action, page
    return found.action, found.fields


class Browser:
    """Asks the application without a socket; follows no redirect."""

    def __init__(self, web: ASGIApp) -> None:
        self._web = web

    def get(self, path: str, **how: Any) -> httpx.Response:
        return asyncio.run(self._asked("GET", path, **how))

    def post(self, path: str, **how: Any) -> httpx.Response:
        return asyncio.run(self._asked("POST", path, **how))

    async def _asked(self, method: str, path: str, **how: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._web)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **how)


class Desk:
    """A board before which one person sits."""

    def __init__(
        self,
        world: World,
        name: str = "Rosa",
        role: Role = Role.MANAGER,
        how: str = "session",
        ask: Callable[[], None] = nobody_ticks,
    ) -> None:
        self.world = world
        self.who = Visitor(name, role, how, "a-secret")
        site = Site(world.app, Watch(world.app, always=True), Only(self.who), ask)
        web = site_app(site, webhooks_of(world.app()))
        self.http = Browser(web)

    def page(self, path: str) -> str:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def form(self, path: str) -> tuple[str, dict[str, str]]:
        return form_in(self.page(path))

    def do(self, path: str, **given: str) -> httpx.Response:
        """Open the form at a path, fill it in, send it."""
        action, fields = self.form(path)
        return self.http.post(action, data={**fields, **given})

    def entries(self) -> tuple[Entry, ...]:
        return self.world.app().entries()

    def written(self, path: str, **given: str) -> Entry:
        """The entry that an act wrote; it leads back to a page that tells of it."""
        before = len(self.entries())
        answer = self.do(path, **given)
        assert answer.status_code == 303, answer.text
        entry = self.entries()[-1]
        assert len(self.entries()) == before + 1
        assert (entry.actor, entry.payload["via"]) == (self.who.name, {"board": self.who.how})
        told = self.page(answer.headers["location"])
        assert f"Written down as entry {entry.seq}:" in told
        return entry

    def refused(self, status: int, path: str, **given: str) -> str:
        """The page that an act was refused with; nothing was written."""
        before = self.entries()
        answer = self.do(path, **given)
        assert answer.status_code == status, answer.text
        assert self.entries() == before
        return answer.text


def copied(world: World, folder: Path) -> World:
    """The same world somewhere else, to be changed alone."""
    new = object.__new__(World)
    shutil.copytree(world.git.path, folder / "toy.git", symlinks=True)
    new.__dict__ |= world.__dict__
    new.git = object.__new__(GitMaker)
    new.git.__dict__ |= world.git.__dict__
    new.git.path = folder / "toy.git"
    new.clock = SetClock(world.clock.now())
    return new
