"""N1: publication by twine to a real index server on loopback, checked before and read back after."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from indexserver import PASSWORD, Server, index_server
from pkgmaker import as_files, sdist, wheel

from headway.effects.index import Published, PublishRefused
from headway.effects.upload import publish_upload
from headway.errors import UnusableInput, WorldFailed
from headway.model.build import Artifact
from headway.sources.index import read_simple_index


@pytest.fixture(params=["md5", "sha256"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with index_server(tmp_path, request.param) as found:
        yield found


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "keeper")
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)


def upload(
    server: Server, files: tuple[tuple[Path, Artifact], ...], log: Path, steps: list[str] | None = None
) -> Published | PublishRefused:
    step = (steps if steps is not None else []).append
    return publish_upload(server.url, server.simple, files, step, log=log, timeout_s=120, settle_s=10)


@pytest.mark.usefixtures("login")
def test_upload_is_read_back_and_a_second_run_sends_nothing(tmp_path: Path, server: Server) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"), sdist(tmp_path / "w", "1.0"))
    log, steps = tmp_path / "log", list[str]()
    assert upload(server, files, log, steps) == Published(server.simple, tuple(a for _, a in files))
    assert steps == ["publish:toy-1.0-py3-none-any.whl", "publish:toy-1.0.tar.gz"]
    assert {p.name: p.read_bytes() for p in server.packages.iterdir()} == {p.name: p.read_bytes() for p, _ in files}
    assert [(f.file, f.version, f.sha256) for f in read_simple_index(server.simple, "toy")] == [
        (a.file, "1.0", a.sha256) for _, a in files
    ]
    sent = log.read_text()
    assert sent.count("-m twine") == 2
    assert isinstance(upload(server, files, log), Published)
    assert log.read_text() == sent
    assert PASSWORD not in sent


@pytest.mark.usefixtures("login")
def test_a_half_done_upload_is_finished(tmp_path: Path, server: Server) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"), sdist(tmp_path / "w", "1.0"))
    assert isinstance(upload(server, files[:1], tmp_path / "first"), Published)
    assert isinstance(upload(server, files, tmp_path / "second"), Published)
    sent = (tmp_path / "second").read_text()
    assert "toy-1.0.tar.gz" in sent
    assert "toy-1.0-py3-none-any.whl" not in sent
    assert len(list(server.packages.iterdir())) == 2


@pytest.mark.usefixtures("login")
def test_another_file_of_that_name_is_refused_before_anything_is_sent(tmp_path: Path, server: Server) -> None:
    upload(server, as_files(wheel(tmp_path / "w", "1.0")), tmp_path / "first")
    other = as_files(sdist(tmp_path / "w", "1.0"), wheel(tmp_path / "other", "1.0", body="N = 2\n"))
    refused = upload(server, other, tmp_path / "second")
    assert isinstance(refused, PublishRefused)
    assert "never replaced: toy-1.0-py3-none-any.whl" in str(refused.why)
    assert not (tmp_path / "second").exists()
    assert [p.name for p in server.packages.iterdir()] == ["toy-1.0-py3-none-any.whl"]


@pytest.mark.usefixtures("login")
def test_a_source_that_changed_after_its_test_is_refused(tmp_path: Path, server: Server) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"))
    wheel(tmp_path / "w", "1.0", body="N = 2\n")
    assert isinstance(upload(server, files, tmp_path / "log"), PublishRefused)
    assert list(server.packages.iterdir()) == []


@pytest.mark.usefixtures("login")
def test_an_index_that_never_shows_the_file_is_no_publication(tmp_path: Path, server: Server) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"))
    with answering(404, "text/plain", "") as elsewhere, pytest.raises(WorldFailed) as e:
        publish_upload(server.url, elsewhere, files, print, log=tmp_path / "log", timeout_s=120, settle_s=0)
    assert e.value.code == "index.not-shown"
    assert "toy-1.0-py3-none-any.whl" in str(e.value)
    assert isinstance(upload(server, files, tmp_path / "log"), Published)


def test_wrong_credentials_fail_in_words_that_do_not_show_them(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "keeper")
    monkeypatch.setenv("TWINE_PASSWORD", "not-the-pa55-word")
    with pytest.raises(WorldFailed) as e:
        upload(server, as_files(wheel(tmp_path / "w", "1.0")), tmp_path / "log")
    assert e.value.code == "index.upload"
    assert f"uploaded to {server.url}: HTTPError: 403 Forbidden" in str(e.value)
    assert "not-the-pa55-word" not in json.dumps(e.value.as_json()) + (tmp_path / "log").read_text()
    assert list(server.packages.iterdir()) == []


def test_credentials_in_the_url_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as e:
        publish_upload(
            f"https://keeper:{PASSWORD}@x.example/", "https://x.example/", (), print, log=tmp_path / "log", timeout_s=5
        )
    assert e.value.code == "index.credentials"
    assert PASSWORD not in json.dumps(e.value.as_json())


def test_an_index_that_does_not_answer_is_the_worlds_failure() -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # bound, not listening: refused at once
        url = f"http://keeper:{PASSWORD}@127.0.0.1:{s.getsockname()[1]}/simple/"
        with pytest.raises(WorldFailed) as e:
            read_simple_index(url, "toy")
    assert e.value.code == "index.unreadable"
    assert PASSWORD not in json.dumps(e.value.as_json())


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (500, "text/html", "<a href='toy-1.0.tar.gz'>x</a>"),
        (200, "application/json", "{"),
        (200, "application/json", "[]"),
        (200, "application/vnd.pypi.simple.v1+json", '{"message": "hello"}'),
    ],
)
def test_an_answer_that_is_no_page_is_not_an_empty_index(status: int, kind: str, body: str) -> None:
    with answering(status, kind, body) as url, pytest.raises(WorldFailed):
        read_simple_index(url, "toy")


def test_json_pages_are_read(tmp_path: Path) -> None:
    body = {
        "files": [
            {"filename": "toy-1.0.tar.gz", "url": "../f/toy-1.0.tar.gz", "hashes": {"sha256": "AB"}, "yanked": "why"},
            {"filename": "toy-1.0-py3-none-any.whl", "url": "x", "hashes": {"sha256": "cd"}, "yanked": False},
            {"filename": "toy-1.0.exe", "url": "x", "hashes": {}},
        ]
    }
    with answering(200, "application/vnd.pypi.simple.v1+json", json.dumps(body)) as url:
        found = read_simple_index(url, "toy")
    assert [(f.file, f.sha256, f.yanked) for f in found] == [
        ("toy-1.0-py3-none-any.whl", "cd", False),
        ("toy-1.0.tar.gz", "ab", True),
    ]


@contextlib.contextmanager
def answering(status: int, kind: str, body: str) -> Iterator[str]:
    """A server that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """The test's output stays readable."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple/"
        server.shutdown()
