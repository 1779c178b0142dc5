"""N1, PEP 592: a version is withdrawn with a reason and a successor, offered again, or yanked by hand where the index
has no interface for it."""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from trainkit import CUT, GO, POST, Project, approve, grow_trunk, make_project, open_at, settle
from worlds import fact

from headway import withdrawing
from headway.app import Headway
from headway.decide import yanks
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.refusal import Refused
from headway.simple import parse_html
from headway.views.board import departed

FILES = ("toykit-0.1.1-py3-none-any.whl", "toykit-0.1.1.tar.gz")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """0.1.1 is released to the folder index."""
    project = make_project(tmp_path_factory.mktemp("made") / "project.git")
    settle(open_at(project.path, CUT))
    grow_trunk(project)
    settle(open_at(project.path, GO))
    approve(open_at(project.path, GO), "0.1.1")
    settle(open_at(project.path, GO))
    assert project.ref("refs/tags/v0.1.1")
    return project


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    shutil.copytree(made.path, tmp_path / "project.git")
    return Project(made.made, tmp_path / "project.git", made.shas)


def done(answer: Entry | Refused) -> Entry:
    assert isinstance(answer, Entry), answer
    return answer


def code(answer: Entry | Refused) -> str:
    assert isinstance(answer, Refused), answer
    (reason,) = answer.reasons
    assert str(reason.remedy)
    return reason.code


def pages(app: Headway) -> tuple[str, dict[str, object]]:
    folder = app.index_folder / "simple" / "toykit"
    data = json.loads((folder / "index.json").read_text())
    return (folder / "index.html").read_text(), {f["filename"]: f["yanked"] for f in data["files"]}


# In a folder of ours -------------------------------------------------------------------------------------------------


def test_N1_the_index_says_why_and_what_to_use(project: Project) -> None:
    app = open_at(project.path, POST)
    project.git("tag", "v0.1.0.post1", "v0.1.0")
    entry = done(withdrawing.yank(app, "0.1.1", "wrong <results>", "0.1.0.post1"))
    assert (entry.kind, entry.train, entry.payload["successor"]) == (Kind.YANKED, "0.1.1", "0.1.0.post1")
    assert tuple(entry.payload["files"]) == FILES
    html, offered = pages(app)
    assert offered == dict.fromkeys(FILES, "wrong <results>; use 0.1.0.post1")
    assert "wrong &lt;results&gt;; use 0.1.0.post1" in html
    assert [d.yanked for d in departed(app.entries())] == [True]
    assert {w.code for t in app.plan().trains for w in t.waits}.isdisjoint({"yank.by-hand"})


def test_N1_it_is_offered_again_only_by_another_entry(project: Project) -> None:
    app = open_at(project.path, POST)
    assert code(withdrawing.unyank(app, "0.1.1", "why")) == "yank.not-yanked"
    done(withdrawing.yank(app, "0.1.1", "wrong"))
    entry = done(withdrawing.unyank(app, "0.1.1", "it was another one"))
    assert entry.kind is Kind.UNYANKED
    html, offered = pages(app)
    assert offered == dict.fromkeys(FILES, False)
    assert not any(o.yanked for o in parse_html(html))
    kinds = [e.kind for e in app.entries()]
    assert kinds[-2:] == [Kind.YANKED, Kind.UNYANKED], "nothing is taken out of the record"
    assert [d.yanked for d in departed(app.entries())] == [False]
    done(withdrawing.yank(app, "0.1.1", "wrong after all"))
    assert [d.yanked for d in departed(app.entries())] == [True]


@pytest.mark.parametrize("successor", ["0.1.1", "0.9.9", "v0.1.1"])
def test_N1_people_are_sent_only_to_what_they_can_install(project: Project, successor: str) -> None:
    app = open_at(project.path, POST)
    assert code(withdrawing.yank(app, "0.1.1", "wrong", successor)) == "yank.no-successor"
    assert pages(app)[1] == dict.fromkeys(FILES, False)
    assert code(withdrawing.yank(app, "0.1.0", "wrong")) == "yank.not-published"
    assert code(withdrawing.yank(app, "0.1.1", " ")) == "yank.no-reason"


# Where a person does it ----------------------------------------------------------------------------------------------


@dataclass
class Index:
    """A simple page that its owner changes by hand: file to its reason, ``None`` for one that is offered."""

    url: str = ""
    files: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(FILES))
    status: int = 200
    asked: int = 0


@pytest.fixture
def index() -> Iterator[Index]:
    state = Index()

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            rows = "".join(
                f'<a href="/f/{f}#sha256={"0" * 64}"{"" if why is None else f" data-yanked={chr(34)}{why}{chr(34)}"}>'
                f"{f}</a>"
                for f, why in state.files.items()
            )
            self.send_response(state.status)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<html><body>{rows}</body></html>".encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield state
        with contextlib.suppress(OSError):
            server.shutdown()
        thread.join()


@pytest.fixture
def uploaded(project: Project, index: Index) -> Headway:
    """The same project, whose index is one to which files are uploaded."""
    app = open_at(project.path, POST)
    table = app.policy.index.model_copy(update={"upload_url": f"{index.url}legacy/", "simple_url": index.url})
    return Headway(
        app.repo, app.policy.model_copy(update={"index": table}), app.policy_source, app.trunk, app.clock, person="Rosa"
    )


def waiting(app: Headway) -> list[Reason]:
    return [w for w in app.plan().trains[0].waits if w.code.startswith("yank.")]


def test_N1_a_yank_by_hand_is_told_until_the_index_withholds_it(uploaded: Headway, index: Index) -> None:
    assert index.asked == 0
    entry = done(withdrawing.yank(uploaded, "0.1.1", "wrong", "0.1.0"))
    assert entry.payload["by_hand"] is True
    (wait,) = waiting(uploaded)
    assert (wait.clause, wait.code, fact(wait, "read")) == ("N1", "yank.by-hand", True)
    assert "wrong; use 0.1.0" in str(wait.remedy)
    uploaded.tick()
    index.files[FILES[0]] = "wrong"
    assert len(waiting(uploaded)) == 1, "one of two files is not enough"
    index.files[FILES[1]] = ""
    notes = uploaded.plan().notes
    assert [(a.kind, a.target) for a in notes] == [("yank-seen", "0.1.1")]
    uploaded.tick()
    seen = next(e for e in uploaded.entries() if e.kind is Kind.YANK_SEEN)
    assert (seen.train, seen.payload["yanked"]) == ("0.1.1", True)
    asked = index.asked
    assert waiting(uploaded) == []
    assert index.asked == asked, "what was seen is not asked for again"


@pytest.mark.parametrize("how", ["error", "empty", "gone"])
def test_N1_an_index_that_cannot_be_read_says_nothing(uploaded: Headway, index: Index, how: str) -> None:
    done(withdrawing.yank(uploaded, "0.1.1", "wrong"))
    index.status = {"error": 500, "empty": 200, "gone": 404}[how]
    index.files = {} if how == "empty" else index.files
    (wait,) = waiting(uploaded)
    assert fact(wait, "read") is False
    assert uploaded.plan().notes == ()


def test_N1_a_yank_that_is_taken_back_before_it_was_done_is_waited_for_no_more(uploaded: Headway, index: Index) -> None:
    done(withdrawing.yank(uploaded, "0.1.1", "wrong"))
    done(withdrawing.unyank(uploaded, "0.1.1", "it was not"))
    assert waiting(uploaded) == [], "it is offered"
    index.files = dict.fromkeys(FILES, "wrong")  # somebody was quicker
    (wait,) = waiting(uploaded)
    assert wait.code == "yank.undo-by-hand"
    index.files = dict.fromkeys(FILES)
    uploaded.tick()
    assert yanks.awaited(uploaded.entries()) == {}
    assert [e.payload["yanked"] for e in uploaded.entries() if e.kind is Kind.YANK_SEEN] == [False]
