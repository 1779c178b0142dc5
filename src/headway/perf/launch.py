"""One launch of an engine: a child in its own process group, waited for until healthy, always ended."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from headway.process import NOT_STARTED, end_group, ended_with_us, started, tail_of

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Launch:
    """``why`` is empty when the engine answers, else what happened, with the end of its log."""

    child: subprocess.Popen[bytes] | None
    log: Path
    why: str

    def death(self) -> str:
        """How the engine ended, if it did by itself; ``""`` while it runs."""
        code = self.child.poll() if self.child else None
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
) -> Iterator[Launch]:
    """Start the engine and wait until ``health`` (a URL) answers 200; its process group is ended on the way out."""
    with log.open("ab") as out:
        try:
            child = started(argv, out, cwd=cwd, env=env)
        except NOT_STARTED as e:
            yield Launch(None, log, f"the engine cannot be started: {e}")
            return
    with ended_with_us(child):
        try:
            yield _when_healthy(Launch(child, log, ""), child, health, timeout_s)
        finally:
            end_group(child)


def _when_healthy(launch: Launch, child: subprocess.Popen[bytes], health: str, timeout_s: float) -> Launch:
    limit = time.monotonic() + timeout_s
    said = "no answer"
    with httpx.Client(trust_env=False, timeout=5) as http:
        while time.monotonic() < limit:
            if death := launch.death():
                return Launch(child, launch.log, death)
            try:
                answer = http.get(health)
            except httpx.HTTPError as e:
                said = type(e).__name__
            else:
                if answer.status_code == httpx.codes.OK:
                    return launch
                said = f"HTTP {answer.status_code}"
            # A pause that a death of the engine cuts short.
            try:
                child.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                continue
    why = f"the engine was not healthy within {timeout_s:g} s ({said}): {tail_of(launch.log)}"
    return Launch(child, launch.log, why)
