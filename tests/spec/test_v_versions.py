"""V1–V5 and B1, B3, P7's titles: versions, tags, branches."""

from __future__ import annotations

import re

import pytest
from packaging.version import Version

from headway.decide.versioning import latest_final, next_train_version
from headway.errors import UnusableInput
from headway.policy.loader import load_policy, preset_names
from headway.policy.schema import Versions
from headway.policy.scheme import (
    CandidateName,
    ReleaseKind,
    branch_of,
    candidate_tag,
    final_tag,
    kind_of,
    next_version,
    parse_version,
    read_candidate_tag,
    read_final_tag,
)

POLICY = load_policy(None, source="vllm-2025")
NAMES = POLICY.versions


def versions(*texts: str) -> tuple[Version, ...]:
    return tuple(map(Version, texts))


@pytest.mark.parametrize(
    ("kind", "expected"), [("major", "1.0.0"), ("minor", "0.8.0"), ("patch", "0.7.3"), ("post", "0.7.2.post1")]
)
def test_V1_V2_V3_V4_each_kind_counts_its_own_part(kind: str, expected: str) -> None:
    assert str(next_version(Version("0.7.2"), ReleaseKind(kind))) == expected
    assert kind_of(Version(expected)) == kind


def test_V3_the_patch_after_a_post_release_is_the_next_patch() -> None:
    assert next_version(Version("0.7.2.post1"), ReleaseKind.PATCH) == Version("0.7.3")


def test_V4_explicit_and_implicit_post_spellings_are_one_version() -> None:
    assert read_final_tag("v0.7.2.post1", NAMES) == read_final_tag("v0.7.2-1", NAMES) == Version("0.7.2.post1")
    assert final_tag(Version("0.7.2-1"), NAMES) == "v0.7.2.post1"


def test_V4_a_second_post_release_follows_the_first() -> None:
    assert next_version(Version("0.7.2-1"), ReleaseKind.POST) == Version("0.7.2.post2")


def test_V4_a_post_release_of_nothing_is_refused_with_its_clause() -> None:
    with pytest.raises(UnusableInput) as caught:
        next_train_version((), (), ReleaseKind.POST, POLICY)
    assert caught.value.clause == "V4"


@pytest.mark.parametrize(
    ("tag", "version", "number"),
    [
        ("v0.9.2-rc1", "0.9.2", 1),
        ("v0.9.2rc1", "0.9.2", 1),
        ("v0.9.2.rc0", "0.9.2", 0),
        ("v0.10.1.1rc12", "0.10.1.1", 12),
        ("v0.7.2.post1-rc2", "0.7.2.post1", 2),
        ("v0.7.2-1-rc2", "0.7.2.post1", 2),
    ],
)
def test_V5_candidates_are_read_in_the_spellings_met_in_practice(tag: str, version: str, number: int) -> None:
    assert read_candidate_tag(tag, NAMES) == CandidateName(Version(version), number)
    assert read_final_tag(tag, NAMES) is None


@pytest.mark.parametrize("tag", ["v0.7.1", "v0.7.1.post1", "v0.10.1.1"])
def test_V5_final_tags_are_no_candidates(tag: str) -> None:
    assert read_final_tag(tag, NAMES) == Version(tag[1:])
    assert read_candidate_tag(tag, NAMES) is None


@pytest.mark.parametrize(
    "tag",
    [
        "proto-v0.3.0",
        "gateway-v0.1.0",
        "ciflow/trunk/123",
        "viable/strict/1",
        "0.7.1",
        "v",
        "vv0.7.1",
        "v0.7.1.dev3",
        "v0.7.1+cu118",
        "v1!0.7.1",
        "v0.7.1a1",
        "version-2",
        "v0.7.1-rc",
        "vrc1",
    ],
)
def test_V5_foreign_tags_name_no_release(tag: str) -> None:
    assert read_final_tag(tag, NAMES) is None
    assert read_candidate_tag(tag, NAMES) is None


def test_V5_a_policy_can_ignore_tags_that_look_like_its_own() -> None:
    names = Versions(ignore_tags=("v0.11.0rc*",))
    assert read_candidate_tag("v0.11.0rc1", names) is None
    assert read_candidate_tag("v0.11.1rc1", names) is not None


def test_V5_names_are_policy_and_a_candidate_need_not_look_like_the_final_tag() -> None:
    names = Versions(branch="release/{version}", final_tag="{version}", candidate_tag="rc/{n}/of/{version}")
    name = CandidateName(Version("1.4.0"), 3)
    assert candidate_tag(name, names) == "rc/3/of/1.4.0"
    assert read_candidate_tag("rc/3/of/1.4.0", names) == name
    assert read_candidate_tag("1.4.0rc3", names) == name
    assert read_final_tag("1.4.0", names) == Version("1.4.0")
    assert branch_of(Version("1.4.0"), names) == "release/1.4.0"


@pytest.mark.parametrize("text", ["0.7.1rc1", "0.7.1.dev0", "1!2.0", "0.7.1+local", "seven", "", f"1.{'9' * 5000}"])
def test_V5_only_final_and_post_versions_are_release_versions(text: str) -> None:
    assert parse_version(text) is None


def test_B1_B3_a_post_release_has_the_branch_of_its_patch() -> None:
    assert branch_of(Version("0.7.2"), NAMES) == "releases/v0.7.2"
    assert branch_of(Version("0.7.2.post1"), NAMES) == "releases/v0.7.2"


def test_V3_the_next_train_follows_the_newest_release_whatever_the_order_of_tags() -> None:
    finals = versions("0.7.10", "0.7.2", "0.7.9", "0.7.9.post1")
    assert latest_final(finals) == Version("0.7.10")
    assert next_train_version(finals, (), ReleaseKind.PATCH, POLICY) == Version("0.7.11")


def test_V3_skipped_versions_are_not_used_again() -> None:
    finals, skipped = versions("0.7.2"), versions("0.7.3", "0.7.4", "0.8.0", "0.7.2.post1")
    expected = {"patch": "0.7.5", "minor": "0.9.0", "major": "1.0.0", "post": "0.7.2.post2"}
    for kind, version in expected.items():
        assert next_train_version(finals, skipped, ReleaseKind(kind), POLICY) == Version(version)


def test_C1_a_project_without_a_release_starts_at_the_anchor() -> None:
    assert latest_final(()) is None
    assert next_train_version((), (), ReleaseKind.PATCH, POLICY) == Version("0.7.0")
    assert next_train_version((), versions("0.7.0"), ReleaseKind.PATCH, POLICY) == Version("0.7.1")
    assert next_train_version((), (), ReleaseKind.MINOR, POLICY) == Version("0.8.0")


FEATURES = """\
[Feature] Prefix caching (#1)
[V1][Feature] Prefix caching
[Releases/v0.18.0] [Feature] Prefix caching
feat: prefix caching
feat(core)!: prefix caching
Add support for FP8 (#2)
Add initial ROCm support
[Core] Support async scheduling
[Docker] Support arm64
[Core] Introduce a new scheduler
[Kernel] Implement fused MoE""".splitlines()
MODELS = ["[Model] Add Qwen3-Next", "[Model][LoRA] Support Mamba2", "[New Model] Kimi (#3)"]
NO_FEATURES = """\
[Bugfix] Add support for a missing key
[Bugfix][Model] Support heads of any size
[Model][Bugfix] Support None
[Feature][Bugfix] Fix prefix caching
[Model] Fix loading of Llama4
[Model] Add missing weight
[Doc] Add support matrix
[Docs] Introduce the guide
[CI/Build] Add support for Python 3.13
[Misc] Add tests for speculative support
[Release] Support v0.7.1
fix: add support for None
docs: support matrix
[Perf] Faster top-k
Supported hardware, in a table
Revert "[Feature] Prefix caching" (#4)""".splitlines()


@pytest.mark.parametrize("preset", preset_names())
def test_P7_titles_of_features_are_found_and_those_of_fixes_are_not(preset: str) -> None:
    patterns = [re.compile(p) for p in load_policy(None, source="-", preset=preset).picks.feature_titles]
    missed = [t for t in FEATURES if not any(p.search(t) for p in patterns)]
    wrong = [t for t in NO_FEATURES if any(p.search(t) for p in patterns)]
    assert (missed, wrong) == ([], [])


def test_P7_a_new_model_is_a_feature() -> None:
    patterns = [re.compile(p) for p in POLICY.picks.feature_titles]
    assert [t for t in MODELS if not any(p.search(t) for p in patterns)] == []
