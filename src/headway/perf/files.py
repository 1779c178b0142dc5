"""A result file, whichever client or workflow wrote it: told by what is in it, plain or gzipped, whole or in lines.

Everything here is data from outside. What cannot be used is ``Refused`` with why, and loses nothing of the rest.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from headway.model.measurement import MeasuredCell
from headway.perf import guidellm, vllmbench
from headway.perf.blocklines import is_block
from headway.perf.cellof import cell_of
from headway.perf.imported import Refused, Series
from headway.perf.importers import Invalid, parse_document
from headway.perf.recordv3 import Aside, Parsed, parse_record
from headway.perf.told import Told

SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
_LARGEST_DOCUMENT = 512 * 2**20  # of one JSON document in memory; lines have no such limit
_LONGEST_LINE = 128 * 2**20
_CHUNK = 2**20
UNDATED = "when it was measured is not in it: no comparison has it until it is imported with --date"


@dataclass(frozen=True, slots=True)
class Note:
    """What a person should know of results that are kept."""

    why: str


@dataclass(frozen=True, slots=True)
class BlockLine:
    """A line of an export that belongs to a comparison."""

    line: int
    record: Mapping[str, Any]


Found = Parsed | Aside | Refused | Note | BlockLine


def read_file(path: Path, told: Told) -> Iterator[Found]:
    """All that a file holds, in its order. A file that is damaged as a whole is one ``Refused`` of line 0."""
    try:
        size = _sound(path)
    except EOFError:
        yield Refused(0, "the gzip ends too early: it was cut off")
    except (gzip.BadGzipFile, zlib.error) as e:
        yield Refused(0, f"is not a sound gzip: {e}")
    except UnicodeDecodeError:
        yield Refused(0, "is not UTF-8 text")
    except OSError as e:
        yield Refused(0, f"cannot be read: {e.strerror or e}")
    else:
        if size == 0:
            yield Refused(0, "is empty")
            return
        yield from _objects(path, size, told)


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as f:
        zipped = f.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb")) if zipped else path.open("rb")


def _sound(path: Path) -> int:
    """Read it through once, so that nothing of a damaged file is used; how many bytes but blanks it has."""
    decoder, size = codecs.getincrementaldecoder("utf-8")(), 0
    with _opened(path) as f:
        while chunk := f.read(_CHUNK):
            decoder.decode(chunk)
            size += len(chunk) if size else len(chunk.lstrip())
    decoder.decode(b"", final=True)
    return size


def _objects(path: Path, size: int, told: Told) -> Iterator[Found]:
    lined = path.name.removesuffix(".gz").endswith(".jsonl")
    if not lined and size <= _LARGEST_DOCUMENT:
        with _opened(path) as f:
            data = f.read()
        try:
            whole = json.loads(data)
        except (ValueError, RecursionError) as e:
            # One object on each line is JSON lines under another name; all else is a damaged document.
            if not (isinstance(e, json.JSONDecodeError) and e.msg == "Extra data"):
                yield Refused(0, f"is not JSON: {e}")
                return
        else:
            yield from _document(whole, data, told)
            return
    with _opened(path) as f:
        yield from _lines(f, told)


def _document(whole: object, data: bytes, told: Told) -> Iterator[Found]:
    key = _key(data, told)
    if isinstance(whole, list):
        for number, item in enumerate(whole, 1):
            yield from _object(item, number, key, told)
        if not whole:
            yield Refused(0, "is empty")
    else:
        yield from _object(whole, 0, key, told)


def _lines(f: IO[bytes], told: Told) -> Iterator[Found]:
    for number, line in enumerate(iter(lambda: f.readline(_LONGEST_LINE + 1), b""), 1):
        if len(line) > _LONGEST_LINE:
            yield Refused(number, f"is longer than {_LONGEST_LINE >> 20} MiB; the rest of the file is not read")
            return
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as e:
            yield Refused(number, f"is not JSON: {e}")
        else:
            yield from _object(found, number, _key(line.strip(), told), told)


def _key(data: bytes, told: Told) -> str:
    """Content identity of what has no workflow's run: the same bytes of the same commit are the same launch."""
    return hashlib.sha256(f"{told.repo}\0{told.commit}\0".encode() + data).hexdigest()


def _object(found: object, line: int, key: str, told: Told) -> Iterator[Found]:
    try:
        yield from list(_read(found, line, key, told))  # all of it or nothing
    except (OverflowError, RecursionError) as e:
        yield Refused(line, f"holds a number that is too large, or is nested too deep: {type(e).__name__}")


def _read(found: object, line: int, key: str, told: Told) -> Iterator[Found]:
    if isinstance(found, Mapping) and isinstance(found.get("metric"), Mapping):
        if is_block(found):
            yield BlockLine(line, found)
        elif "schema_version" in found or "head_sha" in found:
            yield parse_record(found, line)
        else:  # as a client writes it before a workflow adds what it knows
            yield parse_record({**told.about(), **found}, line, key)
    elif guidellm.is_report(found):
        yield from _of_guidellm(found, line, key, told)
    else:
        yield from _of_vllm(found, line, key, told)


def _of_guidellm(report: Mapping[str, Any], line: int, key: str, told: Told) -> Iterator[Found]:
    if not report["benchmarks"]:
        yield Refused(line, "holds no benchmark")
    runs: Counter[MeasuredCell] = Counter()
    for tested in guidellm.benchmarks_of(report):
        if isinstance(tested, str):
            yield Refused(line, tested)
            continue
        records = list(guidellm.records_of(tested, told))
        cell = cell_of(records[0])
        yield from _parsed(records, tested.series, line, key, runs[cell])
        runs[cell] += 1  # the same test again is its next repeat


def _of_vllm(found: object, line: int, key: str, told: Told) -> Iterator[Found]:
    result = parse_document(found)
    if isinstance(result, Invalid):
        yield Refused(line, result.why)
        return
    document = cast("Mapping[str, Any]", found)
    yield from map(Aside, result.set_aside)
    if vllmbench.kind_of(document) == "throughput":
        yield Note(vllmbench.NO_WARM_UP)
    yield from _parsed(vllmbench.records_of(document, result, told), vllmbench.series_of(document), line, key)


def _parsed(
    records: Iterable[dict[str, Any]],
    series: Iterable[tuple[str, tuple[float, ...]]],
    line: int,
    key: str,
    repeat: int = 0,
) -> Iterator[Found]:
    """Records of one run of a test, then its series."""
    last = None
    for record in records:
        if not record["timestamp"]:
            yield Note(UNDATED)
        found = parse_record(record, line, key)
        yield found
        if isinstance(found, Parsed):
            last = (found.about, cell_of(record))
    if last is not None:
        for name, values in series:
            yield Parsed(key, last[0], Series(last[1], name, values, repeat))
