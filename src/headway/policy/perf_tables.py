"""The tables of a policy about performance validation (E1–E7)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headway.model.measurement import Cell
from headway.policy.table import NotNegative, Positive, Table, Words

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


class Fleet(Table):
    """Where one kind of hardware is found (E2, E5): what the runner asks the fleet for."""

    hardware: str = Field(description="Hardware, as the coverage spells it.")
    devices: Positive = Field(1, description="Devices that a block holds; device-minutes are counted with it.")
    accelerator: str = Field("", description="Ray's accelerator type or resource, or Slurm's GPU type.")
    partition: str = Field("", description="Slurm's partition.")
    runners: str = Field("", description="Word of the workflow's input `runners`, such as `h100`.")


class Noise(Table):
    """How much one metric's paired log ratio scatters on these hosts, from history (`headway perf noise`)."""

    metric: str = Field(description="Metric.")
    sd: Margin = Field(description="Standard deviation of one block's log ratio.")
    df: Margin = Field(description="Degrees of freedom that it is worth; the gate takes 20 at most.")


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
        pattern=r"\S",
        description="The built-in `headway-client`, `vllm-bench PYTHON` or `guidellm PYTHON` of that interpreter, "
        "or a command that writes a result of one of these to {result}.",
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
    repeats: Positive = Field(1, description="Times that a launch serves its whole cell list.")
    noise: tuple[Noise, ...] = Field((), description="Scatter of metrics from history; none: estimated as it goes.")
    runner: Literal["local", "github", "ray", "slurm"] = Field("local", description="Where blocks run.")
    fleet: tuple[Fleet, ...] = Field((), description="Where each hardware is found; not needed for `local`.")
    pair_on: Literal["host", "hardware"] = Field(
        "host",
        description="Both sides of a block on one `host`, or, where a fleet gives no more, on one kind of hardware.",
    )
    budget_launches: NotNegative = Field(0, description="Launches that one comparison may cost; 0: no limit.")
    budget_device_minutes: NotNegative = Field(
        0, description="Device-minutes that one comparison may cost; 0: no limit."
    )
    probe_blocks: Positive = Field(2, description="Blocks for each step of the culprit search.")
    dashboard: str = Field("", description="Address of the dashboard, for links (E6, E7).")
    workflow: str = Field("", description="Repository and workflow that policy names for the fleet (E1, E3).")
