"""Which commit made it slower: perf culprit, for a range of commits or in a simulation (E7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headway.cli.common import (
    NO,
    OPEN,
    YES,
    Answer,
    Command,
    Context,
    Finite,
    Option,
    Screen,
    answering,
    common_options,
)
from headway.cli.measure import perf
from headway.lang import tr
from headway.model.text import say
from headway.model.verdict import Verdict

if TYPE_CHECKING:
    from headway.model.verdict import PerformanceVerdict
    from headway.picking import Requested
    from headway.searching import Named

_SIMULATED = ("commits", "slowdown", "sd", "trials", "seed", "gate_blocks", "told_sd")
_LEAST, _MOST = 1e-6, 10.0  # of a slowdown and of a scatter: 10 is 1000 %
_NIGHTLY = ("nightly_every", "nightly_runs", "nightly_sd")


@perf.command("culprit", cls=Command, help="Search the commit that made it slower, between a good and a bad one (E7).")
@click.option("--good", metavar="REF", cls=Option, help="A commit, tag or branch that was fast.")
@click.option("--bad", metavar="REF", cls=Option, help="A later one that is slow.")
@click.option(
    "--cell",
    default="",
    metavar="CELL",
    cls=Option,
    help="MODEL/HARDWARE/TEST/METRIC to search with (default: the one that the gate finds the worst).",
)
@click.option("--unchecked", is_flag=True, cls=Option, help="Do not compare the ends first.")
@click.option("--hosts", type=int, default=1, metavar="K", cls=Option, help="Probes at once.")
@click.option("--sure", type=Finite(), default=0.95, metavar="P", cls=Option, help="Probability at which it stops.")
@click.option("--request", is_flag=True, cls=Option, help="If the trunk undid it: request that for the release branch.")
@click.option("--onto", metavar="VERSION|BRANCH", cls=Option, help="Which line it is requested for.")
@click.option("--simulate", is_flag=True, cls=Option, help="How often it is right and what it costs; nothing is run.")
@click.option("--commits", type=int, default=512, metavar="N", cls=Option, help="Simulated: commits of the range.")
@click.option(
    "--slowdown", type=Finite(_LEAST, _MOST), default=0.05, metavar="X", cls=Option, help="Simulated: 0.05 = 5 %."
)
@click.option(
    "--sd", type=Finite(_LEAST, _MOST), default=0.026, metavar="X", cls=Option, help="Simulated: scatter of one run."
)
@click.option("--trials", type=int, default=2000, metavar="T", cls=Option, help="Simulated: how many searches.")
@click.option("--seed", type=int, default=1, metavar="S", cls=Option, help="Simulated: of the random numbers.")
@click.option("--gate-blocks", type=int, default=8, cls=Option, help="Simulated: blocks of the bad end by the gate.")
@click.option(
    "--told-sd", type=Finite(_LEAST, _MOST), cls=Option, help="Simulated: what the search is told of the scatter."
)
@click.option("--nightly-every", type=int, default=0, cls=Option, help="Simulated: commits between two nightly runs.")
@click.option("--nightly-runs", type=int, default=1, cls=Option, help="Simulated: runs of a night.")
@click.option(
    "--nightly-sd", type=Finite(_LEAST, _MOST), default=0.03, cls=Option, help="Simulated: scatter of one nightly run."
)
@common_options
@answering
def culprit(context: Context, simulate: bool, hosts: int, sure: float, **given: Any) -> Answer:
    from headway.errors import UnusableInput

    if simulate:
        if given["good"] or given["bad"]:
            raise click.UsageError("--simulate runs nothing: leave out --good and --bad")
        return _simulated(hosts, sure, {k: given[k] for k in (*_SIMULATED, *_NIGHTLY)})
    if not (given["good"] and given["bad"]):
        raise click.UsageError("name both ends: --good REF --bad REF")
    if hosts < 1 or not 0.5 <= sure < 1:
        raise UnusableInput(
            "culprit.asked",
            say("a search with {hosts} hosts to a probability of {sure} cannot be", hosts=hosts, sure=sure),
            clause="E7",
            remedy=say("at least one host; a probability from 0.5 to below 1"),
        )
    from headway.searching import Asked, NoSlowdown, search_culprit

    app = context.app()
    asked = Asked(given["good"], given["bad"], given["cell"], not given["unchecked"], hosts, sure)
    found = search_culprit(app, asked)
    if isinstance(found, NoSlowdown):
        return _no_slowdown(found.verdict)
    return _named(found, _requested(app, found, given["onto"]) if given["request"] else None)


def _requested(app: Any, found: Named, onto: str | None) -> Requested | None:
    """What undoes it goes to the queue; a revert that nobody made yet cannot."""
    from headway.decide.culpritadvice import RequestPick
    from headway.picking import request_pick

    return request_pick(app, found.advice.request, onto) if isinstance(found.advice, RequestPick) else None


def _no_slowdown(verdict: PerformanceVerdict) -> Answer:
    from headway.decide.performance import describe

    document = {**verdict.as_json(), "culprit": None, "posterior": [], "runs": 0}

    def show(screen: Screen) -> None:
        word = screen.word(verdict.verdict.value)
        screen.say(say("no slowdown to search: the gate says of the ends {verdict}", verdict=word), "bold")
        for c in verdict.cells:
            screen.line(f"  {screen.word(c.verdict.value)} {describe(c)}")

    return Answer(NO if verdict.verdict is Verdict.PASS else OPEN, document, show)


def _named(named: Named, requested: Requested | None) -> Answer:
    from headway.decide.cellwaivers import cell_key
    from headway.decide.culpritadvice import ProposeRevert, TellApart

    found, subjects = named.found, {c.sha: c.title for c in named.commits}
    document = {
        "culprit": found.commit,
        "subject": subjects[found.commit],
        "posterior": [{"commit": c, "p": p} for c, p in found.posterior],
        "runs": found.blocks,
        "confirm_runs": found.confirming,
        "ratio": found.ratio,
        "confirmed": found.confirmed,
        "shown_again": found.shown,
        "suspects": list(found.suspects),
        "unbuildable": [{"commit": u.commit, "why": u.why} for u in named.unbuildable],
        "cell": cell_key(*named.key),
        "good": named.commits[0].sha,
        "bad": named.commits[-1].sha,
        "advice": named.advice.as_json(),
        "request": requested.id if requested else None,
    }

    def show(screen: Screen) -> None:
        what = {
            "commit": found.commit[:12],
            "subject": subjects[found.commit],
            "cell": cell_key(*named.key),
            "ratio": round(found.ratio, 3),
        }
        if found.confirmed:
            screen.say(say("{commit} made {cell} worse × {ratio}: {subject}", **what), "bold")
        elif len(found.suspects) > 1:
            several = {"count": len(found.suspects), "cell": what["cell"], "ratio": what["ratio"]}
            screen.say(say("one of {count} commits made {cell} worse × {ratio}", **several), "bold")
        else:
            screen.say(say("{commit} is suspected, and not confirmed: {subject}", **what), "bold")
        counts = {"blocks": found.blocks, "confirming": found.confirming}
        alone = say("{blocks} blocks searched, {confirming} compared it with its parent", **counts)
        doubtful = say(
            "{blocks} blocks searched, {confirming} compared the suspect with the commit before it that can be "
            "measured",
            **counts,
        )
        screen.say(alone if found.confirmed else doubtful)
        chances = dict(found.posterior)
        for c in dict.fromkeys((*found.suspects, *(x for x, _ in found.posterior[:5]))):
            screen.line(f"  {c[:12]}  {chances.get(c, 0.0):.3f}  {subjects[c]}")
        for u in named.unbuildable:
            screen.say(say("{commit} cannot be built: {why}", commit=u.commit[:12], why=u.why), "dim")
        if isinstance(named.advice, TellApart):
            screen.say(named.advice.message, "bold")
        else:
            screen.line(f"→ {named.advice.command}", "bold")
        if isinstance(named.advice, ProposeRevert):
            for line in named.advice.message.splitlines():
                screen.line(f"    {line}", "dim")
        if requested is not None:
            verdict = tr(say("request {id}", id=requested.id), screen.lang)
            screen.line(f"  {verdict}: {screen.word(requested.answer.verdict.value)}")

    return Answer(YES if found.confirmed else OPEN, document, show)


def _simulated(hosts: int, sure: float, given: dict[str, Any]) -> Answer:
    from headway.stats.culpritsimulation import Setting, simulate

    figures = simulate(Setting(hosts=hosts, sure=sure, **given))

    def show(screen: Screen) -> None:
        f = figures
        screen.say(
            say(
                "right in {correct} % [{low}, {high}], and says {stated} %",
                correct=round(100 * f.correct, 1),
                low=round(100 * f.correct_low, 1),
                high=round(100 * f.correct_high, 1),
                stated=round(100 * f.stated, 1),
            ),
            "bold",
        )
        screen.say(
            say(
                "runs: mean {mean}, 95 % of searches {p95} at most; {rounds} rounds; {confirming} to confirm",
                mean=round(f.runs_mean, 1),
                p95=round(f.runs_p95, 1),
                rounds=round(f.rounds_mean, 1),
                confirming=round(f.confirm_runs_mean, 1),
            )
        )

    return Answer(YES, figures.as_json(), show)
