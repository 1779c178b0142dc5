"""Jobs and results of blocks as JSON files: what another host is given, and what it gives back (E5).

One object with ``headway_block`` (the format's version, 1) and ``job`` or ``result``: the dataclasses of
``headway.perf.blocks`` field by field.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from headway.errors import UnusableInput
from headway.files import write_whole
from headway.model.text import facts, say
from headway.perf.blocks import BlockJob, BlockResult

FORMAT = 1
_T = TypeVar("_T")


def write_job(path: Path, job: BlockJob) -> None:
    """Write a job, whole. Raises ``WorldFailed`` when the disk refuses."""
    write_whole(path, _bytes("job", BlockJob, job))


def write_result(path: Path, result: BlockResult) -> None:
    """Write a result, whole. Raises ``WorldFailed`` when the disk refuses."""
    write_whole(path, _bytes("result", BlockResult, result))


def read_job(path: Path) -> BlockJob:
    """Raises ``UnusableInput`` (``perf.block.damaged``, ``perf.block.newer``) for what is no job."""
    return _read(path, "job", BlockJob)


def read_result(path: Path) -> BlockResult:
    """Raises ``UnusableInput`` (``perf.block.damaged``, ``perf.block.newer``) for what is no result."""
    return _read(path, "result", BlockResult)


def _bytes(what: str, kind: type[Any], value: object) -> bytes:
    document = {"headway_block": FORMAT, what: TypeAdapter(kind).dump_python(value, mode="json")}
    return (json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n").encode()


def _read(path: Path, what: str, kind: type[_T]) -> _T:
    try:
        document = json.loads(path.read_bytes())
    except OSError as e:
        raise _damaged(path, e.strerror or str(e)) from e
    except (ValueError, RecursionError) as e:
        raise _damaged(path, f"is not JSON: {e}") from e
    version = document.get("headway_block") if isinstance(document, dict) else None
    if not isinstance(version, int) or what not in document:
        raise _damaged(path, f"holds no {what} of a block")
    if version > FORMAT:
        raise UnusableInput(
            "perf.block.newer",
            say("{path} was written by a newer Headway", path=path),
            clause="E5",
            facts=facts(file=path, version=version, known=FORMAT),
            remedy=say("install the same Headway on all hosts"),
        )
    try:
        return TypeAdapter(kind).validate_python(document[what])
    except ValidationError as e:
        first = e.errors()[0]
        raise _damaged(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from e


def _damaged(path: Path, why: str) -> UnusableInput:
    return UnusableInput(
        "perf.block.damaged",
        say("{path} cannot be used: {why}", path=path, why=why),
        clause="E5",
        facts=facts(file=path, why=why),
        remedy=say("write it again; the same Headway must be on all hosts"),
    )
