"""A token is a byte."""

from collections.abc import Iterable

VOCABULARY = 256


def encode(text: str) -> list[int]:
    return list(text.encode("utf-8"))


def decode(tokens: Iterable[int]) -> str:
    return bytes(tokens).decode("utf-8", "replace")
