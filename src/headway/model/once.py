"""What follows from something large, worked out once for as long as it is asked of the very same object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

S = TypeVar("S")
P = ParamSpec("P")
T = TypeVar("T")
_KEPT = 4


def once(function: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """A pure function whose answers are kept for the last few first arguments that it was given.

    Arguments are told apart by what they are, not by what they equal (texts apart): to compare two ledgers takes as
    long as to read them. Nothing may change an argument or an answer.
    """
    kept: list[tuple[S, dict[tuple[object, ...], tuple[object, T]]]] = []

    def asked(first: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        answers = next((known for some, known in kept if some is first), None)
        if answers is None:
            answers = {}
            kept[:] = [(first, answers), *kept[: _KEPT - 1]]
        every = (*args, *kwargs.values())
        key = (*(a if isinstance(a, str) else id(a) for a in every), *kwargs)
        found = answers.get(key)
        if found is None:
            found = answers[key] = (every, function(first, *args, **kwargs))  # with it, so that ids stay whose they are
        return found[1]

    return asked
