"""Projects as they are met in the world: how they keep their version, their files, their merges and their branches."""

from __future__ import annotations

import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from gitmaker import GitMaker
from packaging.version import Version
from trainkit import ask, open_at

from headway.app import Headway
from headway.model.entry import Kind
from headway.reports import notes_for

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
    fix = merge(made, 13, "Fix the crash of nothing", {"shaped/fix.py": ""})
    app = open_at(made.path, CUT)
    refused = ask(app, "#12", "new-feature-fix")
    assert [v.clause for v in refused.answer.violations] == ["P7"]
    taken = ask(app, "#13", "critical", "https://example.org/crash")
    assert taken.entry.payload["commit"] == fix
    assert taken.entry.payload["subject"] == "Fix the crash of nothing (#13)"
    applied = app.tick()[0][0].entry.payload["changes"]
    assert [c["subject"] for c in applied] == ["Fix the crash of nothing (#13)"]
    sections = dict(notes_for(app, Version("0.1.1")).sections)
    assert sections["improvements"] == ("Faster words (#11)",)
    assert sections["fixes"] == ("Fix the crash of nothing (#13)",)
