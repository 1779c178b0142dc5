"""The pages as a browser or a program gets them from a real `headway serve`: what they show, and what they refuse."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from webserved import Served
from webworld import PERF, POLICY, World, day

from headway import controls
from headway.errors import UnusableInput
from headway.web.address import is_loopback
from headway.web.server import serve


@pytest.fixture(scope="module")
def regressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Pages of a train that was found slower, with hostile words in it."""
    world = World(tmp_path_factory.mktemp("regressed"), POLICY + PERF).to_regressed()
    with Served(world.git.path, world.clock.now()) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Pages of two live trains and one that departed."""
    world = World(tmp_path_factory.mktemp("busy")).to_busy()
    with Served(world.git.path, world.clock.now()) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


PAGES = ("/", "/trains/0.1.1", "/calendar", "/calendar?year=2026", "/notes/0.1.1", "/policy", "/ledger")


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/trains/9.9.9", "/static/headway.css", "/api/v1/board"])
def test_every_answer_tells_a_browser_to_run_and_load_nothing_foreign(regressed: httpx.Client, path: str) -> None:
    headers = regressed.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[k] for k in ("style-src", "img-src", "script-src", "connect-src")} == {"'self'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_words_of_others_are_escaped_on_every_page(regressed: httpx.Client, path: str) -> None:
    answer = regressed.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "<script>document" not in answer.text
    assert "<img src=x" not in answer.text
    assert "\u202e" not in answer.text
    assert "style=" not in answer.text  # the security policy would drop it


def test_the_board_and_the_train_show_the_hostile_words_as_words(regressed: httpx.Client) -> None:
    text = regressed.get("/trains/0.1.1").text
    assert "&lt;script&gt;document.title=&#34;owned&#34;&lt;/script&gt;" in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "&lt;script&gt;" in regressed.get("/").text


def test_a_train_in_full(regressed: httpx.Client) -> None:
    text = regressed.get("/trains/0.1.1?lang=en").text
    for words in (
        "slower: median_tpot_ms × 1.31",
        "no feature work is picked: [Feature] Support beams (#6)",
        "https://example.org/issues/4",
        "already reverted",
        "headway approve 0.1.1 go",
        "1.299 – 1.326",
        "build: passed",
        "sha256:",
    ):
        assert words in text
    assert text.count('class="stop ') == 5  # cut, #4, #5, the revert, rc1


def test_the_json_twins(regressed: httpx.Client) -> None:
    board = regressed.get("/api/v1/board").json()
    assert [t["version"] for t in board["trains"]] == ["0.1.1"]
    train = regressed.get("/api/v1/trains/v0.1.1").json()
    assert train["performance"]["verdict"] == "regressed"
    assert [s["kind"] for s in train["stops"]] == ["cut", "pick", "pick", "revert", "candidate"]
    assert [p["state"] for p in train["picks"]] == ["applied", "applied", "refused", "needs-review"]
    ledger = regressed.get("/api/v1/ledger").json()
    assert (ledger["chain"], ledger["entries"][-1]["kind"], ledger["older"]) == ("ok", "cut", None)
    assert regressed.get("/healthz").json() == {"status": "ok"}
    assert regressed.get("/readyz").json() == {"status": "ready"}


def test_two_trains_and_one_that_departed(busy: httpx.Client) -> None:
    text = busy.get("/").text
    assert text.index(">0.1.1.post1<") < text.index(">0.1.2<") < text.index("Departed") < text.index(">0.1.1<")
    past = text[text.index("Lines of past releases") :]
    assert "<code>releases/v0.1.1</code>" in past
    assert "releases/v0.1.0" not in past  # it was released on the trunk
    post = busy.get("/api/v1/trains/0.1.1.post1").json()
    assert [s["label"] for s in post["stops"]] == ["v0.1.1", "#8", "rc1"]


def test_a_released_train_is_told_from_tags_and_the_ledger(busy: httpx.Client) -> None:
    train = busy.get("/api/v1/trains/0.1.1").json()
    assert train["live"] is None
    assert [s["kind"] for s in train["stops"]] == ["cut", "candidate", "pick", "pick", "revert", "candidate", "final"]
    tested = {a["file"]: a["sha256"] for a in train["candidates"][-1]["artifacts"]}
    assert {f["file"]: f["sha256"] for f in train["release"]["files"]} == tested
    assert train["performance"] is None  # the policy did not ask for it then
    assert "released 0.1.1" in busy.get("/trains/0.1.1").text
    assert busy.get("/trains/0.1.0").status_code == 200  # released before Headway came


def test_notes_have_their_parts(busy: httpx.Client) -> None:
    text = busy.get("/notes/0.1.1?lang=en").text
    assert "<h2>Fixes</h2>" in text
    assert "<li><bdi>[Bugfix] Stop at end of text (#4)</bdi></li>" in text
    assert "prefix caching" not in text  # it was reverted


def test_code_in_notes_is_code_and_nothing_else_of_a_title_is_markup(tmp_path: Path) -> None:
    """A title is somebody else's: HTML in it and in its code, links, headings and odd backticks stay words."""
    world = World(tmp_path)
    for n, title in enumerate(
        (
            "[Bugfix] Take `--max-len` and ``a`b`` again",
            "[Bugfix] `</code><script>alert(1)</script>` *x* [y](javascript:alert(2))",
            "[Bugfix] `<img src=x onerror=alert(3)>",
            "[Bugfix] &lt;b&gt; `\u202e<b>` ` ``",
        )
    ):
        world.git.commit(f"{title} (#{n + 10})", {f"f{n}.py": f"{n}\n"})
    with Served(world.git.path, world.clock.now()) as served:
        text = httpx.get(f"{served.url}notes/0.1.1?lang=en", timeout=60).text
    for line in (
        "[Bugfix] Take <code>--max-len</code> and <code>a`b</code> again (#10)",
        "[Bugfix] <code>&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;</code> *x* [y](javascript:alert(2)) (#11)",
        "[Bugfix] `&lt;img src=x onerror=alert(3)&gt; (#12)",
        "[Bugfix] &amp;lt;b&amp;gt; <code>\ufffd&lt;b&gt;</code> ` `` (#13)",
    ):
        assert f"<li><bdi>{line}</bdi></li>" in text


def test_the_calendar_as_a_table_and_as_a_file(busy: httpx.Client) -> None:
    table = busy.get("/calendar?year=2025&lang=en").text
    assert "2025-02-01" in table  # 0.1.2, slipped
    assert table.count("tentative") > 20
    file = busy.get("/calendar.ics?year=2025")
    assert file.headers["content-type"].startswith("text/calendar")
    assert file.text.startswith("BEGIN:VCALENDAR")
    assert "SEQUENCE:3" in file.text


def test_the_policy_page_has_every_clause_with_its_values(busy: httpx.Client) -> None:
    text = busy.get("/policy").text
    for clause in ("N1", "V5", "C1", "B6", "P7", "E7", "G4"):
        assert f'id="{clause}"' in text
    assert "<code>cadence.step_days</code>" in text
    assert "<code>14</code>" in text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/trains/9.9.9", 404, "train 9.9.9 was not found"),
        ("/trains/%3Cscript%3E", 404, "&lt;script&gt; is not a release version"),
        ("/notes/9.9.9", 404, "9.9.9"),
        ("/calendar?year=zero", 400, "zero is not a year of the calendar"),
        ("/calendar?year=0", 400, "0 is not a year of the calendar"),
        ("/nothing", 404, "page /nothing was not found"),
    ],
)
def test_what_is_not_there_is_said_in_words(busy: httpx.Client, path: str, status: int, words: str) -> None:
    answer = busy.get(path)
    assert answer.status_code == status
    assert words in answer.text
    assert "→" not in answer.text or "remedy" in answer.text
    assert 'href="/"' in answer.text


@pytest.mark.parametrize(
    ("path", "renewed"),
    [("//policy", "/.//policy"), ("/%5Cpolicy", "/%5Cpolicy"), ("/a%23b%3Fc?x=1", "/a%23b%3Fc?x=1")],
)
def test_a_page_renews_itself_from_its_own_address_and_no_other_hosts(
    busy: httpx.Client, path: str, renewed: str
) -> None:
    """A browser takes ``//policy`` and ``/\\policy`` for the page of a host, which then "does not answer"."""
    answer = busy.get(f"{str(busy.base_url).rstrip('/')}{path}")
    assert answer.status_code == 404
    assert f'hx-get="{renewed}"' in answer.text


def test_the_error_of_a_json_twin_is_that_of_the_contract(busy: httpx.Client) -> None:
    answer = busy.get("/api/v1/trains/9.9.9")
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"code", "clause", "message", "facts", "remedy"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed_from_a_page(busy: httpx.Client, method: str) -> None:
    assert busy.request(method, "/ledger").status_code == 405


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]", "10.0.0.1"])
def test_a_foreign_name_is_not_served(busy: httpx.Client, host: str) -> None:
    answer = busy.get("/api/v1/board", headers={"host": host})
    assert answer.status_code in {400, 421}
    assert "0.1.2" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:1", "[::1]:8787"])
def test_names_of_this_machine_are_served(busy: httpx.Client, host: str) -> None:
    assert busy.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("accepts", "query", "shown"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh-Hans"),
        ("en;q=0.3, zh;q=0.9", "", "zh-Hans"),
        ("de, en;q=0.5", "", "en"),
        ("zh;q=0", "", "en"),
        ("zh;q=many", "", "en"),
        ("zh", "?lang=en", "en"),
        ("en", "?lang=zh-CN", "zh-Hans"),
        ("", "?lang=xx", "en"),
    ],
)
def test_the_language_that_a_reader_asks_for(busy: httpx.Client, accepts: str, query: str, shown: str) -> None:
    answer = busy.get(f"/{query}", headers={"accept-language": accepts})
    assert f'<html lang="{shown}">' in answer.text
    if query and "xx" not in query:  # its links go on in it
        assert f'href="/ledger?lang={shown[:2]}"' in answer.text


def test_a_broken_chain_is_shown(tmp_path: Path) -> None:
    world = World(tmp_path).to_open()
    with sqlite3.connect(world.git.path / "headway" / "ledger.db") as db:
        names = [r[0] for r in db.execute("select name from sqlite_master where type='trigger'")]
        for name in names:
            db.execute(f"drop trigger {name}")
        db.execute("update entries set actor = 'Mallory' where seq = 2")
    with Served(world.git.path, world.clock.now()) as served:
        ledger = httpx.get(f"{served.url}api/v1/ledger", timeout=60).json()
        page = httpx.get(f"{served.url}ledger?lang=en", timeout=60).text
    assert ledger["chain"] == "broken"
    assert any("entry 2" in p for p in ledger["problems"])
    assert "the chain is broken" in page


def test_a_broken_policy_is_a_readable_page(tmp_path: Path) -> None:
    world = World(tmp_path)
    with Served(world.git.path, world.clock.now()) as served:
        world.git.commit("Break it", {"release.toml": "schema = 1\n[cadense]\n"})
        page, twin = httpx.get(served.url, timeout=60), httpx.get(f"{served.url}api/v1/board", timeout=60)
    assert (page.status_code, twin.status_code) == (503, 503)
    assert "cadense" in page.text
    assert "Traceback" not in page.text
    assert twin.json()["error"]["code"].startswith("policy.")


def test_trains_that_were_given_up_keep_their_page(tmp_path: Path) -> None:
    world = World(tmp_path)
    controls.skip(world.app(), "0.1.1", "a quiet week")
    with Served(world.git.path, world.clock.now()) as served:
        answer = httpx.get(f"{served.url}trains/0.1.1?lang=en", timeout=60)
    assert answer.status_code == 200
    assert "skipped: a quiet week" in answer.text


def test_ticks_beside_the_pages(tmp_path: Path) -> None:
    world = World(tmp_path)
    with Served(world.git.path, day("01-27T09"), "--tick-every", "1") as served:
        while not (entries := httpx.get(f"{served.url}api/v1/ledger", timeout=60).json()["entries"]):
            assert served.process.poll() is None
    assert "cut" in {e["kind"] for e in entries}


def test_a_tick_that_fails_is_said_and_tried_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.git.branch("releases/v0.1.1/in-the-way", "main")  # git can have no branch releases/v0.1.1 beside it
    with Served(world.git.path, day("01-27T09"), "--tick-every", "1") as served:
        assert served.process.stderr is not None
        said = next(line for line in served.process.stderr if "releases/v0.1.1" in line)
        assert "Traceback" not in said
        world.git.run("branch", "-D", "releases/v0.1.1/in-the-way")
        while not httpx.get(f"{served.url}api/v1/ledger", timeout=60).json()["entries"]:
            assert served.process.poll() is None


def test_a_tick_under_way_is_waited_for_and_can_be_left(tmp_path: Path) -> None:
    # The check runs for as long as the one who started it does.
    check = "import os, time\np = os.getppid()\nwhile os.getppid() == p: time.sleep(0.1)\n"
    world = World(tmp_path, POLICY + '[cut]\ncheck = "{python} endless.py"\n')
    world.git.commit("Never green", {"endless.py": check})
    with Served(world.git.path, day("01-27T09"), "--tick-every", "1") as served:
        assert served.process.stderr is not None
        assert any("checking" in line for line in served.process.stderr)
        served.process.send_signal(signal.SIGINT)
        assert any("is finished first" in line for line in served.process.stderr)
        assert served.process.poll() is None
        served.process.send_signal(signal.SIGINT)
        _, err = served.process.communicate(timeout=60)
    assert served.process.returncode != 0
    assert "Traceback" not in err
    assert not world.app().entries()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    world = World(tmp_path)
    with Served(world.git.path, world.clock.now()) as served:
        assert httpx.get(f"{served.url}healthz", timeout=60).status_code == 200
        served.process.send_signal(number)
        out, err = served.process.communicate(timeout=60)
    assert (served.process.returncode, out) == (0, "")
    assert "Traceback" not in err


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org", ""])  # noqa: S104
def test_it_is_served_to_this_machine_only(tmp_path: Path, host: str) -> None:
    world = World(tmp_path)
    with pytest.raises(UnusableInput, match="there is no login") as caught:
        serve(world.app, host, 0, announce=lambda _: None, tick_every_s=None)
    assert caught.value.code == "serve.no-login"
    assert not is_loopback(host)


def test_a_port_in_use_is_said_in_words(tmp_path: Path) -> None:
    world = World(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnusableInput, match=f"port {port} of 127.0.0.1 is in use") as caught:
            serve(world.app, "127.0.0.1", port, announce=lambda _: None, tick_every_s=None)
        done = subprocess.run(
            [sys.executable, "-m", "headway", "--repo", str(world.git.path), "serve", "--port", str(port), "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert caught.value.code == "serve.port-taken"
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "serve.port-taken")


def test_each_request_sees_the_world_anew(tmp_path: Path) -> None:
    world = World(tmp_path)
    with Served(world.git.path, world.clock.now()) as served:
        before = httpx.get(f"{served.url}api/v1/board", timeout=60).json()["trains"][0]["date"]
        controls.slip(world.app("Bo"), "0.1.1", day("01-31T00").date(), "snow")
        after = httpx.get(f"{served.url}api/v1/board", timeout=60).json()["trains"][0]["date"]
    assert (before, after) == ("2025-01-29", "2025-01-31")
