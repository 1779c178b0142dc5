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
from headway.model.text import clean, say

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
    from headway.notesdocument import notes_json

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

    from headway.notesdocument import notes_json

    return Answer(YES, {**notes_json(report), "draft": str(path)}, show)


def _warn(report: Report, lang: str) -> None:
    from headway.notesdocument import warnings_of

    sys.stdout.flush()
    for text in warnings_of(report):
        sys.stderr.write(f"headway: {clean(tr(text, lang))}\n")
