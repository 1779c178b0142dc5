"""E5: two runs of the benchmark workflow as one block: samples with every repeat, and what each launch said."""

from __future__ import annotations

from dataclasses import dataclass, replace

from headway.github.actions import RunJob
from headway.model.measurement import Cell, Launch, Sample
from headway.model.measurement import Side as Who
from headway.perf.blocks import BlockJob, BlockResult, Subject
from headway.perf.workflow_results import RunResults, TestResult
from headway.policy.perf_tables import PerfCell

# The workflow drives each engine with the client of its own image: no client is pinned there, and a change of it shows
# as a change of the engine.
CLIENT = "vllm bench of the engine's image"


@dataclass(frozen=True, slots=True)
class Side:
    """One side: its run's page, the ``device`` that the artifact's name tells, the ``job`` that ran on it (``None``:
    not told), and the results."""

    subject: Subject
    url: str
    device: str
    job: RunJob | None
    results: RunResults


def block_result(job: BlockJob, sides: tuple[Side, ...]) -> tuple[BlockResult, tuple[str, ...]]:
    """The block, and what was asked for and no record tells. A cell that one side lacks has the other's samples."""
    cells = [
        (c, {s.subject.side: s.results.tests[c.test] for s in sides if c.test in s.results.tests})
        for c in job.perf.cells
    ]
    samples: list[Sample] = []
    missing = []
    for c, found in cells:
        lacking = [
            s
            for s in sides
            if s.subject.side not in found or not (found[s.subject.side].values or found[s.subject.side].why)
        ]
        missing += [f"{s.url} has no record of {c.cell}" for s in lacking]
        same = _same_work(found)
        for side in sides:
            if side not in lacking:
                samples += _samples(job.number, side, c, same[side.subject.side])
    devices = next((f.devices for f in job.perf.fleet if f.hardware == job.hardware), 1)
    launches = tuple(launch for s in sides for launch in _launches(job, s, devices))
    seconds = sum(s.job.seconds for s in sides if s.job) * devices
    return BlockResult(job, tuple(samples), launches, (), seconds), tuple(missing)


def _same_work(found: dict[Who, TestResult]) -> dict[Who, TestResult]:
    """Both sides as they are, or both invalid when they did not do the same work."""
    tokens = {side: r.tokens for side, r in found.items() if not r.why and r.tokens is not None}
    if len({r.identity for r in found.values() if r.identity}) > 1:
        why = "the sides were run by different commands: the workflow's configuration changed in between"
    elif len(set(tokens.values())) > 1:
        told = ", ".join(f"{s} {n}" for s, n in sorted(tokens.items()))
        why = f"the sides generated different numbers of tokens: {told}"
    else:
        return found
    return {side: replace(r, why=r.why or why) for side, r in found.items()}


def _samples(block: int, side: Side, c: PerfCell, found: TestResult) -> list[Sample]:
    who = side.subject.side
    if found.why:
        return [Sample(block, who, c.cell, metric, None, found.why) for metric in c.metrics]
    there = [
        Sample(block, who, c.cell, metric, value, repeat=i)
        for metric, values in found.values.items()
        for i, value in enumerate(values)
    ]
    lacking = [m for m in c.metrics if m not in found.values]
    return there + [Sample(block, who, c.cell, m, None, f"the result has no usable {m}") for m in lacking]


def _launches(job: BlockJob, side: Side, devices: int) -> list[Launch]:
    """One for each server that the workflow's script started: the tests with one serve command share it."""
    groups: dict[str, list[tuple[Cell, TestResult]]] = {}
    for c in job.perf.cells:
        found = side.results.tests.get(c.test)
        if found is not None:
            commands = found.commands
            key = commands.get("server_command") or next(
                (v for k, v in sorted(commands.items()) if k != "gpu_type"), c.test
            )
            groups.setdefault(key, []).append((c.cell, found))
    made = []
    for serve, tests in groups.items():
        asked = sorted({r.commands["client_command"] for _, r in tests if "client_command" in r.commands})
        told = {
            "engine": side.subject.version,
            **dict(side.results.told),
            "host": side.job.runner if side.job else "",
            "devices": side.device,
            "client": CLIENT,
            "serve": serve if any(r.commands for _, r in tests) else "",
            "arguments": "\n".join(asked),
            "started": side.job.started if side.job else "",
            "device_seconds": f"{side.job.seconds * devices / len(groups)}" if side.job else "",
        }
        cells = tuple(cell for cell, _ in tests)
        # No identity: the policy's arguments, of which it is made, are not what the workflow's tests are made of.
        made.append(Launch(job.number, side.subject.side, cells, tuple((k, v) for k, v in told.items() if v)))
    return made
