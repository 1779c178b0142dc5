"""Whether people have to log in where the board is served, settled when serving begins.

As soon as there is a way to log in, or the policy says that others reach the board, everybody logs in, also on this
machine; until then whoever reaches its loopback is the one who serves, and nobody else reaches it.
"""

from __future__ import annotations

from dataclasses import dataclass

from headway.app import Headway
from headway.boardlogin import Ways, doors, ways_in
from headway.errors import UnusableInput
from headway.model.text import Text, facts, say
from headway.web.address import Address, is_loopback
from headway.web.loggedin import LoggedIn
from headway.web.people import LocalUser, People


@dataclass(frozen=True, slots=True)
class Entrance:
    """``local``: nobody logs in."""

    app: Headway
    ways: Ways
    local: bool

    def people(self, own: str) -> tuple[Address, People]:
        """Where it is reached, and how visitors are told, for a server that listens at ``own``."""
        url = "" if self.local else self.app.policy.board.url.rstrip("/")
        address = Address(url, own.rstrip("/"), self.local)
        project = self.app.policy.project
        name = project.name or project.repository
        inside = LoggedIn(address, doors(self.app), self.ways.oauth, self.app.progress.say, self.app.clock, name)
        return address, LocalUser(inside) if self.local else inside

    @property
    def told(self) -> tuple[Text, ...]:
        if self.local:
            return ()
        if self.ways.oauth is None:
            return (say("everybody logs in, with a token"),)
        return (say("everybody logs in, with an account on {forge} or a token", forge=self.ways.oauth.web_url),)


def entrance_of(app: Headway, host: str, *, local: bool = False) -> Entrance:
    """How visitors come in to a board that listens on ``host``; ``local``: nobody is to log in, whatever is set up.
    Raises ``UnusableInput``: ``serve.not-loopback``, ``serve.no-login``, ``serve.no-url``."""
    ways, url, here = ways_in(app), app.policy.board.url, is_loopback(host)
    if local and not here:
        raise UnusableInput(
            "serve.not-loopback",
            say("without a login the board is served to this machine only, not on {host}", host=host or "0.0.0.0"),  # noqa: S104
            facts=facts(host=host),
            remedy=say("serve on 127.0.0.1, or without --local"),
        )
    if here and (local or not (url or ways.wanted)):
        return Entrance(app, ways, True)
    if not ways.open:
        raise _nobody(app, ways, host, here)
    if not here and not url:
        raise UnusableInput(
            "serve.no-url",
            say("the policy does not say where others reach the board, so it is not served on {host}", host=host),
            facts=facts(host=host),
            remedy=say("set board.url in release.toml, as https://board.example.org"),
        )
    return Entrance(app, ways, False)


def _nobody(app: Headway, ways: Ways, host: str, here: bool) -> UnusableInput:
    board = app.policy.board
    if ways.lacks:
        remedy = say("set {name}, or make a token: `headway token add NAME --role ROLE`", name=ways.lacks)
    else:
        remedy = say(
            "set {id} and {secret}, or make a token: `headway token add NAME --role ROLE`",
            id=board.oauth_client_env,
            secret=board.oauth_secret_env,
        )
    if here:
        remedy = say("{remedy}; --local serves this machine's own user without a login", remedy=remedy)
    return UnusableInput(
        "serve.no-login",
        say("there is no login, so the board is not served on {host}", host=host or "0.0.0.0"),  # noqa: S104
        facts=facts(host=host, url=board.url or None),
        remedy=remedy,
    )
