"""Progress on stderr: what is being done, and a bar for long work; plain lines where no terminal is."""

from __future__ import annotations

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


class TerminalProgress:
    """One bar at a time; it is gone when its work is done."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._said = ""

    def say(self, text: Text) -> None:
        self._console.print(f"  {tr(text, self._lang)}", style="dim", markup=False, highlight=False, soft_wrap=True)

    def bar(self, what: Text, done: int, total: int) -> None:
        words = tr(what, self._lang)
        if not self._console.is_terminal:
            if done == 0 and words != self._said:
                self._said = words
                self._console.print(f"  {words}", style="dim", markup=False, highlight=False, soft_wrap=True)
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

    def step(self, name: str) -> None: ...
