"""Files and folders of results into the store, and what became of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from headway.model.measurement import IMPORTED, Launch
from headway.model.ports import Progress
from headway.model.text import clean, say
from headway.perf.blocklines import blocks_of
from headway.perf.files import SUFFIXES, BlockLine, Found, Note, read_file
from headway.perf.imported import Kept, Refused
from headway.perf.recordv3 import Aside, Parsed, runs_of
from headway.perf.store import MeasurementStore
from headway.perf.told import Told

_AT_ONCE = 20_000  # records in one transaction
_EVIDENCE = "a block of a comparison is evidence of the gate: it is restored with --blocks only"
_WHOLE = "block {}, {}, {}, {}, repeat {}: the store has this launch whole, no repeats are added to it"
_SHOWN = 100  # refused lines of one file that are told one by one


@dataclass(slots=True)
class Outcome:
    """``kept`` over all files, ``blocks`` (samples of comparisons that were new), by file what was not used; by note
    the files that it is told of."""

    files: int = 0
    kept: Kept = field(default_factory=Kept)
    blocks: int = 0
    skipped: list[tuple[str, Refused]] = field(default_factory=list)
    set_aside: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The document of `headway perf import`. ``records``: those that are new."""
        return {
            "records": self.kept.new,
            "known": self.kept.known,
            "launches": self.kept.launches,
            "series": self.kept.series,
            "samples": self.blocks,
            "files": self.files,
            "skipped": [
                {"file": name, **({"line": r.line} if r.line else {}), "why": r.why} for name, r in self.skipped
            ],
            "set_aside": [{"file": name, "metrics": found} for name, found in self.set_aside.items()],
            "notes": [{"note": note, "files": files} for note, files in self.notes.items()],
        }


def files_under(path: Path, unread: list[tuple[str, Refused]]) -> Iterator[Path]:
    """The file itself, or the result files of a folder and its folders, in order.

    What cannot be looked into, leads nowhere or holds no result file goes to ``unread`` with why.
    """
    if not path.is_dir():
        yield path
        return
    found: list[Path] = []
    before = len(unread)
    for folder, _, names in os.walk(path, onerror=lambda e: unread.append((e.filename, _no_folder(e)))):
        for name in names:
            file = Path(folder) / name
            if not name.endswith(SUFFIXES) or name.startswith("."):
                continue
            if file.is_file():
                found.append(file)
            else:
                unread.append((str(file), Refused(0, "leads to no file")))
    if not found and len(unread) == before:
        unread.append((str(path), Refused(0, f"holds no result file ({', '.join(SUFFIXES)})")))
    yield from sorted(found)


def _no_folder(e: OSError) -> Refused:
    return Refused(0, f"cannot be looked into: {e.strerror or e}")


def import_files(
    store: MeasurementStore, paths: Iterable[Path], told: Told, progress: Progress, *, blocks: bool = False
) -> Outcome:
    """Keep what the files hold. A file that was imported before adds nothing; one that was interrupted is completed.

    ``blocks``: those of comparisons are restored too, out of an export. They are evidence of the gate, so only a
    person's word brings them in.
    """
    outcome = Outcome()
    files = [f for p in paths for f in files_under(p, outcome.skipped)]
    for i, path in enumerate(files):
        progress.bar(say("Importing results"), i, len(files))
        _import(store, path, told, outcome, blocks=blocks)
        outcome.files += 1
    progress.bar(say("Importing results"), len(files), len(files))
    return outcome


def _import(store: MeasurementStore, path: Path, told: Told, outcome: Outcome, *, blocks: bool) -> None:
    found, refused = read_file(path, told), _Refusals()
    while some := list(islice(found, _AT_ONCE)):
        _note(some, str(path), outcome)
        refused += (f for f in some if isinstance(f, Refused))
        kept = store.keep(runs_of(f for f in some if isinstance(f, Parsed)))
        refused += kept.refused
        outcome.kept += Kept(kept.new, kept.known, kept.launches, kept.series)
        lines = [f for f in some if isinstance(f, BlockLine)]
        if lines and blocks:
            outcome.blocks += _restore(store, lines, refused)
        elif lines:
            refused += (Refused(f.line, _EVIDENCE) for f in lines)
    outcome.skipped += ((str(path), r) for r in refused.shown())


def _restore(store: MeasurementStore, lines: list[BlockLine], refused: _Refusals) -> int:
    found, bad = blocks_of([(f.line, f.record) for f in lines])
    refused += (Refused(line, why) for line, why in bad)
    added = 0
    for b in found:
        new, known = store.restore(replace(b, launches=tuple(map(_marked, b.launches))))
        added += new
        refused += (Refused(0, _WHOLE.format(s.block, s.side, s.cell, s.metric, s.repeat)) for s in known)
    return added


def _marked(launch: Launch) -> Launch:
    """Known as imported for ever: no tick takes it for its own."""
    return launch if IMPORTED in launch.told else replace(launch, told=(*launch.told, IMPORTED))


def _note(found: list[Found], name: str, outcome: Outcome) -> None:
    for f in found:
        if isinstance(f, Aside):
            names = outcome.set_aside.setdefault(name, {})
            metric = clean(f.metric)
            names[metric] = names.get(metric, 0) + 1
        elif isinstance(f, Note) and name not in outcome.notes.setdefault(f.why, []):
            outcome.notes[f.why].append(name)


class _Refusals:
    """Refusals of one file: the first ones, and how many more there are."""

    def __init__(self) -> None:
        self._first: list[Refused] = []
        self._more = 0

    def __iadd__(self, refused: Iterable[Refused]) -> _Refusals:
        for r in refused:
            if len(self._first) < _SHOWN:
                self._first.append(r)
            else:
                self._more += 1
        return self

    def shown(self) -> list[Refused]:
        more = [Refused(0, f"{self._more} more lines are set aside")] if self._more else []
        return sorted(self._first, key=lambda r: r.line) + more
