"""B1: a train that is cut again, on a real repository: a branch of another name, picks applied again, old tags kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from trainkit import (
    AFTER_CUT,
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
from worlds import fact

from headway import controls, recutting
from headway.auditing import look
from headway.errors import UnusableInput
from headway.model.entry import Entry, Kind
from headway.refusal import Refused

AGAIN = f"{BRANCH}-r2"
RC2, RC3 = "v0.1.1-rc2", "v0.1.1-rc3"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """0.1.1 is cut, has two picks, a revert and two candidates; the trunk went on."""
    made = make_project(tmp_path / "project.git")
    settle(open_at(made.path, CUT))
    grow_trunk(made)
    for name, category in (("fix", "regression"), ("docs", "docs")):
        ask(open_at(made.path, PICKS), made.shas[name], category, "https://example.org/why")
    settle(open_at(made.path, PICKS))
    assert made.ref(f"refs/tags/{RC2}")
    return made


def recut(project: Project, at: str, reason: str = "the cut holds a bad merge") -> tuple[Entry, ...]:
    done = recutting.recut(open_at(project.path, PICKS), "0.1.1", at, reason)
    assert isinstance(done, tuple), done
    return done


def subjects(project: Project, branch: str, since: str) -> list[str]:
    return project.git("log", "--reverse", "--format=%s", f"{since}..{branch}").splitlines()


def test_B1_a_new_cut_has_a_new_name_and_nothing_of_the_old_one_is_lost(project: Project) -> None:
    before = project.refs()
    decided, cut = recut(project, project.shas["fix"])
    assert (decided.kind, cut.kind) == (Kind.RECUT, Kind.CUT)
    assert dict(decided.payload) | {"policy": 0} == {
        "branch": AGAIN,
        "commit": project.shas["fix"],
        "before": BRANCH,
        "reason": "the cut holds a bad merge",
        "policy": 0,
    }
    assert project.refs() == before | {f"refs/heads/{AGAIN}": project.shas["fix"]}


def test_B1_picks_are_applied_again_unless_the_new_cut_contains_them(project: Project) -> None:
    recut(project, project.shas["fix"])
    settle(open_at(project.path, PICKS))
    assert subjects(project, AGAIN, project.shas["fix"]) == [
        "[Doc] How to install (#5)",
        'Revert "[Core] Faster table (#2)"',
    ]


def test_B4_candidates_go_on_counting_and_the_old_ones_are_void(project: Project) -> None:
    recut(project, project.shas["fix"])
    app = open_at(project.path, PICKS)
    _, waits = settle(app)
    assert "candidate.off-branch" not in {w.code for w in waits}
    tip = project.ref(f"refs/heads/{AGAIN}")
    assert project.git("rev-parse", f"{RC3}^{{commit}}") == tip
    assert project.ref(f"refs/tags/{RC2}"), "the old one stays"
    assert [c.facts.tag for c in app.train("0.1.1").candidates] == [RC3]


def test_B1_the_release_and_its_proof_are_of_the_new_branch(project: Project) -> None:
    recut(project, project.shas["fix"])
    settle(open_at(project.path, PICKS))
    settle(open_at(project.path, GO))
    approve(open_at(project.path, GO), "0.1.1")
    settle(open_at(project.path, GO))
    app = open_at(project.path, GO)
    assert only(app, Kind.RELEASED, "0.1.1").payload["commit"] == project.ref(f"refs/heads/{AGAIN}")
    assert verify(app, "0.1.1") == ()
    assert look(app, AGAIN).audit.commits[0].violations == ()
    ask(app, project.shas["on-feature"], "critical", "https://example.org/x", onto="0.1.1.post1")
    assert next(t.train.branch for t in app.plan().trains if t.train.name == "0.1.1.post1") == AGAIN


def test_B1_it_may_be_cut_a_third_time(project: Project) -> None:
    recut(project, project.shas["fix"])
    decided, _ = recut(project, project.shas["docs"], "once more")
    assert decided.payload["branch"] == f"{BRANCH}-r3"
    assert decided.payload["before"] == AGAIN
    assert open_at(project.path, PICKS).train("0.1.1").train.branch == f"{BRANCH}-r3"


def test_B1_a_name_that_somebody_took_is_left_alone(project: Project) -> None:
    project.git("branch", AGAIN, project.shas["first"])
    decided, _ = recut(project, project.shas["fix"])
    assert decided.payload["branch"] == f"{BRANCH}-r3"
    assert project.ref(f"refs/heads/{AGAIN}") == project.shas["first"]


def test_B1_killed_between_the_word_and_the_cut_the_next_tick_cuts(project: Project) -> None:
    class KilledError(Exception):
        pass

    def at(step: str) -> None:
        if step.startswith("before:cut:"):
            raise KilledError

    with pytest.raises(KilledError):
        recutting.recut(open_at(project.path, PICKS, at=at), "0.1.1", project.shas["fix"], "bad merge")
    assert project.ref(f"refs/heads/{AGAIN}") is None
    done, _ = settle(open_at(project.path, GO))  # its window is over: that of the first cut counts
    assert done[0] == "cut"
    assert project.ref(f"refs/heads/{AGAIN}")


def test_B1_what_is_refused(project: Project, tmp_path: Path) -> None:
    app = open_at(project.path, PICKS)
    for at, reason, code in (
        (project.shas["unmerged"], "why", "cut.off-trunk"),
        (project.shas["first"], "why", "cut.too-old"),
        (project.shas["fix"], "  ", "recut.no-reason"),
    ):
        answer = recutting.recut(app, "0.1.1", at, reason)
        assert isinstance(answer, Refused)
        assert [r.code for r in answer.reasons] == [code]
        assert str(answer.reasons[0].remedy)
    with pytest.raises(UnusableInput):
        recutting.recut(app, "0.1.1", "no-such-commit", "why")
    assert "recut" not in kinds(app)
    fresh = make_project(tmp_path / "other.git")
    answer = recutting.recut(open_at(fresh.path, AFTER_CUT), "0.1.1", fresh.shas["docs0"], "why")
    assert isinstance(answer, Refused)
    assert answer.reasons[0].code == "recut.not-cut"


def test_B1_a_published_version_is_not_cut_again_and_a_held_one_not_now(project: Project) -> None:
    app = open_at(project.path, GO)
    controls.hold(app, "0.1.1", "wait")
    answer = recutting.recut(app, "0.1.1", project.shas["fix"], "why")
    assert isinstance(answer, Refused)
    assert answer.reasons[0].code == "train.held"
    controls.release_hold(app, "0.1.1")
    settle(app)
    approve(app, "0.1.1")
    settle(app)
    ask(app, project.shas["on-feature"], "critical", "https://example.org/x", onto="0.1.1.post1")
    answer = recutting.recut(app, "0.1.1.post1", "main", "why")
    assert isinstance(answer, Refused)
    assert answer.reasons[0].code == "recut.post"
    with pytest.raises(UnusableInput):
        recutting.recut(app, "0.1.1", "main", "why")


def test_B1_a_deleted_new_branch_is_missed(project: Project) -> None:
    recut(project, project.shas["fix"])
    tip = project.ref(f"refs/heads/{AGAIN}")
    project.git("update-ref", "-d", f"refs/heads/{AGAIN}")
    wait = next(w for w in open_at(project.path, PICKS).train("0.1.1").waits if w.code == "branch.gone")
    assert (fact(wait, "branch"), fact(wait, "tip")) == (AGAIN, tip)
