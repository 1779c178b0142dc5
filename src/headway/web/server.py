"""Serving the pages: in this process, on this machine, until a signal comes."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from headway.app import Headway
from headway.errors import HeadwayError, UnusableInput, WorldFailed
from headway.model.text import facts, say
from headway.web.pages import web_app
from headway.web.security import only_loopback

_LET_GO_S = 3


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()


def serve(
    open_app: Callable[[], Headway],
    host: str,
    port: int,
    *,
    announce: Callable[[str], None],
    tick_every_s: int | None,
) -> None:
    """Serve the pages until SIGINT or SIGTERM; ``announce`` is told the address once it listens.

    ``open_app`` gives a fresh project for each request. Port 0 takes any free one. With ``tick_every_s`` a tick is
    done at once and then so often, one after another. Raises ``UnusableInput``: ``serve.not-loopback``,
    ``serve.port-taken``; ``WorldFailed`` (``serve.failed``) when the address cannot be had.
    """
    only_loopback(host)
    listener = _listener(host, port)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{listener.getsockname()[1]}/"
    config = uvicorn.Config(
        web_app(open_app),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_LET_GO_S,
    )
    server = _Server(config, lambda: announce(url))
    with listener, _stopped_by_signals(server), _ticking(open_app, tick_every_s):
        server.run([listener])


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


@contextmanager
def _ticking(open_app: Callable[[], Headway], every_s: int | None) -> Iterator[None]:
    """Ticks beside the pages. At the end the tick under way is waited for: nothing is left half done."""
    if every_s is None:
        yield
        return
    ended = threading.Event()
    ticking: list[Headway] = []

    def work() -> None:
        while not ended.is_set():
            try:
                ticking.append(open_app())
                ticking[-1].tick()
            except HeadwayError as e:  # the next tick looks again; what cannot be opened is on the pages too
                if ticking:
                    ticking[-1].progress.say(e.message)
            ticking.clear()
            ended.wait(every_s)

    worker = threading.Thread(target=work, name="headway-ticks", daemon=True)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        for app in ticking[:]:
            app.progress.say(say("the tick under way is finished first; a second Ctrl-C leaves it"))
        worker.join()
