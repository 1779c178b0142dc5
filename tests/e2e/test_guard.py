"""V5, B1, B4, B5: the tag guard in CI and in git's own pre-push hook, with two real repositories and a plain push."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gitmaker import GitMaker, git_env
from trainkit import CUT, open_at, settle

BRANCH, RC1, FINAL = "releases/v0.1.1", "v0.1.1-rc1", "v0.1.1"
POLICY = 'schema = 1\npreset = "generic"\n[versions]\nignore_tags = ["nightly*"]\n'


@dataclass
class Two:
    """``here`` is somebody's clone with a work tree, ``there`` the bare repository that it is pushed to."""

    here: GitMaker
    there: GitMaker

    def headway(self, *args: str, stdin: str = "", status: int = 0) -> dict[str, Any]:
        argv = [sys.executable, "-m", "headway", "guard", "--json", *args]
        env = {**os.environ, **git_env()}
        done = subprocess.run(
            argv, cwd=self.here.path, env=env, input=stdin, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == status, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def push(self, *args: str) -> tuple[int, str]:
        """A plain ``git push``, as a person does it; its status and all that it said."""
        env = {**os.environ, **git_env()}
        env.pop("GIT_DIR", None)
        done = subprocess.run(
            ["git", "push", "origin", *args], cwd=self.here.path, env=env, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def refs(self) -> dict[str, str]:
        rows = self.there.run("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(row.split() for row in rows)


def codes(document: dict[str, Any]) -> list[str]:
    for p in document["problems"]:
        assert p["clause"]
        assert p["facts"]
        assert p["remedy"]
    assert document["ok"] is not bool(document["problems"])
    return [p["code"] for p in document["problems"]]


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """0.1.0 is out from its branch, 0.1.1 is cut and has rc1 on a commit of its own; the hook is installed."""
    there = GitMaker(tmp_path / "there.git", bare=True)
    here = GitMaker(tmp_path / "here")
    here.commit("Begin (#1)", {"a.py": "1\n", "release.toml": POLICY})
    here.branch("releases/v0.1.0")
    here.tag("v0.1.0-rc1")
    here.tag("v0.1.0", message="v0.1.0")
    here.commit("More (#2)", {"a.py": "2\n"})
    here.branch(BRANCH)
    here.commit("[Bugfix] On the branch", {"a.py": "3\n"}, branch=BRANCH)
    here.tag(RC1, BRANCH)
    here.commit("Trunk goes on (#3)", {"b.py": "1\n"})
    here.run("remote", "add", "origin", str(there.path))
    here.run("push", "--quiet", "origin", "--all")
    here.run("push", "--quiet", "origin", "--tags")
    here.run("fetch", "--quiet", "origin")
    made = Two(here, there)
    made.headway("--install")
    return made


# The hook ----------------------------------------------------------------------------------------------------------


def test_what_is_in_order_is_pushed(two: Two) -> None:
    two.here.commit("[Bugfix] Another", {"a.py": "4\n"}, branch=BRANCH)
    two.here.tag("v0.1.1-rc2", BRANCH, "rc2")
    two.here.tag(FINAL, f"{RC1}^{{commit}}", "notes")
    two.here.tag("nightly-1")
    two.here.commit("Trunk (#4)", {"b.py": "2\n"})
    status, said = two.push("main", BRANCH, "--tags")
    assert status == 0, said
    assert {"refs/tags/v0.1.1-rc2", f"refs/tags/{FINAL}", "refs/tags/nightly-1"} <= set(two.refs())


@pytest.mark.parametrize(
    ("how", "clause", "words"),
    [
        ("move", "V5", "moves the release tag v0.1.1-rc1"),
        ("again", "V5", "moves the release tag v0.1.0"),
        ("delete", "V5", "deletes the release tag v0.1.0"),
        ("off-branch", "B4", "v0.1.1-rc2 is not on its release branch releases/v0.1.1"),
        ("no-branch", "B4", "v0.1.2-rc1 has no release branch"),
        ("no-candidate", "B5", "never a candidate of 0.1.1"),
        ("force-branch", "B1", "takes commits off the release branch releases/v0.1.1"),
        ("delete-branch", "B1", "deletes the release branch releases/v0.1.0"),
    ],
)
def test_a_push_that_breaks_a_tag_or_a_branch_is_refused_and_changes_nothing(
    two: Two, how: str, clause: str, words: str
) -> None:
    before, here = two.refs(), two.here
    match how:
        case "move":
            here.run("tag", "--force", RC1, f"{BRANCH}~1")
            args = ["--force", RC1]
        case "again":  # on the same commit: another object, other notes
            here.run("tag", "--force", "-a", "-m", "other notes", "v0.1.0", "v0.1.0^{commit}")
            args = ["--force", "v0.1.0"]
        case "delete":
            args = [":refs/tags/v0.1.0"]
        case "off-branch":
            here.tag("v0.1.1-rc2", "main")
            args = ["v0.1.1-rc2"]
        case "no-branch":
            here.tag("v0.1.2-rc1", "main")
            args = ["main", "v0.1.2-rc1"]
        case "no-candidate":
            here.tag(FINAL, f"{BRANCH}~1", "notes")
            args = [FINAL]
        case "force-branch":
            here.run("branch", "--force", BRANCH, f"{BRANCH}~1")
            args = ["--force", BRANCH]
        case _:
            args = ["--delete", "releases/v0.1.0"]
    status, said = two.push(*args)
    assert status != 0
    assert two.refs() == before
    assert words in " ".join(said.split())
    assert f" {clause} " in said
    assert "→" in said, "a remedy"


def test_a_branch_and_its_first_candidate_go_out_in_one_push(two: Two) -> None:
    two.here.branch("releases/v0.1.2", "main")
    two.here.tag("v0.1.2-rc1", "main")
    status, said = two.push("releases/v0.1.2", "v0.1.2-rc1")
    assert status == 0, said


def test_a_branch_that_was_never_fetched_is_not_overwritten(two: Two, tmp_path: Path) -> None:
    """Its tip is unknown here, so nothing says that it would only move on."""
    other = tmp_path / "other"
    two.here.run("clone", "--quiet", str(two.there.path), str(other), cwd=tmp_path)
    theirs = GitMaker(other)
    theirs.run("checkout", "--quiet", BRANCH)
    theirs.commit("[Bugfix] Theirs", {"c.py": "1\n"})
    theirs.run("push", "--quiet", "origin", BRANCH)
    two.here.commit("[Bugfix] Mine", {"d.py": "1\n"}, branch=BRANCH)
    status, said = two.push("--force", BRANCH)
    assert status != 0
    assert "takes commits off" in said


def test_a_final_tag_that_the_ledger_did_not_release_is_refused(two: Two) -> None:
    """Where there is a ledger the final tag is Headway's to make, also on a candidate's commit."""
    settle(open_at(two.here.path, CUT))
    assert open_at(two.here.path, CUT).entries()
    two.here.tag(FINAL, f"{RC1}^{{commit}}", "by hand")
    status, said = two.push(FINAL)
    assert status != 0
    assert "the ledger did not release" in said
    assert "headway tick" in said


def test_old_tags_may_be_pushed_to_a_new_place(two: Two, tmp_path: Path) -> None:
    """Rules that nobody had then are not held against them."""
    two.here.tag("v0.0.9", "main~2")
    mirror = GitMaker(tmp_path / "mirror.git", bare=True)
    two.here.run("remote", "set-url", "origin", str(mirror.path))
    status, said = two.push("--tags")
    assert status == 0, said
    assert mirror.exists("refs/tags/v0.0.9")


@pytest.mark.parametrize("line", ["refs/tags/x", "a b c d e", "\u2028"])
def test_lines_that_are_none_of_gits_are_unusable(two: Two, line: str) -> None:
    error = two.headway("--pre-push", "origin", "url", stdin=f"{line}\n", status=2 if line.strip() else 0)
    assert not line.strip() or error["error"]["code"] == "usage.pre-push"


# Its installation --------------------------------------------------------------------------------------------------


def test_a_hook_of_somebodys_is_never_overwritten(two: Two) -> None:
    hook = two.here.path / ".git" / "hooks" / "pre-push"
    assert two.headway("--install")["written"] is False, "there already"
    hook.write_text("#!/bin/sh\nexit 0\n")
    document = two.headway("--install", status=1)
    assert codes(document) == ["guard.hook"]
    assert "guard --pre-push" in document["problems"][0]["remedy"]
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"


def test_the_line_to_add_to_a_hook_works(two: Two, tmp_path: Path) -> None:
    hook = two.here.path / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 0\n")
    line = two.headway("--install", status=1)["problems"][0]["facts"]["line"]
    tool = tmp_path / "bin" / "headway"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m headway "$@"\n')
    tool.chmod(0o755)
    hook.write_text(f"#!/bin/sh\nPATH={tool.parent}:$PATH\n{line}\nexit 0\n")
    assert two.push(":refs/tags/v0.1.0")[0] != 0
    assert two.push("main")[0] == 0


def test_hooks_are_written_where_git_looks_for_them(two: Two, tmp_path: Path) -> None:
    two.here.run("config", "core.hooksPath", "hooks-of-ours")
    document = two.headway("--install")
    hook = Path(document["hook"])
    assert hook.is_file()
    assert os.access(hook, os.X_OK)
    assert two.push(":refs/tags/v0.1.0")[0] != 0
    assert "guard --against origin" in document["ci"]
    outside = tmp_path / "everybodys"
    two.here.run("config", "core.hooksPath", str(outside))
    assert codes(two.headway("--install", status=1)) == ["guard.hook"]
    assert not outside.exists(), "it would be the hook of every repository"


# In CI -------------------------------------------------------------------------------------------------------------


def test_a_repository_in_order(two: Two) -> None:
    document = two.headway("--against", "origin")
    assert (codes(document), document["checked"], document["older"]) == ([], 3, 0)
    assert document["begin"] == "0.1.0"


def test_every_tag_that_is_out_of_order_is_told(two: Two) -> None:
    here = two.here
    here.tag("v0.1.1-rc2", "main")  # B4
    here.tag("v0.1.1rc1", BRANCH)  # another spelling, the same commit
    here.tag("v0.1.0rc1", "releases/v0.1.1")  # another spelling of a candidate, elsewhere
    here.tag("v0.1.2", "main", "x")  # no branch at all
    here.tag("nightly-2", "main")
    here.tag("v0.0.3", "main~2")  # older than the policy
    here.run("tag", "--force", RC1, f"{BRANCH}~1")  # differs from the remote's
    document = two.headway("--against", str(two.there.path), status=1)
    found = {(p["code"], p["clause"], p["facts"].get("tag")) for p in document["problems"]}
    assert found == {
        ("guard.off-branch", "B4", "v0.1.1-rc2"),
        ("guard.off-branch", "B4", "v0.1.0rc1"),
        ("guard.no-branch", "B1", "v0.1.2"),
        ("guard.two-spellings", "V5", None),
        ("guard.differs", "V5", RC1),
    }
    assert document["older"] == 1


def test_branches_that_only_the_remote_has_count(two: Two, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    two.here.run("clone", "--quiet", str(two.there.path), str(clone), cwd=tmp_path)
    assert codes(Two(GitMaker(clone), two.there).headway("--against", "origin")) == []


def test_tags_that_are_not_where_the_ledger_put_them(two: Two) -> None:
    settle(open_at(two.here.path, CUT))
    assert "v0.1.1-rc1" in {e.payload.get("tag") for e in open_at(two.here.path, CUT).entries()}
    two.here.run("tag", "--delete", RC1)
    document = two.headway(status=1)
    assert codes(document) == ["guard.deleted"]
    assert RC1 in document["problems"][0]["remedy"]


def test_a_clone_without_history_and_a_remote_that_is_none(two: Two, tmp_path: Path) -> None:
    clone = tmp_path / "shallow"
    two.here.run("clone", "--quiet", "--depth=1", two.there.path.as_uri(), str(clone), cwd=tmp_path)
    shallow = Two(GitMaker(clone), two.there)
    assert shallow.headway(status=2)["error"]["code"] == "repo.shallow"
    error = two.headway("--against", str(tmp_path / "nowhere"), status=4)["error"]
    assert (error["code"], error["clause"]) == ("guard.remote", "V5")
    assert two.headway("--against", "--upload-pack=touch x", status=4)["error"]["code"] == "guard.remote"
    assert two.headway("--against", "origin", "--install", status=2)["error"]["code"] == "usage.guard"
