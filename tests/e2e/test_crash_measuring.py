"""Killed while it checks, measures and searches: a regression found by killed ticks is found as by one never killed.

The engine is a stub in the toy package, started as a process for each launch; one trunk commit makes it slower.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from gitmaker import GitMaker
from trainkit import BRANCH, CUT, GO, PERSON, Project, approve, bytes_under, make_project, open_at

from headway import controls, withdrawing
from headway.model.entry import Entry, Kind, broken_links
from headway.model.measurement import Side

TICKER = Path(__file__).parent.parent / "ticker.py"
# What differs between two runs of one train: what was measured, how long it took, where it lay, digests of those.
_LOOSE = frozenset(
    {"seconds", "ratio", "posterior", "digest", "numbers", "log", "index", "evidence", "notes_sha256", "notes"}
)

# It says its commit on the pipe that all launches hold open until they end. With ENGINE_KILLS (a folder) the first
# launch of each commit ends its parent, the tick, in the middle of the first request.
_ENGINE = """
import json, os, pathlib, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from toykit.pace import SECONDS

port, commit = sys.argv[1:]
os.write(os.open(os.environ["ENGINE_LIVES"], os.O_WRONLY), f"{commit}\\n".encode())
kills = os.environ.get("ENGINE_KILLS")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()
        for _ in range(asked["max_tokens"]):
            time.sleep(SECONDS)
            self.event(choices=[{"text": "x", "finish_reason": None}])
            if kills and not (mark := pathlib.Path(kills, commit)).exists():
                mark.touch()
                os.kill(os.getppid(), signal.SIGKILL)
        self.event(choices=[{"text": "", "finish_reason": "length"}])
        self.event(choices=[], usage={"prompt_tokens": 4, "completion_tokens": asked["max_tokens"]})
        self.wfile.write(b"data: [DONE]\\n\\n")

    def event(self, **fields):
        self.wfile.write(f"data: {json.dumps(fields)}\\n\\n".encode())
        self.wfile.flush()

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""
_POLICY = """
[cut]
check = '{python} -c "import os, sys; sys.exit(os.path.exists(sys.argv[1]))" RED'

[perf]
serve = "{python} -m toykit.engine {port} {commit}"
margin = 0.6
looks = [2]
start_timeout_s = 60

[[perf.cells]]
model = "toy"
hardware = "cpu"
test = "closed-1"
client = "--num-prompts 3 --concurrency 1 --input-len 4 --output-len 3 --warmups 0"
metrics = ["median_tpot_ms"]

[waivers]
clauses = ["E7"]
"""
# A person's command whose process dies when it asks for the time: the index is written, the entry is not.
_YANKS_AND_DIES = """
import os, pathlib, signal, sys
from headway import withdrawing
from headway.app import open_headway

class Deadly:
    def now(self):
        os.kill(os.getpid(), signal.SIGKILL)

withdrawing.yank(open_headway(pathlib.Path(sys.argv[1]), clock=Deadly(), person=sys.argv[2]), "0.1.1", "too slow")
"""


class Lives:
    """A named pipe on which each launch says its commit, and which it holds open as long as it lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def all_ended(self) -> Counter[str]:
        """Wait until no launch is alive; how often each commit was launched."""
        said = b""
        while True:
            ready, _, _ = select.select([self._end], [], [], 60)
            assert ready, "an engine still runs"
            more = os.read(self._end, 65536)
            if not more:
                os.close(self._end)
                return Counter(said.decode().split())
            said += more


@dataclass
class End:
    """All that a finished train left in the world."""

    refs: dict[str, str]
    entries: list[tuple[str, str, str, str, dict[str, Any]]]
    index: dict[str, bytes]
    blocks: dict[tuple[str, str], list[tuple[int, Side]]]
    launches: Counter[str]


@dataclass(frozen=True)
class Train:
    """A copy of one project. ``stops`` is the file of the steps at which a tick was killed; none: it never is."""

    project: Project
    lives: Lives
    stops: Path | None = None
    kills: Path | None = None

    def ticks(self, at: datetime) -> int:
        """Run ticks until only waits are left; how often they were killed on the way."""
        env = {**os.environ, "ENGINE_LIVES": str(self.lives.path)}
        env |= {"ENGINE_KILLS": str(self.kills)} if self.kills else {}
        args = [sys.executable, str(TICKER), str(self.project.path), at.isoformat(), str(self.stops or "")]
        done = subprocess.run(args, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def ride(self) -> int:
        """A cut, a regression, its culprit; released all the same, since a person waives it. How often killed."""
        killed = self.ticks(CUT)
        waived = controls.waive(open_at(self.project.path, GO), "0.1.1", "E7", "it is known", date(2025, 3, 1))
        assert isinstance(waived, Entry), waived
        approve(open_at(self.project.path, GO), "0.1.1")
        return killed + self.ticks(GO)

    def yank(self) -> None:
        """Withdraw it; the one whose ticks are killed is first killed between the index and the entry."""
        if self.stops:
            args = [sys.executable, "-c", _YANKS_AND_DIES, str(self.project.path), PERSON]
            assert subprocess.run(args, check=False).returncode == -signal.SIGKILL
            app = open_at(self.project.path, GO)
            assert [e for e in app.entries() if e.kind is Kind.YANKED] == []
            assert b"too slow" in (app.index_folder / "yanked.json").read_bytes()
        entry = withdrawing.yank(open_at(self.project.path, GO), "0.1.1", "too slow")
        assert isinstance(entry, Entry), entry

    def end(self) -> End:
        app = open_at(self.project.path, GO)
        assert broken_links(app.entries()) == ()
        rows = [
            (e.at.isoformat(), e.actor, str(e.kind), e.train, {k: v for k, v in e.payload.items() if k not in _LOOSE})
            for e in app.entries()
        ]
        # The final tag holds the notes, which may tell what was measured: its commit is compared, not the tag object.
        refs = self.project.refs() | {"refs/tags/v0.1.1": self.project.git("rev-parse", "v0.1.1^{commit}")}
        found = {
            (c.subject, c.baseline): [(s.block, s.side) for s in c.samples if s.metric == "median_tpot_ms"]
            for c in app.observe().comparisons
        }
        return End(refs, rows, bytes_under(app.index_folder), found, self.lives.all_ended())


def train_in(prepared: Project, folder: Path, **how: Path) -> Train:
    """A train on a copy of the project, which lies in ``folder``."""
    shutil.copytree(prepared.path, folder / "toy.git")
    project = Project(GitMaker(folder / "toy.git", bare=True), folder / "toy.git", dict(prepared.shas))
    return Train(project, Lives(folder / "lives"), **how)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """v0.1.0 has the engine. Then a harmless commit, the slow one, another harmless one, and one that is not green."""
    project = make_project(tmp_path_factory.mktemp("prepared") / "toy.git", policy=_POLICY)
    engine = {"toykit/engine.py": _ENGINE, "toykit/pace.py": "SECONDS = 0.01\n"}
    project.commit("base", "[Core] Engine (#4)", engine)
    project.git("tag", "--delete", "v0.1.0")
    project.made.tag("v0.1.0", message="v0.1.0")
    project.commit("before", "[Core] Fewer rows (#5)", {"toykit/table.py": "def rows():\n    return [0, 1]\n"})
    project.commit("slow", "[Core] Safer tokens (#6)", {"toykit/pace.py": "SECONDS = 0.08\n"})
    project.commit("after", "[Doc] Tokens are safe (#7)", {"docs/safe.md": "They are.\n"})
    project.commit("red", "[Core] Half done (#8)", {"RED": ""})
    return project


@pytest.fixture(scope="module")
def undisturbed(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> End:
    train = train_in(prepared, tmp_path_factory.mktemp("undisturbed"))
    assert train.ride() == 0
    train.yank()
    return train.end()


def test_the_undisturbed_train_finds_the_culprit(prepared: Project, undisturbed: End) -> None:
    """E7, B2: what the other is compared with has every kind of effect in it, and is right."""
    shas = prepared.shas
    by_headway = [(kind, payload) for _, actor, kind, _, payload in undisturbed.entries if actor == "headway"]
    probes = ["probed"] * 3  # the commit before, the slow one, and the two against each other
    assert [kind for kind, _ in by_headway] == [
        *("checked", "checked", "cut", "tagged", "built", "tested", "staged", "measured"),
        *probes,
        *("culprit", "published", "released"),
    ]
    assert [(p["commit"], p["ok"]) for kind, p in by_headway if kind == "checked"] == [
        (shas["red"], False),
        (shas["after"], True),
    ]
    for kind, p in by_headway:
        if kind in {"measured", "probed"}:  # what counts is named job by job
            assert p["jobs"] == [{"cells": [["toy", "cpu", "closed-1"]], "blocks": list(range(p["first"], p["last"]))}]
    (culprit,) = [p for kind, p in by_headway if kind == "culprit"]
    assert (culprit["commit"], culprit["confirmed"], culprit["suspects"]) == (shas["slow"], True, [shas["slow"]])
    assert undisturbed.refs[f"refs/heads/{BRANCH}"] == undisturbed.refs["refs/tags/v0.1.1"] == shas["after"]


def test_a_train_killed_at_each_step_finds_the_same(prepared: Project, undisturbed: End, tmp_path: Path) -> None:
    """E5, E7, N1: each range is recorded once, no block is run or kept twice, and no engine outlives its tick."""
    stops, kills, shas = tmp_path / "stops", tmp_path / "kills", prepared.shas
    kills.mkdir()
    train = train_in(prepared, tmp_path, stops=stops, kills=kills)
    killed = train.ride()
    train.yank()
    seen = stops.read_text(encoding="utf-8").splitlines()
    in_launches = {p.name for p in kills.iterdir()}
    measured = {shas[name] for name in ("before", "slow", "after")}
    assert in_launches == {shas["base"], *measured}
    assert killed == len(seen) + len(in_launches)
    assert len(seen) == len(set(seen))
    for when in ("before", "unrecorded", "after"):
        of = {name.split(":")[1] for name in seen if name.startswith(f"{when}:")}
        assert {"check", "cut", "measure", "probe", "culprit"} <= of

    end = train.end()
    assert end.entries == undisturbed.entries
    assert end.refs == undisturbed.refs
    assert end.index == undisturbed.index
    ranges = [
        ((p["commit"], p["baseline"]), p["first"], p["last"])
        for _, _, kind, _, p in end.entries
        if kind in {"measured", "probed"}
    ]
    run = [(pair, block) for pair, first, last in ranges for block in range(first, last)]
    assert len(run) == len(set(run))
    assert {f"measured:{commit}:{block}" for (commit, _), block in run} <= set(seen)
    assert sorted((c, b) for c, kept in end.blocks.items() for b, _ in kept) == sorted(run * 2)
    assert all(len(kept) == len(set(kept)) for kept in end.blocks.values())
    # The launch in which a tick was killed is run again, and nothing else: not the baseline's before it.
    assert end.launches - undisturbed.launches == Counter(dict.fromkeys([shas["base"], *measured], 1))
    assert sum(undisturbed.launches.values()) == 2 * len(run)
    assert [p.name for p in (train.project.path / "headway").iterdir() if p.name.startswith("export-")] == []
