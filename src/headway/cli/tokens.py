"""token: who may come in to the board with a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headway.cli.common import YES, Answer, Command, Context, Group, Option, Screen, answering, common_options
from headway.cli.main import cli
from headway.model.text import say
from headway.model.visitor import SCOPES, Role

if TYPE_CHECKING:
    from headway.model.visitor import BoardToken

_ROLES = [r.value for r in Role if r is not Role.NOBODY]


@cli.group("token", cls=Group, help="Tokens that open the board and its API.")
def token() -> None:
    pass


@token.command("add", cls=Command, help="Make a token; it is shown once and kept nowhere.")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True, cls=Option, help="What whoever has it may do.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    cls=Option,
    help="What it is made for, if not for all that the role may; metrics is never meant otherwise.",
)
@click.option(
    "--expires",
    type=click.IntRange(1, 3660),
    metavar="DAYS",
    cls=Option,
    help="Days after which it opens nothing (default: none).",
)
@common_options
@answering
def add(context: Context, name: str, role: str, scopes: tuple[str, ...], expires: int | None) -> Answer:
    from headway.boardlogin import add_token, doors

    app = context.app()
    first = not doors(app).tokens()
    made = add_token(app, name, Role(role), scopes, expires)

    def show(screen: Screen) -> None:
        screen.line(made.secret, "bold")
        screen.say(say("a token for {name} ({role}); this is the only time that it is shown", name=name, role=role))
        if first:
            screen.say(say("a `headway serve` that runs already asks for it once it is started again"))

    return Answer(YES, {"entry": made.entry.as_json(), "token": made.secret, **made.token.as_json()}, show)


@token.command("list", cls=Command, help="All tokens that were made; what opens the board is not shown.")
@common_options
@answering
def tokens(context: Context) -> Answer:
    from headway.boardlogin import doors

    app = context.app()
    found, now = doors(app).tokens(), app.clock.now()
    rows = [{**t.as_json(), "state": t.state(now)} for t in found]

    def show(screen: Screen) -> None:
        if not found:
            screen.say(say("no token was made"))
        for t in found:
            screen.line(f"  {t.id}  {screen.word(t.state(now))}  {t.name}  {_told(screen, t)}")

    return Answer(YES, {"tokens": rows}, show)


@token.command("revoke", cls=Command, help="Let nobody in by a token any more; logins by it end.")
@click.argument("token", metavar="NAME|ID")
@common_options
@answering
def revoke(context: Context, token: str) -> Answer:
    from headway.boardlogin import revoke_token

    gone, entry = revoke_token(context.app(), token)

    def show(screen: Screen) -> None:
        screen.say(say("token {id} for {name} opens nothing any more", id=gone.id, name=gone.name), "bold")

    return Answer(YES, {"entry": entry.as_json(), "id": gone.id, "name": gone.name}, show)


def _told(screen: Screen, token: BoardToken) -> str:
    from headway.model.visitor import in_order

    until = f"{token.ends:%Y-%m-%d}" if token.ends else "–"
    return f"{screen.word(token.role.value)} ({', '.join(in_order(token.scopes))})  → {until}"
