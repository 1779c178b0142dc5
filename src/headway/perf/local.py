"""E5: one block on this host. It launches baseline and candidate, in turn, under the same load."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from headway.errors import UnusableInput
from headway.model.measurement import Launch, RawSeries, Sample, Side
from headway.model.ports import Progress
from headway.model.text import say
from headway.perf import clients
from headway.perf.blocks import BlockJob, BlockResult, Subject
from headway.perf.clients import Run, read_run
from headway.perf.facts import host_facts
from headway.perf.finished import Finished, Served
from headway.perf.identity import identity
from headway.perf.importers import Invalid
from headway.perf.install import installed
from headway.perf.launch import HOST, Engine, free_port, launched, version_of
from headway.policy.perf_jobs import STARTUP, devices_of, needs_client, served
from headway.policy.perf_tables import PerfCell
from headway.process import command_line, project_env, run_logged
from headway.stats.validity import clocks_apart

# Runs of one launch have seeds of their own: what one asked for must not be in a cache when the next asks.
_SEED_STEP = 1000
_DYING_S = 0.1  # in which the end of an engine shows that could not answer


@dataclass(frozen=True, slots=True)
class LocalRunner:
    """Blocks on this host, one after the other. ``environments``: folder of what was installed, by digest; ``work``:
    where logs of blocks lie, which stay when something was not valid. Blocks of other processes are waited for: a
    host that does two at a time measures the other one's load."""

    environments: Path
    work: Path

    def run(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[BlockResult]:
        self.work.mkdir(parents=True, exist_ok=True)
        for job in jobs:
            with self._alone(progress):
                result = self._block(job, progress)
                yield result
                self._finished.kept(job, result.launches)  # who asked has kept it before asking for the next

    @property
    def _finished(self) -> Finished:
        return Finished(self.work / "finished")

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        lock = FileLock(self.work / ".lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            progress.say(say("another measurement runs on this host: waiting for its block to end"))
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _block(self, job: BlockJob, progress: Progress) -> BlockResult:
        baseline, candidate = (
            installed(s, self.environments, self.work / f"install-{s.sha256[:20]}.log")
            for s in (job.baseline, job.candidate)
        )
        folder = Path(tempfile.mkdtemp(prefix="block-", dir=self.work))
        ready = replace(job, baseline=baseline, candidate=candidate)
        result = run_block(ready, workdir=folder, progress=progress, finished=self._finished)
        if all(s.value is not None for s in result.samples):
            shutil.rmtree(folder, ignore_errors=True)
        return replace(result, job=job)


def run_block(job: BlockJob, *, workdir: Path, progress: Progress, finished: Finished | None = None) -> BlockResult:
    """Measure one block: both sides in ABBA order (even blocks start with the baseline), each launched once, serving
    all cells of the job ``repeats`` times. Both subjects are installed already (``python``).

    Samples hold every metric that a result has; a cell whose launch, client or result was not valid on one side has
    its gating metrics there with ``value`` ``None`` and ``why``. Logs and results stay under ``workdir``; no process
    stays, however this ends. A launch that is ``finished`` is not run again, and one that ends is written down there:
    who keeps the result says so (``Finished.kept``). Raises ``UnusableInput`` for commands that cannot be filled in.
    """
    if not job.perf.serve and any(served(job.perf, c) for c in job.perf.cells):
        raise UnusableInput(
            "policy.perf",
            say("the policy names no command that launches the engine"),
            clause="E5",
            remedy=say("set perf.serve in release.toml"),
        )
    sides = (job.baseline, job.candidate) if job.number % 2 == 0 else (job.candidate, job.baseline)
    bar = _Bar(progress, job)
    done = _taken_up(job, bar, finished)
    for s in sides:
        if s.side not in done:
            done[s.side] = _Side(job, s, workdir / f"block{job.number}-{s.side}", bar).run()
            if finished is not None:
                finished.add(job, done[s.side])
    samples: list[Sample] = []
    raw: list[RawSeries] = []
    for side, repeat, cell, found in _comparable(job, {s.side: done[s.side] for s in sides}):
        samples += _samples(job.number, side, repeat, cell, found)
        if isinstance(found, Run):
            raw += [RawSeries(job.number, side, cell.cell, repeat, name, values) for name, values in found.series]
    for s in sides:
        samples += _startups(job, s.side, done[s.side].startup)
    return BlockResult(
        job,
        tuple(samples),
        tuple(done[s.side].launch for s in sides),
        tuple(raw),
        sum(d.seconds for d in done.values()) * devices_of(job.perf, job.hardware),
    )


def _taken_up(job: BlockJob, bar: _Bar, finished: Finished | None) -> dict[Side, Served]:
    """The launches of a block that an earlier run finished."""
    done, too_old = finished.of(job) if finished is not None else ({}, ())
    for side in done:
        bar.moved(bar.runs)
        bar.progress.say(
            say("block {block}: the {side} was measured before this was broken off", block=job.number, side=side)
        )
    for path in too_old:
        bar.progress.say(
            say(
                "block {block}: the launch in {path} cannot be paired any more (an hour ago, or before this host was "
                "started): it is measured again, and the file stays",
                block=job.number,
                path=path,
            )
        )
    return done


class _Bar:
    """Moved by every run of a client; a launch that fails moves it by all of its own."""

    def __init__(self, progress: Progress, job: BlockJob) -> None:
        self.progress, self._what, self._done = progress, say("Block {block}", block=job.number), 0
        self.runs = job.perf.repeats * max(1, sum(needs_client(c) for c in job.perf.cells))
        progress.bar(self._what, 0, 2 * self.runs)

    def moved(self, runs: int) -> None:
        self._done += runs
        self.progress.bar(self._what, self._done, 2 * self.runs)


class _Side:
    """One launch of one side, and the client's runs over the cells of its job."""

    def __init__(self, job: BlockJob, subject: Subject, folder: Path, bar: _Bar) -> None:
        self.job, self.perf, self.subject, self.folder, self.bar = job, job.perf, subject, folder, bar
        self.cells = [c for c in self.perf.cells if needs_client(c)]
        self.fields = {
            "python": subject.python,
            "host": HOST,
            "port": str(free_port()),
            "model": job.model,
            "branch": subject.branch,
            "commit": subject.commit,
            "version": subject.version,
            "seed": str(job.seed),
        }
        self.base_url = f"http://{HOST}:{self.fields['port']}"

    def run(self) -> Served:
        self.folder.mkdir(parents=True, exist_ok=True)
        number, side, version = self.job.number, self.subject.side, self.subject.version
        words = say("block {block}: launching the {side}, {version}", block=number, side=side, version=version)
        self.bar.progress.say(words)
        wall, began = time.time(), time.monotonic()
        told = dict(host_facts()) | self._told(wall)
        if served(self.perf, self.perf.cells[0]):
            startup, found, engine = self._serve()
        else:
            startup, found, engine = Invalid("no server is launched for it"), self._runs(None), ""
        seconds = time.monotonic() - began
        moved = clocks_apart(time.time() - wall, seconds)
        if moved:
            startup, found = Invalid(moved), tuple(tuple(Invalid(moved) for _ in row) for row in found)
        told |= {"engine": engine or version, "device_seconds": f"{seconds * devices_of(self.perf, self.job.hardware)}"}
        cells = tuple(c.cell for c in self.perf.cells)
        launch = Launch(
            number, side, cells, tuple(told.items()), tuple(identity(self.perf, c) for c in self.perf.cells)
        )
        return Served(launch, startup, found, seconds)

    def _told(self, wall: float) -> dict[str, str]:
        return {
            "client": clients.told(self.perf, Path(self.subject.python)),
            "serve": self.perf.serve,
            "arguments": "; ".join(f"{c.test}: {c.serve} {c.client}" for c in self.perf.cells),
            "seed": str(self.job.seed),
            "started": datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            **({"wheel": self.subject.sha256} if self.subject.sha256 else {}),
        }

    def _serve(self) -> tuple[float | Invalid, tuple[tuple[Run | Invalid, ...], ...], str]:
        # The engine's own console scripts come first, as in an activated environment.
        path = os.pathsep.join((str(Path(self.subject.python).parent), os.environ.get("PATH", os.defpath)))
        with launched(
            command_line(f"{self.perf.serve} {self.perf.cells[0].serve}", **self.fields),
            health=self.base_url + self.perf.health,
            timeout_s=self.perf.start_timeout_s,
            cwd=self.folder,
            env=project_env({"PATH": path, **self.perf.env}),
            log=self.folder / "engine.log",
        ) as engine:
            if engine.why:
                self.bar.moved(self.bar.runs)
                return Invalid(engine.why), (tuple(Invalid(engine.why) for _ in self.cells),), ""
            runs, version = self._runs(engine), version_of(self.base_url)
            death = engine.death(_DYING_S)
            return Invalid(death) if death else engine.startup_s, runs, version

    def _runs(self, engine: Engine | None) -> tuple[tuple[Run | Invalid, ...], ...]:
        if not self.cells:
            self.bar.moved(self.bar.runs)
            return ()
        return tuple(
            tuple(self._client(cell, engine, i + repeat * len(self.cells)) for i, cell in enumerate(self.cells))
            for repeat in range(self.perf.repeats)
        )

    def _client(self, cell: PerfCell, engine: Engine | None, turn: int) -> Run | Invalid:
        if engine and (death := engine.death()):
            self.bar.moved(1)
            return Invalid(death)
        result = self.folder / f"result{turn}.json"
        result.unlink(missing_ok=True)  # what an interrupted run left is not this run's
        # One client for both sides: its Python is this one, never an engine's.
        seed = str(self.job.seed + _SEED_STEP * turn)
        fields = self.fields | {"base_url": self.base_url, "python": sys.executable, "seed": seed}
        ask = clients.asked(self.perf, cell, fields, Path(self.subject.python), result)
        log, limit = self.folder / f"client{turn}.log", self.perf.client_timeout_s
        ended = run_logged(ask.argv, log=log, timeout_s=limit, cwd=self.folder, env=ask.env)
        self.bar.moved(1)
        if engine and (death := engine.death()):
            return Invalid(death)
        if ended.timed_out:
            return Invalid(f"the client did not end within {limit} s")
        found = read_run(result)
        if isinstance(found, Run) and ended.ok:
            return found
        why = found.why if isinstance(found, Invalid) else "the client failed"
        return Invalid(f"{why} (client status {ended.code}): {ended.tail}")


def _comparable(job: BlockJob, done: dict[Side, Served]) -> Iterator[tuple[Side, int, PerfCell, Run | Invalid]]:
    """What each repeat of each cell found on each side; both are invalid when they did not do the same work."""
    cells = [c for c in job.perf.cells if needs_client(c)]
    for repeat in range(job.perf.repeats):
        for k, cell in enumerate(cells):
            found = {side: d.found[repeat][k] for side, d in done.items() if repeat < len(d.found)}
            why = _unequal(found)
            for side, run in found.items():
                yield side, repeat, cell, Invalid(why) if why else run


def _unequal(found: dict[Side, Run | Invalid]) -> str:
    runs = sorted((side, r.tokens) for side, r in found.items() if isinstance(r, Run))
    for what, i in (("generated", 1), ("were sent", 0)):
        told = [(side, tokens[i]) for side, tokens in runs if tokens[i] is not None]
        if len({n for _, n in told}) > 1:
            return f"the sides {what} different numbers of tokens: " + ", ".join(f"{side} {n}" for side, n in told)
    return ""


def _samples(block: int, side: Side, repeat: int, c: PerfCell, found: Run | Invalid) -> list[Sample]:
    wanted = [m for m in c.metrics if m != STARTUP]
    if isinstance(found, Invalid):
        return [Sample(block, side, c.cell, metric, None, found.why, repeat) for metric in wanted]
    there = [Sample(block, side, c.cell, metric, value, "", repeat) for metric, value in found.metrics.items()]
    lacking = [metric for metric in wanted if metric not in found.metrics]
    return there + [Sample(block, side, c.cell, m, None, f"the result has no usable {m}", repeat) for m in lacking]


def _startups(job: BlockJob, side: Side, startup: float | Invalid) -> list[Sample]:
    """The launch's one sample of its time to start, for each cell that gates on it."""
    cells = [c.cell for c in job.perf.cells if STARTUP in c.metrics]
    value, why = (None, startup.why) if isinstance(startup, Invalid) else (startup, "")
    return [Sample(job.number, side, cell, STARTUP, value, why) for cell in cells]


def environment(result: BlockResult) -> tuple[tuple[str, str], ...]:
    """What a block says of where and how it was taken: (name, value). Several values of a name mean that launches
    differ in it; ``client``, ``serve`` and ``arguments <cell>`` are the method, and the gate tells a change of it.
    """
    job = result.job
    names = ("host", "system", "cpu", "python", "client", "serve")
    told = dict.fromkeys((name, value) for launch in result.launches for name, value in launch.told if name in names)
    return (
        *told,
        ("baseline", f"{job.baseline.version} {job.baseline.commit}"),
        ("candidate", f"{job.candidate.version} {job.candidate.commit}"),
        *((f"arguments {c.cell}", f"serve: {c.serve}; client: {c.client}") for c in job.perf.cells),
    )
