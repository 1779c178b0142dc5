"""state load, state save: the ledger and what goes with it, on a branch of the repository."""

from __future__ import annotations

import click

from headway.cli.common import YES, Answer, Command, Context, Group, Option, Screen, answering, common_options
from headway.cli.main import cli
from headway.model.text import say

_BRANCH = click.option(
    "--branch", default="headway-state", show_default=True, cls=Option, help="The branch, which is Headway's own."
)
_REMOTE = click.option(
    "--remote", default="", metavar="NAME|URL|PATH", cls=Option, help="The remote (default: the policy's forge.remote)."
)


@cli.group("state", cls=Group, help="The ledger and what goes with it, carried on a branch of the repository.")
def state() -> None: ...


@state.command("load", cls=Command, help="Bring what was saved last; refuse a ledger that does not continue.")
@_BRANCH
@_REMOTE
@click.option("--begin", is_flag=True, cls=Option, help="Begin a new ledger where Headway worked before.")
@common_options
@answering
def load_(context: Context, branch: str, remote: str, begin: bool) -> Answer:
    from headway import carrying

    app = context.app()
    found = carrying.load(app, carrying.state_branch(app, remote, branch), begin=begin)

    def show(screen: Screen) -> None:
        if found.standing is carrying.Standing.BEGUN:
            screen.say(say("{branch} is not there yet: this is the first run", branch=branch))
        elif found.standing is carrying.Standing.AHEAD:
            screen.say(say("entries were made here since the last save: they stay"), "yellow")
        screen.say(say("{count} entries; the head is {head}", count=found.entries, head=found.head))
        for tag, why in found.missing:
            screen.say(say("the files of {tag} are gone: {why}", tag=tag, why=why), "bold yellow")

    return Answer(YES, {"entry": None, **found.as_json()}, show)


@state.command("save", cls=Command, help="Put it there, unless another run did meanwhile.")
@_BRANCH
@_REMOTE
@common_options
@answering
def save_(context: Context, branch: str, remote: str) -> Answer:
    from headway import carrying

    app = context.app()
    kept = carrying.save(app, carrying.state_branch(app, remote, branch))

    def show(screen: Screen) -> None:
        said = say("{count} files are saved on {branch}", count=len(kept.files), branch=branch)
        screen.say(said if kept.changed else say("{branch} holds all of it already", branch=branch))
        screen.say(say("{count} entries; the head is {head}", count=kept.entries, head=kept.head))

    return Answer(YES, {"entry": None, **kept.as_json()}, show)
