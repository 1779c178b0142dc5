"""B6: every trunk revert since the cut has its verdict for the branch, and so has what the branch did alone.

The branches here are as people make them: picks by pull request under a title and number of their own, without git's
trailer, so that only the content and the wording tell what they are.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from auditkit import BRANCH, Toy, headway
from gitmaker import START


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    made = Toy(tmp_path / "repo")
    made.cut()
    made.noise()
    return made


def fix(toy: Toy, name: str = "graph", number: int = 12536) -> str:
    return toy.change(name, f"[Bugfix] Capture the {name} once per bucket (#{number})", author="Eve <eve@example.org>")


def picked(toy: Toy, sha: str, name: str = "graph", number: int = 12537) -> str:
    return toy.squash(sha, f"[v0.18.0][Bugfix] Capture the {name} once per bucket (#{number})")


def reverted(toy: Toy, sha: str, number: int = 13290) -> str:
    """By GitHub's button."""
    title = toy.made.run("show", "-s", "--format=%s", sha)
    return toy.undo(sha, f'Revert "{title}" (#{number})', f"Reverts acme/engine#{title.rpartition('#')[2][:-1]}")


# The verdicts ----------------------------------------------------------------------------------------------------


def test_B6_needed_for_what_the_cut_holds(toy: Toy) -> None:
    """Those reverts are applied to the release branch; the answer "a revert is missing" is status 1."""
    old = toy.made.tip("main~3")
    revert = toy.made.revert(old)
    said = headway("reverts", "--branch", BRANCH, "--json", at=toy.path)
    assert said.status == 1
    (row,) = said.document["reverts"]
    assert (row["revert"], row["reverts"], row["kind"]) == (revert, [old], "revert")
    assert (row["verdict"], row["on_branch"]) == ("needed", [old])
    assert said.document["cut"] == old
    assert said.document["branch"] == BRANCH


def test_B6_needed_for_a_pick_without_a_trailer(toy: Toy) -> None:
    """B6 under whatever SHA, title and number the branch holds the change."""
    change = fix(toy)
    copy = picked(toy, change)
    toy.noise()
    row = toy.verdict(reverted(toy, change))
    assert (row["verdict"], row["on_branch"], row["reverts"]) == ("needed", [copy], [change])


def test_B6_not_on_branch(toy: Toy) -> None:
    """After the cut, the trunk is watched for reverts: most concern what the branch never had; status 0."""
    revert = reverted(toy, fix(toy))
    said = headway("reverts", "--branch", BRANCH, "--json", at=toy.path)
    assert said.status == 0
    (row,) = said.document["reverts"]
    assert (row["revert"], row["verdict"], row["on_branch"]) == (revert, "not-on-branch", [])


def test_B6_already_reverted_by_a_copy_of_the_revert(toy: Toy) -> None:
    """B6 is fulfilled by any commit that takes it out, also one without a trailer."""
    change = fix(toy)
    copy = picked(toy, change)
    revert = reverted(toy, change)
    mine = toy.undo(copy, '[v0.18.0] Revert "[Bugfix] Capture the graph once per bucket" (#13295)', on=BRANCH)
    row = toy.verdict(revert)
    assert (row["verdict"], row["on_branch"]) == ("already-reverted", [copy])
    assert mine[:12] in row["why"]
    assert toy.reverts()["branch_only"] == []


def test_B6_relanded_on_the_trunk(toy: Toy) -> None:
    """B6: a revert that the trunk took back itself is not applied; the reland is told as one."""
    change = fix(toy)
    copy = picked(toy, change)
    revert = reverted(toy, change)
    reland = toy.squash(change, 'Reland "[Bugfix] Capture the graph once per bucket" (#13400)', onto="main")
    rows = {r["revert"]: r for r in toy.reverts()["reverts"]}
    assert (rows[revert]["kind"], rows[revert]["verdict"]) == ("revert", "relanded")
    assert (rows[reland]["kind"], rows[reland]["reverts"]) == ("reland", [revert])
    assert (rows[reland]["verdict"], rows[reland]["on_branch"]) == ("relanded", [copy])


def test_B6_partial_is_found_by_content(toy: Toy) -> None:
    """B6: a revert that takes back one of two files is neither applied nor passed over in silence."""
    whole = {"src/a.py": "alpha\naleph\n", "src/b.py": "beta one\nbeta two\nbeta three\n"}
    change = toy.made.commit("[Core] Two halves (#70)", whole)
    copy = toy.squash(change, "[v0.18.0][Core] Two halves (#71)")
    revert = toy.made.commit('Revert "[Core] Two halves" (#72)', {"src/b.py": None}, body="Reverts acme/engine#70")
    row = toy.verdict(revert)
    assert (row["verdict"], row["on_branch"], row["reverts"]) == ("partial", [copy], [change])


def test_B6_ambiguous_when_nothing_tells_what_is_undone(toy: Toy) -> None:
    """B6: what cannot be told is reported, not guessed."""
    revert = toy.made.commit('Revert "A thing that nobody knows" (#72)', {"src/none.py": "pass\n"})
    row = toy.verdict(revert)
    assert (row["verdict"], row["reverts"], row["on_branch"]) == ("ambiguous", [], [])
    assert row["why"]


# The three cases that every revert monitor gets wrong -------------------------------------------------------------


@pytest.mark.parametrize("tag", ["v0.18.0", "v0.18.0rc1", "v0.18.0.post1", "v0.18.0.1"])
def test_B6_shipped_and_reverted_later_is_a_candidate_for_a_post_release(toy: Toy, tag: str) -> None:
    """B6 and C2 (#9865, reverted by #11562, already in v0.22.1rc1): in both lists, with the tags that hold it."""
    change = fix(toy)
    copy = picked(toy, change)
    toy.made.tag(tag, BRANCH)
    revert = reverted(toy, change)
    found = toy.reverts()
    (row,) = found["shipped_then_reverted"]
    assert (row["revert"], row["tags"], row["on_branch"]) == (revert, [tag], [copy])
    assert [r["verdict"] for r in found["reverts"] if r["revert"] == revert] == ["needed"]


def test_B6_shipped_and_taken_out_since_is_still_in_users_hands(toy: Toy) -> None:
    """B6: the branch has it out already, the published tag has not."""
    change = fix(toy)
    copy = picked(toy, change)
    toy.made.tag("v0.18.0", BRANCH)
    revert = reverted(toy, change)
    toy.undo(copy, '[v0.18.0] Revert "[Bugfix] Capture the graph once per bucket" (#13295)', on=BRANCH)
    toy.made.tag("v0.18.0.post1", BRANCH)
    found = toy.reverts()
    assert [r["verdict"] for r in found["reverts"]] == ["already-reverted"]
    assert [(r["revert"], r["tags"]) for r in found["shipped_then_reverted"]] == [(revert, ["v0.18.0"])]


def test_B4_candidates_tags_of_other_lines_and_foreign_tags_prove_no_shipping(toy: Toy) -> None:
    """B4: a candidate is built and tested, not published. Tags of any other line prove nothing (pytorch's detector)."""
    change = fix(toy)
    picked(toy, change)
    toy.cut("releases/v0.19.0")
    other = toy.squash(change, "[v0.19.0][Bugfix] Again", onto="releases/v0.19.0")
    toy.made.tag("v0.18.0-rc1", BRANCH)
    toy.made.tag("proto-v0.3.0", BRANCH)
    toy.made.tag("nightly", BRANCH)
    toy.made.tag("v0.19.0", other)
    toy.made.tag("v0.19.1rc1", change)
    toy.made.tag("v0.17.0", toy.made.tip("main~4"))
    reverted(toy, change)
    assert toy.reverts()["shipped_then_reverted"] == []
    assert toy.reverts("releases/v0.19.0")["shipped_then_reverted"][0]["tags"] == ["v0.19.0"]


def test_B6_what_was_picked_after_the_tag_was_not_shipped_in_it(toy: Toy) -> None:
    """B6: the tag's own state decides, not the branch's tip."""
    change = fix(toy)
    toy.change("loader2", "[Misc] Only here", branch=BRANCH)
    toy.made.tag("v0.18.0", BRANCH)
    picked(toy, change)
    reverted(toy, change)
    found = toy.reverts()
    assert found["shipped_then_reverted"] == []
    assert [r["verdict"] for r in found["reverts"]] == ["needed"]


def test_B6_a_final_tag_on_the_cut_itself_ships_the_cut(toy: Toy) -> None:
    """B6 for a release that got no pick."""
    old = toy.made.tip(BRANCH)
    toy.made.tag("v0.18.0", BRANCH)
    revert = toy.made.revert(old)
    assert [(r["revert"], r["tags"]) for r in toy.reverts()["shipped_then_reverted"]] == [(revert, ["v0.18.0"])]


def test_B6_a_shipped_change_that_the_trunk_relanded_is_no_candidate(toy: Toy) -> None:
    """B6: only reverts that stand."""
    change = fix(toy)
    picked(toy, change)
    toy.made.tag("v0.18.0", BRANCH)
    reverted(toy, change)
    toy.squash(change, 'Reapply "[Bugfix] Capture the graph once per bucket" (#13400)', onto="main")
    assert toy.reverts()["shipped_then_reverted"] == []


@pytest.mark.parametrize("form", ["git", "github", "number in words"])
def test_B6_the_branch_undid_its_own_pick_first(toy: Toy, form: str) -> None:
    """B6 (#12537 → #13289 on the branch, before main reverted #12536 by #13290): nothing to do."""
    change = fix(toy)
    copy = picked(toy, change)
    title = "[v0.18.0][Bugfix] Capture the graph once per bucket (#12537)"
    subject, body = {
        "git": (f'Revert "{title}"', f"This reverts commit {copy}."),
        "github": (f'Revert "{title}" (#13289)', "Reverts acme/engine#12537"),
        "number in words": ("[v0.18.0] revert #12537, it hangs on two nodes (#13289)", ""),
    }[form]
    own = toy.undo(copy, subject, body, on=BRANCH)
    (alone,) = toy.reverts()["branch_only"]
    assert (alone["commit"], alone["kind"]) == (own, "revert")
    assert (alone["reverts"], alone["origins"]) == ([copy], [change])
    revert = reverted(toy, change)
    found = toy.reverts()
    (row,) = found["reverts"]
    assert (row["revert"], row["verdict"], row["on_branch"]) == (revert, "already-reverted", [copy])
    assert found["branch_only"] == []  # the trunk did it too, in the end


def test_B6_reverted_relanded_backported_is_not_reverted(toy: Toy) -> None:
    """B6 (#10868 reverted, #10878 relanded, #10850 backported): the revert must NOT be applied."""
    change = toy.change("copies", "[Core] Async copies (#10800)")
    toy.noise(1)
    revert = toy.undo(change, 'Revert "[Core] Async copies" (#10868)', "Reverts acme/engine#10800")
    reland = toy.squash(change, '[Reland] "[Core] Async copies" (#10878)', onto="main")
    copy = toy.squash(change, "[0.18.0][Core] Async copies (#10850)")
    said = headway("reverts", "--branch", BRANCH, "--json", at=toy.path)
    rows = {r["revert"]: r for r in said.document["reverts"]}
    assert said.status == 0
    assert (rows[revert]["verdict"], rows[revert]["on_branch"]) == ("relanded", [copy])
    assert (rows[reland]["kind"], rows[reland]["verdict"]) == ("reland", "relanded")
    assert said.document["branch_only"] == []


# Relands and chains ----------------------------------------------------------------------------------------------


def test_P1_a_reland_of_what_the_branch_took_out_is_not_on_it(toy: Toy) -> None:
    """P1: a reland is a change, and comes by request only; it is never "needed"."""
    change = fix(toy)
    copy = picked(toy, change)
    revert = reverted(toy, change)
    toy.undo(copy, '[v0.18.0] Revert "[Bugfix] Capture the graph once per bucket" (#13295)', on=BRANCH)
    reland = toy.squash(change, 'Reapply "[Bugfix] Capture the graph once per bucket" (#13400)', onto="main")
    rows = {r["revert"]: r["verdict"] for r in toy.reverts()["reverts"]}
    assert rows == {revert: "already-reverted", reland: "not-on-branch"}


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_B6_the_parity_of_the_whole_chain_decides(toy: Toy, steps: int) -> None:
    """B6: revert of the revert of the revert…: alive on the trunk after an even number of steps, or needed."""
    change = fix(toy)
    copy = picked(toy, change)
    chain = [change]
    for _ in range(steps):
        chain.append(toy.made.revert(chain[-1]))
    rows = {r["revert"]: r for r in toy.reverts()["reverts"]}
    assert [rows[s]["kind"] for s in chain[1:]] == (["revert", "reland"] * 3)[:steps]
    assert [rows[s]["reverts"] for s in chain[1:]] == [[s] for s in chain[:-1]]
    first = rows[chain[1]]
    assert (first["verdict"], first["on_branch"]) == ("needed" if steps % 2 else "relanded", [copy])


@pytest.mark.parametrize("forms", [("sha", "sha", "sha"), ("pr", "pr", "pr"), ("pr", "pr", "sha"), ("sha", "pr", "pr")])
def test_B6_one_commit_that_reverts_several(toy: Toy, forms: tuple[str, ...]) -> None:
    """B6 (#40032): each of them is looked for; those that the branch holds are named."""
    a, b, c = (fix(toy, name, n) for name, n in (("graph", 100), ("queue", 101), ("cache", 102)))
    copies = [picked(toy, a, "graph", 200), picked(toy, c, "cache", 202)]
    named = [
        f"This reverts commit {sha}." if by == "sha" else f"Reverts acme/engine#{n}"
        for sha, n, by in zip((a, b, c), (100, 101, 102), forms, strict=True)
    ]
    files: dict[str, str | None] = {"src/queue.py": None, "src/cache.py": None, "src/graph.py": None}
    revert = toy.made.commit("Revert three that hang together (#103)", files, body="\n".join(named))
    row = toy.verdict(revert)
    assert sorted(row["reverts"]) == sorted([a, b, c])
    assert (row["verdict"], sorted(row["on_branch"])) == ("needed", sorted(copies))


@pytest.mark.parametrize("digits", [7, 10, 40])
def test_B6_abbreviated_shas(toy: Toy, digits: int) -> None:
    """B6: ``This reverts commit abc1234``; the answer has full SHAs."""
    change = fix(toy)
    copy = picked(toy, change)
    revert = toy.undo(change, "Take the capture out again", f"This reverts commit {change[:digits]}.")
    row = toy.verdict(revert)
    assert (row["verdict"], row["reverts"], row["on_branch"]) == ("needed", [change], [copy])


@pytest.mark.parametrize("order", ["backwards", "all the same", "far apart"])
def test_B6_commit_dates_may_be_in_any_order(tmp_path: Path, order: str) -> None:
    """B6: the graph tells what came first. Rebases and wrong clocks are daily life."""
    days = {"backwards": lambda i: -i, "all the same": lambda i: 0, "far apart": lambda i: (-1) ** i * 400 * i}[order]
    toy = Toy(tmp_path / "repo")
    toy.cut()
    commit, count = toy.made.commit, iter(range(1, 99))

    def dated(*args: Any, **more: Any) -> str:
        return commit(*args, **{**more, "when": START + timedelta(days=days(next(count)))})

    toy.made.commit = dated  # type: ignore[method-assign]
    toy.noise()
    change, other = fix(toy), fix(toy, "queue", 12600)
    copy = picked(toy, change)
    second = picked(toy, other, "queue", 12601)
    first = reverted(toy, change)
    gone = reverted(toy, other, 13291)
    reland = toy.squash(other, 'Reapply "[Bugfix] Capture the queue once per bucket" (#13400)', onto="main")
    rows = {r["revert"]: (r["kind"], r["verdict"], r["on_branch"]) for r in toy.reverts()["reverts"]}
    assert rows == {
        first: ("revert", "needed", [copy]),
        gone: ("revert", "relanded", [second]),
        reland: ("reland", "relanded", [second]),
    }


def test_B6_a_revert_from_before_the_cut_is_in_it(toy: Toy) -> None:
    """After the cut, the trunk is watched: what came before is of no concern."""
    reverted(toy, fix(toy))
    toy.cut("releases/v0.19.0")
    assert toy.reverts("releases/v0.19.0")["reverts"] == []


def test_B6_branch_only_changes_are_named_too(toy: Toy) -> None:
    """P8, the other direction: fixed on the branch only, never on the trunk."""
    mine = toy.change("hotfix", "[Bugfix] Only for those who wait", branch=BRANCH)
    assert [(r["commit"], r["kind"]) for r in toy.reverts()["branch_only"]] == [(mine, "change")]


def test_B6_without_a_branch_every_live_one_is_looked_at(toy: Toy) -> None:
    """B6: the rows say which branch they are of; a branch whose release is out and has a successor is not live."""
    old = toy.made.tip("releases/v0.18.0")
    toy.cut("releases/v0.19.0")
    revert = toy.made.revert(old)
    said = headway("reverts", "--json", at=toy.path)
    assert said.status == 1
    assert [(r["branch"], r["verdict"]) for r in said.document["reverts"]] == [
        ("releases/v0.18.0", "needed"),
        ("releases/v0.19.0", "needed"),
    ]
    toy.made.tag("v0.18.0", "releases/v0.18.0")
    toy.made.tag("v0.19.0", "releases/v0.19.0")
    said = headway("reverts", "--json", at=toy.path)
    assert {r["branch"] for r in said.document["reverts"]} == {"releases/v0.19.0"}
    assert said.document["reverts"][0]["revert"] == revert


def test_B6_for_a_person_the_verdicts_are_words(toy: Toy) -> None:
    """B6 on a screen: the verdict, the subject and why."""
    toy.made.tag("v0.18.0", BRANCH)
    toy.made.revert(toy.made.tip(BRANCH))
    said = headway("reverts", "--branch", BRANCH, at=toy.path)
    assert said.status == 1
    assert 'needed  Revert "[Core] Add the loader (#3)"' in said.out
    assert "the branch holds what the trunk took back" in said.out
    assert "Shipped, then reverted" in said.out
