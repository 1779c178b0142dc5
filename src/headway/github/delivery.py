"""A webhook's request: whether GitHub signed it, and the few words of it that are read.

Source: "Validating webhook deliveries" and "Webhook events and payloads" in GitHub's documentation. A delivery only
says "look again": nothing that it claims is taken as a fact.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs

from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from headway.errors import UnusableInput
from headway.model.text import facts, say

LIMIT = 25 * 1024 * 1024
"""Most bytes of a payload; GitHub sends none that is larger."""

LOOKED_AT = frozenset(
    {
        "branch_protection_rule",
        "check_run",
        "check_suite",
        "create",
        "delete",
        "issue_comment",
        "issues",
        "milestone",
        "pull_request",
        "pull_request_review",
        "push",
        "release",
        "repository_dispatch",
        "status",
        "workflow_run",
    }
)
"""Events after which a tick may see something that the one before did not."""

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_MOST_FIELDS = 8  # of a form; GitHub sends one
_WORD = r"^[A-Za-z0-9_.-]{1,100}$"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """What a delivery is about. ``repository`` is ``owner/name`` (``""``: of none); ``number`` that of the issue or
    pull request (0: of none); ``action`` is ``""`` where the event has none."""

    repository: str
    event: str
    action: str
    number: int


def signature_of(body: bytes, secret: str) -> str:
    """The value of ``X-Hub-Signature-256`` for a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether the header's value is that of the body, compared in constant time."""
    return hmac.compare_digest(signature_of(body, secret).encode(), signature.encode("utf-8", "replace"))


def read_told(event: str, content_type: str, body: bytes) -> Told:
    """What a delivery is about, as JSON or in the field ``payload`` of a form.

    A field of another shape than GitHub describes is taken as absent. Raises ``UnusableInput``: ``webhook.event`` for
    a name that no event has, ``webhook.content-type``, ``webhook.payload`` for what is no JSON object.
    """
    if not re.fullmatch(r"[a-z0-9_]{1,100}", event):
        raise UnusableInput(
            "webhook.event",
            say("the webhook names no event"),
            remedy=say("send the header X-GitHub-Event, as GitHub does"),
        )
    try:
        found = _Payload.model_validate_json(_payload(content_type, body))
    except ValidationError as e:
        raise _unread(e.errors(include_input=False, include_url=False)[0]["msg"]) from e
    about = found.pull_request or found.issue
    return Told(
        repository=(found.repository.full_name if found.repository else None) or "",
        event=event,
        action=found.action or "",
        number=(about.number if about else None) or 0,
    )


def _payload(content_type: str, body: bytes) -> bytes:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _JSON:
        return body
    if kind != _FORM:
        raise UnusableInput(
            "webhook.content-type",
            say("a webhook of this content type is not read"),
            facts=facts(wanted=(_JSON, _FORM)),
            remedy=say("choose application/json in the webhook's settings"),
        )
    try:
        text = body.decode("utf-8", "surrogateescape")
        fields = parse_qs(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MOST_FIELDS)
    except ValueError as e:
        raise _unread("it has too many fields") from e
    values = fields.get("payload", [])
    if len(values) != 1:
        raise _unread("it has not one field named payload")
    return values[0].encode("utf-8", "surrogateescape")


def _unread(why: str) -> UnusableInput:
    return UnusableInput(
        "webhook.payload",
        say("the webhook's payload cannot be read: {why}", why=why),
        remedy=say("send a JSON object, as GitHub does"),
    )


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


# Examples of GitHub's own do not keep to its schemas, and a field that changes its shape must not stop the looking.
_Lenient = Annotated[T | None, WrapValidator(_or_none)]
_Word = Annotated[str, Field(strict=True, pattern=_WORD)]


class _Repository(BaseModel):
    full_name: _Lenient[Annotated[str, Field(strict=True, pattern=r"^[\w.-]+/[\w.-]+$", max_length=200)]] = None


class _Numbered(BaseModel):
    number: _Lenient[Annotated[int, Field(strict=True, gt=0, lt=2**53)]] = None


class _Payload(BaseModel):
    action: _Lenient[_Word] = None
    repository: _Lenient[_Repository] = None
    issue: _Lenient[_Numbered] = None
    pull_request: _Lenient[_Numbered] = None
