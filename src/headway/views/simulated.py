"""The simulated error rates of the gate in a terminal, within 80 columns."""

from __future__ import annotations

from rich.table import Table

from headway.lang import tr
from headway.model.text import say
from headway.stats.simulation import Rates, Scenario


def table(s: Scenario, r: Rates, lang: str) -> Table:
    """One line for each rate: what it is, how often, and at most how often (one-sided 95 % bound)."""
    rows = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    rows.add_column(tr(say("of {count} simulated releases", count=s.releases), lang))
    for title in (say("share"), say("95 % bound")):
        rows.add_column(tr(title, lang), justify="right", no_wrap=True)
    rows.add_row(
        tr(say("something unchanged was called regressed"), lang), _share(r.false_block), _share(r.false_block_ub95)
    )
    if s.bad:
        rows.add_row(tr(say("a cell that is worse passed"), lang), _share(r.miss), _share(r.miss_ub95))
        rows.add_row(tr(say("cells that are worse and were caught"), lang), _share(r.regressed), "")
    rows.add_row(tr(say("every cell passed"), lang), _share(r.released), "")
    rows.add_row(tr(say("undecided after the last look"), lang), _share(r.open), "")
    rows.add_row(tr(say("broad drift was told"), lang), _share(r.drifted), "")
    rows.add_row(tr(say("blocks until a cell was decided"), lang), f"{r.blocks_per_cell:.2f}", "")
    rows.add_row(tr(say("blocks until all cells of a job were"), lang), f"{r.blocks_per_job:.2f}", "")
    return rows


def _share(x: float) -> str:
    return f"{100 * x:.2f} %"
