"""V1–V5, B1, B3: other schemes than the default, other names, and the switch from one to another."""

from __future__ import annotations

from datetime import date

import pytest
from packaging.version import Version
from worldeffects import effect, perform, release, settle
from worlds import World, policy

from headway.decide.calendar import slot_of
from headway.decide.proposals import proposals
from headway.decide.tags import Names, covers
from headway.decide.trains import live_branches, live_trains
from headway.decide.versioning import next_train_version
from headway.errors import UnusableInput
from headway.model.entry import Kind
from headway.model.train import Train
from headway.plan.actions import CutBranch, Publish, TagCandidate, TagFinal
from headway.policy.loader import load_policy, preset_names
from headway.policy.schema import Policy, Versions
from headway.policy.scheme import (
    CandidateName,
    ReleaseKind,
    base_of,
    branch_of,
    branch_release,
    candidate_tag,
    cuts_own_branch,
    first_candidate,
    fix_kind,
    is_fix,
    next_version,
    read_branch,
    read_candidate_tag,
    read_final_tag,
    regular_kind,
)

PRESETS = {name: load_policy(None, source=name, preset=name) for name in preset_names()}


def V(text: str) -> Version:
    return Version(text)


# The names that projects use (facts of 2025–2026), preset by preset ------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "version", "branch", "first", "tag", "fix", "fix_branch"),
    [
        ("vllm-2025", "0.9.2", "releases/v0.9.2", 1, "v0.9.2-rc1", "0.9.2.post1", "releases/v0.9.2"),
        ("vllm-2026", "0.13.0", "releases/v0.13.0", 0, "v0.13.0rc0", "0.13.1", "releases/v0.13.1"),
        ("pytorch", "2.9.0", "release/2.9", 1, "v2.9.0-rc1", "2.9.1", "release/2.9"),
        ("sglang", "0.5.10", "release/v0.5.10", 0, "v0.5.10rc0", "0.5.10.post1", "release/v0.5.10"),
        ("vllm-ascend", "0.18.0", "releases/v0.18.0", 1, "v0.18.0rc1", "0.18.0.post1", "releases/v0.18.0"),
        ("generic", "1.2.3", "releases/v1.2.3", 1, "v1.2.3-rc1", "1.2.3.post1", "releases/v1.2.3"),
    ],
)
def test_B1_V5_branches_and_tags_are_what_each_project_calls_them(
    preset: str, version: str, branch: str, first: int, tag: str, fix: str, fix_branch: str
) -> None:
    names = PRESETS[preset].versions
    assert branch_of(V(version), names) == branch
    assert first_candidate(V(version), names) == first
    assert candidate_tag(CandidateName(V(version), first), names) == tag
    assert next_version(V(version), fix_kind(V(version), names)) == V(fix)
    assert branch_of(V(fix), names) == fix_branch
    assert is_fix(V(fix), names)
    assert base_of(V(fix), names) == V(version)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize(
    ("tag", "version", "number"),
    [("v0.9.2-rc1", "0.9.2", 1), ("v0.9.2rc0", "0.9.2", 0), ("v0.9.2.rc3", "0.9.2", 3), ("v0.13.0rc0", "0.13.0", 0)],
)
def test_V5_every_preset_reads_every_spelling_of_a_candidate(preset: str, tag: str, version: str, number: int) -> None:
    assert read_candidate_tag(tag, PRESETS[preset].versions) == CandidateName(V(version), number)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("text", ["0.9.2", "0.7.2.post1", "0.10.1.1", "0.12.0", "2.5.1"])
def test_V5_every_preset_reads_final_posts_and_fourth_numbers(preset: str, text: str) -> None:
    assert read_final_tag(f"v{text}", PRESETS[preset].versions) == V(text)


@pytest.mark.parametrize(
    ("preset", "tag"),
    [
        ("vllm-2026", "proto-v0.3.0"),
        ("vllm-2026", "v0.11.0rc1"),
        ("sglang", "gateway-v0.1.0"),
        ("pytorch", "ciflow/trunk/12"),
        ("pytorch", "viable/strict/17"),
    ],
)
def test_V5_foreign_tags_are_ignored(preset: str, tag: str) -> None:
    names = PRESETS[preset].versions
    assert read_candidate_tag(tag, names) is None
    assert read_final_tag(tag, names) is None


def test_V5_a_fourth_number_is_a_fix_of_its_patch_and_goes_on() -> None:
    names = PRESETS["vllm-2025"].versions
    assert is_fix(V("0.10.1.1"), names)
    assert branch_of(V("0.10.1.1"), names) == "releases/v0.10.1"
    assert next_version(V("0.10.1.1"), ReleaseKind.POST) == V("0.10.1.2")


def test_B1_branches_of_candidates_only_are_read_as_release_branches() -> None:
    names = PRESETS["vllm-ascend"].versions
    assert read_branch("releases/v0.20.2rc", names) == (0, 20, 2)
    assert branch_release("releases/v0.20.2rc", names) is None  # a train is on the branch that it is called after
    assert branch_release("releases/v0.18.0", names) == V("0.18.0")


# A train of minors -------------------------------------------------------------------------------------------------


def test_V2_in_a_train_of_minors_the_next_regular_release_is_the_next_minor() -> None:
    found = PRESETS["vllm-2026"]
    assert regular_kind(found.versions) is ReleaseKind.MINOR
    finals = [V("0.12.0"), V("0.13.0"), V("0.13.1")]
    assert next_train_version(finals, (), ReleaseKind.MINOR, found) == V("0.14.0")
    assert next_train_version(finals, [V("0.14.0")], ReleaseKind.MINOR, found) == V("0.15.0")
    assert next_train_version((), (), ReleaseKind.MINOR, found) == V("0.12.0")
    with pytest.raises(UnusableInput) as none:
        next_train_version((), (), ReleaseKind.PATCH, found)
    assert none.value.code == "version.no-release"


def test_C1_a_train_of_minors_has_a_minor_in_each_slot() -> None:
    found = PRESETS["vllm-2026"]
    assert slot_of(V("0.14.0"), found.cadence, {}, found.versions) == date(2025, 12, 31)
    assert slot_of(V("0.13.1"), found.cadence, {}, found.versions) is None
    released = {"0.12.0": date(2025, 12, 3), "0.13.0": date(2025, 12, 18), "0.13.1": date(2025, 12, 20)}
    assert slot_of(V("0.14.0"), found.cadence, released, found.versions) == date(2025, 12, 31)


def test_V_switch_over_versions_below_it_are_named_and_counted_as_before() -> None:
    names = PRESETS["vllm-2026"].versions
    assert not is_fix(V("0.11.2"), names)
    assert is_fix(V("0.11.2.post1"), names)
    assert next_version(V("0.11.2"), fix_kind(V("0.11.2"), names)) == V("0.11.2.post1")
    assert branch_of(V("0.11.2.post1"), names) == "releases/v0.11.2"
    assert is_fix(V("0.12.1"), names)
    assert cuts_own_branch(V("0.12.1"), names)
    assert not cuts_own_branch(V("0.11.2.post1"), names)


def test_V_switch_over_old_tags_still_validate_where_names_differ() -> None:
    names = Versions.model_validate(
        {
            "final_tag": "v{version}",
            "branch": "release/{line}",
            "scheme": "minor-train",
            "earlier": [
                {
                    "below": "1.0",
                    "final_tag": "rel-{version}",
                    "candidate_tag": "rel-{version}-try{n}",
                    "branch": "r-{version}",
                },
                {
                    "below": "0.5",
                    "final_tag": "old_{version}",
                    "candidate_tag": "old_{version}_{n}",
                    "branch": "o-{version}",
                },
            ],
        }
    )
    for tag, version in (("v1.2.0", "1.2.0"), ("rel-0.9.1", "0.9.1"), ("old_0.4.1", "0.4.1")):
        assert read_final_tag(tag, names) == V(version)
    for tag in ("rel-1.2.0", "v0.9.1", "old_0.9.1"):  # the name that was in force for that version counts
        assert read_final_tag(tag, names) is None
    assert read_candidate_tag("rel-0.9.1-try2", names) == CandidateName(V("0.9.1"), 2)
    assert read_candidate_tag("old_0.4.1_7", names) == CandidateName(V("0.4.1"), 7)
    assert (branch_of(V("0.9.1"), names), branch_of(V("0.4.1"), names)) == ("r-0.9.1", "o-0.4.1")
    assert branch_of(V("1.2.3"), names) == "release/1.2"
    assert read_branch("r-0.9.1", names) == (0, 9, 1)


def test_B3_a_branch_of_a_line_covers_the_minor_and_its_patches() -> None:
    names = Names(PRESETS["pytorch"].versions, loose=False)
    assert covers("release/2.9", V("2.9.0"), names)
    assert covers("release/2.9", V("2.9.1"), names)
    assert not covers("release/2.9", V("2.10.0"), names)
    reused = Names(PRESETS["vllm-2025"].versions, loose=False)
    assert covers("releases/v0.10.1", V("0.10.1.1"), reused)
    assert not covers("releases/v0.10.1", V("0.10.2"), reused)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ('branch = "release/{line}"', "branch"),
        ('scheme = "minor-train"\nbranch = "release/{line}"\nfix_branch = "own"', "fix_branch"),
        ('fix_counts = "patch"', "fix_counts"),
        ('branch_also = ["nowhere"]', "branch_also"),
        ('[[versions.earlier]]\nbelow = "soon"', "below"),
        ('[[versions.earlier]]\nbelow = "1.0"\nfinal_tag = "v"', "final_tag"),
    ],
)
def test_V5_a_naming_that_cannot_be_is_refused_with_its_place(table: str, key: str) -> None:
    with pytest.raises(UnusableInput) as refused:
        load_policy(f"schema = 1\n[versions]\n{table}\n", source="release.toml")
    assert any(key in e for e in dict(refused.value.facts)["errors"])  # type: ignore[attr-defined]


# Trains ------------------------------------------------------------------------------------------------------------

LINE = {"scheme": "minor-train", "branch": "release/{line}"}


def minors(**more: object) -> World:
    """0.7.0 went out on 2025-01-15 from ``release/0.7``; the trunk has gone on."""
    found: Policy = policy(versions={**LINE, **more}, cadence={"releases_per_month": {}, "post_days_after": (1, 30)})
    world = World(found)
    for n in range(3):
        world.commit(f"[Core] Old {n}")
    world.until("2025-01-15")
    world.branch("release/0.7", world.trunk[-1].sha)
    world.tag("v0.7.0", world.trunk[-1].sha)
    for n in range(3):
        world.commit(f"[Core] New {n}")
    world.until("2025-01-27")
    return world


def test_V2_B1_a_train_of_minors_cuts_the_next_minor() -> None:
    world = minors()
    settle(world)
    assert "release/0.8" in world.branches
    release(world, "0.8.0")
    assert world.tags["v0.8.0"].commit == world.trunk[-1].sha
    assert [t.name for t in live_trains(world.snapshot(), world.policy)] == ["0.9.0"]


def test_B3_V4_a_patch_of_a_line_is_a_fix_release_on_its_branch() -> None:
    world = minors()
    fix = world.commit("[Bugfix] A")
    world.request(fix, train="0.7.1")
    trains = live_trains(world.snapshot(), world.policy)
    assert [(t.name, t.post, t.branch) for t in trains] == [
        ("0.7.1", True, "release/0.7"),
        ("0.8.0", False, "release/0.8"),
    ]
    release(world, "0.7.1")
    assert world.tags["v0.7.1"].commit == world.tip("release/0.7")
    tags = [name for name in world.tags if name.startswith("v0.7.1")]
    assert tags == ["v0.7.1-rc1", "v0.7.1"]


def test_V5_candidates_are_counted_from_the_policys_first() -> None:
    world = minors(first_candidate=0, candidate_tag="v{version}rc{n}")
    settle(world)
    assert "v0.8.0rc0" in world.tags


def test_B3_an_older_line_gets_a_fix_release_when_somebody_asks_for_it() -> None:
    world = minors()
    settle(world)
    release(world, "0.8.0")
    tags = tuple(world.tags.values())
    assert live_branches(world.branches, tags, world.policy) == ("release/0.8",)
    assert "0.7.1" not in [t.name for t in live_trains(world.snapshot(), world.policy)]
    world.request(world.commit("[Bugfix] A"), train="0.7.1")
    assert live_branches(world.branches, tags, world.policy, tuple(world.entries)) == ("release/0.7", "release/0.8")
    train = next(t for t in live_trains(world.snapshot(), world.policy) if t.name == "0.7.1")
    assert (train.previous, train.previous_commit) == (V("0.7.0"), world.tags["v0.7.0"].commit)
    world.note(Kind.ABANDONED, "0.7.1", "ann", reason="not worth it")
    assert "0.7.1" not in [t.name for t in live_trains(world.snapshot(), world.policy)]


def test_B1_a_fix_release_with_a_branch_of_its_own_is_cut_where_the_release_before_it_was_made() -> None:
    world = minors(branch="releases/v{version}", fix_branch="own")
    world.branch("releases/v0.7.0", world.tags["v0.7.0"].commit)
    assert [t.name for t in live_trains(world.snapshot(), world.policy)] == ["0.8.0"]
    world.note(Kind.CUT_CHOSEN, "0.7.1", "ann", commit="")
    planned = world.train("0.7.1")
    assert planned.action == CutBranch("0.7.1", "releases/v0.7.1", world.tags["v0.7.0"].commit)
    assert not isinstance(planned.action, TagCandidate)


def test_V4_a_fix_with_a_branch_of_its_own_is_proposed_too() -> None:
    """What the trunk took back after the minor went out: first its branch is cut, then the fix is requested."""
    world = minors(branch="releases/v{version}", fix_branch="own")
    world.branch("releases/v0.7.0", world.tags["v0.7.0"].commit)
    world.revert(world.trunk[1])
    (found,) = proposals(world.snapshot(), world.policy)
    assert [(found.train.name, r.code) for r in found.reasons] == [("0.7.1", "post.shipped-then-reverted")]
    assert "headway cut 0.7.1" in str(found.reasons[0].remedy)


@pytest.mark.parametrize("tagged", [True, False])
def test_B5_a_fix_of_an_older_line_that_was_published_is_ended_whatever_came_between(tagged: bool) -> None:
    """A tick is killed after the files are out, with or without the final tag; then the next minor goes out."""
    world = minors()
    world.request(world.commit("[Bugfix] A"), train="0.7.1")
    settle(world)
    planned = world.train("0.7.1")
    world.until(planned.train.date.isoformat())
    settle(world)
    world.approve("0.7.1")
    publish = world.train("0.7.1").action
    assert isinstance(publish, Publish)
    perform(world, publish)
    if tagged:
        final = world.train("0.7.1").action
        assert isinstance(final, TagFinal)
        effect(world, final)
    settle_only(world, "0.8.0")
    assert "v0.8.0" in world.tags
    settle(world)
    assert world.tags["v0.7.1"].commit == world.tip("release/0.7")
    assert [t.name for t in live_trains(world.snapshot(), world.policy)] == ["0.9.0"]


def settle_only(world: World, version: str) -> None:
    """Bring one train to its release; nothing is done on the others."""
    for _ in range(40):
        planned = world.train(version) if version in {t.name for t in _live(world)} else None
        if planned is None:
            return
        if planned.action is not None:
            perform(world, planned.action)
        elif planned.evidence is not None and "promotion.unapproved" in {w.code for w in planned.waits}:
            world.approve(version)
        else:
            world.wait(days=1)
    raise AssertionError(world.waits(version))


def _live(world: World) -> tuple[Train, ...]:
    return live_trains(world.snapshot(), world.policy)
