"""Trials of a whole batch kept between looks: the same trees merged by the same git give the same answer."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from headway.history import attributes, mergechild, normalizing, shortcut, sidenames, trees, trials
from headway.history.git import Git, text_of
from headway.history.kept import Kept, form_of, is_plain
from headway.model.pick import PendingChange, Trial

_MODULES = (attributes, mergechild, normalizing, shortcut, sidenames, trees, trials)
_KIND = f"trials {form_of(__file__, *(str(m.__file__) for m in _MODULES))}"


class KeptTrials:
    """The answer for one batch, by all that it depends on: ``question`` (the trees, and what belongs together), git
    itself, its settings and attributes. A program of somebody's own in a merge (a driver, a filter) may answer
    anything: then nothing is kept.
    """

    def __init__(self, git: Git, kept: Kept, question: object) -> None:
        self._kept = kept
        world = _world(git)
        self._name = None if world is None else hashlib.sha256(repr((world, question)).encode()).hexdigest()

    def get(self, changes: Sequence[PendingChange]) -> tuple[Trial, ...] | None:
        """The trials of these changes, in the order in which they were kept."""
        found = self._kept.get(_KIND, (self._name,)).get(self._name) if self._name else None
        try:
            rows = None if found is None else json.loads(found)
            if rows is None or len(rows) != len(changes):
                return None
            return tuple(
                Trial(change, tree, tuple(conflicts), empty, held_by=held_by)
                for change, (tree, conflicts, empty, held_by) in zip(changes, rows, strict=True)
            )
        except (TypeError, ValueError):  # somebody else's words
            return None

    def put(self, found: Sequence[Trial]) -> None:
        """Keep them, unless one has no answer: what is not here now may come."""
        if self._name and all(t.unknown is None for t in found):
            rows = [[t.tree, t.conflicts, t.empty, t.held_by] for t in found]
            self._kept.put(_KIND, {self._name: json.dumps(rows).encode()})


def _world(git: Git) -> list[str] | None:
    """What else than trees a merge depends on; ``None`` when that cannot be told."""
    settings = git.run("config", "--list", "--null").split("\0")
    values = {key: value for key, _, value in (s.partition("\n") for s in settings)}
    programs = (k == "merge.renormalize" or (k.startswith("merge.") and k.endswith(".driver")) for k in values)
    if not is_plain(git) or any(programs):
        return None
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "attributes"
    own = Path(values.get("core.attributesfile") or home).expanduser()
    program = shutil.which("git") or ""
    seen = Path(program).stat()
    texts = [_text(p) for p in (own, git.git_dir / "info" / "attributes")]
    return [program, str(seen.st_size), str(seen.st_mtime_ns), *settings, *texts]


def _text(path: Path) -> str:
    try:
        return text_of(path.read_bytes())
    except OSError:
        return ""
