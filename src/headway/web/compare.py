"""The comparison page's data in one value, for the page, its files and the API (E6, E7)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from headway.comparing import Judged
from headway.decide.cellwaivers import CellWaiver
from headway.model.reason import Reason
from headway.perf.choices import Choices, Extent
from headway.perf.links import PAGE, DashboardLink, Ref, address_of
from headway.perf.reading import Revision
from headway.views.comparison import Average, Page, Row, as_json, reproduce, row_json
from headway.views.comparisonmatrix import Matrix
from headway.views.comparisontrend import Trend
from headway.views.findings import Finding
from headway.views.frozen import frozen, key
from headway.web.compareasked import ON_A_PAGE, Asked


@dataclass(frozen=True, slots=True)
class SideView:
    """One side: what the link names, and what was found of it; ``outside``: launches that the window leaves out, or
    whose time is not known."""

    ref: Ref
    found: Revision | None
    tags: tuple[str, ...]
    outside: int

    @property
    def commit(self) -> str:
        return self.found.commit if self.found else self.ref[1]

    @property
    def branch(self) -> str:
        return self.found.branch if self.found else self.ref[0]


@dataclass(frozen=True, slots=True)
class RowView:
    """A row with its finding, why (a key of ``WHYS``), its key in addresses, and the waiver in force for it."""

    row: Row
    finding: Finding
    why: str
    key: str
    waiver: CellWaiver | None

    @property
    def by_blocks(self) -> bool:
        """Whether the ratio is the gate's, of blocks; else it is of launches apart."""
        return self.row.verdict is not None and self.row.verdict.blocks > 0

    @property
    def ratio(self) -> float | None:
        return self.row.verdict.ratio if self.row.verdict and self.by_blocks else self.row.ratio

    @property
    def ci(self) -> tuple[float, float] | None:
        return self.row.verdict.ci if self.row.verdict and self.by_blocks else self.row.ci

    def as_json(self) -> dict[str, Any]:
        return {
            **row_json(self.row),
            "finding": self.finding.value,
            "why": self.why,
            "key": self.key,
            "shown": {
                "ratio": self.ratio,
                "ci": list(self.ci) if self.ci else None,
                "of": "blocks" if self.by_blocks else "launches",
            },
            "waiver": self.waiver.as_json() if self.waiver else None,
        }


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """Everything that an address asks for.

    ``rows`` are those of the page that was asked for, of ``total`` that the choice of metric and finding leaves;
    ``counts`` are of all findings of the metric, ``everything`` the number of all rows. ``judged`` is ``None`` where a
    side is not known, ``gated`` the number of cells that the policy names. ``digest`` is that of the data, and
    ``renewed`` that the address has another one: more was measured since. ``compared``: pairs (base, candidate) that
    were measured in blocks, newest first.
    """

    asked: Asked
    page: Page
    left: SideView
    right: SideView
    judged: Judged | None
    gated: int
    rows: tuple[RowView, ...]
    total: int
    everything: int
    counts: Mapping[Finding, int]
    matrix: Matrix
    trend: Trend | None
    uncovered: tuple[tuple[str, str], ...]
    waivers: tuple[CellWaiver, ...]
    lapsed: tuple[Reason, ...]
    choices: Choices
    extent: Extent
    revisions: tuple[Revision, ...]
    measured: int
    compared: tuple[tuple[str, str], ...]
    tags: Mapping[str, tuple[str, ...]]
    dashboard: str
    digest: str

    @property
    def per(self) -> int:
        return self.asked.per or ON_A_PAGE

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per))

    @property
    def branches(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r.branch for r in self.revisions if r.branch))

    @property
    def past(self) -> datetime:
        """A time that nothing was measured at or after."""
        return (self.extent.last or self.asked.link.stop) + timedelta(seconds=1)

    @property
    def averages(self) -> tuple[Average, ...]:
        """Of the metric that is asked for, else of all."""
        return tuple(a for a in self.page.averages if self.asked.metric in {"", a.metric})

    @property
    def trend_is_asked(self) -> bool:
        return self.trend is not None and key(self.trend.row) == self.asked.trend

    def between(self, base: str, new: str) -> DashboardLink:
        """The link that compares two other commits, without filters."""
        return replace(self.asked.link, left=("", base), right=("", new), filters=())

    @property
    def renewed(self) -> bool:
        return bool(self.asked.data) and self.asked.data != self.digest

    @property
    def frozen(self) -> dict[str, str]:
        """The parameters of the address that stays what it is."""
        return self.asked.query(frozen(self.page), data=self.digest)

    @property
    def commands(self) -> tuple[str, ...]:
        """What measures the two commits again, asks the gate, and makes this table."""
        if not (self.left.commit and self.right.commit):
            return (reproduce(self.page),)
        sides = f"{shlex.quote(self.left.commit)} {shlex.quote(self.right.commit)}"
        return (f"headway perf run {sides}", f"headway perf compare {sides}", reproduce(self.page))

    def as_json(self) -> dict[str, Any]:
        verdict = self.judged.verdict if self.judged else None
        return {
            **as_json(replace(self.page, averages=self.averages), ()),
            "rows": [r.as_json() for r in self.rows],
            "page": {"number": self.asked.page, "of": self.pages, "rows": self.total, "everything": self.everything},
            "counts": {f.value: self.counts.get(f, 0) for f in Finding},
            "verdict": {**verdict.as_json(), "cells": len(verdict.cells)} if verdict else None,
            "blocks": self.judged.blocks if self.judged else 0,
            "counted": bool(self.judged and self.judged.counted),
            "outside": {"left": self.left.outside, "right": self.right.outside},
            "tags": {"left": list(self.left.tags), "right": list(self.right.tags)},
            "matrix": self.matrix.as_json(),
            "uncovered": [list(pair) for pair in self.uncovered],
            "left_out": self.page.left_out,
            "waivers": [w.as_json() for w in self.waivers],
            "lapsed": [r.as_json() for r in self.lapsed],
            "trend": self.trend.as_json() if self.trend else None,
            "environment": environment_json(self.page),
            "commands": list(self.commands),
            "digest": self.digest,
            "renewed": self.renewed,
            "permalink": address_of(PAGE, frozen(self.page)) + f"&data={self.digest}",
            "dashboard": self.dashboard or None,
        }


def environment(page: Page) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """(name, left, right): every fact that launches of a side told, those that differ first."""
    left, right = (t.facts for t in page.told)
    found = ((n, left.get(n, ()), right.get(n, ())) for n in sorted({*left, *right}))
    return tuple(sorted(found, key=lambda f: f[1] == f[2]))


def environment_json(page: Page) -> list[dict[str, Any]]:
    return [
        {"name": name, "left": list(left), "right": list(right), "differs": left != right}
        for name, left, right in environment(page)
    ]
