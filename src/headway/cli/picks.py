"""Commands of cherry-picks: pick request, pick list, pick apply."""

from __future__ import annotations

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Group, Option, Screen, answering, common_options
from headway.cli.look import shown
from headway.cli.main import cli
from headway.lang import tr
from headway.model.pick import PickRequest, PickVerdict
from headway.model.text import say


@cli.group("pick", cls=Group, help="Cherry-picks onto a release branch: the gate and the queue.")
def pick() -> None: ...


@pick.command("request", cls=Command, help="Ask for a change to be picked; the gate answers at once (P1–P8).")
@click.argument("ref")
@click.option(
    "--category",
    default="",
    metavar="NAME",
    cls=Option,
    help="One of regression, critical, new-feature-fix, docs, release-branch.",
)
@click.option("--reason", default="", metavar="TEXT", cls=Option, help="What it mends.")
@click.option("--evidence", multiple=True, metavar="URL", cls=Option, help="A link or a failing test; may be repeated.")
@click.option("--onto", metavar="VERSION|BRANCH", cls=Option, help="Which line (default: the one that is open).")
@common_options
@answering
def request(
    context: Context, ref: str, category: str, reason: str, evidence: tuple[str, ...], onto: str | None
) -> Answer:
    from headway.picking import request_pick

    found = request_pick(context.app(), PickRequest(ref, category, reason, evidence), onto)
    answer = found.answer
    speaking = (*answer.violations, *answer.reviews)
    document = {
        "id": found.entry.seq,
        "verdict": answer.verdict.value,
        "violations": [v.as_json() for v in speaking],
        "version": found.train.name,
        "branch": found.train.branch,
        "commit": found.entry.payload["commit"],
        "entry": found.entry.as_json(),
    }
    status = {PickVerdict.ACCEPTED: YES, PickVerdict.NEEDS_REVIEW: OPEN, PickVerdict.REFUSED: NO}[answer.verdict]

    def show(screen: Screen) -> None:
        style = {YES: "bold green", OPEN: "bold yellow", NO: "bold red"}[status]
        verdict = screen.word(answer.verdict.value)
        screen.say(
            say("request {id} for {branch}: {verdict}", id=found.entry.seq, branch=found.train.branch, verdict=verdict),
            style,
        )
        screen.reasons(speaking)

    return Answer(status, document, show)


@pick.command("list", cls=Command, help="All requests, with the gate's answers and where each is now.")
@common_options
@answering
def list_(context: Context) -> Answer:
    from headway.decide import record
    from headway.model.entry import Kind

    app = context.app()
    entries = app.entries()
    placed = {
        a.request: a.commit
        for e in record.of(entries, Kind.APPLIED)
        for a in record.applied(entries, e.payload["branch"])
    }
    rows = [
        {
            "id": e.seq,
            "version": e.train,
            "at": e.at.isoformat(),
            "by": e.actor,
            **{k: e.payload[k] for k in ("ref", "commit", "subject", "category", "reason", "evidence", "verdict")},
            "violations": e.payload["violations"],
            "applied": placed.get(e.seq),
        }
        for e in record.of(entries, Kind.REQUESTED)
    ]

    def show(screen: Screen) -> None:
        from rich.table import Table

        table = Table(box=None)
        for title in (say("id"), say("version"), say("category"), say("state"), say("subject")):
            table.add_column(tr(title, screen.lang), overflow="fold")
        for r in rows:
            state = "applied" if r["applied"] else str(r["verdict"])
            clauses = " ".join(v["clause"] for v in r["violations"])
            words = f"{screen.word(state)} {clauses}".strip()
            table.add_row(
                str(r["id"]), str(r["version"]), str(r["category"]) or "-", words, _plain(r["subject"] or r["ref"])
            )
        screen.console.print(table)

    return Answer(YES, {"requests": rows}, show)


def _plain(text: object) -> str:
    from rich.markup import escape

    return escape(str(text))


@pick.command("apply", cls=Command, help="Apply what is accepted, in trunk order; a conflict blocks only itself.")
@click.argument("version", required=False)
@common_options
@answering
def apply(context: Context, version: str | None) -> Answer:
    from headway.app import pick_train
    from headway.model.entry import Kind
    from headway.plan.actions import ApplyChanges, RecordApplied

    app = context.app()
    trains = app.plan().trains
    wanted = trains if version is None else (pick_train(trains, version),)
    done = []
    waits = [w for t in wanted for w in t.waits]
    for t in wanted:
        if isinstance(t.action, ApplyChanges | RecordApplied):
            did, waits_now = app.tick(t.train.name)
            # Somebody else's tick may have been first: then this one did what came next.
            done += [d.entry for d in did if d.entry.kind is Kind.APPLIED]
            waits = list(waits_now)
    rows = [c for e in done for c in e.payload["changes"]]

    def show(screen: Screen) -> None:
        for c in rows:
            screen.line(f"  {c['kind']} {c['origin'][:12]} → {c['commit'][:12]}  {c['subject']}")
        if not rows:
            screen.say(say("nothing to apply"))
        shown(tuple(waits), screen)

    return Answer(YES if rows or not waits else OPEN, {"applied": rows, "waits": [w.as_json() for w in waits]}, show)
