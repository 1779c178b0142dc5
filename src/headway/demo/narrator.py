"""Who tells the demo's story as it happens."""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from headway.lang import tr, translated
from headway.model.reason import Reason
from headway.model.text import Text
from headway.terminal import TerminalProgress


class Narrator:
    """Prints scenes, what people do, what Headway does and decides. A ``Progress``, so that long work shows itself."""

    def __init__(self, console: Console, lang: str) -> None:
        self._console = console
        self._lang = lang
        self._progress = TerminalProgress(lang)

    def scene(self, at: datetime, title: Text) -> None:
        """A new scene, at a simulated time."""
        self._console.print()
        stamp = f"{at:%a %d %b %H:%M}" if self._lang == "en" else f"{at:%m-%d %H:%M}"
        self._console.rule(f"[bold]{stamp}[/bold]  {tr(title, self._lang)}", align="left", style="cyan")

    def person(self, text: Text) -> None:
        """What a person does."""
        self._line("☺", text, "yellow")

    def headway(self, text: Text) -> None:
        """What Headway did or decided."""
        self._line("▶", text, "green")

    def note(self, text: Text) -> None:
        self._line(" ", text, "dim")

    def reasons(self, reasons: tuple[Reason, ...]) -> None:
        """Refusals and waits, each with its clause and its remedy."""
        for r in reasons:
            self._console.print(
                f"   ✗ {r.clause}: {tr(r.text, self._lang)}", style="red", markup=False, highlight=False, soft_wrap=True
            )
            self._console.print(
                f"     → {tr(r.remedy, self._lang)}", style="dim", markup=False, highlight=False, soft_wrap=True
            )

    def waits(self, reasons: tuple[Reason, ...]) -> None:
        """What the plan waits for."""
        for r in reasons:
            self._console.print(
                f"   … {r.clause}: {tr(r.text, self._lang)}", style="dim", markup=False, highlight=False, soft_wrap=True
            )

    def rows(self, title: Text, rows: list[tuple[str, str]]) -> None:
        """A short table of names and values."""
        self._console.print()
        self._console.print(tr(title, self._lang), style="bold", markup=False)
        width = max((cell_len(name) for name, _ in rows), default=0)
        for name, value in rows:
            self._console.print(
                f"  {set_cell_size(name, width)}  {value}", markup=False, highlight=False, soft_wrap=True
            )

    def word(self, text: str) -> str:
        return translated(text, self._lang)

    def say(self, text: Text) -> None:
        self._progress.say(text)

    def bar(self, what: Text, done: int, total: int) -> None:
        self._progress.bar(what, done, total)

    def step(self, name: str) -> None: ...

    def _line(self, mark: str, text: Text, style: str) -> None:
        words = f" {mark} {tr(text, self._lang)}"
        self._console.print(words, style=style, markup=False, highlight=False, soft_wrap=True)
