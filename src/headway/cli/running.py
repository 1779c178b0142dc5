"""perf run: measure two commits against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.measure import perf, undecided
from headway.model.text import say
from headway.model.verdict import Verdict

if TYPE_CHECKING:
    from headway.measuring import JobPlan, Outcome

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COUNT = click.IntRange(min=0)


@perf.command(
    "run", cls=Command, help="Launch two commits, tags or branches in blocks until the gate has decided (E5)."
)
@click.argument("base")
@click.argument("candidate")
@click.option(
    "--runner",
    cls=Option,
    type=click.Choice(["local", "github", "ray", "slurm"]),
    help="Where blocks run (default: the policy's).",
)
@click.option(
    "--cells", cls=Option, multiple=True, metavar="CELL", help="MODEL/HARDWARE/TEST to measure; * stands for anything."
)
@click.option("--blocks", cls=Option, type=_COUNT, default=0, help="Blocks of each job at most; 0: the policy's looks.")
@click.option("--budget-launches", cls=Option, type=_COUNT, help="Launches that this comparison may cost; 0: no limit.")
@click.option(
    "--budget-device-minutes",
    cls=Option,
    type=_COUNT,
    help="Device-minutes that this comparison may cost; 0: no limit.",
)
@click.option("--base-wheel", cls=Option, type=_FILE, help="The base's wheel (default: the index's, or built).")
@click.option("--candidate-wheel", cls=Option, type=_FILE, help="The candidate's wheel (default: as the base's).")
@click.option("--dry-run", cls=Option, is_flag=True, help="Show what would be run and what it costs.")
@common_options
@answering
def run(
    context: Context,
    base: str,
    candidate: str,
    runner: str | None,
    cells: tuple[str, ...],
    blocks: int,
    budget_launches: int | None,
    budget_device_minutes: int | None,
    base_wheel: Path | None,
    candidate_wheel: Path | None,
    dry_run: bool,
) -> Answer:
    from headway import measuring

    request = measuring.Request(
        base,
        candidate,
        runner or "",
        cells,
        blocks,
        budget_launches,
        budget_device_minutes,
        base_wheel,
        candidate_wheel,
    )
    if dry_run:
        return _planned(measuring.outlook(context.app(), request))
    outcome = measuring.run(context.app(), request)
    status = {Verdict.PASS: YES, Verdict.REGRESSED: NO}.get(outcome.verdict.verdict, OPEN)
    return Answer(status, outcome.as_json(), lambda screen: _show(screen, base, candidate, outcome))


def _show(screen: Screen, base: str, candidate: str, outcome: Outcome) -> None:
    from headway.decide.cellwaivers import cell_key
    from headway.decide.performance import describe

    verdict = screen.word(outcome.verdict.verdict.value)
    screen.say(
        say("{candidate} against {base}: {verdict}", candidate=candidate, base=base, verdict=verdict),
        "bold",
    )
    for c in outcome.verdict.cells:
        screen.line(f"  {screen.word(c.verdict.value)}  {describe(c)}{undecided(screen, c)}")
    for key, block, why in outcome.invalid:
        screen.say(say("  block {block} of {cell} is invalid: {why}", block=block, cell=cell_key(*key), why=why), "dim")
    screen.say(
        say(
            "{launches} launches, {minutes} device-minutes; with those before: {all_launches}, {all_minutes}",
            launches=outcome.cost.launches,
            minutes=f"{outcome.cost.device_minutes:.1f}",
            all_launches=outcome.total.launches,
            all_minutes=f"{outcome.total.device_minutes:.1f}",
        )
    )
    if outcome.stopped == "budget":
        screen.say(say("the budget is spent before all cells are decided"))


def _planned(plans: tuple[JobPlan, ...]) -> Answer:
    from headway.measuring import total

    most, known = total(plans)
    minutes = round(most.device_minutes, 2) if known else None
    document = {"jobs": [p.as_json() for p in plans], "launches": most.launches, "device_minutes": minutes}

    def show(screen: Screen) -> None:
        for p in plans:
            cell, each = p.perf.cells[0], p.each
            if p.decided:
                screen.say(
                    say(
                        "{model} on {hardware}, {cells} cells: already decided",
                        model=cell.model,
                        hardware=cell.hardware,
                        cells=len(p.perf.cells),
                    )
                )
                continue
            screen.say(
                say(
                    "{model} on {hardware}, {cells} cells: {next} blocks to the next look, {most} at most, "
                    "2 launches each, {minutes} device-minutes each",
                    model=cell.model,
                    hardware=cell.hardware,
                    cells=len(p.perf.cells),
                    next=p.following,
                    most=p.most,
                    minutes=f"{each.device_minutes:.1f}" if each else screen.word("unknown"),
                )
            )
        if all(p.decided for p in plans):
            screen.say(say("nothing would be launched"), "bold")
            return
        shown = screen.word("unknown") if minutes is None else f"{minutes:.1f}"
        screen.say(
            say("at most {launches} launches, {minutes} device-minutes", launches=most.launches, minutes=shown), "bold"
        )

    return Answer(YES, document, show)
