"""B5: a release that is re-packed from its candidate, on real git, a real back-end and a real index folder."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.version import Version
from trainkit import CUT, GO, POST, Project, approve, ask, bytes_under, kinds, make_project, only, open_at, verify
from trainkit import settle as settled

from headway import controls
from headway.app import Headway
from headway.errors import WorldFailed
from headway.model.entry import Entry, Kind
from headway.refusal import Refused
from headway.reports import verify_release
from headway.sources.index import read_folder_index

RC1 = "v0.1.1-rc1"
TICKER = Path(__file__).parent.parent / "ticker.py"
REPACK = '\n[promotion]\nmode = "repack"\nversion_files = ["_version.py"]\n'
# The project's own back-end, which also writes a version file as setuptools-scm does
VERSION_FILE = """
    import re
    parts = [p if p.isdigit() else repr(p) for p in re.split(r"[.]|(?=rc)|(?<=\\d)(?=post)", VERSION)]
    files["toykit/_version.py"] = f"version = {VERSION!r}\\nversion_tuple = ({', '.join(parts)})\\n".encode()
"""


def repacking(folder: Path, policy: str = REPACK) -> Project:
    project = make_project(folder, policy=policy)
    backend = project.git("show", "main:backend.py")
    where = "    files = {p.as_posix(): p.read_bytes() for p in _sources()}\n"
    assert where in backend
    project.commit(
        "scm",
        "[Build] Version file (#9)",
        {
            "backend.py": backend.replace(where, where + VERSION_FILE) + "\n",
            "toykit/__init__.py": "from toykit._version import version as __version__\n",
        },
    )
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return repacking(tmp_path / "toy.git")


def released(project: Project) -> Headway:
    settled(open_at(project.path, CUT))
    app = open_at(project.path, GO)
    approve(app, "0.1.1")
    settled(app)
    return app


def test_B5_the_release_is_the_candidate_but_for_its_version(project: Project) -> None:
    """The final tag triggers no build."""
    app = open_at(project.path, CUT)
    done = settled(app)[0]
    assert done == ["cut", "tag-candidate", "build", "test", "stage", "repack"]
    staged = only(app, Kind.STAGED, "0.1.1").payload
    assert [f["file"] for f in staged["files"]] == ["toykit-0.1.1rc1-py3-none-any.whl", "toykit-0.1.1rc1.tar.gz"]
    assert staged["prerelease"] is True
    assert [(f.file, f.sha256) for f in read_folder_index(app.index_folder)] == [
        (f["file"], f["sha256"]) for f in staged["files"]
    ]
    repacked = only(app, Kind.REPACKED, "0.1.1").payload
    assert repacked["ok"], repacked["why"]
    wheel, sdist = repacked["files"]
    info = "toykit-0.1.1.dist-info"
    assert sorted(wheel["changed"]) == [f"{info}/METADATA", f"{info}/RECORD", "toykit/_version.py"]
    assert sdist["changed"] == ["toykit-0.1.1/PKG-INFO"]
    assert [f["of"] for f in (wheel, sdist)] == [f["file"] for f in staged["files"]]

    app = open_at(project.path, GO)
    approve(app, "0.1.1")
    assert settled(app)[0] == ["publish", "tag-final"]
    published = only(app, Kind.PUBLISHED, "0.1.1").payload
    assert published["files"] == [{"file": f["file"], "sha256": f["sha256"]} for f in (wheel, sdist)]
    assert kinds(app).count("built") == 1
    assert verify(app, "0.1.1") == ()
    with zipfile.ZipFile(app.index_folder / "files" / "toykit" / wheel["file"]) as z:
        assert z.read("toykit/_version.py") == b"version = '0.1.1'\nversion_tuple = (0, 1, 1)\n"
    notes = project.git("tag", "-l", "--format=%(contents)", "v0.1.1")
    assert wheel["sha256"] in notes


def test_B5_the_approval_is_of_the_files_that_will_be_published(project: Project) -> None:
    """What is approved is what users get: another re-pack lapses it."""
    settled(open_at(project.path, CUT))
    app = open_at(project.path, GO)
    before = app.train("0.1.1").evidence
    state = app.repo.state
    (state / "release.toml").write_text(
        project.git("show", "main:release.toml").replace('["_version.py"]', '["_version.py", "METADATA"]') + "\n"
    )
    app = open_at(project.path, GO)
    assert app.train("0.1.1").evidence is None
    assert settled(app)[0] == ["repack"]
    assert app.train("0.1.1").evidence not in {None, before}


def test_B5_a_version_that_stands_elsewhere_is_refused_and_the_key_that_mends_it_named(tmp_path: Path) -> None:
    """The final tag triggers no build: what would still say rc1 is found before anybody is asked to approve it."""
    project = repacking(tmp_path / "toy.git", policy='\n[promotion]\nmode = "repack"\n')
    app = open_at(project.path, CUT)
    done, waits = settled(app)
    assert done[-1] == "repack"
    failed = next(w for w in waits if w.code == "candidate.repack-failed")
    assert failed.clause == "B5"
    assert "toykit/_version.py" in str(failed.text)
    assert "promotion.version_files" in str(failed.remedy)
    assert not app.paths.repacked(RC1).exists()
    assert app.train("0.1.1").evidence is None

    policy = project.git("show", "main:release.toml").rstrip() + '\nversion_files = ["_version.py"]\n'
    (app.repo.state / "release.toml").write_text(policy)
    app = open_at(project.path, CUT)
    assert settled(app)[0] == ["repack"]
    assert app.train("0.1.1").candidates[0].repacked is not None


def test_B5_a_release_that_does_not_work_is_found_before_it_is_published(project: Project) -> None:
    """It is installed and imported, and says its own version."""
    project.commit("lies", "Say another version (#10)", {"toykit/__init__.py": "__version__ = '0.1'\n"})
    app = open_at(project.path, CUT)
    _, waits = settled(app)
    failed = next(w for w in waits if w.code == "candidate.repack-failed")
    assert "toykit.__version__ is 0.1" in str(failed.text)
    assert isinstance(controls.retry(app, None, "repack"), Entry)
    assert settled(app)[0] == ["repack"]


def test_V4_candidates_of_a_post_release_are_development_versions(project: Project) -> None:
    """PEP 440 has no ``0.1.1.post1rc1``; the release is ``0.1.1.post1``."""
    app = released(project)
    project.made.now = POST
    project.commit("late", "[Bugfix] Nothing is none (#11)", {"toykit/table.py": "def rows():\n    return []\n"})
    app = open_at(project.path, POST)
    ask(app, project.shas["late"], "critical", "https://example.org/crash")
    settled(app)
    tagged = [e.payload["tag"] for e in app.entries() if e.kind is Kind.TAGGED]
    assert tagged[-1] == "v0.1.1.post1-rc1"
    staged = only(app, Kind.STAGED, "0.1.1.post1").payload
    assert staged["files"][0]["file"] == "toykit-0.1.1.post1.dev1-py3-none-any.whl"
    approve(app, "0.1.1.post1")
    settled(app)
    assert only(app, Kind.PUBLISHED, "0.1.1.post1").payload["files"][0]["file"] == "toykit-0.1.1.post1-py3-none-any.whl"
    assert verify(app, "0.1.1.post1") == ()


def test_B4_a_candidate_that_people_have_is_not_built_again(project: Project) -> None:
    """A published file is never replaced: the next candidate has the next number."""
    app = open_at(project.path, CUT)
    settled(app)
    assert isinstance(controls.retry(app, None, "build"), Refused)


def test_B5_no_candidate_is_published_as_a_release_after_a_change_of_mind(project: Project) -> None:
    """The policy goes back to the same bytes: a file that says rc1 is no release."""
    settled(open_at(project.path, CUT))
    state = open_at(project.path, CUT).repo.state
    text = project.git("show", "main:release.toml").replace('mode = "repack"\nversion_files = ["_version.py"]', "")
    (state / "release.toml").write_text(text + "\n")
    app = open_at(project.path, GO)
    done, waits = settled(app)
    assert done == []
    assert [w.code for w in waits] == ["candidate.other-version"]
    assert isinstance(controls.retry(app, None, "build"), Entry)
    assert settled(app)[0] == ["build", "test", "stage"]
    approve(app, "0.1.1")
    assert settled(app)[0] == ["publish", "tag-final"]
    assert verify(app, "0.1.1") == ()


# The proof, tampered with ----------------------------------------------------------------------------------------


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


TAMPER: dict[str, tuple[Callable[[Headway], None], set[str]]] = {
    "the kept candidate": (
        lambda app: _append(app.paths.artifacts(RC1) / "toykit-0.1.1rc1.tar.gz"),
        set(),  # the index has the same file still
    ),
    "the candidate, everywhere": (
        lambda app: [_append(p) for p in app.repo.state.rglob("toykit-0.1.1rc1.tar.gz")] and None,
        {"verify.repack"},
    ),
    "the release, everywhere": (
        lambda app: [_append(p) for p in app.repo.state.rglob("toykit-0.1.1-py3-none-any.whl")] and None,
        {"verify.repack", "verify.index-differs"},
    ),
    "the candidate is gone": (
        lambda app: [p.unlink() for p in app.repo.state.rglob("toykit-0.1.1rc1-*.whl")] and None,
        {"verify.repack"},
    ),
    "the index": (
        lambda app: _append(app.index_folder / "files" / "toykit" / "toykit-0.1.1.tar.gz"),
        {"verify.index-differs"},
    ),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = repacking(tmp_path_factory.mktemp("done") / "toy.git")
    released(project)
    return project


@pytest.mark.parametrize("what", sorted(TAMPER))
def test_the_proof_is_made_again_from_the_kept_files(done: Project, what: str) -> None:
    app = open_at(done.path, GO)
    assert verify(app, "0.1.1") == ()
    kept = {p: p.read_bytes() for p in app.repo.state.rglob("toykit-0.1.1*") if p.is_file()}
    tamper, codes = TAMPER[what]
    try:
        tamper(app)
        assert {p.code for p in verify(app, "0.1.1")} == codes
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def test_files_that_were_never_here_could_not_be_compared(done: Project) -> None:
    """As in a clone that loaded the state, with the index elsewhere."""
    app = open_at(done.path, GO)
    kept = {p: p.read_bytes() for p in app.repo.state.rglob("toykit-0.1.1*") if p.is_file()}
    try:
        for folder in (app.paths.artifacts(RC1), app.paths.repacked(RC1)):
            shutil.rmtree(folder)
        for path in kept:
            if path.name.startswith("toykit-0.1.1rc1"):
                path.unlink(missing_ok=True)
        found = verify_release(app, Version("0.1.1"))
        assert found.problems == ()
        assert {r.code for r in found.unchecked} == {"verify.repack-not-here"}
    finally:
        for path, content in kept.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


# Killed and disturbed --------------------------------------------------------------------------------------------


def test_B5_the_same_bytes_after_a_kill(project: Project) -> None:
    """Made twice, the same: the first was killed before it was written down."""
    seen: list[str] = []

    class Killed(BaseException):
        pass

    def at(name: str) -> None:
        if name.startswith(("repacked:", "unrecorded:repack")) and name not in seen:
            seen.append(name)
            digests.append(
                {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in state.rglob("toykit-0.1.1-*.whl")}
            )
            raise Killed

    digests: list[dict[str, str]] = []
    state = open_at(project.path, CUT).repo.state
    for _ in range(10):
        try:
            open_at(project.path, CUT, at).tick(settle=True)
        except Killed:
            continue
        break
    assert len(seen) == 3
    app = open_at(project.path, CUT)
    (wheel, _) = only(app, Kind.REPACKED, "0.1.1").payload["files"]
    assert digests == [{wheel["file"]: wheel["sha256"]}] * 3
    assert sorted(p.name for p in app.paths.repacked(RC1).iterdir()) == [
        "toykit-0.1.1-py3-none-any.whl",
        "toykit-0.1.1.tar.gz",
    ]


def ride(project: Project, stops: str) -> tuple[dict[str, bytes], dict[str, bytes], list[str], int]:
    """Cut to release in ticks of their own; index, re-packed files, kinds of entries, how often one was killed."""
    killed = 0
    for at in (CUT, GO):
        argv = [sys.executable, str(TICKER), str(project.path), at.isoformat(), stops]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        killed += int(done.stdout)
        if at is CUT:
            approve(open_at(project.path, GO), "0.1.1")
    app = open_at(project.path, GO)
    assert verify(app, "0.1.1") == ()
    return bytes_under(app.index_folder), bytes_under(app.repo.state / "repacked"), kinds(app), killed


def test_B5_killed_at_each_step_it_ends_as_one_that_never_was(project: Project, tmp_path: Path) -> None:
    """Same files on the index, same ledger, by SIGKILL at every step from the cut to the final tag."""
    shutil.copytree(project.path, tmp_path / "other.git")
    undisturbed = ride(Project(project.made, tmp_path / "other.git", dict(project.shas)), "")
    assert undisturbed[3] == 0
    stops = tmp_path / "stops"
    disturbed = ride(project, str(stops))
    seen = stops.read_text(encoding="utf-8").splitlines()
    assert disturbed[3] == len(seen) == len(set(seen))
    assert {"staging", "repacked", "publish", "unrecorded"} <= {name.split(":")[0] for name in seen}
    assert disturbed[:3] == undisturbed[:3]


def test_B5_a_changed_repack_is_not_published(project: Project) -> None:
    """The files are checked against their digests once more."""
    settled(open_at(project.path, CUT))
    app = open_at(project.path, GO)
    approve(app, "0.1.1")
    _append(app.paths.repacked(RC1) / "toykit-0.1.1.tar.gz")
    with pytest.raises(WorldFailed) as e:
        settled(app)
    assert e.value.code == "publish.refused"
    assert "published" not in kinds(app)
    assert json.dumps(e.value.as_json())
