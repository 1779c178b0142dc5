"""P1: a pick that the branch holds already is recognised, under whatever SHA, until the branch takes it out."""

from __future__ import annotations

from pathlib import Path

from gitmaker import GitMaker
from test_merge import TEXT, changed

from headway.history.pickcheck import Asked
from headway.history.repository import open_at_once
from headway.pickcheck import check_picks


def already(path: Path, *pairs: tuple[str, str]) -> list[str | None]:
    return [c.already for c in check_picks(open_at_once(path), [Asked(*p) for p in pairs], 1)]


def grown(maker: GitMaker) -> tuple[str, str, str]:
    """``main`` with three commits after the fork of ``rel``; gives them."""
    maker.commit("old work", {"old": "o\n"})
    base = maker.commit("base", {"f": TEXT, "g": TEXT})
    maker.branch("rel", base)
    one = maker.commit("Mend the parser of schedules (#1)", {"f": changed(TEXT, l2="one two three")})
    two = maker.commit("Bound the retries of workers (#2)", {"g": changed(TEXT, l9="four five six")})
    three = maker.commit("Say what the cache drops (#3)", {"f": changed(TEXT, l2="one two three", l25="seven eight")})
    return one, two, three


def test_a_copy_with_and_without_a_trailer(maker: GitMaker) -> None:
    one, two, three = grown(maker)
    first = maker.pick(one, "rel")
    second = maker.pick(two, "rel", x=False)
    assert already(maker.path, ("rel", one), ("rel", two), ("rel", three)) == [first, second, None]
    assert already(maker.path, ("rel", two)) == [second]
    assert already(maker.path, (first, two), ("rel~2", one)) == [None, None]


def test_the_commit_itself_is_there(maker: GitMaker) -> None:
    one, two, three = grown(maker)
    maker.pick(three, "rel")
    assert already(maker.path, ("main", one), ("main", three), (two, one), ("rel", "rel~1"), ("rel", "rel~2")) == [
        one,
        three,
        one,
        maker.tip("rel~1"),
        maker.tip("rel~2"),
    ]


def test_what_the_branch_took_out_is_not_there(maker: GitMaker) -> None:
    one, _, _ = grown(maker)
    copy = maker.pick(one, "rel")
    undo = maker.revert(copy, "rel")
    assert already(maker.path, ("rel", one), (copy, one)) == [None, copy]
    maker.revert(undo, "rel")
    assert already(maker.path, ("rel", one)) != [None]


def test_a_branch_that_another_asked_commit_contains(maker: GitMaker) -> None:
    one, two, _ = grown(maker)
    copy = maker.pick(one, "rel")
    maker.branch("next", "rel")
    later = maker.commit("Only there", {"h": "h\n"}, branch="next")
    assert already(maker.path, ("rel", one), ("rel", later), ("rel", two)) == [copy, None, None]
