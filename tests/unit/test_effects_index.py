"""N1: the static index in a folder: never a file overwritten, nothing half offered, pages as the PEPs say."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pkgmaker import as_files, sdist, wheel, write

from headway.effects.index import Published, PublishRefused, publish_folder, yank
from headway.errors import BrokenInvariant, UnusableInput, WorldFailed
from headway.model.build import PublishedFile
from headway.sources.index import read_folder_index


class Killed(BaseException):
    """The process ends here, as far as the caller is concerned."""


def quiet(_: str) -> None:
    """A step that nobody watches."""


def anchors(page: Path) -> dict[str, dict[str, str | None]]:
    found: dict[str, dict[str, str | None]] = {}

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "a":
                values = dict(attrs)
                found[str(values["href"]).partition("#")[0].rpartition("/")[2]] = values

    Reader().feed(page.read_text(encoding="utf-8"))
    return found


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and p.name != ".lock"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


def test_pages_state_digest_python_metadata_and_yanks(tmp_path: Path, root: Path) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"), sdist(tmp_path / "w", "1.0"))
    steps: list[str] = []
    done = publish_folder(root, files, steps.append)
    assert done == Published(root.as_uri(), tuple(a for _, a in files))
    assert steps == ["publish:toy-1.0-py3-none-any.whl", "publish:toy-1.0.tar.gz"]
    assert yank(root, "Toy", "1.0", 'wrong <results> & "more"') == ("toy-1.0-py3-none-any.whl", "toy-1.0.tar.gz")

    page = root / "simple" / "toy" / "index.html"
    shown = anchors(page)
    whl, src = shown["toy-1.0-py3-none-any.whl"], shown["toy-1.0.tar.gz"]
    assert whl["href"] == f"../../files/toy/{files[0][1].file}#sha256={files[0][1].sha256}"
    assert src["href"] == f"../../files/toy/{files[1][1].file}#sha256={files[1][1].sha256}"
    assert whl["data-requires-python"] == src["data-requires-python"] == ">=3.9"
    assert whl["data-yanked"] == 'wrong <results> & "more"'
    assert "&lt;results&gt;" in page.read_text()
    beside = root / "files" / "toy" / "toy-1.0-py3-none-any.whl.metadata"
    assert b"Version: 1.0" in beside.read_bytes()
    assert whl["data-core-metadata"] == f"sha256={as_files(beside)[0][1].sha256}"
    assert "data-core-metadata" not in src
    assert list(anchors(root / "simple" / "index.html").values()) == [{"href": "toy/"}]

    document = json.loads((root / "simple" / "toy" / "index.json").read_text())
    assert (document["name"], document["versions"]) == ("toy", ["1.0"])
    assert [f["hashes"]["sha256"] for f in document["files"]] == [a.sha256 for _, a in files]
    assert [f["size"] for f in document["files"]] == [a.size for _, a in files]
    assert document["files"][0]["yanked"] == 'wrong <results> & "more"'
    assert read_folder_index(root) == tuple(PublishedFile(a.file, "1.0", a.sha256, True) for _, a in files)


def test_a_second_call_changes_nothing_and_a_later_version_is_added(tmp_path: Path, root: Path) -> None:
    files = as_files(wheel(tmp_path / "w", "1.9"))
    publish_folder(root, files, quiet)
    before = tree(root)
    assert isinstance(publish_folder(root, files, quiet), Published)
    assert tree(root) == before
    yank(root, "toy", "1.9", "bad")
    publish_folder(root, as_files(wheel(tmp_path / "w", "1.10.post1")), quiet)
    assert [(f.version, f.yanked) for f in read_folder_index(root)] == [("1.10.post1", False), ("1.9", True)]
    assert json.loads((root / "simple/toy/index.json").read_text())["versions"] == ["1.9", "1.10.post1"]


def test_another_file_of_the_same_name_is_refused_and_nothing_is_written(tmp_path: Path, root: Path) -> None:
    publish_folder(root, as_files(wheel(tmp_path / "w", "1.0")), quiet)
    before = tree(root)
    other = as_files(sdist(tmp_path / "w", "1.0"), wheel(tmp_path / "other", "1.0", body="N = 2\n"))
    refused = publish_folder(root, other, quiet)
    assert isinstance(refused, PublishRefused)
    assert "a published file is never replaced" in str(refused.why)
    assert tree(root) == before


def test_a_source_that_is_not_what_was_tested_is_refused(tmp_path: Path, root: Path) -> None:
    path = wheel(tmp_path / "w", "1.0")
    for source, artifact in (
        (path, replace(as_files(path)[0][1], sha256="0" * 64)),
        (tmp_path / "gone" / path.name, as_files(path)[0][1]),
    ):
        assert isinstance(publish_folder(root, ((source, artifact),), quiet), PublishRefused)
    broken = write(tmp_path / "toy-2.0.tar.gz", "no archive")
    refused = publish_folder(root, as_files(path, broken), quiet)
    assert isinstance(refused, PublishRefused)
    assert "toy-2.0.tar.gz cannot be used" in str(refused.why)
    assert tree(root) == {}


def test_a_name_that_leads_out_of_the_folder_is_no_file_name(tmp_path: Path, root: Path) -> None:
    path = wheel(tmp_path / "w", "1.0")
    with pytest.raises(UnusableInput) as e:
        publish_folder(root, ((path, replace(as_files(path)[0][1], file="../toy-1.0-py3-none-any.whl")),), quiet)
    assert e.value.code == "index.file-name"


@pytest.mark.parametrize("kill_at", [0, 1])
def test_a_kill_between_files_offers_nothing_and_is_completed(tmp_path: Path, root: Path, kill_at: int) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"), sdist(tmp_path / "w", "1.0"))
    left = iter(range(10))

    def kill(_: str) -> None:
        if next(left) == kill_at:
            raise Killed

    with pytest.raises(Killed):
        publish_folder(root, files, kill)
    assert (root / "files" / "toy" / files[0][1].file).exists()
    assert read_folder_index(root) == ()
    assert isinstance(publish_folder(root, files, quiet), Published)
    clean = tmp_path / "clean"
    publish_folder(clean, files, quiet)
    assert tree(root) == tree(clean)


def test_left_over_parts_are_not_offered(tmp_path: Path, root: Path) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"))
    write(root / "files" / "toy" / f".{files[0][1].file}.part", "half")
    write(root / "files" / "toy" / ".toy-0.9-py3-none-any.whl.part", "half")
    publish_folder(root, files, quiet)
    assert list(anchors(root / "simple" / "toy" / "index.html")) == [files[0][1].file]


def test_a_file_changed_after_publication_is_seen_and_never_vouched_for(tmp_path: Path, root: Path) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"))
    publish_folder(root, files, quiet)
    target = root / "files" / "toy" / files[0][1].file
    shutil.copy(wheel(tmp_path / "evil", "1.0", body="EVIL = 1\n"), target)
    assert read_folder_index(root)[0].sha256 == as_files(target)[0][1].sha256 != files[0][1].sha256
    page = (root / "simple" / "toy" / "index.html").read_bytes()
    refused = publish_folder(root, as_files(wheel(tmp_path / "w", "1.1")), quiet)
    assert isinstance(refused, PublishRefused)
    assert "changed after they were published: toy-1.0" in str(refused.why)
    with pytest.raises(BrokenInvariant):
        yank(root, "toy", "1.0", "why")
    assert (root / "simple" / "toy" / "index.html").read_bytes() == page
    target.unlink()
    assert read_folder_index(root) == ()


def test_only_a_published_version_is_yanked(tmp_path: Path, root: Path) -> None:
    publish_folder(root, as_files(wheel(tmp_path / "w", "1.0")), quiet)
    for version in ("1.1", "one"):
        with pytest.raises(UnusableInput) as e:
            yank(root, "toy", version, "why")
        assert e.value.code == "version.not-found"
    assert not (root / "yanked.json").exists()


def test_a_disk_that_refuses_is_said_in_words(tmp_path: Path) -> None:
    in_the_way = write(tmp_path / "index", "a file")
    with pytest.raises(WorldFailed) as e:
        publish_folder(in_the_way, as_files(wheel(tmp_path / "w", "1.0")), quiet)
    assert e.value.code == "index.disk"
    assert os.fspath(in_the_way) in str(e.value)


def test_no_index_offers_nothing(tmp_path: Path) -> None:
    assert read_folder_index(tmp_path / "none") == ()
