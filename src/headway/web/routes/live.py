"""``/live``: a stream that says when there is something newer to see (server-sent events)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.concurrency import run_in_threadpool

from headway.errors import HeadwayError
from headway.web.people import NotAllowed
from headway.web.site import Site
from headway.web.watch import trouble

_SPREAD_S, _EACH_S = 1.0, 0.02
_BEAT_S = 15.0  # proxies end a stream that is silent for a minute
_ENDED = "ended"


def live_stream(web: FastAPI, site: Site) -> None:
    @web.get("/live")
    async def live(request: Request, seen: str = "") -> Response:
        """``seen``: the revision that the page shows; a newer one is told at once."""
        newest = await run_in_threadpool(_newest, site, request)
        stream = _news(site, request, newest if newest != seen else "")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _newest(site: Site, request: Request) -> str:
    """What names the moment that is now, also where it cannot be read: the page says so. Raises ``NotAllowed``."""
    try:
        return site.seen(request)[0].revision
    except NotAllowed:
        raise
    except Exception as e:
        last = site.watch.last()
        if last is None:
            raise
        site.visitor(request, last.app)
        return trouble(e)


def _welcome(site: Site, request: Request) -> bool:
    """Whether who asked may still look: logins end while pages are open."""
    last = site.watch.last()
    try:
        if last is not None:
            site.visitor(request, last.app)
    except NotAllowed:
        return False
    except HeadwayError:  # nobody knows, and nothing is shown by a stream
        return True
    return True


async def _news(site: Site, request: Request, first: str) -> AsyncIterator[bytes]:
    loop, newest = asyncio.get_running_loop(), asyncio.Queue[str]()

    def tell(revision: str) -> None:
        loop.call_soon_threadsafe(newest.put_nowait, revision)

    with site.watch.listening(tell):
        yield KEEPALIVE_COMMENT
        if first:
            yield _event(first)
        while True:
            try:
                revision = await asyncio.wait_for(newest.get(), _BEAT_S)
            except TimeoutError:
                if not await run_in_threadpool(_welcome, site, request):
                    yield _event(_ENDED)  # the page looks anew, and finds the login
                    return
                yield KEEPALIVE_COMMENT
                continue
            if not revision:  # the server ends
                return
            # Many pages ask again when they hear it: not all in the same instant.
            await asyncio.sleep(random.uniform(0, min(_SPREAD_S, site.watch.listeners * _EACH_S)))  # noqa: S311
            yield _event(revision)


def _event(revision: str) -> bytes:
    return format_sse_event(event="news", id=revision, data_str=revision)
