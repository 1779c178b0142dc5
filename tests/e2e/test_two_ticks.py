"""Two ticks at once on one repository: one works, the other says who does; nothing is done twice."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from trainkit import CUT, PERSON, Project, approve, kinds, make_project, open_at, settle

from headway import controls
from headway.errors import LockHeld
from headway.model.entry import Kind, broken_links
from headway.model.text import facts_json

HERE = Path(__file__).parent.parent
# A tick that stops at a step until it is told to go on.
STOPPING = """
import sys
from datetime import datetime
from pathlib import Path
from trainkit import open_at

def step(name):
    if name.startswith(sys.argv[3]):
        print(name, flush=True)
        sys.stdin.readline()

open_at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), step).tick(settle=True)
"""
# A tick that tries again as long as another one holds the line.
EAGER = """
import sys
from datetime import datetime
from pathlib import Path
from headway.errors import LockHeld
from trainkit import open_at

sys.stdin.readline()
while True:
    try:
        open_at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])).tick()
    except LockHeld:
        continue
    break
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "toy.git")


def started(script: str, *args: object) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))}
    argv = [sys.executable, "-c", script, *map(str, args)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True)


@contextmanager
def stopped_at(project: Project, step: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the middle of a tick, at a step; it goes on to the end afterwards."""
    child = started(STOPPING, project.path, CUT.isoformat(), step)
    assert child.stdout is not None
    try:
        assert child.stdout.readline().startswith(step)
        yield child
    finally:
        child.communicate("\n")
    assert child.returncode == 0


@pytest.mark.parametrize("step", ["before:cut", "unrecorded:tag-candidate", "building:", "tested:", "after:test"])
def test_the_second_tick_is_told_who_holds_the_line_and_changes_nothing(project: Project, step: str) -> None:
    with stopped_at(project, step) as holder:
        refs, entries = project.refs(), open_at(project.path, CUT).entries()
        with pytest.raises(LockHeld) as caught:
            open_at(project.path, CUT).tick()
        known = facts_json(caught.value.facts)
        assert known["pid"] == holder.pid
        assert str(known["who"]).startswith(f"{PERSON} on {socket.gethostname()} (process {holder.pid})")
        assert known["since"] is not None
        assert (project.refs(), open_at(project.path, CUT).entries()) == (refs, entries)
    assert kinds(open_at(project.path, CUT)) == ["cut", "tagged", "built", "tested", "staged"]
    assert settle(open_at(project.path, CUT))[0] == []


def test_looking_and_a_persons_controls_wait_for_no_tick(project: Project) -> None:
    with stopped_at(project, "building:"):
        app = open_at(project.path, CUT)
        assert [a.kind for a in app.plan().actions] == ["build"]
        entry = controls.hold(app, None, "wait a moment")
    app = open_at(project.path, CUT)
    assert entry in app.entries()
    assert kinds(app) == ["cut", "tagged", "held", "built"]  # the hold stopped the test
    assert broken_links(app.entries()) == ()
    assert settle(app)[0] == []


def test_of_many_at_once_each_does_its_part_and_nothing_is_done_twice(project: Project) -> None:
    children = [started(EAGER, project.path, CUT.isoformat()) for _ in range(5)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    assert [child.communicate() and child.returncode for child in children] == [0] * 5
    app = open_at(project.path, CUT)
    assert kinds(app) == ["cut", "tagged", "built", "tested", "staged"]
    assert broken_links(app.entries()) == ()
    assert sorted(p.name for p in (app.repo.state / "artifacts").iterdir()) == ["v0.1.1-rc1"]


def test_the_lock_of_a_killed_tick_holds_nobody_up(project: Project) -> None:
    child = started(STOPPING, project.path, CUT.isoformat(), "building:")
    assert child.stdout is not None
    child.stdout.readline()
    child.kill()
    child.communicate()
    assert settle(open_at(project.path, CUT))[0] == ["build", "test", "stage"]
    approve(open_at(project.path, CUT), "0.1.1")
    assert [e.actor for e in open_at(project.path, CUT).entries() if e.kind is Kind.APPROVED] == [PERSON]
