"""build workflow: how a CI builds candidates."""

from __future__ import annotations

import click

from headway.cli.common import YES, Answer, Command, Context, Group, answering, common_options
from headway.cli.main import cli


@cli.group("build", cls=Group, help="Builds of candidates by a CI (B4).")
def build_group() -> None: ...


@build_group.command(
    "workflow",
    cls=Command,
    help="The GitHub Actions workflow that builds this project's candidates, as the policy names tags and versions.",
)
@common_options
@answering
def workflow(context: Context) -> Answer:
    from headway.policy.workflow import workflow_path, workflow_text

    policy = context.app().policy
    text = workflow_text(policy)
    return Answer(YES, {"path": workflow_path(policy), "text": text}, lambda _: click.echo(text, nl=False))
