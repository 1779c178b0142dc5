"""Reverts and relands: what a message says, what it names, and what the whole chain leaves undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from gitmaker import GitMaker
from hypothesis import given
from hypothesis import strategies as st

from headway.history.log import read_commits
from headway.history.repository import Repository
from headway.history.revertmessage import Verb, read_claim
from headway.history.reverts import find_reverts, undone
from headway.model.commit import Commit, Revert, standing, undone_by

Opened = Callable[[], Repository]
WHEN = datetime(2025, 1, 1, tzinfo=UTC)


def commit(sha: str, subject: str = "x", body: str = "") -> Commit:
    return Commit(sha, (), "t", "a", "e", WHEN, WHEN, subject, body)


def found(repo: Repository, earlier: int = 0) -> dict[str, tuple[str, ...]]:
    """Targets by revert; the first ``earlier`` trunk commits are only looked in."""
    commits = read_commits(repo, ("--first-parent", "main"))
    return {r.commit.sha: r.targets for r in find_reverts(repo, commits[earlier:], commits[:earlier])}


@pytest.mark.parametrize(
    ("subject", "verb", "number", "title", "plain"),
    [
        ('Revert "Add x"', Verb.UNDO, None, "add x", True),
        ('Revert "Add x (#1)" (#2)', Verb.UNDO, 1, "add x", True),
        ('Revert "Revert "Add x (#1)" (#2)" (#3)', Verb.UNDO, 2, 'revert "add x (#1)"', True),
        ('Reapply "Add x (#1)"', Verb.REDO, 1, "add x", True),
        ('[Bugfix][Core] Revert "Add x (#1)" (#2)', Verb.UNDO, 1, "add x", True),
        ("[Revert] [Misc] Add x (#1) (#2)", Verb.UNDO, 1, "[misc] add x", False),
        ("[Reland] Add x (#1) (#2)", Verb.REDO, 1, "add x", False),
        ("Reland Add x (#5)", Verb.REDO, None, "add x", False),
        ("Re-land: Add x", Verb.REDO, None, "add x", False),
        ("revert: feat: y", Verb.UNDO, None, "feat: y", False),
        ("Revert #12 (#15)", Verb.UNDO, 12, "#12", False),
        ('Revert "A very long title that was cut sh', Verb.UNDO, None, "a very long title that was cut sh", True),
        ('【Bugfix】Revert "Add x"', Verb.UNDO, None, "add x", True),
        ("Revert “Add x (#1)” (#2)", Verb.UNDO, 1, "add x", True),
    ],
)
def test_subjects(subject: str, verb: Verb, number: int | None, title: str, plain: bool) -> None:
    claim = read_claim(commit("1", subject))
    assert claim is not None
    assert (claim.verb, claim.number, claim.title, claim.plain) == (verb, number, title, plain)


@pytest.mark.parametrize(
    "subject", ["Add x (#1)", "Fix the Revert button", "[Core] Add revert support", "", "Reverter"]
)
def test_other_subjects_claim_nothing(subject: str) -> None:
    assert read_claim(commit("1", subject)) is None


def test_bodies() -> None:
    a, b, c = "a" * 40, "b" * 12, "c" * 7
    body = (
        f"Why.\n\nThis reverts commit {a}, reversing\nchanges made to {b}.\n\n"
        f"This reverts commits {b} and {c}.\nReverts vllm-project/vllm#12\n- Reverts #13"
    )
    claim = read_claim(commit("1", "Revert things", body))
    assert claim is not None
    assert (claim.shas, claim.numbers) == ((a, b, c), (12, 13))
    assert read_claim(commit("1", "Fix y", "It mentions that X Reverts org/repo#3")) is None


def test_gits_own_reverts_chain(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    maker.commit("other (#2)", {"y": "1\n"})
    r = maker.revert(x)
    rr = maker.revert(r)
    rrr = maker.revert(rr)
    assert found(opened()) == {r: (x,), rr: (r,), rrr: (rr,)}
    assert found(opened(), earlier=4) == {rrr: (rr,)}


def test_githubs_reverts(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    r = maker.commit('Revert "Add x (#1)" (#2)', {"x": None}, body="Reverts org/repo#1")
    rr = maker.commit('Revert "Revert "Add x (#1)" (#2)" (#3)', {"x": "1\n"}, body="Reverts org/repo#2")
    no_body = maker.commit('[Bugfix] Revert "Revert "Revert "Add x (#1)" (#2)" (#3)" (#4)', {"x": None})
    assert found(opened()) == {r: (x,), rr: (r,), no_body: (rr,)}


def test_a_reland_undoes_the_revert_not_the_original(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    r = maker.commit('Revert "Add x (#1)" (#2)', {"x": None}, body="Reverts org/repo#1")
    by_number = maker.commit('Reland "Add x (#1)" (#3)', {"x": "1\n"})
    again = maker.commit('Revert "Add x" (#4)', {"x": None}, body=f"This reverts commit {x[:10]}.")
    quoting = maker.commit('Reapply "Add x" (#5)', {"x": "1\n"}, body=f"This reverts commit {x}.")
    assert found(opened()) == {r: (x,), by_number: (r,), again: (x,), quoting: (again,)}
    reverts = find_reverts(opened(), read_commits(opened(), ("main",)))
    assert undone_by(x, reverts) is None


def test_gits_reapply_names_the_revert_by_sha(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x", {"x": "1\n"})
    r = maker.revert(x)
    reapply = maker.commit('Reapply "Add x"', {"x": "1\n"}, body=f"This reverts commit {r}.")
    assert found(opened()) == {r: (x,), reapply: (r,)}
    assert found(opened(), earlier=2) == {reapply: (r,)}
    commits = read_commits(opened(), ("main",))
    (alone,) = find_reverts(opened(), commits[2:])
    assert alone.targets == (r,)


def test_several_targets_and_abbreviations(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    y = maker.commit("Add y (#2)", {"y": "1\n"})
    z = maker.commit("Add z (#3)", {"z": "1\n"})
    body = f"This reverts commit {x[:8]}.\r\nThis reverts commit {y}.\r\n"
    both = maker.commit("[Core] Revert two of them (#4)", {"x": None, "y": None}, body=body)
    by_number = maker.commit('Revert "y and z" (#5)', {"z": None}, body="Reverts org/repo#2\nReverts org/repo#3")
    assert found(opened()) == {both: (x, y), by_number: (y, z)}


def kinds(repo: Repository, earlier: int = 0) -> list[str]:
    commits = read_commits(repo, ("--first-parent", "main"))
    return [r.kind.value for r in find_reverts(repo, commits[earlier:])]


def test_what_undoes_reverts_is_a_reland_and_what_undoes_that_a_revert(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    r = maker.revert(x)
    reapply = maker.commit('Reapply "Add x (#1)" (#3)', {"x": "1\n"}, body=f"This reverts commit {r}.")
    maker.commit("Take it out again (#4)", {"x": None}, body=f"This reverts commit {reapply}.")
    maker.commit('Revert "Take it out again (#4)" (#5)', {"x": "1\n"}, body="Reverts org/repo#4")
    maker.commit('Revert "Nobody knows (#99)" (#6)', {"y": "1\n"})
    maker.commit('Reapply "Nobody knows (#98)" (#7)', {"y": "2\n"})
    every = ["revert", "reland", "revert", "reland", "revert", "reland"]
    assert kinds(opened()) == every
    assert [kinds(opened(), earlier=n) for n in (2, 3, 4, 5)] == [every[1:], every[2:], every[3:], every[4:]]


def test_what_a_message_names_by_number_or_title_is_found_before_the_range(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    y = maker.commit("Add y (#2)", {"y": "1\n"})
    r = maker.commit('Revert "Add y (#2)" (#3)', {"y": None}, body="Reverts org/repo#2")
    maker.commit("other (#4)", {"z": "1\n"})
    by_number = maker.commit('Revert "Add x (#1)" (#5)', {"x": None}, body="Reverts org/repo#1")
    by_title = maker.commit('Reland "Add y"', {"y": "1\n"})
    commits = read_commits(opened(), ("--first-parent", "main"))
    assert {f.commit.sha: f.targets for f in find_reverts(opened(), commits[4:])} == {by_number: (x,), by_title: (r,)}
    assert y not in {t for f in find_reverts(opened(), commits[4:]) for t in f.targets}


def test_titles_count_only_when_one_earlier_commit_bears_them(maker: GitMaker, opened: Opened) -> None:
    long = maker.commit("Make the scheduler much faster on long prompts (#1)", {"a": "1\n"})
    first = maker.commit("Update README.md (#2)", {"r": "1\n"})
    one = maker.commit('Revert "Update README.md"', {"r": None})
    second = maker.commit("Update README.md (#3)", {"r": "2\n"})
    two = maker.commit('Revert "Update README.md"', {"r": None})
    cut = maker.commit('Revert "Make the scheduler much faster on lo…" (#4)', {"a": None})
    maker.commit("Bump (#5)", {"v": "1\n"})
    maker.commit("Bump (#6)", {"v": "2\n"})
    unclear = maker.commit('Revert "Bump"', {"v": "7\n"})
    before = maker.commit('Revert "Not yet there (#7)"', {"n": "1\n"})
    maker.commit("Not yet there (#7)", {"n": "2\n"})
    maker.commit("Revert the default to the old one (#8)", {"n": "3\n"})
    assert found(opened()) == {one: (first,), two: (second,), cut: (long,), unclear: (), before: ()}


def test_a_sha_of_another_branch_gives_way_to_the_trunks_commit(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("base", {"a": "1\n"})
    maker.branch("rel", base)
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    copy = maker.pick(x, "rel")
    r = maker.commit('Revert "Add x (#1)" (#2)', {"x": None}, body=f"This reverts commit {copy}.")
    own = maker.commit("Only here", {"z": "1\n"}, branch="rel")
    lost = maker.commit('Revert "Only here"', {"y": "1\n"}, body=f"This reverts commit {own}.")
    assert found(opened()) == {r: (x,), lost: (own,)}


def test_a_squash_that_lists_reverts_of_its_own_commits_is_none(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    own = maker.commit("wip", {"y": "1\n"}, branch="pr")
    for gone in (own, "0123456789" * 4):
        maker.commit("Add y (#2)", {"y": "2\n"}, body=f'* wip\n\n* Revert "wip"\n\nThis reverts commit {gone}.')
    real = maker.commit("Take x out again (#3)", {"x": None}, body=f"This reverts commit {x}.")
    assert found(opened()) == {real: (x,)}


chains = st.lists(st.lists(st.integers(0, 30), max_size=3), max_size=12)


def as_reverts(chain: list[list[int]]) -> list[Revert]:
    """Revert i undoes earlier reverts (numbers below i) or original commits (all others)."""
    return [
        Revert(commit(f"r{i}"), tuple(dict.fromkeys(f"r{t}" if t < i else f"c{t % 3}" for t in targets)))
        for i, targets in enumerate(chain)
    ]


@given(chains)
def test_a_revert_holds_unless_a_later_one_that_holds_undoes_it(chain: list[list[int]]) -> None:
    reverts = as_reverts(chain)

    def holds(i: int) -> bool:
        return not any(f"r{i}" in later.targets and holds(j) for j, later in enumerate(reverts) if j > i)

    held = [r for i, r in enumerate(reverts) if holds(i)]
    assert list(standing(reverts)) == held
    assert undone(reverts) == {t for r in held for t in r.targets}


@given(st.integers(0, 12))
def test_a_chain_of_reverts_of_reverts_is_decided_by_its_parity(length: int) -> None:
    reverts = [Revert(commit(f"r{i}"), (f"r{i - 1}" if i else "c",)) for i in range(length)]
    assert ("c" in undone(reverts)) == (length % 2 == 1)
    assert undone_by("c", reverts) == ("r0" if length % 2 else None)


@given(chains, st.integers(0, 2))
def test_a_last_revert_always_decides_and_its_own_revert_restores(chain: list[list[int]], n: int) -> None:
    before = as_reverts(chain)
    last = Revert(commit("last"), (f"c{n}",))
    assert undone_by(f"c{n}", [*before, last]) == "last"
    restored = [*before, last, Revert(commit("restore"), ("last",))]
    assert undone(restored) - {"last"} == undone(before)


def test_merged_pull_requests_that_revert(maker: GitMaker, opened: Opened) -> None:
    """By the title of the pull request, by its number, and by what the commits that it brought name."""

    def merged(number: int, title: str, files: dict[str, str | None], body: str = "", inner: str = "") -> str:
        maker.branch("pr", "main")
        maker.commit("wip", files, body=inner, branch="pr")
        return maker.commit(f"Merge pull request #{number} from a/b", files, merge="pr", body=f"{title}\n\n{body}")

    maker.commit("base", {"a": "1\n"})
    first, second, third = (merged(n, f"Change {n}", {f"f{n}": "1\n"}) for n in (1, 2, 3))
    wip = maker.run("rev-parse", f"{third}^2")
    maker.commit("other", {"a": "2\n"})
    by_title = merged(4, 'Revert "Change 1"', {"f1": None})
    by_number = merged(5, "Revert the second", {"f2": None}, body="Reverts owner/repo#2")
    by_commit = merged(6, 'Revert "wip of long ago"', {"f3": None}, inner=f"This reverts commit {wip}.")
    merged(7, "Change 7", {"f7": "1\n"}, inner="No revert at all.")
    assert found(opened()) == {by_title: (first,), by_number: (second,), by_commit: (wip,)}
    assert found(opened(), earlier=5) == {by_title: (first,), by_number: (second,), by_commit: (wip,)}


def test_gerrits_merges_and_their_chain(maker: GitMaker, opened: Opened) -> None:
    """The merge's title quotes, the commit that it brought names; what undoes that commit undoes the merge."""

    def merged(title: str, files: dict[str, str | None], body: str = "") -> tuple[str, str]:
        maker.branch("change", "main")
        inner = maker.commit(title, files, body=body, branch="change")
        return inner, maker.commit(f'Merge "{title}"', files, merge="change")

    maker.commit("base", {"a": "1\n"})
    x, _ = merged("Add x", {"x": "1\n"})
    r, revert = merged('Revert "Add x"', {"x": None}, f"This reverts commit {x}.")
    _, back = merged('Revert "Revert "Add x""', {"x": "1\n"}, f"This reverts commit {r}.")
    assert found(opened()) == {revert: (x,), back: (revert,)}
    reverts = find_reverts(opened(), read_commits(opened(), ("--first-parent", "main")))
    assert undone_by(x, reverts) is None


def test_numbers_in_free_text_and_phabricators(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#101)", {"x": "1\n"})
    y = maker.commit("Add y (#102)", {"y": "1\n"}, body="Differential Revision: D10200001")
    both = maker.commit("Revert what came with #101 and #102, see #999 (#103)", {"x": None, "y": None})
    z = maker.commit("Add z (#104)", {"z": "1\n"}, body="Differential Revision: [D10200002](https://x)")
    by_diff = maker.commit("Revert D10200002", {"z": None})
    maker.commit("Revert to what #101 had (#105)", {"a": "1\n"})
    maker.commit("Revert the default, as in #99 (#106)", {"a": "2\n"})
    assert found(opened()) == {both: (x, y), by_diff: (z,)}
    assert found(opened(), earlier=4) == {by_diff: (z,)}
    assert {f.targets for f in find_reverts(opened(), read_commits(opened(), ("main",))[4:])} == {(z,)}


def test_of_one_number_the_commit_of_that_title(maker: GitMaker, opened: Opened) -> None:
    meant = maker.commit("Skip a test because of an issue (#7)", {"t": "1\n"})
    maker.commit("Something else (#7)", {"s": "1\n"})
    revert = maker.commit('Revert "Skip a test because of an issue (#7)" (#9)', {"t": None})
    assert found(opened()) == {revert: (meant,)}


def test_a_change_whose_title_sounds_like_a_revert_is_a_change(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Revert resize: wait for events (#1)", {"x": "1\n"})
    revert = maker.commit('Revert "Revert resize: wait for events (#1)" (#2)', {"x": None})
    back = maker.commit('Revert "Revert "Revert resize: wait for events (#1)" (#2)" (#3)', {"x": "1\n"})
    assert found(opened()) == {revert: (x,), back: (revert,)}
    assert kinds(opened()) == ["revert", "reland"]


def test_an_original_named_by_the_revert_of_its_revert(maker: GitMaker, opened: Opened) -> None:
    x = maker.commit("Add x (#1)", {"x": "1\n"})
    revert = maker.commit('Revert "Add x (#1)" (#2)', {"x": None})
    back = maker.commit('Revert "Revert "Add x""', {"x": "1\n"}, body="Reverts o/r#1")
    assert found(opened()) == {revert: (x,), back: (revert,)}
