"""Apache Otava on series of nightly results, as it is on PyPI, in an environment of its own.

It looks at a whole series and answers change points. As a release gate: a change point towards worse within the nights
since the release before blocks. Its defaults are those of ``otava analyze``: window 50, p 0.001, any magnitude.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peer_rules import Array, Draw, Mask, Rng, Rule

VERSION = "0.8.0"
NIGHTS, SINCE = 60, 14  # of the series; of those since the release before
_WORKER = """
import json, sys
import numpy as np
from otava.analysis import compute_change_points
answer = []
for series in np.load(sys.argv[1]):
    found, _ = compute_change_points(list(series), 50, 0.001, float(sys.argv[2]))
    answer.append([[int(c.index), float(c.stats.forward_rel_change())] for c in found])
json.dump(answer, sys.stdout)
"""


def environment(cache: Path) -> Path:
    """The Python of an environment with Otava; made where it is not there yet."""
    folder = cache / f"otava-{VERSION}"
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", f"apache-otava=={VERSION}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"Otava cannot be installed:\n{done.stderr}\nleave it out with --no-otava")
        (folder / "whole").touch()
    return python


@dataclass(frozen=True)
class Otava(Rule):
    """A slowdown landed ``age`` nights before the end; ``magnitude`` is the least change that Otava is to tell."""

    python: Path = Path()
    age: int = 7
    magnitude: float = 0.0

    def worse(self, rng: Rng, draw: Draw, rows: int, shift: float) -> Mask:
        logs = draw(rng, rows, NIGHTS, 1, 1)[..., 0, 0]
        logs[:, NIGHTS - self.age :] += shift
        return _found(self.python, np.exp(logs), self.magnitude)


def rules(python: Path) -> tuple[Otava, ...]:
    """As it is installed, and told to be silent below 5 %."""
    whole = f"Otava {VERSION}, {NIGHTS} nights, slower for"
    plain = tuple(Otava(f"{whole} {age}", SINCE, python, age) for age in (10, 7, 3))
    return (*plain, Otava(f"{whole} 7, at least 5 %", SINCE, python, 7, 0.05))


def _found(python: Path, series: Array, magnitude: float) -> Mask:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.npy"
        np.save(path, series)
        command = [str(python), "-c", _WORKER, str(path), str(magnitude)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    answers = json.loads(done.stdout)
    return np.array([any(at >= NIGHTS - SINCE and change > 0 for at, change in found) for found in answers])
