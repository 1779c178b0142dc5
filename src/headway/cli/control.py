"""A person's controls: cut, recut, approve, hold, release-hold, waive, slip, skip, abandon, adopt, yank."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from headway.cli.common import YES, Answer, Command, Context, Option, answering, common_options, refusal
from headway.cli.main import cli
from headway.errors import UnusableInput
from headway.model.entry import Entry
from headway.model.text import Text, say


def kept(result: Any, then: tuple[Text, ...] = ()) -> Answer:
    """What a control wrote and what comes ``then``, or why it was refused."""
    from headway.refusal import Refused

    if isinstance(result, Refused):
        return refusal(result.reasons)
    entries: tuple[Entry, ...] = result if isinstance(result, tuple) else (result,)
    document: dict[str, Any] = {"entry": entries[-1].as_json() if entries else None}
    if len(entries) != 1:
        document["entries"] = [e.as_json() for e in entries]

    def show(screen: Any) -> None:
        from headway.views.timeline import words_of

        for e in entries:
            screen.line(f"  #{e.seq}  {words_of(e, screen.lang)}")
            for left in e.payload.get("left_out", ()):
                text = say("left out, since it conflicts: request {request} {subject}", **left)
                screen.say(text, "bold yellow")
        for text in then:
            screen.say(text)

    return Answer(YES, document, show)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as e:
        remedy = say("write it like 2025-02-05")
        raise UnusableInput("usage.date", say("{text} is not an ISO 8601 date", text=text), remedy=remedy) from e


_REASON: dict[str, Any] = {"required": True, "metavar": "TEXT", "cls": Option, "help": "Why; it stands in the ledger."}


@cli.command("cut", cls=Command, help="Cut a version's release branch now, in the window of B2.")
@click.argument("version")
@click.option("--at", metavar="COMMIT", cls=Option, help="The trunk commit (default: the newest that is green).")
@common_options
@answering
def cut(context: Context, version: str, at: str | None) -> Answer:
    from headway import controls

    return kept(controls.cut(context.app(), version, at))


@cli.command("recut", cls=Command, help="Cut a train again on another commit, on a branch of a new name (B1).")
@click.argument("version")
@click.option("--at", required=True, metavar="COMMIT", cls=Option, help="The trunk commit.")
@click.option("--reason", **_REASON)
@common_options
@answering
def recut(context: Context, version: str, at: str, reason: str) -> Answer:
    from headway import recutting

    return kept(recutting.recut(context.app(), version, at, reason))


@cli.command("approve", cls=Command, help="Open a gate for the candidate and the evidence as they are now (G1).")
@click.argument("version")
@click.argument("gate")
@click.option(
    "--evidence",
    default="",
    metavar="DIGEST",
    cls=Option,
    help="What was looked at; if it is other evidence by now, nothing is approved.",
)
@common_options
@answering
def approve(context: Context, version: str, gate: str, evidence: str) -> Answer:
    from headway import controls

    return kept(controls.approve(context.app(), version, gate, evidence))


@cli.command("hold", cls=Command, help="Stop a train, or all of them, until the hold is released (G2).")
@click.argument("version", required=False)
@click.option("--reason", **_REASON)
@common_options
@answering
def hold(context: Context, version: str | None, reason: str) -> Answer:
    from headway import controls

    return kept(controls.hold(context.app(), version, reason))


@cli.command("release-hold", cls=Command, help="Undo the hold that is in force.")
@click.argument("version", required=False)
@common_options
@answering
def release_hold(context: Context, version: str | None) -> Answer:
    from headway import controls

    return kept(controls.release_hold(context.app(), version))


@cli.command(
    "waive",
    cls=Command,
    help="Waive a clause, a performance cell, a gate or a check for one train, or a clause for one change of it.",
)
@click.argument("version")
@click.argument("what", metavar="CLAUSE|CELL|gate:NAME|check:NAME")
@click.option("--reason", **_REASON)
@click.option("--until", required=True, metavar="DATE", cls=Option, help="The last day on which it holds.")
@click.option("--commit", metavar="REF", cls=Option, help="The one change that it is for (P1, P7, P8).")
@common_options
@answering
def waive(context: Context, version: str, what: str, reason: str, until: str, commit: str | None) -> Answer:
    from headway import controls
    from headway.reviewing import refused_requests

    app = context.app()
    result = controls.waive(app, version, what, reason, _day(until), commit)
    again = refused_requests(app, result) if isinstance(result, Entry) else ()
    then = (say("  put request {id} to the gate again: `headway pick amend {id}`", id=a.id) for a in again)
    return kept(result, tuple(then))


@cli.command("slip", cls=Command, help="Give a train another date; the old one is kept (C4).")
@click.argument("version")
@click.option("--to", required=True, metavar="DATE", cls=Option, help="The new day.")
@click.option("--reason", **_REASON)
@common_options
@answering
def slip(context: Context, version: str, to: str, reason: str) -> Answer:
    from headway import controls

    return kept(controls.slip(context.app(), version, _day(to), reason))


@cli.command("skip", cls=Command, help="Leave a train out before its cut.")
@click.argument("version")
@click.option("--reason", **{**_REASON, "required": False, "default": ""})
@common_options
@answering
def skip(context: Context, version: str, reason: str) -> Answer:
    from headway import controls

    return kept(controls.skip(context.app(), version, reason))


@cli.command("abandon", cls=Command, help="Give a train up after its cut.")
@click.argument("version")
@click.option("--reason", **{**_REASON, "required": False, "default": ""})
@common_options
@answering
def abandon(context: Context, version: str, reason: str) -> Answer:
    from headway import controls

    return kept(controls.abandon(context.app(), version, reason))


@cli.command("adopt", cls=Command, help="Explain commits that were put on a release branch by hand (G3).")
@click.argument("commit", nargs=-1, required=True)
@click.option("--category", default="", metavar="NAME", cls=Option, help="The category of P1 that they have.")
@click.option("--reason", **{**_REASON, "required": False, "default": ""})
@common_options
@answering
def adopt(context: Context, commit: tuple[str, ...], category: str, reason: str) -> Answer:
    from headway import picking

    return kept(picking.adopt(context.app(), commit, category, reason))


@cli.command("yank", cls=Command, help="Withdraw a published version from the index (PEP 592), or offer it again.")
@click.argument("version")
@click.option("--reason", **_REASON)
@click.option("--successor", metavar="VERSION", cls=Option, help="The release that the index tells people to use.")
@click.option("--undo", is_flag=True, cls=Option, help="Offer a withdrawn version again.")
@common_options
@answering
def yank(context: Context, version: str, reason: str, successor: str | None, undo: bool) -> Answer:
    from headway import withdrawing
    from headway.decide import yanks

    app = context.app()
    result = withdrawing.unyank(app, version, reason) if undo else withdrawing.yank(app, version, reason, successor)
    if not isinstance(result, Entry) or not result.payload["by_hand"]:
        return kept(result)
    if undo:
        return kept(result, (say("  now un-yank {version} on the project's page of the index", version=result.train),))
    words = yanks.reason_of(result)
    by_hand = say(
        "  now yank {version} on the project's page of the index, with the reason: {reason}",
        version=result.train,
        reason=words,
    )
    return kept(result, (by_hand,))
