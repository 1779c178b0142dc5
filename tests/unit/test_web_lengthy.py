"""What takes longer than a page may is done once, and tried again after it failed."""

from __future__ import annotations

import threading

import pytest

from headway.web.lengthy import Lengthy


def test_who_asks_twice_while_it_is_done_starts_it_once() -> None:
    gate, calls = threading.Event(), []
    lengthy = Lengthy[int](patience_s=0.0)

    def work() -> int:
        calls.append(1)
        gate.wait(10)
        return 7

    assert lengthy.ask("a", work) is None
    assert lengthy.ask("a", work) is None
    assert lengthy.known("a") is None
    gate.set()
    assert Lengthy.ask(lengthy, "a", work) in {None, 7}
    while (found := lengthy.ask("a", work)) is None:
        pass
    assert (found, lengthy.known("a"), len(calls)) == (7, 7, 1)


def test_a_failure_is_told_and_tried_again() -> None:
    lengthy = Lengthy[int](patience_s=None)
    with pytest.raises(ZeroDivisionError):
        lengthy.ask("a", lambda: 1 // 0)
    assert lengthy.known("a") is None
    assert lengthy.ask("a", lambda: 3) == 3


def test_the_answers_asked_for_longest_ago_are_let_go() -> None:
    lengthy = Lengthy[int](2, patience_s=None)
    for n in range(3):
        lengthy.ask(n, lambda n=n: n)
    assert [lengthy.known(n) for n in range(3)] == [None, 1, 2]
