"""People are told once of what they must act on, and again only when it did not arrive."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from webworld import HOSTILE, PERF, POLICY, World

from headway.app import Silent
from headway.model.text import Text
from headway.views.notices import notices
from headway.web.noticed import NoticeBook
from headway.web.notifier import Notifier, apprise_sender, message
from headway.web.picture import Picture, picture_of
from headway.web.watch import Watch


class Post:
    """A web hook as chats have them, on loopback: what arrived, and whether it takes more."""

    def __init__(self) -> None:
        self.arrived: list[dict[str, str]] = []
        self.takes = True
        post = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if post.takes:
                    post.arrived.append(json.loads(body))
                self.send_response(200 if post.takes else 500)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self.server.server_port}/secret-part"


@pytest.fixture
def post() -> Iterator[Post]:
    found = Post()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("notices"), POLICY + PERF).to_regressed()


@pytest.fixture
def picture(world: World) -> Picture:
    return picture_of(world.app(), "r")


def notifier(world: World, post: Post, book: Path) -> Notifier:
    send = apprise_sender({"URLS": post.address}, "URLS")
    assert send is not None
    assert not isinstance(send, Text)
    return Notifier(Watch(world.app, always=True), NoticeBook(book), send, Silent())


def test_each_thing_is_told_once_also_over_a_restart(
    world: World, picture: Picture, post: Post, tmp_path: Path
) -> None:
    book = tmp_path / "noticed.json"
    assert notifier(world, post, book).look(picture)
    assert notifier(world, post, book).look(picture)
    (told,) = post.arrived
    waiting = notices(picture.board)
    assert len(waiting) >= 2
    assert all(str(n.text).split("<")[0][:20] in told["message"] for n in waiting)
    assert str(len(waiting)) in told["title"]


def test_what_did_not_arrive_is_sent_again(world: World, picture: Picture, post: Post, tmp_path: Path) -> None:
    post.takes, found = False, notifier(world, post, tmp_path / "noticed.json")
    assert not found.look(picture)
    post.takes = True
    assert found.look(picture)
    assert len(post.arrived) == 1


def test_what_others_wrote_calls_nobody_and_is_no_markup(picture: Picture) -> None:
    waiting = notices(picture.board)
    assert any(HOSTILE[:10] in str(n.text) for n in waiting)
    title, body = message(picture, waiting)
    for bad in ("<", ">", "\u202e", "\x1b"):
        assert bad not in title + body


def test_a_server_tells_what_comes_while_it_runs(world: World, post: Post, tmp_path: Path) -> None:
    with notifier(world, post, tmp_path / "noticed.json").running():
        waited = threading.Event()
        for _ in range(600):
            if post.arrived:
                break
            waited.wait(0.1)
    assert len(post.arrived) == 1


@pytest.mark.parametrize("words", ["", "  \n"])
def test_without_addresses_nobody_is_told(words: str) -> None:
    assert apprise_sender({"URLS": words}, "URLS") is None
    assert apprise_sender({}, "") is None


def test_an_address_that_is_none_is_named_by_its_place_not_by_its_words() -> None:
    why = apprise_sender({"URLS": "json://127.0.0.1\nnonsense-with-secret"}, "URLS")
    assert isinstance(why, Text)
    assert "2" in str(why)
    assert "secret" not in str(why)


def test_what_goes_and_comes_back_at_once_is_the_same_thing(picture: Picture, tmp_path: Path) -> None:
    """A build that is under way for a minute must not have people told twice."""
    book, waiting = NoticeBook(tmp_path / "n.json"), notices(picture.board)
    first = book.look(waiting, picture.now)
    book.told(first)
    book.look((), picture.now + timedelta(minutes=1))
    again = book.look(waiting, picture.now + timedelta(minutes=2))
    assert all(n.told and n.since == picture.now for n in again.values())
    book.look((), picture.now + timedelta(hours=1))
    book.look((), picture.now + timedelta(hours=3))
    late = book.look(waiting, picture.now + timedelta(hours=4))
    assert not any(n.told for n in late.values())


def test_a_book_that_was_half_written_is_begun_anew(picture: Picture, tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    path.write_text('{"x": {"since": "2025-01')
    found = NoticeBook(path).look(notices(picture.board), picture.now)
    assert {n.since for n in found.values()} == {picture.now}
    assert json.loads(path.read_text())


def test_whatever_a_way_to_people_fails_by_it_is_tried_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.web.notifier._AGAIN_S", (0.05,))
    tried, arrived = [], threading.Event()

    def send(title: str, body: str) -> bool:
        tried.append(title)
        if len(tried) < 3:
            raise RuntimeError("no library of a network says so")
        arrived.set()
        return True

    watch = Watch(world.app, always=True)
    with Notifier(watch, NoticeBook(tmp_path / "noticed.json"), send, Silent()).running():
        assert arrived.wait(60)
    assert len(tried) == 3
