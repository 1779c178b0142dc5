"""G4: the ledger on a branch of the repository: continued by every run, overwritten by none, refused when altered."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from ciproject import ci_project, use_ci
from githubfake import TOKEN, serving
from githubgit import git_url
from githubrun import zipped
from githubtrain import app_env, town
from statekit import BRANCH, git, load, push, run, runner, save
from trainkit import (
    CUT,
    GO,
    Project,
    approve,
    bytes_under,
    make_project,
    only,
    open_at,
    settle,
    tree_digest,
    verify,
)

from headway import carrying
from headway.carrying import Standing
from headway.errors import BrokenInvariant, UnusableInput, WorldFailed
from headway.model.entry import Kind, broken_links

LATER = timedelta(minutes=10)
RC1 = "v0.1.1-rc1"
GOOD = "toykit-0.1.1-py3-none-any.whl"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "toy.git")


def tip(project: Project) -> str:
    return project.git("rev-parse", f"refs/heads/{BRANCH}")


# One run after another -------------------------------------------------------------------------------------------


def test_g4_a_train_goes_on_from_one_empty_runner_to_the_next(project: Project, tmp_path: Path) -> None:
    """Each run is on a disk of its own: the candidate's files, the ledger and the index come from the branch."""
    did, first = run(project, tmp_path / "1", CUT)
    assert did == ["cut", "tag-candidate", "build", "test", "stage"], did
    did, second = run(project, tmp_path / "2", CUT + LATER)
    assert did == []
    assert second.entries() == first.entries()
    assert (second.paths.artifacts(RC1) / GOOD).read_bytes() == (first.paths.artifacts(RC1) / GOOD).read_bytes()
    where = runner(project, tmp_path / "person")
    load(where, GO)
    approve(open_at(where, GO), "0.1.1")
    save(where, GO)
    did, _ = run(project, tmp_path / "3", GO)
    assert did == ["publish", "tag-final"], did
    did, after = run(project, tmp_path / "4", GO + LATER)
    assert did == []
    assert verify(after, "0.1.1") == ()
    assert broken_links(after.entries()) == ()
    assert after.entries()[: len(first.entries())] == first.entries()
    files = project.git("ls-tree", "-r", "--name-only", tip(project)).split()
    assert [f for f in files if f.startswith("artifacts/")] == []  # the train is over
    assert "index/simple/toykit/index.html" in files
    assert [f for f in files if f.split("/")[0] in {"environments", "work", "logs", "export-"}] == []


def test_a_run_that_changed_nothing_makes_no_commit(project: Project, tmp_path: Path) -> None:
    run(project, tmp_path / "1", CUT)
    before = tip(project)
    for i in (1, 2):
        run(project, tmp_path / f"again{i}", CUT + i * LATER)
    assert tip(project) == before
    assert not save(tmp_path / "again2", CUT + 3 * LATER).changed


def test_what_only_saves_asking_again_goes_along_and_makes_no_commit_by_itself(
    project: Project, tmp_path: Path
) -> None:
    _, app = run(project, tmp_path / "1", CUT)
    before = tip(project)
    (app.repo.state / "heard.json").write_text('{"upto": 1}')
    assert not save(tmp_path / "1", CUT).changed
    assert tip(project) == before
    approve(open_at(tmp_path / "1", GO), "0.1.1")
    save(tmp_path / "1", GO)
    load(where := runner(project, tmp_path / "2"), GO)
    assert (open_at(where, GO).repo.state / "heard.json").read_text() == '{"upto": 1}'


def test_every_save_is_a_commit_on_the_one_before(project: Project, tmp_path: Path) -> None:
    run(project, tmp_path / "1", CUT)
    first = tip(project)
    load(where := runner(project, tmp_path / "2"), GO)
    approve(open_at(where, GO), "0.1.1")
    save(where, GO)
    assert project.git("log", "--format=%P", tip(project)).split() == [first]
    said = project.git("log", "-1", "--format=%an %s", tip(project))
    assert said == f"Headway Ledger at entry {len(open_at(where, GO).entries())} [skip ci]"


def test_neither_work_tree_nor_index_nor_branches_of_the_user_are_touched(project: Project, tmp_path: Path) -> None:
    run(project, tmp_path / "1", CUT)
    where = runner(project, tmp_path / "2")
    (where / "toykit" / "count.py").write_text("staged = 1\n")
    git(where, "add", "toykit/count.py")
    (where / "toykit" / "count.py").write_text("edited = 1\n")
    (where / "untracked").write_text("mine\n")

    def seen() -> tuple[str, ...]:
        refs = [r for r in git(where, "for-each-ref").splitlines() if "headway" not in r.partition("\t")[2]]
        index = (where / ".git" / "index").read_bytes().hex()
        return (tree_digest(where, without=[".git"]), *refs, index, git(where, "stash", "list"))

    before = seen()
    load(where, CUT + LATER)
    approve(open_at(where, GO), "0.1.1")
    save(where, GO)
    assert seen() == before
    assert not (where / ".git" / "FETCH_HEAD").exists()


@pytest.mark.parametrize("bare", [True, False])
def test_it_works_in_a_bare_repository_and_in_a_linked_work_tree(project: Project, tmp_path: Path, bare: bool) -> None:
    where = tmp_path / "here"
    if bare:
        git(tmp_path, "clone", "-q", "--bare", str(project.path), str(where))
    else:
        runner(project, tmp_path / "main")
        git(tmp_path / "main", "worktree", "add", "-q", "--detach", str(where))
    assert load(where, CUT).standing is Standing.BEGUN
    settle(open_at(where, CUT))
    assert save(where, CUT).changed
    other = runner(project, tmp_path / "other")
    assert load(other, CUT).standing is Standing.TAKEN
    assert open_at(other, CUT).entries() == open_at(where, CUT).entries()


# Two at once -----------------------------------------------------------------------------------------------------


def test_g4_of_two_runs_at_once_the_second_fails_and_overwrites_nothing(project: Project, tmp_path: Path) -> None:
    run(project, tmp_path / "1", CUT)
    a, b = (runner(project, tmp_path / n) for n in "ab")
    for where in (a, b):
        load(where, GO)
        approve(open_at(where, GO, person=where.name), "0.1.1")
    save(a, GO)
    held = tip(project)
    with pytest.raises(WorldFailed) as e:
        save(b, GO + LATER)
    assert (e.value.code, e.value.clause) == ("state.moved", "G4")
    with pytest.raises(BrokenInvariant) as apart:
        load(b, GO + LATER)
    assert apart.value.code == "state.diverged"
    assert tip(project) == held
    assert load(runner(project, tmp_path / "c"), GO).entries == len(open_at(a, GO).entries())


def test_two_first_runs_at_once(project: Project, tmp_path: Path) -> None:
    a, b = (runner(project, tmp_path / n) for n in "ab")
    for where in (a, b):
        assert load(where, CUT).standing is Standing.BEGUN
        settle(open_at(where, CUT))
    save(a, CUT)
    held = tip(project)
    with pytest.raises(UnusableInput) as e:
        save(b, CUT)
    assert e.value.code == "state.not-loaded"
    assert tip(project) == held


def test_a_push_that_loses_the_race_at_the_remote_changes_nothing(project: Project, tmp_path: Path) -> None:
    """The other run saves between this one's look at the remote and its push: git's own lease refuses."""
    run(project, tmp_path / "1", CUT)
    a, b = (runner(project, tmp_path / n) for n in "ab")
    for where in (a, b):
        load(where, GO)
        approve(open_at(where, GO, person=where.name), "0.1.1")
    hook = b / ".git" / "hooks" / "pre-push"
    hook.write_text(f"#!/bin/sh\nunset GIT_DIR\nexec {sys.executable} -m headway --repo {a} state save >&2\n")
    hook.chmod(0o755)
    with pytest.raises(WorldFailed) as e:
        save(b, GO)
    assert e.value.code == "state.moved"
    assert load(runner(project, tmp_path / "c"), GO).head == open_at(a, GO).entries()[-1].digest


def test_entries_made_here_since_the_last_save_stay(project: Project, tmp_path: Path) -> None:
    run(project, where := tmp_path / "1", CUT)
    approve(open_at(where, GO), "0.1.1")
    mine = open_at(where, GO).entries()
    assert load(where, GO).standing is Standing.AHEAD
    assert open_at(where, GO).entries() == mine
    assert save(where, GO).changed
    assert load(where, GO).standing is Standing.SAME


def test_a_machine_that_is_behind_takes_what_was_saved(project: Project, tmp_path: Path) -> None:
    run(project, behind := tmp_path / "1", CUT)
    reader = sqlite3.connect(behind / ".git" / "headway" / "ledger.db")  # somebody looks meanwhile
    with closing(reader):
        assert reader.execute("select count(*) from entries").fetchone()[0]
        load(where := runner(project, tmp_path / "2"), GO)
        approve(open_at(where, GO), "0.1.1")
        save(where, GO)
        (stale := behind / ".git" / "headway" / "sent").mkdir()
        (stale / "old").write_text("2025-01-01T00:00:00+00:00")
        assert load(behind, GO).standing is Standing.TAKEN
    assert open_at(behind, GO).entries() == open_at(where, GO).entries()
    assert only(open_at(behind, GO), Kind.APPROVED, "0.1.1")
    assert list(stale.iterdir()) == []
    assert settle(open_at(behind, GO))[0] == ["publish", "tag-final"]


def test_measurements_taken_here_and_never_saved_are_not_lost(project: Project, tmp_path: Path) -> None:
    run(project, where := tmp_path / "1", CUT)
    load(other := runner(project, tmp_path / "2"), GO)
    approve(open_at(other, GO), "0.1.1")
    save(other, GO)
    store = where / ".git" / "headway" / "measurements.db"
    with closing(sqlite3.connect(store)) as database:
        database.execute("create table mine (x)")
        database.commit()
    with pytest.raises(UnusableInput) as e:
        load(where, GO)
    assert e.value.code == "state.unsaved"
    assert len(open_at(where, GO).entries()) < len(open_at(other, GO).entries())


# What was altered ------------------------------------------------------------------------------------------------


def altered(project: Project, tmp_path: Path, sql: str) -> None:
    """Push a ledger that somebody changed, as a commit on the last save."""
    clone = tmp_path / "attacker"
    git(tmp_path, "clone", "-q", "--branch", BRANCH, str(project.path), str(clone))
    with closing(sqlite3.connect(clone / "ledger.db")) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f"drop trigger {name}")  # which keep a ledger from being altered by accident
        database.execute(sql)
        database.commit()
    said = git(clone, "log", "-1", "--format=%B")
    git(clone, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qam", said)
    git(clone, "push", "-q", "origin", BRANCH)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("update entries set actor = 'Mallory' where seq = 2", "state.altered"),
        ("delete from entries where seq = (select max(seq) from entries)", "state.diverged"),
        ("delete from entries", "state.diverged"),
    ],
)
def test_g4_a_ledger_that_was_altered_on_the_branch_is_refused(
    project: Project, tmp_path: Path, sql: str, code: str
) -> None:
    run(project, tmp_path / "1", CUT)
    altered(project, tmp_path, sql)
    where = runner(project, tmp_path / "2")
    with pytest.raises(BrokenInvariant) as e:
        load(where, CUT)
    assert (e.value.code, e.value.clause) == (code, "G4")
    assert open_at(where, CUT).entries() == ()


def test_g4_a_branch_that_was_put_back_is_refused_where_it_was_known(project: Project, tmp_path: Path) -> None:
    run(project, tmp_path / "1", CUT)
    first = tip(project)
    load(where := runner(project, tmp_path / "2"), GO)
    approve(open_at(where, GO), "0.1.1")
    save(where, GO)
    project.git("update-ref", f"refs/heads/{BRANCH}", first)
    with pytest.raises(BrokenInvariant) as e:
        load(where, GO)
    assert e.value.code == "state.rewound"
    with pytest.raises(WorldFailed) as moved:
        save(where, GO)
    assert moved.value.code == "state.moved"


def test_g4_a_ledger_that_was_begun_anew_on_the_branch_is_refused(project: Project, tmp_path: Path) -> None:
    """Another, whole ledger, committed on top of the last save: it does not continue the one before."""
    run(project, tmp_path / "1", CUT)
    fresh = make_project(tmp_path / "fresh.git")
    settle(open_at(fresh.path, CUT + LATER))
    approve(open_at(fresh.path, CUT + LATER), "0.1.1")
    ledger = fresh.path / "headway" / "ledger.db"
    clone = tmp_path / "attacker"
    git(tmp_path, "clone", "-q", "--branch", BRANCH, str(project.path), str(clone))
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(clone / "ledger.db")) as target:
        source.backup(target)
    entries = open_at(fresh.path, CUT).entries()
    said = f"Ledger\n\nHeadway-Ledger: {len(entries)} {entries[-1].digest}"
    git(clone, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qam", said)
    git(clone, "push", "-q", "origin", BRANCH)
    with pytest.raises(BrokenInvariant) as e:
        load(runner(project, tmp_path / "2"), CUT)
    assert e.value.code == "state.diverged"


def test_g4_a_branch_that_was_deleted_is_no_first_run(project: Project, tmp_path: Path) -> None:
    run(project, known := tmp_path / "1", CUT)
    project.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    fresh = runner(project, tmp_path / "2")
    with pytest.raises(UnusableInput) as e:
        load(fresh, CUT)
    assert e.value.code == "state.gone"
    assert RC1 in str(e.value)
    for ask in (load, save):
        with pytest.raises(BrokenInvariant) as gone:
            ask(known, CUT)
        assert gone.value.code == "state.gone"
    assert load(fresh, CUT, begin=True).standing is Standing.BEGUN


@pytest.mark.parametrize("what", ["link", "trunk"])
def test_what_no_save_wrote_is_refused(project: Project, tmp_path: Path, what: str) -> None:
    run(project, tmp_path / "1", CUT)
    if what == "link":
        clone = tmp_path / "attacker"
        git(tmp_path, "clone", "-q", "--branch", BRANCH, str(project.path), str(clone))
        (clone / "sent").mkdir()
        (clone / "sent" / "x").symlink_to("/etc/passwd")
        git(clone, "add", "sent")
        said = git(clone, "log", "-1", "--format=%B")
        git(clone, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", said)
        git(clone, "push", "-q", "origin", BRANCH)
    where = runner(project, tmp_path / "2")
    with pytest.raises((BrokenInvariant, UnusableInput)) as e:
        load(where, CUT, branch=BRANCH if what == "link" else "main")
    assert e.value.code == ("state.altered" if what == "link" else "state.no-state")
    with pytest.raises(UnusableInput) as onto:
        save(where, CUT, branch="main")
    assert onto.value.code == "state.not-loaded"


@pytest.mark.parametrize("name", ["", "a..b", "-x", "a b", "refs/heads/\x1b[31m"])
def test_names_that_are_no_branch_are_refused(project: Project, tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableInput) as e:
        load(runner(project, tmp_path / "1"), CUT, branch=name)
    assert e.value.code == "state.branch"


# What does not go onto a branch ------------------------------------------------------------------------------------


def test_a_file_that_no_forge_takes_is_said_before_anything_is_pushed(project: Project, tmp_path: Path) -> None:
    where = runner(project, tmp_path / "1")
    load(where, CUT)
    app = open_at(where, CUT)
    settle(app)
    with (app.paths.artifacts(RC1) / "large.whl").open("wb") as f:
        f.truncate(95 * 1024 * 1024 + 1)
    with pytest.raises(UnusableInput) as e:
        save(where, CUT)
    assert e.value.code == "state.too-large"
    assert 'build.by = "github"' in str(e.value.remedy)
    assert "ledger.url" in str(e.value.remedy)
    assert project.ref(f"refs/heads/{BRANCH}") is None


# Killed, and no answer ---------------------------------------------------------------------------------------------

_KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from trainkit import Steps, open_at
from headway import carrying

where, now, what, at = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), sys.argv[3], sys.argv[4]

def step(name):
    if name == at:
        os.kill(os.getpid(), signal.SIGKILL)

app = open_at(where, now, step)
{"load": carrying.load, "save": carrying.save}[what](app, carrying.state_branch(app, "", "headway-state"))
"""


def killed(where: Path, what: str, at: str) -> int:
    argv = [sys.executable, "-c", _KILLED, str(where), GO.isoformat(), what, at]
    return subprocess.run(argv, cwd=Path(__file__).parent.parent, capture_output=True, check=False).returncode


@pytest.mark.parametrize("at", ["state:push", "state:pushed"])
def test_a_save_that_was_killed_is_made_once_by_the_next(project: Project, tmp_path: Path, at: str) -> None:
    run(project, where := tmp_path / "1", CUT)
    approve(open_at(where, GO), "0.1.1")
    count = len(project.git("rev-list", tip(project)).split())
    assert killed(where, "save", at) == -9
    save(where, GO + LATER)
    assert len(project.git("rev-list", tip(project)).split()) == count + 1
    assert load(runner(project, tmp_path / "2"), GO).head == open_at(where, GO).entries()[-1].digest


def test_a_push_whose_answer_was_lost_is_a_push(project: Project, tmp_path: Path) -> None:
    """The remote moved the branch and the connection broke: here, its hook kills the whole pushing process."""
    run(project, where := tmp_path / "1", CUT)
    approve(open_at(where, GO), "0.1.1")
    pid = tmp_path / "pid"
    hook = project.path / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nkill -9 $(cat {pid})\n")
    hook.chmod(0o755)
    code = _KILLED.replace("app = open", f"Path({str(pid)!r}).write_text(str(os.getpid()))\napp = open")
    argv = [sys.executable, "-c", code, str(where), GO.isoformat(), "save", "-"]
    done = subprocess.run(argv, cwd=Path(__file__).parent.parent, capture_output=True, check=False)
    assert done.returncode == -9
    hook.unlink()
    there = tip(project)
    kept = save(where, GO + LATER)
    assert (kept.changed, kept.commit) == (False, there)


@pytest.mark.parametrize("at", ["state:placed", "state:measurements", "state:ledger"])
@pytest.mark.parametrize("behind", [True, False])
def test_a_load_that_was_killed_is_completed_by_the_next(
    project: Project, tmp_path: Path, at: str, behind: bool
) -> None:
    run(project, tmp_path / "1", CUT)
    where = runner(project, tmp_path / "here")
    if behind:
        load(where, CUT)
    load(other := runner(project, tmp_path / "2"), GO)
    approve(open_at(other, GO), "0.1.1")
    save(other, GO)
    assert killed(where, "load", at) == -9
    load(where, GO)
    assert open_at(where, GO).entries() == open_at(other, GO).entries()
    assert settle(open_at(where, GO))[0] == ["publish", "tag-final"]


def test_a_remote_that_cannot_be_reached_is_told_without_its_password(
    project: Project, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    where = runner(project, tmp_path / "1")
    url = "https://me:secret@127.0.0.1:1/x.git"
    for what in ("load", "save"):
        argv = [sys.executable, "-m", "headway", "--repo", str(where), "--json", "state", what, "--remote", url]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 4
        assert json.loads(done.stdout)["error"]["code"] == "state.unread"
        assert "secret" not in done.stdout + done.stderr


def test_the_commands_answer_as_the_contract_says(project: Project, tmp_path: Path) -> None:
    def ask(where: Path, *args: str) -> tuple[int, dict[str, object]]:
        argv = [sys.executable, "-m", "headway", "--repo", str(where), "--json", "--now", CUT.isoformat(), *args]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    a = runner(project, tmp_path / "a")
    code, told = ask(a, "state", "load")
    assert (code, told["standing"], told["commit"]) == (0, "begun", None)
    assert ask(a, "tick", "--settle")[0] in {0, 3}
    push(a)
    code, told = ask(a, "state", "save")
    assert (code, told["changed"]) == (0, True)
    assert "ledger.db" in told["files"]  # type: ignore[operator]
    code, told = ask(runner(project, tmp_path / "b"), "state", "load")
    assert (code, told["standing"]) == (0, "taken")


# Files that a CI gives again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["kept", "expired", "other-bytes"])
def test_b4_files_that_a_ci_built_are_not_carried_but_fetched_again_and_held_against_their_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    project = ci_project(tmp_path)
    store = tmp_path / "store.git"
    git(tmp_path, "init", "-q", "--bare", str(store))
    with serving(tmp_path / "github.git") as github:
        use_ci(project, github)
        settle(open_at(project.path, CUT))
        github.work()
        settle(open_at(project.path, CUT))
        app = open_at(project.path, CUT)
        kept = carrying.save(app, carrying.state_branch(app, str(store), BRANCH))
        assert [f for f in kept.files if f.startswith("artifacts/")] == []
        other = tmp_path / "other.git"
        git(tmp_path, "clone", "-q", "--bare", str(project.path), str(other))
        (other / "headway").mkdir()
        policy = (project.path / "headway" / "release.toml").read_text()
        (other / "headway" / "release.toml").write_text(policy)
        if what == "expired":
            github.runs[0].artifacts[0].expired = True
        if what == "other-bytes":
            github.runs[0].artifacts[0].data = zipped({GOOD: b"x", "toykit-0.1.1.tar.gz": b"y"})
        there = open_at(other, CUT)
        at = carrying.state_branch(there, str(store), BRANCH)
        if what == "other-bytes":
            with pytest.raises(WorldFailed) as e:
                carrying.load(there, at)
            assert e.value.code == "artifact.changed"
            assert not there.paths.artifacts(RC1).exists()
            return
        loaded = carrying.load(there, at)
    if what == "expired":
        assert [(tag, str(why)) for tag, why in loaded.missing] == [(RC1, "the artifact dist has expired")]
        return
    assert loaded.missing == ()
    assert bytes_under(there.paths.artifacts(RC1)) == bytes_under(app.paths.artifacts(RC1))


# Getting in ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["token", "app"])
def test_the_state_of_a_project_with_a_forge_is_reached_as_a_tick_reaches_it(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the token or the App, in no file and no argument; a remote that is not the project's is given neither."""
    with town(tmp_path) as place:
        place.fake.private = True
        for name, value in app_env().items() if by == "app" else [("GITHUB_TOKEN", TOKEN)]:
            monkeypatch.setenv(name, value)
        place.app.tick()
        kept = carrying.save(place.app, carrying.state_branch(place.app, "", BRANCH))
        assert kept.commit == place.there.git("rev-parse", f"refs/heads/{BRANCH}")
        named = carrying.state_branch(place.app, git_url(place.fake), BRANCH)
        assert named.tip() == kept.commit
        other = carrying.state_branch(place.app, f"{place.fake.api}/else/where.git", BRANCH)
        assert other.env() == {}
        monkeypatch.delenv("HEADWAY_APP_ID" if by == "app" else "GITHUB_TOKEN")
        with pytest.raises(WorldFailed) as caught:
            carrying.load(place.app, carrying.state_branch(place.app, "", BRANCH))
        assert caught.value.code == "state.unread"


def test_a_relative_path_is_a_remote(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From where one stands on the command line, and from the top of the work tree in git's own settings."""
    where = runner(project, tmp_path / "1")
    monkeypatch.chdir(tmp_path)
    app = open_at(where, CUT)
    app.tick()
    kept = carrying.save(app, carrying.state_branch(app, "toy.git", BRANCH))
    assert kept.commit == tip(project)
    git(where, "remote", "set-url", "origin", "../toy.git")
    assert carrying.state_branch(app, "", BRANCH).tip() == kept.commit
