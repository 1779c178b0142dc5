"""The artifact matrix: for which Pythons and platforms a release's files are, and what it lost (PEP 425, 600)."""

from __future__ import annotations

import pytest

from headway.host import host_tags
from headway.model.matrix import best_wheel, covers, rows_of, vanished

PURE = "toy-1.0-py3-none-any.whl"
OLD = ("toy-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", "toy-1.0-cp312-cp312-win_amd64.whl", "toy-1.0.tar.gz")


def test_rows_are_the_tags_of_wheels_and_the_sdist() -> None:
    rows = rows_of(["toy-1.0-py2.py3-none-any.whl", "toy-1.0.tar.gz", "notes.txt"])
    assert rows == {"py2-none-any", "py3-none-any", "sdist"}


@pytest.mark.parametrize(
    ("mine", "other", "is_so"),
    [
        ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", True),
        ("manylinux2014_x86_64", "manylinux_2_17_x86_64", True),
        ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", False),
        ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", False),
        ("musllinux_1_1_x86_64", "manylinux_2_17_x86_64", False),
        ("macosx_10_9_arm64", "macosx_11_0_arm64", True),
        ("linux_x86_64", "linux_x86_64", True),
        ("linux_x86_64", "manylinux_2_17_x86_64", False),
    ],
)
def test_an_older_platform_covers_a_newer_one(mine: str, other: str, is_so: bool) -> None:
    """PEP 600: what asks for an older C library runs where a newer one is."""
    assert covers(mine, other) is is_so


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        (OLD, ()),
        (OLD[:2], ("sdist",)),
        (OLD[1:], ("cp311-cp311-manylinux_2_28_x86_64",)),
        (("toy-1.1-cp311-cp311-manylinux2014_x86_64.whl", *OLD[1:]), ()),
        (("toy-1.1-cp311-cp311-manylinux_2_34_x86_64.whl", *OLD[1:]), ("cp311-cp311-manylinux_2_28_x86_64",)),
        ((PURE, "toy-1.1.tar.gz"), ("cp311-cp311-manylinux_2_28_x86_64", "cp312-cp312-win_amd64")),
    ],
)
def test_what_vanished_is_named_by_its_row(now: tuple[str, ...], gone: tuple[str, ...]) -> None:
    assert vanished(OLD, now) == gone


def test_the_most_specific_wheel_that_fits_is_taken() -> None:
    host = ("cp311-cp311-manylinux_2_36_x86_64", "cp311-cp311-linux_x86_64", "py3-none-any")
    fitting = "toy-1.0-cp311-cp311-linux_x86_64.whl"
    assert best_wheel([PURE, fitting, "toy-1.0-cp311-cp311-win_amd64.whl"], host) == fitting
    assert best_wheel(["toy-1.0-cp311-cp311-win_amd64.whl", "toy-1.0.tar.gz"], host) is None
    assert best_wheel([PURE], host_tags()) == PURE
