"""Jobs: the cells that one launch serves (E5). They have one model, one hardware and one set of serve arguments."""

from __future__ import annotations

from headway.policy.perf_tables import Perf, PerfCell

VLLM_BENCH = "vllm-bench"
# Kinds of `vllm bench` that load the engine themselves: no server is launched for them.
OFFLINE = ("latency", "throughput", "startup")
STARTUP = "startup_s"


def served(perf: Perf, cell: PerfCell) -> bool:
    """Whether the cell is measured on a server that the policy's ``serve`` launches."""
    return not (perf.client.split()[:1] == [VLLM_BENCH] and cell.client.split()[:1] in [[kind] for kind in OFFLINE])


def needs_client(cell: PerfCell) -> bool:
    """Whether a client is run: a cell that asks for nothing but the time to start needs none."""
    return cell.metrics != (STARTUP,)


def configured(perf: Perf) -> bool:
    """Whether the policy says what to measure, and how to launch an engine where a block here launches one."""
    launches = perf.runner != "github" and any(served(perf, c) for c in perf.cells)
    return bool(perf.cells) and bool(perf.serve or not launches)


def jobs_of(perf: Perf) -> tuple[Perf, ...]:
    """The table once for each job, with ``cells`` cut down to that job's, in the order of the policy."""
    found: dict[tuple[str, str, str, bool], list[PerfCell]] = {}
    for c in perf.cells:
        found.setdefault((c.model, c.hardware, c.serve, served(perf, c)), []).append(c)
    return tuple(perf.model_copy(update={"cells": tuple(cells)}) for cells in found.values())


def devices_of(perf: Perf, hardware: str) -> int:
    """Devices that a block on this hardware holds; one where the policy does not say."""
    return next((f.devices for f in perf.fleet if f.hardware == hardware), 1)
