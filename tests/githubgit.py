"""Git over HTTP at the tests' GitHub: git's own backend, let in by the token as GitHub does."""

from __future__ import annotations

import base64
import subprocess
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from githubcore import NAME, OWNER
from gitmaker import git_env

if TYPE_CHECKING:
    from githubfake import FakeGitHub

PREFIX = f"/{OWNER}/{NAME}.git"


def git_url(fake: FakeGitHub) -> str:
    return f"{fake.api}{PREFIX}"


def serve_git(fake: FakeGitHub, asked: BaseHTTPRequestHandler) -> None:
    """Answer one request below ``PREFIX``. Reading needs no token in a public repository; a push needs one that may.

    Its calls are named ``GIT info/refs SERVICE`` and ``GIT SERVICE``, as git has one after the other.
    """
    url = urlsplit(asked.path)
    service = (parse_qs(url.query).get("service") or [url.path.rpartition("/")[2]])[0]
    body = _body(asked)
    fake.on_git()
    pushes = service == "git-receive-pack"
    if (pushes or fake.private) and not _may(fake, asked.headers.get("Authorization", ""), pushes):
        _send(asked, 401, {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}, b"no\n")
        return
    fault = fake.faults.next("GIT", service if asked.command == "POST" else f"info/refs {service}")
    if fault is not None and isinstance(fault.what, int):
        _send(asked, fault.what, {"Content-Type": "text/plain"}, b"fault\n")
        return
    if fault is not None and fault.what == "drop":
        asked.close_connection = True
        return
    env = {
        **git_env(),
        "GIT_PROJECT_ROOT": str(fake.repo),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": url.path.removeprefix(PREFIX),
        "REQUEST_METHOD": asked.command,
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": asked.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": asked.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": asked.headers.get("Git-Protocol", ""),
        "REMOTE_USER": "somebody" if pushes else "",
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=False)
    head, _, data = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").splitlines() if ": " in line)
    status = int(headers.pop("Status", "200 OK").split()[0])
    if fault is not None and fault.what == "cut":
        asked.close_connection = True
        return
    _send(asked, status, headers, data)


def _may(fake: FakeGitHub, auth: str, pushes: bool) -> bool:
    kind, _, value = auth.partition(" ")
    if kind.lower() != "basic":
        return False
    _, _, token = base64.b64decode(value).decode().partition(":")
    who = fake.tokens.get(token)
    return who is not None and (not pushes or (fake.pushes(who) and who.may("contents=write")))


def _body(asked: BaseHTTPRequestHandler) -> bytes:
    if "chunked" not in asked.headers.get("Transfer-Encoding", ""):
        return asked.rfile.read(int(asked.headers.get("content-length") or 0))
    whole = b""
    while size := int(asked.rfile.readline().partition(b";")[0], 16):
        whole += asked.rfile.read(size)
        asked.rfile.readline()
    asked.rfile.readline()
    return whole


def _send(asked: BaseHTTPRequestHandler, status: int, headers: dict[str, str], data: bytes) -> None:
    asked.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(data))}.items():
        asked.send_header(name, value)
    asked.end_headers()
    asked.wfile.write(data)
