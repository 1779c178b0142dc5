"""What messages claim: each form that people write, and those that only sound like one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headway.history.revertmessage import (
    Verb,
    brings_back,
    diff_of,
    normal_title,
    read_claim,
    same_title,
    titles_of,
)
from headway.model.commit import Commit

WHEN = datetime(2025, 1, 1, tzinfo=UTC)
A, B, C = "a1" * 20, "b2" * 6, "c3c3c3c"


def commit(subject: str, body: str = "") -> Commit:
    return Commit("1" * 40, (), "t", "a", "e", WHEN, WHEN, subject, body)


@pytest.mark.parametrize(
    ("subject", "title", "number"),
    [
        ('fix: revert "feat: y (#7)"', "feat: y", 7),
        ('revert(core): "feat: y"', '(core): "feat: y"', None),
        ('[0.18.0][Bugfix] Revert "Add x (#1)" (#2)', "add x", 1),
        ('【v0.18.0】【Bugfix】Revert "Add x (#1)"', "add x", 1),
        ('[Cherry-pick] Revert "Add x (#1)" to release/0.18 (#9)', "add x", 1),
        ('Cherry-pick of PR #12: Revert "Add x (#1)"', "add x", 1),
        ('[PR #5/abc backport][8.3.x] Revert "Add x"', "add x", None),
        ('[Revert] "Add x" (#9)', "add x", None),
        ('[CI]: Revert "Add x"', "add x", None),
        ('Merge "Revert "Add x""', "add x", None),
        ('Merge "Revert "Add x"" into stable/2024.1', "add x", None),
        ('Back out "Add x"', "add x", None),
        ('Backout "Add x (#4)" (#5)', "add x", 4),
        ('Undo "Add x"', "add x", None),
        ('Partial revert "Add x"', "add x", None),
        ('Partially revert "Add x"', "add x", None),
        ('Re-revert "Add x"', "add x", None),
        ('Revert "Add x (#1) (#2)', "add x", 1),
        ('Revert "Revert "Add x" (#3)', 'revert "add x', None),
        ('Revert "Add x" as it breaks y (#3)', "add x", None),
        ("Revert `Add x`", "add x", None),
        ("Revert D48588121: Add support for mul", "add support for mul", None),
        ('Revert D47573238 - "[ET] clamp" (#77)', "[et] clamp", None),
        ('Revert^2 "Add x"', 'revert "add x"', None),
        ('revert^3 "Add x"', 'revert "revert "add x""', None),
    ],
)
def test_what_is_undone(subject: str, title: str, number: int | None) -> None:
    claim = read_claim(commit(subject))
    assert claim is not None
    assert (claim.verb, claim.title, claim.number) == (Verb.UNDO, title, number)


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ('Reapply "Add x"', "add x"),
        ('Re-apply "Add x"', "add x"),
        ('Re-reapply "Add x"', "add x"),
        ("Reland Add x (#5)", "add x"),
        ('Re-land: "Add x"', "add x"),
        ('Un-revert "Add x"', "add x"),
        ('Add back "Add x"', "add x"),
        ("[reland2][ROCm] Add x (#5)", "[rocm] add x"),
        ("[Revert Revert] Add x", "add x"),
        ("(Re-land) Add x", "add x"),
        ("Add x (reland) (#835)", "add x"),
        ('Re-land the PR of "Add x" (#2215)', "add x"),
        ('Reapply with fix "Add x"', "add x"),
        ("Qualcomm - Reland add x", "add x"),
        ("Reland: `mul`: convert inputs", "`mul`: convert inputs"),
    ],
)
def test_what_is_brought_back(subject: str, title: str) -> None:
    claim = read_claim(commit(subject))
    assert claim is not None
    assert (claim.verb, claim.title) == (Verb.REDO, title)
    assert brings_back(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "[Bugfix] Fix revert of pruning",
        "Reverse the order",
        "Add revert command",
        "Reverter",
        "Backout the schema change",
        "Undo format changes",
        "Add back the tests",
        "Allow revert commits in the hook (#18193)",
        "Fix the Revert button",
        "Fix regression after abc1234 (#5)",
        'Merge "Fix resize revert to use non-legacy handling"',
        "Restore #6484 reverted by c751168 (#7909)",
        "",
    ],
)
def test_what_only_sounds_like_it(subject: str) -> None:
    assert read_claim(commit(subject, "It reverted well. See #12 and " + A)) is None


@pytest.mark.parametrize(
    ("subject", "shas", "numbers", "loose"),
    [
        ("Revert #13851 #13853, #13854 and #13855", (), (13851, 13853, 13854, 13855), ()),
        ("Revert PR #3575 since it breaks (#3767)", (), (3575,), ()),
        ("Revert the sampler change from #123 and #124 (#130)", (), (), (123, 124)),
        ("Revert x (#9865) to fix a hang (#11562)", (), (), (9865,)),
        ("Revert 11294 v2 (#11465)", (), (), (11294,)),
        ("Revert pr4214 multi-stream (#5529)", (), (4214,), ()),
        ("Revert pr https://github.com/o/r/pull/2682 (#5215)", (), (2682,), ()),
        (f"Revert commit {C}, as it is broken", (C,), (), ()),
        (f"Revert {C} {B} and {A}", (C, B, A), (), ()),
        (f"Partial revert of {C} due to issues", (C,), (), ()),
        (f"fixes #8626 by reverting {C} (#8627)", (C,), (), ()),
        ("[Attention] Restore fallback (reverts #11899) (#12228)", (), (), (11899,)),
        ("Revert to the table of #123", (), (), ()),
    ],
)
def test_names_in_titles(subject: str, shas: tuple[str, ...], numbers: tuple[int, ...], loose: tuple[int, ...]) -> None:
    claim = read_claim(commit(subject))
    assert claim is not None
    assert not claim.plain
    assert (claim.shas, claim.numbers, claim.loose) == (shas, numbers, loose)


@pytest.mark.parametrize(
    ("body", "shas", "numbers"),
    [
        (f"This reverts commit {A}.", (A,), ()),
        (f"This reverts commit {A}, reversing\nchanges made to {B}.", (A,), ()),
        (f"This reverts commits {A}, {B} and {C}.", (A, B, C), ()),
        (f"This reverts commits:\n\n- {A} Add x\n- {B} Add y\n\nWhy.", (A, B), ()),
        (f"This reverts commit {A}\n{B}\n", (A, B), ()),
        (f"This PR reverts commit `{B}`, which", (B,), ()),
        (f"This partially reverts commit {C}.", (C,), ()),
        (f"This reverts https://github.com/o/r/commit/{A}", (A,), ()),
        (f"git revert {A}\ngit revert {B}", (A, B), ()),
        ("Reverts o/r#12", (), (12,)),
        ("Reverts #12, #13 & #14", (), (12, 13, 14)),
        ("This PR reverts #12.", (), (12,)),
        ("This pull request reverts PR #12", (), (12,)),
        ("reverts PR #12", (), (12,)),
        ("Reverting PR #12 for now", (), (12,)),
        ("Revert of PR #12 (merged onto `main`).", (), (12,)),
        ("This PR reverts the changes introduced in PR #12 at first", (), (12,)),
        ("Reverts https://github.com/o/r/pull/12 and\nhttps://github.com/o/r/pull/13/files", (), (12, 13)),
        ("revert [the pr](https://github.com/o/r/pull/12)", (), (12,)),
        ("Reverts #12, thus reintroducing #13", (), (12,)),
        ("Reverts #12\n\n#13 explains why", (), (12,)),
        ("Reverting for now due to bugs: #12 #13", (), ()),
        (f"It came with {A}, see #12.", (), ()),
    ],
)
def test_names_in_bodies(body: str, shas: tuple[str, ...], numbers: tuple[int, ...]) -> None:
    for text in (body, body.replace("\n", "\r\n")):
        claim = read_claim(commit('Revert "Add x"', text))
        assert claim is not None
        assert (claim.shas, claim.numbers) == (shas, numbers)


def test_a_title_that_says_nothing_leaves_it_to_the_body() -> None:
    for body, shas, numbers in (
        (f"This reverts commit {A}.", (A,), ()),
        ("Reverts o/r#12", (), (12,)),
        ("This PR reverts #12", (), (12,)),
    ):
        claim = read_claim(commit("Use the old sampler (#4)", body))
        assert claim is not None
        assert (claim.shas, claim.numbers, claim.plain, claim.spoken) == (shas, numbers, False, False)
    for body in ("- Fix y\n- Reverts #12", "4. Reverts #12", f"* Revert {A}", "This partially reverts #12", "See #12"):
        assert read_claim(commit("Use the old sampler (#4)", body)) is None


def test_a_squash_body_gives_the_number_that_the_title_lost() -> None:
    body = '* Revert "wip (#5)"\n\n* Revert "Add x (#1)"'
    claim = read_claim(commit('Revert "Add x" (#9)', body))
    assert claim is not None
    assert claim.number == 1


def test_a_title_that_github_cut_goes_on_in_the_body() -> None:
    claim = read_claim(commit('Revert "Make the scheduler faster on lo… (#4)', '…ng prompts (#3)" (#4)\n\nWhy.'))
    assert claim is not None
    assert claim.title.startswith("make the scheduler faster on long prompts")


def test_githubs_merges() -> None:
    branch = "Merge pull request #12553 from o/revert-12516-fix/tokens"
    claim = read_claim(commit(branch))
    assert claim is not None
    assert (claim.verb, claim.number, claim.plain) == (Verb.UNDO, 12516, True)
    assert brings_back("Merge pull request #3 from o/revert-2-revert-1-x")
    titled = read_claim(commit("Merge pull request #3 from o/x", 'Revert "Add x"\n\nThis reverts commit ' + A))
    assert titled is not None
    assert (titled.title, titled.shas) == ("add x", (A,))
    assert read_claim(commit("Merge pull request #3 from o/revert-2-x", "Something else by now")) is None


def test_phabricators_numbers() -> None:
    claim = read_claim(commit("Back out D102011505 and D101260086 (#19134)"))
    assert claim is not None
    assert (claim.diffs, claim.plain) == (("102011505", "101260086"), True)
    assert diff_of("x\n\nDifferential Revision: [D101260086](https://x)") == "101260086"
    assert diff_of("See Differential Revision") is None


@pytest.mark.parametrize(
    ("title", "back"),
    [
        ('Revert "x"', False),
        ('Revert "Revert "x""', True),
        ('Revert "Revert "Revert "x"""', False),
        ('Revert "Reapply "x""', False),
        ('Reapply "x"', True),
        ('Revert^2 "x"', True),
        ('Revert^3 "x"', False),
        ('Revert "Revert^2 "x""', False),
        ('Back out "Back out "x""', True),
        ('Merge "Revert "Revert "x"""', True),
        ("Revert of the revert of x", True),
        ("x", False),
    ],
)
def test_what_all_verbs_come_to(title: str, back: bool) -> None:
    assert brings_back(title) is back


def test_titles_compare() -> None:
    assert normal_title('Merge "Add  X" into stable/x') == "add x"
    assert titles_of('Revert "Add x (#1)" (#2)') == ('revert "add x (#1)"', "add x")
    assert same_title("make the scheduler faster…", "make the scheduler faster on long prompts")
    assert not same_title("make…", "make it")
    assert not same_title("", "")


@pytest.mark.parametrize(
    "piece",
    [
        "revert ",
        'Revert "',
        "[a] ",
        "This reverts commit abc1234\n",
        "\n",
        " ",
        "(#1) ",
        "a: ",
        "【",
        "#1,",
        "re-",
        "…",
    ],
)
def test_huge_messages_are_read_in_one_pass(piece: str) -> None:
    """10 MB of what patterns repeat; a pattern that tries again from each place would not end."""
    huge = piece * (10_000_000 // len(piece))
    read_claim(commit(huge, huge))
    read_claim(commit('Revert "x"', f"Revert {huge}"))
