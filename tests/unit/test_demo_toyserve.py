"""The demo's toy project: its history is real, its commits do what the play says of them."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gitmaker import git_env

from headway.demo.history import Edit, applied, history
from headway.demo.toyserve import CUT_AT, SLOWS, TRIMS, Toyserve, make_toyserve, release_toml
from headway.errors import BrokenInvariant, UnusableInput, WorldFailed
from headway.policy.loader import load_policy

EVENTS = tuple(step.name for step in history().events)
PICKS = ("branch_only", "docs_fix", "regression_fix", "reverted", "slow_fix", "post_fix")


def git(path: Path, *args: str, code: int = 0) -> str:
    done = subprocess.run(["git", *args], cwd=path, capture_output=True, text=True, env=git_env(), check=False)
    assert done.returncode == code, done.stderr
    return done.stdout.strip()


def python(tree: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Python with the toy package of a tree."""
    env = {**os.environ, "PYTHONPATH": str(tree / "src"), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *args], cwd=tree, env=env, capture_output=True, text=True, check=False)


def own_tests(tree: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return python(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", *args)


def export(repo: Path, commit: str, to: Path) -> Path:
    archive = ["git", "archive", "--format=zip", commit]
    raw = subprocess.run(archive, cwd=repo, capture_output=True, check=True, env=git_env()).stdout
    with zipfile.ZipFile(io.BytesIO(raw)) as files:
        files.extractall(to)
    return to


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Toyserve, dict[str, str]]:
    """The repository after all events, and their commits."""
    toy = make_toyserve(tmp_path_factory.mktemp("toy") / "toyserve")
    return toy, {name: toy.merge(name) for name in EVENTS}


@pytest.fixture
def line(played: tuple[Toyserve, dict[str, str]], tmp_path: Path) -> Path:
    """A clone with a release branch at the cut checked out."""
    git(tmp_path, "clone", "--quiet", str(played[0].path), "line")
    git(tmp_path / "line", "checkout", "--quiet", "-b", "releases/v0.7.1", played[0].cut)
    return tmp_path / "line"


def test_an_edit_fits_exactly_one_place() -> None:
    assert applied({"a": "x y"}, (Edit("a", "x", "z"), Edit("b", None, "n"))) == {"a": "z y", "b": "n"}
    assert applied({"a": "x"}, (Edit("a", "x", None),)) == {}
    for edit in (Edit("a", "x", "z"), Edit("b", "x", "z"), Edit("a", None, "n"), Edit("a", "x", None)):
        with pytest.raises(BrokenInvariant) as refused:
            applied({"a": "x x"}, (edit,))
        assert refused.value.code == "demo.edit"


def test_every_trunk_commit_changes_something_and_compiles() -> None:
    files = dict(history().initial)
    for step in history().trunk:
        after = applied(files, step.edits)
        assert after != files or step == history().trunk[0], step.subject
        files = after
        for path, text in files.items():
            if path.endswith(".py"):
                compile(text, f"#{step.pr} {path}", "exec")


def test_the_trunk_looks_like_a_project_at_work() -> None:
    steps = history().trunk
    times = [step.at for step in steps]
    assert 38 <= len(steps) <= 42
    assert len({step.author for step in steps}) == 6
    assert len({step.pr for step in steps + history().events}) == len(steps + history().events)
    assert times == sorted(set(times))
    assert datetime(2025, 1, 2, tzinfo=UTC) < times[0] < times[-1] < CUT_AT
    for step in steps + history().events:
        assert step.at.weekday() < 5, step.subject
        assert 8 <= step.at.hour < 18, step.subject
        assert "Signed-off-by: " in step.message()
        assert step.message().startswith(f"{step.subject} (#{step.pr})\n\n")
    assert all(step.at > CUT_AT for step in history().events)


def test_two_makes_give_the_same_commits_whatever_the_user_has_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: tuple[Toyserve, dict[str, str]]
) -> None:
    config = tmp_path / "config"
    config.write_text("[commit]\n\tgpgsign = true\n[core]\n\tautocrlf = true\n[init]\n\tdefaultBranch = other\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    toy = make_toyserve(tmp_path / "toyserve")
    assert {name: toy.merge(name) for name in EVENTS} == played[1]
    refs = [git(path, "for-each-ref", "--format=%(objectname) %(refname)") for path in (toy.path, played[0].path)]
    assert refs[0] == refs[1]
    assert (toy.cut, toy.released, toy.commits) == (played[0].cut, played[0].released, played[0].commits)


def test_refs_tag_and_work_tree(played: tuple[Toyserve, dict[str, str]]) -> None:
    toy, events = played
    assert git(toy.path, "symbolic-ref", "--short", "HEAD") == "main"
    assert git(toy.path, "rev-parse", "HEAD") == events["post_fix"]
    assert git(toy.path, "status", "--porcelain", "--ignored") == ""
    assert git(toy.path, "fsck", "--strict") == ""
    assert git(toy.path, "cat-file", "-t", "v0.7.0") == "tag"
    assert git(toy.path, "rev-parse", "v0.7.0^{commit}") == git(toy.path, "rev-parse", "releases/v0.7.0")
    assert git(toy.path, "rev-parse", "releases/v0.7.0") == toy.released
    assert git(toy.path, "merge-base", "main", "releases/v0.7.0") == toy.branched
    assert git(toy.path, "rev-list", "--count", f"{toy.branched}..{toy.released}") == "1"
    assert toy.slow in git(toy.path, "rev-list", f"v0.7.0..{toy.cut}").split()
    assert toy.broken in git(toy.path, "rev-list", f"v0.7.0..{toy.slow}").split()
    assert git(toy.path, "show", f"{toy.commits[101]}:release.toml") == release_toml().strip()


def test_events_are_where_the_play_wants_them(played: tuple[Toyserve, dict[str, str]]) -> None:
    toy, events = played
    trunk = git(toy.path, "rev-list", "--first-parent", "main").split()
    assert {name for name in EVENTS if events[name] not in trunk} == {"unmerged", "branch_only"}
    assert {git(toy.path, "rev-parse", f"{events[n]}^") for n in ("unmerged", "branch_only")} == {toy.cut}
    for name in EVENTS:
        step = toy.event(name)
        assert git(toy.path, "log", "-1", "--format=%s", events[name]) == f"{step.subject} (#{step.pr})"
        seconds = str(int(step.at.timestamp()))
        assert git(toy.path, "log", "-1", "--format=%at %ct", events[name]) == f"{seconds} {seconds}"
    touched = git(toy.path, "diff-tree", "--no-commit-id", "--name-only", "-r", events["docs_fix"])
    assert touched == "docs/models.md"
    assert f"This reverts commit {toy.commits[TRIMS]}." in git(toy.path, "log", "-1", "--format=%b", events["reverted"])


def test_release_toml_is_a_policy() -> None:
    policy = load_policy(release_toml(), source="release.toml")
    assert policy.project.name == "toyserve"
    assert {(c.model, c.hardware) for c in policy.perf.cells} == {("toy-small", "cpu"), ("toy-large", "cpu")}
    assert policy.perf.margins["median_tpot_ms"] == 0.6
    assert policy.build.env["SETUPTOOLS_SCM_PRETEND_VERSION"] == "{version}"


@pytest.mark.parametrize("at", ["first", "released", "cut", "end", "unmerged"])
def test_its_own_tests_pass(played: tuple[Toyserve, dict[str, str]], tmp_path: Path, at: str) -> None:
    toy, events = played
    commits = {"first": toy.commits[101], "released": toy.released, "cut": toy.cut, "end": events["post_fix"], **events}
    done = own_tests(export(toy.path, commits[at], tmp_path / "tree"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", PICKS)
def test_each_pick_applies_on_its_own(played: tuple[Toyserve, dict[str, str]], line: Path, name: str) -> None:
    git(line, "cherry-pick", "-x", played[1][name])
    done = own_tests(line)
    assert done.returncode == 0, done.stdout


def test_all_picks_apply_together_in_trunk_order(played: tuple[Toyserve, dict[str, str]], line: Path) -> None:
    for name in sorted(PICKS, key=lambda n: played[0].event(n).at):
        git(line, "cherry-pick", "-x", played[1][name])
    done = own_tests(line)
    assert done.returncode == 0, done.stdout
    assert "releases/**" in (line / ".github/workflows/ci.yml").read_text()
    assert not (line / "src/toyserve/trim.py").exists()


def test_the_conflicting_fix_needs_the_feature(played: tuple[Toyserve, dict[str, str]], line: Path) -> None:
    events = played[1]
    git(line, "cherry-pick", events["conflicting"], code=1)
    assert "src/toyserve/protocol.py" in git(line, "diff", "--name-only", "--diff-filter=U").split()
    git(line, "cherry-pick", "--abort")
    git(line, "cherry-pick", events["feature"], events["conflicting"])


def test_the_trim_reverts_cleanly_on_the_line(played: tuple[Toyserve, dict[str, str]], line: Path) -> None:
    for name in ("docs_fix", "regression_fix", "slow_fix"):
        git(line, "cherry-pick", "-x", played[1][name])
    git(line, "revert", "--no-edit", played[0].commits[TRIMS])
    assert own_tests(line).returncode == 0


@pytest.mark.parametrize(
    ("name", "tests"), [("regression_fix", "tests/test_stopping.py"), ("post_fix", "tests/test_empty_prompt.py")]
)
def test_what_a_fix_mends_was_really_broken(
    played: tuple[Toyserve, dict[str, str]], line: Path, name: str, tests: str
) -> None:
    git(line, "checkout", played[1][name], "--", tests)
    assert own_tests(line, tests).returncode == 1


def test_stop_strings_worked_in_the_release(played: tuple[Toyserve, dict[str, str]], tmp_path: Path) -> None:
    """P2: the bug is a regression against v0.7.0, made by the commit that the facts name."""
    toy = played[0]
    ask = "from toyserve.stopping import StopStrings; s = StopStrings(('ab',)); print(s.feed('a')[1], s.feed('b')[1])"
    said = [
        python(export(toy.path, commit, tmp_path / commit), "-c", ask).stdout.split()[1]
        for commit in (toy.released, f"{toy.broken}^", toy.broken, toy.cut)
    ]
    assert said == ["True", "True", "False", "False"]


WORK = """
import json, sys
from toyserve.attention import Attention
from toyserve.config import MODELS
from toyserve.engine import Engine
from toyserve.model import Transformer
from toyserve.protocol import parse

split, rows, texts, steps = Attention._split, [0], [], []
def counted(self, x):
    rows[0] += len(x)
    return split(self, x)
Attention._split = counted
for name in ("toy-small", "toy-large"):
    engine = Engine(Transformer(MODELS[name]))
    for prompt in ("the river line quiet north stone after every platform signal", "a", "0123456789 " * 6):
        texts.append("".join(p.text for p in engine.generate(parse({"prompt": prompt, "max_tokens": 24}))))
        cache = engine.model.new_cache()
        engine.model.forward(list(range(64)), cache)
        rows[0] = 0
        engine.model.forward([65], cache)
        steps.append(rows[0] // (3 * MODELS[name].layers))
print(json.dumps([texts, steps]))
"""


def test_the_slow_commit_does_more_work_for_the_same_text(
    played: tuple[Toyserve, dict[str, str]], tmp_path: Path
) -> None:
    """Real work: a decode step after 64 tokens projects the whole context, in the slow commit and up to its fix."""
    toy, events = played
    at = {"before": f"{toy.slow}^", "slow": toy.slow, "fixed": events["slow_fix"]}
    ran = {name: python(export(toy.path, commit, tmp_path / name), "-c", WORK) for name, commit in at.items()}
    texts, steps = zip(*(json.loads(done.stdout) for done in ran.values()), strict=True)
    assert texts[0] == texts[1] == texts[2]
    assert len(set("".join(texts[0]))) > 10
    assert [set(step) for step in steps] == [{1}, {65}, {1}]
    assert toy.commits[SLOWS] == toy.slow


@pytest.fixture
def port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def lines_of(url: str, body: dict[str, object] | None = None) -> Iterator[bytes]:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as answer:  # noqa: S310 - our own server
        yield from answer


@pytest.mark.parametrize("pr", [104, 145])
def test_the_command_serves(played: tuple[Toyserve, dict[str, str]], tmp_path: Path, port: int, pr: int) -> None:
    toy = played[0]
    tree = export(toy.path, toy.commits[pr], tmp_path / "tree")
    env = {**os.environ, "PYTHONPATH": str(tree / "src"), "OPENBLAS_NUM_THREADS": "1"}
    argv = [sys.executable, "-m", "toyserve", "--port", str(port), "--model", "toy-small"]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(argv, env=env, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    list(lines_of(f"{url}/health"))
                    break
                except OSError:
                    assert server.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            body = {"model": "toy-small", "prompt": "north", "max_tokens": 8, "stream": True}
            events = [line for line in lines_of(f"{url}/v1/completions", body) if line.strip()]
            assert len(events) == 9
            assert events[-1].strip() == b"data: [DONE]"
        finally:
            server.terminate()


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UnusableInput) as refused:
        make_toyserve(tmp_path)
    assert refused.value.code == "demo.not-empty"
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_an_event_out_of_order_is_refused(tmp_path: Path) -> None:
    toy = make_toyserve(tmp_path / "toyserve")
    with pytest.raises(BrokenInvariant):
        toy.merge("conflicting")
    assert git(toy.path, "rev-parse", "main") == toy.cut


def test_git_failures_are_told(tmp_path: Path) -> None:
    toy = make_toyserve(tmp_path / "toyserve")
    git(toy.path, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(WorldFailed) as failed:
        toy.merge("docs_fix")
    assert failed.value.code == "demo.git"
