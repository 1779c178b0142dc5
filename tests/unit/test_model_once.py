"""An answer is kept for the very object that was asked about, and for no other."""

from __future__ import annotations

from headway.model.once import once


def test_the_same_object_is_asked_about_once_and_an_equal_one_again() -> None:
    asked: list[tuple[object, str]] = []

    @once
    def count(of: tuple[int, ...], named: str, *, others: tuple[int, ...] = ()) -> int:
        asked.append((of, named))
        return len(of) + len(others)

    some, equal = (1, 2), tuple(int(n) for n in "12")
    assert [count(some, "a"), count(some, "a"), count(some, "b"), count(equal, "a")] == [2, 2, 2, 2]
    assert asked == [(some, "a"), (some, "b"), (equal, "a")]
    assert [count(some, "a", others=some), count(some, "a", others=(7,)), count(some, "a")] == [4, 3, 2]
    assert len(asked) == 5


def test_only_the_last_few_are_kept() -> None:
    asked: list[int] = []

    @once
    def first(of: list[int]) -> int:
        asked.append(of[0])
        return of[0]

    every = [[n] for n in range(5)]
    for some in every:
        assert first(some) == some[0]
    assert [first(every[4]), first(every[1]), first(every[0])] == [4, 1, 0]
    assert asked == [0, 1, 2, 3, 4, 0]
