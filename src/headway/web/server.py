"""Serving the pages: in this process, until a signal comes."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import uvicorn

from headway.app import Headway
from headway.errors import UnusableInput, WorldFailed
from headway.model.text import Text, facts, say
from headway.web.entrance import entrance_of
from headway.web.notifier import Notifier, apprise_sender
from headway.web.pages import site_app
from headway.web.site import Site, nobody_ticks
from headway.web.ticker import Ticker
from headway.web.watch import Watch
from headway.web.webhooks import Webhooks, webhooks_of

_LET_GO_S = 3
_KEEP_S = 75  # longer than people read: else a page would be asked for just as its connection ends
_SWITCH_S = 0.001
_POLL_S = 600  # with webhooks: what a lost one told of is found so late


class _Server(uvicorn.Server):
    """Says when it listens, and when it is about to end."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None], ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()  # streams are open as long as their pages are
        await super().shutdown(sockets)


def serve(
    open_app: Callable[[], Headway],
    host: str,
    port: int,
    *,
    announce: Callable[[str], None],
    tick_every_s: int | None,
    local: bool = False,
) -> None:
    """Serve the pages until SIGINT or SIGTERM; ``announce`` is told the address once it listens, and
    whoever watches whether webhooks are let in and how often a tick is done.

    ``open_app`` gives a fresh project for each request. Port 0 takes any free one. With ``tick_every_s`` a tick is
    done at once and then so often, one after another. Where the policy and the environment let webhooks in, each asks
    for a tick, and without ``tick_every_s`` one is done every ten minutes too. ``local``: nobody logs in, though they
    could. Raises what ``open_app`` and ``entrance_of`` do, and ``UnusableInput`` (``serve.port-taken``);
    ``WorldFailed`` (``serve.failed``) when the address cannot be had.
    """
    app = open_app()
    entrance = entrance_of(app, host, local=local)
    webhooks = webhooks_of(app)
    if webhooks.closed is None and tick_every_s is None:
        tick_every_s = _POLL_S
    ticker = Ticker(open_app, tick_every_s, app.progress, webhooks.deliveries) if tick_every_s else None
    if ticker is not None:
        webhooks = webhooks.asking(ticker.ask)
    listener = _listener(host, port)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{listener.getsockname()[1]}/"
    watch = Watch(open_app)
    address, people = entrance.people(url)
    site = Site(open_app, watch, people, ticker.ask if ticker else nobody_ticks, address)
    sender = apprise_sender(os.environ, app.policy.notify.urls_env)
    notifier = (
        None if sender is None or isinstance(sender, Text) else Notifier(watch, site.book(app), sender, app.progress)
    )
    config = uvicorn.Config(
        site_app(site, webhooks),
        log_config=None,
        access_log=False,
        timeout_keep_alive=_KEEP_S,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=_LET_GO_S,
    )
    told = (
        *entrance.told,
        *_heard(app, webhooks),
        _ticks(tick_every_s),
        *((sender,) if isinstance(sender, Text) else ()),
    )

    def listening() -> None:
        announce(url)
        for words in told:
            app.progress.say(words)

    server = _Server(config, listening, watch.end)
    notifying = notifier.running() if notifier else nullcontext()
    # What is read beside the pages must not hold them up: each may wait for it a few times.
    sys.setswitchinterval(_SWITCH_S)
    with (
        listener,
        watch.watching(),
        notifying,
        _stopped_by_signals(server),
        ticker.running() if ticker else nullcontext(),
    ):
        server.run([listener])


def _heard(app: Headway, webhooks: Webhooks) -> tuple[Text, ...]:
    """Whether webhooks are let in; nothing where the project has no forge."""
    if app.policy.forge.kind == "none":
        return ()
    return (webhooks.closed or say("webhooks are accepted at {path}", path=webhooks.path),)


def _ticks(every_s: int | None) -> Text:
    if every_s is None:
        return say("nothing is ticked here: --tick-every SECONDS does it")
    return say("a tick is done now, and {seconds} seconds after the last", seconds=every_s)


def _listener(host: str, port: int) -> socket.socket:
    name = host.removeprefix("[").removesuffix("]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            # Else the port of a server that has just ended would be refused for minutes.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except OSError:
            listener.close()
            raise
    except OSError as e:
        if e.errno == errno.EADDRINUSE:
            raise UnusableInput(
                "serve.port-taken",
                say("port {port} of {host} is in use", port=port, host=host),
                facts=facts(host=host, port=port),
                remedy=say("name another with --port, or 0 for any that is free"),
            ) from e
        raise WorldFailed(
            "serve.failed",
            say("{host}:{port} cannot be listened on: {why}", host=host, port=port, why=e.strerror or str(e)),
            facts=facts(host=host, port=port),
            remedy=say("serve on 127.0.0.1 and a port above 1023"),
        ) from e
    return listener


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """The server hands signals on once it has stopped; here the first one ends it; the next interrupts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    asked = 0

    def stop(number: int, frame: object) -> None:
        nonlocal asked
        asked += 1
        server.should_exit = True
        if asked > 1:  # somebody does not want to wait for the tick under way
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
