"""``/trains/VERSION/candidates/TAG/log/STEP``: the log of a build or test, as plain text.

Only files that the ledger names for this candidate, that lie in the state folder among its logs; of a long one its end.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from headway.decide import record
from headway.errors import WorldFailed, not_found
from headway.gating import GATE
from headway.model.entry import Entry, Kind
from headway.model.text import clean, facts, say
from headway.refusal import version_of
from headway.web.site import Site

_MOST = 1024 * 1024  # bytes
_KINDS = {"build": Kind.BUILT, "test": Kind.TESTED, "repack": Kind.REPACKED}


def log_pages(web: FastAPI, site: Site) -> None:
    @web.get("/trains/{version}/candidates/{tag:path}/log/{step}", response_class=PlainTextResponse)
    def log(request: Request, version: str, tag: str, step: str) -> Response:
        picture, _ = site.seen(request)
        train = str(version_of(version))
        named = _named(picture.entries, train, tag, step)
        path = log_file(picture.app.paths.logs, named) if named else None
        if path is None:
            raise not_found("log", f"{step} {tag}", say("see the candidates of {version}", version=train))
        return Response(read_end(path), media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


def _named(entries: tuple[Entry, ...], train: str, tag: str, step: str) -> str:
    """The file that the newest entry about this step of this candidate names."""
    found = None
    if step in _KINDS:
        found = record.last(entries, _KINDS[step], train, tag=tag)
    elif step.startswith(GATE):
        found = record.last(entries, Kind.GATED, train, tag=tag, gate=step.removeprefix(GATE))
    return str(found.payload.get("log") or "") if found else ""


def log_file(logs: Path, named: str) -> Path | None:
    """A regular file inside the folder of logs, whatever links lead to it; ``None`` for any other."""
    try:
        path, root = (logs / named).resolve(strict=True), logs.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    return path if path.is_relative_to(root) and path.is_file() else None


def read_end(path: Path) -> str:
    """The text, or its last MiB behind a line that says so; what a screen would obey is replaced. Raises
    ``WorldFailed`` (``log.unread``)."""
    try:
        size = path.stat().st_size
        with path.open("rb") as f:
            f.seek(max(0, size - _MOST))
            text = clean(f.read(_MOST).decode("utf-8", "replace"))
    except OSError as e:
        raise WorldFailed(
            "log.unread",
            say("the log cannot be read: {why}", why=e.strerror or str(e)),
            facts=facts(file=path.name),
            remedy=say("look at it where Headway runs"),
        ) from e
    return text if size <= _MOST else f"[… {size - _MOST} bytes before]\n{text}"
