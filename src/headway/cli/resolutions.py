"""Commands of a conflict's resolution: pick show, pick resolve."""

from __future__ import annotations

import click

from headway.cli.common import OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options, refusal
from headway.cli.look import shown
from headway.cli.picks import pick
from headway.lang import tr
from headway.model.text import say


@pick.command("resolve", cls=Command, help="Record how you resolved a request's conflict on its workspace branch (P8).")
@click.argument("request", metavar="ID", type=int)
@click.option("--commit", "rev", metavar="REV", cls=Option, help="The commit (default: the workspace's tip).")
@common_options
@answering
def resolve(context: Context, request: int, rev: str | None) -> Answer:
    from headway.refusal import Refused
    from headway.resolving import resolve as resolved

    found = resolved(context.app(), request, rev)
    if isinstance(found, Refused):
        return refusal(found.reasons)
    p, needs, version = found.entry.payload, found.needs, found.entry.train
    document = {
        "entry": found.entry.as_json(),
        "approvals": max(0, needs.approvals),
        "not_by": list(needs.but),
        "conflicts": list(found.conflicts),
    }

    def show(screen: Screen) -> None:
        screen.say(
            say("the conflict of request {id} is resolved in {commit}", id=request, commit=p["commit"][:12]), "green"
        )
        if found.conflicts:
            text = say(
                "{branch} has moved: there it conflicts in {paths}; once approved, it gets a workspace of its own",
                branch=p["branch"],
                paths=found.conflicts,
            )
            screen.say(text, "bold yellow")
        screen.say(say("  compare it with its origin: `headway pick show {id}`", id=request))
        screen.say(
            say(
                "  approvals it waits for, not by {people}: {count}; `headway approve {version} pick:{id}`",
                people=needs.but,
                count=max(0, needs.approvals),
                version=version,
                id=request,
            )
        )

    return Answer(YES, document, show)


@pick.command(
    "show", cls=Command, help="One request: its state, evidence and approvals, and how a conflict was resolved."
)
@click.argument("request", metavar="ID", type=int)
@common_options
@answering
def show_request(context: Context, request: int) -> Answer:
    from headway.resolving import shown as read
    from headway.views.picks import PICK_STATES

    page = read(context.app(), request)

    def show(screen: Screen) -> None:
        for text, style in page.lines():
            screen.say(text, style)
        screen.say(say("  state: {state}", state=tr(PICK_STATES[page.row.state], screen.lang)), "bold")
        shown(page.waits, screen)

    return Answer(OPEN if page.asked.open and page.waits else YES, page.as_json(), show)
