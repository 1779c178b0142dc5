"""Versions and their names, over all that hypothesis finds (V1–V5)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from headway.decide.tags import Names, covers
from headway.decide.versioning import latest_final, next_train_version
from headway.policy.loader import load_policy, preset_names
from headway.policy.schema import Versions
from headway.policy.scheme import (
    CandidateName,
    ReleaseKind,
    base_of,
    branch_of,
    branch_release,
    candidate_tag,
    final_tag,
    fix_kind,
    is_fix,
    kind_of,
    naming,
    next_version,
    parse_version,
    read_branch,
    read_candidate_tag,
    read_final_tag,
    regular_kind,
)

POLICY = load_policy(None, source="vllm-2025")
NUMBER = st.integers(0, 10**6)
PATCHES = st.builds(lambda a, b, c: Version(f"{a}.{b}.{c}"), NUMBER, NUMBER, NUMBER)
RELEASES = PATCHES | st.builds(lambda v, n: Version(f"{v}.post{n}"), PATCHES, NUMBER)
NAMES = st.sampled_from(
    [
        Versions(),
        Versions(branch="release/{version}", final_tag="{version}", candidate_tag="{version}rc{n}"),
        Versions(branch="r-{version}-x", final_tag="pkg-{version}", candidate_tag="try/{version}/{n}"),
        Versions(branch="{version}", final_tag="rel/{version}/final", candidate_tag="{n}+{version}"),
    ]
)
KINDS = st.sampled_from(ReleaseKind)
unhurried = settings(deadline=None)


@unhurried
@given(RELEASES, NAMES)
def test_final_tags_round_trip(version: Version, names: Versions) -> None:
    tag = final_tag(version, names)
    assert read_final_tag(tag, names) == version
    assert read_candidate_tag(tag, names) is None


@unhurried
@given(RELEASES, NUMBER, NAMES)
def test_candidate_tags_round_trip_and_are_never_final(version: Version, number: int, names: Versions) -> None:
    name = CandidateName(version, number)
    tag = candidate_tag(name, names)
    assert read_candidate_tag(tag, names) == name
    assert read_final_tag(tag, names) is None


@unhurried
@given(RELEASES, KINDS)
def test_the_next_version_is_later_and_of_its_kind(version: Version, kind: ReleaseKind) -> None:
    following = next_version(version, kind)
    assert following > version
    assert kind_of(following) == kind
    assert parse_version(str(following)) == following


@unhurried
@given(RELEASES, KINDS)
def test_next_of_next_goes_on_by_one(version: Version, kind: ReleaseKind) -> None:
    once = next_version(version, kind)
    twice = next_version(once, kind)
    part = {ReleaseKind.MAJOR: 0, ReleaseKind.MINOR: 1, ReleaseKind.PATCH: 2}.get(kind)
    if part is None:
        assert (twice.post or 0) == (once.post or 0) + 1
        assert base_of(twice, Versions()) == base_of(once, Versions()) == base_of(version, Versions())
    else:
        assert twice.release[part] == once.release[part] + 1
        assert not any(once.release[part + 1 :])


@unhurried
@given(RELEASES)
def test_kinds_order_what_comes_after_a_release(version: Version) -> None:
    post, patch, minor, major = (next_version(version, k) for k in ("post", "patch", "minor", "major"))  # type: ignore[arg-type]
    assert version < post < patch < minor < major


@unhurried
@given(PATCHES, NUMBER, NAMES)
def test_a_post_release_lives_on_its_patchs_branch(version: Version, number: int, names: Versions) -> None:
    assert branch_of(Version(f"{version}.post{number}"), names) == branch_of(version, names)
    assert branch_of(version, names) != branch_of(next_version(version, ReleaseKind.PATCH), names)


@unhurried
@given(st.lists(RELEASES, max_size=5), st.lists(RELEASES, max_size=5), KINDS)
def test_the_next_train_is_later_than_all_releases_and_never_a_skipped_one(
    finals: list[Version], skipped: list[Version], kind: ReleaseKind
) -> None:
    if not finals and kind is ReleaseKind.POST:
        return
    newest = latest_final(finals)
    version = next_train_version(finals, skipped, kind, POLICY)
    assert version not in skipped
    assert version not in finals
    assert newest is None or (version > newest and kind_of(version) == kind)
    # the versions in between were all given up
    step = next_version(newest, kind) if newest else version
    while step < version:
        assert step in skipped
        step = next_version(step, kind)


@unhurried
@given(st.text(max_size=20), NAMES)
def test_no_text_breaks_the_reading_of_tags(text: str, names: Versions) -> None:
    final, candidate = read_final_tag(text, names), read_candidate_tag(text, names)
    assert final is None or candidate is None
    if final is not None:
        assert read_final_tag(final_tag(final, names), names) == final


PRESETS = [load_policy(None, source=name, preset=name).versions for name in preset_names()]
SCHEMES = st.sampled_from(
    [
        *PRESETS,
        Versions(scheme="minor-train", branch="release/{line}"),
        Versions.model_validate(
            {
                "scheme": "minor-train",
                "fix_branch": "own",
                "final_tag": "release-{version}",
                "candidate_tag": "release-{version}-c{n}",
                "earlier": [
                    {"below": "500.0"},
                    {"below": "20.1", "final_tag": "{version}", "candidate_tag": "{version}c{n}"},
                ],
            }
        ),
    ]
)
SOUND = RELEASES.filter(lambda v: str(v) != "0.11.0")  # vLLM's v0.11.0rc1 is a foreign tag to its presets


@unhurried
@given(SOUND, st.integers(0, 1000), SCHEMES)
def test_names_round_trip_in_every_scheme_and_on_both_sides_of_a_switch(
    version: Version, number: int, names: Versions
) -> None:
    final, candidate = final_tag(version, names), candidate_tag(CandidateName(version, number), names)
    assert read_final_tag(final, names) == version
    assert read_candidate_tag(final, names) is None
    assert read_candidate_tag(candidate, names) == CandidateName(version, number)
    assert read_final_tag(candidate, names) is None
    numbers = read_branch(branch_of(version, names), names)
    assert numbers is not None
    assert covers(branch_of(version, names), version, Names(names, loose=False))


@unhurried
@given(RELEASES, SCHEMES)
def test_a_fix_is_later_belongs_to_its_base_and_leaves_the_next_regular_release_later_still(
    version: Version, names: Versions
) -> None:
    fix = next_version(version, fix_kind(version, names))
    again = next_version(fix, fix_kind(fix, names))
    assert version < fix < again
    assert is_fix(fix, names)
    assert is_fix(again, names)
    assert base_of(fix, names) == base_of(again, names) == base_of(version, names)
    assert not is_fix(base_of(version, names), names)
    following = next_version(again, regular_kind(names))
    assert following > again
    assert naming(following, names).scheme != names.scheme or not is_fix(following, names)


@unhurried
@given(RELEASES, SCHEMES)
def test_a_branch_is_read_back_as_the_release_that_it_was_cut_for(version: Version, names: Versions) -> None:
    branch = branch_of(version, names)
    cut_for = branch_release(branch, names)
    assert cut_for is not None
    assert branch_of(cut_for, names) == branch
    assert cut_for in {base_of(version, names), Version(".".join(map(str, version.release[:3])))}
