"""What of the board's login is in order: the ways in, who could come in, and whether their rights can be known."""

from __future__ import annotations

from headway.app import Headway
from headway.boardlogin import Ways, ways_in
from headway.decide.boardrights import EVERYBODY, named_for, teams_named
from headway.errors import HeadwayError
from headway.forges import forge_of
from headway.model.finding import Check
from headway.model.text import Text, say
from headway.model.visitor import Role

_NAME = "board"


def board_checks(app: Headway) -> tuple[Check, ...]:
    """Nobody is asked; a login is tried by logging in."""
    board = app.policy.board
    try:
        ways = ways_in(app)
    except HeadwayError as e:
        return (Check(_NAME, False, e.message, e.remedy),)
    if not (board.url or ways.wanted):
        words = say("nobody logs in: `headway serve` shows it on this machine alone")
        return (Check(_NAME, True, words),)
    return (_ways(app, ways), *_reached(app), *(_people(app) if ways.oauth is not None else ()))


def _ways(app: Headway, ways: Ways) -> Check:
    board = app.policy.board
    if ways.lacks:
        words = say("{name} is not set, so nobody can log in with an account", name=ways.lacks)
        return Check(_NAME, False, words, say("set it where `headway serve` runs"))
    if not ways.open:
        words = say("there is no login: `headway serve` ends at once")
        mend = say(
            "set {id} and {secret}, or make a token: `headway token add NAME --role ROLE`",
            id=board.oauth_client_env,
            secret=board.oauth_secret_env,
        )
        return Check(_NAME, False, words, mend)
    if ways.oauth is None:
        return Check(_NAME, True, say("people log in with {count} tokens", count=ways.valid))
    words = say("people log in at {forge}, or with {count} tokens", forge=ways.oauth.web_url, count=ways.valid)
    return Check(_NAME, True, words)


def _reached(app: Headway) -> tuple[Check, ...]:
    url = app.policy.board.url.rstrip("/")
    if url:
        back = f"{url}/login/github/back"
        return (
            Check(_NAME, True, say("others reach it at {url}; the OAuth App leads back to {back}", url=url, back=back)),
        )
    words = say("the policy does not say where others reach it, so it is served to this machine alone")
    return (Check(_NAME, True, words),)


def _people(app: Headway) -> tuple[Check, ...]:
    """What the policy's words about accounts come to."""
    board, found = app.policy.board, []
    opened = [r for r in Role if EVERYBODY in named_for(r, board)]
    if opened:
        words = say("whoever has an account there has the role {role}", role=opened[-1].value)
        mend = say("name people in {key} instead of `*`", key=f"board.{opened[-1].value}s")
        found.append(Check(_NAME, opened[-1] is Role.VIEWER, words, mend))
    asked = [w for r in Role for w in named_for(r, board) if w != EVERYBODY and not w.startswith("@")]
    why = _unasked(app) if asked or teams_named(board) else None
    if why is not None:
        words = say("what people may do in the repository cannot be asked for: {why}", why=why)
        found.append(Check(_NAME, False, words, say("set forge.kind and its token, or name people as `@login`")))
    return tuple(found)


def _unasked(app: Headway) -> Text | None:
    try:
        forge = forge_of(app.policy)
        unsigned = forge.unsigned() if forge is not None else None
    except HeadwayError as e:
        return e.message
    if forge is None:
        return say("the policy names no forge")
    return unsigned.message if unsigned is not None else None
