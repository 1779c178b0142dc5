"""B4: testers install a candidate from an index of its own, which holds the very files that were built and tested."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from trainkit import (
    CUT,
    GO,
    PICKS,
    Project,
    approve,
    ask,
    bytes_under,
    grow_trunk,
    kinds,
    make_project,
    only,
    open_at,
    verify,
)
from trainkit import settle as settled

from headway import controls
from headway.app import Headway
from headway.environment import fresh_environment, uv_env, uv_program
from headway.errors import WorldFailed
from headway.model.entry import Entry, Kind
from headway.sources.index import read_folder_index
from headway.views.board import board, board_json
from headway.views.timeline import timeline

RC1 = "v0.1.1-rc1"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "toy.git")


def staging(app: Headway, tag: str = RC1) -> Path:
    return app.repo.state / "staging" / tag


def test_B4_what_passed_its_test_is_offered_to_testers(project: Project, tmp_path: Path) -> None:
    """One release may have many RCs; each is built and tested."""
    app = open_at(project.path, CUT)
    done = settled(app)[0]
    assert done == ["cut", "tag-candidate", "build", "test", "stage"]
    built, staged = only(app, Kind.BUILT, "0.1.1").payload, only(app, Kind.STAGED, "0.1.1").payload
    assert staged["files"] == [{"file": a["file"], "sha256": a["sha256"]} for a in built["artifacts"]]
    assert (staged["tag"], staged["prerelease"]) == (RC1, False)
    offered = read_folder_index(staging(app))
    assert [(f.file, f.sha256) for f in offered] == [(f["file"], f["sha256"]) for f in staged["files"]]
    assert not app.index_folder.exists()

    (row,) = board_json(board(app.plan(), app.policy, app.entries(), CUT))["trains"]  # type: ignore[misc]
    command = row["candidates"][0]["install"]
    assert command == f"pip install --extra-index-url {staging(app).as_uri()}/simple/ toykit==0.1.1"
    assert command in str(next(r for r in timeline(app.entries()) if r.kind is Kind.STAGED).words)

    python = fresh_environment(tmp_path / "env", [], log=tmp_path / "log", timeout_s=120)
    _, _, _, url, what = command.split()
    argv = [uv_program(), "pip", "install", "--no-config", "--python", str(python), "--default-index", url, what]
    got = subprocess.run(argv, capture_output=True, text=True, check=False, env=uv_env({}), cwd=tmp_path)
    assert got.returncode == 0, got.stderr


def test_B4_each_candidate_has_an_index_of_its_own(project: Project) -> None:
    """One release may have many RCs: the files of two of them have the same names."""
    settled(open_at(project.path, CUT))
    grow_trunk(project)
    ask(open_at(project.path, PICKS), project.shas["fix"], "regression", "https://example.org/why")
    app = open_at(project.path, PICKS)
    settled(app)
    one, two = (read_folder_index(staging(app, f"v0.1.1-rc{n}")) for n in (1, 2))
    assert [f.file for f in one] == [f.file for f in two]
    assert [f.sha256 for f in one] != [f.sha256 for f in two]


def test_B4_a_failed_candidate_is_offered_to_nobody(tmp_path: Path) -> None:
    """Each is built and tested: testers want what passed."""
    project = make_project(tmp_path / "toy.git")
    project.commit("broken", "Break it (#9)", {"checks/check.py": "raise SystemExit(1)\n"})
    app = open_at(project.path, CUT)
    assert settled(app)[0] == ["cut", "tag-candidate", "build", "test"]
    assert "staged" not in kinds(app)
    assert not staging(app).exists()


@pytest.mark.parametrize("file", ["toykit-0.1.1-py3-none-any.whl", "toykit-0.1.1.tar.gz"])
def test_B4_other_bytes_than_were_built_are_not_offered(project: Project, file: str) -> None:
    """The very files that were tested."""

    def at(name: str) -> None:
        if name.startswith("before:stage"):
            path = app.paths.artifacts(RC1) / file
            path.write_bytes(path.read_bytes() + b"\0")

    app = open_at(project.path, CUT, at)
    with pytest.raises(WorldFailed) as e:
        app.tick(settle=True)
    assert e.value.code == "artifact.changed"
    assert not staging(app).exists()
    assert kinds(app)[-1] == "tested"


def test_B4_a_candidate_that_is_built_again_is_offered_again(project: Project) -> None:
    """A retry sets the older build aside, and what was offered of it."""
    backend = project.git("show", "main:backend.py")
    where = "    files = {p.as_posix(): p.read_bytes() for p in _sources()}\n"
    assert where in backend
    chance = f'{where}    files["toykit/chance.txt"] = os.urandom(8).hex().encode()\n'
    project.commit("chance", "[Build] Never the same (#9)", {"backend.py": backend.replace(where, chance) + "\n"})
    settled(open_at(project.path, CUT))
    app = open_at(project.path, CUT)
    before = read_folder_index(staging(app))
    (staging(app) / "left-over").write_text("of the older build")
    assert isinstance(controls.retry(app, None, "build"), Entry)
    assert settled(app)[0] == ["build", "test", "stage"]
    built = [e.payload for e in app.entries() if e.kind is Kind.BUILT][-1]
    offered = {f.file: f.sha256 for f in read_folder_index(staging(app))}
    assert offered == {a["file"]: a["sha256"] for a in built["artifacts"]} != {f.file: f.sha256 for f in before}
    assert not (staging(app) / "left-over").exists()
    assert [p.name for p in staging(app).parent.iterdir()] == [RC1]


def test_B4_the_release_does_not_need_the_staging_index(project: Project) -> None:
    """It may be cleared away at any time: the files that are published are the build's own."""
    settled(open_at(project.path, CUT))
    app = open_at(project.path, GO)
    for path in sorted(staging(app).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    approve(app, "0.1.1")
    settled(app)
    assert verify(app, "0.1.1") == ()


def test_B4_people_are_told_the_address_at_which_the_folder_is_served(tmp_path: Path) -> None:
    """One release may have many RCs, and testers sit elsewhere."""
    url = "https://staging.example/{tag}/simple/"
    project = make_project(tmp_path / "toy.git", policy=f'\n[staging]\nurl = "{url}"\npath = "for-testers"\n')
    app = open_at(project.path, CUT)
    settled(app)
    assert only(app, Kind.STAGED, "0.1.1").payload["index"] == f"https://staging.example/{RC1}/simple/"
    assert (app.repo.state / "for-testers" / RC1 / "simple" / "toykit" / "index.html").is_file()


def test_PEP658_691_the_pages_of_a_candidate_are_those_of_the_index(project: Project) -> None:
    """One writer for both: metadata beside each wheel, JSON beside HTML, digests in both."""
    settled(open_at(project.path, CUT))
    app = open_at(project.path, GO)
    approve(app, "0.1.1")
    settled(app)
    ours, theirs = bytes_under(staging(app)), bytes_under(app.index_folder)
    assert ours == theirs
    page = json.loads(ours["simple/toykit/index.json"])
    assert page["files"][0]["core-metadata"]["sha256"]
