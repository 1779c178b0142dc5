"""Commands that look: status, plan, tick, version, calendar."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Group, Option, Screen, answering, common_options
from headway.cli.main import cli
from headway.lang import tr
from headway.model.reason import Reason
from headway.model.text import Text, say


class Retried(click.Choice[str]):
    """A step that can be done again: one of these, or a gate of the policy, which only the project can tell."""

    def __init__(self) -> None:
        super().__init__(["build", "test", "repack", "images", "measure", "publish", "gate:NAME"])

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value if value.startswith("gate:") else super().convert(value, param, ctx)


def shown(reasons: tuple[Reason, ...], screen: Screen) -> None:
    if reasons:
        screen.say(say("waiting for:"), "bold")
        screen.reasons(reasons)


@cli.command("status", cls=Command, help="All live trains: where each is and what it waits for.")
@common_options
@answering
def status(context: Context) -> Answer:
    from headway.views.board import board, board_json
    from headway.views.terminal import BoardTable

    app = context.app()
    found = board(app.plan(), app.policy, app.entries(), app.clock.now())
    return Answer(YES, board_json(found), lambda s: s.console.print(BoardTable(found, s.lang)))


@cli.command("plan", cls=Command, help="What the next tick would do, and what it waits for. Writes nothing.")
@click.argument("version", required=False)
@common_options
@answering
def plan(context: Context, version: str | None) -> Answer:
    from headway import ticking
    from headway.plan.trainplan import Plan, pick_train
    from headway.views.board import phase_text
    from headway.views.words import STAGES, action_text, applied_lines

    app = context.app()
    found, unread = ticking.look(app)
    if version is not None:
        one = pick_train(found.trains, version)
        hub = tuple(a for a in found.hub if a.train in {one.train.name, ""})
        found = Plan((one,), found.proposals, found.notes, hub)

    def show(screen: Screen) -> None:
        for note in found.notes:
            screen.say(say("the next tick would: {what}", what=tr(action_text(note), screen.lang)), "green")
        for t in found.trains:
            phase = phase_text(t, app.policy, app.clock.now())
            words = [t.train.name, tr(STAGES[t.stage], screen.lang), *([tr(phase, screen.lang)] if phase else [])]
            screen.line("  ".join(words), "bold")
            if t.action is not None:
                screen.say(say("the next tick would: {what}", what=tr(action_text(t.action), screen.lang)), "green")
                for line in applied_lines(t.action):
                    screen.line(f"  {line}", "green")
            shown(t.waits, screen)
        for action in found.hub:
            screen.say(say("the next tick would: {what}", what=tr(action_text(action), screen.lang)), "green")
        for p in found.proposals:
            screen.say(say("proposed: {version}", version=p.train.name), "bold")
            screen.reasons(p.reasons)

        if unread:
            screen.say(say("the forge cannot be read, so the next tick would do nothing: {why}", why=unread), "red")

    document = {**found.as_json(), **({"unread": unread} if unread else {})}
    return Answer(YES if found.actions else OPEN, document, show)


@cli.command("tick", cls=Command, help="Do what the plan says, once for each train.")
@click.argument("version", required=False)
@click.option("--settle", is_flag=True, cls=Option, help="Go on until nothing but waits is left.")
@click.option(
    "--retry",
    type=Retried(),
    cls=Option,
    help="First set a failed step of the newest candidate aside, so that it is done again.",
)
@common_options
@answering
def tick(context: Context, version: str | None, settle: bool, retry: str | None) -> Answer:
    from headway import controls, ticking
    from headway.cli.common import refusal
    from headway.decide.checks import let_pass
    from headway.model.entry import Kind
    from headway.plan.actions import action_json
    from headway.refusal import Refused
    from headway.views.hubwords import answered_text
    from headway.views.words import action_text

    app = context.app()
    if retry is not None:
        again = controls.retry(app, version, retry)
        if isinstance(again, Refused):
            return refusal(again.reasons)
    ticked = ticking.tick(app, version, settle=settle)
    done, waits = ticked.done, ticked.waits
    rows: list[dict[str, Any]] = [
        {"kind": "answer", "target": e.payload["about"], "entry": e.seq, "result": dict(e.payload)}
        for e in ticked.answered
    ]
    rows += [{**action_json(d.action), "entry": d.entry.seq, "result": dict(d.entry.payload)} for d in done]

    def show(screen: Screen) -> None:
        for e in ticked.answered:
            good = e.payload["ok"]
            screen.say(answered_text(e.payload), "green" if good else "red")
        for d in done:
            what = tr(action_text(d.action), screen.lang)
            if d.entry.payload.get("ok", True):
                screen.say(say("done: {what}", what=what), "green")
            elif d.entry in passed:
                screen.say(say("failed, and waived: {what}", what=what), "yellow")
            else:
                screen.say(say("failed: {what}", what=what), "red")
        shown(waits, screen)

    can_fail = {Kind.BUILT, Kind.TESTED, Kind.GATED, Kind.REPACKED, Kind.PUBLISH_FAILED}
    document = {"done": rows, "waits": [w.as_json() for w in waits]}
    bad = [d.entry for d in done if d.entry.kind in can_fail and not d.entry.payload.get("ok", True)]
    snapshot = app.observe() if bad else None
    passed = [e for e in bad if snapshot is not None and let_pass(e, snapshot, app.policy)]
    return Answer(NO if len(passed) < len(bad) else YES if ticked.anything or not waits else OPEN, document, show)


@cli.group("version", cls=Group, help="Versions by the policy's scheme.")
def version_group() -> None: ...


@version_group.command("next", cls=Command, help="The next version on this line (V1–V4).")
@click.option(
    "--kind",
    type=click.Choice(["major", "minor", "patch", "post"]),
    cls=Option,
    help="What it counts (default: what a regular release of this policy counts).",
)
@common_options
@answering
def version_next(context: Context, kind: str | None) -> Answer:
    from headway.decide import record
    from headway.decide.trains import branch_for
    from headway.decide.versioning import latest_final, next_train_version
    from headway.policy.scheme import (
        ReleaseKind,
        cuts_own_branch,
        final_tag,
        is_fix,
        parse_version,
        regular_kind,
    )

    app = context.app()
    finals = tuple(r.version for r in app.releases())
    gone = frozenset(v for n in record.given_up(app.entries()) if (v := parse_version(n)) is not None)
    current = latest_final(finals)
    names = app.policy.versions
    counted = ReleaseKind(kind) if kind else regular_kind(names)
    following = next_train_version(finals, gone, counted, app.policy)
    document = {
        "current": str(current) if current else None,
        "next": str(following),
        "tag": final_tag(following, names),
        "branch": branch_for(following, app.entries(), app.policy),
        "reuses_branch": is_fix(following, names) and not cuts_own_branch(following, names),
    }
    return Answer(
        YES, document, lambda s: s.line(f"{document['current'] or '-'} → {following}  ({document['branch']})")
    )


@cli.command("calendar", cls=Command, help="The year's releases, with the windows of cuts and post releases (C3).")
@click.option("--year", type=click.IntRange(1, 9999), cls=Option, help="The year (default: this one).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "ics"]),
    default="table",
    cls=Option,
    help="How it is shown.",
)
@common_options
@answering
def calendar(context: Context, year: int | None, form: str) -> Answer:
    from headway.views.calendar import calendar_ics, calendar_json, calendar_table

    year = year or context.clock.now().year
    rows, name, seen, zone = _calendar(context, year)
    document = calendar_json(year, rows)

    def words(text: Text, lang: str = context.lang) -> str:
        return tr(text, lang)

    def show(screen: Screen) -> None:
        if form == "json":
            screen.line(json.dumps(document, indent=1))
        elif form == "ics":
            ics = calendar_ics(
                rows, project=name, now=context.clock.now(), revision=seen, timezone=zone, translate=words
            )
            sys.stdout.flush()
            sys.stdout.buffer.write(ics)
        else:
            screen.console.print(calendar_table(year, rows, words))

    return Answer(YES, document, show)


def _calendar(context: Context, year: int) -> tuple[Any, str, Any, str]:
    """With a repository, what is released, slipped and skipped; without one, the policy's plan alone. Rows, name,
    revision and zone."""
    from headway.decide.calendar import release_calendar
    from headway.decide.mishaps import Revision
    from headway.errors import UnusableInput
    from headway.policy.loader import load_policy
    from headway.policyfile import read_policy
    from headway.reports import calendar_of, calendar_revision

    try:
        app = context.app()
    except UnusableInput as e:
        if context.given.get("repo") or e.code not in {"repo.not-found", "repo.empty", "repo.no-trunk"}:
            raise
        file, preset = context.given.get("policy"), context.given.get("preset")
        policy = read_policy(Path(file), preset) if file else load_policy(None, source="preset", preset=preset)
        rows = release_calendar(policy, year, context.clock.now(), {}, frozenset(), {})
        return rows, "headway", Revision(0, None), policy.cadence.timezone
    name = app.policy.project.name or app.repo.git_dir.parent.name
    return calendar_of(app, year), name, calendar_revision(app), app.policy.cadence.timezone
