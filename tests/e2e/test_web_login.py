"""Logging in to a real `headway serve` by GitHub and by tokens: who gets in, what they may, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from githubfake import TOKEN
from githublogin import CLIENT, SECRET
from githubtrain import Town, town
from webserved import Served
from webworld import POLICY, World

from headway.boardlogin import add_token
from headway.model.entry import Kind
from headway.model.visitor import Role

BOARD = """
[board]
viewers = ["triage", "@Tess"]
requesters = ["write"]
managers = ["@Rosa", "team:toy/release"]
admins = ["admin"]
"""
ENV = {"GITHUB_TOKEN": TOKEN, "HEADWAY_OAUTH_CLIENT_ID": CLIENT, "HEADWAY_OAUTH_CLIENT_SECRET": SECRET}


@dataclass
class Place:
    town: Town
    served: Served

    @property
    def url(self) -> str:
        return self.served.url

    @contextmanager
    def browser(self, who: str = "") -> Iterator[httpx.Client]:
        """One that keeps its cookies; ``who`` has logged in by GitHub."""
        with httpx.Client(base_url=self.url, timeout=60, headers={"accept-language": "en"}) as client:
            if who:
                self.town.fake.oauth.who, self.town.fake.oauth.allows = who, True
                answer = client.get("/login/github?next=/policy", follow_redirects=True)
                assert answer.url.path == "/policy"
            yield client


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with town(tmp_path_factory.mktemp("login"), BOARD) as found:
        found.fake.oauth.callback = "http://127.0.0.1/login/github/back"
        for login, right in (("tess", "none"), ("vi", "triage"), ("eve", "read")):
            found.fake.person(login, right)
        found.fake.person("bo", "read", "toy/release")
        with Served(found.clone, found.now, env=ENV) as served:
            yield Place(found, served)


PAGES = ("/", "/calendar", "/calendar.ics", "/policy", "/ledger", "/people", "/api/v1/board", "/api/v1/ledger", "/live")


@pytest.mark.parametrize("path", [*PAGES, "/trains/0.1.1?lang=zh"])
def test_a_stranger_sees_nothing_and_is_led_to_the_login_and_back(place: Place, path: str) -> None:
    answer = httpx.get(f"{place.url}{path[1:]}", timeout=60)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic" if path.endswith(".ics") else "Bearer")
    assert "0.1.1" not in answer.text.replace("trains%2F0.1.1", "")
    if path.startswith("/api"):
        assert answer.json()["error"]["code"] == "board.login"
    else:
        led = re.search(r'href="(/login\?[^"]+)"', answer.text)
        assert led is not None
        assert parse_qs(urlsplit(led[1].replace("&amp;", "&")).query)["next"] == [path]


@pytest.mark.parametrize("path", ["/login", "/healthz", "/static/headway.css"])
def test_what_a_stranger_may_see(place: Place, path: str) -> None:
    assert httpx.get(f"{place.url}{path[1:]}", timeout=60).status_code == 200


WHO = {"eve": Role.NOBODY, "tess": Role.VIEWER, "vi": Role.VIEWER, "ada": Role.REQUESTER, "rosa": Role.MANAGER,
       "bo": Role.MANAGER, "root": Role.ADMIN}  # fmt: skip
WORDS = {Role.VIEWER: "viewer", Role.REQUESTER: "requester", Role.MANAGER: "release manager", Role.ADMIN: "admin"}
KINDS = (("GET", "/", Role.VIEWER), ("GET", "/api/v1/board", Role.VIEWER), ("GET", "/people", Role.ADMIN),
         ("POST", "/people/logins/end", Role.ADMIN), ("POST", "/people/tokens/revoke", Role.ADMIN))  # fmt: skip


@pytest.mark.parametrize("who", WHO)
def test_each_role_has_what_it_may_and_no_more(place: Place, who: str) -> None:
    with place.browser(who) as client:
        for method, path, wanted in KINDS:
            answer = client.request(method, path, data={"csrf": "forged"} if method == "POST" else None)
            if not WHO[who].includes(wanted):
                assert answer.status_code == 403, path
                assert f"takes the role {wanted.value}" in answer.text, path
                assert "G1" not in answer.text, path  # no clause says who looks
            else:
                assert answer.status_code == (200 if method == "GET" else 403), path
                assert ("not made for you" in answer.text) is (method == "POST"), path
        text = client.get("/").text
        if WHO[who] is not Role.NOBODY:
            assert f"You are @{who} ({WORDS[WHO[who]]})." in text
        assert (">People<" in text) is (who == "root")
        assert ">Log out<" in text


def test_github_is_asked_for_a_name_and_nothing_else_and_its_token_is_forgotten(place: Place) -> None:
    fake = place.town.fake
    with place.browser("ada"):
        asked = fake.oauth.asked[-1]
        assert set(asked) == {
            "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "allow_signup",
        }  # fmt: skip
        assert asked["redirect_uri"] == f"{place.url}login/github/back"
        assert asked["code_challenge_method"] == "S256"
    token = fake.oauth.tokens[-1]
    state = place.town.clone / "headway"
    for file in (f for f in state.rglob("*") if f.is_file()):
        held = file.read_bytes()
        assert token.encode() not in held, file
        assert SECRET.encode() not in held, file


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "/\\evil.example", "/%09/evil.example"])
def test_nobody_is_led_to_another_site(place: Place, next: str) -> None:
    place.town.fake.oauth.who = "ada"
    with place.browser() as client:
        answer = client.get("/login/github", params={"next": next}, follow_redirects=True)
        assert answer.url.host == "127.0.0.1"
        assert all("evil" not in (h.next_request.url.host if h.next_request else "") for h in answer.history)
        page = client.get("/login", params={"next": next}).text
        leads = re.search(r'name="next" value="([^"]*)"', page)
        assert leads is not None
        assert urlsplit(leads[1]).netloc == ""
        assert leads[1] in {"/", "/%09/evil.example"}


def test_a_login_is_finished_by_the_browser_that_began_it_and_once(place: Place) -> None:
    place.town.fake.oauth.who = "ada"
    with place.browser() as mine, place.browser() as others:
        begun = mine.get("/login/github?next=/policy")
        back = httpx.get(begun.headers["location"], timeout=60).headers["location"]
        stolen = others.get(back)
        assert (stolen.status_code, "not begun here" in stolen.text) == (400, True)
        others.get("/login/github")
        assert others.get(back).status_code == 400
        assert others.get("/").status_code == 401
        assert mine.get(back).headers["location"] == "/policy"
        again = mine.get(back)
        assert again.status_code == 400
        assert mine.get("/policy").status_code == 200


def test_who_says_no_at_github_is_told_so_and_is_not_in(place: Place) -> None:
    place.town.fake.oauth.allows = False
    with place.browser() as client:
        answer = client.get("/login/github", follow_redirects=True)
        place.town.fake.oauth.allows = True
        assert (answer.status_code, "access_denied" in answer.text) == (403, True)
        assert client.get("/").status_code == 401


def test_github_that_fails_is_said_without_a_secret(place: Place) -> None:
    place.town.fake.oauth.who = "ada"
    with place.browser() as client:
        place.town.fake.fault("GET", "/user", 500)
        answer = client.get("/login/github", follow_redirects=True)
        assert answer.status_code == 502
        assert "GitHub did not say who you are" in answer.text
        assert SECRET not in answer.text
        assert "gho_" not in answer.text


def test_where_rights_cannot_be_asked_for_a_name_in_the_policy_holds_still(place: Place) -> None:
    fake = place.town.fake
    fake.person("Nan", "write")
    for _ in range(3):
        fake.fault("GET", "/repos/toy/kit/collaborators/Nan/permission", 500)
    with place.browser("Nan") as client:
        assert client.get("/").status_code == 403
    for _ in range(3):
        fake.fault("GET", "/repos/toy/kit/collaborators/Tess/permission", 500)
    fake.person("Tess", "none")
    with place.browser("Tess") as client:
        assert "You are @Tess (viewer)." in client.get("/").text


def csrf_in(text: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def test_each_login_is_a_new_one_and_logging_out_ends_it_for_good(place: Place) -> None:
    with place.browser("ada") as client:
        first = client.cookies["headway"]
        assert "headway-login" not in client.cookies
        client.get("/login/github", follow_redirects=True)
        second = client.cookies["headway"]
        assert first != second
        for old in (first, "x", "x" * 43, "é", f"{second}x", '" OR 1=1 --'):
            answer = httpx.get(place.url, headers={"cookie": f"headway={old}".encode()}, timeout=60)
            assert answer.status_code == 401, old
        csrf = csrf_in(client.get("/").text)
        assert client.post("/logout", data={"csrf": "x"}).status_code == 403
        assert client.post("/logout").status_code == 415
        evil = client.post("/logout", data={"csrf": csrf}, headers={"origin": "https://evil.example"})
        assert (evil.status_code, evil.text) == (403, "This form was sent from another site.\n")
        assert client.post("/logout", data={"csrf": csrf}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert client.get("/").status_code == 200
        out = client.post("/logout", data={"csrf": csrf}, headers={"origin": place.url[:-1]})
        assert (out.status_code, out.headers["location"]) == (303, "/login")
        assert "headway" not in client.cookies
        assert httpx.get(place.url, headers={"cookie": f"headway={second}"}, timeout=60).status_code == 401


def test_one_persons_form_is_no_good_for_another(place: Place) -> None:
    with place.browser("root") as root, place.browser("ada") as ada:
        theirs = csrf_in(ada.get("/").text)
        answer = root.post("/people/logins/end", data={"csrf": theirs, "ref": "x"})
        assert (answer.status_code, "not made for you" in answer.text) == (403, True)


def test_an_admin_ends_a_login_and_a_token_and_the_ledger_tells_who_did(place: Place) -> None:
    made = add_token(place.town.app, "ci <b>bot</b>", Role.REQUESTER, ("read", "metrics"), 30)
    asks = {"authorization": f"Bearer {made.secret}"}
    assert httpx.get(f"{place.url}api/v1/board", headers=asks, timeout=60).status_code == 200
    with place.browser("root") as root, place.browser("rosa") as rosa:
        text = root.get("/people").text
        assert "ci &lt;b&gt;bot&lt;/b&gt;" in text
        assert "<code>read</code> <code>metrics</code>" in text
        assert made.secret not in text
        assert "you, here" in text
        csrf = csrf_in(text)
        refs = re.findall(r"<bdi>@rosa</bdi>.*?name=\"ref\" value=\"([0-9a-f]+)\"", text, re.S)
        for ref in refs:
            assert root.post("/people/logins/end", data={"csrf": csrf, "ref": ref}).status_code == 303
        assert rosa.get("/").status_code == 401
        assert root.post("/people/logins/end", data={"csrf": csrf, "ref": refs[0]}).status_code == 404
        assert root.post("/people/tokens/revoke", data={"csrf": csrf, "id": made.token.id}).status_code == 303
        answer = httpx.get(f"{place.url}api/v1/board", headers=asks, timeout=60)
        assert (answer.status_code, answer.json()["error"]["message"]) == (401, "this token was revoked")
        assert root.get("/people").text.count("revoked</span>") == 1
        told = root.get("/ledger?lang=en").text
    assert "ended the login of @rosa" in told
    assert f"revoked token {made.token.id} of the board" in told
    *_, ended, shut = place.town.entries(Kind.LOGIN_ENDED, Kind.SHUT_OUT)
    assert (ended.actor, ended.payload["name"], ended.payload["via"]) == ("@root", "@rosa", {"board": "session"})
    assert (shut.actor, shut.payload["token"]) == ("@root", made.token.id)
    assert made.secret not in str(place.town.entries())


def by_bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def by_password(secret: str) -> dict[str, str]:
    return {"authorization": httpx.BasicAuth("calendar", secret)._auth_header}


@pytest.mark.parametrize("shown", [by_bearer, by_password])
def test_a_token_opens_what_it_was_made_for(place: Place, shown: Callable[[str], dict[str, str]]) -> None:
    looks = add_token(place.town.app, f"looks {shown.__name__}", Role.ADMIN, ("read",))
    counts = add_token(place.town.app, f"counts {shown.__name__}", Role.VIEWER, ("metrics",))

    def ask(secret: str, path: str, method: str = "GET") -> httpx.Response:
        form = {"csrf": ""} if method == "POST" else None
        return httpx.request(method, f"{place.url}{path}", headers=shown(secret), data=form, timeout=60)

    assert ask(looks.secret, "calendar.ics").status_code == 200
    assert ask(counts.secret, "api/v1/board").json()["error"]["facts"]["scopes"] == ["metrics"]
    refused = ask(looks.secret, "people")
    assert (refused.status_code, "yours was made for read" in refused.text) == (403, True)
    assert ask(looks.secret[:-2] + "xx", "calendar.ics").status_code == 401
    assert ask("x" * 100, "calendar.ics").status_code == 401
    changes = ask(looks.secret, "people/logins/end", "POST")
    assert changes.status_code in (403 if shown is by_bearer else 401,), changes.text


def test_a_token_is_pasted_and_the_login_is_its_name(place: Place) -> None:
    made = add_token(place.town.app, "@zoe", Role.MANAGER)
    with place.browser() as client:
        page = client.get("/login?next=/policy").text
        csrf = csrf_in(page)
        no = client.post("/login", data={"token": f"{made.secret}x", "csrf": csrf, "next": "/policy"})
        assert (no.status_code, "this token is not known here" in no.text) == (401, True)
        assert made.secret not in no.text
        forged = client.post("/login", data={"token": made.secret, "csrf": "x", "next": "/policy"})
        assert forged.status_code == 403
        yes = client.post("/login", data={"token": f" {made.secret}\n", "csrf": csrf, "next": "//evil.example"})
        assert (yes.status_code, yes.headers["location"]) == (303, "/")
        assert "You are @zoe (release manager)." in client.get("/").text
        assert client.get("/people").status_code == 403


def test_a_token_for_figures_alone_is_refused_on_the_login_page(place: Place) -> None:
    counts = add_token(place.town.app, "prometheus pasted", Role.VIEWER, ("metrics",))
    both = add_token(place.town.app, "prometheus and people", Role.VIEWER, ("metrics", "read"))
    with place.browser() as client:
        csrf = csrf_in(client.get("/login").text)
        no = client.post("/login", data={"token": counts.secret, "csrf": csrf, "next": "/"})
        assert no.status_code == 403
        assert "this token was made for figures alone (scope metrics): it opens no page" in no.text
        assert counts.secret not in no.text
        assert client.get("/").status_code == 401
        yes = client.post("/login", data={"token": both.secret, "csrf": csrf_in(no.text), "next": "/"})
        assert (yes.status_code, client.get("/").status_code) == (303, 200)
    shown = {"authorization": f"Bearer {counts.secret}"}
    assert httpx.get(f"{place.url}metrics/prometheus", headers=shown, timeout=60).status_code == 200


def test_who_came_in_and_who_did_not_is_told_where_it_is_served(tmp_path: Path) -> None:
    world = World(tmp_path, f'{POLICY}[board]\nurl = "https://board.example.org"\n')
    made = add_token(world.app(), "@zoe", Role.VIEWER)
    with Served(world.git.path, world.clock.now(), "--host", "0.0.0.0") as served:  # noqa: S104
        url = served.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        client = httpx.Client(base_url=url, timeout=60, headers={"host": "board.example.org"})
        page = client.get("/login")
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert "account" not in page.text  # there is no OAuth App
        (cookie,) = page.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-headway-login=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        began = cookie.partition(";")[0]
        form = {"token": made.secret, "csrf": csrf_in(page.text), "next": "/"}
        for origin, status in (
            ("http://board.example.org", 403),
            ("null", 403),
            ("https://board.example.org", 303),
        ):
            answer = client.post("/login", data=form, headers={"cookie": began, "origin": origin})
            assert answer.status_code == status, origin
        cookie = answer.headers.get_list("set-cookie")[-1]
        assert cookie.startswith("__Host-headway=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax", "Max-Age=43200"} <= set(cookie.split("; "))
        login = cookie.partition(";")[0]
        assert client.get("/", headers={"cookie": login}).status_code == 200
        assert client.get("/", headers={"cookie": login.removeprefix("__Host-")}).status_code == 401
        assert client.get("/", headers={"cookie": login, "host": url[7:-1]}).status_code == 200
        for host in ("evil.example", "10.0.0.9", "board.example.org.evil.example"):
            answer = client.get("/", headers={"cookie": login, "host": host})
            assert (answer.status_code, "0.1.1" in answer.text) == (421, False)
        client.post("/login", data={**form, "token": "wrong"}, headers={"cookie": began})
        client.close()
        served.process.terminate()
        said = served.process.communicate(timeout=60)[1]
    assert "@zoe logged in from 127.0.0.1" in said
    assert "a login from 127.0.0.1 failed: this token is not known here" in said
    assert "Traceback" not in said
    assert made.secret not in said
