"""Commands of a conflict's resolution: pick show, pick resolve."""

from __future__ import annotations

import click

from headway.cli.common import OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options, refusal
from headway.cli.look import shown
from headway.cli.picks import pick
from headway.lang import tr
from headway.model.text import say


def _number(name: str) -> int | None:
    """A request's number; ``None`` for the name of a commit."""
    return int(name) if name.isdecimal() and len(name) < 7 else None


@pick.command(
    "resolve",
    cls=Command,
    help="Record how you resolved a conflict, of a request or a revert (P8, B6).",
)
@click.argument("request", metavar="ID|COMMIT")
@click.option("--commit", "rev", metavar="REV", cls=Option, help="The commit (default: the workspace's tip).")
@common_options
@answering
def resolve(context: Context, request: str, rev: str | None) -> Answer:
    from headway.refusal import Refused
    from headway.resolving import resolve as resolved
    from headway.resolving import resolve_revert

    app, number = context.app(), _number(request)
    found = resolve_revert(app, request, rev) if number is None else resolved(app, number, rev)
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
        screen.say(say("the conflict of {id} is resolved in {commit}", id=request, commit=p["commit"][:12]), "green")
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
                "  approvals it waits for, not by {people}: {count}; `headway approve {version} {gate}`",
                people=needs.but,
                count=max(0, needs.approvals),
                version=version,
                gate=f"pick:{request}" if p["request"] else f"revert:{p['undoes'][:12]}",
            )
        )

    return Answer(YES, document, show)


@pick.command(
    "show",
    cls=Command,
    help="One request, or a revert that conflicts: state, evidence, approvals, resolution.",
)
@click.argument("request", metavar="ID|COMMIT")
@common_options
@answering
def show_request(context: Context, request: str) -> Answer:
    from headway.decide.pickstates import PICK_STATES
    from headway.resolving import shown as read
    from headway.resolving import shown_revert

    app, number = context.app(), _number(request)
    if number is None:
        revert = shown_revert(app, request)

        def show_revert(screen: Screen) -> None:
            for text, style in revert.lines():
                screen.say(text, style)
            shown(revert.waits, screen)

        return Answer(OPEN if revert.waits else YES, revert.as_json(), show_revert)
    page = read(app, number)

    def show(screen: Screen) -> None:
        for text, style in page.lines():
            screen.say(text, style)
        screen.say(say("  state: {state}", state=tr(PICK_STATES[page.row.state], screen.lang)), "bold")
        shown(page.waits, screen)

    return Answer(OPEN if page.asked.open and page.waits else YES, page.as_json(), show)
