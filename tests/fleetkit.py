"""Blocks for tests of fleets, which take seconds."""

from __future__ import annotations

from pathlib import Path

import perfkit

from headway.model.measurement import Side
from headway.perf.blocks import BlockJob
from headway.policy.perf_tables import Fleet, Perf

# What a hostile policy would call its things; none of it may be obeyed anywhere.
HOSTILE = "m$(touch pwned)`touch pwned`;touch pwned'\"\u202e\x1b[31m ../x"


def perf(*fleet: Fleet, runner: str, model: str = "toy", hardware: str = "H100", prompts: int = 4) -> Perf:
    """One cell on a fleet; 400 prompts take some seconds."""
    client = f"--num-prompts {prompts} --concurrency 2 --warmups 0 --input-len 4 --output-len 8"
    cell = perfkit.cell(model=model, hardware=hardware, client=client)
    return perfkit.perf(cells=[cell], runner=runner, fleet=[f.model_dump() for f in fleet])


def hardware(table: Perf, name: str) -> Perf:
    """The same table with its cell on other hardware."""
    return table.model_copy(update={"cells": (table.cells[0].model_copy(update={"hardware": name}),)})


def jobs(folder: Path, table: Perf, count: int, *, mode: str = "fast") -> list[BlockJob]:
    """``count`` blocks of one engine against itself."""
    baseline, candidate = (
        perfkit.subject(side, perfkit.engine_wheel(folder / side, mode)) for side in (Side.BASELINE, Side.CANDIDATE)
    )
    return [BlockJob(n, n, baseline, candidate, table) for n in range(count)]
