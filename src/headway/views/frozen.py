"""A comparison that stays what it is: both commits and the window named in full, and the digest of what was there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from headway.perf.links import DashboardLink
from headway.perf.reading import Stat
from headway.views.comparison import Page, Row


def frozen(page: Page) -> DashboardLink:
    """The link with each side's full commit, where it was found."""
    sides = []
    for found, ref in ((page.left, page.link.left), (page.right, page.link.right)):
        sides.append((found.branch, found.commit) if found else ref)
    return replace(page.link, left=sides[0], right=sides[1])


def digest(rows: Iterable[Row]) -> str:
    """Sixteen digits of SHA-256 over launches, repeats and means (to six digits: sums may be added up in another order)
    and the blocks that were judged. Verdicts are not in it: they follow from these and from the policy."""
    lines = sorted(repr(_told(r)) for r in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def key(row: Row) -> str:
    """Sixteen digits that name a row in an address, in every store alike."""
    return hashlib.sha256(repr(_named(row)).encode()).hexdigest()[:16]


def _named(row: Row) -> tuple[str, ...]:
    m = row.found.cell
    c = m.cell
    return (
        c.model,
        c.hardware,
        c.test,
        m.benchmark,
        m.backend,
        m.mode,
        m.dtype,
        m.device,
        m.arch,
        row.found.metric,
    )


def _told(row: Row) -> tuple[Any, ...]:
    found = row.found
    return _named(row), _stat(found.base), _stat(found.new), row.verdict.blocks if row.verdict else 0


def _stat(s: Stat | None) -> tuple[Any, ...] | None:
    return None if s is None else (s.launches, s.repeats, f"{s.mean:.6g}")
