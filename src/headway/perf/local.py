"""E5: the local runner. One block launches baseline and candidate on this host, in turn, under the same load."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from headway import __version__
from headway.errors import UnusableInput
from headway.model.measurement import Sample, Side
from headway.model.ports import Progress
from headway.model.text import say
from headway.perf.importers import Invalid, Result, parse_result
from headway.perf.launch import HOST, Launch, free_port, launched
from headway.policy.perf_tables import Perf, PerfCell
from headway.process import command_line, project_env, run_logged

BUILT_IN = "headway-client"


@dataclass(frozen=True, slots=True)
class Engine:
    """One side, installed: the Python that has it, its version, the commit it was built from and that one's branch."""

    side: Side
    python: Path
    version: str
    commit: str
    branch: str


@dataclass(frozen=True, slots=True)
class _Block:
    """What every launch of a block shares."""

    number: int
    perf: Perf
    workdir: Path
    progress: Progress
    seed: int


def run_block(
    block: int,
    baseline: Engine,
    candidate: Engine,
    perf: Perf,
    *,
    workdir: Path,
    progress: Progress,
    seed: int | None = None,
) -> tuple[Sample, ...]:
    """Measure one block: every cell, both sides, in ABBA order (even blocks start with the baseline).

    Cells with the same model and serve arguments share a launch. ``seed`` is that of the prompts, the same for both
    sides (default: the block's number). Samples hold every metric that a result has; a cell whose launch, client or
    result was not valid on one side has its gating metrics there with ``value`` ``None`` and ``why``. Logs and results
    stay under ``workdir``; no process stays, however this ends.

    Raises ``UnusableInput`` for commands that cannot be filled in.
    """
    if not perf.serve:
        raise UnusableInput(
            "policy.perf",
            say("the policy names no command that launches the engine"),
            clause="E5",
            remedy=say("set perf.serve in release.toml"),
        )
    sides = (baseline, candidate) if block % 2 == 0 else (candidate, baseline)
    jobs: dict[tuple[str, str], list[PerfCell]] = {}
    for c in perf.cells:
        jobs.setdefault((c.model, c.serve), []).append(c)
    run = _Block(block, perf, workdir, progress, block if seed is None else seed)
    what, done, total = say("Block {block}", block=block), 0, len(perf.cells) * 2
    progress.bar(what, done, total)
    samples: list[Sample] = []
    for j, cells in enumerate(jobs.values()):
        found: dict[Side, list[Result | Invalid]] = {}
        for engine in sides:
            found[engine.side] = _run_side(run, engine, cells, workdir / f"block{block}-job{j}-{engine.side}")
            done += len(cells)
            progress.bar(what, done, total)
        for k, c in enumerate(cells):
            for side, result in _comparable({engine.side: found[engine.side][k] for engine in sides}).items():
                samples += _samples(block, side, c, result)
    return tuple(samples)


def _run_side(run: _Block, engine: Engine, cells: list[PerfCell], folder: Path) -> list[Result | Invalid]:
    """Launch one side and run the client over the cells of its job."""
    folder.mkdir(parents=True, exist_ok=True)
    perf, port = run.perf, free_port()
    base_url = f"http://{HOST}:{port}"
    fields = {
        "python": str(engine.python),
        "port": str(port),
        "host": HOST,
        "model": cells[0].model,
        "branch": engine.branch,
        "commit": engine.commit,
        "version": engine.version,
        "seed": str(run.seed),
    }
    # The engine's own console scripts come first, as in an activated environment.
    path = os.pathsep.join((str(engine.python.parent), os.environ.get("PATH", os.defpath)))
    run.progress.say(
        say(
            "block {block}: launching the {side}, {version}", block=run.number, side=engine.side, version=engine.version
        )
    )
    with launched(
        command_line(f"{perf.serve} {cells[0].serve}", **fields),
        health=base_url + perf.health,
        timeout_s=perf.start_timeout_s,
        cwd=folder,
        env=project_env({"PATH": path, **perf.env}),
        log=folder / "engine.log",
    ) as launch:
        if launch.why:
            return [Invalid(launch.why) for _ in cells]
        # One client for both sides: its Python is this one, never an engine's.
        fields |= {"base_url": base_url, "python": sys.executable}
        return [_run_client(run, c, launch, folder, i, fields) for i, c in enumerate(cells)]


def _run_client(
    run: _Block, cell: PerfCell, launch: Launch, folder: Path, i: int, fields: dict[str, str]
) -> Result | Invalid:
    result = folder / f"result{i}.json"
    result.unlink(missing_ok=True)  # what an interrupted run left is not this run's
    argv = command_line(f"{run.perf.client} {cell.client}", **fields, result=str(result))
    env = project_env({})
    if argv[0] == BUILT_IN:
        own = {"--base-url": fields["base_url"], "--model": cell.model, "--seed": fields["seed"], "--result": result}
        options = [str(part) for option in own.items() for part in option]
        argv = [sys.executable, "-m", "headway.perf.client", *options, *argv[1:]]
        env = dict(os.environ)
    ended = run_logged(argv, log=folder / f"client{i}.log", timeout_s=run.perf.client_timeout_s, cwd=folder, env=env)
    if death := launch.death():
        return Invalid(death)
    if ended.timed_out:
        return Invalid(f"the client did not end within {run.perf.client_timeout_s} s")
    found = parse_result(result)
    if isinstance(found, Result) and ended.ok:
        return found
    why = found.why if isinstance(found, Invalid) else "the client failed"
    return Invalid(f"{why} (client status {ended.code}): {ended.tail}")


def _comparable(found: dict[Side, Result | Invalid]) -> dict[Side, Result | Invalid]:
    """Both sides as they are, or both invalid when they did not do the same work."""
    tokens = {side: r.output_tokens for side, r in found.items() if isinstance(r, Result)}
    if len(set(tokens.values())) < 2:
        return found
    told = ", ".join(f"{side} {n}" for side, n in sorted(tokens.items()))
    return {side: Invalid(f"the sides generated different numbers of tokens: {told}") for side in found}


def _samples(block: int, side: Side, c: PerfCell, found: Result | Invalid) -> list[Sample]:
    cell = c.cell
    if isinstance(found, Invalid):
        return [Sample(block, side, cell, metric, None, found.why) for metric in c.metrics]
    there = [Sample(block, side, cell, metric, value) for metric, value in found.metrics.items()]
    lacking = [metric for metric in c.metrics if metric not in found.metrics]
    return there + [Sample(block, side, cell, m, None, f"the result has no usable {m}") for m in lacking]


def environment(perf: Perf, baseline: Engine, candidate: Engine) -> tuple[tuple[str, str], ...]:
    """What a run says of itself: (name, value). Equal names with several values mean that blocks differ in it.

    ``client``, ``serve`` and ``arguments <cell>`` are the method; the gate tells a change of method by them.
    """
    built_in = shlex.split(perf.client)[:1] == [BUILT_IN]
    return (
        ("host", platform.node()),
        ("system", platform.platform()),
        ("cpu", f"{_cpu()} × {os.cpu_count()}"),
        ("python", platform.python_version()),
        ("client", f"{perf.client} {__version__}" if built_in else perf.client),
        ("serve", perf.serve),
        ("baseline", f"{baseline.version} {baseline.commit}"),
        ("candidate", f"{candidate.version} {candidate.commit}"),
        *((f"arguments {c.cell}", f"serve: {c.serve}; client: {c.client}") for c in perf.cells),
    )


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        text = ""
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
