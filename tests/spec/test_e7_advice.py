"""E7: what is done about a culprit that was named: a revert, an entry for the pick queue, or nobody is blamed."""

from __future__ import annotations

import shlex

from worlds import CELL, METRIC, World

from headway.decide.culpritadvice import ProposeRevert, RequestPick, TellApart, advice
from headway.model.commit import Commit, Revert
from headway.model.pick import Category
from headway.stats.culprit import Found

KEY = (CELL, METRIC)
ENDS = ("v0.7.0", "main")


def commits(*subjects: str) -> list[Commit]:
    world = World()
    for s in subjects:
        world.commit(s)
    return world.trunk[-len(subjects) :]


def found(commit: Commit, *others: Commit, shown: bool = True, p: float = 0.98) -> Found:
    suspects = tuple(c.sha for c in (*others, commit))
    return Found(commit.sha, 1.25, shown, suspects, ((commit.sha, p),), 7, 4)


def test_E7_a_confirmed_culprit_is_a_proposed_revert() -> None:
    """A proposed revert: git's own sentence, and the evidence after it."""
    range_ = commits("[Core] One (#1)", "[Core] Two (#2)", "[Core] Three (#3)")
    made = advice(range_, found(range_[1]), KEY, ENDS, ())
    assert isinstance(made, ProposeRevert)
    assert made.command == f"git revert {range_[1].sha}"
    title, empty, undoes, *why = made.message.splitlines()
    assert (title, empty, undoes) == (
        'Revert "[Core] Two (#2)"',
        "",
        f"This reverts commit {range_[1].sha}.",
    )
    assert why[-1] == (
        f"It made {METRIC} of {CELL} 25.0 % worse between v0.7.0 and main "
        "(posterior 0.980; 7 blocks of search, 4 blocks of the suspect against its parent)."
    )
    assert made.as_json() == {"kind": "revert", "command": made.command, "title": title, "message": made.message}


def test_E7_a_suspect_whose_step_did_not_show_again_is_not_called_a_culprit() -> None:
    range_ = commits("[Core] One (#1)", "[Core] Two (#2)")
    made = advice(range_, found(range_[1], shown=False), KEY, ENDS, ())
    assert isinstance(made, ProposeRevert)
    assert "It is suspected, not confirmed, of having made" in made.message


def test_E7_what_the_trunk_undid_is_requested_for_the_release() -> None:
    """An entry for the pick queue, in the category of regressions, with the ends as its claims (P2)."""
    range_ = commits("[Core] One (#1)", "[Core] Two (#2)", 'Revert "[Core] Two (#2)" (#9)')
    undoing = Revert(range_[2], (range_[1].sha,))
    made = advice(range_[:2], found(range_[1]), KEY, ENDS, (undoing,))
    assert isinstance(made, RequestPick)
    asked = made.request
    assert (asked.ref, asked.category, asked.claims.good, asked.claims.bad) == (
        range_[2].sha,
        Category.REGRESSION,
        *ENDS,
    )
    words = shlex.split(made.command)
    assert words[:4] == ["headway", "pick", "request", range_[2].sha]
    assert words[words.index("--reason") + 1] == asked.reason
    assert made.as_json() == {"kind": "pick", "command": made.command, "ref": range_[2].sha}


def test_E7_hostile_names_of_the_ends_stay_words_of_one_argument() -> None:
    range_ = commits("[Core] One (#1)", "[Core] Two (#2)", 'Revert "[Core] Two (#2)"')
    made = advice(range_[:2], found(range_[1]), KEY, ("$(rm -rf /)", "a;b"), (Revert(range_[2], (range_[1].sha,)),))
    assert isinstance(made, RequestPick)
    assert {"$(rm -rf /)", "a;b"} <= set(shlex.split(made.command))


def test_E7_commits_that_cannot_be_told_apart_blame_nobody() -> None:
    """Where the step showed again, those that were not measured are suspect because they cannot be."""
    range_ = commits("[Core] One (#1)", "[Core] Broken (#2)", "[Core] Mended (#3)")
    made = advice(range_, found(range_[2], range_[1]), KEY, ENDS, ())
    assert isinstance(made, TellApart)
    assert (made.commits, made.broken) == ((range_[1], range_[2]), (range_[1].sha,))
    assert "1 of them cannot be built or launched" in str(made.message)
    rows = made.as_json()["commits"]
    assert rows == [
        {"commit": range_[1].sha, "title": range_[1].title, "measurable": False},
        {"commit": range_[2].sha, "title": range_[2].title, "measurable": True},
    ]
    assert made.as_json()["command"] is None


def test_E7_blocks_that_do_not_tell_ask_for_quieter_hosts() -> None:
    range_ = commits("[Core] One (#1)", "[Core] Two (#2)", "[Core] Three (#3)")
    made = advice(range_, found(range_[2], range_[1], shown=False), KEY, ENDS, ())
    assert isinstance(made, TellApart)
    assert made.broken == ()
    assert "search again on quieter hosts" in str(made.message)


def test_E7_a_revert_that_was_itself_undone_stands_no_more() -> None:
    """The culprit is back in: a revert is proposed again."""
    range_ = commits("[Core] One (#1)", "[Core] Two (#2)", 'Revert "[Core] Two (#2)"', "Reland two")
    undone = Revert(range_[2], (range_[1].sha,))
    back = Revert(range_[3], (range_[2].sha,))
    made = advice(range_[:2], found(range_[1]), KEY, ENDS, (undone, back))
    assert isinstance(made, ProposeRevert)
    assert made.command == f"git revert {range_[1].sha}"
