"""All that Headway asks of a forge: what an adapter for one gives. ``headway.forges`` finds it by ``forge.kind``.

GitHub's is ``headway.github.adapter``; that of another forge is a package of its own, see "Another forge" in the
documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from headway.errors import UnusableInput
from headway.model.build import CiCheck
from headway.model.commit import Sha
from headway.model.finding import Check
from headway.model.ports import Clock, Forge, Hub
from headway.model.text import say

Headers = Mapping[str, tuple[str, ...]]
"""A request's headers: a name in lower case to all of its values."""


def no_token() -> str:
    """Git's own credentials are enough."""
    return ""


@dataclass(frozen=True, slots=True)
class GitAccess:
    """How git gets into the repository. ``host`` (``scheme://host[:port]``) is all that may be given ``user`` and what
    ``token`` gives, which is asked for when git is started (``""``: git's own credentials are asked). ``hosts``: the
    names by which git may know the forge, lower case (empty: any). ``pull_head``: the ref that a pull request's head
    has there; field: {number}."""

    host: str = ""
    user: str = ""
    token: Callable[[], str] = field(default=no_token, repr=False)
    hosts: frozenset[str] = frozenset()
    pull_head: str = "refs/pull/{number}/head"


class Asking(Protocol):
    """A tick's conversation with a forge, which ``forge.budget`` bounds. What is asked beyond raises ``BudgetSpent``
    before anything is sent."""

    @property
    def used_up(self) -> bool:
        """Nothing more may be asked in this tick."""
        ...

    def sparing(self) -> AbstractContextManager[None]:
        """Some of the budget is left for what comes after."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a webhook says, of which nothing is taken as a fact. ``id`` is the forge's own (a UUID), the same when it is
    sent again; ``repository`` as the policy writes it (``""``: of none); ``number`` that of the issue or pull request
    (0: of none). ``ping``: the forge tries the address; ``look``: a tick may see something after it that the one before
    did not."""

    id: str
    repository: str
    event: str
    action: str
    number: int
    ping: bool
    look: bool


class WebhookReader(Protocol):
    """Deliveries of a forge. Who cannot sign learns nothing: a body is read only if ``claims``, and told of only if
    ``signed``."""

    @property
    def most_bytes(self) -> int:
        """Of a body."""
        ...

    def claims(self, headers: Headers) -> bool:
        """Whether the request has a signature of the right form."""
        ...

    def signed(self, headers: Headers, body: bytes, secret: str) -> bool:
        """Whether it is that of the body, compared in constant time."""
        ...

    def read(self, headers: Headers, body: bytes) -> Delivery:
        """Raises ``UnusableInput``: ``webhook.delivery``, ``webhook.event``, ``webhook.content-type``,
        ``webhook.payload``."""
        ...


def late() -> UnusableInput:
    """A login that was begun too long ago, twice, or in another browser."""
    return UnusableInput(
        "login.late", say("this login was not begun here, or too long ago"), remedy=say("log in again")
    )


class LoginBy(Protocol):
    """The authorization code flow with PKCE (RFC 6749 §4.1, RFC 7636), at a forge whose pages are at ``web_url``."""

    @property
    def web_url(self) -> str: ...

    def begin(self, back: str, state: str, verifier: str) -> str:
        """The address at the forge that a browser is sent to; it comes ``back`` with the ``state``."""
        ...

    def login(self, code: str, back: str, verifier: str) -> str:
        """The login of who came back with a ``code``; what told it is forgotten. Raises ``late()`` for a code that is
        used up, and ``WorldFailed``."""
        ...


class ForgeAdapter(Protocol):
    """One policy's forge. Making it asks nothing, nor does any of these but what they say."""

    @property
    def webhooks(self) -> WebhookReader: ...

    def hub(self) -> Hub:
        """Where people talk about changes. Raises ``UnusableInput`` where the environment holds what cannot be
        used."""
        ...

    def releases(self, step: Callable[[str], None]) -> Forge:
        """Where release objects are; ``step("asset:<file>")`` is to be called after each asset. Raises as ``hub``."""
        ...

    def git(self) -> GitAccess: ...

    def asking(
        self, kept: Path | None, budget: int | None, clock: Clock, patience_s: float | None = None
    ) -> AbstractContextManager[Asking]:
        """Meanwhile all that this forge is asked counts to ``budget`` (``None``: no end). ``kept`` is a folder of this
        project's for answers that the next tick may use (``None``: nothing is kept); ``patience_s`` bounds the seconds
        that limits and faults may be waited for (``None``: as a tick does)."""
        ...

    def login(self, client_id: str, secret: str) -> LoginBy | None:
        """How people log in to the board with their account there; ``None`` where they cannot. Asks nothing."""
        ...

    def unsigned(self) -> UnusableInput | None:
        """Why nobody can ask: what the environment lacks. Asks nothing. Raises as ``hub``."""
        ...

    def checks(self, commit: Sha) -> tuple[CiCheck, ...]:
        """The newest check of each name on a commit (``forge.read_checks``). Raises ``WorldFailed``."""
        ...

    def examine(self) -> tuple[Check, ...]:
        """What ``headway doctor`` has to say: who asks, whether they may do what the policy wants, how much may be
        asked. Changes nothing; what cannot be asked is a row, too."""
        ...
