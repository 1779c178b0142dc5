"""A tick's session with GitHub over real sockets: faults, limits, budget, what is kept; where the token goes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from faultserver import Asked, FaultServer, Said, serving
from gitmaker import GitMaker, git_env

from headway.clock import SetClock
from headway.errors import WorldFailed
from headway.github.client import BYTES, PAGE, GitHub, github_at, segment
from headway.github.kept import KeptAnswers
from headway.github.session import TRIES, Session

TOKEN = "gh-secret-of-the-test"
NOW = datetime(2025, 1, 27, 10, 0, tzinfo=UTC)
READ = ("GET", "PATCH", "PUT", "DELETE")
FAULTS = {
    "502": Said(502, b"<html>bad gateway"),
    "500": Said(500, b'{"message": "oops"}'),
    "dropped": Said(cut=-1),
    "mid-body": Said(200, b'{"a": "' + b"x" * 5000 + b'"}', cut=4000),
}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


class Waits:
    """Pauses that take no time."""

    def __init__(self, clock: SetClock | None = None) -> None:
        self.seconds: list[float] = []
        self.clock = clock

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self.clock is not None:
            self.clock.set(self.clock.now() + timedelta(seconds=seconds))


def github(server: FaultServer, session: Session | None = None, token: str = TOKEN) -> GitHub:
    session = session or Session(pause=Waits(), jitter=lambda: 0.5)
    return GitHub(server.url, "toy/kit", "GITHUB_TOKEN", token, own=session)


def call(g: GitHub, method: str) -> Any:
    if method == "GET":
        return g.get("x")
    if method == "DELETE":
        return g.delete("x")
    return {"POST": g.post, "PATCH": g.patch, "PUT": g.put}[method]("x", {"a": 1})


def failure(g: GitHub, method: str = "GET") -> WorldFailed:
    with pytest.raises(WorldFailed) as e:
        call(g, method)
    assert TOKEN not in json.dumps(e.value.as_json()) + str(e.value)
    return e.value


# Faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("method", READ)
def test_a_fault_that_passes_is_waited_for_where_it_is_safe(server: FaultServer, method: str, fault: str) -> None:
    waits = Waits()
    server.script = [FAULTS[fault]] * (TRIES - 1)
    found = call(github(server, Session(pause=waits, jitter=lambda: 0.5)), method)
    assert found == (None if method == "DELETE" else {})
    assert [a.method for a in server.asked] == [method] * TRIES
    assert len({a.body for a in server.asked}) == 1
    assert waits.seconds == [0.75, 1.5]


@pytest.mark.parametrize(("fault", "code"), [("502", "failed"), ("dropped", "no-answer"), ("mid-body", "no-answer")])
def test_a_fault_that_stays_is_told_and_a_post_is_sent_once(server: FaultServer, fault: str, code: str) -> None:
    server.rule = lambda _: FAULTS[fault]
    for method in (*READ, "POST"):
        server.asked.clear()
        assert failure(github(server), method).code == f"github.{code}"
        assert len(server.asked) == (1 if method == "POST" else TRIES)


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        (
            [{"resource": "PullRequest", "code": "custom", "message": "No commits between a and b"}],
            ": No commits between a and b",
        ),
        (
            [{"resource": "Release", "field": "tag_name", "code": "already_exists"}, "x"],
            ": Release tag_name already_exists; x",
        ),
        ("y", ""),
        ([None, 7, {}], ""),
    ],
)
def test_what_github_finds_wrong_is_told(server: FaultServer, errors: Any, told: str) -> None:
    server.script.append(Said(422, json.dumps({"message": "Validation Failed", "errors": errors}).encode()))
    with pytest.raises(WorldFailed) as e:
        github(server).post("pulls", {})
    assert dict(e.value.facts)["message"] == f"Validation Failed{told}"


def test_jitter_spreads_the_waits(server: FaultServer) -> None:
    server.rule = lambda _: Said(502)
    spread = set()
    for _ in range(5):
        waits = Waits()
        failure(github(server, Session(pause=waits)))
        assert 0.5 <= waits.seconds[0] < 1 <= waits.seconds[1] < 2
        spread.add(waits.seconds[0])
    assert len(spread) > 1


def test_patience_is_the_sessions_and_ends(server: FaultServer) -> None:
    waits = Waits()
    server.rule = lambda _: Said(502)
    g = github(server, Session(patience_s=4, pause=waits, jitter=lambda: 0.5))
    for _ in range(5):
        failure(g)
    assert sum(waits.seconds) <= 4
    assert len(server.asked) == 5 + len(waits.seconds)


def test_a_post_is_sent_again_where_nothing_was_sent(server: FaultServer) -> None:
    """Nobody listens at first: each try is refused, so none of them can have done anything."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        waits = Waits()
        g = GitHub(f"http://127.0.0.1:{s.getsockname()[1]}", "t/k", "T", TOKEN, own=Session(pause=waits))
        assert failure(g, "POST").code == "github.unreachable"
        assert len(waits.seconds) == TRIES - 1


def test_a_server_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.github.transport._ANSWER_S", 0.2)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        g = GitHub(f"http://127.0.0.1:{s.getsockname()[1]}", "t/k", "T", TOKEN, own=Session(pause=Waits()))
        e = failure(g, "POST")
    assert (e.code, "ReadTimeout" in str(e)) == ("github.no-answer", True)


def test_json_that_is_cut_off_is_an_answer_that_cannot_be_read(server: FaultServer, tmp_path: Path) -> None:
    server.script = [Said(200, b'{"a": [1, 2', {"ETag": '"1"'})]
    g = github(server, Session(tmp_path / "kept"))
    assert failure(g).code == "github.failed"
    assert g.get("x") == {}
    assert "if-none-match" not in server.asked[1].headers


def test_a_delete_whose_first_answer_was_lost_is_done(server: FaultServer) -> None:
    server.script = [Said(cut=-1), Said(404, b'{"message": "Not Found"}')]
    github(server).delete("x")
    server.script = [Said(404, b'{"message": "Not Found"}')]
    assert failure(github(server), "DELETE").code == "github.gone"


def test_what_may_have_been_done_is_not_told_as_unsent() -> None:
    """The server takes a PATCH, is gone, and refuses what comes then."""
    with serving() as server:
        server.script = [Said(cut=-1)]
        stopped = threading.Event()

        def pause(_: float) -> None:
            server.close()
            stopped.set()

        e = failure(github(server, Session(pause=pause)), "PATCH")
    assert (stopped.is_set(), e.code) == (True, "github.no-answer")


@pytest.mark.parametrize("value", ["soon", "9" * 40, "-1", "Mon, 27 Jan 2025 10:00:00 GMT"])
def test_headers_that_mean_nothing_are_no_crash(server: FaultServer, value: str) -> None:
    server.script = [
        Said(429, headers={"Retry-After": value}),
        Said(403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": value, "Date": value}),
    ]
    g = github(server)
    assert [failure(g).code, failure(g).code] == ["github.rate-limit"] * 2


# Limits ----------------------------------------------------------------------------------------------------------


def primary(seconds: int, now: datetime = NOW) -> Said:
    """As GitHub says it, by a clock of its own."""
    reset = str(int(now.timestamp()) + seconds)
    return Said(
        403,
        b'{"message": "API rate limit exceeded"}',
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset, "Date": format_datetime(now, usegmt=True)},
    )


def test_a_short_limit_is_waited_out_by_the_servers_clock(server: FaultServer) -> None:
    """Ours is a day behind."""
    clock = SetClock(NOW - timedelta(days=1))
    waits = Waits(clock)
    server.script = [primary(7)]
    g = github(server, Session(clock=clock, pause=waits, jitter=lambda: 0))
    assert g.post("x", {}) == {}  # nothing was done, so also a POST
    assert waits.seconds == [7.5]


def test_a_long_limit_is_told_with_its_end_and_nobody_asks_meanwhile(server: FaultServer) -> None:
    clock = SetClock(NOW)
    server.script = [primary(3600)]
    g = github(server, Session(clock=clock, pause=Waits(clock)))
    e = failure(g)
    assert (e.code, dict(e.facts)["until"]) == ("github.rate-limit", "2025-01-27T11:00:00+00:00")
    e = failure(g)
    assert (e.code, dict(e.facts)["until"]) == ("github.rate-limit", "2025-01-27T11:00:00+00:00")
    assert len(server.asked) == 1
    clock.set(NOW + timedelta(hours=1, seconds=1))
    assert g.get("x") == {}


@pytest.mark.parametrize(
    "said",
    [
        Said(403, b'{"message": "You have exceeded a secondary rate limit"}', {"Retry-After": "5"}),
        Said(429, b"{}", {"Retry-After": "5"}),
    ],
)
def test_a_secondary_limit_is_heeded(server: FaultServer, said: Said) -> None:
    waits = Waits()
    server.script = [said]
    assert github(server, Session(pause=waits, jitter=lambda: 0)).post("x", {}) == {}
    assert waits.seconds == [5.5]


def test_a_secondary_limit_that_names_no_time_is_a_limit(server: FaultServer) -> None:
    server.script = [Said(403, b'{"message": "You have exceeded a secondary rate limit."}')]
    assert failure(github(server)).code == "github.rate-limit"


def test_who_is_told_no_time_asks_nothing_for_a_minute(server: FaultServer) -> None:
    clock = SetClock(NOW)
    server.script = [Said(403, b'{"message": "You have exceeded a secondary rate limit."}')]
    g = github(server, Session(clock=clock, pause=Waits(clock)))
    assert [failure(g).code, failure(g).code] == ["github.rate-limit"] * 2
    assert len(server.asked) == 1
    clock.set(NOW + timedelta(seconds=61))
    assert g.get("x") == {}


def test_the_last_request_before_a_limit_is_an_answer(server: FaultServer) -> None:
    clock = SetClock(NOW)
    server.script = [Said(200, b'{"a": 1}', primary(600).headers)]
    g = github(server, Session(clock=clock, pause=Waits(clock)))
    assert g.get("x") == {"a": 1}
    assert failure(g).code == "github.rate-limit"
    assert len(server.asked) == 1


# Budget and counts -----------------------------------------------------------------------------------------------


def test_a_spent_budget_is_a_later_and_304s_are_free(server: FaultServer, tmp_path: Path) -> None:
    server.rule = lambda a: Said(304) if "if-none-match" in a.headers else Said(200, b"[1]", {"ETag": 'W/"e"'})
    session = Session(tmp_path / "kept", pause=Waits())
    g = github(server, session)
    with session.within(2):
        assert (g.get("x"), g.get("y")) == ([1], [1])
        e = failure(g)
        assert (e.code, dict(e.facts)["budget"]) == ("github.budget", 2)
        assert (session.asked, session.unchanged, session.spent) == (2, 0, 2)
    with session.within(2):
        for _ in range(3):
            assert (g.get("x"), g.get("y")) == ([1], [1])
        assert (session.asked, session.unchanged, session.spent) == (6, 6, 0)
        assert g.get("z") == [1]
    assert g.get("x") == [1]
    assert len(server.asked) == 2 + 7 + 1


def test_retries_are_counted(server: FaultServer) -> None:
    server.script = [Said(502), Said(502)]
    session = Session(pause=Waits())
    with session.within(2):
        assert failure(github(server, session)).code == "github.budget"
        assert session.asked == 2


def test_all_that_is_asked_in_a_tick_is_one_session(server: FaultServer) -> None:
    before, own = github_at(server.url, "toy/kit", "NO_SUCH_TOKEN"), Session()
    with Session().within(1) as session:
        assert before.session is before.of("a/b").session is session
        assert github_at(server.url, "toy/kit", "NO_SUCH_TOKEN").session is session
        assert github_at(server.url, "toy/kit", "NO_SUCH_TOKEN", session=own).session is own
        seen = []
        thread = threading.Thread(target=lambda: seen.append(github_at(server.url, "toy/kit", "NO").session))
        thread.start()
        thread.join()
    assert seen[0] is not session
    assert before.session is before.session is not session


# What is kept ----------------------------------------------------------------------------------------------------


def test_what_did_not_change_survives_between_ticks(server: FaultServer, tmp_path: Path) -> None:
    """A kept page keeps its Link; another address and another wish for a form are others."""
    rows = [{"n": i} for i in range(PAGE + 1)]

    def rule(asked: Asked) -> Said:
        page = 2 if "page=2" in asked.path else 1
        etag = f'W/"{page}"'
        more = {"ETag": etag, **({"Link": f'<{server.url}/repositories/1/x?page=2>; rel="next"'} if page == 1 else {})}
        if asked.headers.get("if-none-match") == etag:
            return Said(304, headers={"ETag": etag, "X-OAuth-Scopes": "repo"})
        return Said(200, json.dumps(rows[:PAGE] if page == 1 else rows[PAGE:]).encode(), more)

    server.rule = rule
    for unchanged in (0, 2, 2):
        session = Session(tmp_path / "kept")
        assert list(github(server, session).listed("x", state="all")) == rows
        assert session.unchanged == unchanged
    assert [a.path for a in server.asked[:2]] == [
        f"/repos/toy/kit/x?per_page={PAGE}&page=1&state=all",
        "/repositories/1/x?page=2",
    ]
    assert all(TOKEN.encode() not in p.read_bytes() for p in (tmp_path / "kept").iterdir())
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "kept").iterdir())


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "nothing", "binary", "folder"])
def test_a_damaged_file_is_none(server: FaultServer, tmp_path: Path, damage: str) -> None:
    server.rule = lambda a: Said(304) if "if-none-match" in a.headers else Said(200, b'{"a": 1}', {"ETag": '"e"'})
    folder = tmp_path / "kept"
    github(server, Session(folder)).get("x")
    (file,) = folder.iterdir()
    data = file.read_bytes()
    file.unlink()
    if damage == "folder":
        file.mkdir()
    elif damage != "nothing":
        other = {
            "empty": b"",
            "cut": data[:-3],
            "changed": data.replace(b'"a": 1', b'"a": 2'),
            "binary": os.urandom(90),
        }
        file.write_bytes(other[damage])
    assert github(server, Session(folder)).get("x") == {"a": 1}
    assert len(server.asked) == 2


def test_a_304_to_what_was_never_kept_is_a_failure(server: FaultServer, tmp_path: Path) -> None:
    server.rule = lambda _: Said(304)
    assert failure(github(server, Session(tmp_path / "kept"))).code == "github.failed"


def test_a_folder_that_cannot_be_written_keeps_nobody_from_an_answer(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file")
    server.rule = lambda _: Said(200, b"{}", {"ETag": '"e"'})
    session = Session(tmp_path / "kept")
    with session.within(None):
        assert github(server, session).get("x") == {}


def test_the_folder_is_bounded_and_the_oldest_go(server: FaultServer, tmp_path: Path) -> None:
    server.rule = lambda a: Said(200, json.dumps("x" * 1000).encode(), {"ETag": '"e"'})
    g = github(server, Session(tmp_path / "kept"))
    for i in range(8):
        g.get(f"x/{i}")
        newest = max((tmp_path / "kept").iterdir(), key=lambda p: p.stat().st_mtime_ns)
        os.utime(newest, (i, i))
    KeptAnswers(tmp_path / "kept", most=3500).prune()
    left = sorted(p.stat().st_mtime for p in (tmp_path / "kept").iterdir())
    assert left == [6, 7]


# Pages -----------------------------------------------------------------------------------------------------------


def test_pages_without_a_link_are_counted(server: FaultServer) -> None:
    sizes = {"1": PAGE, "2": PAGE, "3": 1}
    server.rule = lambda a: Said(
        body=json.dumps({"rows": [{}] * sizes[a.path.rpartition("page=")[2]]}).encode(),
    )
    assert len(list(github(server).rows("x", "rows"))) == 2 * PAGE + 1


def test_a_next_page_elsewhere_gets_no_token(server: FaultServer) -> None:
    with serving() as other:
        server.rule = lambda _: Said(body=b"[{}]", headers={"Link": f'<{other.url}/x?page=2>; rel="next"'})
        with pytest.raises(WorldFailed) as e:
            list(github(server).listed("x"))
        assert e.value.code == "github.refused"
        assert other.asked == []


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"null", b'{"rows": {}}'])
def test_a_listing_that_is_none_is_told(server: FaultServer, body: bytes) -> None:
    server.rule = lambda _: Said(body=body)
    with pytest.raises(WorldFailed) as e:
        list(github(server).rows("x", "rows"))
    assert e.value.code == "github.failed"


# Where it goes ---------------------------------------------------------------------------------------------------


def test_a_renamed_repository_is_followed_and_another_host_is_not(server: FaultServer, tmp_path: Path) -> None:
    server.script = [Said(301, headers={"Location": "/repositories/7/x"}), Said(body=b'{"a": 1}')]
    assert github(server).get("x") == {"a": 1}
    assert server.asked[1].path == "/repositories/7/x"
    with serving("localhost") as other:
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            server.script = [Said(307, headers={"Location": f"{other.url}/x"})]
            assert failure(github(server), method).code == "github.refused"
        assert other.asked == []
        server.script = [Said(302, headers={"Location": f"{other.url}/bytes?sig=secret"})]
        other.rule = lambda _: Said(body=b"PK")
        github(server).download("zip", tmp_path / "z")
        assert (tmp_path / "z").read_bytes() == b"PK"
        assert "authorization" not in other.asked[0].headers
        other.rule = lambda _: Said(cut=-1)
        server.script = [Said(302, headers={"Location": f"{other.url}/bytes?sig=secret"})]
        with pytest.raises(WorldFailed) as e:
            github(server).download("zip", tmp_path / "z")
        assert (e.value.code, "sig" in str(e.value)) == ("github.no-answer", False)


def test_a_redirect_in_a_circle_ends(server: FaultServer) -> None:
    server.rule = lambda _: Said(301, headers={"Location": "/x"})
    assert failure(github(server)).code == "github.failed"
    assert len(server.asked) < 10


def test_bytes_that_the_api_gives_itself_are_written(server: FaultServer, tmp_path: Path) -> None:
    data = os.urandom(300_000)
    server.script = [Said(502), Said(body=data, cut=1000), Said(body=data)]
    digest = github(server).download("releases/assets/1", tmp_path / "f", BYTES)
    assert (tmp_path / "f").read_bytes() == data
    assert len(digest) == 64
    assert {a.headers["accept"] for a in server.asked} == {BYTES}


def test_a_file_is_uploaded_to_githubs_own_host_only(server: FaultServer, tmp_path: Path) -> None:
    file = tmp_path / "k it.whl"
    file.write_bytes(os.urandom(200_000))
    with serving() as uploads, serving("localhost") as other:
        uploads.script = [Said(201, b'{"id": 1}')]
        place = "/repos/toy/kit/releases/1/assets{?name,label}"
        assert github(server).upload(uploads.url + place, "k+1 &.whl", file) == {"id": 1}
        (asked,) = uploads.asked
        assert asked.path == "/repos/toy/kit/releases/1/assets?name=k%2B1+%26.whl"
        assert asked.body == file.read_bytes()
        assert (asked.headers["content-type"], asked.headers["authorization"]) == (BYTES, f"Bearer {TOKEN}")
        assert "transfer-encoding" not in asked.headers
        for wrong in (other.url + place, "https" + uploads.url[4:] + place, "http://evil@x.example/a", "nonsense"):
            with pytest.raises(WorldFailed) as e:
                github(server).upload(wrong, "k", file)
            assert e.value.code == "github.refused"
        assert other.asked == []
        uploads.script = [Said(502)]
        with pytest.raises(WorldFailed) as e:
            github(server).upload(uploads.url + place, "k", file)
        assert (e.value.code, len(uploads.asked)) == ("github.failed", 2)


def test_paths_of_the_api_and_names_of_others(server: FaultServer) -> None:
    g = github(server)
    g.get("/rate_limit")
    g.get("")
    g.of("a/b").get(f"branches/{segment('rel/v1 #?')}/protection")
    g.get(f"/orgs/o/teams/{segment('../../user')}/memberships/x")
    assert [a.path for a in server.asked] == [
        "/rate_limit",
        "/repos/toy/kit",
        "/repos/a/b/branches/rel%2Fv1%20%23%3F/protection",
        "/orgs/o/teams/..%2F..%2Fuser/memberships/x",
    ]
    server.asked.clear()
    for wrong in ("../../user", "x/../y", "x?y", "x#y", "x y", "x\r\nHost: z", "\x1b[2J"):
        with pytest.raises(WorldFailed) as e:
            g.get(wrong)
        assert e.value.code == "github.refused"
    assert server.asked == []


@pytest.mark.parametrize("token", ["nl\nX-Evil: 1", "cr\rX-Evil: 1"])
def test_a_token_that_is_none_is_neither_sent_nor_shown(server: FaultServer, token: str) -> None:
    with pytest.raises(WorldFailed) as e:
        github(server, token=token).get("x")
    assert e.value.code == "github.unreachable"
    assert token[:6] not in json.dumps(e.value.as_json(), ensure_ascii=False)
    assert server.asked == []


def test_what_is_sent(server: FaultServer) -> None:
    github(server).post("x", {"a": "ü"})
    (asked,) = server.asked
    assert json.loads(asked.body) == {"a": "ü"}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    assert asked.headers["accept"] == "application/vnd.github+json"
    assert asked.headers["user-agent"].startswith("headway/")
    github(server, token="").get("x")
    assert "authorization" not in server.asked[1].headers


def test_one_connection_serves_a_tick_on_every_thread(server: FaultServer) -> None:
    with Session().within(None) as session:
        for i in range(5):
            github(server, session).get(f"x/{i}")
            thread = threading.Thread(target=lambda: github(server, session).get("y"))
            thread.start()
            thread.join()
    assert len(server.asked) == 10
    assert server.connections == 1
    assert github(server, session).get("x") == {}
    assert server.connections == 2


def test_a_project_without_a_forge_never_loads_the_client(tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "r")
    made.commit("Begin", {"release.toml": 'schema = 1\npreset = "generic"\n'})
    words = (
        "import sys\nfrom headway.cli.main import main\n"
        f"sys.argv = ['headway', 'status', '--json', '--repo', {str(made.path)!r}]\n"
        "try:\n    main()\nfinally:\n    print('githubkit' in sys.modules, 'jwt' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, env=git_env())
    assert json.loads(done.stdout)["trains"] is not None
    assert done.stderr.split()[-2:] == ["False", "False"]
