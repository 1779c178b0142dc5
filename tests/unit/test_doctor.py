"""What doctor sees in a project, before a train runs into it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from gitmaker import GitMaker
from trainkit import open_at

from headway.doctor import examine
from headway.model.finding import Check

NOW = datetime(2025, 1, 27, 10, 0, tzinfo=UTC)
POLICY = 'schema = 1\npreset = "generic"\n'


def checks(path: Path) -> dict[str, Check]:
    return {c.name: c for c in examine(open_at(path, NOW))}


def words(check: Check) -> tuple[bool, str, str]:
    return check.ok, str(check.words), str(check.remedy or "")


def test_a_project_in_order(tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "r")
    made.commit("Begin", {"release.toml": POLICY, "pyproject.toml": '[project]\nname = "x"\ndynamic = ["version"]\n'})
    made.tag("v0.1.0")
    found = checks(made.path)
    assert [c.name for c in found.values() if not c.ok] == []
    assert words(found["releases"]) == (True, "1, the newest v0.1.0 of 2025-01-06", "")
    assert "SETUPTOOLS_SCM_PRETEND_VERSION" in words(found["version"])[1]
    assert words(found["policy"])[1] == f"from {made.path / 'release.toml'}"


def test_without_a_release_toml_the_preset_speaks_and_says_so(tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "r")
    made.commit("Begin", {"a": "1\n"})
    found = checks(made.path)
    assert words(found["policy"]) == (True, "there is no release.toml; a tick waits for one: `headway init`", "")
    assert words(found["releases"])[1] == "no final tag yet: the first release is 0.7.0"


def test_tags_of_another_style_than_the_policys(tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "r")
    made.commit("Begin", {"release.toml": POLICY})
    for tag in ("v0.0.1", "1.0.0", "1.0.1", "1.1.0rc1"):
        made.tag(tag)
    ok, text, remedy = words(checks(made.path)["releases"])
    assert (ok, text) == (False, "2 tags look like {version}, 1 like the policy's v{version}")
    assert "versions.final_tag" in remedy


def test_a_version_that_is_written_down_and_a_pyproject_that_is_broken(tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "r")
    made.commit("Begin", {"pyproject.toml": '[project]\nname = "x"\nversion = "1.2.dev0"\n'})
    ok, text, _ = words(checks(made.path)["version"])
    assert (ok, text.startswith("1.2.dev0 is written in pyproject.toml"), "P6" in text) == (True, True, True)
    made.commit("Break", {"pyproject.toml": "[project\n"})
    assert words(checks(made.path)["version"])[0] is False


def test_a_clone_whose_release_branch_only_the_remote_has(tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "r")
    made.commit("Begin", {"release.toml": POLICY})
    made.tag("v0.1.0")
    for version in ("0.0.9", "0.1.1"):
        made.branch(f"releases/v{version}")
    clone = tmp_path / "clone"
    made.run("clone", "--quiet", made.path.as_uri(), str(clone))
    ok, text, remedy = words(checks(clone)["branches"])
    assert (ok, text) == (False, "only a remote has releases/v0.1.1")
    made.run(*remedy.split("`")[1].split()[1:], cwd=clone)
    assert checks(clone)["branches"].ok


def test_a_shallow_clone_and_submodules(tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "r")
    made.commit("Begin", {"release.toml": POLICY})
    made.commit("More", {".gitmodules": '[submodule "a"]\n\tpath = a\n\turl = https://example.org/a\n'})
    clone = tmp_path / "clone"
    made.run("clone", "--quiet", "--depth=1", made.path.as_uri(), str(clone))
    found = checks(clone)
    assert words(found["repository"]) == (False, f"{clone} is a shallow clone", "git fetch --unshallow")
    assert not found["submodules"].ok


def test_who_may_dispatch_the_benchmark_workflow_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    made = GitMaker(tmp_path / "r")
    named = 'workflow = "a/b bench.yml"\n'
    made.commit("Begin", {"release.toml": f"{POLICY}[perf]\n{named}"})
    assert words(checks(made.path)["access"])[:2] == (
        True,
        "blocks run by `local`; a/b bench.yml is not dispatched (E3)",
    )
    made.commit("By it", {"release.toml": f'{POLICY}[perf]\n{named}runner = "github"\n'})
    ok, text, remedy = words(checks(made.path)["access"])
    assert (ok, text) == (False, "there is no token for GitHub in GITHUB_TOKEN")
    assert "headway perf access" in remedy
    monkeypatch.setenv("GITHUB_TOKEN", "gh-secret-of-the-test")
    ok, text, _ = words(checks(made.path)["access"])
    assert ok
    assert "gh-secret" not in text
    made.commit("Nowhere", {"release.toml": f'{POLICY}[perf]\nrunner = "github"\n'})
    assert words(checks(made.path)["access"])[0] is False


SET = {"HEADWAY_OAUTH_CLIENT_ID": "an-id", "HEADWAY_OAUTH_CLIENT_SECRET": "a-word"}


@pytest.mark.parametrize(
    ("board", "env", "ok", "said"),
    [
        ("", {}, True, "nobody logs in"),
        ('url = "https://b.example"', {}, False, "there is no login"),
        (
            'url = "https://b.example"',
            {"HEADWAY_OAUTH_CLIENT_ID": "an-id"},
            False,
            "HEADWAY_OAUTH_CLIENT_SECRET is not set",
        ),
        ('url = "https://b.example"\nadmins = ["@root"]', SET, False, "the policy names no forge"),
        ('viewers = ["*"]\nrequesters = ["@a"]\nmanagers = ["@b"]', SET, True, "has the role viewer"),
        ('managers = ["*"]', SET, False, "has the role manager"),
        ('url = "https://b.example"', SET, False, "leads back to https://b.example/login/github/back"),
    ],
)
def test_what_the_login_of_the_board_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str, env: dict[str, str], ok: bool, said: str
) -> None:
    for name in SET:
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    made = GitMaker(tmp_path / "r")
    made.commit("Begin", {"release.toml": f"{POLICY}[board]\n{board}\n"})
    found = [c for c in examine(open_at(made.path, NOW)) if c.name == "board"]
    assert all(c.ok for c in found) is ok
    text = " ".join(str(c.words) for c in found)
    assert said in text
    assert "a-word" not in text
    assert all(c.remedy for c in found if not c.ok)
