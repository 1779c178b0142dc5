"""perf simulate: the gate's real error rates on releases whose truth is known."""

from __future__ import annotations

from dataclasses import asdict

import click

from headway.cli.common import YES, Answer, Command, Context, Finite, Option, Screen, answering, common_options
from headway.cli.measure import perf
from headway.errors import UnusableInput
from headway.model.text import facts, say

_KINDS = ("iid", "hier", "t4", "bimodal", "ar1")
_FEWEST = 3
_MOST_MARGINS = 1000.0


@perf.command(
    "simulate", cls=Command, help="How often the gate is wrong, on simulated releases whose truth is known (E7)."
)
@click.option(
    "--releases", cls=Option, type=click.IntRange(1), default=10_000, show_default=True, help="Releases to simulate."
)
@click.option(
    "--cells",
    cls=Option,
    type=click.IntRange(_FEWEST),
    default=160,
    show_default=True,
    help="Cell-metrics, in three equal families with margins of 3, 5 and 15 %.",
)
@click.option(
    "--noise",
    cls=Option,
    type=click.Choice(_KINDS),
    default="iid",
    show_default=True,
    help="How blocks scatter: normal, hierarchical, heavy tails, two modes of launches, autocorrelated.",
)
@click.option(
    "--bad-cells",
    "bad",
    cls=Option,
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Cell-metrics that are worse, drawn anew for each release.",
)
@click.option(
    "--effect-in-margins",
    "effect",
    cls=Option,
    type=Finite(0, _MOST_MARGINS),
    default=1.0,
    show_default=True,
    help="By how many margins they are worse.",
)
@click.option(
    "--drift-in-margins",
    "drift",
    cls=Option,
    type=Finite(0, _MOST_MARGINS),
    default=0.0,
    show_default=True,
    help="By how many margins all cells are worse.",
)
@click.option(
    "--repeats", cls=Option, type=click.IntRange(1), default=3, show_default=True, help="Runs on each launch."
)
@click.option(
    "--jobs",
    cls=Option,
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Jobs that the cells are spread over: all cells of a job are served by the same launches.",
)
@click.option(
    "--history-df",
    "history",
    cls=Option,
    type=click.FloatRange(0, 1000),
    default=0.0,
    show_default=True,
    help="Degrees of freedom of a right [[perf.noise]]; 0: the policy gives none.",
)
@click.option("--seed", cls=Option, type=click.IntRange(0), default=0, show_default=True, help="Seed of the noise.")
@common_options
@answering
def simulate(
    context: Context,
    releases: int,
    cells: int,
    noise: str,
    bad: int,
    effect: float,
    drift: float,
    repeats: int,
    jobs: int,
    history: float,
    seed: int,
) -> Answer:
    from headway.stats.simulation import Scenario
    from headway.stats.simulation import simulate as run

    if bad > cells:
        raise UnusableInput(
            "usage.bad-cells",
            say("{bad} of {cells} cells cannot be bad", bad=bad, cells=cells),
            facts=facts(bad_cells=bad, cells=cells),
            remedy=say("give --bad-cells no more than --cells"),
        )
    scenario = Scenario(releases, cells, noise, bad, effect, seed, repeats, jobs, drift, history=history)
    what = say("simulating {count} releases", count=releases)
    rates = run(scenario, lambda done: context.progress.bar(what, done, releases))

    def show(screen: Screen) -> None:
        from headway.views.simulated import table

        screen.console.print(table(scenario, rates, screen.lang))

    bounds = {name: [low, high] for name, low, high in rates.bounds}
    return Answer(YES, {**asdict(rates), "bounds": bounds, "scenario": asdict(scenario)}, show)
