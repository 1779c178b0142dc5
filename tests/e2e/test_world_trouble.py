"""The world does not hold still: branches and tags made by others, hooks, work trees, disks, builds, hostile words.

Nothing is half done, what is wrong is said in words, and the next tick goes on when it is mended.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from trainkit import (
    BRANCH,
    CUT,
    GO,
    PICKS,
    Project,
    approve,
    ask,
    grow_trunk,
    kinds,
    make_project,
    only,
    open_at,
    settle,
    verify,
)

from headway import controls, picking, reviewing
from headway.decide.pickstates import PickState
from headway.errors import HeadwayError, UnusableInput, WorldFailed
from headway.model.entry import Entry, Kind, broken_links
from headway.model.text import facts_json
from headway.refusal import Refused

HERE = Path(__file__).parent.parent
FROZEN = """
[[picks.phases]]
name = "open"
categories = ["regression", "docs"]

[[picks.phases]]
name = "frozen"
days_before = 9
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "toy.git")


@pytest.fixture
def asked(project: Project) -> Project:
    """Cut, with two picks asked for that are not applied yet."""
    open_at(project.path, CUT).tick()
    grow_trunk(project)
    for ref, category in (("#5", "docs"), ("#4", "regression")):
        ask(open_at(project.path, PICKS), ref, category, "https://example.org/why")
    return project


def foreign(project: Project, onto: str = BRANCH) -> str:
    """A commit that somebody makes on a branch by hand."""
    tip = project.git("commit-tree", f"{onto}^{{tree}}", "-p", onto, "-m", "By hand")
    project.git("update-ref", f"refs/heads/{onto}", tip)
    return tip


def once_at(prefix: str, act: Callable[[], object]) -> Callable[[str], None]:
    """Do something in the moment before a step whose name begins so, the first time."""
    seen: list[str] = []

    def at(name: str) -> None:
        if name.startswith(prefix) and not seen:
            seen.append(name)
            act()

    return at


# Branches and tags ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before:apply", "commit:", "move:"])
def test_a_branch_moved_between_plan_and_effect_is_planned_again(asked: Project, moment: str) -> None:
    """B1: compare-and-swap; the same tick plans on what is there, and asks whose commit it is (G3)."""
    at = once_at(moment, lambda: foreign(asked))
    done, waits = open_at(asked.path, PICKS, at).tick(settle=True)
    assert [d.action.kind for d in done] == ["apply"]  # and no candidate: nobody accounts for what they pushed
    moved = asked.git("rev-parse", f"{BRANCH}~3")  # two picks and a revert on top of it
    assert asked.git("log", "-1", "--format=%s", moved) == "By hand"
    assert only(open_at(asked.path, PICKS), Kind.APPLIED, "0.1.1").payload["before"] == moved
    (strange,) = [w for w in waits if w.clause == "G3"]
    assert facts_json(strange.facts)["commits"] == [f"{moved} By hand"]


def test_what_was_pushed_meanwhile_may_be_what_was_to_be_applied(asked: Project) -> None:
    """B1, B6: somebody was quicker with a pick; it is written down as theirs, and the rest is applied on it."""

    def by_hand() -> None:
        tree = asked.path.parent / "by-hand"
        asked.git("worktree", "add", "--quiet", "--detach", str(tree), BRANCH)
        asked.made.run("cherry-pick", "-x", asked.shas["fix"], cwd=tree)
        asked.git("update-ref", f"refs/heads/{BRANCH}", asked.made.run("rev-parse", "HEAD", cwd=tree))

    done, _ = open_at(asked.path, PICKS, once_at("move:", by_hand)).tick()
    assert [d.action.kind for d in done] == ["record-applied"]
    assert settle(open_at(asked.path, PICKS))[0] == ["apply", "tag-candidate", "build", "test", "stage"]
    rows = [e.payload["changes"] for e in open_at(asked.path, PICKS).entries() if e.kind is Kind.APPLIED]
    assert [[c["origin"] for c in changes] for changes in rows] == [
        [asked.shas["fix"]],
        [asked.shas["docs"], asked.shas["revert"]],
    ]
    assert [[c.get("by") for c in changes] for changes in rows] == [["Keeper"], [None, None]]


def test_what_was_pushed_as_a_pick_and_is_another_change_is_unexplained(asked: Project) -> None:
    """P1, G3: an ``-x`` line is words; what it names is held against what the commit does."""
    asked.made.commit(
        "Count all",
        {"toykit/parse.py": "import os\n"},
        branch=BRANCH,
        body=f"(cherry picked from commit {asked.shas['fix']})",
    )
    app = open_at(asked.path, PICKS)
    moved = asked.made.tip(BRANCH)
    assert next(w.code for w in app.train("0.1.1").waits) == "branch.unexplained"
    settle(app)
    origins = {c["origin"] for e in app.entries() if e.kind is Kind.APPLIED for c in e.payload["changes"]}
    assert asked.shas["fix"] not in origins
    picking.adopt(app, [moved], "regression", "resolved by hand")
    assert {r.ref: r.state for r in picking.all_picks(app)}["#4"] is PickState.THERE


@pytest.mark.parametrize("meanwhile", ["frozen", "withdrawn"])
def test_what_a_killed_tick_applied_is_its_own_whatever_came_since(asked: Project, meanwhile: str) -> None:
    """P1, G3: it was let in when it was put there."""

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_at(asked.path, PICKS, once_at("unrecorded:apply:", die)).tick()
    if meanwhile == "withdrawn":
        app = open_at(asked.path, PICKS)
        asked_for = [r.id for r in picking.all_picks(app) if r.ref == "#4"]
        answer = reviewing.withdraw(app, asked_for[0], "not needed")
        assert isinstance(answer, Refused)
        assert "pick drop" in str(answer.reasons[0].remedy)
    else:
        asked.commit(
            "policy",
            "Freeze (#9)",
            {"release.toml": asked.git("show", "main:release.toml") + FROZEN},
        )
    app = open_at(asked.path, PICKS)
    done, waits = settle(app)
    assert done[0] == "record-applied"
    assert "branch.unexplained" not in [w.code for w in waits]
    assert {r.ref: r.state for r in picking.all_picks(app)}["#4"] is PickState.APPLIED


@pytest.mark.parametrize("pushes", [3, 4])
def test_a_branch_that_is_moved_again_and_again_is_left_to_whoever_pushes(asked: Project, pushes: int) -> None:
    """B1: planned again three times, then said; nothing of it is on the branch or in the ledger."""
    made: list[str] = []

    def at(name: str) -> None:
        if name.startswith("move:") and len(made) < pushes:
            made.append(foreign(asked))

    entries = open_at(asked.path, PICKS).entries()
    if pushes == 3:
        assert [d.action.kind for d in open_at(asked.path, PICKS, at).tick()[0]] == ["apply"]
        assert asked.git("rev-parse", f"{BRANCH}~3") == made[-1]
        return
    with pytest.raises(WorldFailed) as caught:
        open_at(asked.path, PICKS, at).tick()
    known = facts_json(caught.value.facts)
    assert (caught.value.code, caught.value.clause, known["times"]) == ("branch.moved", "B1", 4)
    assert (known["now"], known["planned_on"]) == (made[3], made[2])
    assert BRANCH in str(caught.value)
    assert str(caught.value.remedy)
    assert asked.git("rev-parse", BRANCH) == made[-1]
    assert open_at(asked.path, PICKS).entries() == entries
    assert settle(open_at(asked.path, PICKS))[0] == ["apply"]


def test_a_branch_that_appeared_between_plan_and_cut_is_taken_or_told(project: Project) -> None:
    """B1: the same commit is done; another history is not overwritten."""
    same = once_at("before:cut", lambda: project.git("branch", BRANCH, "main"))
    done, _ = open_at(project.path, CUT, same).tick()
    assert [d.action.kind for d in done] == ["cut"]
    other = make_project(project.path.parent / "other.git")
    old = other.git("rev-parse", "main~1")
    with pytest.raises(WorldFailed) as caught:
        open_at(other.path, CUT, once_at("before:cut", lambda: other.git("branch", BRANCH, "main~1"))).tick()
    assert caught.value.code == "branch.elsewhere"
    assert (other.git("rev-parse", BRANCH), kinds(open_at(other.path, CUT))) == (old, [])


@contextmanager
def rejecting(project: Project, pattern: str) -> Iterator[None]:
    """A hook of the repository that lets no matching ref change."""
    hook = project.path / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        '#!/bin/sh\n[ "$1" = prepared ] || exit 0\n'
        f"if grep -q '{pattern}'; then echo 'ask the keeper of releases' >&2; exit 1; fi\n"
    )
    hook.chmod(0o755)
    try:
        yield
    finally:
        hook.unlink()


@pytest.mark.parametrize(
    ("pattern", "before", "kind"),
    [
        ("refs/heads/releases/", [], "cut"),
        ("refs/tags/v0.1.1-rc", ["cut"], "tag-candidate"),
        ("refs/tags/v0.1.1$", ["cut", "tag-candidate", "build", "test", "stage", "publish"], "tag-final"),
    ],
)
def test_a_hook_that_rejects_is_quoted_and_nothing_is_recorded(
    project: Project, pattern: str, before: list[str], kind: str
) -> None:
    with rejecting(project, pattern):
        if kind == "tag-final":
            settle(open_at(project.path, CUT))
            approve(open_at(project.path, GO), "0.1.1")
            assert [d.action.kind for d in open_at(project.path, GO).tick()[0]] == ["publish"]
        elif kind == "tag-candidate":
            open_at(project.path, CUT).tick()
        refs, entries = project.refs(), open_at(project.path, CUT).entries()
        for _ in range(2):
            with pytest.raises(WorldFailed) as caught:
                open_at(project.path, GO if before[-1:] == ["publish"] else CUT).tick()
            assert "ask the keeper of releases" in str(caught.value)
            assert (project.refs(), open_at(project.path, CUT).entries()) == (refs, entries)
    done, _ = open_at(project.path, GO if before[-1:] == ["publish"] else CUT).tick()
    assert [d.action.kind for d in done] == [kind]


def test_a_hook_that_keeps_the_branch_still_is_no_moved_branch(asked: Project) -> None:
    """B1."""
    refs = asked.refs()
    with rejecting(asked, f"refs/heads/{BRANCH}"), pytest.raises(WorldFailed) as caught:
        open_at(asked.path, PICKS).tick()
    assert caught.value.code == "branch.refused"
    assert "ask the keeper of releases" in str(caught.value)
    assert asked.refs() == refs
    assert settle(open_at(asked.path, PICKS))[0] == ["apply", "tag-candidate", "build", "test", "stage"]


def test_a_branch_that_is_checked_out_is_waited_for_and_its_work_tree_stays_whole(
    asked: Project, tmp_path: Path
) -> None:
    """B1."""
    tree, refs = tmp_path / "tree", asked.refs()
    asked.git("worktree", "add", "--quiet", str(tree), BRANCH)
    done, waits = settle(open_at(asked.path, PICKS))
    assert (done, [w.code for w in waits if w.clause == "B1"]) == ([], ["branch.checked-out"])
    assert asked.refs() == refs
    assert asked.made.run("status", "--porcelain", cwd=tree) == ""
    asked.made.run("switch", "--quiet", "--detach", cwd=tree)
    assert settle(open_at(asked.path, PICKS))[0] == ["apply", "tag-candidate", "build", "test", "stage"]
    assert asked.made.run("status", "--porcelain", cwd=tree) == ""


def test_a_branch_checked_out_between_plan_and_effect_is_not_moved_under_it(asked: Project, tmp_path: Path) -> None:
    """B1."""
    tree, refs = tmp_path / "tree", asked.refs()
    at = once_at("commit:", lambda: asked.git("worktree", "add", "--quiet", str(tree), BRANCH))
    with pytest.raises(WorldFailed) as caught:
        open_at(asked.path, PICKS, at).tick()
    assert caught.value.code == "branch.checked-out"
    assert asked.refs() == refs
    assert asked.made.run("status", "--porcelain", cwd=tree) == ""


def test_a_candidate_tag_made_by_somebody_elsewhere_is_not_moved(project: Project) -> None:
    """V5: it keeps its number, and the branch's tip gets the next one."""
    open_at(project.path, CUT).tick()
    by_hand = once_at("before:tag-candidate", lambda: project.made.tag("v0.1.1-rc1", "v0.1.0", "by hand"))
    with pytest.raises(WorldFailed) as caught:
        open_at(project.path, CUT, by_hand).tick()
    assert (caught.value.code, caught.value.clause) == ("tag.elsewhere", "V5")
    assert kinds(open_at(project.path, CUT)) == ["cut"]
    settle(open_at(project.path, CUT))
    assert project.git("rev-parse", "v0.1.1-rc1^{commit}") == project.git("rev-parse", "v0.1.0^{commit}")
    assert project.git("rev-parse", "v0.1.1-rc2^{commit}") == project.git("rev-parse", BRANCH)


@pytest.mark.parametrize(("annotated", "code"), [(True, "tag.elsewhere"), (False, "tag.plain")])
def test_a_final_tag_made_by_somebody_is_told_and_removed_only_by_hand(
    project: Project, annotated: bool, code: str
) -> None:
    """V5, B5: a tag on another commit, or one without the notes."""
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")
    at = "v0.1.0" if annotated else BRANCH
    made = once_at("before:tag-final", lambda: project.made.tag("v0.1.1", at, "by hand" if annotated else None))
    open_at(project.path, GO).tick()
    with pytest.raises(WorldFailed) as caught:
        open_at(project.path, GO, made).tick()
    assert caught.value.code == code
    if annotated:
        done, waits = open_at(project.path, GO).tick()
        assert (done, {w.clause for w in waits} >= {"V5"}) == ((), True)
    else:
        with pytest.raises(WorldFailed):
            open_at(project.path, GO).tick()
    assert kinds(open_at(project.path, GO))[-1] == "published"
    project.git("tag", "--delete", "v0.1.1")
    assert settle(open_at(project.path, GO))[0] == ["tag-final"]
    assert verify(open_at(project.path, GO), "0.1.1") == ()


# Disks ---------------------------------------------------------------------------------------------------------------


def mount(folder: Path, *options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small or read-only disk")
    if subprocess.run(["mount", *options, str(folder)], check=False, capture_output=True).returncode:
        pytest.skip("this root may not mount")


@contextmanager
def full_disk(folder: Path, free: int = 0) -> Iterator[Path]:
    """A small disk at ``folder`` with ``free`` bytes left; deleting the file that is given makes room."""
    mount(folder, "-t", "tmpfs", "-o", "size=2m", "tmpfs")
    try:
        filler = folder / ".filler"
        filler.write_bytes(b"\0" * (2 * 1024 * 1024 - free))
        yield filler
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    mount(folder, "--bind", str(folder))
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_read_only_state_folder_can_be_looked_at_and_not_worked_in(project: Project) -> None:
    open_at(project.path, CUT).tick()
    state, entries = project.path / "headway", open_at(project.path, CUT).entries()
    refs = project.refs()
    with read_only(state):
        assert [a.kind for a in open_at(project.path, CUT).plan().actions] == ["tag-candidate"]
        with pytest.raises(WorldFailed) as caught:
            open_at(project.path, CUT).tick()
        assert str(state) in str(caught.value)
        assert str(caught.value.remedy)
    assert (project.refs(), open_at(project.path, CUT).entries()) == (refs, entries)
    assert settle(open_at(project.path, CUT))[0] == ["tag-candidate", "build", "test", "stage"]


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [("artifacts", "build", "build.disk"), ("logs", "build", "build.disk"), ("index", "publish", "index.disk")],
)
def test_a_read_only_folder_of_the_state_is_named_and_nothing_is_recorded(
    project: Project, name: str, kind: str, code: str
) -> None:
    for _ in range(2):
        open_at(project.path, CUT).tick()
    now = CUT
    if kind == "publish":
        settle(open_at(project.path, CUT))
        approve(open_at(project.path, GO), "0.1.1")
        now = GO
    refs, entries = project.refs(), open_at(project.path, now).entries()
    with read_only(project.path / "headway" / name), pytest.raises(WorldFailed) as caught:
        open_at(project.path, now).tick()
    assert caught.value.code == code
    assert str(project.path / "headway" / name) in str(caught.value)
    assert (project.refs(), open_at(project.path, now).entries()) == (refs, entries)
    assert settle(open_at(project.path, now))[0][0] == kind


def test_a_full_disk_under_the_artifacts_fails_the_build_and_a_retry_mends_it(project: Project) -> None:
    """B4."""
    for _ in range(2):
        open_at(project.path, CUT).tick()
    with full_disk(project.path / "headway" / "artifacts") as filler:
        done, waits = settle(open_at(project.path, CUT))
        built = only(open_at(project.path, CUT), Kind.BUILT, "0.1.1").payload
        assert (done, built["ok"], built["artifacts"]) == (["build"], False, [])
        assert [w.code for w in waits] == ["candidate.build-failed"]
        assert "No space left on device" in Path(built["log"]).read_text(encoding="utf-8")
        assert [p.name for p in filler.parent.iterdir()] == [".filler"]
        filler.unlink()
        assert isinstance(controls.retry(open_at(project.path, CUT), "0.1.1", "build"), Entry)
        assert settle(open_at(project.path, CUT))[0] == ["build", "test", "stage"]


def test_a_full_disk_under_the_index_publishes_nothing_until_there_is_room(project: Project) -> None:
    """N1: all or none."""
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")
    with full_disk(project.path / "headway" / "index") as filler:
        with pytest.raises(WorldFailed) as caught:
            open_at(project.path, GO).tick()
        assert caught.value.code == "index.disk"
        app = open_at(project.path, GO)
        assert (app.published(), kinds(app)[-1]) == ((), "approved")
        filler.unlink()
        assert settle(open_at(project.path, GO))[0] == ["publish", "tag-final"]
        assert verify(open_at(project.path, GO), "0.1.1") == ()


def test_a_state_folder_that_is_full_stops_every_effect_in_words_and_none_is_lost(project: Project) -> None:
    open_at(project.path, CUT).tick()
    state, aside = project.path / "headway", project.path.parent / "aside"
    state.rename(aside)
    with full_disk(state, free=512 * 1024) as filler:
        shutil.copytree(aside, state, dirs_exist_ok=True)
        rest = state / ".rest"
        done: list[str] = []
        for _ in range(5):
            with rest.open("wb", buffering=0) as f:
                while True:
                    try:
                        f.write(b"\0" * 4096)
                    except OSError:
                        break
            with pytest.raises(HeadwayError) as caught:
                open_at(project.path, CUT).tick()
            assert isinstance(caught.value, WorldFailed)
            assert str(caught.value.remedy)
            rest.unlink()
            done += [d.action.kind for d in open_at(project.path, CUT).tick()[0]]
            if done[-1:] == ["stage"]:
                break
        app = open_at(project.path, CUT)
        assert done == ["tag-candidate", "build", "test", "stage"]
        assert kinds(app) == ["cut", "tagged", "built", "tested", "staged"]
        assert broken_links(app.entries()) == ()
        filler.unlink()


# Builds --------------------------------------------------------------------------------------------------------------

# It and its own child hold the pipe open as long as they live.
_HANGING = """
import os, subprocess, sys
pipe = os.open(sys.argv[1], os.O_WRONLY)
os.write(pipe, b"started")
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(900)"
child = subprocess.Popen([sys.executable, "-c", stubborn], pass_fds=[pipe])
child.wait()
"""


def with_build(project: Project, command: str, timeout_s: int = 60) -> None:
    """The policy with another build command, in the state folder."""
    text = project.git("show", "main:release.toml") + "\n"
    table = f"[build]\ncommand = '{command}'\ntimeout_s = {timeout_s}\n\n[build.env]"
    (project.path / "headway").mkdir(exist_ok=True)
    (project.path / "headway" / "release.toml").write_text(text.replace("[build.env]", table))


def as_before(project: Project) -> None:
    (project.path / "headway" / "release.toml").unlink()


class Pipe:
    """A named pipe that a build holds open."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "pipe"
        os.mkfifo(self.path)
        self._end = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def _read(self) -> bytes:
        ready, _, _ = select.select([self._end], [], [], 60)
        assert ready, "the build neither spoke nor ended"
        return os.read(self._end, 100)

    def wait_started(self) -> None:
        assert self._read() == b"started"

    def wait_ended(self) -> None:
        """Until nobody holds the other end: all processes of the build have ended."""
        assert self._read() == b""


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    return Pipe(tmp_path)


@pytest.fixture
def hanging(project: Project, pipe: Pipe, tmp_path: Path) -> Callable[[int], None]:
    """Give the project a build that never ends, with its limit in seconds."""
    script = tmp_path / "hanging.py"
    script.write_text(_HANGING)
    return lambda limit: with_build(project, f"{{python}} {script} {pipe.path}", limit)


def test_a_build_that_hangs_is_ended_with_all_its_children_and_done_again_on_request(
    project: Project, pipe: Pipe, hanging: Callable[[int], None]
) -> None:
    """B4."""
    hanging(1)
    done, waits = settle(open_at(project.path, CUT))
    pipe.wait_started()
    pipe.wait_ended()
    app = open_at(project.path, CUT)
    built = only(app, Kind.BUILT, "0.1.1").payload
    assert (done, built["ok"]) == (["cut", "tag-candidate", "build"], False)
    assert "longer than 1 s" in built["why"]
    (wait,) = waits
    known = facts_json(wait.facts)
    assert (wait.clause, wait.code, known["step"], known["log"]) == (
        "B4",
        "candidate.build-failed",
        "build",
        built["log"],
    )
    assert "ended: over the limit of 1 s" in Path(str(known["log"])).read_text()
    assert built["log"] in str(wait.remedy)

    assert settle(open_at(project.path, CUT))[0] == []  # not again by itself
    as_before(project)
    assert isinstance(controls.retry(open_at(project.path, CUT), "0.1.1", "build"), Entry)
    assert settle(open_at(project.path, CUT))[0] == ["build", "test", "stage"]
    assert [e.payload["ok"] for e in app.entries() if e.kind is Kind.BUILT] == [False, True]
    refused = controls.retry(open_at(project.path, CUT), "0.1.1", "test")
    assert isinstance(refused, Refused)


def test_a_build_that_fails_leaves_its_log_and_waits(project: Project) -> None:
    """B4: nothing of it counts, and an approval has nothing to stand on."""
    with_build(project, '{python} -c "import sys; print(\\"no compiler\\"); sys.exit(3)"'.replace('\\"', '\\"'))
    _, waits = settle(open_at(project.path, CUT))
    built = only(open_at(project.path, CUT), Kind.BUILT, "0.1.1").payload
    assert (built["ok"], built["artifacts"]) == (False, [])
    assert "status 3" in built["why"]
    assert "no compiler" in Path(built["log"]).read_text()
    assert [w.code for w in waits] == ["candidate.build-failed"]
    assert not open_at(project.path, CUT).paths.artifacts("v0.1.1-rc1").exists()
    given = controls.approve(open_at(project.path, GO), "0.1.1", "go")
    assert isinstance(given, Refused)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_tick_that_is_ended_takes_its_build_with_it(
    project: Project, pipe: Pipe, hanging: Callable[[int], None], how: signal.Signals
) -> None:
    """B4: nothing is recorded, and the next tick builds, in a folder that nobody else writes into."""
    hanging(900)
    script = (
        "import signal, sys; from datetime import datetime; from pathlib import Path; from trainkit import open_at\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job has it ignored
        "open_at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])).tick(settle=True)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))}
    argv = [sys.executable, "-c", script, str(project.path), CUT.isoformat()]
    tick = subprocess.Popen(argv, env=env, stderr=subprocess.PIPE)
    pipe.wait_started()
    tick.send_signal(how)
    tick.communicate(timeout=120)
    assert tick.returncode != 0
    pipe.wait_ended()
    as_before(project)
    assert kinds(open_at(project.path, CUT)) == ["cut", "tagged"]
    assert settle(open_at(project.path, CUT))[0] == ["build", "test", "stage"]


# Artifacts -----------------------------------------------------------------------------------------------------------


def wheel_of(project: Project, tag: str = "v0.1.1-rc1") -> Path:
    (wheel,) = open_at(project.path, CUT).paths.artifacts(tag).glob("*.whl")
    return wheel


def spoil(path: Path) -> None:
    with path.open("ab") as f:
        f.write(b"\0")


def test_a_wheel_that_changed_after_its_build_is_not_tested(project: Project) -> None:
    """B4."""
    open_at(project.path, CUT).tick()
    with pytest.raises(WorldFailed) as caught:
        settle(open_at(project.path, CUT, once_at("after:build", lambda: spoil(wheel_of(project)))))
    known = facts_json(caught.value.facts)
    recorded = only(open_at(project.path, CUT), Kind.BUILT, "0.1.1").payload["artifacts"][0]
    assert (caught.value.code, caught.value.clause) == ("artifact.changed", "B4")
    assert (known["recorded"], known["path"]) == (recorded["sha256"], str(wheel_of(project)))
    assert kinds(open_at(project.path, CUT)) == ["cut", "tagged", "built"]
    wheel_of(project).write_bytes(wheel_of(project).read_bytes()[: recorded["size"]])
    assert settle(open_at(project.path, CUT))[0] == ["test", "stage"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_wheel_that_changed_or_was_lost_is_built_again_on_request(project: Project, lost: bool) -> None:
    """B4: the same bytes, so that the approval of them stands; once published there is nothing to build."""
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, CUT), "0.1.1")
    if lost:
        shutil.rmtree(wheel_of(project).parent)
    else:
        spoil(wheel_of(project))
    assert isinstance(controls.retry(open_at(project.path, GO), "0.1.1", "build"), Entry)
    with pytest.raises(WorldFailed):
        open_at(project.path, GO, once_at("after:build", lambda: spoil(wheel_of(project)))).tick(settle=True)
    assert isinstance(controls.retry(open_at(project.path, GO), "0.1.1", "build"), Entry)
    assert [d.action.kind for d in open_at(project.path, GO).tick()[0]] == ["build"]
    builds = [e.payload["artifacts"] for e in open_at(project.path, GO).entries() if e.kind is Kind.BUILT]
    assert len(builds) == 3
    assert builds[0] == builds[1] == builds[2]
    assert [d.action.kind for d in open_at(project.path, GO).tick()[0]] == ["publish"]
    assert isinstance(controls.retry(open_at(project.path, GO), "0.1.1", "build"), Refused)
    assert settle(open_at(project.path, GO))[0] == ["tag-final"]
    assert verify(open_at(project.path, GO), "0.1.1") == ()


@pytest.mark.parametrize("suffix", ["whl", "gz"])
def test_a_file_that_changed_after_its_test_is_not_published(project: Project, suffix: str) -> None:
    """N1, B5: nor is any other file of the candidate."""
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")
    (path,) = wheel_of(project).parent.glob(f"*.{suffix}")
    before = path.read_bytes()
    spoil(path)
    with pytest.raises(WorldFailed) as caught:
        open_at(project.path, GO).tick()
    app = open_at(project.path, GO)
    assert (caught.value.code, caught.value.clause) == ("publish.refused", "N1")
    assert (app.published(), kinds(app)[-1], project.ref("refs/tags/v0.1.1")) == ((), "approved", None)
    path.write_bytes(before)
    assert settle(open_at(project.path, GO))[0] == ["publish", "tag-final"]


# Words ---------------------------------------------------------------------------------------------------------------

_TITLES = [
    b"$(touch x) `touch x` ; touch x",
    b"--exec=touch x",
    b"-x",
    b"\"quotes\" and 'quotes' \\ and {braces} {0} %s %H",
    b"# not a comment",
    b"Signed-off-by: a title",
    b"(cherry picked from commit 0000000000000000000000000000000000000000)",
    b"Caf\xe9 in Latin-1",
    b"two lines\nof one title",
    "<img src=x onerror=alert(1)> @everyone [a](javascript:x) 发布 \u202e".encode(),
]
_AUTHORS = [
    b"Ren\xe9e <renee@example.org>",
    b"$(touch x) <--exec=x>",
    "李 雷 <li@example.org>".encode(),
    b" <anonymous>",
]


def hostile_commits(project: Project) -> list[str]:
    """One documentation commit on the trunk for each title, in turn by each author; byte for byte as they are."""
    shas = []
    for i, title in enumerate(_TITLES):
        stamp = b"%d +0530" % (CUT.timestamp() + 3600 * (i + 1))
        message = title + b"\n\nBody of it.\n"
        path = b"docs/%d.md" % i
        stream = b"commit refs/heads/main\nmark :1\nauthor %s %s\ncommitter Keeper <k@example.org> %s\n" % (
            _AUTHORS[i % len(_AUTHORS)],
            stamp,
            stamp,
        )
        stream += b"data %d\n%s\nfrom refs/heads/main^0\nM 100644 inline %s\ndata 2\nx\n\nget-mark :1\n" % (
            len(message),
            message,
            path,
        )
        shas.append(project.made.run("fast-import", "--quiet", stdin=stream))
    return shas


def raw(project: Project, sha: str) -> tuple[bytes, bytes]:
    """The author line and the message of a commit or tag, as bytes."""
    done = subprocess.run(["git", "cat-file", "-p", sha], cwd=project.path, capture_output=True, check=True)
    head, _, message = done.stdout.partition(b"\n\n")
    return next((x for x in head.splitlines() if x.startswith(b"author ")), b""), message


def test_hostile_titles_and_authors_are_words_all_the_way(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    open_at(project.path, CUT).tick()
    shas = hostile_commits(project)
    for sha in shas:
        asked = ask(open_at(project.path, PICKS), sha, "docs")
        assert str(asked.answer.verdict) == "accepted", asked.answer.violations
    argv = [sys.executable, "-m", "headway", "pick", "list", "--repo", str(project.path), "--now", PICKS.isoformat()]
    listed = subprocess.run(argv, capture_output=True, check=True).stdout
    assert not {0x1B, 0x07, 0x0D} & set(listed)
    settle(open_at(project.path, PICKS))
    approve(open_at(project.path, GO), "0.1.1")
    assert settle(open_at(project.path, GO))[0] == ["publish", "tag-final"]

    line = project.git("rev-list", "--reverse", f"{project.shas['docs0']}..{BRANCH}").splitlines()
    for origin, copy in zip(shas, line, strict=True):
        author, message = raw(project, origin)
        assert raw(project, copy) == (
            author,
            message.rstrip(b"\n") + b"\n\n(cherry picked from commit %s)\n" % origin.encode(),
        )
    notes = raw(project, "v0.1.1")[1].decode()
    assert "<img src=x onerror=alert(1)> @\u200beveryone" in notes  # a tag is plain text, which nothing renders
    assert "# not a comment" in notes
    assert "$(touch x) `touch x` ; touch x" in notes
    assert "{braces}" in notes
    assert not list(tmp_path.rglob("x"))
    fsck = subprocess.run(
        ["git", "fsck", "--no-dangling"], cwd=project.path, capture_output=True, check=True, text=True
    )
    assert "error" not in fsck.stdout + fsck.stderr
    assert verify(open_at(project.path, GO), "0.1.1") == ()


@pytest.mark.parametrize("ref", ["--exec=touch x", "$(touch x)", "a\nb", "a\0b", "-1", "{", "main:release.toml", " "])
def test_hostile_references_name_no_commit(project: Project, ref: str, tmp_path: Path) -> None:
    """P8: they are refused in words, and nothing is kept of them."""
    open_at(project.path, CUT).tick()
    with pytest.raises(UnusableInput) as caught:
        ask(open_at(project.path, PICKS), ref, "docs")
    assert caught.value.code == "pick.unknown-ref"
    assert kinds(open_at(project.path, PICKS)) == ["cut"]
    assert not list(tmp_path.rglob("x"))
