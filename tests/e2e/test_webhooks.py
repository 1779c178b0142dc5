"""Webhooks over real HTTP: what is let in, what is refused, and that each one let in is looked after in the end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from githubfake import TOKEN
from hookkit import (
    COMMENTED,
    HOOKED,
    REPOSITORY,
    SECRET,
    SECRET_ENV,
    Heard,
    letting_in,
    listening,
    on_github,
    post,
    queue_of,
    request,
)
from webserved import Served
from webworld import POLICY, World

from headway.app import Silent
from headway.github.delivery import LIMIT, signature_of
from headway.model.entry import Kind
from headway.model.text import Text
from headway.web.webhooks import webhooks_of

NEVER = "86400"  # seconds between ticks: none but the first comes by itself


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_ENV, SECRET)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """A project with nothing to do, and its address."""
    world = World(tmp_path_factory.mktemp("quiet"), HOOKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_ENV, SECRET)
        with Served(world.git.path, world.clock.now(), "--tick-every", NEVER) as served:
            yield world, served.url


@pytest.fixture
def url(quiet: tuple[World, str]) -> str:
    return quiet[1]


def until(true: Any) -> None:
    """Wait for it; the test's own end is the limit."""
    while not true():
        time.sleep(0.05)


# What it says when it starts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [True, False])
def test_what_is_accepted_and_how_often_it_ticks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: bool
) -> None:
    if not secret:
        monkeypatch.delenv(SECRET_ENV)
    world = World(tmp_path, HOOKED)
    with Served(world.git.path, world.clock.now(), "--tick-every", NEVER) as served:
        assert served.process.stderr is not None
        said = served.process.stderr.readline() + served.process.stderr.readline()
    accepted = "webhooks are accepted at /webhooks/github"
    assert (accepted if secret else f"webhooks are not accepted: no secret is in {SECRET_ENV}") in said
    assert f"a tick is done now, and {NEVER} seconds after the last" in said


# What is let in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [False, True])
def test_a_signed_delivery_is_accepted_once(url: str, form: bool) -> None:
    name = str(uuid4())
    first, second = (post(url, delivery=name, form=form) for _ in range(2))
    assert (first.status_code, first.json()) == (202, {"status": "accepted"})
    assert (second.status_code, second.json()) == (200, {"status": "seen"})
    assert post(url, delivery=name.upper(), form=form).json() == {"status": "seen"}
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["x-content-type-options"] == "nosniff"


def test_of_the_same_delivery_at_once_one_is_accepted(url: str) -> None:
    name = str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: post(url, delivery=name).status_code, range(16)))
    assert sorted(found) == [200] * 15 + [202]


def test_a_ping_is_answered(url: str) -> None:
    answer = post(url, {"zen": "Keep it logically awesome.", "hook_id": 1}, "ping")
    assert (answer.status_code, answer.json()) == (200, {"status": "pong"})


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ({**COMMENTED, "repository": {"full_name": "mallory/toy"}}, "issue_comment"),
        ({**COMMENTED, "repository": {"full_name": f"{REPOSITORY}-fork"}}, "issue_comment"),
        ({"action": "created"}, "issue_comment"),
        ({**COMMENTED, "repository": None}, "issue_comment"),
        (COMMENTED, "star"),
        (COMMENTED, "membership"),
    ],
)
def test_what_is_not_ours_is_ignored(quiet: tuple[World, str], payload: dict[str, Any], event: str) -> None:
    name = str(uuid4())
    answer = post(quiet[1], payload, event, name)
    assert (answer.status_code, answer.json()["status"]) == (202, "ignored")
    assert post(quiet[1], delivery=name).json() == {"status": "accepted"}  # it was not written down


def test_the_case_of_a_repositorys_name_does_not_matter(url: str) -> None:
    assert post(url, {**COMMENTED, "repository": {"full_name": REPOSITORY.upper()}}).json() == {"status": "accepted"}


# What is refused -----------------------------------------------------------------------------------------------

BODY = json.dumps(COMMENTED).encode()
SIGNATURE = signature_of(BODY, SECRET)


@pytest.mark.parametrize(
    "headers",
    [
        {"x_hub_signature_256": None},
        {"x_hub_signature_256": None, "x_hub_signature": "sha1=" + "0" * 40},
        {"x_hub_signature_256": ""},
        {"x_hub_signature_256": "sha256="},
        {"x_hub_signature_256": signature_of(BODY, "")},
        {"x_hub_signature_256": signature_of(BODY, SECRET + "x")},
        {"x_hub_signature_256": signature_of(BODY + b" ", SECRET)},
        {"x_hub_signature_256": SIGNATURE[:-1]},
        {"x_hub_signature_256": SIGNATURE.upper()},
        {"x_hub_signature_256": f"{SIGNATURE}, {SIGNATURE}"},
    ],
)
def test_without_the_right_signature_nothing_is_told(quiet: tuple[World, str], headers: dict[str, str | None]) -> None:
    name = str(uuid4())
    answer = post(quiet[1], delivery=name, **headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["facts"] == {}
    plain = post(quiet[1], b"not even JSON", "no event!", "no id", x_hub_signature_256="sha256=00")
    assert (plain.status_code, plain.content) == (answer.status_code, answer.content)  # whatever else is wrong
    assert post(quiet[1], delivery=name).json() == {"status": "accepted"}  # it was not written down


def test_two_signatures_are_none(url: str) -> None:
    headers, body = request()
    twice = [*headers.items(), ("x-hub-signature-256", "sha256=00")]
    assert httpx.post(f"{url}webhooks/github", headers=twice, content=body).status_code == 401


@pytest.mark.parametrize(
    ("status", "given"),
    [
        (400, {"payload": b""}),
        (400, {"payload": b"{"}),
        (400, {"payload": b"[]"}),
        (400, {"payload": b"\xff\xfe\x00"}),
        (400, {"payload": b"[" * 1_000_000}),
        (400, {"payload": b'{"repository":' * 100_000}),
        (400, {"event": "../../etc/passwd"}),
        (400, {"x_github_event": None}),
        (400, {"delivery": "1"}),
        (400, {"delivery": "'; DROP TABLE deliveries; --"}),
        (400, {"x_github_delivery": None}),
        (415, {"content_type": "text/plain"}),
        (415, {"content_type": None}),
        (415, {"content_type": "multipart/form-data; boundary=x"}),
        (400, {"content_type": "application/x-www-form-urlencoded"}),
    ],
)
def test_what_is_signed_but_cannot_be_read_is_refused_in_words(url: str, status: int, given: dict[str, Any]) -> None:
    answer = post(url, **given)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "clause", "message", "facts", "remedy"}
    assert httpx.get(f"{url}healthz").status_code == 200


def raw(url: str, head: str, *chunks: bytes) -> bytes:
    """The beginning of an answer to a request that is written byte by byte."""
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    lines = f"POST /webhooks/github HTTP/1.1\r\nHost: {host}\r\nX-Hub-Signature-256: {SIGNATURE}\r\n{head}\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as s:
        s.sendall(lines.encode())
        try:
            for chunk in chunks:
                s.sendall(chunk)
        except OSError:  # the answer came before all was sent
            pass
        return s.recv(12)


@pytest.mark.parametrize("length", [LIMIT + 1, 10**18])
def test_a_body_that_says_that_it_is_too_large_is_not_read(url: str, length: int) -> None:
    assert raw(url, f"Content-Length: {length}\r\n") == b"HTTP/1.1 413"


def test_a_body_that_becomes_too_large_is_left(url: str) -> None:
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    assert raw(url, "Transfer-Encoding: chunked\r\n", *[piece] * 26) == b"HTTP/1.1 413"
    assert httpx.get(f"{url}healthz").status_code == 200


def test_a_body_of_the_largest_size_is_read(url: str) -> None:
    body = json.dumps({**COMMENTED, "filler": ""}).encode()
    body = body.replace(b'"filler": ""', b'"filler": "' + b"x" * (LIMIT - len(body)) + b'"')
    assert len(body) == LIMIT
    assert post(url, body).json() == {"status": "accepted"}


def test_a_body_that_is_cut_short_is_no_trouble(url: str) -> None:
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as s:
        s.sendall(f"POST /webhooks/github HTTP/1.1\r\nHost: {host}\r\nX-Hub-Signature-256: {SIGNATURE}\r\n".encode())
        s.sendall(b"Content-Length: 1000\r\n\r\n{")
    assert httpx.get(f"{url}healthz").status_code == 200


def test_the_pages_are_guarded_as_before(url: str) -> None:
    assert post(url, host="hooks.example.org").status_code == 421
    for method in ("GET", "PUT", "DELETE"):
        assert httpx.request(method, f"{url}webhooks/github").status_code == 405
    assert httpx.post(f"{url}ledger").status_code == 405


@pytest.mark.parametrize(
    ("secret", "changed", "words"),
    [
        (None, {}, SECRET_ENV),
        ("", {}, SECRET_ENV),
        (" \n", {}, SECRET_ENV),
        (SECRET, {"project": {"repository": ""}}, "project.repository"),
        (SECRET, {"forge": {"kind": "none"}}, "forge.kind"),
    ],
)
def test_where_they_cannot_be_proven_none_are_let_in(
    quiet: tuple[World, str], monkeypatch: pytest.MonkeyPatch, secret: str | None, changed: dict[str, Any], words: str
) -> None:
    monkeypatch.delenv(SECRET_ENV)
    if secret is not None:
        monkeypatch.setenv(SECRET_ENV, secret)
    app = letting_in(quiet[0].app())
    tables = {name: getattr(app.policy, name).model_copy(update=values) for name, values in changed.items()}
    policy = app.policy.model_copy(update=tables)
    name = str(uuid4())
    with listening(quiet[0].app, let_in=lambda app: replace(app, policy=policy)) as heard:
        answers = [
            post(heard.url, delivery=name),
            post(heard.url, delivery=name, x_hub_signature_256=None),
            post(heard.url, delivery=name, x_hub_signature_256=signature_of(BODY, secret or "")),
        ]
    for answer in answers:
        assert answer.status_code == 503
        assert words in answer.json()["error"]["message"]
    assert queue_of(quiet[0]).add(name, "push", "", 0, quiet[0].clock.now())  # it was not written down


# What comes of it ----------------------------------------------------------------------------------------------


def cut(world: World) -> bool:
    return any(e.kind == Kind.CUT for e in world.app().entries())


def test_a_delivery_makes_a_tick_look(tmp_path: Path) -> None:
    world = World(tmp_path)
    with listening(world.app) as heard:
        post(heard.url)
        until(lambda: not queue_of(world).unlooked())
        world.at("01-27T09")  # the day of the cut; nobody looks
        assert not cut(world)
        assert post(heard.url).status_code == 202
        until(lambda: not queue_of(world).unlooked())
        assert cut(world)


def test_a_lost_one_is_found_by_looking_every_so_often(tmp_path: Path) -> None:
    world = World(tmp_path)
    with listening(world.app, every_s=1) as heard:
        until(lambda: heard.opened)
        world.at("01-27T09")
        until(lambda: cut(world))


def test_nothing_they_say_is_believed_in_whatever_order(tmp_path: Path) -> None:
    world = World(tmp_path)
    before = world.git.run("for-each-ref")
    told = [
        ({"action": "opened", "pull_request": {"number": 5, "merged": False}}, "pull_request"),
        ({"action": "closed", "pull_request": {"number": 5, "merged": True, "base": {"ref": "main"}}}, "pull_request"),
        ({"ref": "refs/heads/main", "deleted": True, "forced": True, "before": world.first}, "push"),
        ({"action": "deleted", "release": {"tag_name": "v0.1.0"}}, "release"),
        (COMMENTED, "issue_comment"),
    ]
    with listening(world.app) as heard:
        for payload, event in (*told, *reversed(told)):
            assert post(heard.url, {**payload, "repository": {"full_name": REPOSITORY}}, event).status_code == 202
        until(lambda: not queue_of(world).unlooked())
    assert world.app().entries() == ()
    assert world.git.run("for-each-ref") == before


def test_a_storm_is_a_few_ticks(tmp_path: Path) -> None:
    world = World(tmp_path)
    with listening(world.app) as heard:
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: post(heard.url).status_code, range(200)))
        until(lambda: not queue_of(world).unlooked())
        took = time.monotonic() - began
    assert answers == [202] * 200
    assert heard.opened <= took + 2  # one as it begins, then at most one in a second, however long this took


CHECK = '[cut]\ncheck = "{python} endless.py"\n'
ENDLESS = "import os, time\np = os.getppid()\nwhile os.getppid() == p: time.sleep(0.1)\n"


def test_one_that_comes_while_a_tick_is_under_way_is_looked_after_by_the_next(tmp_path: Path) -> None:
    go = tmp_path / "go"
    world = World(tmp_path, POLICY + CHECK).at("01-27T09")
    world.git.commit(
        "Wait", {"endless.py": f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.1)\n"}
    )
    with listening(world.app) as heard:
        until(lambda: list(tmp_path.rglob("*check*.log")))  # the cut is being checked
        post(heard.url)
        assert (heard.opened, len(queue_of(world).unlooked())) == (1, 1)
        go.touch()
        until(lambda: not queue_of(world).unlooked())
        assert heard.opened >= 2


def test_what_was_answered_before_a_kill_is_looked_after_at_the_next_start(tmp_path: Path) -> None:
    with on_github(tmp_path, CHECK, {"endless.py": ENDLESS}) as forge:
        with forge.served() as served:
            assert served.process.stderr is not None
            assert any("checking" in line for line in served.process.stderr)
            assert post(served.url).status_code == 202
            assert post(served.url).status_code == 202
            served.process.send_signal(signal.SIGKILL)
            served.process.communicate(timeout=60)
        assert len(forge.queue.unlooked()) == 2
        forge.there.git.commit("Green", {"endless.py": "print('green')\n"})
        with forge.served():
            until(lambda: not forge.queue.unlooked())
        assert any(e.kind == Kind.CUT for e in forge.app().entries())


def test_a_comment_is_answered_when_its_webhook_comes(tmp_path: Path) -> None:
    with on_github(tmp_path) as forge, forge.served() as served:
        forge.fake.person("rosa", "admin")
        until(lambda: forge.fake.talk.threads)  # the tracker is there
        (tracker,) = forge.fake.talk.threads
        post(served.url)
        until(lambda: not forge.queue.unlooked())
        forge.fake.talk.comment("rosa", tracker, "/status")
        assert len(forge.fake.talk.notes) == 1
        assert post(served.url).status_code == 202
        until(lambda: len(forge.fake.talk.notes) == 2)
        assert "headway:answer:" in list(forge.fake.talk.notes.values())[1].body


class Told(Silent):
    """What a person would read."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: Text) -> None:
        self.lines.append(str(text))


def test_a_tick_that_fails_leaves_them_to_be_looked_after(tmp_path: Path) -> None:
    world, told = World(tmp_path).at("01-27T09"), Told()
    world.git.branch("releases/v0.1.1/in-the-way", "main")  # git can have no branch releases/v0.1.1 beside it

    def failures() -> int:
        return sum("releases/v0.1.1" in line for line in told.lines)

    with listening(lambda: replace(world.app(), progress=told)) as heard:
        post(heard.url)
        until(lambda: failures() >= 2)  # told, and tried again
        assert len(queue_of(world).unlooked()) == 1
        world.git.run("branch", "-D", "releases/v0.1.1/in-the-way")
        until(lambda: not queue_of(world).unlooked())
    assert cut(world)


def test_a_defect_in_one_tick_does_not_end_all(tmp_path: Path) -> None:
    world, told = World(tmp_path), Told()
    app, broken = replace(world.app(), progress=told), iter([True])

    def sometimes() -> Any:
        return None if heard.opened > 0 and next(broken, False) else app

    heard = Heard()
    with listening(sometimes, heard=heard):
        post(heard.url)
        until(lambda: not queue_of(world).unlooked())
    assert [line for line in told.lines if "AttributeError" in line]


def test_a_queue_that_is_broken_holds_up_no_train(tmp_path: Path) -> None:
    world = World(tmp_path).at("01-27T09")
    state = world.app().repo.state
    state.mkdir(exist_ok=True)
    (state / "deliveries.db").write_bytes(b"no database at all, but long enough" * 99)
    with listening(world.app) as heard:
        answer = post(heard.url)
        until(lambda: cut(world))
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "webhook.queue"


def test_the_secrets_are_written_nowhere(tmp_path: Path) -> None:
    with on_github(tmp_path) as forge, forge.served() as served:
        answers = [
            post(served.url),
            post(served.url, b"{"),
            post(served.url, x_hub_signature_256=None),
            post(served.url, {"x": SECRET}),
        ]
        listed = subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=False).stdout
        until(lambda: not forge.queue.unlooked())
        forge.fake.tokens.clear()  # a tick that fails has more to tell
        post(served.url)
        assert served.process.stderr is not None
        err = next(line for line in served.process.stderr if "cannot be read" in line)
        served.process.send_signal(signal.SIGTERM)
        out, rest = served.process.communicate(timeout=60)
        shown = repr(webhooks_of(forge.app()))
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    told = "".join(str(a.headers) + a.text for a in answers)
    for secret in (SECRET, TOKEN):
        assert secret not in out + err + rest + listed + told + shown
        assert secret.encode() not in kept
    assert "Traceback" not in rest
