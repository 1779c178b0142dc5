"""Progress on stderr: what is being done, and a bar for long work; plain lines where no terminal is."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from headway.lang import tr
from headway.model.text import Text

# In a log, a word this often is enough to see that work goes on.
_EVERY_S = 20.0


class TerminalProgress:
    """One bar at a time; it is gone when its work is done."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._said, self._told = "", 0.0

    def say(self, text: Text) -> None:
        self._console.print(f"  {tr(text, self._lang)}", style="dim", markup=False, highlight=False, soft_wrap=True)

    def bar(self, what: Text, done: int, total: int) -> None:
        words = tr(what, self._lang)
        if not self._console.is_terminal:
            self._line(words, done, total)
            return
        if self._bar is None:
            columns = (
                TextColumn("  {task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(words, total=total)
        if self._task is not None:
            self._bar.update(self._task, description=words, completed=done, total=total)
        if done >= total:
            self._bar.stop()
            self._bar, self._task = None, None

    def _line(self, words: str, done: int, total: int) -> None:
        """Where no bar can move, a line when work begins, and one now and then while it goes on."""
        now = time.monotonic()
        if words != self._said:
            self._said, self._told = words, now
            self._console.print(f"  {words}", style="dim", markup=False, highlight=False, soft_wrap=True)
        elif now - self._told > _EVERY_S and 0 < done < total:
            self._told = now
            part = f"{100 * done // total} %"
            self._console.print(f"  {words}: {part}", style="dim", markup=False, highlight=False, soft_wrap=True)

    def step(self, name: str) -> None: ...
