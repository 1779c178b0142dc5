"""N2: a release is a milestone for talking to the community; its notes say what is in it, once."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from worldeffects import release, settle
from worlds import BRANCH, CELL_KEY, MEASURED, MEASURING, RC1, VERSION, World, cut, policy, released

from headway.decide.mishaps import Told
from headway.decide.notedocument import Tongue, document, markdown
from headway.decide.notes import Notes, notes_of
from headway.decide.notetext import change_line
from headway.model.entry import Kind
from headway.model.markdown import escape
from headway.model.noted import Noted
from headway.model.pick import Category
from headway.model.text import say


def notes(world: World, version: str = VERSION) -> Notes:
    """Notes of a train as it stands."""
    planned = world.train(version)
    newest = planned.candidates[-1] if planned.candidates else None
    line = world.line(planned.train.branch)
    return notes_of(planned.train, line, newest, planned.performance, world.snapshot(), world.policy)


def part(world: World, name: str, version: str = VERSION) -> tuple[str, ...]:
    return dict(notes(world, version).sections)[name]


def listed(world: World, version: str = VERSION) -> list[str]:
    """All changes, whatever their part."""
    found = dict(notes(world, version).sections)
    return [row for name in ("breaking", "features", "improvements", "fixes", "upcoming") for row in found[name]]


def cut_again(world: World, version: str = "0.7.2") -> None:
    """Cut the next release from the trunk's tip."""
    branch = f"releases/v{version}"
    world.branch(branch, world.trunk[-1].sha)
    world.note(Kind.CUT, version, branch=branch, commit=world.trunk[-1].sha)


def test_N2_the_parts_are_those_that_readers_look_for() -> None:
    """New features, improvements, upcoming changes that could affect users, and potential breaking changes."""
    world = released()
    rows = {
        "breaking": world.commit("[Breaking] Drop Python 3.8"),
        "features": world.commit("[Feature] Streaming"),
        "fixes": world.commit("[Bugfix] Mend decode"),
        "upcoming": world.commit("[Core] Rename a flag", "The old one is deprecated."),
        "improvements": world.commit("[Perf] Faster sampling"),
    }
    in_body = world.commit("[Core] New format", "BREAKING CHANGE: old files are not read")
    world.branch(BRANCH, world.trunk[-1].sha)
    found = dict(notes(world).sections)
    for name, commit in rows.items():
        assert commit.subject in found[name], name
    assert in_body.subject in found["breaking"]
    assert found["improvements"][:4] == tuple(c.subject for c in world.trunk[3:7])
    assert notes(world).previous == "0.7.0"


def test_N2_a_pick_is_told_once_and_in_the_release_that_had_it_first() -> None:
    """What 0.7.1 got by a pick is on the trunk after its cut: it is no news in 0.7.2."""
    world = cut()
    fix, other = world.commit("[Bugfix] Picked"), world.commit("[Bugfix] Left")
    world.request(fix)
    settle(world)
    assert part(world, "fixes") == (fix.subject,)
    release(world)
    cut_again(world)
    assert listed(world, "0.7.2") == [other.subject]


def test_N2_what_a_hand_made_branch_picked_is_not_told_again_either() -> None:
    """The trailer of the previous release's branch says so."""
    world = cut()
    fix, late = world.commit("[Bugfix] Picked"), world.commit("[Bugfix] Late")
    world.by_hand(fix)
    world.until("2025-02-05")
    world.tag("v0.7.1", world.tip())
    world.by_hand(late)
    cut_again(world)
    assert listed(world, "0.7.2") == [late.subject]


def test_N2_what_the_trunk_took_back_before_the_cut_is_gone_with_its_revert() -> None:
    """The notes tell of what is in the release."""
    world = released()
    gone, stays = world.commit("[Feature] Gone"), world.commit("[Feature] Stays")
    world.revert(gone)
    world.branch(BRANCH, world.trunk[-1].sha)
    assert listed(world)[-5:] == [stays.subject, *(c.subject for c in world.trunk[3:7])]


def test_N2_what_was_relanded_before_the_cut_is_told_once() -> None:
    """Reverted and relanded: it is in the release."""
    world = released()
    change = world.commit("[Feature] Back again")
    world.revert(world.revert(change))
    world.branch(BRANCH, world.trunk[-1].sha)
    assert [s for s in listed(world) if "Back again" in s] == [change.subject]
    world.revert(world.trunk[-1])
    world.branch(BRANCH, world.trunk[-1].sha)
    assert [s for s in listed(world) if "Back again" in s] == []


def test_N2_taking_back_what_users_have_is_a_change() -> None:
    """Upcoming changes that could affect users: a feature that goes away is one."""
    world = released()
    revert = world.revert(world.trunk[1])
    world.branch(BRANCH, world.trunk[-1].sha)
    assert revert.subject in listed(world)


def test_N2_one_revert_of_a_new_and_an_old_change_is_told_for_the_old_one() -> None:
    """The new one is gone, the old one's loss is a change."""
    world = released()
    new, old = world.commit("[Feature] New"), world.trunk[1]
    both = world.commit("Revert both", f"This reverts commit {new.sha}.\nThis reverts commit {old.sha}.")
    world.branch(BRANCH, world.trunk[-1].sha)
    assert new.subject not in listed(world)
    assert both.subject in listed(world)


def test_N2_what_was_taken_out_on_the_branch_is_gone_with_its_revert() -> None:
    """B6: the trunk's revert was applied; the trunk's own copy of it is not in this release."""
    world = cut()
    gone, picked = world.trunk[4], world.commit("[Bugfix] Picked")
    world.request(picked)
    settle(world)
    world.revert(gone)
    world.revert(picked)
    settle(world)
    assert listed(world) == [c.subject for c in world.trunk[3:7] if c is not gone]


def test_N2_what_the_branch_reverted_and_relanded_is_told() -> None:
    """The branch's own chain: the last word counts."""
    world = cut()
    old = world.trunk[4]
    revert = world.revert(old)
    settle(world)
    world.request(world.revert(revert))
    settle(world)
    assert len(world.branches[BRANCH]) == 2
    assert listed(world) == [c.subject for c in world.trunk[3:7]]


def test_N2_a_relands_release_after_the_reverts_release_tells_it() -> None:
    """0.7.1 went out without it, 0.7.2 has it again."""
    world = cut()
    old = world.trunk[4]
    revert = world.revert(old)
    settle(world)
    release(world)
    reland = world.revert(revert)
    cut_again(world)
    assert listed(world, "0.7.2") == [reland.subject]


def test_N2_a_post_release_tells_only_of_its_own() -> None:
    """V4: backwards-compatible bug fixes only."""
    world = cut()
    world.request(world.commit("[Bugfix] In the patch"))
    release(world)
    fix = world.commit("[Bugfix] In the post")
    world.request(fix, train="0.7.1.post1")
    settle(world)
    assert listed(world, "0.7.1.post1") == [fix.subject]
    assert notes(world, "0.7.1.post1").previous == VERSION


def test_N2_a_first_release_tells_of_the_whole_trunk() -> None:
    """There is no previous one."""
    world = released()
    world.tags.clear()
    world.branch("releases/v0.7.0", world.trunk[-1].sha)
    assert listed(world, "0.7.0") == [c.subject for c in world.trunk]
    assert markdown(document(notes(world, "0.7.0"))).startswith("# 0.7.0\n")


def test_N2_contributors_waivers_performance_and_artifacts() -> None:
    """A milestone for talking to the community: who did it, what was set aside, measured, and published."""
    world = cut(MEASURING)
    body = "Co-authored-by: Zoë Ø <z@e.org>\nCo-authored-by: ann b <a@e.org>"
    fix = world.commit("[Bugfix] Ours", body, author="Bob")
    world.request(fix)
    world.waive("E2")
    settle(world)
    assert part(world, "contributors") == ("Ann", "ann b", "Bob", "Zoë Ø")
    until = (world.now.date()).replace(month=3, day=5).isoformat()
    assert part(world, "waivers") == (f"E2: known (ann, until {until})",)
    (performance,) = part(world, "performance")
    assert performance.startswith(f"pass: {CELL_KEY} × 1.00 [")
    assert [a.partition(" sha256:")[0] for a in part(world, "artifacts")] == [
        "proj-0.7.1-py3-none-any.whl",
        "proj-0.7.1.tar.gz",
    ]
    assert world.train().candidates[-1].facts.tag == RC1


def test_N2_the_notes_as_markdown_leave_empty_parts_out_and_can_have_other_titles() -> None:
    """The parts are our reading, the purpose is the document's."""
    world = cut()
    fix = world.commit("[Bugfix] A")
    world.request(fix, Category.REGRESSION)
    settle(world)
    text = markdown(document(notes(world), Tongue(lambda text: "修复" if str(text) == "Fixes" else str(text))))
    assert f"## 修复\n\n- {change_line(fix.subject, fix.pr)}\n" in text
    assert f"(#{fix.pr})\n" in text, "a reference that a forge makes a link of"
    assert "## Improvements\n" in text
    assert "Breaking" not in text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"),
        ("![x](http://e.org/x.png)", "\\!\\[x\\](http:\u200b//e.org/x.png)"),
        ("ping @everyone", "ping @\u200beveryone"),
        ("a\n# not a title", "a \\# not a title"),
        ("- nested", "\\- nested"),
        ("1. nested", "1\\. nested"),
        ("12) nested", "12\\) nested"),
        ("2025 was a year", "2025 was a year"),
        ("=== ~~gone~~ &lt;b&gt;", "\\=== \\~\\~gone\\~\\~ \\&lt;b\\&gt;"),
        ("\x1b[31mred\x07", "\\[31mred"),
        ("abc\u202etxt.exe\u2066", "abctxt.exe"),
        ("`rm -rf` |cell| $x$ \\n", "\\`rm -rf\\` \\|cell\\| &#36;x&#36; \\\\n"),
        ("修复 👩\u200d💻 naïve", "修复 👩\u200d💻 naïve"),
    ],
)
def test_N2_somebody_elses_words_are_shown_and_do_nothing(hostile: str, shown: str) -> None:
    """Subjects are written by anybody."""
    assert escape(hostile) == shown
    world = released()
    world.commit(hostile)
    world.branch(BRANCH, world.trunk[-1].sha)
    assert shown in markdown(document(notes(world)))


def test_N2_an_abbreviated_trailer_names_its_origin() -> None:
    """People shorten what git writes in full."""
    world = cut()
    fix = world.commit("[Bugfix] Picked")
    world.on_branch(fix.subject, f"(cherry picked from commit {fix.sha[:10]})")
    world.until("2025-02-05")
    world.tag("v0.7.1", world.tip())
    cut_again(world)
    assert listed(world, "0.7.2") == []


RULES = {
    "groups": (
        {"title": "Engine", "prefixes": ("Core", "Spec Decode", "MRV*"), "scopes": ("engine",)},
        {"title": "Chips", "prefixes": ("ROCm", "CPU"), "labels": ("gpu",)},
        {"title": "Docs", "prefixes": ("docs",)},
        {"title": "CI", "prefixes": ("CI",), "types": ("ci",), "listed": False},
        {"title": "Models", "titles": ("(?i)qwen",)},
    ),
    "sections": {
        "breaking": {"types": ("!",)},
        "features": {"prefixes": ("New Model",), "types": ("feat",), "labels": ("new-feature",)},
        "fixes": {"types": ("fix",)},
    },
}


@pytest.mark.parametrize(
    ("subject", "section", "group"),
    [
        ("[Core] A", "improvements", "Engine"),
        ("[SpecDecode][Bugfix] A", "fixes", "Engine"),
        ("[Bugfix][ROCm][Core] the first that a group has", "fixes", "Chips"),
        ("[CPU/ROCm] parts of one tag", "improvements", "Chips"),
        ("【CPU】 A", "improvements", "Chips"),
        ("[mrv2] a pattern", "improvements", "Engine"),
        ("[New Model] Qwen 9", "features", "Models"),
        ("[CPU] Qwen 9 on it", "improvements", "Chips"),
        ("fix(engine): A", "fixes", "Engine"),
        ("feat(api, engine)!: A", "breaking", "Engine"),
        ("docs(engine): A", "improvements", "Docs"),
        ("feature: no type of ours", "features", None),
        ("Nothing said", "improvements", None),
        ("[] [ ] empty tags", "improvements", None),
        ("Core: a word before a colon", "improvements", "Engine"),
    ],
)
def test_N2_prefixes_types_and_scopes_of_a_title(subject: str, section: str, group: str | None) -> None:
    """Grouping rules are the policy's."""
    world = released(policy(notes=RULES))
    commit = world.commit(subject)
    world.branch(BRANCH, world.trunk[-1].sha)
    found = notes(world)
    (told,) = (t for t in found.told if t.change.commit == commit)
    assert told.section == section
    assert (found.groups[told.group].title if told.group is not None else None) == group


def test_N2_a_label_decides_before_a_title() -> None:
    """People put it there on purpose."""
    world = released(policy(notes=RULES))
    commit = world.commit("[Bugfix][Core] A")
    world.branch(BRANCH, world.trunk[-1].sha)
    assert commit.pr is not None
    snapshot = world.snapshot()
    noted = Noted(labels={commit.pr: ("New feature", "GPU"), 1: ("gpu",)})
    planned = world.train()
    found = notes_of(planned.train, world.line(), None, None, replace(snapshot, noted={VERSION: noted}), world.policy)
    (told,) = (t for t in found.told if t.change.commit == commit)
    assert (told.section, told.group) == ("features", 1)


def test_N2_what_is_left_out_is_counted_and_named_never_silent() -> None:
    """By a rule on subjects, or as a group that is not listed."""
    world = released(policy(notes={**RULES, "leave_out": ("^Bump ",)}))
    bump, ci, also = world.commit("Bump it"), world.commit("[CI] A"), world.commit("ci: B")
    world.branch(BRANCH, world.trunk[-1].sha)
    found = notes(world)
    assert [(c.commit, why) for c, why in found.left_out] == [(bump, "^Bump "), (ci, "CI"), (also, "CI")]
    text = markdown(document(found))
    assert "Not listed: 3 " in text
    assert bump.subject not in text
    assert ci.subject not in listed(world)


def test_N2_bodies_of_fixes_that_speak_of_deprecated_things_are_no_deprecations() -> None:
    """A footer that says BREAKING CHANGE means it."""
    world = released()
    fix = world.commit("[Bugfix] A", "The deprecated way of it crashed.")
    world.commit("[Bugfix] B", "BREAKING CHANGE: gone")
    world.commit("[Bugfix] Deprecate C")
    world.branch(BRANCH, world.trunk[-1].sha)
    assert part(world, "fixes") == (fix.subject,)
    assert [s.split()[1] for s in part(world, "breaking")] == ["B"]
    assert [s.split()[1] for s in part(world, "upcoming")] == ["Deprecate"]


def test_N2_waivers_of_what_never_came_or_was_not_needed_are_not_told() -> None:
    """P7 for a change that was withdrawn, a cell that passed; of two words of one person the last."""
    world = cut(MEASURING)
    came, never = world.commit("[Feature] Came"), world.commit("[Feature] Never")
    for commit in (came, never):
        world.waive("P7", commit=commit)
    world.request(came)
    world.waive("E2")
    world.waive("E2", until=world.now.date().replace(month=12))
    settle(world)
    world.waive(f"cell:{CELL_KEY}")  # measured by then, and it passed
    found = part(world, "waivers")
    assert [w.partition(":")[0] for w in found] == [f"P7 {came.subject}", "E2"]
    assert "until 2025-12-" in found[1]


def test_N2_the_performance_summary_counts_each_cell_once() -> None:
    """What regressed and was waived is told as waived; what is asked for and not measured is told as missing."""
    world = cut(policy(perf={**MEASURED, "hardware": ("H100", "MI300x")}))
    slow = world.commit("[Core] Slow")
    world.slow[slow.sha] = 1.4
    world.request(slow)
    world.waive("E2")
    settle(world)
    counts = {"cells": 1, "passed": 0, "regressed": 1, "waived": 0, "open": 0, "missing": 1}
    figures = notes(world).figures
    assert figures is not None
    assert figures.counts() == counts
    world.waive(f"cell:{CELL_KEY}")
    found = notes(world)
    assert found.figures is not None
    assert found.figures.counts() == {**counts, "regressed": 0, "waived": 1}
    text = markdown(document(found))
    assert "with 0.7.0: 1. Passed: 0, regressed: 0, waived: 1, undecided: 0, missing: 1." in text
    assert re.search(
        r"^\| Llama3 \| H100 \| decode \| median\\_tpot\\_ms \| 1\.\d{3} \| .* \| regressed, waived \|$", text, re.M
    )
    assert "| Llama3 | MI300x | – | – | – | – | missing |" in text
    assert [w.partition(":")[0] for w in part(world, "waivers")] == ["E2", "cell"]


def test_N2_nothing_went_wrong_and_nothing_is_said_of_it() -> None:
    """The part stands only where it has lines."""
    world = cut()
    assert "history" not in dict(notes(world).sections)
    told = replace(notes(world), history=(Told(say("candidate 1 could not be built"), ""),))
    assert dict(told.sections)["history"] == ("candidate 1 could not be built",)
    assert "## On the way\n\n- candidate 1 could not be built\n" in markdown(document(told))


def test_N2_who_is_new_is_not_guessed_where_history_was_not_read() -> None:
    """A world without facts about people names them all and greets nobody."""
    world = cut()
    found = notes(world)
    assert found.people.first_time is None
    assert [p.name for p in found.people.contributors] == ["Ann"]
    assert "Changes: 4. Contributors: 1.\n" in markdown(document(found))


def test_N2_half_a_character_in_somebodys_words_stops_no_release() -> None:
    """A reason typed in another encoding reaches the notes, which are written as UTF-8."""
    assert escape("bad \udcff reason").encode("utf-8") == b"bad ? reason"
