"""B1, V5 with a remote as the truth: real repositories, hooks that refuse, kills between there and here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from gitmaker import GitMaker
from trainkit import BRANCH, CUT, GO, PICKS, Project, ask, grow_trunk, kinds, make_project, open_at

from headway.app import Headway
from headway.errors import WorldFailed
from headway.history.mirror import mirror_of
from headway.model.entry import Kind
from headway.model.pick import Claims
from headway.model.reason import Reason
from headway.model.text import facts_json

FORGE = """repository = "toy/kit"

[documents]
sbom = false
provenance = false

[forge]
kind = "github"
path = ""

[candidate]
quiet_hours = 6
"""


class Killed(BaseException):
    """The process is gone: nothing after the line runs."""


class Cloned:
    """``there`` is the project's own repository (bare), ``here`` a clone of it that Headway is given."""

    def __init__(self, folder: Path, how: str) -> None:
        self.there = make_project(folder / "there.git", trust=FORGE)
        self.path = folder / "here"
        self.there.git("clone", "--quiet", *([how] if how else []), str(self.there.path), str(self.path))
        self.here = Project(self.there.made, self.path)

    def at(self, now: object, step: Callable[[str], None] | None = None) -> Headway:
        return open_at(self.path, now, step)  # type: ignore[arg-type]

    def same(self, *refs: str) -> None:
        for ref in refs:
            assert self.here.ref(ref) == self.there.ref(ref) is not None, ref

    def hook(self, name: str, text: str) -> Path:
        path = self.there.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path


@pytest.fixture
def cloned(request: pytest.FixtureRequest, tmp_path: Path) -> Cloned:
    return Cloned(tmp_path, getattr(request, "param", ""))


SHAPES = pytest.mark.parametrize(
    "cloned", ["", "--bare", "--mirror"], indirect=True, ids=["work-tree", "bare", "mirror"]
)


@pytest.fixture
def cut(cloned: Cloned) -> Cloned:
    cloned.at(CUT).tick()
    cloned.same(f"refs/heads/{BRANCH}")
    return cloned


@pytest.fixture
def asked(cut: Cloned) -> Cloned:
    """Fixes landed there, one of which is asked for here; a revert too, which comes with it."""
    grow_trunk(cut.there)
    cut.at(PICKS).followed()
    ask(cut.at(PICKS), cut.there.shas["fix"], "regression")
    return cut


def codes(reasons: tuple[Reason, ...]) -> set[str]:
    return {r.code for r in reasons}


def did(app: Headway) -> list[str]:
    return [d.action.kind for d in app.tick()[0]]


def die_at(name: str) -> Callable[[str], None]:
    def step(now: str) -> None:
        if now.startswith(name):
            raise Killed(now)

    return step


# Setting refs --------------------------------------------------------------------------------------------------------


@SHAPES
def test_a_whole_train_is_there_and_here(asked: Cloned) -> None:
    asked.at(PICKS).tick()
    asked.same(f"refs/heads/{BRANCH}")
    assert "Count all of them" in asked.there.git("log", "--format=%s", f"main..{BRANCH}")
    assert asked.at(GO).tick()[0][0].action.kind == "tag-candidate"
    asked.same(f"refs/heads/{BRANCH}", "refs/tags/v0.1.1-rc1")
    if not asked.at(GO).repo.bare:
        assert asked.here.git("status", "--porcelain", "--branch").splitlines()[0].startswith("## main...origin/main")
        assert asked.here.git("rev-parse", "main") == asked.here.git("rev-parse", "main@{0}")


def test_what_landed_there_is_followed_and_the_trunk_too(asked: Cloned) -> None:
    tip = asked.there.made.tip("main")
    assert asked.at(PICKS).observe().trunk.tip == tip


@pytest.mark.parametrize(
    ("at", "when"),
    [("pushed:refs/heads/releases", PICKS), ("unrecorded:apply", PICKS), ("pushed:refs/tags/", GO)],
)
def test_a_kill_between_there_and_here_is_mended_by_following(asked: Cloned, at: str, when: object) -> None:
    if when == GO:
        asked.at(PICKS).tick()
    with pytest.raises(Killed):
        asked.at(when, die_at(at)).tick()
    asked.at(when).tick()
    asked.at(GO).tick()
    asked.same(f"refs/heads/{BRANCH}", "refs/tags/v0.1.1-rc1")
    found = kinds(asked.at(GO))
    assert (found.count("applied"), found.count("tagged"), found.count("cut")) == (1, 1, 1)
    assert asked.there.git("rev-list", "--count", f"main..{BRANCH}") == "2"


@SHAPES
def test_a_cut_that_was_killed_after_the_push_is_taken_up(cloned: Cloned) -> None:
    with pytest.raises(Killed):
        cloned.at(CUT, die_at("pushed:")).tick()
    assert cloned.here.ref(f"refs/headway/remote/heads/{BRANCH}") is None
    cloned.at(CUT).tick()
    cloned.same(f"refs/heads/{BRANCH}")
    assert kinds(cloned.at(CUT)).count("cut") == 1


def test_a_remote_that_moved_meanwhile_is_planned_on_anew(asked: Cloned) -> None:
    """A person pushes to the release branch between plan and push."""
    moved: list[str] = []

    def push(name: str) -> None:
        if name.startswith("move:") and not moved:
            moved.append(asked.there.commit("late", "[CI] By hand", {"ci.txt": "x\n"}, branch=BRANCH))

    asked.at(PICKS, push).tick()
    asked.same(f"refs/heads/{BRANCH}")
    log = asked.there.git("log", "--format=%H", f"main..{BRANCH}").splitlines()
    assert moved[0] in log
    assert len(log) == 3


def test_a_remote_that_refuses_is_quoted_and_nothing_changes(asked: Cloned) -> None:
    before = (asked.there.refs(), asked.here.ref(f"refs/heads/{BRANCH}"))
    guard = asked.hook("pre-receive", "echo 'error: GH006: Protected branch update failed.' >&2; exit 1")
    with pytest.raises(WorldFailed) as caught:
        asked.at(PICKS).tick()
    assert caught.value.code == "branch.refused"
    assert "GH006" in str(caught.value)
    assert "pull-request" in str(caught.value.remedy)
    assert before == (asked.there.refs(), asked.here.ref(f"refs/heads/{BRANCH}"))
    guard.unlink()
    asked.at(PICKS).tick()
    asked.same(f"refs/heads/{BRANCH}")


def test_a_tag_that_the_remote_refuses_is_not_made_here(asked: Cloned) -> None:
    asked.at(PICKS).tick()
    asked.hook("update", 'case "$1" in refs/tags/*) echo "no tags today" >&2; exit 1;; esac')
    with pytest.raises(WorldFailed) as caught:
        asked.at(GO).tick()
    assert caught.value.code == "tag.refused"
    assert "no tags today" in str(caught.value)
    assert asked.here.ref("refs/tags/v0.1.1-rc1") is None


def test_a_tag_that_somebody_made_there_meanwhile_is_taken_or_told(asked: Cloned) -> None:
    asked.at(PICKS).tick()

    def quicker(name: str) -> None:
        if name.startswith("before:tag-candidate"):
            asked.there.git("tag", "v0.1.1-rc1", BRANCH)

    asked.at(GO, quicker).tick()
    asked.same("refs/tags/v0.1.1-rc1")
    assert kinds(asked.at(GO)).count("tagged") == 1


# Following -----------------------------------------------------------------------------------------------------------


def test_a_remote_that_is_not_reached_stops_the_tick(asked: Cloned, tmp_path: Path) -> None:
    asked.there.path.rename(tmp_path / "gone.git")
    before = kinds(asked.at(PICKS))
    with pytest.raises(WorldFailed) as caught:
        asked.at(PICKS).tick()
    assert caught.value.code == "remote.unreachable"
    assert kinds(asked.at(PICKS)) == before
    assert asked.at(PICKS).plan().actions, "looking needs no network"


@SHAPES
def test_a_branch_that_is_forced_there_stops_its_train_and_is_not_lost_here(asked: Cloned) -> None:
    asked.at(PICKS).tick()
    kept = asked.here.ref(f"refs/heads/{BRANCH}")
    asked.there.git("update-ref", f"refs/heads/{BRANCH}", asked.there.commit("x", "Rewritten", {"a": "b"}, branch="x"))
    done, waits = asked.at(GO).tick()
    assert not done
    assert "remote.apart" in codes(waits)
    assert asked.here.ref(f"refs/heads/{BRANCH}") == kept
    reason = next(r for r in waits if r.code == "remote.apart")
    assert facts_json(reason.facts)["there"] == asked.there.ref(f"refs/heads/{BRANCH}")
    # the remedy works
    asked.there.git("update-ref", f"refs/heads/{BRANCH}", str(kept))
    assert did(asked.at(GO)) == ["tag-candidate"]


def test_a_branch_that_is_deleted_there_stops_its_train(asked: Cloned) -> None:
    asked.at(PICKS).tick()
    kept = asked.here.ref(f"refs/heads/{BRANCH}")
    asked.there.git("branch", "-D", BRANCH)
    done, waits = asked.at(GO).tick()
    assert (done, "remote.gone" in codes(waits)) == ((), True)
    assert asked.here.ref(f"refs/heads/{BRANCH}") == kept
    asked.here.git("push", "--quiet", str(asked.there.path), f"{kept}:refs/heads/{BRANCH}")
    assert did(asked.at(GO)) == ["tag-candidate"]


def test_a_branch_that_was_put_back_or_deleted_there_is_told_as_that(asked: Cloned) -> None:
    """Following saw what it had: what is here is not taken for commits that were never pushed."""
    asked.at(PICKS).tick()
    asked.at(GO).followed()
    kept = asked.here.ref(f"refs/heads/{BRANCH}")
    asked.there.git("update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~1")
    _, waits = asked.at(GO).tick()
    assert "remote.apart" in codes(waits)
    asked.there.git("branch", "-D", BRANCH)
    _, waits = asked.at(GO).tick()
    (gone,) = [w for w in waits if w.code == "remote.gone"]
    assert str(gone.text) == f"{BRANCH} was deleted at origin"
    asked.there.git("update-ref", f"refs/heads/{BRANCH}", str(kept))
    assert did(asked.at(GO)) == ["tag-candidate"]


def test_what_was_never_pushed_is_told(cut: Cloned) -> None:
    local = GitMaker.run(cut.here.made, "commit-tree", f"{BRANCH}^{{tree}}", "-p", BRANCH, "-m", "mine", cwd=cut.path)
    cut.here.git("update-ref", f"refs/heads/{BRANCH}", local)
    done, waits = cut.at(PICKS).tick()
    assert (done, "remote.ahead" in codes(waits)) == ((), True)


def test_a_tag_that_moved_there_is_the_incident_that_it_is(asked: Cloned) -> None:
    """V5: what is known here is not overwritten."""
    asked.at(PICKS).tick()
    asked.at(GO).tick()
    tagged = asked.here.ref("refs/tags/v0.1.1-rc1")
    asked.there.git("tag", "-f", "v0.1.1-rc1", "main")
    _, waits = asked.at(GO).tick()
    assert asked.here.ref("refs/tags/v0.1.1-rc1") == tagged
    (incident,) = [e for e in asked.at(GO).entries() if e.kind == "incident"]
    assert (incident.payload["what"], incident.payload["now"]) == ("tag-moved", asked.there.made.tip("main"))
    assert any(w.clause == "V5" for w in waits)
    remedy = next(str(w.remedy) for w in waits if w.code == "tags.incident" or w.clause == "V5")
    command = f"git push --force origin {asked.here.git('rev-parse', 'v0.1.1-rc1^{commit}')}:refs/tags/v0.1.1-rc1"
    assert command in remedy
    asked.here.git(*command.split()[1:])
    asked.at(GO).tick()
    assert [e.payload["what"] for e in asked.at(GO).entries() if e.kind == "incident"] == ["tag-moved", "tag-restored"]


def test_what_is_forced_or_moved_there_is_said_once(cut: Cloned) -> None:
    other = cut.there.commit("x", "Rewritten", {"a": "b"}, branch="x")
    cut.there.git("tag", "-f", "v0.1.0", other)
    cut.there.git("update-ref", f"refs/heads/{BRANCH}", other)
    said: list[str] = []
    app = cut.at(PICKS)
    app.progress.say = lambda text: said.append(str(text))  # type: ignore[method-assign]
    app.followed()
    assert any("v0.1.0 was moved" in s for s in said)
    assert any(f"{BRANCH} was forced" in s for s in said)
    said.clear()
    app.followed()
    assert not said


def test_a_branch_that_headway_itself_made_anew_is_no_alarm(cut: Cloned) -> None:
    head, app = f"headway/{BRANCH}/x", cut.at(PICKS)
    first = cut.there.commit("x", "One", {"a": "b"}, branch="x")
    again = cut.there.commit("y", "Anew", {"a": "c"}, branch="y")
    said: list[str] = []
    app.progress.say = lambda text: said.append(str(text))  # type: ignore[method-assign]
    ref = mirror_of(f"refs/heads/{BRANCH}")
    cut.there.git("update-ref", f"refs/heads/{BRANCH}", first)
    app.followed()
    said.clear()
    cut.there.git("update-ref", f"refs/heads/{BRANCH}", again)
    written = {"what": "pull", "about": "pull:0.1.1:1", "number": 1, "id": 1, "url": "u", "digest": "d", "open": True}
    known = {**written, "base": BRANCH, "commit": again, "changes": []}
    for branch, told in ((head, True), (BRANCH, False)):
        cut.here.git("update-ref", ref, first)
        app.recording("headway").record(Kind.WRITTEN, "0.1.1", {**known, "head": branch})
        app.followed()
        assert any("was forced" in s for s in said) == told, "only of a branch that is Headway's own"
        said.clear()


def test_a_tag_that_is_deleted_there_is_told(asked: Cloned) -> None:
    asked.at(PICKS).tick()
    asked.at(GO).tick()
    asked.there.git("tag", "-d", "v0.1.1-rc1")
    asked.at(GO).tick()
    (incident,) = [e for e in asked.at(GO).entries() if e.kind == "incident"]
    assert incident.payload["what"] == "tag-deleted"


def test_a_fresh_clone_goes_on(asked: Cloned, tmp_path: Path) -> None:
    """The ledger comes along, the branches come from the remote (as in a CI job)."""
    asked.at(PICKS).tick()
    state = asked.at(PICKS).repo.state
    asked.there.git("clone", "--quiet", str(asked.there.path), str(tmp_path / "fresh"))
    (tmp_path / "fresh" / ".git" / "headway").mkdir()
    (tmp_path / "fresh" / ".git" / "headway" / "ledger.db").write_bytes((state / "ledger.db").read_bytes())
    assert did(open_at(tmp_path / "fresh", GO)) == ["tag-candidate"]
    assert asked.there.ref("refs/tags/v0.1.1-rc1")


def test_a_branch_that_is_checked_out_is_left_alone(asked: Cloned) -> None:
    asked.here.git("switch", "--quiet", BRANCH)
    before = asked.here.git("rev-parse", BRANCH)
    asked.there.commit("late", "[CI] By hand", {"ci.txt": "x\n"}, branch=BRANCH)
    done, waits = asked.at(PICKS).tick()
    assert (done, "remote.behind" in codes(waits)) == ((), True)
    assert asked.here.git("rev-parse", BRANCH) == before
    assert not asked.here.git("status", "--porcelain", "--untracked-files=no")


# Workspaces ----------------------------------------------------------------------------------------------------------

SPACE = f"conflict/{BRANCH}/"


@pytest.fixture
def conflicted(cut: Cloned) -> Cloned:
    """A pick that conflicts: a fix of a feature that the branch does not have."""
    grow_trunk(cut.there)
    cut.at(PICKS).followed()
    ask(cut.at(PICKS), cut.there.shas["on-feature"], "regression")
    return cut


def spaces(project: Project) -> dict[str, str]:
    return {n: sha for n, sha in project.refs().items() if n.startswith(f"refs/heads/{SPACE}")}


@pytest.mark.parametrize("at", ["", "pushed:refs/heads/conflict", "unrecorded:open-workspace"])
def test_a_workspace_is_there_once_and_what_people_push_to_it_is_followed(conflicted: Cloned, at: str) -> None:
    conflicted.at(PICKS).tick()  # the revert, which comes first
    if at:
        with pytest.raises(Killed):
            conflicted.at(PICKS, die_at(at)).tick(settle=True)
    later = PICKS + timedelta(minutes=5)
    conflicted.at(later).tick(settle=True)
    ((name, sha),) = spaces(conflicted.there).items()
    assert spaces(conflicted.here) == {name: sha}
    assert kinds(conflicted.at(later)).count("conflict") == 1
    branch = name.removeprefix("refs/heads/")
    pushed = conflicted.there.commit("resolved", "Resolved", {"toykit/parse.py": "parse = str.split\n"}, branch=branch)
    conflicted.at(later).tick()
    assert spaces(conflicted.here) == {name: pushed}


# What a person's word means ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cloned", [""], indirect=True, ids=["work-tree"])
def test_the_trunk_and_a_release_branch_are_the_remotes_in_an_ordinary_clone(cut: Cloned) -> None:
    """The clone's own branches of these names are somebody's, and stand where they were left."""
    stale = cut.here.ref("refs/heads/main")
    grow_trunk(cut.there)
    app = cut.at(PICKS).followed()
    now = cut.there.ref("refs/heads/main")
    assert cut.here.ref("refs/heads/main") == stale != now
    assert app.commit_of("main") == now == app.commit_of("origin/main")
    assert app.commit_of("main~1") == cut.there.git("rev-parse", "main~1")
    cut.here.git("update-ref", f"refs/heads/{BRANCH}", "main~1")
    assert app.commit_of(BRANCH) == cut.there.ref(f"refs/heads/{BRANCH}")
    assert app.commit_of("v0.1.0") == cut.there.git("rev-parse", "v0.1.0^{commit}")
    assert app.commit_of("nowhere") is None
    assert app.commit_of(" ") is None


@pytest.mark.parametrize("cloned", [""], indirect=True, ids=["work-tree"])
def test_the_ends_of_a_claim_are_the_remotes(cut: Cloned) -> None:
    """`bad: main` is the trunk as the project has it."""
    grow_trunk(cut.there)
    app = cut.at(PICKS).followed()
    kept = ask(app, cut.there.shas["fix"], "regression", claims=Claims(good="v0.1.0", bad="main"))
    assert kept.entry.payload["inputs"]["evidence"]["bad"] == cut.there.ref("refs/heads/main")
    other = ask(app, "main", "regression")
    assert other.entry.payload["commits"] == [cut.there.ref("refs/heads/main")]
