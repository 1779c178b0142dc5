"""P1–P8 as ``audit`` holds a release branch against them: origin, category, violations, what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from auditkit import BRANCH, Toy, code

CHANGE_ID = "I" + "5" * 40


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    made = Toy(tmp_path / "repo")
    made.cut()
    made.noise()
    return made


def fix(toy: Toy, name: str = "graph", number: int = 500, body: str = "") -> str:
    title = f"[Bugfix] Capture the {name} once per bucket (#{number})"
    return toy.change(name, title, body, author="Eve <eve@example.org>")


def clauses(row: dict[str, object]) -> list[str]:
    found = row["violations"]
    assert isinstance(found, list)
    return [v["clause"] for v in found]


# The origin, by each signal ---------------------------------------------------------------------------------------


def test_P8_origin_by_trailer(toy: Toy) -> None:
    """P8: merged on the trunk first, as ``git cherry-pick -x`` writes down."""
    change = fix(toy)
    row = toy.row(toy.made.pick(change, BRANCH))
    assert (row["origin"], row["origins"], row["disputed"]) == (change, [change], [])
    assert "trailer" in row["signals"]
    assert row["confidence"] >= 0.9
    assert row["violations"] == []


def test_P8_origin_by_an_abbreviated_trailer(toy: Toy) -> None:
    """P8: the answer has full SHAs."""
    change = fix(toy)
    copy = toy.squash(change, "Other words", f"(cherry picked from commit {change[:9]})")
    assert toy.row(copy)["origins"] == [change]


def test_P8_origin_through_another_release_branch(toy: Toy) -> None:
    """P8: picked onto 0.19, and from there onto 0.18: the trailers are followed to the trunk."""
    toy.cut("releases/v0.19.0")
    change = fix(toy)
    between = toy.squash(change, "wip", f"(cherry picked from commit {change})", onto="releases/v0.19.0")
    copy = toy.made.commit(
        "something else", {"src/graph.py": "pass\n"}, body=f"(cherry picked from commit {between})", branch=BRANCH
    )
    row = toy.row(copy)
    assert row["origins"] == [change]
    assert row["signals"][0] == "trailer"


def test_P8_origin_by_change_id(toy: Toy) -> None:
    """P8: Gerrit's Change-Id stays the same across branches."""
    change = fix(toy, body=f"Change-Id: {CHANGE_ID}")
    copy = toy.made.commit(
        "other words", {"src/graph.py": "pass\n"}, body=f"More words.\n\nChange-Id: {CHANGE_ID}", branch=BRANCH
    )
    assert toy.row(copy)["origins"] == [change]


@pytest.mark.parametrize(
    "body",
    ["Backport of {sha} from main.", "Backport of {sha} from main", "Backported from commit {sha}"],
)
def test_P8_origin_by_backport_of_sha(toy: Toy, body: str) -> None:
    """P8: Django's form and its kin."""
    change = fix(toy)
    copy = toy.made.commit("other words", {"src/graph.py": "pass\n"}, body=body.format(sha=change), branch=BRANCH)
    row = toy.row(copy)
    assert (row["origins"], row["signals"][0]) == ([change], "trailer")


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Cherry-pick of PR #500 onto releases/v0.18.0 (#700)", ""),
        ("Backport of #500 to releases/v0.18.0 (#700)", ""),
        ("Backport PR #500: Words that differ", ""),
        ("[v0.18.0] Words that differ (#500) (#700)", ""),
        ("[BugFix][0.18.0] Words that differ (cherry-pick #500) (#700)", ""),
        ("Words that differ (#700)", "This PR is partially cherry-picked from #500"),
        ("Words that differ (#700)", "Cherry-pick from https://github.com/acme/engine/pull/500"),
        ("Words that differ (#700)", "### What this PR does\ncherry-pick from main:\n- #500"),
        ("Words that differ (#700)", "backport of acme/engine#500"),
        ("Words that differ (#700)", "Main PR: #500"),
    ],
)
def test_P8_origin_by_pull_request(toy: Toy, subject: str, body: str) -> None:
    """P8: all the forms in which people name the trunk's pull request."""
    change = fix(toy)
    copy = toy.made.commit(subject, {"src/graph.py": code("graph")}, body=body, branch=BRANCH)
    row = toy.row(copy)
    assert row["origins"] == [change]
    assert "pr" in row["signals"]
    assert row["violations"] == []


def test_P8_a_number_that_is_only_mentioned_is_no_origin(toy: Toy) -> None:
    """P8: "follow-up to #500" says nothing of where a change is from."""
    fix(toy)
    mine = toy.change("tuner", "Tune the branch's own scheduler, follow-up to #500 (#700)", branch=BRANCH)
    row = toy.row(mine)
    assert (row["origin"], row["origins"]) == (None, [])
    assert clauses(row) == ["P8"]


def test_P8_origin_by_the_kept_subject(toy: Toy) -> None:
    """P8: ``git cherry-pick`` without ``-x`` keeps ``(#N)``, also where the content was resolved by hand."""
    change = fix(toy)
    copy = toy.made.commit(
        "[Bugfix] Capture the graph once per bucket (#500)",
        {"src/graph.py": code("graph", 6) + "resolved = True\n"},
        branch=BRANCH,
    )
    row = toy.row(copy)
    assert row["origins"] == [change]
    assert "pr" in row["signals"]


def test_P8_origin_by_patch_id(toy: Toy) -> None:
    """P8: the very same change under another title and author."""
    change = fix(toy)
    row = toy.row(toy.squash(change, "Words that differ altogether (#700)"))
    assert row["origins"] == [change]
    assert "patch-id" in row["signals"]
    assert "pr" not in row["signals"]


def test_P8_origin_of_a_pick_that_was_resolved_by_hand(toy: Toy) -> None:
    """P8: similarity of title, author, date and changed lines."""
    change = fix(toy)
    lines = code("graph").splitlines(keepends=True)
    by_hand = "".join([*lines[:3], "def by_hand(): return None\n", *lines[4:]])
    copy = toy.made.commit(
        "[0.18.0][Bugfix] Capture the graph once per bucket (#700)",
        {"src/graph.py": by_hand},
        author="Eve <eve@example.org>",
        branch=BRANCH,
    )
    row = toy.row(copy)
    assert (row["origins"], row["signals"]) == ([change], ["similarity"])
    assert 0.4 <= row["confidence"] < 1


def test_P8_a_squashed_batch_with_trailers_has_several_origins(toy: Toy) -> None:
    """P8: all of them, in the trunk's order; ``origin`` is the newest."""
    first, second = fix(toy), fix(toy, "queue", 501)
    body = f"(cherry picked from commit {second})\n(cherry picked from commit {first})"
    files: dict[str, str | None] = {"src/graph.py": code("graph"), "src/queue.py": code("queue")}
    row = toy.row(toy.made.commit("Picks for rc1 (#700)", files, body=body, branch=BRANCH))
    assert (row["origins"], row["origin"]) == ([first, second], second)
    assert row["violations"] == []


def test_P8_a_squashed_batch_without_any_is_found_by_content(toy: Toy) -> None:
    """P8: several changes, each whole in it, that make it up together."""
    author = "Eve <eve@example.org>"
    first, second, third = fix(toy), fix(toy, "queue", 501), fix(toy, "cache", 502)
    files: dict[str, str | None] = {f"src/{n}.py": code(n) for n in ("graph", "queue", "cache")}
    row = toy.row(toy.made.commit("Graph, queue and cache fixes for rc1", files, author=author, branch=BRANCH))
    assert row["origins"] == [first, second, third]
    assert row["signals"] == ["similarity"]
    assert row["violations"] == []


def test_P8_signals_that_disagree_are_reported(toy: Toy) -> None:
    """P8: the trailer says one, the content another: neither is hidden, and the confidence says so."""
    named, real = fix(toy), fix(toy, "queue", 501)
    copy = toy.squash(
        real,
        "[v0.18.0][Bugfix] Capture the queue once per bucket",
        f"(cherry picked from commit {named})",
        author="Eve <eve@example.org>",
    )
    row = toy.row(copy)
    assert (row["origins"], row["disputed"]) == ([named], [real])
    assert row["confidence"] < 0.9


def test_P8_a_number_against_a_trailer_is_reported(toy: Toy) -> None:
    """P8: trailers are the people's own word; the number that says otherwise is not lost."""
    change, other = fix(toy), fix(toy, "queue", 501)
    copy = toy.squash(change, "Cherry-pick of PR #501 (#700)", f"(cherry picked from commit {change})")
    row = toy.row(copy)
    assert (row["origins"], row["disputed"]) == ([change], [other])
    assert "pr" not in row["signals"]


def test_P8_trailers_and_numbers_can_be_left_out(toy: Toy) -> None:
    """``--ignore-trailers``: the same answer by content alone, and a lying trailer is not believed."""
    named, real = fix(toy), fix(toy, "queue", 501)
    honest = toy.made.pick(named, BRANCH)
    lying = toy.squash(
        real,
        "[v0.18.0][Bugfix] Capture the queue once per bucket (#500)",
        f"(cherry picked from commit {named})",
        author="Eve <eve@example.org>",
    )
    rows = {r["commit"]: r for r in toy.audit("--ignore-trailers")["commits"]}
    assert (rows[honest]["origins"], rows[lying]["origins"]) == ([named], [real])
    for row in rows.values():
        assert not {"trailer", "pr"} & set(row["signals"])


# Merges: of the trunk, of the branch, on the trunk ----------------------------------------------------------------


def test_P8_a_branch_that_the_trunk_was_merged_into(toy: Toy) -> None:
    """The cut is where the newest trunk commit that the branch holds lies; what came by the merge is no commit of the
    branch's, and a pick from before the merge keeps its origin."""
    change = fix(toy)
    copy = toy.squash(change, "[v0.18.0][Bugfix] Capture the graph once per bucket (#700)")
    files: dict[str, str | None] = {"src/merged.py": code("merged")}
    merge = toy.made.commit("Merge branch 'main' into releases/v0.18.0", files, merge="main", branch=BRANCH)
    tip = toy.made.tip("main")
    later = fix(toy, "queue", 501)
    second = toy.made.pick(later, BRANCH)
    found = toy.audit()
    rows = {r["commit"]: r for r in found["commits"]}
    assert found["cut"] == tip
    assert set(rows) == {copy, merge, second}
    assert rows[copy]["origins"] == [change]
    assert rows[second]["origins"] == [later]
    assert (rows[merge]["category"], rows[merge]["violations"]) == ("merge", [])


def test_P8_a_branch_that_was_merged_back_into_the_trunk(toy: Toy) -> None:
    """The cut stays where it was: the branch's commits are not lost from the audit."""
    change = fix(toy)
    cut = toy.made.tip(BRANCH)
    copy = toy.made.pick(change, BRANCH)
    mine = toy.change("hotfix", "[Bugfix] Only for those who wait", branch=BRANCH)
    toy.made.commit("Merge releases/v0.18.0 back", {"src/hotfix.py": code("hotfix")}, merge=BRANCH)
    found = toy.audit()
    rows = {r["commit"]: r for r in found["commits"]}
    assert (found["cut"], set(rows)) == (cut, {copy, mine})
    assert rows[copy]["origins"] == [change]
    assert (rows[mine]["origins"], clauses(rows[mine])) == ([mine], [])  # the trunk has it now


def test_P8_github_merge_commits_on_the_trunk(toy: Toy) -> None:
    """P8: a pick of the pull request's commit, of the merge, and by the merge's number all have their origin."""
    toy.made.branch("topic", "main")
    inner = toy.change("graph", "Capture the graph once per bucket", branch="topic", author="Eve <eve@example.org>")
    files: dict[str, str | None] = {"src/graph.py": code("graph")}
    body = "[Bugfix] Capture the graph once per bucket"
    merge = toy.made.commit("Merge pull request #500 from eve/topic", files, merge="topic", body=body)
    by_commit = toy.made.pick(inner, BRANCH)
    assert toy.row(by_commit)["origins"] == [inner]
    toy.made.branch(BRANCH, f"{BRANCH}~1")
    by_merge = toy.squash(merge, "Mended", f"(cherry picked from commit {merge})")
    assert toy.row(by_merge)["origins"] == [merge]
    toy.made.branch(BRANCH, f"{BRANCH}~1")
    by_number = toy.squash(merge, "Backport PR #500: words that differ")
    row = toy.row(by_number)
    assert row["origins"] == [merge]
    assert "pr" in row["signals"]
    revert = toy.undo(merge, 'Revert "[Bugfix] Capture the graph once per bucket" (#800)', "Reverts acme/engine#500")
    assert toy.verdict(revert)["verdict"] == "needed"


def test_P8_gerrit_merge_commits_on_the_trunk(toy: Toy) -> None:
    """P8: Gerrit merges each change; a pick has its Change-Id."""
    toy.made.branch("change", "main")
    inner = toy.change("graph", "Capture the graph once per bucket", f"Change-Id: {CHANGE_ID}", branch="change")
    files: dict[str, str | None] = {"src/graph.py": code("graph")}
    toy.made.commit('Merge "Capture the graph once per bucket"', files, merge="change")
    copy = toy.squash(inner, "Capture the graph once per bucket", f"Change-Id: {CHANGE_ID}")
    row = toy.row(copy)
    assert row["origin"] == inner
    assert row["violations"] == []


# Categories and violations ----------------------------------------------------------------------------------------


def made_on_branch(toy: Toy, subject: str, *paths: str) -> str:
    files: dict[str, str | None] = {p: f"{subject} {p}\n" for p in paths}
    return toy.made.commit(subject, files, branch=BRANCH)


@pytest.mark.parametrize("path", ["pyproject.toml", ".github/workflows/release.yml", "src/engine/_version.py"])
def test_P6_release_branch_work_needs_no_origin(toy: Toy, path: str) -> None:
    """P6: version identifiers and CI fixes are the only exception of P8."""
    row = toy.row(made_on_branch(toy, "Pin it", path))
    assert (row["origin"], row["category"], row["violations"]) == (None, "release-branch", [])


def test_P8_ci_files_do_not_cover_other_files(toy: Toy) -> None:
    """P8: one source file beside them, and it is no release-branch work."""
    row = toy.row(made_on_branch(toy, "[CI/Build] Pin it", ".github/workflows/release.yml", "src/engine.py"))
    assert row["category"] == "unknown"
    (found,) = row["violations"]
    assert found["clause"] == "P8"
    assert found["facts"]["commit"] == row["commit"]
    assert "P6" in found["remedy"]


def test_P5_docs_by_their_files_not_by_their_title(toy: Toy) -> None:
    """P5: files prove it, whatever the title says; P8 asks for the trunk first even so."""
    row = toy.row(made_on_branch(toy, "[Feature] Describe the scheduler", "docs/scheduler.md", "README.md"))
    assert (row["category"], clauses(row)) == ("docs", ["P8"])
    change = toy.made.commit("[Feature] Describe the cache (#600)", {"docs/cache.md": "The cache.\n"})
    row = toy.row(toy.made.pick(change, BRANCH))
    assert (row["category"], row["violations"]) == ("docs", [])


def test_P5_a_title_that_says_docs_proves_nothing(toy: Toy) -> None:
    """P5: prefixes are hints, not proof."""
    change = toy.change("graph", "[Doc] Tidy up (#500)")
    assert toy.row(toy.made.pick(change, BRANCH))["category"] == "unknown"


@pytest.mark.parametrize(
    ("subject", "category"),
    [
        ("[Bugfix] Mend the throughput regression of v0.17 (#500)", "regression"),
        ("[Bugfix] Deadlock on two nodes (#500)", "critical"),
        ("[Bugfix] Round the block size up (#500)", "fix"),
        ("[Misc] Rename a helper (#500)", "unknown"),
    ],
)
def test_P1_categories_as_far_as_the_title_tells(toy: Toy, subject: str, category: str) -> None:
    """P2, P3: words of a title; what it does not tell is not guessed."""
    row = toy.row(toy.made.pick(toy.change("graph", subject), BRANCH))
    assert (row["category"], row["violations"]) == (category, [])


def test_P7_a_picked_feature(toy: Toy) -> None:
    """P7: no feature work, ever, also when it was on the trunk first."""
    change = toy.change("graph", "[Feature] Draw the graph (#500)")
    row = toy.row(toy.made.pick(change, BRANCH))
    assert (row["category"], clauses(row)) == ("feature", ["P7"])
    assert row["violations"][0]["facts"]["commit"] == row["commit"]


def test_P7_a_feature_whose_pick_hides_it_is_known_by_its_origin(toy: Toy) -> None:
    """P7: the origin's title counts too."""
    change = toy.change("graph", "[Feature] Draw the graph (#500)")
    copy = toy.squash(change, "Sync with main (#700)", f"(cherry picked from commit {change})")
    assert clauses(toy.row(copy)) == ["P7"]


def test_P8_a_feature_of_the_branch_alone_breaks_both(toy: Toy) -> None:
    """P7 and P8."""
    mine = toy.change("graph", "[Feature] Draw the graph (#500)", branch=BRANCH)
    assert sorted(clauses(toy.row(mine))) == ["P7", "P8"]


def test_P8_taking_back_the_branchs_own_pick_brings_in_nothing(toy: Toy) -> None:
    """P8: a revert of a pick on the branch needs no origin; a revert of what the trunk still has in the cut does."""
    copy = toy.made.pick(fix(toy), BRANCH)
    own = toy.made.revert(copy, BRANCH)
    in_cut = toy.made.revert(toy.made.tip("main~4"), BRANCH)
    rows = {r["commit"]: r for r in toy.audit()["commits"]}
    assert (rows[own]["category"], rows[own]["violations"]) == ("revert", [])
    assert (rows[in_cut]["category"], clauses(rows[in_cut])) == ("revert", ["P8"])


# What is missing --------------------------------------------------------------------------------------------------


def test_B6_a_fix_that_names_a_commit_of_the_cut_is_missing(toy: Toy) -> None:
    """``Fixes: <sha>`` of something that the branch holds, and that was not picked."""
    old = toy.made.tip(BRANCH)
    mend = fix(toy, body=f"Fixes: {old[:12]}")
    assert toy.audit()["missing"] == [
        {
            "fix": mend,
            "subject": "[Bugfix] Capture the graph once per bucket (#500)",
            "fixes": [old],
            "on_branch": [old],
        }
    ]


def test_B6_a_fix_of_a_picked_pull_request_is_missing(toy: Toy) -> None:
    """``fixes #PR``: the branch's copy is named, though neither knows the other's SHA."""
    change = fix(toy)
    copy = toy.squash(change, "[v0.18.0][Bugfix] Capture the graph once per bucket (#700)")
    mend = fix(toy, "queue", 501, body="Fixes #500")
    (found,) = toy.audit()["missing"]
    assert (found["fix"], found["fixes"], found["on_branch"]) == (mend, [change], [copy])


@pytest.mark.parametrize("body", ["Fixes #4711", "Fixes #901, see #500"])
def test_B6_an_issues_number_is_nothing(toy: Toy, body: str) -> None:
    """Numbers that no trunk commit bears are issues; one in passing is not what is fixed."""
    toy.made.pick(fix(toy), BRANCH)
    fix(toy, "queue", 501, body=body)
    assert toy.audit()["missing"] == []


@pytest.mark.parametrize("trailer", [True, False])
def test_B6_a_picked_fix_is_not_missing(toy: Toy, trailer: bool) -> None:
    """Also when the pick says nothing of where it is from."""
    mend = fix(toy, body=f"Fixes: {toy.made.tip(BRANCH)}")
    assert len(toy.audit()["missing"]) == 1
    toy.made.pick(mend, BRANCH) if trailer else toy.squash(mend, "[0.18.0] Capture the graph once per bucket (#700)")
    assert toy.audit()["missing"] == []


def test_B6_a_fix_that_the_trunk_took_back_is_not_missing(toy: Toy) -> None:
    """What does not stand is wanted by nobody."""
    mend = fix(toy, body=f"Fixes: {toy.made.tip(BRANCH)}")
    toy.made.revert(mend)
    assert toy.audit()["missing"] == []


def test_B6_a_fix_of_what_the_branch_took_out_is_not_missing(toy: Toy) -> None:
    """The branch does not hold any more what it mends."""
    change = fix(toy)
    copy = toy.made.pick(change, BRANCH)
    toy.made.revert(copy, BRANCH)
    fix(toy, "queue", 501, body=f"Fixes: {change}")
    assert toy.audit()["missing"] == []
