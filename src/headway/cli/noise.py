"""perf noise: how much the gating metrics scatter on these hosts, as the policy takes it."""

from __future__ import annotations

from dataclasses import asdict

import click

from headway.cli.common import OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.measure import perf
from headway.model.text import say


@perf.command("noise", cls=Command, help="How much each gating metric scatters, from what was measured so far (E7).")
@click.option("--hardware", cls=Option, metavar="NAME", help="Only cells of this hardware.")
@common_options
@answering
def noise(context: Context, hardware: str | None) -> Answer:
    from headway.decide.performance import design_of
    from headway.stats.history import scatter_of

    app = context.app()
    keys = [(cell, m) for cell, m in design_of(app.policy.perf).keys if hardware in {None, cell.hardware}]
    found = scatter_of(app.observe().comparisons, keys, app.policy.perf.pair_on)

    def show(screen: Screen) -> None:
        if not found:
            screen.say(say("nothing was measured of these cells yet"))
            return
        screen.say(say("for release.toml, when these are the hosts that the next release is measured on:"))
        for s in found:
            screen.line("[[perf.noise]]")
            screen.line(f'metric = "{s.metric}"')
            screen.line(f"sd = {s.sd:.4f}")
            screen.line(f"df = {s.df:.1f}")

    return Answer(YES if found else OPEN, {"noise": [asdict(s) for s in found]}, show)
