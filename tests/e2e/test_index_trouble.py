"""N1: an index that goes wrong in the middle: nothing lost, nothing half-published, the next tick goes on.

Whole ticks against a real index server, with a proxy in front of it that fails at one file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from indexserver import PASSWORD, Proxy, Server, index_server, proxy_of
from trainkit import CUT, GO, Project, approve, kinds, make_project, only, open_at, verify
from trainkit import settle as settled

from headway import controls, withdrawing
from headway.app import Headway
from headway.errors import WorldFailed
from headway.model.entry import Entry, Kind
from headway.refusal import Refused

WHEEL, SDIST = "toykit-0.1.1-py3-none-any.whl", "toykit-0.1.1.tar.gz"
TAG = "refs/tags/v0.1.1"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("TWINE_USERNAME", "keeper")
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)
    with index_server(tmp_path) as found:
        yield found


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with proxy_of(server) as found:
        yield found


def accepted(folder: Path, proxy: Proxy, more: str = "") -> Project:
    """A train that is approved, on its day."""
    policy = f'\n[index]\nupload_url = "{proxy.url}"\nsimple_url = "{proxy.simple}"\nsettle_s = 0\n{more}'
    project = make_project(folder, policy=policy)
    settled(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")
    return project


def unpublished(project: Project) -> Headway:
    """Nothing says that it is out."""
    app = open_at(project.path, GO)
    assert not {"published", "released"} & set(kinds(app))
    assert project.ref(TAG) is None
    return app


def goes_on(project: Project, server: Server, proxy: Proxy) -> None:
    """The index is itself again: the next tick finishes what was begun, and sends nothing twice."""
    there = {p.name for p in server.packages.iterdir()}
    proxy.trouble = lambda method, body: None
    proxy.seen.clear()
    app = open_at(project.path, GO)
    assert settled(app)[0] == ["publish", "tag-final"]
    assert [m for m, *_ in proxy.seen].count("POST") == 2 - len(there)
    assert {p.name for p in server.packages.iterdir()} == {WHEEL, SDIST}
    assert project.ref(TAG) is not None
    assert verify(app, "0.1.1") == ()


def of_file(file: str, wrong: int | str, times: int = 99) -> Callable[[str, bytes], int | str | None]:
    """Uploads of a file go wrong, so many times."""
    left = [times]

    def trouble(method: str, body: bytes) -> int | str | None:
        if method != "POST" or f'filename="{file}"'.encode() not in body or not left[0]:
            return None
        left[0] -= 1
        return wrong

    return trouble


@pytest.mark.parametrize("wrong", [500, 503, 409, 403, 400])
@pytest.mark.parametrize("file", [WHEEL, SDIST])
def test_N1_an_upload_that_is_answered_by_an_error(
    tmp_path: Path, server: Server, proxy: Proxy, wrong: int, file: str
) -> None:
    """All or nothing: the first file may be there, and nobody is told of a release."""
    project = accepted(tmp_path / "toy.git", proxy)
    proxy.trouble = of_file(file, wrong)
    with pytest.raises(WorldFailed) as e:
        settled(open_at(project.path, GO))
    assert (e.value.code, e.value.clause) == ("index.upload", "N1")
    assert file in str(e.value)
    assert {p.name for p in server.packages.iterdir()} == ({WHEEL} if file == SDIST else set())
    unpublished(project)
    goes_on(project, server, proxy)


@pytest.mark.parametrize("file", [WHEEL, SDIST])
def test_N1_an_answer_that_is_lost_after_the_file_was_written(
    tmp_path: Path, server: Server, proxy: Proxy, file: str
) -> None:
    """The index has it, and says so: nothing is sent again, and nothing is in doubt."""
    project = accepted(tmp_path / "toy.git", proxy)
    proxy.trouble = of_file(file, "drop")
    assert settled(open_at(project.path, GO))[0] == ["publish", "tag-final"]
    assert {p.name for p in server.packages.iterdir()} == {WHEEL, SDIST}
    assert verify(open_at(project.path, GO), "0.1.1") == ()


def test_N1_an_index_that_is_gone_right_after_it_wrote_the_file(tmp_path: Path, server: Server, proxy: Proxy) -> None:
    """The answer is lost and nothing can be read back: it is not taken for published."""
    project = accepted(tmp_path / "toy.git", proxy)
    lost = of_file(SDIST, "drop")
    gone: list[bool] = []

    def trouble(method: str, body: bytes) -> int | str | None:
        wrong = lost(method, body)
        if wrong:
            gone.append(True)
        return wrong or (502 if gone and method == "GET" else None)

    proxy.trouble = trouble
    with pytest.raises(WorldFailed):
        settled(open_at(project.path, GO))
    assert {p.name for p in server.packages.iterdir()} == {WHEEL, SDIST}
    unpublished(project)
    goes_on(project, server, proxy)


@pytest.mark.parametrize("file", [WHEEL, SDIST])
def test_N1_an_upload_that_never_ends(tmp_path: Path, server: Server, proxy: Proxy, file: str) -> None:
    """The policy's limit ends it; the log is kept."""
    project = accepted(tmp_path / "toy.git", proxy, "timeout_s = 10\n")
    proxy.trouble = of_file(file, "hang")
    with pytest.raises(WorldFailed) as e:
        settled(open_at(project.path, GO))
    assert e.value.code == "index.upload"
    assert "longer than 10" in str(e.value)
    app = unpublished(project)
    assert "over the limit" in app.paths.log("v0.1.1-rc1", "upload").read_text()
    proxy.over.set()
    goes_on(project, server, proxy)


@pytest.mark.parametrize("status", [500, 502])
def test_N1_an_index_that_cannot_be_read_before_is_left_alone(
    tmp_path: Path, server: Server, proxy: Proxy, status: int
) -> None:
    """Check before: what is there already is not known, so nothing is sent."""
    project = accepted(tmp_path / "toy.git", proxy)
    proxy.trouble = lambda method, body: status if method == "GET" else None
    with pytest.raises(WorldFailed) as e:
        settled(open_at(project.path, GO))
    assert e.value.code == "index.unreadable"
    assert list(server.packages.iterdir()) == []
    unpublished(project)
    goes_on(project, server, proxy)


def test_N1_an_index_that_cannot_be_read_back_is_not_believed(tmp_path: Path, server: Server, proxy: Proxy) -> None:
    """Upload, read back, then tag: both files are there, and nobody knows."""
    project = accepted(tmp_path / "toy.git", proxy)
    posts: list[int] = []

    def trouble(method: str, body: bytes) -> int | str | None:
        posts.extend([1] if method == "POST" else [])
        return 500 if method == "GET" and len(posts) == 2 else None

    proxy.trouble = trouble
    with pytest.raises(WorldFailed):
        settled(open_at(project.path, GO))
    assert {p.name for p in server.packages.iterdir()} == {WHEEL, SDIST}
    unpublished(project)
    goes_on(project, server, proxy)


@pytest.mark.parametrize("times", [1, 2])
def test_N1_an_error_that_passes_by_itself_stops_nothing(
    tmp_path: Path, server: Server, proxy: Proxy, times: int
) -> None:
    """The uploader asks again, as it does of any index."""
    project = accepted(tmp_path / "toy.git", proxy)
    proxy.trouble = of_file(SDIST, 503, times)
    assert settled(open_at(project.path, GO))[0] == ["publish", "tag-final"]
    assert verify(open_at(project.path, GO), "0.1.1") == ()


# A bad publication -----------------------------------------------------------------------------------------------


def spoiling(server: Server) -> Callable[[str], None]:
    """Somebody else's bytes take the place of the wheel right after it was uploaded."""

    def at(name: str) -> None:
        if name == f"publish:{SDIST}":
            path = server.packages / WHEEL
            path.write_bytes(path.read_bytes() + b"\0")

    return at


def test_N1_other_bytes_at_the_read_back_stop_the_train(tmp_path: Path, server: Server, proxy: Proxy) -> None:
    """A bad publish is told: a ledger entry with what was seen, no tag, and what a person can do."""
    project = accepted(tmp_path / "toy.git", proxy)
    done, waits = settled(open_at(project.path, GO, spoiling(server)))
    assert done == ["publish"]
    app = unpublished(project)
    bad = only(app, Kind.PUBLISH_FAILED, "0.1.1").payload
    tested = {f["file"]: f["sha256"] for f in bad["files"]}
    (seen,) = bad["seen"]
    assert seen["file"] == WHEEL
    assert re.fullmatch("[0-9a-f]{64}", seen["sha256"])
    assert seen["sha256"] != tested[WHEEL]
    (stop,) = (w for w in waits if w.code == "publish.other-bytes")
    assert stop.clause == "N1"
    assert "headway yank 0.1.1" in str(stop.remedy)
    assert f"{WHEEL} {seen['sha256']}" in str(dict(stop.facts)["seen"])
    assert settled(app)[0] == []
    assert app.train("0.1.1").action is None

    yanked = withdrawing.yank(app, "0.1.1", "not the tested files")
    assert isinstance(yanked, Entry)
    assert yanked.payload["files"] == [WHEEL, SDIST]
    (stop,) = (w for w in app.train("0.1.1").waits if w.code == "publish.other-bytes")
    assert "headway abandon 0.1.1" in str(stop.remedy)
    assert isinstance(controls.abandon(app, "0.1.1", "bad publication"), Entry)
    assert [t.train.name for t in app.plan().trains] == ["0.1.2"]


def test_N1_the_index_is_mended_and_the_publication_goes_on(tmp_path: Path, server: Server, proxy: Proxy) -> None:
    """The tested bytes are back: a person says so, and only then it goes on."""
    project = accepted(tmp_path / "toy.git", proxy)
    app = open_at(project.path, GO)
    assert isinstance(controls.retry(app, None, "publish"), Refused)
    settled(open_at(project.path, GO, spoiling(server)))
    (server.packages / WHEEL).write_bytes((app.paths.artifacts("v0.1.1-rc1") / WHEEL).read_bytes())
    assert settled(open_at(project.path, GO))[0] == []
    assert isinstance(controls.retry(open_at(project.path, GO), None, "publish"), Entry)
    goes_on(project, server, proxy)


def test_N1_a_file_that_somebody_else_uploaded_first_is_told_before_anything_is_sent(
    tmp_path: Path, server: Server, proxy: Proxy
) -> None:
    """Check before: the name is taken, and not a byte is sent."""
    project = accepted(tmp_path / "toy.git", proxy)
    (server.packages / SDIST).write_bytes(b"not ours")
    proxy.seen.clear()
    done, waits = settled(open_at(project.path, GO))
    assert done == ["publish"]
    assert "POST" not in {m for m, *_ in proxy.seen}
    assert "publish.other-bytes" in {w.code for w in waits}
    app = unpublished(project)
    assert [f["file"] for f in only(app, Kind.PUBLISH_FAILED, "0.1.1").payload["seen"]] == [SDIST]


def test_N1_the_same_for_an_index_in_a_folder(tmp_path: Path) -> None:
    """Other bytes between the copy and the page: the page is read back before anything is called published."""
    project = make_project(tmp_path / "toy.git")
    settled(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")

    def at(name: str) -> None:
        if name == f"publish:{SDIST}":
            path = app.index_folder / "files" / "toykit" / WHEEL
            path.write_bytes((app.paths.artifacts("v0.1.1-rc1") / WHEEL).read_bytes() + b"\0")

    app = open_at(project.path, GO, at)
    assert settled(app)[0] == ["publish"]
    app = unpublished(project)
    assert [f["file"] for f in only(app, Kind.PUBLISH_FAILED, "0.1.1").payload["seen"]] == [WHEEL]
    assert isinstance(withdrawing.yank(app, "0.1.1", "not the tested files"), Entry)
