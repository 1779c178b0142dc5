"""What makes a cell the same test wherever and whenever it is run (E5)."""

from __future__ import annotations

from headway.model.entry import digest_of
from headway.policy.perf_jobs import needs_client, served
from headway.policy.perf_tables import Perf, PerfCell


def identity(perf: Perf, cell: PerfCell) -> str:
    """SHA-256 of all that makes a cell the same test: model, hardware, how it is served and what the client asks."""
    serve = [perf.serve, cell.serve, dict(perf.env)] if served(perf, cell) else []
    return digest_of([cell.model, cell.hardware, serve, perf.client, cell.client, needs_client(cell), perf.repeats])
