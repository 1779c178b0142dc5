"""pick drop: a commit out of a release branch."""

from __future__ import annotations

import click

from headway.cli.common import Answer, Command, Context, Option, answering, common_options
from headway.cli.control import kept
from headway.cli.picks import pick


@pick.command("drop", cls=Command, help="Have a commit of a release branch reverted, unexplained or regretted (G3).")
@click.argument("commit")
@click.option("--reason", required=True, metavar="TEXT", cls=Option, help="Why; it stands in the ledger.")
@common_options
@answering
def drop(context: Context, commit: str, reason: str) -> Answer:
    from headway import dropping

    return kept(dropping.drop(context.app(), commit, reason))
