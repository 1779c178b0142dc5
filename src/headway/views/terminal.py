"""The board in a terminal: words and marks that say it without colour, within 80 columns."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as RichText

from headway.decide.proposals import Proposal
from headway.lang import tr
from headway.model.text import Text, clean, say
from headway.views.board import OUTCOMES, TURNS, Board, BoardRow, Outcome, Turn, when_text
from headway.views.gates import LIGHTS, Light
from headway.views.words import KINDS, STAGES, short

_STYLES = {Light.OK: "green", Light.WAITING: "yellow", Light.BLOCKED: "bold red", Light.NONE: "dim"}
_MARKS = {Light.OK: "●", Light.WAITING: "◐", Light.BLOCKED: "✗", Light.NONE: "○"}
_PLAIN_MARKS = {Light.OK: "+", Light.WAITING: "~", Light.BLOCKED: "x", Light.NONE: "."}
_INSIDE, _GAP = 76, 2  # columns inside the frame, and between two signals
_TURN_STYLES = {Turn.HEADWAY: "green", Turn.PERSON: "bold yellow", Turn.CALENDAR: "dim"}


def _lines_of(cells: list[tuple[RichText, RichText]]) -> list[list[tuple[RichText, RichText]]]:
    """As many beside each other as a terminal of 80 columns shows whole."""
    lines: list[list[tuple[RichText, RichText]]] = [[]]
    width = 0
    for cell in cells:
        wide = max(part.cell_len for part in cell) + _GAP
        if lines[-1] and width + wide - _GAP > _INSIDE:
            lines.append([])
            width = 0
        lines[-1].append(cell)
        width += wide
    return lines


class BoardTable:
    """The board for a terminal, in a language; fits 80 columns. Rendered when printed, since only then it is known what
    the terminal can show."""

    def __init__(self, board: Board, lang: str) -> None:
        self._board = board
        self._lang = lang
        self._encoding = "utf-8"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self._encoding = options.encoding
        for row in self._board.trains:
            yield self._train(row, plain=options.ascii_only)
        for proposal in self._board.proposals:
            yield self._proposed(proposal)
        if self._board.departed:
            yield self._departed()

    def _proposed(self, proposal: Proposal) -> Panel:
        train = proposal.train
        days = say("{first} to {last} (tentative)", first=train.window[0], last=train.window[1])
        if proposal.late:
            days = say("its days ended on {last}", last=train.window[1])
        head = RichText.assemble(self._tr(say("proposed: {version}", version=train.name), "bold"), "  ", self._tr(days))
        told = [part for r in proposal.reasons for part in (self._tr(r.text), self._tr(r.remedy, "dim"))]
        return Panel(Group(head, *told), border_style="yellow", padding=(0, 1))

    def _tr(self, text: Text, style: str = "") -> RichText:
        return self._plain(tr(text, self._lang), style)

    def _plain(self, text: str, style: str = "") -> RichText:
        """On one line, and in characters that the terminal has."""
        words = " ".join(clean(text).split())
        try:
            words.encode(self._encoding)
        except UnicodeEncodeError:
            words = words.replace("–", "-").replace("…", "...")
            words = words.encode(self._encoding, "replace").decode(self._encoding)
        return RichText(words, style)

    def _train(self, row: BoardRow, plain: bool) -> Panel:
        head = Table.grid(expand=True, padding=(0, 1))
        head.add_column(ratio=1)
        head.add_column(justify="right")
        stage = RichText.assemble((row.version, "bold"), "  ", self._tr(KINDS[row.kind], "dim"))
        stopped = self._tr(say("stopped"), "bold red")
        head.add_row(stage, stopped if row.stopped else self._tr(TURNS[row.turn], _TURN_STYLES[row.turn]))
        head.add_row(self._date(row), self._tr(STAGES[row.stage], "bold"))
        if row.phase is not None:
            head.add_row("", self._tr(row.phase, "dim"))
        parts: list[Table | RichText | Padding] = [head, self._lights(row, plain)]
        parts += [self._candidate(row)] if row.candidates else [self._plain(row.branch, "dim")]
        if row.candidates and row.candidates[-1].install:
            parts.append(self._plain(row.candidates[-1].install, "dim"))
        parts += [Padding(self._reasons(row, plain), (1, 0, 0, 0))] if row.blockers or row.steps else []
        blocked = any(g.light is Light.BLOCKED for g in row.gates)
        return Panel(Group(*parts), border_style="red" if blocked or row.stopped else "blue", padding=(0, 1))

    def _date(self, row: BoardRow) -> RichText:
        day = say("{date} (tentative)", date=row.date) if row.tentative else say("{date}", date=row.date)
        return RichText.assemble(self._tr(day), ", ", self._tr(when_text(row)))

    def _lights(self, row: BoardRow, plain: bool) -> Padding:
        """Marks with the gates' names, and below them a word for each."""
        marks = _PLAIN_MARKS if plain else _MARKS
        cells = [
            (self._plain(f"{marks[g.light]} {tr(g.title, self._lang)}", style), self._tr(LIGHTS[g.light], style))
            for g in row.gates
            for style in (_STYLES[g.light],)
        ]
        return Padding(Group(*(self._row(some) for some in _lines_of(cells))), (1, 0))

    def _row(self, cells: list[tuple[RichText, RichText]]) -> Table:
        grid = Table.grid(padding=(0, _GAP, 0, 0))
        for _ in cells:
            grid.add_column(no_wrap=True)
        grid.add_row(*(name for name, _ in cells))
        grid.add_row(*(word for _, word in cells))
        return grid

    def _candidate(self, row: BoardRow) -> RichText:
        newest = row.candidates[-1]
        build, test = (tr(OUTCOMES[o], self._lang) for o in (newest.built, newest.tested))
        words = say("{tag} {commit}: build {build}, test {test}", tag=newest.tag, commit=short(newest.commit),
                    build=build, test=test)  # fmt: skip
        return self._tr(words, "red" if Outcome.FAILED in {newest.built, newest.tested} else "")

    def _reasons(self, row: BoardRow, plain: bool) -> Table:
        arrow = "->" if plain else "→"
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=3, justify="right", style="bold")
        grid.add_column(ratio=1, overflow="fold")
        for step in row.steps:
            if step.turn is Turn.HEADWAY:
                grid.add_row(arrow, RichText.assemble(self._tr(say("next:"), "green"), " ", self._tr(step.words)))
        for b in row.blockers:
            grid.add_row(b.clause, self._tr(b.text))
            grid.add_row("", RichText.assemble((f"{arrow} ", "dim"), self._tr(b.remedy, "dim")))
        return grid

    def _departed(self) -> Table:
        table = Table(
            box=None,
            padding=(0, 2, 0, 0),
            title=tr(say("Released"), self._lang),
            title_justify="left",
            show_header=False,
        )
        for _ in range(4):
            table.add_column()
        for d in self._board.departed[:5]:
            gone = self._tr(say("withdrawn"), "red") if d.yanked else RichText("")
            table.add_row(RichText(d.version, "bold"), f"{d.at:%Y-%m-%d}", RichText(short(d.commit), "dim"), gone)
        return table
