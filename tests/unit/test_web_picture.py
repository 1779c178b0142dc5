"""What is kept of a moment: of a bounded number, and nothing is made that nobody can get any more."""

from __future__ import annotations

import threading

import pytest

from headway.web.picture import BeingRead, Shelf


def test_what_was_pushed_out_before_its_turn_is_not_made() -> None:
    shelf, begun, goes_on, made = Shelf(2), threading.Event(), threading.Event(), []

    def make(key: str) -> str:
        begun.set()
        goes_on.wait(30)
        made.append(key)
        return key

    for key in ("first", "second", "third", "fourth", "fifth"):
        with pytest.raises(BeingRead):
            shelf.soon(key, lambda key=key: make(key), 0.0)  # type: ignore[misc]
        assert begun.wait(30)
    goes_on.set()
    assert shelf.soon("fifth", lambda: make("again"), 30) == "fifth"
    assert made == ["first", "fourth", "fifth"]  # the first was begun before others came
    assert shelf.soon("second", lambda: make("second"), 30) == "second"
