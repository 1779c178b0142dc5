"""Which version a probe's build carries (E7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from trainkit import GO, make_project, open_at

from headway.effects.prober import version_at


@pytest.mark.parametrize(
    ("stated", "version"),
    [
        ('version = "2.1.0"', "2.1.0"),
        ('version = "2.2.0.dev0"', "2.2.0.dev0"),
        ('version = "soon"', "2.1.1"),
        ("", "2.1.1"),
    ],
)
def test_E7_a_probe_is_built_as_its_own_files_say_else_as_told(tmp_path: Path, stated: str, version: str) -> None:
    made = make_project(tmp_path / "toy.git")
    made.commit("here", "[Build] Version (#4)", {"pyproject.toml": f'[project]\nname = "toykit"\n{stated}\n'})
    assert version_at(open_at(made.path, GO).repo, made.shas["here"], "2.1.1") == version
