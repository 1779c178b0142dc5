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
    from headway.decide.performance import as_candidate, comparison_of, describe, design_of
    from headway.errors import not_found
    from headway.history.repository import resolve_commit
    from headway.stats.gate import judge

    app = context.app()
    ends = []
    for rev in (base, candidate):
        sha = resolve_commit(app.repo, rev)
        if sha is None:
            raise not_found("commit", rev, say("name a commit, tag or branch"))
        ends.append(sha)
    snapshot = app.observe()
    found = comparison_of(snapshot, ends[1], ends[0])
    verdict = judge(found, design_of(app.policy.perf), as_candidate(snapshot, ends[0]))
    document = {**verdict.as_json(), "baseline": ends[0], "candidate": ends[1]}
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

    return Answer(status, document, show)
