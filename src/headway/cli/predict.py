"""version predict: what a build of a commit would be called."""

from __future__ import annotations

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.look import version_group
from headway.model.text import say


@version_group.command(
    "predict",
    cls=Command,
    help="The version that a build of a commit would carry, and whether tags make that wrong (V5, B1, B4). "
    "COMMIT is by default what is checked out, in a bare repository the trunk's tip. No code of the project is run.",
)
@click.argument("commit", required=False)
@click.option(
    "--project",
    metavar="DIR",
    cls=Option,
    help="The project's folder in the repository (default: where --repo points).",
)
@common_options
@answering
def version_predict(context: Context, commit: str | None, project: str | None) -> Answer:
    from headway.prediction import predict

    found = predict(context.app(), commit, project)

    def show(screen: Screen) -> None:
        screen.line(found.version or "-", "bold red" if found.problems else "bold")
        screen.line(f"  {found.commit}" + (f"  {found.branch}" if found.branch else ""), "dim")
        if found.by:
            screen.say(say("  by {by}, from {file}", by=found.by, file=found.file), "dim")
        if found.tag:
            screen.say(say("  {count} commits after the tag {tag}", count=found.distance, tag=found.tag), "dim")
        screen.reasons((*found.problems, *found.waits))

    return Answer(NO if found.problems else YES if found.version else OPEN, found.as_json(), show)
