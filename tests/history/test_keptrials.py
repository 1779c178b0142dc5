"""P8: a trial that is kept is the one that would be made now, and what is not here any more is never taken from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from gitmaker import GitMaker

from headway.history.kept import Kept
from headway.history.merge import try_changes
from headway.history.repository import open_repository
from headway.model.pick import ChangeKind, PendingChange, Trial

TEXT = "".join(f"line {i}\n" for i in range(30))


class Toy:
    """A branch, two trunk commits of which one conflicts, and a group of two of which the second does."""

    def __init__(self, folder: Path) -> None:
        self.made = GitMaker(folder / "toy", bare=True)
        made = self.made
        base = made.commit("base", {"f": TEXT, "g": TEXT})
        made.branch("rel", base)
        made.commit("rel", {"f": TEXT.replace("line 3\n", "rel\n")}, branch="rel")
        bad = made.commit("bad", {"f": TEXT.replace("line 3\n", "main\n")})
        good = made.commit("good", {"f": TEXT.replace("line 3\n", "main\n").replace("line 20\n", "new\n")})
        other = made.commit("other", {"g": TEXT.replace("line 9\n", "new\n")})
        again = made.commit("again", {"f": TEXT.replace("line 3\n", "other\n").replace("line 20\n", "new\n")})
        self.shas = (bad, good, other, again)
        self.changes = tuple(self._pick(sha, 7 if sha in (other, again) else None) for sha in self.shas)
        self.file = folder / "kept.sqlite"

    def _pick(self, sha: str, group: int | None) -> PendingChange:
        return PendingChange(ChangeKind.PICK, sha, 1, None, "", group)

    def tried(self, changes: tuple[PendingChange, ...] | None = None) -> tuple[Trial, ...]:
        repo = open_repository(self.made.path)
        return try_changes(repo, self.made.tip("rel"), changes or self.changes, Kept(self.file))

    def anew(self, changes: tuple[PendingChange, ...] | None = None) -> tuple[Trial, ...]:
        return try_changes(open_repository(self.made.path), self.made.tip("rel"), changes or self.changes)

    def object(self, sha: str) -> Path:
        return self.made.path / "objects" / sha[:2] / sha[2:]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path)
    for pack in (toy.made.path / "objects" / "pack").glob("*.pack"):
        moved = tmp_path / pack.name
        shutil.move(pack, moved)
        toy.made.run("unpack-objects", "-q", stdin=moved.read_bytes())
    return toy


def test_what_is_kept_is_what_was_found(toy: Toy) -> None:
    first = toy.tried()
    assert [bool(t.tree) for t in first] == [False, True, False, False]
    assert [t.held_by for t in first] == [None, None, toy.shas[3], None]
    blob = toy.made.run("rev-parse", "main:f")
    toy.object(blob).unlink()  # nothing could be merged now
    assert toy.tried() == first
    assert any(t.unknown for t in toy.anew())


def test_another_branch_other_changes_or_settings_are_another_question(toy: Toy) -> None:
    toy.tried()
    assert toy.tried(toy.changes[1:]) == toy.anew(toy.changes[1:])
    toy.made.run("config", "merge.renames", "false")
    toy.made.commit("rel again", {"f": TEXT}, branch="rel")
    assert toy.tried() == toy.anew()
    assert toy.tried()[0].tree is not None


@pytest.mark.parametrize("setting", ["merge.own.driver", "merge.renormalize"])
def test_what_a_program_of_the_users_may_answer_is_asked_each_time(toy: Toy, setting: str) -> None:
    toy.made.run("config", setting, "true")
    first = toy.tried()
    toy.object(toy.made.run("rev-parse", "main:f")).unlink()
    assert toy.tried() != first


def test_a_commit_that_is_gone_is_told_and_the_others_are_tried(toy: Toy) -> None:
    toy.tried()
    toy.object(toy.shas[0]).unlink()
    toy.made.run("update-ref", "-d", "refs/heads/main")
    gone, _good, *_ = now = toy.tried()
    assert toy.shas[0] in str(gone.unknown)
    assert now == toy.anew()
    assert toy.tried() == now


def test_a_kept_answer_that_is_none_is_not_believed(toy: Toy) -> None:
    first = toy.tried()
    for words in (b"", b"nonsense", b"[]", b"[[1]]", b"[1, 2, 3, 4]", b"{}"):
        kept = Kept(toy.file)
        kept.get = lambda kind, names, words=words: dict.fromkeys(names, words)  # type: ignore[method-assign,misc]
        repo = open_repository(toy.made.path)
        assert try_changes(repo, toy.made.tip("rel"), toy.changes, kept) == first
