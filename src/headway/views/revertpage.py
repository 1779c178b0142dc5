"""The revert of a commit that conflicts, as a reviewer reads it. Pure. Each line is a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headway.decide.requests import Lacking
from headway.model.commit import Sha
from headway.model.entry import Entry
from headway.model.reason import Reason
from headway.model.text import Text, say
from headway.views.pickpage import resolution_lines
from headway.views.words import short


@dataclass(frozen=True, slots=True)
class RevertPage:
    """``conflict`` is its newest workspace, ``made`` how it was resolved last, ``difference`` how that differs from a
    plain revert (``None``: that cannot be told here), ``applied`` the commit of the branch that holds it."""

    conflict: Entry
    made: Entry | None
    waits: tuple[Reason, ...]
    needs: Lacking
    difference: str | None
    applied: Sha | None

    def as_json(self) -> dict[str, Any]:
        p = self.conflict.payload
        names = ("branch", "origin", "undoes", "subject", "workspace", "paths")
        resolution = (
            {
                "entry": self.made.seq,
                "by": self.made.actor,
                "at": self.made.at.isoformat(),
                **{k: self.made.payload[k] for k in ("commit", "tip", "tree", "paths")},
                "difference": self.difference,
            }
            if self.made
            else None
        )
        return {
            **{k: p[k] for k in names},
            "resolution": resolution,
            "approved_by": list(self.needs.given),
            "lacking": {"approvals": max(0, self.needs.approvals), "not_by": list(self.needs.but)},
            "applied": self.applied,
            "waits": [w.as_json() for w in self.waits],
        }

    def lines(self) -> Iterator[tuple[Text, str]]:
        """What a person reads, each with its style; what it waits for comes after, as of any command."""
        p = self.conflict.payload
        yield (
            say(
                "revert of {commit} on {branch}: {subject}",
                commit=short(p["undoes"]),
                branch=p["branch"],
                subject=p["subject"],
            ),
            "bold",
        )
        if p["origin"] != p["undoes"]:
            yield say("  since the trunk undid it: {revert}", revert=short(p["origin"])), ""
        yield say("  it conflicts in {paths}; workspace: {workspace}", paths=p["paths"], workspace=p["workspace"]), ""
        if self.applied is not None:
            yield say("  applied: {commit} on the branch", commit=short(self.applied)), ""
        for name in self.needs.given:
            yield say("  approved by {person}", person=name), ""
        if self.made is not None:
            yield from resolution_lines(self.made, self.difference)
