"""A real package index on loopback, and a proxy in front of it that goes wrong when it is told to."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pkgmaker import write

from headway.process import child_env

PASSWORD = "pa55-word-of-the-test"
# its command line wants another library to check passwords; its application takes a function
SERVER = """
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

import pypiserver

class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True

port, packages, algorithm, password = sys.argv[1:]
app = pypiserver.app(
    roots=[Path(packages)],
    authenticate=["update"],
    auther=lambda user, given: (user, given) == ("keeper", password),
    disable_fallback=True,
    hash_algo=algorithm,
)
make_server("127.0.0.1", int(port), app, server_class=Threaded).serve_forever()
"""


@dataclass(frozen=True)
class Server:
    url: str
    packages: Path

    @property
    def simple(self) -> str:
        return f"{self.url}simple/"


@contextlib.contextmanager
def index_server(folder: Path, algorithm: str = "sha256") -> Iterator[Server]:
    """pypiserver with a password for uploads; its pages give the hashes that it was told to give."""
    packages = folder / "packages"
    packages.mkdir()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    script = write(folder / "server.py", SERVER)
    argv = [sys.executable, str(script), str(port), str(packages), algorithm, PASSWORD]
    with (folder / "server.log").open("wb") as out:
        child = subprocess.Popen(argv, stdout=out, stderr=out, env=child_env({}))
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_for(url, child, folder / "server.log")
        yield Server(url, packages)
    finally:
        child.terminate()
        child.wait(timeout=30)


def wait_for(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert child.poll() is None, log.read_text()
        try:
            if httpx.get(url).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the server never answered: {log.read_text()}")


@dataclass
class Proxy:
    """``trouble(method, body)`` says what goes wrong with a request: a status to answer with instead of asking the
    index, ``"drop"`` to pass it on and lose the answer, ``"hang"`` not to answer until the end, or ``None``."""

    url: str
    trouble: Callable[[str, bytes], int | str | None] = lambda method, body: None
    seen: list[tuple[str, str, int]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def simple(self) -> str:
        return f"{self.url}simple/"


@contextlib.contextmanager
def proxy_of(server: Server) -> Iterator[Proxy]:
    """A proxy in front of an index."""
    there = server.url.removeprefix("http://").rstrip("/")
    proxy = Proxy("")

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            wrong = proxy.trouble(self.command, body)
            status, headers, content = 0, [], b""
            if wrong == "hang":
                proxy.over.wait()
                self.close_connection = True
                return
            if isinstance(wrong, int):
                status, content = wrong, b"no"
            else:
                asked = http.client.HTTPConnection(there)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "connection"}}
                asked.request(self.command, self.path, body, {**kept, "Host": there})
                got = asked.getresponse()
                status, headers, content = got.status, got.getheaders(), got.read()
                asked.close()
            proxy.seen.append((self.command, self.path, status))
            if wrong == "drop":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in {"connection", "content-length", "transfer-encoding", "server", "date"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            """The test's output stays readable."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        proxy.url = f"http://127.0.0.1:{httpd.server_port}/"
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.over.set()
            httpd.shutdown()
