"""P1, P7: ``pick check`` tells before anything is requested whether commits apply cleanly; it suggests, never does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gitmaker import GitMaker, git_env

TEXT = "".join(f"line {i}\n" for i in range(30))
FIELDS = {"onto", "commit", "clean", "tree", "empty", "conflicts", "unsolved", "already"}


@pytest.fixture
def made(tmp_path: Path) -> GitMaker:
    """``rel`` forked from ``main``, and a feature, a fix of it and a plain fix on ``main`` since."""
    maker = GitMaker(tmp_path / "repo")
    maker.branch("rel", maker.commit("base", {"f": TEXT, "g": TEXT}))
    maker.commit("[Feature] Add a mode (#1)", {"f": TEXT.replace("line 5\n", "mode\n")})
    maker.commit("[Bugfix] Mend the mode (#2)", {"f": TEXT.replace("line 5\n", "mode, mended\n")})
    maker.commit("[Bugfix] Mend g (#3)", {"g": TEXT.replace("line 9\n", "mended\n")})
    return maker


def run(maker: GitMaker, *args: str, stdin: bytes = b"", **env: str) -> tuple[int, Any, str]:
    """Status, the JSON document or the text, and what was said beside it."""
    command = [sys.executable, "-m", "headway", "pick", "check", "--repo", str(maker.path), *args]
    done = subprocess.run(command, input=stdin, env={**git_env(), **env}, capture_output=True, check=False)
    out = done.stdout.decode()
    assert "Traceback" not in out + done.stderr.decode()
    return done.returncode, json.loads(out) if "--json" in args else out, done.stderr.decode()


def test_the_contract(made: GitMaker) -> None:
    status, document, _ = run(made, "--onto", "rel", "main", "main~1", "--json")
    assert status == 1
    clean, conflict = document["results"]
    assert set(clean) == set(conflict) == FIELDS
    assert (clean["onto"], clean["commit"]) == (made.tip("rel"), made.tip("main"))
    assert (clean["clean"], clean["empty"], clean["conflicts"], clean["already"]) == (True, False, [], None)
    assert (conflict["clean"], conflict["tree"], conflict["conflicts"]) == (False, None, ["f"])
    status, document, _ = run(made, "--onto", "rel", "main", "--json")
    assert (status, len(document["results"]), set(document)) == (0, 1, {"results", "elapsed_s"})


def test_nothing_is_written(made: GitMaker, tmp_path: Path) -> None:
    (made.path / "f").write_text("dirty\n")

    def state() -> dict[str, tuple[bytes, int]]:
        files = (p for p in made.path.rglob("*") if p.is_file())
        return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}

    before = state()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run(made, "--onto", "rel", "main", "main~1", "--prerequisites", "--json", TMPDIR=str(scratch))
    assert state() == before
    assert not list(scratch.iterdir())


def test_p7_a_feature_among_the_prerequisites_is_named_as_one(made: GitMaker) -> None:
    policy = made.path.parent / "release.toml"
    policy.write_text('schema = 1\n[picks]\nfeature_titles = ["(?i)^\\\\[feature\\\\]"]\n')
    args = ("--onto", "rel", "main~1", "--prerequisites", "--policy", str(policy))
    status, document, _ = run(made, *args, "--json")
    (row,) = document["results"]
    assert (status, row["prerequisites"], row["features"]) == (1, [made.tip("main~2")], [made.tip("main~2")])
    assert row["trees"][-1] == made.run("rev-parse", "main~1^{tree}")
    status, text, _ = run(made, *args)
    assert (status, "P7" in text, "[Feature] Add a mode (#1)" in text) == (1, True, True)


def test_a_repository_without_a_trunk_has_prerequisites_too(made: GitMaker) -> None:
    made.run("branch", "--move", "main", "dev")
    status, document, _ = run(made, "--onto", "rel", "dev~1", "--prerequisites", "--json")
    assert (status, document["results"][0]["prerequisites"]) == (1, [made.tip("dev~2")])


def test_a_pairs_file(made: GitMaker, tmp_path: Path) -> None:
    file = tmp_path / "pairs"
    file.write_bytes(b"rel main\r\nmain~3 main\r\nrel main\r\n")
    status, document, _ = run(made, "--pairs", str(file), "--json")
    assert (status, [r["clean"] for r in document["results"]]) == (0, [True] * 3)
    status, document, _ = run(made, "--pairs", "-", "--json", stdin=b"rel main~1\n")
    assert (status, document["results"][0]["conflicts"]) == (1, ["f"])
    file.write_bytes(b"")
    status, document, _ = run(made, "--pairs", str(file), "--json")
    assert (status, document["results"]) == (0, [])


@pytest.mark.parametrize(
    ("args", "pairs", "code", "said"),
    [
        (("--onto", "rel", "nope"), None, "pick.unknown-ref", "nope"),
        (("--onto", "nope", "main"), None, "pick.unknown-ref", "nope"),
        (("--onto", "rel"), None, "usage", "COMMIT"),
        (("main",), None, "usage", "--onto"),
        (("--onto", "rel", "main", "--pairs", "x"), None, "usage", "--pairs"),
        (("--pairs", "no/such/file"), None, "pick.pairs", "no/such/file"),
        (("--pairs", ""), None, "pick.pairs", ""),
        ((), b"rel main\nrel\n", "pick.pairs", "line 2"),
        ((), b"rel main\nrel gone\n", "pick.unknown-ref", "gone (line 2)"),
        ((), b"rel \xff\xfe\n", "pick.unknown-ref", "line 1"),
        (("--onto", "rel", "main", "--parent", "2"), None, "pick.no-parent", "2"),
        (("--onto", "rel", "main", "--parent", "x"), None, "usage", "x"),
    ],
)
def test_input_that_cannot_be_used(
    made: GitMaker, tmp_path: Path, args: tuple[str, ...], pairs: bytes | None, code: str, said: str
) -> None:
    if pairs is not None:
        (tmp_path / "pairs").write_bytes(pairs)
        args = ("--pairs", str(tmp_path / "pairs"))
    status, document, _ = run(made, *args, "--json")
    assert (status, document["error"]["code"]) == (2, code)
    assert said in document["error"]["message"]
    assert run(made, *args)[0] == 2


def test_a_folder_that_is_no_repository(made: GitMaker, tmp_path: Path) -> None:
    for folder, code in ((tmp_path / "none", "repo.not-a-directory"), (tmp_path, "repo.not-found")):
        status, document, _ = run(made, "--repo", str(folder), "--onto", "rel", "main", "--json")
        assert (status, document["error"]["code"]) == (2, code)


def test_at_most_four_git_processes_for_a_batch(made: GitMaker, tmp_path: Path) -> None:
    made.commit("rules", {".gitattributes": "* text=auto\n"}, branch="rel")
    copy = made.pick(made.tip("main"), "rel")
    wrapper, marks = tmp_path / "bin" / "git", tmp_path / "marks"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho x >> "{marks}"\nexec "{shutil.which("git")}" "$@"\n')
    wrapper.chmod(0o755)
    pairs = "".join(f"{onto} {commit}\n" for onto in ("rel", "rel~1") for commit in ("main", "main~1", "main~2"))
    path = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
    status, document, _ = run(made, "--pairs", "-", "--json", stdin=pairs.encode(), PATH=path)
    assert (status, len(document["results"]), document["results"][0]["already"]) == (1, 6, copy)
    assert len(marks.read_text().split()) <= 4


def test_paths_of_any_bytes(made: GitMaker) -> None:
    made.commit("odd", {"\udcff 'é": "1\n"})
    made.commit("odd too", {"\udcff 'é": "2\n"}, branch="rel")
    status, document, _ = run(made, "--onto", "rel", "main", "--json")
    assert (status, document["results"][0]["conflicts"]) == (1, ["\ufffd 'é"])
