"""Fresh environments: complete or not there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pkgmaker import wheel, write

from headway.environment import Failed, fresh_environment, uv_env
from headway.policy.loader import load_policy
from headway.process import child_env, hiding, project_env


def says(python: Path, expression: str) -> str:
    code = f"import toy; print({expression})"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_made_reused_and_made_again_for_other_requirements(tmp_path: Path) -> None:
    one = wheel(tmp_path / "w", "1.0", body="N = 1\n")
    python = fresh_environment(tmp_path / "env", [str(one)], log=tmp_path / "log", timeout_s=120)
    assert isinstance(python, Path), python
    assert says(python, "toy.N") == "1"
    mine = write(tmp_path / "env" / "mine", "kept while it is reused")
    assert fresh_environment(tmp_path / "env", [str(one)], log=tmp_path / "log", timeout_s=120) == python
    assert mine.exists()
    two = wheel(tmp_path / "w", "2.0", body="N = 2\n")
    assert fresh_environment(tmp_path / "env", [str(two)], log=tmp_path / "log", timeout_s=120) == python
    assert says(python, "toy.N") == "2"
    assert not mine.exists()


def test_a_half_made_one_is_removed_first(tmp_path: Path) -> None:
    half = write(tmp_path / "env" / "bin" / "python", "half")
    one = wheel(tmp_path / "w", "1.0", body="N = 1\n")
    python = fresh_environment(tmp_path / "env", [str(one)], log=tmp_path / "log", timeout_s=120)
    assert python == half
    assert says(half, "toy.N") == "1"


def test_a_rebuilt_wheel_of_the_same_path_and_time_is_not_taken_from_a_cache(tmp_path: Path) -> None:
    for n in (1, 2):
        path = wheel(tmp_path / "w", "1.0", body=f"N = {n}\n")
        subprocess.run(["touch", "-d", "2025-01-06", path], check=True)
        python = fresh_environment(tmp_path / f"env{n}", [str(path)], log=tmp_path / "log", timeout_s=120)
        assert isinstance(python, Path), python
        assert says(python, "toy.N") == str(n)


def test_what_cannot_be_installed_fails_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    one = wheel(tmp_path / "w", "1.0", requires="toy-that-is-nowhere-at-all==9")
    failed = fresh_environment(tmp_path / "env", [str(one)], log=tmp_path / "log", timeout_s=120)
    assert isinstance(failed, Failed)
    assert str(failed.why) == "these could not be installed together: toy-1.0-py3-none-any.whl"
    assert "toy-that-is-nowhere-at-all" in failed.tail
    assert not (tmp_path / "env").exists()


def test_uv_settings_of_the_project_around_it_are_not_those_of_a_user(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", '[tool.uv]\nrequired-version = ">=999"\nconstraint-dependencies = ["toy<1"]\n')
    one = wheel(tmp_path / "w", "1.0", body="N = 1\n")
    python = fresh_environment(tmp_path / "env", [str(one)], log=tmp_path / "log", timeout_s=120)
    assert isinstance(python, Path), python
    assert says(python, "toy.N") == "1"


def test_pips_mirror_is_passed_on_unless_uv_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    assert uv_env({})["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    monkeypatch.setenv("UV_INDEX_URL", "https://own.example/simple")
    assert "UV_DEFAULT_INDEX" not in uv_env({})


def test_the_projects_code_sees_no_credentials_that_are_headways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that everybody knows, and those that the policy names, while an action is done."""
    for name in ("TWINE_PASSWORD", "GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "OUR_FORGE", "HF_TOKEN"):
        monkeypatch.setenv(name, "secret")
    seen = project_env({}).keys()
    assert {"OUR_FORGE", "HF_TOKEN"} <= seen
    assert not {"TWINE_PASSWORD", "GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"} & seen
    image = '[[images]]\nname = "r.example/toy"\nusername_env = "OUR_USER"\npassword_env = "PW"\n'
    asked = f'schema = 1\n[forge]\ntoken_env = "OUR_FORGE"\n{image}'
    secrets = load_policy(asked, source="release.toml").secrets
    board = {"HEADWAY_OAUTH_CLIENT_SECRET", "HEADWAY_NOTIFY_URLS"}
    assert secrets == {"OUR_FORGE", "OUR_USER", "PW", "HEADWAY_APP_KEY", "HEADWAY_WEBHOOK_SECRET", *board}
    with hiding(secrets):
        assert "OUR_FORGE" not in child_env({})
        assert "OUR_FORGE" not in uv_env({})
        assert "HF_TOKEN" in uv_env({})
    assert "OUR_FORGE" in child_env({})
