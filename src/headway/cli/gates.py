"""Commands of the policy's gates: gate list, gate report."""

from __future__ import annotations

import click

from headway.cli.common import YES, Answer, Command, Context, Finite, Group, Option, Screen, answering, common_options
from headway.cli.control import kept
from headway.cli.main import cli
from headway.lang import tr
from headway.model.text import say


@cli.group("gate", cls=Group, help="Further evidence that the policy asks of a candidate (B4).")
def gate() -> None: ...


@gate.command("list", cls=Command, help="The policy's gates, and how the newest candidate stands with each.")
@click.argument("version", required=False)
@common_options
@answering
def list_(context: Context, version: str | None) -> Answer:
    from headway.gating import gates_now
    from headway.views.gatelist import gate_rows

    app = context.app()
    planned, found = gates_now(app, version)
    newest = planned.candidates[-1].facts if planned.candidates else None
    rows = gate_rows(app.policy, found)
    document = {
        "version": planned.train.name,
        "tag": newest.tag if newest else None,
        "commit": newest.commit if newest else None,
        "gates": [r.as_json() for r in rows],
    }

    def show(screen: Screen) -> None:
        if not rows:
            screen.say(say("the policy names no gates"))
        elif newest is not None:
            screen.line(f"{newest.tag}  {newest.commit[:12]}", "bold")
        for r in rows:
            asked = " ".join(r.gate.source)
            screen.line(f"  {r.name:<20} {tr(r.words, screen.lang)}")
            screen.line(f"  {'':<20} {tr(r.wanted, screen.lang)}: {asked}", "dim")

    return Answer(YES, document, show)


@gate.command("report", cls=Command, help="Write down what a CI check found of the newest candidate.")
@click.argument("version")
@click.argument("name")
@click.option("--ok/--failed", "passed", required=True, cls=Option, help="How the check ended.")
@click.option("--value", type=Finite(), cls=Option, help="The number that it measured.")
@click.option("--url", required=True, metavar="URL", cls=Option, help="Where its run can be looked at.")
@click.option("--commit", required=True, metavar="SHA", cls=Option, help="The full commit that it ran on.")
@common_options
@answering
def report(
    context: Context, version: str, name: str, passed: bool, value: float | None, url: str, commit: str
) -> Answer:
    from headway import gating

    return kept(gating.report(context.app(), version, name, passed, value, url, commit))
