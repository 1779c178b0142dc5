"""Figures in a terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as RichText

from headway.lang import tr
from headway.model.text import Text, say
from headway.views.figures import Figures, Spread, span_text
from headway.views.words import category_text


def figures_table(found: Sequence[Figures], lang: str) -> Group:
    """One block for each train, or for all of them."""
    return Group(*(_block(f, lang) for f in found))


def _block(f: Figures, lang: str) -> Group:
    name = say("all trains") if f.train is None else say("{version}", version=f.train or None)
    head = RichText.assemble((tr(name, lang), "bold"), "  ", tr(say("{count} requests", count=f.requests), lang))
    rows = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    rows.add_column(tr(say("time from"), lang))
    for title in (say("median"), say("p90"), say("of")):
        rows.add_column(tr(title, lang), justify="right", no_wrap=True)
    for _, title, spans in f.spans:
        s = Spread.of(spans)
        rows.add_row(tr(title, lang), tr(span_text(s.median), lang), tr(span_text(s.p90), lang), str(s.count))
    counts = (
        (say("picks by category"), f.picks, category_text),
        (say("adopted by category"), f.adopted, category_text),
        (say("refused by clause"), f.refused, lambda clause: say("{clause}", clause=clause)),
    )
    lines = [_counts(title, counted, words, lang) for title, counted, words in counts if counted]
    return Group(head, Padding(Group(rows, *lines), (0, 0, 1, 2)))


def _counts(title: Text, counted: Mapping[str, int], words: Callable[[str], Text], lang: str) -> RichText:
    rows = [f"{tr(words(name), lang)} {n}" for name, n in counted.items()]
    return RichText.assemble((tr(title, lang), "dim"), "  ", ", ".join(rows))
