"""Commands of cherry-picks: what is asked for, what people say of it, what is applied, what would apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from headway.cli.common import (
    NO,
    OPEN,
    YES,
    Answer,
    Command,
    Context,
    Group,
    Option,
    Screen,
    answering,
    common_options,
    refusal,
)
from headway.cli.control import kept
from headway.cli.look import shown
from headway.cli.main import cli
from headway.lang import tr
from headway.model.pick import Claims, PickRequest, PickVerdict
from headway.model.text import one_line, say

if TYPE_CHECKING:
    from headway.picking import Requested


@cli.group("pick", cls=Group, help="Cherry-picks onto a release branch: the gate and the queue.")
def pick() -> None: ...


_CLAIMS = (
    click.option(
        "--category",
        default="",
        metavar="NAME",
        cls=Option,
        help="One of regression, critical, new-feature-fix, docs, release-branch.",
    ),
    click.option("--reason", default="", metavar="TEXT", cls=Option, help="What it mends."),
    click.option(
        "--evidence", multiple=True, metavar="URL", cls=Option, help="A link or a failing test; may be repeated."
    ),
    click.option("--good", default="", metavar="RELEASE", cls=Option, help="The release in which it worked (P2)."),
    click.option(
        "--bad", default="", metavar="RELEASE", cls=Option, help="A release, candidate or commit that fails (P2)."
    ),
    click.option(
        "--test",
        default="",
        metavar="ID",
        cls=Option,
        help="A test that fails and passed in the previous release (P2).",
    ),
    click.option(
        "--perf", default="", metavar="TAG", cls=Option, help="The candidate that was measured to be slower (P2)."
    ),
    click.option(
        "--symptom",
        default="",
        metavar="WORDS",
        cls=Option,
        help="What is severe: a name of the policy's, or words (P3).",
    ),
    click.option(
        "--feature",
        default="",
        metavar="REF",
        cls=Option,
        help="The pull request or commit of the feature that it mends (P4).",
    ),
    click.option(
        "--embargo",
        default="",
        metavar="DATE",
        cls=Option,
        help="The day of disclosure of a security fix that is not on the trunk (P8).",
    ),
)


def _claims(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what a request is and what shows it."""
    for option in reversed(_CLAIMS):
        command = option(command)
    return command


@pick.command("request", cls=Command, help="Ask for a change to be picked; the gate answers at once (P1–P8).")
@click.argument("ref")
@_claims
@click.option("--onto", metavar="VERSION|BRANCH", cls=Option, help="Which line (default: the one that is open).")
@common_options
@answering
def request(
    context: Context, ref: str, category: str, reason: str, evidence: tuple[str, ...], onto: str | None, **said: str
) -> Answer:
    from headway.picking import request_pick

    asked = PickRequest(ref, category, reason, evidence, Claims(**said))
    return _answered(request_pick(context.app(), asked, onto))


def _answered(found: Requested) -> Answer:
    from headway.views.auditdocument import waiver_row

    answer = found.answer
    speaking = (*answer.violations, *answer.reviews)
    document = {
        "id": found.id,
        "verdict": answer.verdict.value,
        "violations": [v.as_json() for v in speaking],
        "version": found.train.name,
        "branch": found.train.branch,
        "commit": found.entry.payload["commit"],
        "commits": found.entry.payload["commits"],
        "waits": [w.as_json() for w in found.waits],
        "lapsed": list(found.lapsed),
        "waived": [{**aside.as_json(), "waiver": waiver_row(e)} for aside, e in answer.waived],
        "entry": found.entry.as_json(),
    }
    status = {PickVerdict.ACCEPTED: YES, PickVerdict.NEEDS_REVIEW: OPEN, PickVerdict.REFUSED: NO}[answer.verdict]

    def show(screen: Screen) -> None:
        style = {YES: "bold green", OPEN: "bold yellow", NO: "bold red"}[status]
        verdict = screen.word(answer.verdict.value)
        screen.say(
            say("request {id} for {branch}: {verdict}", id=found.id, branch=found.train.branch, verdict=verdict),
            style,
        )
        screen.reasons(speaking)
        screen.reasons(found.waits)
        if found.lapsed:
            screen.say(say("approvals that count no more: {people}", people=found.lapsed), "bold yellow")
        for aside, e in answer.waived:
            screen.say(
                say(
                    "waived by {person} until {until}: {what}",
                    person=e.actor,
                    until=e.payload["until"],
                    what=tr(aside.text, screen.lang),
                )
            )

    return Answer(status, document, show)


@pick.command("amend", cls=Command, help="Say more of a request: it is put to the gate again, approvals of it lapse.")
@click.argument("number", metavar="ID", type=int)
@_claims
@common_options
@answering
def amend(context: Context, number: int, category: str, reason: str, evidence: tuple[str, ...], **said: str) -> Answer:
    from headway.picking import amend_pick
    from headway.refusal import Refused

    found = amend_pick(
        context.app(), number, category=category, reason=reason, evidence=evidence, claims=Claims(**said)
    )
    return refusal(found.reasons) if isinstance(found, Refused) else _answered(found)


@pick.command("withdraw", cls=Command, help="Take your own request back.")
@click.argument("number", metavar="ID", type=int)
@click.option("--reason", required=True, metavar="TEXT", cls=Option, help="Why; it stands in the ledger.")
@common_options
@answering
def withdraw(context: Context, number: int, reason: str) -> Answer:
    from headway import reviewing

    return kept(reviewing.withdraw(context.app(), number, reason))


@pick.command("reject", cls=Command, help="A reviewer's no to a request.")
@click.argument("number", metavar="ID", type=int)
@click.option("--reason", required=True, metavar="TEXT", cls=Option, help="Why; it stands in the ledger.")
@common_options
@answering
def reject(context: Context, number: int, reason: str) -> Answer:
    from headway import reviewing

    return kept(reviewing.reject(context.app(), number, reason))


@pick.command("paid", cls=Command, help="Say that the trunk has an embargoed fix now, as a commit that differs (P8).")
@click.argument("number", metavar="ID", type=int)
@click.argument("commit")
@common_options
@answering
def paid(context: Context, number: int, commit: str) -> Answer:
    from headway import reviewing

    return kept(reviewing.paid(context.app(), number, commit))


@pick.command("list", cls=Command, help="All requests, with the gate's answers and where each is now.")
@click.argument("version", required=False)
@common_options
@answering
def list_(context: Context, version: str | None) -> Answer:
    from headway.decide.pickstates import PICK_STATES
    from headway.picking import all_picks

    rows = all_picks(context.app(), version)

    def show(screen: Screen) -> None:
        from rich.table import Table

        table = Table(box=None)
        for title in (say("id"), say("version"), say("category"), say("state"), say("subject")):
            table.add_column(tr(title, screen.lang), overflow="fold")
        for r in rows:
            clauses = " ".join(dict.fromkeys((*(v["clause"] for v in r.violations), *(w.clause for w in r.waits))))
            words = f"{tr(PICK_STATES[r.state], screen.lang)} {clauses}".strip()
            table.add_row(str(r.id), r.version, _plain(r.category_word or "-"), words, _plain(r.subject or r.ref))
        screen.console.print(table)

    return Answer(YES, {"requests": [r.as_json() for r in rows]}, show)


def _plain(text: object) -> str:
    from rich.markup import escape

    return escape(one_line(str(text)))


@pick.command("apply", cls=Command, help="Apply what is accepted, in trunk order; a conflict blocks only itself.")
@click.argument("version", required=False)
@common_options
@answering
def apply(context: Context, version: str | None) -> Answer:
    from headway.model.entry import Kind
    from headway.plan.actions import ApplyChanges, RecordApplied
    from headway.plan.trainplan import pick_train

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


@pick.command(
    "check",
    cls=Command,
    help="Would each commit apply cleanly, on its own? Nothing is written.",
)
@click.argument("commits", nargs=-1, metavar="COMMIT…")
@click.option("--onto", metavar="REF", cls=Option, help="What they would be picked onto.")
@click.option("--pairs", metavar="FILE", cls=Option, help="A file of lines ONTO COMMIT instead (-: standard input).")
@click.option("--parent", type=int, metavar="N", cls=Option, help="Of a merge: the parent it is compared with.")
@click.option(
    "--prerequisites",
    is_flag=True,
    cls=Option,
    help="Suggest the few earlier commits that a conflict needs.",
)
@common_options
@answering
def check(
    context: Context,
    commits: tuple[str, ...],
    onto: str | None,
    pairs: str | None,
    parent: int | None,
    prerequisites: bool,
) -> Answer:
    import gc
    from pathlib import Path

    from headway.history.pickcheck import Asked, read_pairs
    from headway.history.repository import open_at_once
    from headway.pickcheck import check_picks

    if pairs is None and (onto is None or not commits):
        raise click.UsageError("name --onto REF and at least one COMMIT, or --pairs FILE")
    if pairs is not None and (onto is not None or commits):
        raise click.UsageError("--pairs FILE says it all: leave out --onto and COMMIT")
    asked = (
        tuple(read_pairs(_text_of(pairs), pairs)) if pairs is not None else tuple(Asked(onto or "", c) for c in commits)
    )
    gc.disable()  # a short process of very many small objects that never form cycles: a tenth of its time
    repo = open_at_once(Path(context.given.get("repo") or "."))
    found = check_picks(repo, asked, parent, context.policy() if prerequisites else None)
    status = NO if any(c.clean is False for c in found) else OPEN if any(c.clean is None for c in found) else YES

    def show(screen: Screen) -> None:
        from headway.cli.checked import show_checked

        show_checked(found, screen)

    return Answer(status, {"results": [c.as_json() for c in found]}, show)


def _text_of(name: str) -> str:
    """A file that a person named, or standard input; a mark of its encoding and foreign bytes do no harm."""
    import sys
    from pathlib import Path

    from headway.errors import UnusableInput

    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as e:
        why = e.strerror if isinstance(e, OSError) else str(e)
        raise UnusableInput(
            "pick.pairs",
            say("{file}: {why}", file=ascii(name)[1:-1], why=why),
            remedy=say("name a file of lines ONTO COMMIT"),
        ) from e
    return data.decode("utf-8", "surrogateescape")
