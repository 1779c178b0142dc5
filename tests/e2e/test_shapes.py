"""Projects as they are met in the world: how they keep their version, their files, their merges and their branches."""

from __future__ import annotations

import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from gitmaker import GitMaker
from trainkit import open_at

from headway.app import Headway
from headway.model.entry import Kind

RELEASED = datetime(2025, 1, 15, 9, 0, tzinfo=UTC)
CUT = datetime(2025, 1, 27, 10, 0, tzinfo=UTC)
POLICY = 'schema = 1\npreset = "generic"\n'
SCM = (
    '[build-system]\nrequires = ["setuptools>=77", "setuptools-scm>=8"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "shaped"\ndynamic = ["version"]\n[tool.setuptools_scm]\n[tool.setuptools]\npackages = ["shaped"]\n'
)


def released(folder: Path, files: dict[str, str | None], policy: str = POLICY) -> GitMaker:
    """A trunk whose one commit is release v0.1.0."""
    made = GitMaker(folder)
    made.commit("Begin", {"release.toml": policy, "shaped/__init__.py": "", **files}, when=RELEASED)
    made.tag("v0.1.0", message="v0.1.0")
    return made


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
