"""A command's line in words: options taken out, what is a line, a change, a day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headway.model.commit import number_in
from headway.model.pick import Category
from headway.model.text import Text, say
from headway.policy.problems import nearest

_WORD = re.compile(r'"[^"]*"|\S+')
_LINE = re.compile(r"v\d[\w.+-]*|\d+(?:\.\d+)+[\w.+-]*|\w[\w.-]*(?:/[\w.+-]+)+", re.ASCII)
_SHA = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_DASHES = re.compile(r"[\N{EM DASH}\N{EN DASH}](?=[a-z])")  # what telephones make of --
_FIRST = re.compile(r"([^\s，：；、。]*)[\s，：；、。]*(.*)", re.DOTALL)  # full-width marks have no space behind them
_COLON = re.compile("[:：]")
_ENDS = ":,;."

# PyTorch's bot has names of its own for the five.
CATEGORIES: Mapping[str, Category] = {
    **{c.value: c for c in Category},
    "fixnewfeature": Category.NEW_FEATURE_FIX,
    "release": Category.RELEASE_BRANCH,
}


@dataclass(slots=True)
class Words:
    """``rest`` are the words that belong to no option, quotation marks kept; ``options`` each option's values in
    order; ``wrong`` says what is the matter with an option."""

    rest: list[str] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)
    wrong: Text | None = None

    def one(self, name: str) -> str:
        """The last value of an option, ``""`` for none."""
        return self.options.get(name, [""])[-1]


def split(text: str, known: Sequence[str], keys: Sequence[str] = ()) -> Words:
    """The words of a line. Options are ``--NAME VALUE``, ``--NAME=VALUE`` and, for ``keys``, ``NAME: VALUE``; other
    words that begin with ``--`` are words."""
    found = Words()
    words = iter(_WORD.findall(text))
    for word in words:
        name, value = _option(word, known, keys)
        if name is None:
            found.rest.append(word)
            like = nearest(word.removeprefix("--").partition("=")[0], known) if word.startswith("--") else None
            if like is not None and found.wrong is None:
                found.wrong = say("{word} is no option: is it {like}?", word=word, like=f"--{like}")
            continue
        given = value or next(words, "")
        if (not given or (not value and _option(given, known, keys)[0] is not None)) and found.wrong is None:
            found.wrong = say("{word} lacks its value", word=word)
        found.options.setdefault(name, []).append(unquoted(given))
    return found


def _option(word: str, known: Sequence[str], keys: Sequence[str]) -> tuple[str | None, str]:
    plain = _DASHES.sub("--", word, count=1) if word[0] in "\N{EM DASH}\N{EN DASH}" else word
    if plain.startswith("--"):
        name, _, value = plain[2:].partition("=")
        if name in known:
            return name, value
    name, *values = _COLON.split(word, maxsplit=1)
    if values and name.casefold() in keys and not values[0].startswith(("//", ":")):
        return name.casefold(), values[0]
    return None, ""


def first_of(text: str) -> tuple[str, str]:
    """The first word, without the mark that ends it, and what follows, as it was written."""
    found = _FIRST.fullmatch(text.strip())
    return (found[1].rstrip(_ENDS), found[2]) if found is not None else ("", "")


def unquoted(word: str) -> str:
    """A value without its quotation marks, or the marks that make an address a link."""
    for begin, end in (('"', '"'), ("'", "'"), ("<", ">")):
        if len(word) > 1 and word.startswith(begin) and word.endswith(end):
            return word[1:-1].strip()
    return word


def is_line(word: str) -> bool:
    """Whether it can be a version or a release branch."""
    return _LINE.fullmatch(word) is not None


def line_in(word: str) -> str:
    """A word that can be a version or a release branch, without the mark that ends it; ``""`` for another."""
    plain, glued = first_of(word)
    return plain if is_line(plain) and not glued else ""


def is_change(word: str) -> bool:
    """Whether it names a pull request, a commit or a range of them, and can be nothing else."""
    low, dots, high = word.partition("..")
    if dots:
        return is_change(low) and is_change(high)
    named = number_in(unquoted(word))
    return (named is not None and named[1]) or is_commit(word)


def is_commit(word: str) -> bool:
    """Whether it is the digits of a commit."""
    return _SHA.fullmatch(word) is not None


def category_in(word: str) -> Category | None:
    return CATEGORIES.get(word.casefold().rstrip(":,;."))


def after(lines: Sequence[str], keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The lines ``KEY: VALUE`` that follow a command without any other between."""
    for line in lines:
        name, *values = _COLON.split(line, maxsplit=1)
        value = "".join(values).strip()
        if name.strip().casefold() not in keys or not value or line != line.lstrip():
            return
        yield name.strip().casefold(), unquoted(value)
