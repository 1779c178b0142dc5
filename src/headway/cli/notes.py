"""notes: read them, write a draft, keep what a person made of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headway.cli.common import YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.control import kept
from headway.cli.main import cli
from headway.lang import tr
from headway.model.text import Text, clean, say

if TYPE_CHECKING:
    from headway.noting import Report


@cli.command("notes", cls=Command, help="Release notes of a version, and a person's edit of them (N2).")
@click.argument("version")
@click.option("--format", "form", type=click.Choice(["md", "json"]), default="md", cls=Option, help="How it is shown.")
@click.option("--draft", metavar="FILE", cls=Option, help="Write them to a new file, to be edited.")
@click.option("--keep", metavar="FILE", cls=Option, help="Keep an edited draft: it stands in the ledger.")
@click.option("--unedited", is_flag=True, cls=Option, help="As they are made, without a kept edit.")
@click.option("--tagged", is_flag=True, cls=Option, help="The very text that the final tag carries, to put it back.")
@click.option(
    "--labels", metavar="FILE", cls=Option, help='Labels of pull requests: JSON {"12": ["bug"]}, or CSV rows 12,bug.'
)
@common_options
@answering
def notes(
    context: Context,
    version: str,
    form: str,
    draft: str | None,
    keep: str | None,
    unedited: bool,
    tagged: bool,
    labels: str | None,
) -> Answer:
    from headway import noting
    from headway.refusal import version_of

    wanted = version_of(version)
    alone = {"--keep": keep is not None, "--tagged": tagged}
    others = [draft is not None, unedited, labels is not None, *alone.values()]
    for name in (n for n, given in alone.items() if given and sum(others) > 1):
        raise click.UsageError(f"{name} takes no other option of notes")
    app = context.app()
    if keep is not None:
        return kept(noting.keep(app, wanted, Path(keep)))
    if tagged:
        text = noting.tagged(app, wanted)
        return Answer(YES, {"version": str(wanted), "markdown": text}, lambda _: _plain(text))
    known = noting.read_labels(Path(labels)) if labels is not None else None
    report = noting.notes_for(app, wanted, labels=known, edited=not unedited)
    if draft is not None:
        return _drafted(context, report, Path(draft))
    document = notes_json(report)

    def show(screen: Screen) -> None:
        if form == "json":
            text = json.dumps(document, ensure_ascii=False, indent=1)
        else:
            text = report.markdown(_tongue(screen.lang))
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        _warn(report, screen.lang)

    return Answer(YES, document, show)


def _plain(text: str) -> None:
    sys.stdout.write(text)


def _tongue(lang: str) -> Any:
    from headway.decide.notedocument import Tongue

    return Tongue(lambda text: tr(text, lang), lang == "zh")


def _drafted(context: Context, report: Report, path: Path) -> Answer:
    from headway import noting

    noting.write_draft(report, path, _tongue(context.lang))

    def show(screen: Screen) -> None:
        screen.say(
            say("wrote {path}; edit it, then: headway notes {version} --keep {path}", path=path, version=report.version)
        )
        _warn(report, screen.lang)

    return Answer(YES, {**notes_json(report), "draft": str(path)}, show)


def warnings_of(report: Report) -> tuple[Text, ...]:
    """What a person should know before these notes are published."""
    found = []
    for lost in report.lost:
        if lost.gone:
            text = say(
                "its change is not in the release any more, so this line of yours is gone: {text}", text=lost.text
            )
        elif lost.stay:
            text = say("what it was made from has changed since you wrote this: {text}", text=lost.text)
        else:
            text = say("it is not true any more, so this of yours is gone: {text}", text=lost.text)
        found.append(text)
    if report.notes.people.first_time is None:
        found.append(say("history is missing in this clone, so nobody can tell who contributed for the first time"))
    return tuple(found)


def _warn(report: Report, lang: str) -> None:
    sys.stdout.flush()
    for text in warnings_of(report):
        sys.stderr.write(f"headway: {clean(tr(text, lang))}\n")


def notes_json(report: Report) -> dict[str, Any]:
    """The notes as the contract has them, and more."""
    from headway.decide.notedocument import name_of
    from headway.decide.noteedit import placed

    made, first = report.notes, report.notes.people.first_time
    places = {item.name: section for section, item in placed(report.items())}
    rows = [
        {
            "commit": t.change.commit.sha,
            "origin": t.change.origin.sha,
            "pr": t.pr,
            "title": t.title,
            "author": t.change.origin.author,
            "section": places.get(name_of(t), t.section),
            "group": made.groups[t.group].title if t.group is not None else None,
            "listed": name_of(t) in places,
        }
        for t in made.told
    ]
    names = {(r["section"], r["group"]): None for r in rows if r["group"] is not None}
    groups = [
        {"section": s, "title": g, "lines": [r["title"] for r in rows if (r["section"], r["group"]) == (s, g)]}
        for s, g in names
    ]
    return {
        "version": report.version,
        "previous": report.previous,
        "sections": {name: list(lines) for name, lines in report.sections},
        "groups": groups,
        "changes": rows,
        "first_time": None
        if first is None
        else [{"name": f.person.name, "pr": f.change.origin.pr, "title": f.change.origin.title} for f in first],
        "left_out": [{"commit": c.commit.sha, "title": c.origin.title, "why": why} for c, why in made.left_out],
        "performance": made.figures.counts() if made.figures else None,
        "edited": {"by": report.entry.actor, "entry": report.entry.seq} if report.entry else None,
        "warnings": [str(w) for w in warnings_of(report)],
        "markdown": report.markdown(),
    }
