"""V5, B1, B4: the version that a build would carry, as setuptools-scm itself says, and the tags that make it wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gitmaker import GitMaker, git_env

from headway.app import open_headway
from headway.clock import SetClock
from headway.decide.tags import Built, Names, covers, line_problems, read_release_tag, release_of_branch, tag_problems
from headway.errors import UnusableInput
from headway.history.scm import unsafe
from headway.ledger.store import open_ledger
from headway.model.entry import Kind
from headway.policy.loader import load_policy
from headway.prediction import Prediction, predict

SCM = '[build-system]\nrequires = ["setuptools", "setuptools-scm"]\n[project]\nname = "toy"\ndynamic = ["version"]\n'
TABLE = SCM + "[tool.setuptools_scm]\n"
INIT = "t/__init__.py"
IN_FILE = f'[tool.hatch.version]\npath = "{INIT}"\n'
HATCH = '[tool.hatch.version]\nsource = "vcs"\n[tool.hatch.version.raw-options]\nroot = "."\n'
CALLED = "from setuptools_scm import get_version\nV = get_version(write_to='v.py')\n"
USED = "setup(use_scm_version={'version_scheme': 'post-release', 'root': '.'})"
NOW = datetime(2025, 2, 1, 9, tzinfo=UTC)
POLICY = '[versions]\nbranch = "releases/v{version}"\n'
LOOSE = Names(load_policy(None, source="-").versions, True)
STRICT = Names(LOOSE.versions, False)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machine's git config nor a pretended version decides a test."""
    for name in [n for n in os.environ if n.startswith(("SETUPTOOLS_SCM", "VCS_VERSIONING", "SOURCE_DATE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def made(tmp_path: Path) -> GitMaker:
    """A repository with one commit, of a project that setuptools-scm gives its version."""
    maker = GitMaker(tmp_path / "repo")
    maker.commit("one", {"pyproject.toml": TABLE, "a": "1\n", "lib/deep/x": "1\n"})
    return maker


def asked(path: Path, rev: str | None = None, folder: str | None = None) -> Prediction:
    return predict(open_headway(path, clock=SetClock(NOW)), rev, folder)


def codes(found: Prediction) -> list[tuple[str, str]]:
    for problem in found.problems:
        assert str(problem.text)
        assert str(problem.remedy)
    return [(p.clause, p.code) for p in found.problems]


def really(made: GitMaker, commit: str, folder: Path, project: str = "", branch: str = "") -> str:
    """What setuptools-scm says in a real, clean, full checkout."""
    checkout = folder / f"real-{commit[:12]}-{branch.replace('/', '-')}"
    made.run("clone", "--quiet", "--no-checkout", str(made.path), str(checkout))
    made.run("checkout", "--quiet", *(["-B", branch] if branch else ["--detach"]), commit, cwd=checkout)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "setuptools_scm"],
        cwd=checkout / project,
        env=git_env(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


# The same as the library says ------------------------------------------------------------------------------------


def _no_tag(made: GitMaker) -> None:
    made.commit("two", {"a": "2\n"})


def _on_tag(made: GitMaker) -> None:
    made.tag("v0.9.1", message="the release")


def _after_tag(made: GitMaker) -> None:
    made.tag("v0.9.1")
    made.commit("two", {"a": "2\n"})
    made.commit("three", {"a": "3\n"})


def _candidate(made: GitMaker) -> None:
    _after_tag(made)
    made.tag("v0.9.2-rc1")
    made.commit("four", {"a": "4\n"})


def _tag_of_a_tag(made: GitMaker) -> None:
    made.tag("v0.9.1", message="x")
    made.tag("v0.9.2", "v0.9.1", message="y")
    made.commit("two", {"a": "2\n"})


def _regex(made: GitMaker) -> None:
    text = TABLE + "tag_regex = '^gateway-(?P<version>[0-9.]+)$'\nlocal_scheme = 'no-local-version'\n"
    made.commit("two", {"pyproject.toml": text})
    made.tag("gateway-3.1")
    made.commit("three", {"a": "3\n"})


def _command(made: GitMaker) -> None:
    text = TABLE + 'git_describe_command = "git describe --dirty --tags --long --match v*"\n'
    made.tag("v0.9.1")
    made.commit("two", {"pyproject.toml": text})
    made.tag("proto-0.3.0")
    made.commit("three", {"a": "3\n"})


def _fallback(made: GitMaker) -> None:
    made.commit("two", {"pyproject.toml": TABLE + 'fallback_version = "7.0"\nversion_scheme = "post-release"\n'})


def _filtered(made: GitMaker) -> None:
    """Files that a checkout would change, a link, a program, an ignored one and a submodule."""
    files = {".gitattributes": "* text eol=crlf\n", ".gitignore": "a\n", "run": "x\n", "link": "a", "b": "1\r\n2\n"}
    made.commit("two", files, modes={"run": "100755", "link": "120000"})
    made.tag("v1.0")


@pytest.mark.parametrize(
    "history",
    [_no_tag, _on_tag, _after_tag, _candidate, _tag_of_a_tag, _regex, _command, _fallback, _filtered],
    ids=lambda h: h.__name__.strip("_"),
)
def test_V5_the_version_is_the_one_that_setuptools_scm_computes(
    made: GitMaker, tmp_path: Path, history: Callable[[GitMaker], None]
) -> None:
    history(made)
    found = asked(made.path)
    if history is not _filtered:  # there git itself calls the checkout dirty
        assert found.version == really(made, made.tip(), tmp_path, branch="main")
    assert found.version
    assert ".d20" not in found.version
    assert (found.commit, found.by) == (made.tip(), "setuptools-scm")


def test_V5_every_commit_is_as_setuptools_scm_computes_it_there(made: GitMaker, tmp_path: Path) -> None:
    made.tag("v0.9.1")
    made.branch("releases/v0.9.2")
    made.commit("pick", {"b": "1\n"}, branch="releases/v0.9.2")
    made.tag("v0.9.2-rc1", "releases/v0.9.2")
    made.commit("pick", {"b": "2\n"}, branch="releases/v0.9.2")
    made.commit("two", {"a": "2\n"})
    made.commit("merged", {"a": "3\n"}, merge="releases/v0.9.2")
    for rev in ("main", "main~1", "releases/v0.9.2", "releases/v0.9.2~1", "v0.9.1"):
        assert asked(made.path, rev).version == really(made, made.tip(rev), tmp_path)


def test_V5_a_branch_is_checked_out_as_a_build_has_it(made: GitMaker, tmp_path: Path) -> None:
    made.commit("two", {"pyproject.toml": TABLE + 'version_scheme = "release-branch-semver"\n'})
    made.tag("v0.9.1")
    made.branch("release-0.9")
    made.commit("fix", {"a": "4\n"}, branch="release-0.9")
    found = asked(made.path, "release-0.9")
    assert found.version == really(made, made.tip("release-0.9"), tmp_path, branch="release-0.9")
    assert found.version.startswith("0.9.2.dev1")
    assert asked(made.path, found.commit).version == really(made, found.commit, tmp_path)


def test_V5_a_project_in_a_folder_is_found_from_there(made: GitMaker, tmp_path: Path) -> None:
    made.commit("two", {"py/toy/pyproject.toml": TABLE + 'root = "../.."\nversion_scheme = "post-release"\n'})
    made.tag("v0.9.1")
    made.commit("three", {"py/toy/src/b": "1\n"})
    expected = really(made, made.tip(), tmp_path, project="py/toy", branch="main")
    assert asked(made.path, folder="py/toy").version == expected
    assert asked(made.path / "py/toy/src").version == expected
    assert asked(made.path / "py/toy/src").project == "py/toy"
    assert expected != asked(made.path).version
    assert asked(made.path, folder="./py/toy/").version == expected
    for folder in ("py", "..", "../..", "no", "a\0b", "/etc"):
        with pytest.raises(UnusableInput) as caught:
            asked(made.path, folder=folder)
        assert caught.value.code == "project.not-found"


def test_V5_a_bare_repository_answers_for_its_trunk(made: GitMaker, tmp_path: Path) -> None:
    _after_tag(made)
    bare = tmp_path / "bare.git"
    made.run("clone", "--quiet", "--bare", str(made.path), str(bare))
    assert asked(bare).version == asked(made.path).version == really(made, made.tip(), tmp_path)


def test_V5_a_work_tree_answers_for_what_is_checked_out_and_its_changes_do_not_count(made: GitMaker) -> None:
    _after_tag(made)
    made.run("checkout", "--quiet", "--detach", "v0.9.1")
    (made.path / "a").write_text("changed\n")
    (made.path / "pyproject.toml").unlink()
    found = asked(made.path)
    assert (found.version, found.branch) == ("0.9.1", "")
    linked = made.path.parent / "linked"
    made.run("worktree", "add", "--quiet", str(linked), "main")
    assert asked(linked).commit == made.tip("main")


def test_V5_a_shallow_clone_answers_when_the_tag_is_in_reach_and_else_says_what_is_missing(
    made: GitMaker, tmp_path: Path
) -> None:
    _after_tag(made)
    made.run("clone", "--quiet", "--depth=2", f"file://{made.path}", str(tmp_path / "two"))
    with pytest.raises(UnusableInput) as caught:
        asked(tmp_path / "two")
    assert caught.value.code == "repo.shallow"
    made.run("clone", "--quiet", "--depth=3", f"file://{made.path}", str(tmp_path / "three"))
    assert asked(tmp_path / "three").version == asked(made.path).version


def test_V5_an_environment_that_pretends_a_version_is_not_believed(
    made: GitMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.tag("v0.9.1")
    monkeypatch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION", "6.6.6")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert asked(made.path).version == "0.9.1"


def test_V5_odd_names_of_tags_and_branches_are_only_names(made: GitMaker) -> None:
    for name in ("$(touch${IFS}x)1", "a;b1", "ünï-1", "-1" * 60, "1'\"2", "refs/tags/v1", "é1\udce9"):
        made.run("update-ref", f"refs/tags/{name}", made.tip())
    made.tag("v0.9.1", message="annotated, so that git prefers it")
    odd = "releases/$(x);é"
    made.branch(odd)
    assert asked(made.path, odd).version == "0.9.1"
    assert codes(asked(made.path, odd)) == [("B1", "tags.no-branch")]


def test_V5_a_submodule_that_is_not_there_makes_nothing_dirty(made: GitMaker) -> None:
    made.run("update-index", "--add", "--cacheinfo", f"160000,{made.tip()},third_party/x")
    made.run("commit", "--quiet", "--message", "submodule")
    assert ".d20" not in str(asked(made.path).version)  # no tag: asked of git status
    made.tag("v1.0")
    assert asked(made.path).version == "1.0"


def test_V5_nothing_is_written_in_the_repository(made: GitMaker) -> None:
    _after_tag(made)
    made.commit("two", {"pyproject.toml": TABLE + 'write_to = "lib/_version.py"\nversion_file = "v.py"\n'})

    def files() -> dict[str, bytes]:
        found = (p for p in sorted(made.path.rglob("*")) if p.is_file())
        return {str(p.relative_to(made.path)): p.read_bytes() for p in found}

    before = files()
    assert asked(made.path).version
    assert files() == before


# Where a version comes from --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "version", "by", "file"),
    [
        ({"pyproject.toml": SCM}, "0.9.1", "setuptools-scm", "pyproject.toml"),
        ({"pyproject.toml": '[project]\nname = "t"\nversion = "4.0"\n'}, "4.0", "pyproject.toml", "pyproject.toml"),
        ({"pyproject.toml": '[tool.poetry]\nversion = "4.1"\n'}, "4.1", "pyproject.toml", "pyproject.toml"),
        ({"setup.cfg": "[metadata]\nversion = 4.2\n"}, "4.2", "setup.cfg", "setup.cfg"),
        ({"setup.py": CALLED}, "0.9.1", "setuptools-scm", "setup.py"),
        ({"setup.py": USED}, "0.9.1", "setuptools-scm", "setup.py"),
        ({"pyproject.toml": HATCH}, "0.9.1", "hatch-vcs", "pyproject.toml"),
        ({"pyproject.toml": IN_FILE, "t/__init__.py": '"""T."""\n__version__ = "4.3"\n'}, "4.3", *[INIT] * 2),
        ({"pyproject.toml": IN_FILE + 'pattern = "V: (?P<version>.+)"\n', INIT: "V: v4.4\n"}, "4.4", *[INIT] * 2),
    ],
)
def test_V5_the_source_of_the_version_is_said(
    tmp_path: Path, files: dict[str, str], version: str, by: str, file: str
) -> None:
    made = GitMaker(tmp_path / "repo")
    made.commit("one", files)
    made.tag("v0.9.1")
    found = asked(made.path)
    assert (found.version, found.by, found.file, found.waits) == (version, by, file, ())


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a": "1\n"}, "version.not-told"),
        ({"setup.py": "raise SystemExit('this ran')\n"}, "version.not-told"),
        ({"setup.py": "setuptools_scm ( ("}, "version.not-told"),
        ({"setup.py": "setup(use_scm_version=options())"}, "version.not-told"),
        ({"setup.py": "setup(use_scm_version={'local_scheme': mine})"}, "version.not-told"),
        ({"pyproject.toml": "[tool"}, "version.not-told"),
        ({"pyproject.toml": '[tool.hatch.version]\npath = "x.py"\n'}, "version.not-told"),
        ({"pyproject.toml": IN_FILE, INIT: "import os\n"}, "version.not-told"),
        ({"pyproject.toml": IN_FILE + 'pattern = "(unclosed"\n', INIT: '__version__ = "1"\n'}, "version.not-told"),
        ({"pyproject.toml": TABLE + 'git_describe_command = ["touch", "ran"]\n'}, "version.none"),
        ({"pyproject.toml": TABLE + 'version_scheme = "os:system"\n'}, "version.none"),
        ({"pyproject.toml": TABLE + 'tag_regex = "("\n'}, "version.none"),
        ({"pyproject.toml": TABLE + 'no_such_key = "x"\n'}, "version.none"),
        ({"pyproject.toml": TABLE + 'scm = "x"\ntag = 3\n'}, "version.none"),
    ],
)
def test_V5_a_version_that_cannot_be_told_is_said_so(tmp_path: Path, files: dict[str, str], code: str) -> None:
    made = GitMaker(tmp_path / "repo")
    made.commit("one", files)
    made.tag("v0.9.1")
    found = asked(made.path)
    assert found.version is None
    assert [w.code for w in found.waits] == [code]


def test_V5_what_would_run_code_of_the_project_is_not_used() -> None:
    assert unsafe({}) == unsafe({"git_describe_command": "git describe --tags --match 'v*'", "root": "."}) == ""
    assert unsafe({"root": "../.."}, "py/toy") == unsafe({"version_scheme": ["no-guess-dev"]}) == ""
    for options in (
        {"git_describe_command": "sh -c x"},
        {"git_describe_command": ["git", "-c", "alias.x=!x", "x"]},
        {"scm": {"git": {"describe_command": "rm -r ."}}},
        {"parse": "mine:parse"},
        {"version_cls": "os.system"},
        {"local_scheme": "os:system"},
        {"version_scheme": ["guess-next-dev", "mine"]},
        {"root": "../.."},
        {"root": "/"},
    ):
        assert unsafe(options, "py"), options


@pytest.mark.parametrize("bare", [False, True])
def test_V5_an_empty_repository_is_said_to_be_empty(tmp_path: Path, bare: bool) -> None:
    made = GitMaker(tmp_path / "repo", bare=bare)
    with pytest.raises(UnusableInput) as caught:
        asked(made.path)
    assert caught.value.code == "repo.empty"


def test_V5_a_branch_without_a_commit_gives_way_to_the_trunk(made: GitMaker) -> None:
    made.run("checkout", "--quiet", "--orphan", "new")
    assert asked(made.path).commit == made.tip("main")


@pytest.mark.parametrize("rev", ["no-such", "", "-x", "v1\n", "HEAD:a", "$(x)"])
def test_V5_a_commit_that_is_not_here_is_refused(made: GitMaker, rev: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        asked(made.path, rev)
    assert caught.value.code == "commit.not-found"


# Tags that make it wrong -----------------------------------------------------------------------------------------


def released(made: GitMaker) -> None:
    """v0.9.1 from its branch, one commit after the cut, and merged back as a project does that counts from it."""
    made.branch("releases/v0.9.1")
    made.commit("pick", {"b": "1\n"}, branch="releases/v0.9.1")
    made.tag("v0.9.1", "releases/v0.9.1")
    made.commit("back", {"b": "1\n"}, merge="releases/v0.9.1")


def test_V5_a_release_from_its_branch_has_no_problem(made: GitMaker) -> None:
    released(made)
    assert asked(made.path).problems == asked(made.path, "v0.9.1").problems == ()
    assert asked(made.path, "releases/v0.9.1").problems == ()


def test_V5_a_foreign_tag_is_named(made: GitMaker) -> None:
    released(made)
    made.tag("proto-v0.3.0")
    made.commit("two", {"a": "2\n"})
    found = asked(made.path)
    assert str(found.version).startswith("0.3.1.dev1")
    assert codes(found) == [("V5", "tags.foreign")]
    assert dict(found.problems[0].facts)["tag"] == "proto-v0.3.0"


def test_V5_a_foreign_tag_that_is_no_version_leaves_none(made: GitMaker) -> None:
    made.tag("ciflow/trunk/123")
    found = asked(made.path)
    assert found.version is None
    assert codes(found) == [("V5", "tags.foreign")]
    assert [w.code for w in found.waits] == ["version.none"]


def test_V5_what_the_policy_ignores_is_foreign(made: GitMaker) -> None:
    (made.path / "release.toml").write_text('[versions]\nignore_tags = ["v0.11.0rc*"]\n')
    made.tag("v0.11.0rc1")
    assert codes(asked(made.path)) == [("V5", "tags.foreign")]


def test_V5_a_tag_that_the_project_chose_itself_is_its_own_until_a_policy_says_otherwise(made: GitMaker) -> None:
    _regex(made)
    assert codes(asked(made.path)) == []
    (made.path / "release.toml").write_text(POLICY)
    assert codes(asked(made.path)) == [("V5", "tags.foreign")]


def test_B4_a_candidate_on_the_trunk_is_off_its_line(made: GitMaker) -> None:
    released(made)
    made.branch("releases/v0.11.0")
    made.commit("two", {"a": "2\n"})
    made.tag("v0.11.0rc1")
    made.commit("three", {"a": "3\n"})
    found = asked(made.path)
    assert str(found.version).startswith("0.11.0rc2.dev1")
    assert codes(found) == [("B4", "tags.candidate-off-line")]
    assert dict(found.problems[0].facts)["branch"] == "releases/v0.11.0"


def test_B4_a_candidate_on_its_branch_is_right_and_so_is_one_that_a_remote_has(made: GitMaker, tmp_path: Path) -> None:
    made.branch("releases/v0.9.2")
    made.commit("pick", {"b": "1\n"}, branch="releases/v0.9.2")
    made.tag("v0.9.2-rc1", "releases/v0.9.2")
    made.run("clone", "--quiet", str(made.path), str(tmp_path / "clone"))
    for path, rev in ((made.path, "releases/v0.9.2"), (tmp_path / "clone", "origin/releases/v0.9.2")):
        found = asked(path, rev)
        assert (found.version, found.branch, codes(found)) == ("0.9.2rc1", "releases/v0.9.2", [])


def test_B1_a_release_cut_from_no_branch_is_named(made: GitMaker) -> None:
    made.tag("v0.10.2")
    assert codes(asked(made.path)) == [("B1", "tags.no-branch")]
    made.branch("releases/v0.10.1")  # of another release
    assert codes(asked(made.path)) == [("B1", "tags.no-branch")]
    made.branch("releases/v0.10.2")
    assert codes(asked(made.path)) == []


def test_B1_with_a_policy_only_its_own_branch_names_count(made: GitMaker) -> None:
    made.tag("v0.10.2")
    made.branch("release/0.10")
    assert codes(asked(made.path)) == []
    (made.path / "release.toml").write_text(POLICY)
    assert codes(asked(made.path)) == [("B1", "tags.no-branch")]


def test_B1_a_release_branch_that_builds_another_line_is_named(made: GitMaker) -> None:
    made.branch("releases/v0.19.0")
    made.commit("pick", {"b": "1\n"}, branch="releases/v0.19.0")
    made.tag("v0.19.0", "releases/v0.19.0")
    made.commit("late", {"b": "2\n"}, branch="releases/v0.19.0")
    for rev in ("releases/v0.19.0", made.tip("releases/v0.19.0")):
        found = asked(made.path, rev)
        assert str(found.version).startswith("0.19.1.dev1")
        assert codes(found) == [("B1", "tags.other-line")]
    assert codes(asked(made.path, "v0.19.0")) == []


def test_B1_a_branch_of_a_minor_builds_all_its_patches(made: GitMaker) -> None:
    made.branch("release/0.19")
    made.commit("pick", {"b": "1\n"}, branch="release/0.19")
    made.tag("v0.19.0", "release/0.19")
    made.commit("late", {"b": "2\n"}, branch="release/0.19")
    assert codes(asked(made.path, "release/0.19")) == []


def test_B1_a_stated_version_can_be_of_another_line_too(tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "repo")
    made.commit("one", {"pyproject.toml": '[project]\nname = "toy"\nversion = "0.18.0"\n'})
    made.branch("releases/v0.19.0")
    found = asked(made.path, "releases/v0.19.0")
    assert codes(found) == [("B1", "tags.other-line")]
    assert "pyproject.toml" in str(found.problems[0].remedy)


def record(made: GitMaker, kind: Kind, tag: str, commit: str) -> None:
    app = open_headway(made.path)
    app.paths.root.mkdir(exist_ok=True)
    open_ledger(app.ledger_place, write=True).append(NOW, "headway", kind, "0.9.1", {"tag": tag, "commit": commit})


@pytest.mark.parametrize("kind", [Kind.TAGGED, Kind.RELEASED])
def test_V5_a_tag_that_moved_since_it_was_recorded_is_named(made: GitMaker, kind: Kind) -> None:
    released(made)
    before = made.tip("releases/v0.9.1")
    record(made, kind, "v0.9.1", before)
    assert codes(asked(made.path)) == []
    made.run("tag", "-f", "v0.9.1", "main~1")
    found = asked(made.path)
    assert ("V5", "tags.moved") in codes(found)
    facts = dict(next(p for p in found.problems if p.code == "tags.moved").facts)
    assert (facts["recorded"], facts["now"]) == (before, made.tip("main~1"))
    made.run("tag", "-d", "v0.9.1")
    assert ("V5", "tags.gone") in codes(asked(made.path))


def test_V5_a_tag_that_moved_elsewhere_does_not_touch_this_version(made: GitMaker) -> None:
    released(made)
    made.branch("side", "releases/v0.9.1")
    gone = made.commit("side", {"c": "1\n"}, branch="side")
    record(made, Kind.TAGGED, "v0.9.2-rc1", gone)
    assert codes(asked(made.path)) == []
    assert codes(asked(made.path, "side")) == [("V5", "tags.gone")]


# The rules by themselves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branch", "release"),
    [
        ("releases/v0.9.2", (0, 9, 2)),
        ("releases/v0.22.1rc", (0, 22, 1)),
        ("release/v0.5.10", (0, 5, 10)),
        ("release/2.5", (2, 5)),
        ("stable-2.16", (2, 16)),
        ("stable/4.2.x", (4, 2)),
        ("8.4.x", (8, 4)),
        ("r2.18", (2, 18)),
        ("v0.9.1-dev", (0, 9, 1)),
        ("main", None),
        ("release", None),
        ("release/next", None),
        ("fix-1.2", None),
        ("release/1", None),
    ],
)
def test_B1_release_branches_are_known_by_their_names(branch: str, release: tuple[int, ...] | None) -> None:
    assert release_of_branch(branch, LOOSE) == release
    assert release_of_branch(branch, STRICT) == (release if branch == "releases/v0.9.2" else None)


@pytest.mark.parametrize(
    ("branch", "version", "covered"),
    [
        ("releases/v0.9.2", "0.9.2", True),
        ("releases/v0.9.2", "0.9.2.post1", True),
        ("releases/v0.9.2", "0.9.2rc3.dev4", True),
        ("releases/v0.9.2", "0.9.3.dev0", False),
        ("releases/v0.9.0", "0.9", True),
        ("releases/v0.9.0", "0.9.0.1", True),
        ("release/0.9", "0.9.7", True),
        ("release/0.9", "0.10.0", False),
        ("main", "0.9.2", False),
    ],
)
def test_B1_B3_a_branch_is_for_one_line(branch: str, version: str, covered: bool) -> None:
    from packaging.version import Version

    assert covers(branch, Version(version), LOOSE) is covered


@pytest.mark.parametrize(
    ("tag", "loose", "strict"),
    [
        ("v0.9.2", ("0.9.2", False), ("0.9.2", False)),
        ("v0.9.2-rc1", ("0.9.2", True), ("0.9.2", True)),
        ("v0.9.2rc0", ("0.9.2", True), ("0.9.2", True)),
        ("v0.9.0.1", ("0.9.0.1", False), ("0.9.0.1", False)),
        ("0.9.2", ("0.9.2", False), None),
        ("0.9.2rc1", ("0.9.2", True), None),
        ("9.2.0.dev0", None, None),
        ("proto-v0.3.0", None, None),
        ("v1.2.0-rc1-test", None, None),
        ("ciflow/trunk/1", None, None),
    ],
)
def test_V5_release_tags_are_read(tag: str, loose: tuple[str, bool] | None, strict: tuple[str, bool] | None) -> None:
    for names, wanted in ((LOOSE, loose), (STRICT, strict)):
        read = read_release_tag(tag, names)
        assert (read and (str(read.version), read.candidate)) == wanted


def test_V5_a_build_without_a_tag_or_of_no_release_branch_has_nothing_wrong() -> None:
    built = Built("c" * 40, "0.1.dev3", "", None, 0, ("releases/v0.9.2",), (), (), "")
    assert tag_problems(built, LOOSE) == line_problems(built, LOOSE) == ()


# The command -----------------------------------------------------------------------------------------------------


def headway(*args: object) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "headway", "version", "predict", "--json", *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_V5_the_command_answers_as_the_contract_says(made: GitMaker, tmp_path: Path) -> None:
    released(made)
    status, document, _ = headway("--repo", made.path)
    assert (status, document["problems"], document["commit"]) == (0, [], made.tip())
    assert (document["tag"], document["distance"], document["by"]) == ("v0.9.1", 1, "setuptools-scm")
    made.tag("proto-v0.3.0")
    status, document, _ = headway("--repo", made.path, "main")
    assert (status, document["version"]) == (1, "0.3.0")
    assert set(document["problems"][0]) == {"clause", "code", "message", "facts", "remedy"}
    assert headway("--repo", made.path, "nowhere")[0] == 2
    none = GitMaker(tmp_path / "none")
    none.commit("one", {"a": "1\n"})
    status, document, _ = headway("--repo", none.path)
    assert (status, document["version"], len(document["waits"])) == (3, None, 1)


def test_V5_the_command_tells_a_person(made: GitMaker) -> None:
    made.tag("v0.9.1")
    command = [sys.executable, "-m", "headway", "version", "predict", "--repo", str(made.path), "--lang", "en"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "0.9.1"
    assert "lies on no release branch" in done.stdout
