"""Commands of performance: perf compare."""

from __future__ import annotations

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Group, Screen, answering, common_options
from headway.cli.main import cli
from headway.lang import tr
from headway.model.text import say
from headway.model.verdict import CellVerdict, Verdict


@cli.group("perf", cls=Group, help="Performance: measurements and the gate.")
def perf() -> None: ...


def undecided(screen: Screen, c: CellVerdict) -> str:
    """What the line of a cell that is not decided ends with: the smallest effect that it shows, and why it is open."""
    from headway.views.train import CAUSES

    if c.verdict is not Verdict.OPEN:
        return ""
    words = [say("finds {mde} % at best", mde=f"{100 * c.mde:.1f}")] if c.mde is not None else []
    words += [CAUSES[c.cause]] if c.cause in CAUSES else []
    return "".join(f", {tr(w, screen.lang)}" for w in words)


@perf.command("compare", cls=Command, help="The gate on what was measured of two commits, tags or branches (E7).")
@click.argument("base")
@click.argument("candidate")
@common_options
@answering
def compare(context: Context, base: str, candidate: str) -> Answer:
    from headway.comparing import commit_named, judged_between, links_between
    from headway.decide.performance import describe

    app = context.app()
    ends = [commit_named(app, rev) for rev in (base, candidate)]
    judged = judged_between(app, ends[0], ends[1])
    verdict, links = judged.verdict, links_between(app, base, candidate)
    document = {
        **verdict.as_json(),
        "baseline": ends[0],
        "candidate": ends[1],
        "counted": judged.counted,
        "unpaired": judged.unpaired,
        "links": links.as_json(),
    }
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
            screen.line(f"  {set_cell_size(screen.word(c.verdict.value), 10)} {describe(c)}{undecided(screen, c)}")
        if judged.unpaired:
            table = f"headway perf table --left {base} --right {candidate}"
            screen.say(say("both were measured, but not in blocks side by side; `{table}` shows that", table=table))
        elif judged.blocks and not judged.counted:
            screen.say(say("no train stands on these blocks: the ledger does not have them"), "dim")
        screen.line(links.dashboard or links.path, "dim")

    return Answer(status, document, show)
