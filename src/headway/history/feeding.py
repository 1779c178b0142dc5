"""Lines for a git that answers while it reads."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_FITS = 1 << 12  # bytes that any pipe takes at once


@contextmanager
def feeding(child: subprocess.Popen[bytes], lines: Sequence[bytes]) -> Iterator[None]:
    """``lines`` are written to the child's standard input while its answers are read inside; what fits any pipe needs
    no thread. A child that died is left to the reader, who sees it."""
    if sum(map(len, lines)) < _FITS:
        _write(child, lines)
        yield
        return
    writer = threading.Thread(target=_write, args=(child, lines), daemon=True)
    writer.start()
    yield
    writer.join()


def _write(child: subprocess.Popen[bytes], lines: Sequence[bytes]) -> None:
    try:
        if child.stdin:
            child.stdin.write(b"".join(lines))
            child.stdin.flush()
    except (BrokenPipeError, ValueError):  # it died, or the reader has closed it
        return
