"""The simulated error rates of the gate in a terminal, within 80 columns."""

from __future__ import annotations

from rich.table import Table

from headway.lang import tr
from headway.model.text import say
from headway.stats.simulation import Rates, Scenario


def table(s: Scenario, r: Rates, lang: str) -> Table:
    """One line for each rate: what it is, how often, and between which shares it lies (two-sided 95 %)."""
    rows = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    rows.add_column(tr(say("of {count} simulated releases", count=s.releases), lang))
    for title in (say("share"), say("95 % interval")):
        rows.add_column(tr(title, lang), justify="right", no_wrap=True)
    between = {name: f"{100 * low:.2f} – {100 * high:.2f} %" for name, low, high in r.bounds}
    blocked = say("something unchanged was called regressed")
    rows.add_row(tr(blocked, lang), _share(r.false_block), between["false_block"])
    if s.bad:
        rows.add_row(tr(say("a cell that is worse passed"), lang), _share(r.miss), between["miss"])
        rows.add_row(tr(say("cells that are worse and were caught"), lang), _share(r.regressed), between["regressed"])
    rows.add_row(tr(say("every cell passed"), lang), _share(r.released), between["released"])
    rows.add_row(tr(say("undecided after the last look"), lang), _share(r.open), between["open"])
    rows.add_row(tr(say("broad drift was told"), lang), _share(r.drifted), between["drifted"])
    rows.add_row(tr(say("blocks until a cell was decided"), lang), f"{r.blocks_per_cell:.2f}", "")
    rows.add_row(tr(say("blocks until all cells of a job were"), lang), f"{r.blocks_per_job:.2f}", "")
    return rows


def _share(x: float) -> str:
    return f"{100 * x:.2f} %"
