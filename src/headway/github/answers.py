"""What GitHub answers, and what it means: the codes of failures, each in words; the token is in none of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from headway.errors import BudgetSpent, RateLimited, WorldFailed
from headway.model.text import Text, facts, one_line, say

# Codes of the WorldFailed that a request may raise
GONE = "github.gone"  # 404 or 410
REFUSED = "github.refused"  # any other 4xx: nothing was done
LIMITED = "github.rate-limit"  # nothing was done
FAILED = "github.failed"  # 5xx, or an answer that cannot be read
UNREACHABLE = "github.unreachable"  # no connection: nothing was sent
NO_ANSWER = "github.no-answer"  # sent, and no whole answer came
BUDGET = "github.budget"  # the tick's requests are spent: nothing was sent, the next tick goes on

_WORDS = 300  # of an answer's message
_SECONDARY = ("secondary rate", "abuse detection", "rate limit")  # in the message of a 403 that is a limit
MOMENT = timedelta(minutes=1)  # what GitHub asks to wait where a limit does not say it


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Names of ``headers`` are in lower case; ``url`` is what was asked; ``sha256`` (hex) of what was
    written into a file. ``early``: an App that asked for its token got it, and nothing else was sent."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = field(repr=False)
    sha256: str = ""
    early: bool = False

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def moved(self) -> str:
        """Where it sends on to, ``""``: nowhere."""
        return self.headers.get("location", "") if 300 <= self.status < 400 else ""

    @property
    def failed(self) -> bool:
        """The server could not, and may another time."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def limited(self) -> bool:
        """It asks to come back later, by a primary or a secondary limit. An exhausted one that let the request through
        is none.

        https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
        """
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return True
        if self.status != HTTPStatus.FORBIDDEN:
            return False
        spent = self.headers.get("x-ratelimit-remaining") == "0"
        return spent or "retry-after" in self.headers or any(w in self.message.lower() for w in _SECONDARY)

    @property
    def message(self) -> str:
        """GitHub's words, with those of each error: of a 422 the message alone says no more than that it is one."""
        try:
            said = json.loads(self.content)
            words = str(said["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return one_line(_phrase(self.status))[:_WORDS]
        errors = said.get("errors")
        told = [w for e in (errors if isinstance(errors, list) else ()) if (w := _error(e)) and w not in words]
        return one_line(f"{words}: {'; '.join(told)}" if told else words)[:_WORDS]

    def json(self) -> Any:
        """The document; raises ``WorldFailed`` (``github.failed``) where there is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as e:
            raise unread(self.url) from e

    def wait(self, now: datetime) -> timedelta | None:
        """How long a limited caller is asked to wait, by the server's own clock where the answer tells it; ``None``
        where it says nothing."""
        after, reset = self.headers.get("retry-after", ""), self.headers.get("x-ratelimit-reset", "")
        if _digits(after):
            return timedelta(seconds=int(after))
        if self.headers.get("x-ratelimit-remaining") == "0" and _digits(reset):
            return max(timedelta(), datetime.fromtimestamp(int(reset), UTC) - (self._date() or now))
        return None

    def until(self, now: datetime) -> datetime | None:
        """When a limited caller may ask again, in UTC; ``None`` where the answer does not say it."""
        after, reset = self.headers.get("retry-after", ""), self.headers.get("x-ratelimit-reset", "")
        if _digits(after):
            return now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=int(after))
        if self.headers.get("x-ratelimit-remaining") == "0" and _digits(reset):
            return datetime.fromtimestamp(int(reset), UTC)
        return None

    def _date(self) -> datetime | None:
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class NoReply:
    """No whole answer came; ``sent``: the server may have got the request, and done it."""

    error: Exception
    sent: bool
    url: str = field(repr=False)


def _error(row: Any) -> str:
    """One of the errors of a 422: a text of its own, or what is wrong with which field."""
    if not isinstance(row, dict):
        return row if isinstance(row, str) else ""
    return str(row.get("message") or " ".join(str(row[k]) for k in ("resource", "field", "code") if row.get(k)))


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "-"


def unread(path: str) -> WorldFailed:
    return WorldFailed(
        FAILED,
        say("the answer of GitHub to {path} cannot be read", path=one_line(path)),
        remedy=say("check forge.api_url, then run it again"),
        clause="B4",
    )


def no_answer(code: str, url: str, error: Exception) -> WorldFailed:
    return WorldFailed(
        code,
        say("GitHub does not answer at {url}: {kind}", url=url, kind=type(error).__name__),
        remedy=say("check forge.api_url and the network, then run it again"),
        clause="B4",
    )


def elsewhere(path: str) -> WorldFailed:
    """An answer that sends on to where the token must not go."""
    return WorldFailed(
        REFUSED,
        say("GitHub sends {path} on to another host, which gets no token", path=path),
        facts=facts(path=path),
        remedy=say("check forge.api_url and project.repository; the repository may have moved"),
        clause="B4",
    )


def refusal(reply: Reply, path: str, now: datetime) -> WorldFailed:
    """What a refusing or failing answer says."""
    status, message = reply.status, reply.message
    path = path or urlsplit(reply.url).path
    if reply.limited:
        return limit(message, reply.until(now), path, status)
    code = GONE if status in {404, 410} else REFUSED if 400 <= status < 500 else FAILED
    return WorldFailed(
        code,
        say("GitHub answered {status} to {path}: {message}", status=status, path=path, message=message),
        facts=facts(status=status, path=path, message=message),
        remedy=say("GitHub failed; run it again")
        if code == FAILED
        else say("check project.repository, the token and what it may do, then run it again"),
        clause="B4",
    )


def not_accepted(reply: Reply, path: str, by: Text) -> WorldFailed:
    """A 401: what was shown is no token, or is one no more."""
    return WorldFailed(
        REFUSED,
        say(
            "GitHub does not accept {token} ({status}: {message})",
            token=str(by),
            status=reply.status,
            message=reply.message,
        ),
        facts=facts(status=reply.status, path=path or urlsplit(reply.url).path, message=reply.message),
        remedy=say("it may have ended or been revoked: set a new one, then run it again"),
        clause="B4",
    )


def not_seen(reply: Reply, path: str, repository: str, by: Text) -> WorldFailed:
    """A 404 to what every repository has: GitHub hides a repository from who may not see it."""
    return WorldFailed(
        GONE,
        say("there is no repository {repository} that {token} may see", repository=repository, token=str(by)),
        facts=facts(status=reply.status, path=path or urlsplit(reply.url).path, message=reply.message),
        remedy=say("check project.repository, and what the token or the App may see; then run it again"),
        clause="B4",
    )


def limit(message: str, until: datetime | None, path: str, status: int) -> RateLimited:
    return RateLimited(
        LIMITED,
        say("GitHub asks to come back after {until}: {message}", until=until, message=message)
        if until
        else say("GitHub asks to come back later: {message}", message=message),
        facts=facts(status=status, path=path, message=message, **({"until": until} if until else {})),
        remedy=say("run it again after {until}", until=until)
        if until
        else say("run it again in some minutes; a token has a higher limit than none"),
        clause="B4",
    )


def spent(budget: int, path: str) -> BudgetSpent:
    return BudgetSpent(
        BUDGET,
        say("the {count} requests to GitHub of one tick are spent", count=budget),
        facts=facts(budget=budget, path=path),
        remedy=say("the next tick goes on with it; forge.budget sets how many there are"),
        clause="B4",
    )
