"""Reading commits, tags, lines and files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from gitmaker import HOUR, START, GitMaker

from headway.errors import UnusableInput
from headway.history.log import (
    contained,
    is_ancestor,
    paths_of,
    read_commits,
    read_file,
    read_line,
    read_tags,
    read_trunk,
)
from headway.history.repository import Repository, open_repository

Opened = Callable[[], Repository]


def test_commits_come_oldest_first_with_all_their_fields(maker: GitMaker, opened: Opened) -> None:
    a = maker.commit("first (#1)", {"a": "1\n"}, body="why\n\nSigned-off-by: Ada", author="Bo <bo@example.org>")
    b = maker.commit("second", {"a": "2\n"})
    first, second = read_commits(opened(), ("main",))
    assert (first.sha, second.sha, second.parents, first.parents) == (a, b, (a,), ())
    assert (first.subject, first.body, first.pr) == ("first (#1)", "why\n\nSigned-off-by: Ada", 1)
    assert (first.author, first.email) == ("Bo", "bo@example.org")
    assert first.authored == first.committed == START + HOUR
    assert first.tree == maker.run("rev-parse", f"{a}^{{tree}}")


def test_odd_messages_do_not_break_the_framing(maker: GitMaker, opened: Opened) -> None:
    maker.commit("caf\udce9 \x1f\x1e\x01", {"a": "1\n"}, body="line\r\nnext\r\n\x1f")
    maker.commit("huge", {"a": "2\n"}, body="x" * 2_000_000)
    maker.commit("", {"a": "3\n"})
    maker.commit("line one\nline two", {"a": "4\n"}, author="Zoë 王 <z@example.org>")
    odd, huge, empty, double = read_commits(opened(), ("main",))
    assert odd.subject == "caf\N{REPLACEMENT CHARACTER} \x1f\x1e\x01"
    assert odd.body == "line\nnext\n\x1f"
    assert len(huge.body) == 2_000_000
    assert (empty.subject, empty.body) == ("", "")
    assert (double.subject, double.body, double.author) == ("line one", "line two", "Zoë 王")


def test_a_message_in_another_encoding_is_read_as_utf8(plain: GitMaker) -> None:

    plain.commit("one", {"a": "1\n"})
    tree = plain.run("rev-parse", "HEAD^{tree}")
    sha = plain.run("-c", "i18n.commitEncoding=ISO-8859-1", "commit-tree", tree, stdin=b"caf\xe9\n")
    assert read_commits(open_repository(plain.path), (sha,))[0].subject == "café"


def test_the_users_log_settings_do_not_matter(maker: GitMaker, opened: Opened) -> None:
    sha = maker.commit("one", {"a": "1\n"})
    for key, value in (("log.showSignature", "true"), ("color.ui", "always"), ("format.pretty", "oneline")):
        maker.run("config", key, value)
    maker.run("config", "log.date", "relative")
    assert [c.sha for c in read_commits(opened(), ("main",))] == [sha]


def test_an_unreadable_date_is_no_crash(plain: GitMaker) -> None:

    base = plain.commit("one", {"a": "1\n"})
    raw = plain.run("cat-file", "commit", base).replace("1736157600 +0000", "99999999999999999 +0000")
    sha = plain.run("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=(raw + "\n").encode())
    assert read_commits(open_repository(plain.path), (sha,))[0].sha == sha


def test_tags_peel_to_commits(maker: GitMaker, opened: Opened) -> None:
    sha = maker.commit("one", {"a": "1\n"})
    maker.tag("light")
    maker.now += HOUR
    maker.tag("v1.0.0", message="notes\nmore")
    maker.tag("nested", "v1.0.0", message="a tag of a tag")
    maker.tag("deeper", "nested", message="three deep")
    maker.tag("blob", f"{sha}:a")
    maker.tag("tree", f"{sha}^{{tree}}", message="a tag of a tree")
    maker.tag("tree2", "tree", message="a tag of a tag of a tree")
    tags = {t.name: t for t in read_tags(opened())}
    assert set(tags) == {"light", "v1.0.0", "nested", "deeper"}
    assert {t.commit for t in tags.values()} == {sha}
    assert [tags[n].annotated for n in ("light", "v1.0.0", "deeper")] == [False, True, True]
    assert (tags["light"].when, tags["v1.0.0"].when) == (START + HOUR, START + 2 * HOUR)


def test_a_line_is_what_the_branch_has_since_its_cut(maker: GitMaker, opened: Opened) -> None:
    cut = maker.commit("one", {"a": "1\n"})
    maker.branch("releases/v1", cut)
    picked = maker.commit("two", {"a": "2\n"})
    on_branch = maker.pick(picked, "releases/v1")
    line = read_line(opened(), "releases/v1", "main")
    assert line is not None
    assert (line.branch, line.cut, line.tip) == ("releases/v1", cut, on_branch)
    assert [c.sha for c in line.commits] == [on_branch]
    assert line.commits[0].trailers == (picked,)
    assert read_line(opened(), "releases/v2", "main") is None


def test_a_fresh_branch_has_no_commits(maker: GitMaker, opened: Opened) -> None:
    tip = maker.commit("one", {"a": "1\n"})
    maker.branch("releases/v1")
    line = read_line(opened(), "releases/v1", "main")
    assert line is not None
    assert (line.cut, line.tip, line.commits) == (tip, tip, ())


def test_trunk_merged_into_the_branch_moves_the_cut(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("one", {"a": "1\n"})
    maker.branch("releases/v1", base)
    own = maker.commit("own", {"b": "1\n"}, branch="releases/v1")
    merged = maker.commit("two", {"a": "2\n"})
    merge = maker.commit("Merge main", {"a": "2\n"}, branch="releases/v1", merge="main")
    maker.commit("three", {"a": "3\n"})
    line = read_line(opened(), "releases/v1", "main")
    assert line is not None
    assert line.cut == merged
    assert [c.sha for c in line.commits] == [own, merge]


def test_the_branch_merged_back_into_the_trunk_keeps_its_cut(maker: GitMaker, opened: Opened) -> None:
    cut = maker.commit("one", {"a": "1\n"})
    maker.branch("releases/v1", cut)
    own = maker.commit("own", {"b": "1\n"}, branch="releases/v1")
    maker.commit("two", {"a": "2\n"})
    maker.commit("Merge the release", {"b": "1\n"}, merge="releases/v1")
    line = read_line(opened(), "releases/v1", "main")
    assert line is not None
    assert (line.cut, [c.sha for c in line.commits]) == (cut, [own])


def test_a_feature_begun_before_the_cut_and_merged_after_it_does_not_move_it(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("one", {"a": "1\n"})
    maker.branch("feature", base)
    maker.commit("inside", {"f": "1\n"}, branch="feature")
    cut = maker.commit("two", {"a": "2\n"})
    maker.branch("releases/v1", cut)
    maker.commit("Merge", {"f": "1\n"}, merge="feature")
    line = read_line(opened(), "releases/v1", "main")
    assert line is not None
    assert (line.cut, line.commits) == (cut, ())


def test_an_unrelated_branch_is_refused(maker: GitMaker, opened: Opened) -> None:
    maker.commit("one", {"a": "1\n"})
    maker.commit("alone", {"a": "1\n"}, branch="orphan")
    with pytest.raises(UnusableInput) as e:
        read_line(opened(), "orphan", "main")
    assert e.value.code == "repo.unrelated"


def test_the_trunk_is_first_parent_only(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("one", {"a": "1\n"})
    maker.branch("feature", base)
    maker.commit("inside the PR", {"b": "1\n"}, branch="feature")
    merge = maker.commit("Merge (#2)", {"b": "1\n"}, merge="feature")
    trunk = read_trunk(opened(), "main", base)
    assert (trunk.ref, trunk.tip, [c.sha for c in trunk.commits]) == ("main", merge, [merge])
    assert [c.sha for c in read_trunk(opened(), "main", None).commits] == [merge]


def test_files_and_paths_of_a_commit(maker: GitMaker, opened: Opened) -> None:
    root = maker.commit("one", {"a b/ü.txt": "1\n", "gone": "x\n", "latin": "caf\udce9"})
    second = maker.commit("two", {"gone": None, "moved": "x\n", "a b/ü.txt": "2\n"})
    maker.branch("side", root)
    maker.commit("side", {"s": "1\n"}, branch="side")
    merge = maker.commit("merge", {"s": "1\n"}, merge="side")
    repo = opened()
    assert paths_of(repo, root) == ("a b/ü.txt", "gone", "latin")
    assert paths_of(repo, second) == ("a b/ü.txt", "gone", "moved")
    assert paths_of(repo, merge) == ("s",)
    assert read_file(repo, second, "a b/ü.txt") == "2\n"
    assert read_file(repo, root, "latin") == "caf\N{REPLACEMENT CHARACTER}"
    assert [read_file(repo, second, p) for p in ("gone", "a b", "../x", "-p")] == [None] * 4


def test_ancestry(maker: GitMaker, opened: Opened) -> None:
    a = maker.commit("one", {"a": "1\n"})
    b = maker.commit("two", {"a": "2\n"}, when=datetime(2020, 1, 1, tzinfo=UTC))
    maker.branch("side", a)
    c = maker.commit("side", {"c": "1\n"}, branch="side")
    repo = opened()
    assert [is_ancestor(repo, *p) for p in ((a, b), (b, a), (a, a), (c, b))] == [True, False, True, False]
    assert contained(repo, [a, b, c], b) == {a, b}
    assert contained(repo, [], b) == frozenset()


def test_reading_writes_nothing(
    maker: GitMaker, opened: Opened, untouched: Callable[[GitMaker], dict[str, bytes]]
) -> None:
    sha = maker.commit("one", {"a": "1\n"})
    maker.tag("v1", message="x")
    before = untouched(maker)
    repo = opened()
    read_line(repo, "main", "main")
    read_tags(repo)
    paths_of(repo, sha)
    read_file(repo, sha, "a")
    assert untouched(maker) == before
