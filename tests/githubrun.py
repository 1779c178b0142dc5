"""What the fake GitHub of the tests keeps of a workflow run, and how an expression of a workflow is filled in."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


@dataclass
class Made:
    """An artifact of a run."""

    id: int
    name: str
    data: bytes
    expired: bool = False


@dataclass
class Run:
    """A workflow run. ``queued`` until it is worked on."""

    id: int
    event: str
    tag: str
    sha: str
    title: str
    inputs: dict[str, str]
    status: str = "queued"
    conclusion: str | None = None
    artifacts: list[Made] = field(default_factory=list)
    log: bytes = b""
    looks: int = 0


@dataclass
class Fault:
    """What happens to the next request that fits: a status instead of doing it, ``cut`` (done, and no answer), ``drop``
    (neither) or ``stale`` (as it was answered before the last write)."""

    method: str
    path: str
    what: int | str
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""


def zipped(files: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        for name, data in files.items():
            z.writestr(name, data)
    return raw.getvalue()


def page_of(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    return rows[size * (page - 1) : size * page]


def filled(template: str, tag: str, inputs: dict[str, str]) -> str:
    """A template with its ``${{ … }}`` evaluated: names of contexts, joined by ``||``."""
    known = {"github.ref_name": tag, "github.ref": f"refs/tags/{tag}", **_named(inputs)}

    def value(found: re.Match[str]) -> str:
        return next((v for name in found[1].split("||") if (v := known.get(name.strip(), ""))), "")

    return _EXPRESSION.sub(value, template)


def _named(inputs: dict[str, str]) -> dict[str, str]:
    return {k if k.startswith("env.") else f"inputs.{k}": v for k, v in inputs.items()}
