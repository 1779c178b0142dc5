"""Content: what a revert undoes of a change, what still stands, and which change it undoes at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from gitmaker import GitMaker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.history.inverse import find_undone, still_there, undone_share
from headway.history.log import read_commits
from headway.history.objects import Objects
from headway.history.records import Record, read_records
from headway.history.repository import open_repository
from headway.history.reverts import find_reverts

BASE = "".join(f"line {i}\n" for i in range(20))
NEW = "".join(f"new {i}\n" for i in range(10))
BINARY = "\0\1\2"
Share = Callable[[str, str], float]


@pytest.fixture
def objects(plain: GitMaker) -> Iterator[Objects]:
    plain.commit("base", {"a": BASE, "b": BASE, "bin": BINARY})
    with Objects(open_repository(plain.path).git) as found:
        yield found


def record(maker: GitMaker, sha: str) -> Record:
    (found,) = read_records(open_repository(maker.path).git, ("--no-walk", sha))
    return found


@pytest.fixture
def share(plain: GitMaker, objects: Objects) -> Share:
    return lambda revert, target: undone_share(record(plain, revert), record(plain, target), objects)


def test_a_whole_revert(plain: GitMaker, share: Share) -> None:
    x = plain.commit("x", {"a": BASE + NEW, "b": None, "bin": BINARY + "x", "c/d": NEW})
    r = plain.revert(x)
    assert share(r, x) == 1.0
    assert share(plain.revert(r), r) == 1.0


def test_a_partial_revert(plain: GitMaker, share: Share) -> None:
    x = plain.commit("x", {"a": BASE + NEW, "b": BASE + NEW})
    one_file = plain.commit("one file", {"a": BASE})
    assert share(one_file, x) == pytest.approx(0.5)
    y = plain.commit("y", {"a": BASE + NEW})
    few = plain.commit("few lines", {"a": BASE + "".join(f"new {i}\n" for i in range(3, 10))})
    assert share(few, y) == pytest.approx(0.3)
    other = plain.commit("other", {"d": "z\n"})
    assert share(other, y) == 0.0


def test_edits_in_between_do_not_count_against_it(plain: GitMaker, share: Share) -> None:
    x = plain.commit("x", {"a": BASE + NEW, "b": BASE + NEW})
    plain.commit("half of it goes", {"a": "top\n" + BASE + "".join(f"new {i}\n" for i in range(5)), "b": None})
    r = plain.commit("the rest goes", {"a": "top\n" + BASE})
    assert share(r, x) == 1.0
    assert share(plain.commit("later", {"a": "top\n"}), x) == 0.0


def test_lines_that_were_taken_away_come_back(plain: GitMaker, share: Share) -> None:
    x = plain.commit("x", {"a": "line 0\n", "b": None})
    assert share(plain.commit("all of a", {"a": BASE}), x) == pytest.approx(19 / 39)
    y = plain.commit("y", {"a": None})
    assert share(plain.commit("back", {"a": BASE, "e": "1\n"}), y) == 1.0


def test_trivial_lines_weigh_little(plain: GitMaker, share: Share) -> None:
    x = plain.commit("x", {"a": BASE + "}\n" * 10 + "word\n"})
    assert share(plain.commit("braces go", {"a": BASE + "word\n"}), x) == pytest.approx(0.5)


def test_binary_and_huge_files_are_compared_whole(plain: GitMaker, share: Share) -> None:
    x = plain.commit("x", {"bin": BINARY + "x", "huge": "h\n" * 600_000})
    assert share(plain.commit("all", {"bin": BINARY, "huge": None}), x) == 1.0
    y = plain.commit("y", {"bin": BINARY + "y"})
    assert share(plain.commit("not back", {"bin": BINARY + "z"}), y) == 0.0


def test_a_rename_is_undone_as_a_deletion_and_an_addition(plain: GitMaker, share: Share) -> None:
    x = plain.commit("x", {"a": None, "moved": BASE})
    assert share(plain.revert(x), x) == 1.0


def test_what_is_not_here_is_unknown(plain: GitMaker, share: Share) -> None:
    x = plain.commit("x", {"a": NEW, "b": BASE + NEW})
    plain.commit("between", {"a": "top\n" + NEW})
    r = plain.commit("r", {"a": "top\n" + BASE, "b": BASE})
    assert share(r, x) == 1.0
    blob = plain.run("rev-parse", f"{x}:a")
    (plain.path / ".git/objects" / blob[:2] / blob[2:]).unlink(missing_ok=True)
    assert share(r, x) in (0.0, 1.0)  # packed by fast-import, or gone: never an error


def test_what_still_stands(plain: GitMaker, objects: Objects) -> None:
    x = plain.commit("x", {"a": BASE + NEW, "c/d": NEW, "bin": BINARY + "x", "b": None})

    def stands(ref: str) -> float:
        return still_there(record(plain, x), plain.run("rev-parse", f"{ref}^{{tree}}"), objects)

    assert stands("main") == 1.0
    plain.commit("moved about", {"a": NEW + "between\n" + BASE})
    assert stands("main") == 1.0
    plain.commit("a file goes", {"c/d": None})
    assert stands("main") == pytest.approx(11 / 21)
    plain.commit("its folder is a file", {"c/d": None, "c": "x\n", "bin": "text\n"})
    assert stands("main") == pytest.approx(10 / 21)
    assert stands("main~4") == 0.0
    assert still_there(record(plain, x), "0" * 40, objects) == 0.0


def test_the_change_that_is_undone(plain: GitMaker, objects: Objects) -> None:
    x = plain.commit("x", {"a": BASE + NEW})
    y = plain.commit("y", {"a": "top\n" + BASE + NEW, "b": "b\n"})
    z = plain.commit("z", {"c": NEW})
    r = plain.commit("r", {"a": "top\n" + BASE})
    again = plain.commit("again", {"a": "top\n" + BASE + NEW})
    last = plain.commit("last", {"a": "top\n" + BASE})
    x_, y_, z_, r_, again_ = (record(plain, sha) for sha in (x, y, z, r, again))

    def undone(sha: str, *newest_first: Record) -> str | None:
        return find_undone(record(plain, sha), newest_first, objects, 0.6)

    assert undone(r, z_, y_, x_) == x
    assert undone(r, z_, y_) is None
    assert undone(last, again_, r_, z_, y_, x_) == again  # the same change as x, which r undid
    assert undone(again, r_, z_, y_, x_) == r


def test_two_changes_that_are_almost_undone_leave_it_unclear(plain: GitMaker, objects: Objects) -> None:
    x = plain.commit("x", {"a": BASE + NEW + "one\n"})
    plain.commit("away", {"a": BASE})
    y = plain.commit("y", {"a": BASE + NEW + "two\nthree\n"})
    r = plain.commit("r", {"a": BASE + "two\nthree\n"})
    assert find_undone(record(plain, r), (record(plain, y), record(plain, x)), objects, 0.6) is None


def test_a_revert_that_names_nothing_to_be_found_is_told_by_content(plain: GitMaker) -> None:
    plain.commit("base", {"a": BASE})
    x = plain.commit("Add x", {"a": BASE + NEW})
    plain.commit("Other", {"b": NEW})
    plainly = plain.commit('Revert "The new thing"', {"a": BASE})
    back = plain.commit('Reland "The thing, again"', {"a": BASE + NEW})
    in_words = plain.commit("Revert the whole of it", {"a": BASE})
    plain.commit("Revert back to fewer lines", {"a": BASE.replace("line 1\n", "")})
    repo = open_repository(plain.path)
    commits = read_commits(repo, ("--first-parent", "main"))
    wanted = {plainly: (x,), back: (plainly,), in_words: (back,)}
    assert {r.commit.sha: r.targets for r in find_reverts(repo, commits)} == wanted
    assert {r.commit.sha: r.targets for r in find_reverts(repo, commits[4:])} == {back: (plainly,), in_words: (back,)}


lines = st.lists(st.sampled_from(["alpha", "beta", "gamma", "}", ""]), max_size=12)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=lines, after=lines, between=lines)
def test_a_share_is_a_share_and_a_clean_revert_is_whole(
    plain: GitMaker, before: list[str], after: list[str], between: list[str]
) -> None:
    name = f"f{plain.run('rev-list', '--count', '--all')}"
    texts = ["\n".join(t) for t in (before, after, between)]
    plain.commit("before", {name: texts[0]})
    x = plain.commit("x", {name: texts[1]})
    r = plain.commit("r", {name: texts[0]})
    other = plain.commit("other", {name: texts[2]})
    with Objects(open_repository(plain.path).git) as found:
        whole = undone_share(record(plain, r), record(plain, x), found)
        assert whole == (0.0 if texts[0] == texts[1] else 1.0)
        assert 0.0 <= undone_share(record(plain, other), record(plain, x), found) <= 1.0
        assert 0.0 <= still_there(record(plain, x), plain.run("rev-parse", "main^{tree}"), found) <= 1.0
