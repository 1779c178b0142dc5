"""Who is let in to the board, with a clock that goes on: logins and tokens that end, limits, every address there is;
and where the board is served at all."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import Route
from starlette.testclient import TestClient
from webworld import POLICY, World

from headway.boardlogin import add_token, doors, revoke_token
from headway.errors import UnusableInput
from headway.lang import tr
from headway.model.visitor import Role
from headway.web.address import Address
from headway.web.entrance import Entrance, entrance_of
from headway.web.pages import site_app
from headway.web.people import LocalUser
from headway.web.routes import api, live
from headway.web.site import Site
from headway.web.watch import Watch
from headway.web.webhooks import webhooks_of

OWN = "http://127.0.0.1:8787"
OPEN = {"/login", "/healthz", "/readyz", "/static", "/api/v1/openapi.json", "/webhooks/github"}  # to whoever comes


class Board:
    """The application over a world whose clock is moved by hand."""

    def __init__(self, world: World, *, local: bool = False) -> None:
        self.world = world
        entrance = entrance_of(world.app(), "127.0.0.1", local=local)
        address, people = entrance.people(OWN)
        site = Site(world.app, Watch(world.app, always=True), people, address=address)
        self.app: Any = site_app(site, webhooks_of(world.app()))

    def client(self, **headers: str) -> TestClient:
        return TestClient(self.app, OWN, headers={"accept-language": "en", **headers}, follow_redirects=False)

    def logged_in(self, secret: str) -> TestClient:
        client = self.client()
        page = client.get("/login").text
        answer = client.post("/login", data={"token": secret, "csrf": csrf_in(page), "next": "/"})
        assert answer.status_code == 303, answer.text
        return client

    @property
    def routes(self) -> Iterator[tuple[str, str]]:
        web = self.app._app
        assert isinstance(web, FastAPI)
        for route in web.routes:
            if isinstance(route, Route):
                for method in sorted((route.methods or set()) - {"HEAD"}):
                    yield method, re.sub(r"\{[^}]*\}", "0.1.1", route.path.replace("{verb}", "hold"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("people"))


def csrf_in(text: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_no_address_but_the_login_answers_a_stranger(world: World) -> None:
    add_token(world.app(), "opens the login", Role.VIEWER)
    board, before = Board(world), len(world.app().entries())
    client, seen = board.client(), 0
    for method, path in board.routes:
        if path in OPEN or path.startswith("/login/") or path == "/logout":
            continue
        answer = client.request(method, path, data=None if method == "GET" else {"csrf": "forged"})
        assert answer.status_code == 401, (method, path)
        seen += 1
    assert seen > 10
    assert len(world.app().entries()) == before


def test_no_form_is_taken_without_its_token_and_no_program_of_a_viewer_changes_anything(world: World) -> None:
    admin = add_token(world.app(), "admin of forms", Role.ADMIN)
    looks = add_token(world.app(), "looks at forms", Role.VIEWER)
    board, before = Board(world), len(world.app().entries())
    browser, program = board.logged_in(admin.secret), board.client(**bearer(looks.secret))
    forms = [p for m, p in board.routes if m == "POST" and p not in {"/webhooks/github", "/login"}]
    assert forms
    for path in forms:
        assert browser.post(path, data={"csrf": "forged"}).status_code == 403, path
        if path != "/logout":
            assert program.post(path, data={"csrf": ""}).status_code == 403, path
    assert len(world.app().entries()) == before
    assert browser.get("/").status_code == 200


def test_a_login_ends_after_its_hours_and_with_its_token(tmp_path: Path) -> None:
    world = World(tmp_path, f"{POLICY}[board]\nsession_hours = 2\n")
    made = add_token(world.app(), "@rosa", Role.MANAGER, (), 1)
    board = Board(world)
    client, began = board.logged_in(made.secret), world.clock.now()
    world.clock.set(began + timedelta(hours=1, minutes=59))
    assert client.get("/").status_code == 200
    world.clock.set(began + timedelta(hours=2))
    ended = client.get("/")
    assert (ended.status_code, "your login has ended: log in again" in ended.text) == (401, True)
    again = board.logged_in(made.secret)
    world.clock.set(began + timedelta(hours=3))
    assert again.get("/").status_code == 200
    world.clock.set(began + timedelta(days=1))
    last = board.client()
    assert last.get("/api/v1/board", headers=bearer(made.secret)).json()["error"]["message"] == "this token has expired"
    assert again.get("/").status_code == 401
    page = last.get("/login").text
    answer = last.post("/login", data={"token": made.secret, "csrf": csrf_in(page)})
    assert (answer.status_code, "this token has expired" in answer.text) == (401, True)


def test_a_stream_ends_with_the_login_that_it_was_begun_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_BEAT_S", 0.2)
    world = World(tmp_path)
    made = add_token(world.app(), "@rosa", Role.VIEWER)
    client = Board(world).logged_in(made.secret)
    later = world.clock.now() + timedelta(hours=13)
    goes_on = threading.Timer(3.0, lambda: world.clock.set(later))
    goes_on.start()
    said = client.get("/live").text  # as long as it lasts
    goes_on.join()
    assert said.count("event: news") == 2
    assert "data: ended" in said
    assert client.get("/live").status_code == 401


def test_a_revoked_token_and_its_logins_open_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    made, other = add_token(world.app(), "@rosa", Role.MANAGER), add_token(world.app(), "@bo", Role.VIEWER)
    with pytest.raises(UnusableInput, match="already"):
        add_token(world.app(), "@rosa", Role.VIEWER)
    board = Board(world)
    client, others = board.logged_in(made.secret), board.logged_in(other.secret)
    revoke_token(world.app(), "@rosa")
    later = Board(world)  # as a server that knows of it by the database alone
    for cookies, status in ((client.cookies, 401), (others.cookies, 200)):
        fresh = later.client()
        fresh.cookies = cookies
        assert fresh.get("/").status_code == status
    assert client.get("/", headers=bearer(made.secret)).status_code == 401
    add_token(world.app(), "@rosa", Role.VIEWER)  # the name is free again
    with pytest.raises(UnusableInput) as caught:
        revoke_token(world.app(), "nobody")
    assert caught.value.code == "token.not-found"


def test_guesses_are_slowed_down_and_say_when_to_come_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = add_token(world.app(), "@rosa", Role.MANAGER)
    client = Board(world).client()
    wrong = [f"hwt_{n:012x}_{'x' * 43}" for n in range(40)]
    answers = [client.get("/api/v1/board", headers=bearer(t)) for t in wrong]
    assert [a.status_code for a in answers] == [401] * 30 + [429] * 10
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 300
    assert answers[-1].json()["error"]["code"] == "board.too-many"
    page = client.get("/login").text
    pasted = client.post("/login", data={"token": wrong[0], "csrf": csrf_in(page)})
    assert (pasted.status_code, pasted.headers["retry-after"] != "") == (429, True)
    assert "wait" in pasted.text
    # Whoever fails on purpose, from where others come too and with the id of a token, shuts nobody out.
    for n in range(12):
        client.get("/api/v1/board", headers=bearer(f"{made.secret[:-4]}{n:04}"))
    assert client.get("/api/v1/board", headers=bearer(made.secret)).status_code == 200
    assert client.post("/login", data={"token": made.secret, "csrf": csrf_in(page)}).status_code == 303


@pytest.mark.parametrize("broken", ["release.toml", "HEAD"])
def test_what_is_wrong_with_the_project_is_told_to_nobody_unknown(tmp_path: Path, broken: str) -> None:
    world = World(tmp_path)
    made = add_token(world.app(), "@root", Role.ADMIN)
    board = Board(world)
    known = board.logged_in(made.secret)
    if broken == "HEAD":
        (world.git.path / "HEAD").unlink()
    else:
        world.git.commit("Break it", {"release.toml": 'schema = 1\nsecret-plan = "x"\n'})
    looks = ("/", "/trains/0.1.1", "/ledger", "/metrics/prometheus", "/feed.atom", "/live", "/api/v1/ledger")
    for shown in ({"cookie": f"headway={'x' * 43}"}, bearer("hwt_"), {}):
        for path in looks:
            assert board.client(**shown).get(path).status_code == 401, (shown, path)
        for path in ("/trains/0.1.1/hold", "/people/tokens/revoke", "/api/v1/trains/0.1.1/acts/hold", "/logout"):
            form = {"json": {}} if path.startswith("/api") else {"data": {"csrf": ""}}
            assert board.client(**shown).post(path, **form).status_code == 401, (shown, path)
    ready = board.client().get("/readyz")
    assert (ready.status_code, list(ready.json()["error"])) == (503, ["code"])
    assert known.get("/").status_code == 503
    assert known.get("/readyz").json()["error"]["message"]


def test_whoever_asks_for_the_description_of_the_api_has_it_made_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(**how: Any) -> dict[str, Any]:
        made.append(1)
        return get_openapi(**how)

    monkeypatch.setattr(api, "get_openapi", counted)
    client = Board(world).client()
    answers = {client.get("/api/v1/openapi.json").text for _ in range(3)}
    assert (len(answers), len(made)) == (1, 1)


def test_one_person_changes_so_much_in_a_minute(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = add_token(world.app(), "@root", Role.ADMIN)
    client = Board(world).logged_in(made.secret)
    statuses = [client.post("/people/logins/end", data={"csrf": "x"}).status_code for _ in range(61)]
    assert statuses == [403] * 60 + [429]
    assert client.get("/").status_code == 200


def test_a_token_for_monitoring_reads_figures_and_nothing_else(world: World) -> None:
    made = add_token(world.app(), "scrapes", Role.VIEWER, ("metrics",))
    client = Board(world).client(**bearer(made.secret))
    assert client.get("/metrics/prometheus").status_code == 200
    for path in ("/metrics", "/", "/api/v1/board", "/api/v1/metrics"):
        assert client.get(path).status_code == 403, path


def test_names_roles_and_scopes_that_cannot_be_meant(world: World) -> None:
    for name in ("", " ", " x", "a\nb", "\x1b[31m", "\u202eexe", "x" * 101):
        with pytest.raises(UnusableInput) as caught:
            add_token(world.app(), name, Role.VIEWER)
        assert caught.value.code == "token.name"
    with pytest.raises(UnusableInput) as caught:
        add_token(world.app(), "x", Role.VIEWER, ("read", "manage"))
    assert caught.value.code == "token.scope"
    assert add_token(world.app(), "counts", Role.VIEWER, ("metrics",)).token.scopes == {"metrics"}


def test_a_large_or_broken_form_is_refused(world: World) -> None:
    client = Board(world).client()
    assert client.post("/login", data={"token": "x" * 300_000}).status_code == 413
    odd = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/login", content=b"token=%ff%fe", headers=odd).status_code == 400
    assert client.post("/login", json={"token": "x"}).status_code == 415
    assert client.post("/login", content=b"&".join([b"a=1"] * 500), headers=odd).status_code == 400


def test_the_one_who_serves_is_let_in_and_whoever_comes_through_a_web_server_is_not(world: World) -> None:
    board = Board(world, local=True)
    client = board.client()
    assert "You are Rosa (admin)." in client.get("/").text
    assert client.get("/login?next=//evil.example").headers["location"] == "/"
    for name in ("x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host"):
        assert client.get("/", headers={name: "10.0.0.1"}).status_code == 403
    told = client.post("/webhooks/github", headers={"x-forwarded-for": "10.0.0.1"})
    assert told.status_code == 503  # as before: no forge
    made = add_token(world.app(), "looks here too", Role.VIEWER)
    assert client.get("/people", headers=bearer(made.secret)).status_code == 403
    assert client.get("/api/v1/board", headers=bearer("x")).status_code == 401
    end = {"csrf": csrf_of_page(client), "id": made.token.id}
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9"):
        assert client.post("/people/tokens/revoke", data=end, headers={"origin": origin}).status_code == 403
    assert client.post("/people/tokens/revoke", data=end, headers={"origin": OWN}).status_code == 303
    assert {t.id for t in doors(world.app()).tokens() if t.revoked} == {made.token.id}


def csrf_of_page(client: TestClient) -> str:
    return csrf_in(client.get("/people").text)


ID, SECRET = "HEADWAY_OAUTH_CLIENT_ID", "HEADWAY_OAUTH_CLIENT_SECRET"
SERVED = [
    # host, --local, board.url, token, variables, what comes of it
    ("127.0.0.1", False, "", "", (), "local"),
    ("127.0.0.1", True, "https://b.example", "valid", (ID, SECRET), "local"),
    ("127.0.0.1", False, "", "valid", (), "login"),
    ("127.0.0.1", False, "", "", (ID, SECRET), "login"),
    ("::1", False, "https://b.example", "", (ID, SECRET), "login"),
    ("127.0.0.1", False, "https://b.example", "", (), "serve.no-login"),
    ("127.0.0.1", False, "", "revoked", (), "serve.no-login"),  # what opened the board to few opens it to none
    ("127.0.0.1", False, "", "", (ID,), "serve.no-login"),
    ("localhost", False, "", "", (SECRET,), "serve.no-login"),
    ("0.0.0.0", False, "", "", (), "serve.no-login"),  # noqa: S104
    ("0.0.0.0", False, "https://b.example", "", (), "serve.no-login"),  # noqa: S104
    ("0.0.0.0", False, "https://b.example", "revoked", (), "serve.no-login"),  # noqa: S104
    ("0.0.0.0", False, "", "valid", (), "serve.no-url"),  # noqa: S104
    ("192.168.1.7", False, "", "", (ID, SECRET), "serve.no-url"),
    ("0.0.0.0", False, "https://b.example", "valid", (), "login"),  # noqa: S104
    ("::", False, "https://b.example", "", (ID, SECRET), "login"),
    ("0.0.0.0", True, "https://b.example", "valid", (ID, SECRET), "serve.not-loopback"),  # noqa: S104
]


@pytest.mark.parametrize(("host", "local", "url", "token", "variables", "comes"), SERVED)
def test_where_the_board_is_served_and_to_whom(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    local: bool,
    url: str,
    token: str,
    variables: tuple[str, ...],
    comes: str,
) -> None:
    for name in (ID, SECRET):
        monkeypatch.delenv(name, raising=False)
    for name in variables:
        monkeypatch.setenv(name, "oauth-word" if name == SECRET else "oauth-id")
    world = World(tmp_path, f'{POLICY}[board]\nurl = "{url}"\n' if url else POLICY)
    if token:
        add_token(world.app(), "@rosa", Role.VIEWER)
    if token == "revoked":
        revoke_token(world.app(), "@rosa")
    if comes.startswith("serve."):
        with pytest.raises(UnusableInput) as caught:
            entrance_of(world.app(), host, local=local)
        assert caught.value.code == comes
        assert "oauth-word" not in str(caught.value.as_json())
        missing = {ID, SECRET} - set(variables)
        assert "make a token" not in tr(caught.value.remedy, "zh")
        if comes == "serve.no-login" and len(variables) == 1:
            assert missing.pop() in str(caught.value.remedy)
        return
    found = entrance_of(world.app(), host, local=local)
    assert isinstance(found, Entrance)
    assert found.local is (comes == "local")
    address, people = found.people("http://127.0.0.1:1/")
    assert isinstance(people, LocalUser) is found.local
    assert address == Address("" if found.local else url, "http://127.0.0.1:1", found.local)
    assert "oauth-word" not in repr(people)
