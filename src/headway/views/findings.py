"""What is to be said of each row of a comparison in a word, from the gravest to the best (E1, E7).

Only the gate gives verdicts. What was measured, but not in blocks side by side, has none, whatever its numbers look
like, and that is said as plainly as a red cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from headway.model.text import Text, say
from headway.model.verdict import Verdict
from headway.views.comparison import SINGLE, WORSE, Row


class Finding(StrEnum):
    """In the order of gravity. ``UNCOVERED``: a model and hardware that the policy asks for and no cell has (E2);
    ``LOOKS_WORSE`` and those after it, but for ``PASS``, are launches without a verdict."""

    REGRESSED = "regressed"
    INVALID = "invalid"
    MISSING = "missing"
    UNCOVERED = "uncovered"
    UNPOWERED = "unpowered"
    OPEN = "open"
    LOOKS_WORSE = "looks-worse"
    SINGLE = "single"
    APART = "apart"
    PASS = "pass"  # noqa: S105 - a verdict, not a password


FINDINGS: Mapping[Finding, Text] = {
    Finding.REGRESSED: say("regressed"),
    Finding.INVALID: say("invalid"),
    Finding.MISSING: say("missing"),
    Finding.UNCOVERED: say("not covered"),
    Finding.UNPOWERED: say("unpowered"),
    Finding.OPEN: say("open"),
    Finding.LOOKS_WORSE: say("no verdict: looks worse"),
    Finding.SINGLE: say("no verdict: single launch"),
    Finding.APART: say("no verdict: not in blocks"),
    Finding.PASS: say("pass"),
}

# How a finding is coloured, as tags are; the word stands beside it.
COLOURS: Mapping[Finding, str] = {
    Finding.REGRESSED: "bad",
    Finding.INVALID: "bad",
    Finding.MISSING: "gap",
    Finding.UNCOVERED: "gap",
    Finding.UNPOWERED: "open",
    Finding.OPEN: "open",
    Finding.LOOKS_WORSE: "open",
    Finding.SINGLE: "none",
    Finding.APART: "none",
    Finding.PASS: "good",
}

# Why, where a finding alone does not say it.
WHYS: Mapping[str, Text] = {
    "regression": say("the code is slower"),
    "method": say("client or arguments changed between the blocks"),
    "hardware": say("the baseline moved too: the hardware?"),
    "noise": say("may be chance"),
    "unpowered": say("too noisy to see an effect of the margin's size"),
    "broad drift": say("all cells of the metric drifted together"),
    "invalid": say("no block in which both sides are valid"),
    "no blocks": say("the policy asks for it: no block was run"),
    "apart": say("measured on both sides, but not in blocks side by side"),
    "left": say("the left side did not measure it"),
    "right": say("the right side did not measure it"),
    "both": say("neither side measured it in the window"),
    "single": say("one launch on a side: its noise is not known"),
    "launches": say("launches of different times and hosts are no pairs: the interval is to look at"),
}

_OF_VERDICT = {
    Verdict.REGRESSED: Finding.REGRESSED,
    Verdict.INVALID: Finding.INVALID,
    Verdict.MISSING: Finding.MISSING,
    Verdict.OPEN: Finding.OPEN,
    Verdict.PASS: Finding.PASS,
}
_RANK = {finding: i for i, finding in enumerate(Finding)}


def finding_of(row: Row) -> Finding:
    """The gate's verdict where the policy asks for the cell; else what the launches are."""
    if row.verdict is not None:
        unpowered = row.verdict.verdict is Verdict.OPEN and row.verdict.cause == "unpowered"
        return Finding.UNPOWERED if unpowered else _OF_VERDICT[row.verdict.verdict]
    if row.missing:
        return Finding.MISSING
    return {SINGLE: Finding.SINGLE, WORSE: Finding.LOOKS_WORSE}.get(row.state, Finding.APART)


def why(row: Row) -> str:
    """The cause, a key of ``WHYS``; ``""`` where there is nothing more to say."""
    if row.verdict is None:
        if row.missing:
            return row.missing[0]
        return "single" if row.state == SINGLE else "launches"
    if row.verdict.verdict is Verdict.MISSING:
        return "no blocks" if row.missing else "apart"
    return "invalid" if row.verdict.verdict is Verdict.INVALID else row.verdict.cause


@dataclass(frozen=True, slots=True)
class Found:
    """A row and its finding."""

    row: Row
    finding: Finding


def ranked(rows: Iterable[Row]) -> tuple[Found, ...]:
    """The gravest first, and of those what is worst."""
    return tuple(sorted((Found(r, finding_of(r)) for r in rows), key=_rank))


def _rank(f: Found) -> tuple[int, float]:
    worse = f.row.worse_by
    if worse is None and f.row.verdict is not None and f.row.verdict.ratio is not None:
        worse = abs(f.row.verdict.ratio - 1)
    return _RANK[f.finding], -(worse or 0.0)


def gravest(findings: Iterable[Finding]) -> Finding:
    """The first in the order of gravity; there must be one."""
    return min(findings, key=_RANK.__getitem__)
