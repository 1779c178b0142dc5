"""N1: users install what the project calls the latest release; a patch of an older line never takes its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from worlds import POLICY, released

from headway.decide.latest import moves_latest, moves_latest_now
from headway.model.entry import Kind

OUT = [Version(v) for v in ("0.8.5", "0.9.0", "0.9.1")]


@pytest.mark.parametrize(
    ("version", "moves"),
    [
        ("0.9.2", True),
        ("0.10.0", True),
        ("0.9.1.post1", True),
        ("0.9.1", True),  # its own publication, repeated after a kill
        ("0.8.6", False),
        ("0.9.0.post1", False),
        ("0.9.2rc1", False),
        ("0.9.2.dev3", False),
        ("0.9.1.post1.dev1", False),
        ("0.9.2+cu121", False),
    ],
)
def test_N1_latest_never_moves_back(version: str, moves: bool) -> None:
    """A release is what users install from PyPI: a patch of an older line is not what they get unasked."""
    assert moves_latest(Version(version), OUT) is moves


def test_N1_the_first_release_is_the_latest() -> None:
    """A project's first release is the one that users install."""
    assert moves_latest(Version("0.1.0"), [])


def test_N1_what_was_yanked_does_not_count() -> None:
    """PEP 592: what was withdrawn is given to nobody unasked, so that it holds no place."""
    bad = Version("0.9.3")
    assert not moves_latest(Version("0.9.2"), [*OUT, bad])
    assert moves_latest(Version("0.9.2"), [*OUT, bad], {bad})
    assert not moves_latest(bad, [*OUT, bad], {bad})


def test_N1_candidates_on_the_index_hold_no_place() -> None:
    """Pre-releases are on the index before their release is."""
    assert moves_latest(Version("0.9.2"), [*OUT, Version("0.10.0rc1"), Version("0.9.3.dev1")])


def test_N1_latest_by_tags_and_ledger() -> None:
    """The same from the world: final tags say what is out, the ledger what was withdrawn."""
    world = released()
    world.tag("v0.7.3", world.trunk[-1].sha)
    world.tag("v0.8.0-rc1", world.trunk[-1].sha)
    assert not moves_latest_now(Version("0.7.2"), world.snapshot(), POLICY)
    assert moves_latest_now(Version("0.7.4"), world.snapshot(), POLICY)
    world.note(Kind.YANKED, "0.7.3", "ann", reason="broken", files=[])
    assert moves_latest_now(Version("0.7.2"), world.snapshot(), POLICY)


VERSIONS = st.builds(
    lambda x, y, z, post: Version(f"{x}.{y}.{z}" + (f".post{post}" if post else "")),
    *(st.integers(0, 3) for _ in range(4)),
)


@given(st.lists(VERSIONS, min_size=1, max_size=8, unique=True))
def test_N1_in_whatever_order_they_go_out_the_greatest_is_latest(order: list[Version]) -> None:
    """``latest`` only rises, and ends at the greatest."""
    latest, out = None, list[Version]()
    for version in order:
        if moves_latest(version, out):
            assert latest is None or version > latest
            latest = version
        out.append(version)
    assert latest == max(order)
