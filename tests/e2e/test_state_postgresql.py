"""State on a branch where the ledger is in PostgreSQL: the branch carries files only, and holds them to the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from statekit import BRANCH, git, load, push, run, runner, save
from trainkit import BRANCH as LINE
from trainkit import CUT, GO, PICKS, POST, Project, approve, ask, kinds, make_project, open_at, settle, verify

from headway import controls
from headway.carrying import Standing
from headway.errors import BrokenInvariant, UnusableInput, WorldFailed
from headway.model.entry import Entry, Kind, broken_links
from headway.model.pick import Claims

LATER = timedelta(minutes=10)
RC1 = "v0.1.1-rc1"
GOOD = "toykit-0.1.1-py3-none-any.whl"


@pytest.fixture
def project(tmp_path: Path, database: Callable[[], str]) -> Project:
    return make_project(tmp_path / "toy.git", policy=f'\n[ledger]\nurl = "{database()}"\n')


def carried(project: Project) -> list[str]:
    return project.git("ls-tree", "-r", "--name-only", f"refs/heads/{BRANCH}").split()


def test_a_train_goes_on_from_one_runner_to_the_next(project: Project, tmp_path: Path) -> None:
    did, first = run(project, tmp_path / "1", CUT)
    assert did == ["cut", "tag-candidate", "build", "test", "stage"]
    assert {"ledger.db", "measurements.db"}.isdisjoint(carried(project))
    assert f"artifacts/{RC1}/{GOOD}" in carried(project)
    load(where := runner(project, tmp_path / "2"), GO)
    other = open_at(where, GO)
    assert other.entries() == first.entries()
    assert (other.paths.artifacts(RC1) / GOOD).read_bytes() == (first.paths.artifacts(RC1) / GOOD).read_bytes()
    approve(other, "0.1.1")
    did, after = run(project, tmp_path / "3", GO)
    assert did == ["publish", "tag-final"]
    assert run(project, tmp_path / "4", GO + LATER)[0] == []
    assert verify(after, "0.1.1") == ()
    assert broken_links(after.entries()) == ()
    assert [f for f in carried(project) if f.startswith("artifacts/")] == []  # the train is over


def test_g4_a_branch_whose_ledger_is_another_is_refused(
    project: Project, tmp_path: Path, database: Callable[[], str]
) -> None:
    """As when `ledger.url` names a database that was begun anew."""
    run(project, known := tmp_path / "1", CUT)
    where = runner(project, tmp_path / "2")
    text = (where / "release.toml").read_text()
    before = text[text.index("[ledger]") :].splitlines()[1]
    project.commit("moved", "Another ledger", {"release.toml": text.replace(before, f'url = "{database()}"')}, when=CUT)
    for carry, at in ((load, where), (load, known), (save, known)):
        git(at, "pull", "-q", "origin", "main")
        with pytest.raises(BrokenInvariant) as e:
            carry(at, CUT)
        assert (e.value.code, e.value.clause) == ("state.diverged", "G4")
    assert not open_at(where, CUT).paths.artifacts(RC1).exists()


def test_files_that_were_never_saved_are_missed_in_words_and_come_with_the_next_save(
    project: Project, tmp_path: Path
) -> None:
    """The ledger knows of a candidate whose files are still with the runner that built it."""
    load(built := runner(project, tmp_path / "1"), CUT)
    settle(open_at(built, CUT))
    push(built)
    fresh = runner(project, tmp_path / "2")
    assert load(fresh, GO).standing is Standing.BEGUN
    approve(open_at(fresh, GO), "0.1.1")
    with pytest.raises(WorldFailed, match="is not where the build left it"):
        settle(open_at(fresh, GO))
    assert Kind.PUBLISHED not in kinds(open_at(fresh, GO))
    save(built, GO)
    assert load(fresh, GO).standing is Standing.TAKEN
    assert settle(open_at(fresh, GO))[0] == ["publish", "tag-final"]


# Under embargo (P8) -------------------------------------------------------------------------------------------------

SECRET = "Do not read outside of the table"
DISCLOSED = date(2025, 1, 31)


def asked_in_private(where: Path) -> str:
    """A fix that only this clone has, asked for under embargo."""
    git(where, "checkout", "-q", "-b", "grace/secret", LINE)
    (where / "toykit" / "table.py").write_text("def rows():\n    return [0, 1, 2][:3]\n")
    git(where, "commit", "-qam", SECRET)
    fix = git(where, "rev-parse", "HEAD")
    git(where, "checkout", "-q", "main")
    claims = Claims(symptom="remote code execution", embargo=DISCLOSED.isoformat())
    ask(open_at(where, PICKS), fix, "critical", "CVE-2025-0001", claims=claims)
    return fix


def untold(project: Project) -> bool:
    """Nobody who reads the repository reads of the fix."""
    told = project.git("log", "--all", "-p", "--text", "--format=%an %s %b") + str(project.refs())
    return not any(word in told for word in (SECRET, "[:3]", "grace/secret"))


def test_p8_a_ledger_that_tells_of_an_embargo_is_not_saved(tmp_path: Path) -> None:
    project = make_project(tmp_path / "toy.git")
    run(project, where := tmp_path / "1", CUT)
    before = project.refs()
    asked_in_private(where)
    with pytest.raises(UnusableInput) as e:
        save(where, PICKS)
    assert (e.value.code, e.value.clause) == ("state.embargoed", "P8")
    assert "PostgreSQL" in str(e.value.remedy)
    assert project.refs() == before
    assert untold(project)
    assert save(where, POST + timedelta(days=2)).changed  # disclosed


def test_p8_with_the_ledger_elsewhere_the_rest_is_saved_and_tells_nothing(project: Project, tmp_path: Path) -> None:
    where = runner(project, tmp_path / "1")
    load(where, CUT)
    settle(open_at(where, CUT))
    push(where)
    fix = asked_in_private(where)
    for person in ("Ada", "Bo"):
        waived = controls.waive(
            open_at(where, PICKS, person=person), "0.1.1", "P8", "under embargo", DISCLOSED + timedelta(days=2), fix
        )
        assert isinstance(waived, Entry), waived
    assert settle(open_at(where, PICKS))[0] == ["prepare-embargoed"]
    assert save(where, PICKS).changed
    assert untold(project)
    assert f"artifacts/{RC1}/{GOOD}" in carried(project)
