"""A comparison on a terminal: what is worse first, missing as visible as all else."""

from __future__ import annotations

from typing import Any, Protocol

from headway.model.text import Text, clean, say
from headway.views.comparison import BETTER, MISSING, SINGLE, UNCLEAR, WORSE, Page, Row, counts, reproduce

_STATES = {
    WORSE: say("worse"),
    MISSING: say("missing"),
    SINGLE: say("single"),
    UNCLEAR: say("unclear"),
    BETTER: say("better"),
}
_TITLES = (
    say("state"),
    say("cell"),
    say("metric"),
    say("left"),
    say("right"),
    say("ratio"),
    say("interval"),
    say("gate"),
)
_ORDER = tuple(_STATES)
_STYLES = {WORSE: "red", MISSING: "yellow", BETTER: "green"}


class Shown(Protocol):
    """What it is written on."""

    @property
    def console(self) -> Any: ...

    def say(self, text: Text, style: str = "") -> None: ...

    def word(self, text: str) -> str: ...


def show_page(page: Page, screen: Shown) -> None:
    """The sides, how many cells moved, every cell, averages, and what differed around them."""
    from rich.table import Table
    from rich.text import Text as Styled

    for side, ref, words in (
        (page.left, page.link.left, say("left")),
        (page.right, page.link.right, say("right")),
    ):
        if side is None:
            screen.say(
                say(
                    "{side}: nothing of {branch} {commit} was measured in the window",
                    side=screen.word(str(words)),
                    branch=ref[0] or "-",
                    commit=ref[1] or "-",
                ),
                "yellow",
            )
        else:
            screen.say(
                say(
                    "{side}: {branch} {commit}, {launches} launches",
                    side=screen.word(str(words)),
                    branch=side.branch or "-",
                    commit=side.commit[:12],
                    launches=side.launches,
                ),
                "bold",
            )
    found = Table(*(screen.word(str(t)) for t in _TITLES))
    for row in sorted(page.rows, key=lambda r: (_ORDER.index(r.state), -(r.worse_by or 0.0))):
        found.add_row(*(Styled(clean(c), style=_STYLES.get(row.state, "")) for c in _columns(row, screen)))
    screen.console.print(found)
    tally = counts(page.rows)
    screen.say(say("{cells}", cells=[f"{screen.word(str(_STATES[state]))}: {tally[state]}" for state in _ORDER]))
    for a in page.averages:
        if a.ratio is not None:
            screen.say(
                say(
                    "{metric}: × {ratio} over the {both} cells that both sides have ({others} not counted)",
                    metric=a.metric,
                    ratio=f"{a.ratio:.3f}",
                    both=a.both,
                    others=a.others,
                )
            )
    for d in page.differences:
        screen.say(
            say("differs: {name}: {left} | {right}", name=d.name, left=list(d.left), right=list(d.right)), "yellow"
        )
    if page.set_aside:
        screen.say(say("set aside, since it is not known which way is better: {names}", names=page.set_aside), "yellow")
    screen.say(say("{command}", command=reproduce(page)), "dim")


def _columns(row: Row, screen: Shown) -> tuple[str, ...]:
    c = row.found
    sides = [f"{s.mean:.4g} ({s.launches}×{s.repeats / s.launches:g})" if s else "-" for s in (c.base, c.new)]
    ratio = f"{row.ratio:.3f}" if row.ratio is not None else "-"
    ci = f"[{row.ci[0]:.3f}, {row.ci[1]:.3f}]" if row.ci else "-"
    gate = screen.word(row.verdict.verdict.value) if row.verdict else "-"
    return screen.word(str(_STATES[row.state])), str(c.cell.cell), c.metric, *sides, ratio, ci, gate
