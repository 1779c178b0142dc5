"""B4, bad input: builds that hang, write nothing or the wrong thing, and projects whose version comes from elsewhere.

At product level: the ledger has the entry, ``plan`` says what is wrong and what to do, nothing is published.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from pkgmaker import sdist, wheel
from trainkit import CUT, make_project, only, open_at, settle

from headway import controls
from headway.app import Headway
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason

SCM = (
    '[build-system]\nrequires = ["setuptools>=77", "setuptools-scm>=8"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "toykit"\ndynamic = ["version"]\n'
    '[tool.setuptools_scm]\n{scm}\n[tool.setuptools]\npackages = ["toykit"]\n'
)


def failed(app: Headway) -> Reason:
    """The train's one wait, after its build; nothing is tested or published."""
    kinds, waits = settle(app)
    assert kinds == ["cut", "tag-candidate", "build"]
    (found,) = [w for w in waits if w.code == "candidate.build-failed"]
    assert found.clause == "B4"
    assert app.train(None).evidence is None
    assert not app.paths.artifacts("v0.1.1-rc1").exists()
    assert "headway tick --retry build" in str(found.remedy)
    return found


def built_by(tmp_path: Path, body: str, policy: str = "", expect: tuple[str, ...] = ("*.whl", "*.tar.gz")) -> Headway:
    """A project whose build command is a small Python program; it gets the folder to write to."""
    script = tmp_path / "builder.py"
    script.write_text(f"import os, pathlib, shutil, subprocess, sys, time\nout = pathlib.Path(sys.argv[1])\n{body}\n")
    command = json.dumps(f"{{python}} {script} {{out}}")
    table = f"\n[build]\ncommand = {command}\nexpect = {json.dumps(expect)}\n{policy}"
    return open_at(make_project(tmp_path / "toy.git", policy=table).path, CUT)


def copied(*paths: Path) -> str:
    return "\n".join(f"shutil.copy({str(p)!r}, out)" for p in paths)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
def test_B4_a_build_that_hangs_is_ended_and_its_log_is_kept(tmp_path: Path) -> None:
    """The limit ends it and all that it started; what it wrote is what a person reads."""
    mark = tmp_path / "pid"
    body = (
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(mark)!r}).write_text(str(child.pid))\n"
        "print('fetching the world', flush=True)\ntime.sleep(600)"
    )
    app = built_by(tmp_path, body, "timeout_s = 3\n")
    wait = failed(app)
    assert "it took longer than 3 s" in str(wait.text)
    log = Path(str(dict(wait.facts)["log"])).read_text()
    assert "fetching the world" in log
    assert "ended: over the limit of 3 s" in log
    assert only(app, Kind.BUILT, "0.1.1").payload["seconds"] >= 3
    limit = time.monotonic() + 20  # the kernel ends a killed process in its own time
    while _runs(int(mark.read_text())) and time.monotonic() < limit:
        os.sched_yield()
    assert not _runs(int(mark.read_text()))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_B4_a_build_that_writes_nothing(tmp_path: Path) -> None:
    """What was expected, and what came."""
    assert "the build wrote no *.whl; it wrote: nothing" in str(failed(built_by(tmp_path, "pass")).text)


def test_B4_two_wheels_of_one_tag(tmp_path: Path) -> None:
    """Nobody could say which of them an installer takes."""
    one = wheel(tmp_path / "w", "0.1.1", name="toykit")
    other = one.with_name("toykit-0.1.1-1-py3-none-any.whl")
    other.write_bytes(one.read_bytes())
    source = sdist(tmp_path / "w", "0.1.1", name="toykit")
    app = built_by(tmp_path, copied(one, other, source))
    assert "2 files for *.whl" in str(failed(app).text)
    (tmp_path / "second").mkdir()
    expect = ("toykit-0.1.1-py3*.whl", "toykit-0.1.1-1-py3*.whl", "*.tar.gz")
    app = built_by(tmp_path / "second", copied(one, other, source), expect=expect)
    assert "more than one wheel for the same Python and platform" in str(failed(app).text)


def test_B4_a_wheel_or_an_sdist_of_another_version(tmp_path: Path) -> None:
    """Inside and outside, of each file."""
    good = wheel(tmp_path / "w", "0.1.1", name="toykit")
    for name, files, words in (
        (
            "wheel",
            [wheel(tmp_path / "o", "0.1.2", name="toykit")],
            "toykit-0.1.2-py3-none-any.whl carries version 0.1.2",
        ),
        ("sdist", [good, sdist(tmp_path / "o", "0.1.2", name="toykit")], "toykit-0.1.2.tar.gz carries version 0.1.2"),
        ("name", [good, sdist(tmp_path / "o", "0.1.1", name="else")], "different projects"),
        ("inside", [wheel(tmp_path / "i", "0.1.1", name="toykit", stated="0.1.0")], "its METADATA says toykit 0.1.0"),
    ):
        (tmp_path / name).mkdir()
        spare = [] if len(files) > 1 else [sdist(tmp_path / name, "0.1.1", name="toykit")]
        assert words in str(failed(built_by(tmp_path / name, copied(*files, *spare))).text)


def test_B4_a_failed_build_is_mended_and_built_again(tmp_path: Path) -> None:
    """Each build has its entry, its time and its part of one log."""
    mark = tmp_path / "mended"
    good = copied(wheel(tmp_path / "w", "0.1.1", name="toykit"), sdist(tmp_path / "w", "0.1.1", name="toykit"))
    body = f"if not pathlib.Path({str(mark)!r}).exists():\n    sys.exit('no compiler')\n{good}"
    app = built_by(tmp_path, body)
    log = Path(str(dict(failed(app).facts)["log"]))
    mark.touch()
    assert isinstance(controls.retry(app, None, "build"), Entry)
    done, _ = app.tick()
    assert [d.entry.payload["ok"] for d in done] == [True]
    assert log.read_text().count("builder.py") == 2
    assert "no compiler" in log.read_text()


def versioned(tmp_path: Path, scm: str) -> Headway:
    """A setuptools-scm project that is not told its version."""
    made = make_project(tmp_path / "toy.git")
    policy = 'schema = 1\npreset = "generic"\n[project]\nname = "toykit"\n[build]\nenv = {}\n'
    files = {"pyproject.toml": SCM.replace("{scm}", scm), "backend.py": None, "release.toml": policy}
    made.commit("scm", "[CI] Versions by tags (#4)", files)
    return open_at(made.path, CUT)


def test_B4_a_version_that_comes_from_a_tag_is_the_one_that_is_to_be(tmp_path: Path) -> None:
    """The final tag does not stand yet; the build's own checkout has it, so that a back-end finds it."""
    app = versioned(tmp_path, "")
    assert app.policy.build.env == {}
    settle(app)
    built = only(app, Kind.BUILT, "0.1.1").payload
    assert [a["file"] for a in built["artifacts"]] == ["toykit-0.1.1-py3-none-any.whl", "toykit-0.1.1.tar.gz"]


def test_B4_a_version_that_comes_from_a_tag_which_is_missing(tmp_path: Path) -> None:
    """The project's tags are others than the policy says: what to do is told."""
    describe = 'git_describe_command = "git describe --dirty --tags --long --match toykit-*"'
    wait = failed(versioned(tmp_path, describe))
    assert "not 0.1.1" in str(wait.text) or "found no version" in str(wait.text)
    assert "SETUPTOOLS_SCM_PRETEND_VERSION" in str(wait.text)
    assert "[build.env]" in str(wait.text)


def test_B4_a_back_end_that_finds_no_version_at_all(tmp_path: Path) -> None:
    """Its own words are in the log; what to do is told."""
    wait = failed(versioned(tmp_path, 'root = "nowhere"\nfallback_root = "nowhere"'))
    assert "found no version" in str(wait.text)
    assert "[build.env]" in str(wait.text)
