"""N1: what was published installs from the folder index, by pip and by uv, with its hash checked."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from pkgmaker import as_files, build_policy, hatch_project, wheel

from headway.effects.build import Built, build_candidate
from headway.effects.index import publish_folder, yank
from headway.environment import fresh_environment, uv_env, uv_program
from headway.model.build import PublishedFile
from headway.process import child_env
from headway.sources.index import read_folder_index, read_simple_index


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An index with toy-hatch 1.2.3 (really built), and toy 1.0 and 1.1."""
    project, out = hatch_project(tmp_path / "p"), tmp_path / "out"
    made = build_candidate(project, out, "1.2.3", build_policy(), 0, log=tmp_path / "log", python=Path(sys.executable))
    assert isinstance(made, Built), made
    wheels = [wheel(tmp_path / "w", version) for version in ("1.0", "1.1")]
    files = tuple((out / a.file, a) for a in made.artifacts) + as_files(*wheels)
    publish_folder(tmp_path / "index", files, lambda _: None)
    return tmp_path / "index"


@contextlib.contextmanager
def served(root: Path, asked: list[str] | None = None) -> Iterator[str]:
    """The folder behind a web server; the paths that it was ``asked`` for."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            if asked is not None:
                asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple/"
        server.shutdown()


def pip(tmp_path: Path, index: str, *args: str) -> subprocess.CompletedProcess[str]:
    """pip download without anybody's settings; only this index."""
    env = {k: v for k, v in child_env({}).items() if not k.startswith("PIP_")}
    argv = [sys.executable, "-m", "pip", "--isolated", "download", "--no-cache-dir", "--no-deps", "--index-url", index]
    return subprocess.run(
        [*argv, "--dest", str(tmp_path / "got"), *args],
        capture_output=True,
        text=True,
        check=False,
        env={**env, "PIP_CONFIG_FILE": "/dev/null"},
    )


def uv_install(tmp_path: Path, index: str, *args: str) -> subprocess.CompletedProcess[str]:
    python = fresh_environment(tmp_path / "env", [], log=tmp_path / "log", timeout_s=120)
    argv = [uv_program(), "pip", "install", "--no-config", "--no-cache", "--python", str(python)]
    env = {k: v for k, v in uv_env({}).items() if not k.startswith("UV_")}
    return subprocess.run(
        [*argv, "--default-index", index, *args], capture_output=True, text=True, check=False, env=env, cwd=tmp_path
    )


def answer(tmp_path: Path) -> str:
    python = tmp_path / "env" / "bin" / "python"
    code = "import toy_hatch; print(toy_hatch.ANSWER)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_uv_and_pip_install_the_published_bytes(tmp_path: Path, root: Path) -> None:
    got = uv_install(tmp_path, root.as_uri() + "/simple/", "toy-hatch==1.2.3")
    assert got.returncode == 0, got.stderr
    assert answer(tmp_path) == "42"
    with served(root) as url:
        for index in (root.as_uri() + "/simple/", url):
            got = pip(tmp_path, index, "toy_hatch")
            assert got.returncode == 0, got.stdout + got.stderr
            file = "toy_hatch-1.2.3-py3-none-any.whl"
            assert as_files(tmp_path / "got" / file)[0][1] == as_files(root / "files" / "toy-hatch" / file)[0][1]
            (tmp_path / "got" / file).unlink()


def resolved(tmp_path: Path, tool: str, index: str) -> subprocess.CompletedProcess[str]:
    """What a tool would install of toy-hatch, from this index alone."""
    env = {k: v for k, v in uv_env({}).items() if not k.startswith(("PIP_", "UV_"))} | {"PIP_CONFIG_FILE": "/dev/null"}
    if tool == "uv":
        argv = [uv_program(), "pip", "compile", "--no-config", "--no-cache", "--default-index", index, "-"]
    else:
        argv = [sys.executable, "-m", "pip", "--isolated", "install", "--no-cache-dir", "--ignore-installed"]
        argv += ["--dry-run", "--target", str(tmp_path / "nowhere"), "--index-url", index, "toy-hatch"]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=env, cwd=tmp_path, input="toy-hatch\n")


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_PEP658_installers_read_the_metadata_beside_the_wheel(tmp_path: Path, root: Path, tool: str) -> None:
    """A wheel of 200 MB is not fetched to learn what it requires."""
    asked: list[str] = []
    with served(root, asked) as url:
        got = resolved(tmp_path, tool, url)
    assert got.returncode == 0, got.stderr
    assert "toy-hatch==1.2.3" in got.stdout or "toy-hatch-1.2.3" in got.stdout
    wheel = "/files/toy-hatch/toy_hatch-1.2.3-py3-none-any.whl"
    assert f"{wheel}.metadata" in asked
    if tool == "uv":  # pip fetches the wheel too, in the end
        assert wheel not in asked


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_PEP658_metadata_of_another_wheel_is_not_taken(tmp_path: Path, root: Path, tool: str) -> None:
    """The page states its digest, and the metadata whose it is."""
    beside = root / "files" / "toy-hatch" / "toy_hatch-1.2.3-py3-none-any.whl.metadata"
    beside.write_text(beside.read_text().replace("Name: toy-hatch", "Name: evil"))
    with served(root) as url:
        assert resolved(tmp_path, tool, url).returncode != 0


def test_PEP658_691_the_page_says_of_each_wheel_what_the_wheel_says(root: Path) -> None:
    """The metadata is that of the wheel to the byte, valid, and the JSON page has its digest and what it requires."""
    page = json.loads((root / "simple" / "toy-hatch" / "index.json").read_text())
    assert page["meta"]["api-version"] == "1.1"
    assert page["versions"] == ["1.2.3"]
    for file in page["files"]:
        path = (root / "simple" / "toy-hatch" / file["url"]).resolve()
        assert file["hashes"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert file["size"] == path.stat().st_size
        assert file["requires-python"] == ">=3.9"
        if path.suffix == ".whl":
            beside = path.with_name(f"{path.name}.metadata").read_bytes()
            assert file["core-metadata"] == {"sha256": hashlib.sha256(beside).hexdigest()}
            with zipfile.ZipFile(path) as z:
                assert beside == z.read("toy_hatch-1.2.3.dist-info/METADATA")
            assert str(Metadata.from_email(beside, validate=True).version) == "1.2.3"


def test_a_changed_file_does_not_install(tmp_path: Path, root: Path) -> None:
    victim = root / "files" / "toy-hatch" / "toy_hatch-1.2.3-py3-none-any.whl"
    victim.write_bytes(victim.read_bytes() + b"\0")
    got = pip(tmp_path, root.as_uri() + "/simple/", "toy-hatch==1.2.3")
    assert got.returncode != 0
    assert "DO NOT MATCH THE HASHES" in got.stdout + got.stderr


def test_a_yanked_version_is_passed_over_unless_pinned(tmp_path: Path, root: Path) -> None:
    yank(root, "toy", "1.1", "wrong results")
    index = root.as_uri() + "/simple/"
    assert pip(tmp_path, index, "toy").returncode == 0
    assert [p.name for p in (tmp_path / "got").iterdir()] == ["toy-1.0-py3-none-any.whl"]
    pinned = pip(tmp_path, index, "toy==1.1")
    assert pinned.returncode == 0
    assert "wrong results" in pinned.stdout + pinned.stderr


def test_the_same_files_are_read_from_the_folder_and_over_http(root: Path) -> None:
    yank(root, "toy", "1.1", "")
    with served(root) as url:
        read = (*read_simple_index(url, "toy"), *read_simple_index(url, "Toy_Hatch"))
        assert read == read_folder_index(root)
        assert read_simple_index(url, "unknown") == ()
    assert [(f.file, f.yanked) for f in read[:2]] == [
        ("toy-1.0-py3-none-any.whl", False),
        ("toy-1.1-py3-none-any.whl", True),
    ]
    assert isinstance(read[0], PublishedFile)
