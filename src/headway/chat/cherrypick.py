"""The form of PyTorch's bot: ``@NAME cherry-pick --onto BRANCH -c CATEGORY [--fixes ISSUE]``.

Source: RELEASE.md of pytorch/pytorch, "How to do Cherry Picking". It has no reason; the issue stands for it.
"""

from __future__ import annotations

import shlex
from argparse import ArgumentError, ArgumentParser, Namespace
from functools import cache
from typing import NoReturn

from headway.chat.commands import Pick, Wrong
from headway.chat.words import category_in, is_line, unquoted
from headway.model.text import say

WORD = "cherry-pick"
NO_REASON = "no reason was given; see the pull request"


class _Misread(Exception):
    """What the parser says of a line."""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Misread(message)


@cache
def _parser() -> _Parser:
    parser = _Parser(prog=WORD, add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--onto", "--into", required=True)
    parser.add_argument("-c", "--classification", required=True)
    parser.add_argument("--fixes", default="")
    return parser


def read_cherry_pick(text: str) -> Pick | Wrong:
    """The rest of the line after ``cherry-pick``."""
    try:
        given = _parser().parse_args(shlex.split(text), Namespace())
    except (_Misread, ArgumentError, ValueError) as e:  # ValueError: a quotation that does not end
        return Wrong(WORD, say("it cannot be read: {why}", why=str(e)))
    category = category_in(given.classification)
    if category is None:
        names = ["regression", "critical", "fixnewfeature", "docs", "release"]
        what = say("{word} is no category: a pick names exactly one of {names}", word=given.classification, names=names)
        return Wrong(WORD, what, "P1")
    if not is_line(given.onto):
        return Wrong(WORD, say("{word} is no release branch", word=given.onto), "B1")
    fixes = unquoted(given.fixes.strip())
    if fixes.isdecimal():
        fixes = f"#{fixes}"
    reason = f"fixes {fixes}" if fixes else NO_REASON
    return Pick(given.onto, "", category, reason, (fixes,) if fixes else ())
