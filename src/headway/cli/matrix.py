"""perf matrix: the review of a benchmark set-up (E4)."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.measure import perf
from headway.lang import tr
from headway.model.text import Text, clean, say

if TYPE_CHECKING:
    from headway.perf.coverage import Required
    from headway.perf.matrix import MatrixCell
    from headway.perf.review import Review

_STATUS = {"yes": YES, "no": NO, "open": OPEN}
# Without a repository there is no policy of a project, and none is needed: the preset's is asked for.
_NO_PROJECT = ("repo.not-found", "repo.not-trusted", "repo.empty", "git.missing")


@perf.command(
    "matrix",
    cls=Command,
    help="The cells that benchmark configurations really yield, what never runs, what is asked for and not covered, "
    "and entries that contradict themselves (E2, E4). Status 1: not covered; 3: a person must look.",
)
@click.option(
    "--configs",
    required=True,
    metavar="DIR",
    cls=Option,
    type=click.Path(path_type=Path),
    help="One folder for each platform, and runner-rules.json beside them.",
)
@click.option(
    "--require",
    "require",
    metavar="FILE",
    cls=Option,
    type=click.Path(path_type=Path),
    help="TOML with `models` and `hardware` to cover (default: the policy's).",
)
@click.option(
    "--known",
    multiple=True,
    metavar="NAME",
    cls=Option,
    help="An argument of vLLM that Headway does not know yet; may be repeated.",
)
@common_options
@answering
def matrix(context: Context, configs: Path, require: Path | None, known: tuple[str, ...]) -> Answer:
    from headway.perf.arguments import snake
    from headway.perf.configfiles import read_configurations
    from headway.perf.review import as_json, review

    required = _required(context, require)
    made = review(read_configurations(configs, frozenset(snake(k.lstrip("-")) for k in known)), required)

    def show(screen: Screen) -> None:
        _show(screen, made)

    return Answer(_STATUS[made.answer], as_json(made), show)


def _required(context: Context, file: Path | None) -> Required:
    from headway.errors import UnusableInput
    from headway.perf.requirement import read_required, required_by
    from headway.policy.loader import load_policy
    from headway.policyfile import read_policy

    preset, policy = context.given.get("preset"), context.given.get("policy")
    if file is not None:
        return read_required(file, preset)
    if policy:
        return required_by(read_policy(Path(policy), preset).perf)
    try:
        return required_by(context.policy().perf)
    except UnusableInput as e:
        if context.given.get("repo") or e.code not in _NO_PROJECT:
            raise
        return required_by(load_policy(None, source="preset", preset=preset).perf)


def _show(screen: Screen, made: Review) -> None:
    never, cells = made.matrix.unreachable, made.matrix.cells
    _head(
        screen,
        say("{count} tests are configured; {never} can never be selected", count=made.configured, never=len(never)),
    )
    for note in made.notes:
        _line(screen, 2, tr(note, screen.lang), "dim")
    _head(screen, say("Cells ({count})", count=len(cells)))
    for (platform, hardware, runner), own in groupby(sorted(cells, key=_place), key=_place):
        _line(screen, 2, " · ".join((platform, hardware, runner)))
        for cell in own:
            counts = say("tests {tests}, runs {runs}", tests=len(cell.tests), runs=len(cell.points))
            _line(screen, 4, f"{cell.model}: {tr(counts, screen.lang)}")
    _head(screen, say("Never selected ({count})", count=len(never)))
    for (platform, why), tests in groupby(never, key=lambda u: (u.test.platform, u.why)):
        _line(screen, 2, f"{platform}: {tr(why, screen.lang)}")
        for each in tests:
            _line(screen, 4, each.test.name)
    _head(screen, say("Asked for and not covered ({count})", count=len(made.uncovered)))
    for u in made.uncovered:
        place = ", ".join(u.elsewhere) or "-"
        seen = say("runs on: {hardware}", hardware=f"{place}, ?" if u.unknown else place)
        _line(screen, 2, f"{u.model} × {u.hardware}  ({tr(seen, screen.lang)})", "red")
    _head(screen, say("Suspicious ({count})", count=len(made.suspicious)))
    for s in made.suspicious:
        _line(screen, 2, f"{s.test.file}:{s.test.line}: {s.test.name}")
        _line(screen, 4, tr(s.why, screen.lang), "yellow")


def _place(cell: MatrixCell) -> tuple[str, str, str]:
    return cell.platform, cell.hardware or "?", cell.runner


def _head(screen: Screen, text: Text) -> None:
    _line(screen, 0, tr(text, screen.lang), "bold")


def _line(screen: Screen, indent: int, text: str, style: str = "") -> None:
    """A line that is wrapped under its indent on a terminal, and stays one line in a file or a pipe."""
    from rich.padding import Padding
    from rich.text import Text as Words

    if screen.console.is_terminal:
        screen.console.print(Padding(Words(clean(text), style=style, overflow="fold"), (0, 0, 0, indent)))
    else:
        screen.line(" " * indent + text, style)
