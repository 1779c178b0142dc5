"""Whose turn it is, by what a train waits for."""

from __future__ import annotations

TIME_WILL_DO = frozenset(
    {
        "cut.too-early",
        "promotion.too-early",
        "promotion.blackout",
        "candidate.not-quiet",
        "reverts.soaking",
        "picks.soaking",
        "picks.embargoed",
    }
)
"""Codes of waits that end by themselves."""
