"""B4: builds of a candidate by real back-ends, and every way in which one may fail."""

from __future__ import annotations

import shlex
import sys
import time
import zipfile
from pathlib import Path

import pytest
from pkgmaker import build_policy, hatch_project, scm_project, sdist, wheel, write

from headway.effects.build import BuildFailed, Built, artifact_of, build_candidate, wheel_name_version
from headway.errors import UnusableInput
from headway.policy import schema

EPOCH = 1_736_000_000
PYTHON = Path(sys.executable)


def built(tmp_path: Path, source: Path, version: str, policy: schema.Build, out: str = "out") -> Built | BuildFailed:
    return build_candidate(source, tmp_path / out, version, policy, EPOCH, log=tmp_path / "log", python=PYTHON)


def scripted(tmp_path: Path, text: str, **values: object) -> schema.Build:
    """A build whose command is a small Python program; it gets {out} and {version}."""
    script = write(tmp_path / "builder.py", "import sys, pathlib\nout = pathlib.Path(sys.argv[1])\n" + text)
    return build_policy(command=f"{{python}} {shlex.quote(str(script))} {{out}} {{version}}", **values)


def copying(tmp_path: Path, *wheels: Path, expect: tuple[str, ...] = ("*.whl",)) -> schema.Build:
    text = "import shutil\n" + "".join(f"shutil.copy({str(w)!r}, out)\n" for w in wheels)
    return scripted(tmp_path, text, expect=expect)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


def failure(result: Built | BuildFailed, tmp_path: Path) -> str:
    assert isinstance(result, BuildFailed)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))
    return str(result.why)


def test_setuptools_scm_builds_the_final_version_and_the_same_bytes_twice(tmp_path: Path) -> None:
    """B4: the candidate's files carry the final version, told by the back-end's variable; SOURCE_DATE_EPOCH holds."""
    policy = build_policy(env={"SETUPTOOLS_SCM_PRETEND_VERSION": "{version}"})
    first = built(tmp_path, scm_project(tmp_path / "a"), "0.7.1", policy)
    assert isinstance(first, Built), first
    assert [a.file for a in first.artifacts] == ["toy_scm-0.7.1-py3-none-any.whl", "toy_scm-0.7.1.tar.gz"]
    assert tuple(artifact_of(tmp_path / "out" / a.file) for a in first.artifacts) == first.artifacts
    assert wheel_name_version(tmp_path / "out" / first.artifacts[0].file) == ("toy-scm", "0.7.1")
    with zipfile.ZipFile(tmp_path / "out" / first.artifacts[0].file) as z:
        assert b"0.7.1" in z.read("toy_scm/_version.py")
        assert {i.date_time[0] for i in z.infolist()} == {2025}
    second = built(tmp_path, scm_project(tmp_path / "b"), "0.7.1", policy, out="again")
    assert isinstance(second, Built), second
    assert second.artifacts[0] == first.artifacts[0]


def test_hard_coded_version_that_differs_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """B4, P6: a version written in the tree must be the final one; the words say how to mend it."""
    why = failure(built(tmp_path, hatch_project(tmp_path / "p"), "1.2.4", build_policy()), tmp_path)
    assert "carries version 1.2.3, not 1.2.4" in why
    assert "SETUPTOOLS_SCM_PRETEND_VERSION" in why
    assert "P6" in why
    good = built(tmp_path, tmp_path / "p", "1.2.3", build_policy())
    assert isinstance(good, Built), good
    assert good.artifacts[0].file == "toy_hatch-1.2.3-py3-none-any.whl"


def test_no_project_says_so_and_the_log_is_kept(tmp_path: Path, source: Path) -> None:
    result = built(tmp_path, source, "1.0", build_policy())
    assert "status" in failure(result, tmp_path)
    assert isinstance(result, BuildFailed)
    assert "pyproject.toml" in result.tail
    assert result.tail in (tmp_path / "log").read_text()


def test_a_build_that_hangs_is_ended_with_all_it_started(tmp_path: Path, source: Path) -> None:
    text = (
        "import subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "(out / 'half.whl').touch()\ntime.sleep(600)\n"
    )
    why = failure(built(tmp_path, source, "1.0", scripted(tmp_path, text, timeout_s=2)), tmp_path)
    assert "longer than 2 s" in why
    stat = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    limit = time.monotonic() + 20  # the kernel ends a killed process in its own time

    def running() -> bool:
        try:
            return stat.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    while running() and time.monotonic() < limit:
        time.sleep(0.05)
    assert not running()


def test_a_build_that_writes_nothing_or_half(tmp_path: Path, source: Path) -> None:
    assert "no *.whl; it wrote: nothing" in failure(built(tmp_path, source, "1.0", scripted(tmp_path, "")), tmp_path)
    only = wheel(tmp_path / "w", "1.0")
    policy = copying(tmp_path, only, expect=("*.whl", "*.tar.gz"))
    assert "no *.tar.gz; it wrote: toy-1.0-py3-none-any.whl" in failure(
        built(tmp_path, source, "1.0", policy), tmp_path
    )


def test_two_wheels_are_one_too_many(tmp_path: Path, source: Path) -> None:
    policy = copying(tmp_path, wheel(tmp_path / "w", "1.0"), wheel(tmp_path / "w", "1.0", name="other"))
    assert "2 files for *.whl" in failure(built(tmp_path, source, "1.0", policy), tmp_path)


def test_metadata_and_file_name_must_agree(tmp_path: Path, source: Path) -> None:
    policy = copying(tmp_path, wheel(tmp_path / "w", "1.0", stated="1.1"))
    assert "METADATA says toy 1.1, its name toy 1.0" in failure(built(tmp_path, source, "1.0", policy), tmp_path)


def test_files_of_two_projects_are_refused(tmp_path: Path, source: Path) -> None:
    text = (
        f"import shutil\nshutil.copy({str(wheel(tmp_path / 'w', '1.0'))!r}, out)\n"
        f"shutil.copy({str(sdist(tmp_path / 'w', '1.0', name='else'))!r}, out)\n"
    )
    policy = scripted(tmp_path, text)
    assert "different projects" in failure(built(tmp_path, source, "1.0", policy), tmp_path)


def test_a_wheel_that_is_no_zip_fails_in_words(tmp_path: Path, source: Path) -> None:
    bad = write(tmp_path / "toy-1.0-py3-none-any.whl", "not a zip")
    assert "toy-1.0-py3-none-any.whl cannot be used" in failure(
        built(tmp_path, source, "1.0", copying(tmp_path, bad)), tmp_path
    )
    with pytest.raises(UnusableInput) as e:
        wheel_name_version(bad)
    assert e.value.code == "wheel.unreadable"


def test_implicit_post_release_is_the_same_version(tmp_path: Path, source: Path) -> None:
    """V4: a wheel of 1.0.post1 is the build of 1.0-1."""
    result = built(tmp_path, source, "1.0-1", copying(tmp_path, wheel(tmp_path / "w", "1.0.post1")))
    assert isinstance(result, Built), result


def test_a_failed_build_leaves_the_older_one_and_a_good_one_replaces_it_whole(tmp_path: Path, source: Path) -> None:
    old = write(tmp_path / "out" / "old.txt", "old")
    assert isinstance(built(tmp_path, source, "1.0", scripted(tmp_path, "(out / 'x').touch()")), BuildFailed)
    assert old.read_text() == "old"
    assert isinstance(built(tmp_path, source, "1.0", copying(tmp_path, wheel(tmp_path / "w", "1.0"))), Built)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["toy-1.0-py3-none-any.whl"]


def test_the_build_runs_in_the_export_and_sees_no_upload_credentials(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "s3cret-word")
    text = (
        "from os import environ, getcwd\n"
        "print(getcwd(), environ['SOURCE_DATE_EPOCH'], environ['V'], 'TWINE_PASSWORD' in environ)"
    )
    result = built(tmp_path, source, "1.0", scripted(tmp_path, text, env={"V": "v{version}"}))
    assert isinstance(result, BuildFailed)
    assert f"{source} {EPOCH} v1.0 False" in result.tail


def test_an_unknown_field_of_the_command_is_a_mistake_in_the_policy(tmp_path: Path, source: Path) -> None:
    with pytest.raises(UnusableInput) as e:
        built(tmp_path, source, "1.0", build_policy(command="{python} {outdir}"))
    assert e.value.code == "policy.command"
