"""A change's title in notes."""

from __future__ import annotations

import re

from headway.model.markdown import escape

_OWN_PR = re.compile(r"\s*\(#(\d+)\)\s*$")


def change_line(title: str, pr: int | None) -> str:
    """A change's title; its own pull request stays a reference, for a forge to make a link of."""
    own = _OWN_PR.search(title)
    if pr is None or own is None or int(own[1]) != pr:
        return escape(title)
    return f"{escape(title[: own.start()])} (#{pr})"
