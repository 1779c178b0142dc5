"""What a policy's coverage asks for, against what a configuration yields (E2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from headway.perf.matrix import MatrixCell


@dataclass(frozen=True, slots=True)
class Required:
    """Every model family on every kind of hardware, spelled as the policy spells them."""

    models: tuple[str, ...]
    hardware: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A pair that no cell covers. ``elsewhere``: hardware that its model does run on; ``unknown``: it runs on runners
    of which the rules do not say what they are, so a person must know."""

    model: str
    hardware: str
    elsewhere: tuple[str, ...]
    unknown: bool


def is_of_family(model: str, family: str) -> bool:
    """Whether a model id belongs to a family: ``meta-llama/Meta-Llama-3.1-8B`` to ``Llama3``, not to ``Llama31B``.

    The family's words and numbers stand together in the id's last part, parted by at most a dash, dot, underscore or
    space; what follows does not make its last number another one, nor a size.
    """
    name = model.rpartition("/")[2]
    parts = re.findall(r"[^\W\d_]+|\d+", family)
    if not parts:
        return False
    end = r"(?!\d)(?![bm](?![a-z]))" if parts[-1].isdigit() else r"(?![a-z])"
    pattern = r"(?<![a-z])" + r"[-_. ]?".join(map(re.escape, parts)) + end
    return re.search(pattern, name, re.IGNORECASE) is not None


def is_hardware(found: str | None, wanted: str) -> bool:
    """The same hardware, whatever case and dashes: ``MI300x`` and ``mi-300X``."""
    return found is not None and _plain(found) == _plain(wanted)


def uncovered(cells: Iterable[MatrixCell], required: Required) -> tuple[Uncovered, ...]:
    """The pairs in the policy's order."""
    rows = tuple(cells)
    found = []
    for family in required.models:
        own = [c for c in rows if is_of_family(c.model, family)]
        elsewhere = tuple(dict.fromkeys(c.hardware for c in own if c.hardware is not None))
        found += [
            Uncovered(family, hardware, elsewhere, any(c.hardware is None for c in own))
            for hardware in required.hardware
            if not any(is_hardware(c.hardware, hardware) for c in own)
        ]
    return tuple(found)


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.casefold())
