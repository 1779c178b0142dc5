"""A server that does what a test says, on a real socket: answers, and every way in which none comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """An answer. ``cut``: this many bytes of the body are missing when the connection ends; -1: all of it, head too."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


Rule = Callable[[Asked], Said]


@dataclass
class FaultServer:
    """``script`` answers the next requests, one each; then ``rule`` does."""

    script: list[Said] = field(default_factory=list)
    rule: Rule = lambda _: Said()
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    connections: int = 0
    close: Callable[[], None] = lambda: None


def _handler(server: FaultServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            server.connections += 1
            super().setup()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            server.asked.append(asked)
            said = server.script.pop(0) if server.script else server.rule(asked)
            if said.cut < 0:
                self.close_connection = True
                return
            self.send_response_only(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            if said.status not in {204, 304}:
                self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            if said.status not in {204, 304}:
                self.wfile.write(said.body[: len(said.body) - said.cut])
            self.close_connection = bool(said.cut)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            """The test's output stays readable."""

    return Handler


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[FaultServer]:
    server = FaultServer()
    with ThreadingHTTPServer((host, 0), _handler(server)) as http:
        http.daemon_threads = True
        server.url = f"http://{host}:{http.server_port}"
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

        def close() -> None:
            http.shutdown()
            http.server_close()

        server.close = close
        try:
            yield server
        finally:
            http.shutdown()
