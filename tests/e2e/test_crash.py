"""Killed at every line: a train whose ticks are killed by SIGKILL at each step ends as one that never was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gitmaker import GitMaker
from trainkit import (
    BRANCH,
    CUT,
    GO,
    PICKS,
    POST,
    Project,
    approve,
    ask,
    bytes_under,
    grow_trunk,
    make_project,
    only,
    open_at,
    verify,
)

from headway import controls
from headway.model.entry import Kind, broken_links
from headway.model.pick import Claims

HOURS = 2
QUIET = timedelta(hours=HOURS)
SAFE: dict[str, str | None] = {"docs/index.md": "# toykit\n\nSafe.\n"}
TICKER = Path(__file__).parent.parent / "ticker.py"
# What may differ between two runs of one train: how long it took, where it lay, and digests that cover those.
_LOOSE = frozenset({"seconds", "log", "index", "evidence"})


@dataclass
class End:
    """All that a finished train left in the world."""

    refs: dict[str, str]
    entries: list[tuple[str, str, str, str, dict[str, Any]]]
    index: dict[str, bytes]
    artifacts: dict[str, bytes]
    documents: dict[str, Any]
    releases: dict[str, Any]
    staging: dict[str, bytes]


@dataclass(frozen=True)
class Train:
    """A copy of one project. ``stops`` is the file of the steps at which a tick was killed; none: it never is."""

    project: Project
    stops: Path | None

    def ticks(self, at: datetime) -> int:
        """Run ticks until only waits are left; how often they were killed on the way."""
        args = [sys.executable, str(TICKER), str(self.project.path), at.isoformat(), str(self.stops or "")]
        done = subprocess.run(args, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def ride(self) -> int:
        """Cut, an embargoed fix, picks, a conflict and a revert, rc1, approval, release, then a post release; how
        often a tick was killed."""
        path, shas = self.project.path, self.project.shas
        killed = self.ticks(CUT)
        self.ask_embargoed()
        killed += self.ticks(CUT)
        grow_trunk(self.project)
        ask(open_at(path, PICKS), shas["on-feature"], "critical", "https://example.org/conflict")
        for name, category in (("docs", "docs"), ("fix", "regression"), ("ci", "release-branch")):
            ask(open_at(path, PICKS), shas[name], category, "https://example.org/why")
        killed += self.ticks(PICKS) + self.ticks(PICKS + QUIET)
        approve(open_at(path, GO), "0.1.1")
        killed += self.ticks(GO)
        self.project.commit("public", "Say that it is safe (#10)", SAFE)
        self.project.commit(
            "late",
            "[Bugfix] Nothing is none (#9)",
            {"toykit/table.py": "def head(rows):\n    return rows[:1]\n"},
        )
        ask(open_at(path, POST), shas["late"], "critical", "https://example.org/crash")
        killed += self.ticks(POST) + self.ticks(POST + QUIET)
        approve(open_at(path, POST + QUIET), "0.1.1.post1")
        return killed + self.ticks(POST + QUIET)

    def ask_embargoed(self) -> None:
        project = self.project
        project.made.branch("grace/secret", project.made.tip(BRANCH))
        project.commit("secret", "Say that it is safe", SAFE, branch="grace/secret", when=CUT)
        claims = Claims(symptom="remote code execution", embargo=PICKS.date().isoformat())
        ask(open_at(project.path, CUT), project.shas["secret"], "critical", "CVE-2025-0001", claims=claims)
        for person in ("Rosa", "Bo"):
            app = open_at(project.path, CUT, person=person)
            assert controls.waive(app, "0.1.1", "P8", "embargo", PICKS.date(), project.shas["secret"])

    def end(self) -> End:
        app = open_at(self.project.path, POST)
        assert broken_links(app.entries()) == ()
        rows = [
            (
                e.at.isoformat(),
                e.actor,
                str(e.kind),
                e.train,
                {k: _steady(v) for k, v in e.payload.items() if k not in _LOOSE},
            )
            for e in app.entries()
        ]
        state = app.repo.state
        for version in ("0.1.1", "0.1.1.post1"):
            assert verify(app, version) == ()
        refs = self.project.refs()
        made = bytes_under(app.index_folder), bytes_under(state / "artifacts")
        told = _released(state / "documents"), _released(state / "releases")
        return End(refs, rows, *made, *told, bytes_under(state / "staging"))


def _steady(value: Any) -> Any:
    """Without what the provenance is: it tells how long the build took, and the ledger's head covers that."""
    if not isinstance(value, list):
        return value
    loose = [r["file"] for r in value if isinstance(r, dict) and str(r.get("file")).endswith(".provenance.json")]
    return [r if not isinstance(r, dict) or r.get("file") not in loose else r["file"] for r in value]


def _released(folder: Path) -> dict[str, Any]:
    """Release objects and documents by file: bytes, or of what tells durations only what does not."""
    found: dict[str, Any] = dict(bytes_under(folder))
    for name, data in found.items():
        if name.endswith(".provenance.json"):
            found[name] = json.loads(data)["subject"]
        elif name.endswith("release.json"):
            found[name] = {k: _steady(v) for k, v in json.loads(data).items()}
    return found


def train_in(prepared: Project, folder: Path, stops: Path | None = None) -> Train:
    """A train on a copy of the project."""
    shutil.copytree(prepared.path, folder)
    return Train(Project(GitMaker(folder, bare=True), folder, dict(prepared.shas)), stops)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(
        tmp_path_factory.mktemp("prepared") / "toy.git", policy=f"\n[candidate]\nquiet_hours = {HOURS}\n", trust=""
    )


@pytest.fixture(scope="module")
def undisturbed(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> End:
    train = train_in(prepared, tmp_path_factory.mktemp("undisturbed") / "toy.git")
    assert train.ride() == 0
    return train.end()


def test_a_train_killed_at_each_step_ends_as_one_that_never_was(
    prepared: Project, undisturbed: End, tmp_path: Path
) -> None:
    """Same refs, same ledger, same bytes on the index, nothing twice."""
    stops = tmp_path / "stops"
    train = train_in(prepared, tmp_path / "toy.git", stops)
    killed = train.ride()
    seen = stops.read_text(encoding="utf-8").splitlines()
    assert killed == len(seen) == len(set(seen))
    assert {name.split(":")[0] for name in seen} == {
        "before",
        "commit",
        "move",
        "workspace",
        "building",
        "testing",
        "tested",
        "described",
        "staging",
        "publish",
        "asset",
        "final-tag",
        "shown",
        "unrecorded",
        "after",
    }
    kinds = {"cut", "apply", "tag-candidate", "build", "test", "stage", "publish", "tag-final"}
    kinds |= {"describe", "draft-release", "prepare-embargoed", "open-workspace", "open-debt", "pay-debt"}
    assert {name.split(":")[1] for name in seen if name.startswith("unrecorded:")} == kinds | {"record-applied"}
    end = train.end()
    assert end.refs == undisturbed.refs
    assert end.entries == undisturbed.entries
    assert end.index == undisturbed.index
    assert end.artifacts == undisturbed.artifacts
    assert end.documents == undisturbed.documents
    assert end.releases == undisturbed.releases
    assert end.staging == undisturbed.staging != {}
    assert [p.name for p in (train.project.path / "headway").iterdir() if p.name.startswith("export-")] == []


def test_the_undisturbed_train_is_a_whole_one(undisturbed: End) -> None:
    """What the other is compared with has every kind of effect in it."""
    assert {"refs/tags/v0.1.1", "refs/tags/v0.1.1.post1", f"refs/heads/{BRANCH}"} <= undisturbed.refs.keys()
    by_headway = [kind for _, actor, kind, _, _ in undisturbed.entries if actor == "headway"]
    candidate = ["applied", "tagged", "built", "tested", "staged", "described", "published", "drafted", "released"]
    first = ["applied", "debt", "conflict", *candidate[1:]]
    assert by_headway == ["cut", "embargo-prepared", *first, "debt-paid", *candidate]
    assert sum(name.endswith(".whl") for name in undisturbed.index) == 2


def test_a_tick_killed_inside_its_build_builds_again_from_nothing(prepared: Project, tmp_path: Path) -> None:
    """The build itself kills the tick, with half a file written: nothing of it is taken for a candidate's."""
    train = train_in(prepared, tmp_path / "toy.git")
    mark, builder = tmp_path / "killed", tmp_path / "builder.py"
    builder.write_text(
        "import os, pathlib, signal, subprocess, sys\n"
        "out, mark = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])\n"
        "if not mark.exists():\n"
        "    mark.touch()\n"
        "    (out / 'toykit-0.1.1-py3-none-any.whl').write_bytes(b'half a wh')\n"
        "    (out / 'left-over.whl').write_bytes(b'')\n"
        "    os.kill(os.getppid(), signal.SIGKILL)\n"
        "    sys.exit(1)\n"
        "sys.exit(subprocess.call([sys.executable, '-P', '-m', 'build', '--installer', 'uv', '--outdir', out, '.']))\n"
    )
    text = (train.project.git("show", "main:release.toml") + "\n").replace("quiet_hours = 2", "quiet_hours = 0")
    (train.project.path / "headway").mkdir()
    command = f"{{python}} {builder} {{out}} {mark}"
    (train.project.path / "headway" / "release.toml").write_text(
        text.replace("[build.env]", f'[build]\ncommand = "{command}"\n\n[build.env]')
    )
    assert train.ticks(CUT) == 1
    app = open_at(train.project.path, CUT)
    built = only(app, Kind.BUILT, "0.1.1").payload
    assert [a["file"] for a in built["artifacts"]] == ["toykit-0.1.1-py3-none-any.whl", "toykit-0.1.1.tar.gz"]
    assert sorted(bytes_under(app.paths.artifacts("v0.1.1-rc1"))) == [a["file"] for a in built["artifacts"]]
    assert only(app, Kind.TESTED, "0.1.1").payload["ok"] is True
