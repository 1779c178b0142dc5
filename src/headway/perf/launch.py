"""One launch of an engine: a child in its own process group, waited for until healthy, always ended."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from headway.process import NOT_STARTED, end_group, ended_with_us, started, tail_of

HOST = "127.0.0.1"
# Seconds between two questions; the time to start is known to about this.
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Engine:
    """``why`` is empty when the engine answers, else what happened, with the end of its log; ``startup_s`` are the
    seconds from its start until it was healthy."""

    child: subprocess.Popen[bytes] | None
    log: Path
    why: str
    startup_s: float = 0.0

    def death(self, within_s: float = 0.0) -> str:
        """How the engine ended, if it did by itself, or does so in that time; ``""`` while it runs."""
        code = self.child.poll() if self.child else None
        if code is None and self.child and within_s:
            with suppress(subprocess.TimeoutExpired):
                code = self.child.wait(timeout=within_s)
        return "" if code is None else f"the engine ended with status {code}: {tail_of(self.log)}"


def free_port() -> int:
    """A port of this host that nothing listens on now."""
    with socket.socket() as s:
        s.bind((HOST, 0))
        port: int = s.getsockname()[1]
        return port


@contextmanager
def launched(
    argv: list[str], *, health: str, timeout_s: float, cwd: Path, env: Mapping[str, str], log: Path
) -> Iterator[Engine]:
    """Start the engine and wait until ``health`` (a URL) answers 200; its process group is ended on the way out.

    Where another program listens there already nothing is started: its answers would be taken for the engine's.
    """
    if _taken(health):
        yield Engine(None, log, f"another program answers at {health}")
        return
    began = time.monotonic()
    with log.open("ab") as out:
        try:
            child = started(argv, out, cwd=cwd, env=env)
        except NOT_STARTED as e:
            yield Engine(None, log, f"the engine cannot be started: {e}")
            return
    with ended_with_us(child):
        try:
            yield _when_healthy(child, log, health, began, timeout_s)
        finally:
            end_group(child)


def _when_healthy(child: subprocess.Popen[bytes], log: Path, health: str, began: float, timeout_s: float) -> Engine:
    said = "no answer"
    waiting = Engine(child, log, "")
    with httpx.Client(trust_env=False, timeout=5) as http:
        while time.monotonic() < began + timeout_s:
            if death := waiting.death():
                return Engine(child, log, death)
            try:
                answer = http.get(health)
            except httpx.HTTPError as e:
                said = type(e).__name__
            else:
                if answer.status_code == httpx.codes.OK:
                    return Engine(child, log, waiting.death(), time.monotonic() - began)
                said = f"HTTP {answer.status_code}"
            # A pause that a death of the engine cuts short.
            try:
                child.wait(timeout=_PAUSE_S)
            except subprocess.TimeoutExpired:
                continue
    return Engine(child, log, f"the engine was not healthy within {timeout_s:g} s ({said}): {tail_of(log)}")


def _taken(url: str) -> bool:
    place = urlsplit(url)
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((place.hostname, place.port)) == 0


def version_of(base_url: str) -> str:
    """What the engine says at ``/version``, as vLLM does (``{"version": …}``); ``""`` where it says nothing."""
    try:
        with httpx.Client(trust_env=False, timeout=5) as http:
            answer = http.get(f"{base_url}/version")
            said = answer.json() if answer.status_code == httpx.codes.OK else None
    except (httpx.HTTPError, ValueError, RecursionError):
        return ""
    version = said.get("version") if isinstance(said, dict) else None
    return version[:100] if isinstance(version, str) and version.isprintable() else ""
