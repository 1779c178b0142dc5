"""What a form brings: bounded, in UTF-8, each field once."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends
from starlette.requests import ClientDisconnect, Request

from headway.errors import UnusableInput
from headway.model.text import Text, say

_LIMIT = 256 * 1024  # bytes of a form: reasons and evidence are words
_FIELDS = 64
_BODY_S = 30.0
_TYPE = "application/x-www-form-urlencoded"

Given = dict[str, str]


async def read_form(request: Request) -> Given:
    """The fields of a posted form. Raises ``UnusableInput``: ``form.content-type``, ``form.too-large``,
    ``form.unreadable``."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise _unusable("form.content-type", say("a form is sent as {type}", type=_TYPE))
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LIMIT:
                    raise _unusable("form.too-large", say("the form is too large"))
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except (ValueError, ClientDisconnect, TimeoutError) as e:
        raise _unusable("form.unreadable", say("the form cannot be read")) from e
    return {k: v.replace("\r\n", "\n") for k, v in pairs}


Filled = Annotated[Given, Depends(read_form)]


def _unusable(code: str, why: Text) -> UnusableInput:
    return UnusableInput(code, why, remedy=say("load the page again and repeat what you did"))
