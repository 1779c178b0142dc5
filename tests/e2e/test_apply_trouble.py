"""A batch of picks meets trouble: an origin that is gone, a protected branch, a hook that rejects, a full disk, a kill.

Each time nothing is half done, what is wrong and what to do is said, the next tick goes on, and nothing comes twice.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gitmaker import GitMaker
from trainkit import BRANCH, CUT, PICKS, Project, ask, grow_trunk, make_project, open_at, settle

from headway.errors import WorldFailed
from headway.model.entry import Kind, broken_links
from headway.model.text import facts_json

HERE = Path(__file__).parent.parent
OLD = "releases/v0.1.0"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Cut; two picks of the trunk and one of a branch of its own are asked for, and a trunk revert is needed."""
    made = make_project(tmp_path / "toy.git")
    open_at(made.path, CUT).tick()
    grow_trunk(made)
    for name, category in (("docs", "docs"), ("fix", "regression"), ("ci", "release-branch")):
        ask(open_at(made.path, PICKS), made.shas[name], category, "https://example.org/why")
    return made


def origins(project: Project, branch: str = BRANCH) -> Counter[str]:
    """What the branch says its commits are from."""
    said = project.git("log", "--format=%B", f"v0.1.0..{branch}").splitlines()
    return Counter(line.split()[-1].rstrip(")") for line in said if line.startswith("(cherry picked from"))


def recorded(project: Project) -> Counter[str]:
    """What the ledger says was applied; its chain holds."""
    entries = open_at(project.path, PICKS).entries()
    assert broken_links(entries) == ()
    return Counter(c["origin"] for e in entries if e.kind is Kind.APPLIED for c in e.payload["changes"])


def once_each(project: Project, *names: str) -> None:
    """These, and nothing else, are on the branch and in the ledger, each once."""
    wanted = Counter(project.shas[n] for n in names)
    assert origins(project) == wanted
    assert recorded(project) == wanted


def once_at(prefix: str, act: Callable[[], object]) -> Callable[[str], None]:
    """Do something in the moment before a step whose name begins so, the first time."""
    seen: list[str] = []

    def at(name: str) -> None:
        if name.startswith(prefix) and not seen:
            seen.append(name)
            act()

    return at


@contextmanager
def hook(project: Project, name: str, text: str) -> Iterator[None]:
    path = project.path / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    try:
        yield
    finally:
        path.unlink()


# What is not in the clone any more -----------------------------------------------------------------------------------


def collected(project: Project) -> Path:
    """The branch of a pick is deleted and its commits collected as garbage; a bundle has them still."""
    bundle = project.path.parent / "ci.bundle"
    project.git("bundle", "create", "-q", str(bundle), "main..grace/ci")
    project.git("branch", "-D", "grace/ci")
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "--quiet", "--prune=now")
    return bundle


@pytest.mark.parametrize("looked", [False, True])
def test_an_origin_that_was_collected_is_named_and_the_rest_is_applied(project: Project, looked: bool) -> None:
    """P8, B6; also when a look before it had everything."""
    if looked:
        assert len(open_at(project.path, PICKS).plan().actions) == 1
    bundle = collected(project)
    (gone,) = [w for t in open_at(project.path, PICKS).plan().trains for w in t.waits if w.code == "picks.origin-gone"]
    assert (gone.clause, facts_json(gone.facts)["commit"]) == ("P8", project.shas["ci"])
    assert f"git fetch origin {project.shas['ci']}" in str(gone.remedy)
    done, waits = settle(open_at(project.path, PICKS))
    assert done == ["apply", "tag-candidate", "build", "test", "stage"]
    assert gone in waits
    once_each(project, "docs", "fix", "revert")
    project.git("fetch", "--quiet", str(bundle), "grace/ci:grace/ci")
    assert settle(open_at(project.path, PICKS))[0] == ["apply", "tag-candidate", "build", "test", "stage"]
    once_each(project, "docs", "fix", "revert", "ci")


@pytest.mark.parametrize("moment", ["before:apply", "commit:pick:"])
def test_an_origin_that_is_collected_between_plan_and_effect_is_planned_again_without(
    project: Project, moment: str
) -> None:
    """P8: in the same tick."""
    done, waits = open_at(project.path, PICKS, once_at(moment, lambda: collected(project))).tick()
    assert [d.action.kind for d in done] == ["apply"]
    assert [w.code for w in waits].count("picks.origin-gone") == 1
    once_each(project, "docs", "fix", "revert")


def test_a_file_of_an_origin_that_is_lost_is_named_and_the_rest_is_applied(project: Project) -> None:
    """P8: the commit is there and what it holds is not: a broken disk, or a clone of parts."""
    (project.path / "objects" / "pack").mkdir(exist_ok=True)
    for pack in (project.path / "objects" / "pack").glob("*.pack"):
        moved = project.path.parent / pack.name
        shutil.move(pack, moved)
        project.made.run("unpack-objects", "-q", stdin=moved.read_bytes())
    tree = project.git("rev-parse", f"{project.shas['ci']}^{{tree}}")
    lost = project.path / "objects" / tree[:2] / tree[2:]
    kept = lost.read_bytes()
    lost.unlink()
    done, waits = open_at(project.path, PICKS).tick()
    assert [d.action.kind for d in done] == ["apply"]
    (gone,) = [w for w in waits if w.code == "picks.origin-gone"]
    assert tree in str(gone.text)
    once_each(project, "docs", "fix", "revert")
    lost.write_bytes(kept)
    open_at(project.path, PICKS).tick()
    once_each(project, "docs", "fix", "revert", "ci")


# Who guards the branch -----------------------------------------------------------------------------------------------

PROTECTED = f'[ "$1" = refs/heads/{BRANCH} ] || exit 0; echo "{BRANCH} is protected: ask Kim" >&2; exit 1'
SIGNED = 'while read old new ref; do case "$ref" in refs/heads/releases/*) echo "ask Kim" >&2; exit 1;; esac; done'


@pytest.mark.parametrize(("name", "text"), [("update", PROTECTED), ("pre-receive", SIGNED)])
def test_a_protected_branch_is_quoted_and_the_plan_stays_as_it_is(project: Project, name: str, text: str) -> None:
    """B1: no way around what guards the branch against everybody."""
    planned, refs, entries = open_at(project.path, PICKS).plan(), project.refs(), open_at(project.path, PICKS).entries()
    with hook(project, name, text):
        for _ in range(2):
            with pytest.raises(WorldFailed) as caught:
                open_at(project.path, PICKS).tick()
            assert (caught.value.code, caught.value.clause) == ("branch.refused", "B1")
            assert "ask Kim" in str(caught.value)
            assert "then tick again" in str(caught.value.remedy)
            assert (project.refs(), open_at(project.path, PICKS).entries()) == (refs, entries)
            assert open_at(project.path, PICKS).plan() == planned
    settle(open_at(project.path, PICKS))
    once_each(project, "docs", "fix", "revert", "ci")


def test_a_protected_branch_keeps_no_other_train_from_going_on(project: Project) -> None:
    """B1: the other train's picks are applied, and the failure is told with that."""
    project.git("branch", OLD, "v0.1.0")
    ask(open_at(project.path, PICKS), project.shas["fix"], "critical", "https://example.org/crash", onto="0.1.0.post1")
    planned = {a.target for a in open_at(project.path, PICKS).plan().actions}
    assert planned == {BRANCH, OLD}
    with hook(project, "update", PROTECTED.replace(BRANCH, OLD)), pytest.raises(WorldFailed) as caught:
        open_at(project.path, PICKS).tick()
    assert OLD in str(caught.value)
    assert facts_json(caught.value.facts)["done"] == [f"apply {BRANCH}"]
    assert origins(project) == Counter(project.shas[n] for n in ("docs", "fix", "revert", "ci"))
    assert not origins(project, OLD)
    open_at(project.path, PICKS).tick("0.1.0.post1")
    assert origins(project, OLD) == Counter([project.shas["fix"]])


# Disks ---------------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """What is in a folder is on a disk without room for anything more; calling what is given makes room."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    aside = folder.with_name("aside")
    shutil.copytree(folder, aside, symlinks=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this root may not mount")
    try:
        shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
        filler = folder / "filler.lock"  # no ref, where refs are
        with filler.open("wb", buffering=0) as f:
            while True:
                try:
                    f.write(b"\0" * 4096)
                except OSError:
                    break
        yield filler.unlink
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(("part", "words"), [("objects", "No space left on device"), ("refs", "couldn't write")])
def test_a_full_disk_under_the_repository_stops_the_batch_in_words(project: Project, part: str, words: str) -> None:
    """B1: as objects are written, and as the branch is moved."""
    refs, entries = project.refs(), open_at(project.path, PICKS).entries()
    with small_disk(project.path / part) as make_room:
        for _ in range(2):
            with pytest.raises(WorldFailed) as caught:
                open_at(project.path, PICKS).tick()
            assert words in str(caught.value)
            assert str(caught.value.remedy)
            assert (project.refs(), open_at(project.path, PICKS).entries()) == (refs, entries)
        assert [a.kind for a in open_at(project.path, PICKS).plan().actions] == ["apply"]
        make_room()
        assert settle(open_at(project.path, PICKS))[0] == ["apply", "tag-candidate", "build", "test", "stage"]
        once_each(project, "docs", "fix", "revert", "ci")


LIMITED = """
import resource, sys
from datetime import datetime
from pathlib import Path
from trainkit import open_at
from headway.errors import WorldFailed

app = open_at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
app.writing
resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))
try:
    app.tick()
except WorldFailed as e:
    print(e.code)
    print(e)
    print(e.remedy)
"""


def child(script: str, *args: object, **env: str) -> subprocess.Popen[str]:
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    argv = [sys.executable, "-c", script, *map(str, args)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path, **env}, text=True)


def test_files_that_may_not_grow_stop_the_tick_in_words(project: Project) -> None:
    """B1: a quota, where no disk can be mounted for the test."""
    refs, entries = project.refs(), open_at(project.path, PICKS).entries()
    tick = child(LIMITED, project.path, PICKS.isoformat())
    said = tick.communicate(timeout=120)[0].splitlines()
    assert tick.returncode == 0
    assert len(said) >= 3, said
    assert (project.refs(), open_at(project.path, PICKS).entries()) == (refs, entries)
    settle(open_at(project.path, PICKS))
    once_each(project, "docs", "fix", "revert", "ci")


# Killed --------------------------------------------------------------------------------------------------------------

TICK = """
import os, sys
from datetime import datetime
from pathlib import Path
from trainkit import open_at

os.environ["TICK"] = str(os.getpid())
open_at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])).tick()
"""


def ended(pattern: Path) -> None:
    """Wait until a file is there."""
    for _ in range(600):
        if pattern.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{pattern} never came")


def test_killed_before_the_push_arrives_the_branch_moves_or_not_and_comes_out_the_same(
    project: Project, tmp_path: Path
) -> None:
    """B1, P8: git goes on when the tick is dead; the next tick, which comes before git is done, and the one after it
    find what is there."""
    waiting, go, over = (tmp_path / n for n in ("waiting", "go", "over"))
    guard = (
        f'[ -e "{waiting}" ] && exit 0; : > "{waiting}"\n'
        f'kill -9 "$TICK"; while [ ! -e "{go}" ]; do sleep 0.05; done; : > "{over}"'
    )
    with hook(project, "pre-receive", guard):
        tick = child(TICK, project.path, PICKS.isoformat())
        tick.communicate(timeout=120)
        assert tick.returncode == -signal.SIGKILL
        ended(waiting)
        assert not recorded(project)
        assert settle(open_at(project.path, PICKS))[0] == ["apply", "tag-candidate", "build", "test", "stage"]
        tip = project.git("rev-parse", BRANCH)
        go.touch()
        ended(over)
        time.sleep(0.5)  # what is left of the dead tick's push
    assert project.git("rev-parse", BRANCH) == tip
    assert settle(open_at(project.path, PICKS))[0] == []
    once_each(project, "docs", "fix", "revert", "ci")


def test_killed_when_the_branch_has_moved_and_nothing_is_written_it_is_written_down(project: Project) -> None:
    """B1, P8: between the move and the ledger."""
    with hook(project, "post-receive", 'kill -9 "$TICK"'):
        tick = child(TICK, project.path, PICKS.isoformat())
        tick.communicate(timeout=120)
    assert tick.returncode == -signal.SIGKILL
    assert not recorded(project)
    tip = project.git("rev-parse", BRANCH)
    assert settle(open_at(project.path, PICKS))[0] == ["record-applied", "tag-candidate", "build", "test", "stage"]
    assert project.git("rev-parse", BRANCH) == tip
    once_each(project, "docs", "fix", "revert", "ci")


def test_killed_with_all_objects_made_and_the_branch_not_moved_they_are_made_again(project: Project) -> None:
    """B1, P8: what was made is the same when it is made again, and what is not used is git's to collect."""
    script = TICK.replace(
        "open_at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))",
        "open_at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]),"
        " lambda name: os.kill(os.getpid(), 9) if name.startswith('move:') else None)",
    )
    refs, before = project.refs(), objects(project.made)
    for _ in range(2):
        tick = child(script, project.path, PICKS.isoformat())
        tick.communicate(timeout=120)
        assert tick.returncode == -signal.SIGKILL
        assert (project.refs(), recorded(project)) == (refs, Counter())
    made = objects(project.made) - before
    settle(open_at(project.path, PICKS))
    once_each(project, "docs", "fix", "revert", "ci")
    on_branch = set(project.git("rev-list", "--objects", "--no-object-names", f"main..{BRANCH}").splitlines())
    assert {sha for sha in made if project.git("cat-file", "-t", sha) == "commit"} <= on_branch


def objects(made: GitMaker) -> set[str]:
    """All objects, also those that nothing refers to."""
    return {x.split()[0] for x in made.run("cat-file", "--batch-all-objects", "--batch-check").splitlines()}
