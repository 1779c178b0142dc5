"""What a change that was put on a branch says of itself: whose it is, where it is from, who resolved it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gitmaker import GitMaker

from headway.effects.apply import apply_changes
from headway.history.merge import try_changes
from headway.history.repository import open_repository
from headway.model.pick import ChangeKind, PendingChange, Resolution
from headway.plan.actions import AppliedChange, ApplyChanges, PlannedChange

NOW = datetime(2025, 2, 3, 9, 30, tzinfo=UTC)
GRACE = "Grace Łø <grace@example.org>"
TEXT = "".join(f"line {i}\n" for i in range(20))
FORM = "%an <%ae> %at|%cn <%ce> %ct"


def applied(maker: GitMaker, *changes: PendingChange) -> tuple[AppliedChange, ...]:
    """The changes put on the branch ``rel``, as a tick does it."""
    repo, tip = open_repository(maker.path), maker.tip("rel")
    trials = try_changes(repo, tip, changes)
    planned = tuple(PlannedChange(t.change, t.tree) for t in trials if t.tree)
    assert len(planned) == len(changes), trials
    after, done = apply_changes(repo, ApplyChanges("0.1.1", "rel", tip, planned), NOW, lambda _: None)
    assert (maker.tip("rel"), done[-1].commit) == (after, after)
    return done


def test_P8_a_resolved_pick_keeps_its_author_and_names_who_resolved_it(tmp_path: Path) -> None:
    """The tree is the person's, merged onto what the branch is now; the origin's line stands before the person's."""
    maker = GitMaker(tmp_path / "toy.git", bare=True)
    base = maker.commit("base", {"f": TEXT})
    maker.branch("rel", base)
    tip = maker.commit("branch", {"f": TEXT.replace("line 5\n", "rel\n")}, branch="rel")
    body = "It was wrong.\n\nSigned-off-by: Grace <grace@example.org>"
    origin = maker.commit("[Bugfix] Right (#1)", {"f": TEXT.replace("line 5\n", "main\n")}, body=body, author=GRACE)
    maker.branch("work", tip)
    work = maker.commit("resolved", {"f": TEXT.replace("line 5\n", "rel and main\n")}, branch="work")
    maker.commit("later", {"g": "g\n"}, branch="rel")
    tree = maker.run("rev-parse", f"{work}^{{tree}}")
    resolution = Resolution(9, tip, tree, work, "Rosa\n<rosa@example.org>")
    change = PendingChange(ChangeKind.PICK, origin, 4, None, "Right", 4, resolution)
    (done,) = applied(maker, change)
    author, committer = maker.run("show", "-s", f"--format={FORM}", done.commit).split("|")
    assert author == f"{GRACE} {maker.run('show', '-s', '--format=%at', origin)}"
    assert committer == f"Headway <headway@localhost> {int(NOW.timestamp())}"
    assert maker.run("show", "-s", "--format=%B", done.commit) == (
        f"[Bugfix] Right (#1)\n\n{body}\n(cherry picked from commit {origin})\nResolved-by: Rosa <rosa@example.org>"
    )
    assert maker.run("show", f"{done.commit}:f").splitlines()[5] == "rel and main"
    assert maker.run("show", f"{done.commit}:g") == "g"


def test_B6_a_revert_that_a_person_asked_for_is_gits_own(tmp_path: Path) -> None:
    """It copies nothing of the trunk's: no line of a pick, and no author but Headway."""
    maker = GitMaker(tmp_path / "toy.git", bare=True)
    base = maker.commit("base", {"f": TEXT})
    maker.branch("rel", base)
    bad = maker.commit("[Bugfix] Bad (#2)", {"f": "bad\n"}, branch="rel")
    (done,) = applied(maker, PendingChange(ChangeKind.REVERT, bad, None, bad, "Bad"))
    message = maker.run("show", "-s", "--format=%B", done.commit)
    assert message == f'Revert "[Bugfix] Bad (#2)"\n\nThis reverts commit {bad}.'
    stamp = f"Headway <headway@localhost> {int(NOW.timestamp())}"
    assert maker.run("show", "-s", f"--format={FORM}", done.commit) == f"{stamp}|{stamp}"
    assert maker.run("rev-parse", f"{done.commit}^{{tree}}") == maker.run("rev-parse", f"{base}^{{tree}}")


def test_B6_a_trunk_revert_names_both_what_it_undoes_and_where_it_is_from(tmp_path: Path) -> None:
    maker = GitMaker(tmp_path / "toy.git", bare=True)
    maker.commit("base", {"f": TEXT})
    bad = maker.commit("[Core] Bad (#3)", {"f": "bad\n"})
    maker.branch("rel", bad)
    revert = maker.commit('Revert "[Core] Bad (#3)"', {"f": TEXT}, author=GRACE)
    (done,) = applied(maker, PendingChange(ChangeKind.REVERT, revert, None, bad, "Bad"))
    assert maker.run("show", "-s", "--format=%B", done.commit) == (
        f'Revert "[Core] Bad (#3)"\n\nThis reverts commit {bad}.\n\n(cherry picked from commit {revert})'
    )
    assert maker.run("show", "-s", "--format=%an <%ae>", done.commit) == GRACE


def test_P1_a_group_lies_together_on_the_branch(tmp_path: Path) -> None:
    """At the place of its first commit, in the order that its trials had."""
    maker = GitMaker(tmp_path / "toy.git", bare=True)
    maker.branch("rel", maker.commit("base", {"f": TEXT}))
    one, two, three = (maker.commit(name, {name: f"{name}\n"}) for name in ("one", "two", "three"))
    pick = ChangeKind.PICK
    done = applied(
        maker,
        PendingChange(pick, one, 1, None, "one", 1),
        PendingChange(pick, two, 2, None, "two"),
        PendingChange(pick, three, 1, None, "three", 1),
    )
    assert [d.change.origin for d in done] == [one, three, two]
    assert maker.run("log", "--format=%s", "--reverse", "-3", "rel").split() == ["one", "three", "two"]
