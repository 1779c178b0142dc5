"""Ticks in processes of their own, each of which kills itself at the first step at which none was killed before.

``python ticker.py REPO NOW STOPS``: STOPS is the file of the steps at which one was killed (empty: none ever is).
Prints how many were killed before one came to the end. They are forked, so that each begins without importing again.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from trainkit import open_at


def tick(repo: Path, now: datetime, stops: Path | None) -> None:
    def step(name: str) -> None:
        if stops is None:
            return
        with stops.open("a+", encoding="utf-8") as f:
            f.seek(0)
            if name in f.read().splitlines():
                return
            f.write(f"{name}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    open_at(repo, now, step).tick(settle=True)


def main(repo: str, now: str, stops: str) -> int:
    killed = 0
    while True:
        child = os.fork()
        if child == 0:
            tick(Path(repo), datetime.fromisoformat(now), Path(stops) if stops else None)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != -signal.SIGKILL:
            print(killed)
            return status
        killed += 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
