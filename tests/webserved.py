"""A real `headway serve`, as its own process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self


class Served:
    """``url`` ends with a slash; the process is ended with the block."""

    def __init__(
        self,
        repo: Path,
        now: datetime,
        *options: str,
        port: str = "0",
        env: Mapping[str, str] | None = None,
    ) -> None:
        common = ("--repo", str(repo), "--now", now.isoformat(), "--lang", "en")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headway", *common, "serve", "--port", port, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )
        assert self.process.stderr is not None
        said = ""
        for line in self.process.stderr:
            said += line
            if "http://" in line:
                break
        else:
            raise AssertionError(said)
        self.said = said
        self.url = line[line.index("http://") :].strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=60)
