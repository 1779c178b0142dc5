"""Commands of performance: perf compare."""

from __future__ import annotations

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Group, Screen, answering, common_options
from headway.cli.main import cli
from headway.model.text import say
from headway.model.verdict import Verdict


@cli.group("perf", cls=Group, help="Performance: measurements and the gate.")
def perf() -> None: ...


@perf.command("compare", cls=Command, help="The gate on what was measured of two commits, tags or branches (E7).")
@click.argument("base")
@click.argument("candidate")
@common_options
@answering
def compare(context: Context, base: str, candidate: str) -> Answer:
    from headway.comparing import commit_named, links_between
    from headway.decide.performance import as_candidate, comparison_of, describe, design_of
    from headway.stats.gate import judge

    app = context.app()
    ends = [commit_named(app, rev) for rev in (base, candidate)]
    snapshot = app.observe()
    found = comparison_of(snapshot, ends[1], ends[0])
    verdict = judge(found, design_of(app.policy.perf), as_candidate(snapshot, ends[0]))
    links = links_between(app, base, candidate)
    document = {**verdict.as_json(), "baseline": ends[0], "candidate": ends[1], "links": links.as_json()}
    status = {Verdict.PASS: YES, Verdict.REGRESSED: NO}.get(verdict.verdict, OPEN)

    def show(screen: Screen) -> None:
        screen.say(
            say(
                "{candidate} against {base}: {verdict}",
                candidate=candidate,
                base=base,
                verdict=screen.word(verdict.verdict.value),
            ),
            "bold",
        )
        from rich.cells import set_cell_size

        for c in verdict.cells:
            screen.line(f"  {set_cell_size(screen.word(c.verdict.value), 10)} {describe(c)}")
        screen.line(links.dashboard or links.path, "dim")

    return Answer(status, document, show)
