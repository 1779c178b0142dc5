"""The demo is the main job: it is played as a user plays it, and what it leaves behind is proven from outside."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

HEADWAY = (sys.executable, "-m", "headway")


def run(*args: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*HEADWAY, *args], capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    folder = tmp_path_factory.mktemp("demo") / "kept"
    done = run("demo", "--no-serve", "--json", "--keep", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout), folder


def git(told: dict, *args: str) -> str:
    return subprocess.run(["git", "-C", told["repo"], *args], capture_output=True, text=True, check=True).stdout.strip()


def test_the_story_came_out(played: tuple[dict, Path]) -> None:
    told, _ = played
    assert told["release"] == "0.7.1"
    assert [r["clause"] for r in told["refused"]] == ["P7", "P8"]
    assert len(told["reverts"]) == 1
    assert [c["tag"] for c in told["candidates"]] == ["v0.7.1-rc1", "v0.7.1-rc2", "v0.7.1.post1-rc1"]
    first, second, _ = told["candidates"]
    assert first["perf"]["verdict"] == "regressed"
    # On a host too noisy to decide a cell a person waived it, and the document says so.
    waived = {w["what"].removeprefix("cell:") for w in told["waivers"] if w["version"] == "0.7.1"}
    undecided = {
        "/".join((*c["cell"].values(), c["metric"])) for c in second["perf"]["cells"] if c["verdict"] != "pass"
    }
    assert undecided == waived
    assert "regressed" not in {c["verdict"] for c in second["perf"]["cells"]}
    assert git(told, "log", "-1", "--format=%s", told["culprit"]["commit"]).startswith("[Core] Simplify attention")
    assert told["culprit"]["confirmed"]


def test_the_final_tag_is_on_the_second_candidate_and_the_bits_are_its_own(played: tuple[dict, Path]) -> None:
    told, _ = played
    second = told["candidates"][1]
    assert told["final"]["commit"] == second["commit"] == git(told, "rev-parse", "v0.7.1^{commit}")
    assert git(told, "rev-parse", "v0.7.1-rc2^{commit}") == second["commit"]
    tested = {a["file"]: a["sha256"] for a in second["artifacts"]}
    assert {a["file"]: a["sha256"] for a in told["final"]["artifacts"]} == tested
    for file, sha256 in tested.items():
        found = Path(told["index"]) / "files" / "toyserve" / file
        assert hashlib.sha256(found.read_bytes()).hexdigest() == sha256


def test_the_post_release_is_on_the_same_branch(played: tuple[dict, Path]) -> None:
    told, _ = played
    assert told["post"]["tag"] == "v0.7.1.post1"
    assert git(told, "rev-parse", "releases/v0.7.1") == told["post"]["commit"]
    assert git(told, "merge-base", "--is-ancestor", told["final"]["commit"], told["post"]["commit"]) == ""


@pytest.mark.parametrize("what", ["0.7.1", "v0.7.1.post1", "LEDGER"])
def test_verify_answers_yes_there(played: tuple[dict, Path], what: str) -> None:
    told, _ = played
    done = run("verify", told["ledger"] if what == "LEDGER" else what, "--repo", told["repo"], "--json")
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True), done.stdout


def test_verify_answers_no_after_a_published_file_changed(played: tuple[dict, Path], tmp_path: Path) -> None:
    told, _ = played
    wheel = next((Path(told["index"]) / "files" / "toyserve").glob("toyserve-0.7.1-*.whl"))
    before = wheel.read_bytes()
    try:
        wheel.write_bytes(before + b"\0")
        done = run("verify", "0.7.1", "--repo", told["repo"], "--json")
    finally:
        wheel.write_bytes(before)
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert [p["clause"] for p in answer["problems"]] == ["N1"]


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep me")
    done = run("demo", "--no-serve", "--json", "--keep", str(tmp_path))
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "demo.not-empty")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
