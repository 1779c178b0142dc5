"""The tables of a policy about performance validation (E1–E7)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from headway.model.measurement import Cell
from headway.policy.table import Positive, Table, Words

Margin = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PerfCell(Table):
    """One cell to measure: what the client is asked to do with one model on one kind of hardware."""

    model: str = Field(description="Model family, as the coverage spells it.")
    hardware: str = Field(description="Hardware, as the coverage spells it.")
    test: str = Field(description="Name of the test; with model and hardware it identifies the cell.")
    serve: str = Field("", description="Arguments added to the serve command for this cell's launch.")
    client: str = Field("", description="Arguments added to the client command.")
    metrics: Words = Field(("median_tpot_ms",), description="At most three gating metrics.", min_length=1, max_length=3)

    @property
    def cell(self) -> Cell:
        """What identifies it (see the glossary)."""
        return Cell(self.model, self.hardware, self.test)


class Perf(Table):
    """E1–E7: performance validation.

    Fields of both commands: {python} {host} {port} {model} {seed} {branch} {commit} {version}; the client has
    {base_url} and {result} too. {python} is the engine's own for ``serve``, Headway's for the client.
    """

    required: bool = Field(True, description="No promotion without performance evidence (E1).")
    models: Words = Field((), description="Models asked for (E2).")
    hardware: Words = Field((), description="Hardware asked for (E2).")
    serve: str = Field("", description="Command that launches the engine from an installed wheel (E5).")
    health: str = Field("/health", description="Path that answers 200 when the engine is ready.")
    start_timeout_s: Positive = Field(600, description="Limit for a launch to become healthy.")
    client: str = Field(
        "headway-client",
        description="The built-in `headway-client`, or a command that writes a `vllm bench serve` JSON to {result}.",
    )
    client_timeout_s: Positive = Field(1800, description="Limit of one client run.")
    env: dict[str, str] = Field(default_factory=dict, description="Environment of launches.")
    cells: tuple[PerfCell, ...] = Field((), description="What is measured.")
    margins: dict[str, Margin] = Field(
        default_factory=dict, description="Metric to the smallest effect that matters (0.05 = 5 %)."
    )
    margin: Margin = Field(0.05, description="Margin of metrics that have none of their own.")
    alpha: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="Chance that an unchanged release is blocked, at most (over all cells).",
    )
    beta: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="Chance that a release with a cell worse by its margin passes, at most.",
    )
    looks: tuple[Positive, ...] = Field(
        (3, 4, 6, 8, 12, 16), description="Numbers of blocks after which the verdict is taken.", min_length=1
    )
    probe_blocks: Positive = Field(2, description="Blocks for each step of the culprit search.")
    dashboard: str = Field("", description="Address of the dashboard, for links (E6, E7).")
    workflow: str = Field("", description="Repository and workflow that policy names for the fleet (E1, E3).")
