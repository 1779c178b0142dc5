"""Years that the board's calendar is asked for: whoever asks for a far one would have every date up to it made."""

from __future__ import annotations

from datetime import datetime

from headway.errors import UnusableInput
from headway.model.text import say

YEARS = (1970, 2199)


def year_of(text: str, now: datetime) -> int:
    """A year as it stands in an address; ``""`` is the one it is. Raises ``UnusableInput`` (``calendar.year``)."""
    if not text:
        return now.year
    if text.isascii() and text.isdigit() and len(text) <= 4 and YEARS[0] <= int(text) <= YEARS[1]:
        return int(text)
    raise UnusableInput(
        "calendar.year",
        say("{year} is not a year of the calendar", year=text),
        clause="C3",
        remedy=say("give a year from {first} to {last}", first=YEARS[0], last=YEARS[1]),
    )
