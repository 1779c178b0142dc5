"""Projects as they are met in the world: how they keep their version, their files, their merges and their branches."""

from __future__ import annotations

import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gitmaker import GitMaker
from packaging.version import Version
from trainkit import ask, open_at

from headway import controls
from headway.app import Headway
from headway.errors import UnusableInput
from headway.model.entry import Entry, Kind
from headway.noting import notes_for
from headway.picking import adopt
from headway.refusal import Refused
from headway.reports import newest_release, verify_release

RELEASED = datetime(2025, 1, 15, 9, 0, tzinfo=UTC)
CUT = datetime(2025, 1, 27, 10, 0, tzinfo=UTC)
POLICY = 'schema = 1\npreset = "generic"\n'
SCM = (
    '[build-system]\nrequires = ["setuptools>=77", "setuptools-scm>=8"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "shaped"\ndynamic = ["version"]\n'
    '[tool.setuptools_scm]\n[tool.setuptools]\npackages = ["shaped"]\n'
)


def released(folder: Path, files: dict[str, str | None], policy: str = POLICY) -> GitMaker:
    """A trunk whose one commit is release v0.1.0."""
    made = GitMaker(folder)
    made.commit("Begin", {"release.toml": policy, "shaped/__init__.py": "", **files}, when=RELEASED)
    made.tag("v0.1.0", message="v0.1.0")
    return made


def merge(made: GitMaker, number: int, title: str, files: dict[str, str | None]) -> str:
    """A pull request merged with GitHub's merge commit."""
    made.branch("pr", "main")
    made.commit("wip", files, branch="pr")
    return made.commit(f"Merge pull request #{number} from ada/topic", files, merge="pr", body=title)


def last(app: Headway, kind: Kind) -> dict[str, object]:
    return dict(next(e for e in reversed(app.entries()) if e.kind is kind).payload)


def test_files_that_a_backend_learns_of_from_git_are_in_the_artifacts(tmp_path: Path) -> None:
    """setuptools-scm asks git which files are package data and what belongs to an sdist."""
    made = released(tmp_path / "r", {"pyproject.toml": SCM})
    made.commit(
        "Data (#1)", {"shaped/words.txt": "one\n", "checks/test_it.py": "", ".gitattributes": "checks export-ignore\n"}
    )
    app = open_at(made.path, CUT)
    app.tick(settle=True)
    assert last(app, Kind.BUILT)["ok"], last(app, Kind.BUILT)
    out = app.paths.artifacts("v0.1.1-rc1")
    with zipfile.ZipFile(out / "shaped-0.1.1-py3-none-any.whl") as z:
        assert "shaped/words.txt" in z.namelist()
    with tarfile.open(out / "shaped-0.1.1.tar.gz") as t:
        assert {"shaped-0.1.1/checks/test_it.py", "shaped-0.1.1/shaped/words.txt"} <= set(t.getnames())
    assert not list((made.path / ".git/headway").glob("export-*"))
    assert made.run("status", "--porcelain") == ""


def test_merge_commits_are_read_by_the_title_of_their_pull_request(tmp_path: Path) -> None:
    """P7, P8, N2: what a pull request is called decides, not what its merge commit is called."""
    made = released(tmp_path / "r", {})
    merge(made, 11, "Faster words", {"shaped/words.py": ""})
    open_at(made.path, CUT).tick()
    made.now = CUT
    merge(made, 12, "feat: colours", {"shaped/colours.py": ""})
    fix = merge(made, 13, "Fix the crash of nothing", {"shaped/words.py": "WORDS = 0\n"})
    app = open_at(made.path, CUT)
    refused = ask(app, "#12", "new-feature-fix")
    assert [v.clause for v in refused.answer.violations] == ["P7", "P7", "P4"]
    taken = ask(app, "#13", "critical", "https://example.org/crash")
    assert taken.entry.payload["commit"] == fix
    assert taken.entry.payload["subject"] == "Fix the crash of nothing (#13)"
    applied = app.tick()[0][0].entry.payload["changes"]
    assert [c["subject"] for c in applied] == ["Fix the crash of nothing (#13)"]
    sections = dict(notes_for(app, Version("0.1.1")).sections)
    assert sections["improvements"] == ("Faster words (#11)",)
    assert sections["fixes"] == ("Fix the crash of nothing (#13)",)


def test_the_remedy_of_a_conflict_picks_a_merge_by_its_first_parent(tmp_path: Path) -> None:
    """P8: what a person is told to run is what git takes."""
    made = released(tmp_path / "r", {"CHANGES.md": "nothing\n"})
    made.commit("Begin the list (#1)", {"shaped/words.py": ""})
    open_at(made.path, CUT).tick()
    made.now = CUT
    made.commit("Another line (#2)", {"CHANGES.md": "two\n"})
    sha = merge(made, 13, "Fix the crash", {"CHANGES.md": "two\nthree\n"})
    plain = made.commit("Fix a word (#14)", {"CHANGES.md": "two\nfour\n"})
    app = open_at(made.path, CUT)
    ask(app, "#13", "critical", "https://example.org/crash")
    ask(app, "#14", "docs")
    conflicts = {str(w.remedy) for w in app.plan().trains[-1].waits if w.code == "picks.conflict"}
    told = {text.split("`")[3] for text in conflicts}
    assert told == {f"git cherry-pick -x -m 1 {sha}", f"git cherry-pick -x {plain}"}


def test_a_version_that_is_written_in_a_file_is_raised_on_the_branch(tmp_path: Path) -> None:
    """B4, P6: a build under another version counts for nothing; the remedy's way leads to one that does."""
    hatch = (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "shaped"\nversion = "{version}"\n'
    )
    made = released(tmp_path / "r", {"pyproject.toml": hatch.replace("{version}", "0.2.0.dev0")})
    made.commit("Words (#1)", {"shaped/words.py": ""})
    _, waits = open_at(made.path, CUT).tick(settle=True)
    (failed,) = [w for w in waits if w.code == "candidate.build-failed"]
    assert "0.2.0.dev0, not 0.1.1" in str(failed.text)
    assert "release-branch" in str(failed.text)
    made.branch("bump", "releases/v0.1.1")
    made.commit("Version 0.1.1", {"pyproject.toml": hatch.replace("{version}", "0.1.1")}, branch="bump", when=CUT)
    app = open_at(made.path, CUT)
    assert ask(app, "bump", "release-branch").answer.violations == ()
    app.tick(settle=True)
    assert last(app, Kind.BUILT)["ok"], last(app, Kind.BUILT)
    assert last(app, Kind.TESTED)["ok"], last(app, Kind.TESTED)


def test_what_was_released_before_headway_came_is_not_called_broken(tmp_path: Path) -> None:
    """G4: asked for no version, the newest that Headway released is proved; there may be none."""
    app = open_at(released(tmp_path / "r", {}).path, CUT)
    with pytest.raises(UnusableInput, match="released nothing here yet"):
        newest_release(app)
    (problem,) = verify_release(app, Version("0.1.0")).problems
    assert (problem.clause, problem.code) == ("N1", "verify.not-released")
    assert "only what Headway released" in str(problem.remedy)


def test_a_release_branch_that_only_the_remote_has_is_taken_over_not_cut_again(tmp_path: Path) -> None:
    """B1: a fresh clone knows its release branches by their remote's names only."""
    made = released(tmp_path / "r", {})
    made.commit("Words (#1)", {"shaped/words.py": ""})
    made.branch("releases/v0.1.1")
    by_hand = made.commit("On the branch (#2)", {"shaped/more.py": ""}, branch="releases/v0.1.1")
    made.commit("Later (#3)", {"shaped/later.py": ""})
    clone = tmp_path / "clone"
    made.run("clone", "--quiet", made.path.as_uri(), str(clone))
    before = made.run("for-each-ref", cwd=clone)
    done, (wait,) = open_at(clone, CUT).tick(settle=True)
    assert (done, wait.clause, wait.code) == ((), "B1", "branch.elsewhere")
    assert made.run("for-each-ref", cwd=clone) == before
    made.run(*str(wait.remedy).split("`")[1].split()[1:], cwd=clone)
    done, _ = open_at(clone, CUT).tick()
    assert [d.action.kind for d in done] == ["cut"]
    assert made.run("rev-parse", "releases/v0.1.1", cwd=clone) == by_hand


def test_a_tick_that_fails_tells_what_it_did_before(tmp_path: Path) -> None:
    """B4: a policy that names a path which is not there stops the test, not what came before it."""
    made = released(tmp_path / "r", {"pyproject.toml": SCM}, POLICY + '[test]\npaths = ["nowhere"]\n')
    made.commit("Words (#1)", {"shaped/words.py": ""})
    with pytest.raises(UnusableInput, match="has no nowhere") as e:
        open_at(made.path, CUT).tick(settle=True)
    kinds = [row.split()[0] for row in dict(e.value.facts)["done"]]
    assert kinds == ["cut", "tag-candidate", "build"]


def test_approving_what_cannot_be_approved_names_what_is_missing_only(tmp_path: Path) -> None:
    """G1: not the approval itself."""
    made = released(tmp_path / "r", {"pyproject.toml": SCM}, POLICY + "[perf]\nrequired = true\n")
    made.commit("Words (#1)", {"shaped/words.py": ""})
    app = open_at(made.path, CUT)
    app.tick(settle=True)
    refused = controls.approve(app, "0.1.1", "go")
    assert isinstance(refused, Refused)
    assert "approve.no-evidence" in {r.code for r in refused.reasons}
    assert "promotion.unapproved" not in {r.code for r in refused.reasons}
    assert {"E1"} <= {r.clause for r in refused.reasons}


def test_a_post_release_asks_nothing_of_what_was_released_before_headway_came(tmp_path: Path) -> None:
    """G3, C2: only what the branch got since its last release is unexplained; adopted, it makes a post release."""
    made = released(tmp_path / "r", {"pyproject.toml": SCM})
    made.branch("releases/v0.1.1")
    made.commit("Old work (#1)", {"shaped/old.py": ""}, branch="releases/v0.1.1", when=RELEASED)
    made.tag("v0.1.1", "releases/v0.1.1", message="v0.1.1")
    fix = made.commit("Fix a crash (#2)", {"shaped/old.py": "# mended\n"}, branch="releases/v0.1.1")
    made.commit("Trunk goes on (#3)", {"shaped/new.py": ""})
    now = RELEASED + timedelta(days=2)
    app = open_at(made.path, now)
    done, waits = app.tick("0.1.1.post1", settle=True)
    (wait,) = [w for w in waits if w.clause == "G3"]
    assert done == ()
    assert dict(wait.facts)["commits"] == (f"{fix} Fix a crash (#2)",)
    adopt(app, [fix], "critical", "made by hand")
    app.tick("0.1.1.post1", settle=True)
    assert isinstance(controls.approve(app, "0.1.1.post1", "go"), Entry)
    app.tick("0.1.1.post1", settle=True)
    assert verify_release(app, Version("0.1.1.post1")).problems == ()


def test_a_branch_that_only_the_remote_has_goes_by_either_name(tmp_path: Path) -> None:
    made = released(tmp_path / "r", {})
    made.branch("releases/v0.0.9")
    clone = tmp_path / "clone"
    made.run("clone", "--quiet", made.path.as_uri(), str(clone))
    app = open_at(clone, CUT)
    for name in ("releases/v0.0.9", "origin/releases/v0.0.9"):
        assert app.branch_named(name) == "origin/releases/v0.0.9"
        line = app.observe(branch=app.branch_named(name)).line("origin/releases/v0.0.9")
        assert line is not None
        assert line.tip == made.tip("releases/v0.0.9")
    assert app.branch_named("main") == "main"
