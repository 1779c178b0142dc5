"""B4: the candidate's wheel is tested alone in a fresh environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pkgmaker import wheel, write

from headway.effects import testing
from headway.policy import schema


def outcome(tmp_path: Path, path: Path, checks: Path | None = None, **policy: object) -> testing.TestOutcome:
    test = schema.Test.model_validate({"timeout_s": 120, **policy})
    return testing.test_wheel(path, "1.0", test, checks_dir=checks, workdir=tmp_path / "t", log=tmp_path / "log")


def test_without_a_command_the_modules_are_imported(tmp_path: Path) -> None:
    good = outcome(tmp_path, wheel(tmp_path / "w", "1.0", body="N = 1\n"))
    assert good.ok, good
    bad = outcome(tmp_path, wheel(tmp_path / "w", "1.0", body="import nothing_of_that_name\n"))
    assert not bad.ok
    assert str(bad.why) == "the wheel's modules cannot be imported: toy"
    assert "nothing_of_that_name" in bad.tail


def test_the_command_sees_the_wheel_and_not_the_source_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = write(tmp_path / "tree" / "toy" / "__init__.py", "raise SystemExit('the source tree was imported')\n")
    monkeypatch.chdir(tree.parent.parent)
    monkeypatch.setenv("PYTHONPATH", str(tree.parent.parent))
    checks = write(
        tmp_path / "checks" / "tests" / "check.py", "import sys, toy; assert toy.N == 1; print(sys.argv[1:])\n"
    )
    path = wheel(tmp_path / "w", "1.0", body="N = 1\n")
    good = outcome(
        tmp_path, path, checks.parent.parent, command="{python} tests/check.py {version} {wheel}", paths=["tests"]
    )
    assert good.ok, good
    assert f"['1.0', '{path}']" in good.tail


def test_source_beside_the_tests_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "checks" / "toy" / "__init__.py", "")
    bad = outcome(tmp_path, wheel(tmp_path / "w", "1.0"), tmp_path / "checks", command="{python} -c pass")
    assert not bad.ok
    assert "hides the wheel: toy" in str(bad.why)


def test_failure_limit_and_requirements_in_words(tmp_path: Path) -> None:
    path = wheel(tmp_path / "w", "1.0")
    failed = outcome(tmp_path, path, command="{python} -c 'raise SystemExit(7)'")
    assert (failed.ok, str(failed.why)) == (False, "the test ended with status 7")
    missing = outcome(tmp_path, path, requires=["toy-that-is-nowhere-at-all"])
    assert not missing.ok
    assert "toy-that-is-nowhere-at-all" in str(missing.why)
    hung = outcome(tmp_path, path, command="sleep 600", timeout_s=10)
    assert (hung.ok, str(hung.why)) == (False, "the test was ended: it took longer than 10 s")


def test_requirements_come_beside_the_wheel(tmp_path: Path) -> None:
    helper = wheel(tmp_path / "w", "3.0", name="helper", body="H = 3\n")
    command = "{python} -c 'import helper, toy; assert helper.H == 3'"
    good = outcome(tmp_path, wheel(tmp_path / "w", "1.0"), requires=[str(helper)], command=command)
    assert good.ok, good


def test_a_broken_wheel_fails_in_words(tmp_path: Path) -> None:
    bad = outcome(tmp_path, write(tmp_path / "toy-1.0-py3-none-any.whl", "no zip"))
    assert not bad.ok
    assert "cannot be used" in str(bad.why)
