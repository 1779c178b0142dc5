"""What a decision was made on, and what of it is otherwise now (G1)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.decide import seen
from headway.decide.seen import Difference


def test_what_is_the_same_has_no_differences() -> None:
    shown = seen.of_parts(tag="v1-rc1", blocks=3)
    assert shown.changes(shown.digest, "") == ()


def test_each_part_that_changed_is_named_with_both_values() -> None:
    shown = seen.of_parts(tag="v1-rc1", blocks=3, hold=7)
    now = seen.of_parts(tag="v1-rc2", blocks=3, commit="c" * 40)
    assert now.changes(shown.digest, shown.told) == (
        Difference("tag", "v1-rc1", "v1-rc2"),
        Difference("hold", "7", None),
        Difference("commit", None, "c" * 40),
    )


def test_g1_the_digest_decides_and_not_the_parts_that_somebody_brings_back() -> None:
    shown = seen.of_parts(tag="v1-rc1")
    now = seen.of_evidence({"tag": "v1-rc1", "waivers": ["b" * 64]}, "d" * 64)
    assert now.changes("e" * 64, now.told) == (Difference("digest", "e" * 64, "d" * 64),)
    assert now.changes(shown.digest, shown.told) == (Difference("waivers", None, now.parts[1][1]),)


def test_lists_that_differ_read_differently() -> None:
    one, two = (seen.of_evidence({"waivers": [w * 64]}, w * 64) for w in "ab")
    (changed,) = two.changes(one.digest, one.told)
    assert changed.shown is not None
    assert changed.now is not None
    assert changed.shown.startswith("1 (")
    assert changed.shown != changed.now


@given(st.text(max_size=40), st.text(max_size=200) | st.binary(max_size=50).map(lambda b: b.decode("latin-1")))
def test_whatever_a_form_brings_back_is_never_taken_for_what_is_there(digest: str, told: str) -> None:
    now = seen.of_parts(tag="v1-rc1", commit="c" * 40)
    assert now.changes(digest, told)
