"""What goes wrong on the way to the GitHub of the tests, and the webhooks that it sends."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from githubfake import FakeGitHub, serving
from githubwebhooks import SECRET, Webhooks
from gitmaker import GitMaker
from test_fake_github import REPO, call
from webhookexamples import event_schema


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    made.branch("fix", "main")
    made.commit("Fix a", {"a": "2\n"}, branch="fix")
    with serving(made.path) as fake:
        fake.person("ada", "maintain")
        yield fake


def titles(fake: FakeGitHub) -> list[str]:
    return [i["title"] for i in fake.issues]


@pytest.mark.parametrize(
    ("kind", "status", "made"),
    [
        ("unavailable", 503, False),
        ("drop", None, False),
        ("cut", None, True),
        ("primary", 403, False),
        ("secondary", 403, False),
        ("skew", 201, True),
    ],
)
def test_a_fault_at_the_second_call(fake: FakeGitHub, kind: str, status: int | None, made: bool) -> None:
    fake.faults.at[1] = kind
    assert call(fake, "GET", f"{REPO}/issues")[0] == 200
    if status is None:
        with pytest.raises(OSError, match=r"."):
            call(fake, "POST", f"{REPO}/issues", {"title": "x"})
    else:
        found, _, head = call(fake, "POST", f"{REPO}/issues", {"title": "x"})
        assert found == status
        assert ("Retry-After" in head) == (kind == "secondary")
        assert (head.get("X-RateLimit-Remaining") == "0") == (kind == "primary")
    assert titles(fake) == (["x"] if made else [])
    assert call(fake, "POST", f"{REPO}/issues", {"title": "y"})[0] == 201
    assert [h.partition(" ")[0] for h in fake.faults.hit] == [kind]


def test_a_stale_answer_lacks_the_last_write_and_changes_nothing(fake: FakeGitHub) -> None:
    call(fake, "POST", f"{REPO}/issues", {"title": "x"})
    call(fake, "POST", f"{REPO}/issues", {"title": "y"})
    fake.faults.at[2] = "stale"
    assert [i["title"] for i in call(fake, "GET", f"{REPO}/issues")[1]] == ["x"]
    assert [i["title"] for i in call(fake, "GET", f"{REPO}/issues")[1]] == ["y", "x"]


def test_a_fault_at_each_call_of_a_kind(fake: FakeGitHub) -> None:
    fake.faults.always["POST .*/issues$"] = "unavailable"
    for _ in range(2):
        assert call(fake, "POST", f"{REPO}/issues", {"title": "x"})[0] == 503
    assert call(fake, "GET", f"{REPO}/issues")[0] == 200


@contextmanager
def ear() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A server that hears webhooks."""
    heard: list[tuple[dict[str, str], bytes]] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(
                ({k.lower(): v for k, v in self.headers.items()}, self.rfile.read(int(self.headers["Content-Length"])))
            )
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The test's output stays readable."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()


def everything(fake: FakeGitHub) -> None:
    """One of each thing that a webhook tells."""
    fake.talk.open_issue("ada", "Release v1", "x")
    fake.pulls.open("ada", "fix", "main", "Fix a")
    note = fake.talk.comment("ada", 2, "/approve")
    fake.talk.edit(note.id, "/hold")
    fake.pulls.review("ada", 2, "APPROVED")
    fake.pulls.merge(2, "ada")
    fake.as_app()
    sha = fake.git("rev-parse", "main")
    call(fake, "POST", f"{REPO}/check-runs", {"name": "Headway", "head_sha": sha, "conclusion": "success"})
    call(fake, "POST", f"{REPO}/statuses/{sha}", {"state": "success"})
    call(fake, "POST", f"{REPO}/releases", {"tag_name": "v1", "name": "v1"})


def test_webhooks_are_real_shaped_and_signed(fake: FakeGitHub) -> None:
    with ear() as (url, heard):
        hooks = Webhooks(fake, url)
        everything(fake)
        assert hooks.send() == len(heard) > 0
        assert set(hooks.answers) == {202}
    assert len({head["x-github-delivery"] for head, _ in heard}) == len(heard)
    seen: dict[str, Any] = {}
    for head, body in heard:
        made = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert head["x-hub-signature-256"] == f"sha256={made}"
        event, payload = head["x-github-event"], json.loads(body)
        jsonschema.validate(payload, event_schema(event))
        assert payload["repository"]["full_name"] == "toy/kit"
        seen[f"{event} {payload.get('action', '')}".strip()] = payload
    assert set(seen) == {
        "check_run completed",
        "issue_comment created",
        "issue_comment edited",
        "issues opened",
        "pull_request closed",
        "pull_request opened",
        "pull_request_review submitted",
        "push",
        "release published",
        "status",
    }
    assert (seen["issue_comment created"]["comment"]["body"], seen["issue_comment created"]["issue"]["number"]) == (
        "/approve",
        2,
    )
    assert seen["pull_request closed"]["pull_request"]["merged"] is True
    assert seen["issue_comment created"]["sender"]["login"] == "ada"


def test_webhooks_are_lost_doubled_shuffled_and_held(fake: FakeGitHub) -> None:
    with ear() as (url, heard):
        hooks = Webhooks(fake, url, times=2, shuffled=1)
        hooks.lose = lambda d: d.event == "issues"
        hooks.held = lambda d: d.event == "issue_comment"
        for i in range(3):
            fake.talk.open_issue("ada", f"issue {i}")
            fake.pulls.open("ada", "fix", "main", f"pull {i}")
            fake.talk.comment("ada", 1, "x")
        hooks.send()
        events = [head["x-github-event"] for head, _ in heard]
        assert (events.count("issues"), events.count("pull_request"), events.count("issue_comment")) == (0, 6, 0)
        order = [json.loads(body)["number"] for _, body in heard]
        assert order != sorted(order)
        hooks.held = lambda _: False
        hooks.send()
        assert [head["x-github-event"] for head, _ in heard][6:] == ["issue_comment"] * 6
        assert hooks.send() == 0
