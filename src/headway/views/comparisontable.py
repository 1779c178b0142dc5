"""A comparison on a terminal: what is worse first, missing as visible as all else."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Any, Protocol

from headway.lang import tr
from headway.model.measurement import MeasuredCell
from headway.model.text import Text, clean, say
from headway.perf.reading import Revision
from headway.views.comparison import BETTER, MISSING, SINGLE, UNCLEAR, WORSE, Average, Page, Row, counts, reproduce

if TYPE_CHECKING:
    from rich.padding import Padding

_STATES = {
    WORSE: say("worse"),
    MISSING: say("missing"),
    SINGLE: say("single"),
    UNCLEAR: say("unclear"),
    BETTER: say("better"),
}
_ORDER = tuple(_STATES)
_STYLES = {WORSE: "red", MISSING: "yellow", BETTER: "green"}
_TITLES = (say("metric"), say("left"), say("right"), say("ratio"), say("interval"), say("times"), say("gate"))
_GATE = len(_TITLES) - 1
_INDENT, _NARROWEST = 4, 12  # columns before a row; of a metric's name, which is folded where it is longer


class Shown(Protocol):
    """What it is written on."""

    @property
    def console(self) -> Any: ...

    @property
    def lang(self) -> str: ...

    def say(self, text: Text, style: str = "") -> None: ...

    def word(self, text: str) -> str: ...


def show_page(page: Page, screen: Shown) -> None:
    """The sides, every cell, how many cells moved, averages, and what differed around them; within 80 columns, but for
    what may be copied."""
    for found, ref, words in (
        (page.left, page.link.left, say("left")),
        (page.right, page.link.right, say("right")),
    ):
        _side(found, ref, screen.word(str(words)), screen)
    _cells(page.rows, screen)
    tally = counts(page.rows)
    screen.say(say("{cells}", cells=[f"{screen.word(str(_STATES[state]))}: {tally[state]}" for state in _ORDER]))
    _averages(page.averages, screen)
    for d in page.differences:
        screen.say(
            say("differs: {name}: {left} | {right}", name=d.name, left=list(d.left), right=list(d.right)), "yellow"
        )
    if page.set_aside:
        screen.say(say("set aside, since it is not known which way is better: {names}", names=page.set_aside), "yellow")
    screen.say(say("{command}", command=reproduce(page)), "dim")


def _side(found: Revision | None, ref: tuple[str, str], side: str, screen: Shown) -> None:
    branch, commit = (found.branch, found.commit[:12]) if found else ref
    what = " ".join(filter(None, (branch, commit)))
    if found:
        screen.say(say("{side}: {what}, {launches} launches", side=side, what=what, launches=found.launches), "bold")
    elif what:
        screen.say(say("{side}: nothing of {what} was measured in the window", side=side, what=what), "yellow")
    else:
        screen.say(say("{side}: nothing was measured in the window", side=side), "yellow")


def _cells(rows: Iterable[Row], screen: Shown) -> None:
    """A heading for each state and for each cell with it, the gravest first; under it a line for each metric."""
    from rich.padding import Padding
    from rich.text import Text as Styled

    ordered = sorted(rows, key=lambda r: (_ORDER.index(r.state), -(r.worse_by or 0.0)))
    if not ordered:
        return
    gated = any(r.verdict for r in ordered)
    titles = [screen.word(str(t)) for t in _TITLES][: _GATE + gated]
    lines = [_columns(r, screen) for r in ordered]
    widths = _widths([titles, *lines], screen.console.width)
    screen.console.print(_grid([titles], widths, "dim"))
    for state, some in groupby(zip(ordered, lines, strict=True), key=lambda pair: pair[0].state):
        by_cell: dict[MeasuredCell, list[list[str]]] = {}
        for r, line in some:
            by_cell.setdefault(r.found.cell, []).append(line)
        screen.say(_STATES[state], f"bold {_STYLES.get(state, '')}".strip())
        for cell, of_cell in by_cell.items():
            screen.console.print(Padding(Styled(clean(str(cell.cell)), overflow="fold"), (0, 0, 0, 2)))
            screen.console.print(_grid(of_cell, widths, _STYLES.get(state, "")))


def _widths(lines: list[list[str]], whole: int) -> list[int]:
    """Each column as wide as what is in it, but the first no wider than the others leave room for."""
    from rich.cells import cell_len

    first, *others = (max(map(cell_len, column)) for column in zip_longest(*lines, fillvalue=""))
    room = whole - _INDENT - sum(others) - len(others)
    return [max(_NARROWEST, min(first, room)), *others]


def _grid(lines: Iterable[list[str]], widths: list[int], style: str) -> Padding:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text as Styled

    grid = Table.grid(padding=(0, 1, 0, 0))
    for i, width in enumerate(widths):
        grid.add_column(width=width, justify="right" if 0 < i < _GATE else "left", overflow="fold")
    for columns in lines:
        grid.add_row(*(Styled(clean(c), style=style) for c in columns))
    return Padding(grid, (0, 0, 0, _INDENT))


def _columns(row: Row, screen: Shown) -> list[str]:
    c = row.found
    left, right = (f"{s.mean:.4g}" if s else "-" for s in (c.base, c.new))
    ratio = f"{row.ratio:.3f}" if row.ratio is not None else "-"
    ci = f"{row.ci[0]:.3f}–{row.ci[1]:.3f}" if row.ci else "-"
    launches = "|".join(str(s.launches) if s else "0" for s in (c.base, c.new))
    gate = [screen.word(row.verdict.verdict.value)] if row.verdict else []
    return [c.metric, left, right, ratio, ci, launches, *gate]


def _averages(averages: Iterable[Average], screen: Shown) -> None:
    known = [a for a in averages if a.ratio is not None]
    if not known:
        return
    screen.say(say("geometric means of the ratio, over the cells that both sides have:"), "bold")
    over = (tr(say("{both} of {all} cells", both=a.both, all=a.both + a.others), screen.lang) for a in known)
    rows = [[a.metric, f"× {a.ratio:.3f}", words] for a, words in zip(known, over, strict=True)]
    screen.console.print(_grid(rows, _widths(rows, screen.console.width), ""))
