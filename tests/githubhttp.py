"""The three hosts of the tests' GitHub on loopback: its API, uploads, and the bytes that it redirects to."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from githubcore import NAME, OWNER, Asked, Route, Said, error
from githubfaults import SKEW
from githubgit import PREFIX, serve_git
from githublogin import PREFIX as PAGES

if TYPE_CHECKING:
    from githubfake import FakeGitHub

VERSIONS = ("2022-11-28", "2026-03-10")  # of the API, which a request names


@dataclass(frozen=True)
class Taken:
    """The route of a request, and the arguments in its path."""

    route: Route
    args: tuple[str, ...]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body leave together
    fake: FakeGitHub

    def log_message(self, *_: object) -> None:
        """The test's output stays readable."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.fake.skew.total_seconds())

    def reply(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Api(_Handler):
    uploads = False

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PATCH(self) -> None:
        self._serve("PATCH")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        url = urlsplit(self.path)
        if url.path.startswith(f"{PREFIX}/") and not self.uploads:
            serve_git(self.fake, self)
            return
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if url.path.startswith(PAGES) and not self.uploads:
            with self.fake._lock:
                query = dict(parse_qsl(url.query))
                said = self.fake.oauth.serve(method, url.path, query, raw, self.headers.get("Accept", ""))
            self.reply(*said)
            return
        with self.fake._lock:
            self.fake.asked.append((method, unquote(url.path)))
            fault = self.fake.faults.next(method, unquote(url.path))
            if fault is not None and fault.what == "skew":
                self.fake.skew = SKEW
            if fault is not None and fault.what == "drop":
                self.close_connection = True
                return
            if fault is not None and isinstance(fault.what, int):
                status, headers, data = _raw(error(fault.what, fault.message or f"fault {fault.what}"))
            else:
                query = dict(parse_qsl(url.query))

                def answered() -> tuple[int, dict[str, str], bytes]:
                    return self._answered(method, url.path, query, raw)

                if method != "GET":
                    self.fake.past.keep()
                self.fake.sync()  # what was pushed is not of the past
                stale = fault is not None and fault.what == "stale" and method == "GET"
                status, headers, data = self.fake.past.shown(answered) if stale else answered()
            if fault is not None and fault.what == "cut":
                self.close_connection = True
                return
        self.reply(status, {**headers, **(fault.headers if fault else {})}, data)

    def _answered(self, method: str, path: str, query: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body, after the description has had its word."""
        fake, auth = self.fake, self.headers.get("Authorization", "")
        taken = fake.route(method, path, self.uploads)
        if taken is None:
            if path.startswith(f"/repos/{OWNER}/{NAME}") or not path.startswith("/repos/"):
                fake.violations.append(f"{method} {self.path}: nothing here answers that")
            return _raw(error(404, "Not Found"))
        route, described = taken.route, taken.route.described(taken.args)
        kind = self.headers.get("Content-Type", "")
        meant = "application/octet-stream" if self.uploads else "application/json" if raw else ""
        wrong = fake.spec.request(route.template, method, described, query, raw, meant)
        if not self.uploads and self.headers.get("X-GitHub-Api-Version") not in VERSIONS:
            wrong = wrong or "no API version"
        if wrong is not None:
            fake.violations.append(f"{method} {self.path} {raw[:300]!r}: {wrong}")
            return _raw(error(400, "not as described"))
        try:
            who = None if route.needs == "app" else fake.identity(auth)
        except KeyError:
            return _raw(error(401, "Bad credentials"))
        accept = self.headers.get("Accept", "")
        try:
            said = fake.answer(Asked(method, path, query, raw, kind, accept, auth, who), taken)
        except Exception as e:  # noqa: BLE001 - the test that asked is told
            fake.violations.append(f"{method} {self.path} {raw[:300]!r}: {traceback.format_exc()}")
            return _raw(error(500, repr(e)))
        status, headers, data = _raw(said)
        if status < 400 or status == 410:
            wrong = fake.spec.response(route.template, method, described, query, raw, status, headers, data, meant)
            if wrong is not None:
                fake.violations.append(f"answer to {method} {self.path}: {wrong}")
        headers |= {"X-OAuth-Scopes": fake.scopes} if auth and fake.scopes is not None else {}
        if method == "GET" and status == 200:
            etag = f'W/"{hashlib.sha256(data + auth.encode()).hexdigest()}"'
            headers["ETag"] = etag
            if self.headers.get("If-None-Match") == etag:
                return 304, {k: v for k, v in headers.items() if k not in {"Content-Type"}}, b""
        fake.used += 1
        left = str(max(0, 5000 - fake.used))
        limits = {"Limit": "5000", "Remaining": left, "Used": str(fake.used), "Resource": "core"}
        limits["Reset"] = str(int(time.time() + fake.skew.total_seconds()) + 3600)
        return status, {**headers, **{f"X-RateLimit-{k}": v for k, v in limits.items()}}, data


def _raw(said: Said) -> tuple[int, dict[str, str], bytes]:
    data = b"" if said.json is None else json.dumps(said.json).encode()
    return said.status, {**({"Content-Type": "application/json"} if data else {}), **said.headers}, data


class _Blobs(_Handler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if self.headers.get("Authorization"):
            self.fake.violations.append(f"the token was sent to the host of {self.path}")
        self.fake.asked.append(("BLOB", url.path))
        fault = self.fake.faults.next("BLOB", url.path)
        if fault is not None and fault.what == "drop":
            self.close_connection = True
            return
        data = self.fake.blob(url.path)
        status = fault.what if fault and isinstance(fault.what, int) else 200 if data is not None else 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        half = fault is not None and fault.what == "cut"
        self.close_connection = self.close_connection or half
        self.wfile.write((data or b"")[: len(data or b"") // 2 if half else None])


@contextmanager
def serve(fake: FakeGitHub, ports: tuple[int, int, int]) -> Iterator[None]:
    """Answer on three ports of this machine (0: any), as long as the context lasts."""
    api = type("Api", (_Api,), {"fake": fake})
    uploads = type("Uploads", (_Api,), {"fake": fake, "uploads": True})
    blobs = type("Blobs", (_Blobs,), {"fake": fake})
    with ExitStack() as stack:
        handlers = zip(ports, (api, uploads, blobs), strict=True)
        hosts = [stack.enter_context(ThreadingHTTPServer(("127.0.0.1", p), h)) for p, h in handlers]
        fake.ports = tuple(h.server_port for h in hosts)
        fake.api, fake.uploads = (f"http://127.0.0.1:{h.server_port}" for h in hosts[:2])
        fake.blobs = f"http://localhost:{hosts[2].server_port}"
        for host in hosts:
            host.daemon_threads = True
            threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            stack.callback(host.shutdown)
        yield
