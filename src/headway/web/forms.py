"""What a form brings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends
from starlette.requests import ClientDisconnect, Request

from headway.errors import UnusableInput
from headway.model.text import facts, say

_MOST = 64 * 1024  # bytes; a reason is long when it has a thousand words
_FIELDS = 100
_BODY_S = 30.0


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form (``application/x-www-form-urlencoded``); of a name that comes twice the last. Raises
    ``UnusableInput`` (``form.unreadable``, ``form.too-large``)."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise _unreadable()
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST:
                    raise _too_large()
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except (ValueError, ClientDisconnect, TimeoutError) as e:
        raise _unreadable() from e
    return dict(pairs)


Form = Annotated[Mapping[str, str], Depends(form_of)]


def _too_large() -> UnusableInput:
    return UnusableInput(
        "form.too-large",
        say("the form is too large"),
        facts=facts(most_bytes=_MOST),
        remedy=say("say it in fewer words"),
    )


def _unreadable() -> UnusableInput:
    return UnusableInput(
        "form.unreadable", say("the form cannot be read"), remedy=say("load the page again and repeat what you did")
    )
