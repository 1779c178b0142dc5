"""E5: blocks as Ray tasks. Ray queues them, places them, and runs those of a dead host again."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headway import __version__
from headway.errors import UnusableInput, WorldFailed
from headway.files import write_whole
from headway.model.ports import Progress
from headway.model.text import say
from headway.perf.blockjson import read_result, write_job, write_result
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace, Subject
from headway.perf.fleet import answered, kept, key_of, limit_s, place_of, wheel_bytes
from headway.policy.perf_tables import Fleet
from headway.process import run_logged


@dataclass(frozen=True, slots=True)
class RayRunner:
    """Ray is found as ``ray.init`` finds it (``RAY_ADDRESS``); its hosts have this version of Headway installed.

    ``folder`` keeps results, so that what was finished before is not run a second time. Blocks under way end with this
    process. Wheels that are files here reach the hosts through Ray.
    """

    folder: Path
    poll_s: float = 5.0

    def run(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[BlockResult | NoPlace | Lost]:
        ray = _connected()
        try:
            yield from self._run(ray, jobs, progress)
        finally:
            ray.shutdown()

    def _run(self, ray: Any, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[BlockResult | NoPlace | Lost]:
        pending: dict[Any, tuple[BlockJob, Fleet, frozenset[str]]] = {}
        wheels: dict[Subject, Any] = {}
        nodes = ray.nodes()
        for job in jobs:
            place = place_of(job)
            if result := kept(self.folder / f"{key_of(job)}.json", job):
                yield result
            elif isinstance(place, NoPlace):
                yield place
            elif not (hosts := _hosts(nodes, place)):
                yield NoPlace(job, _lacking(ray, place))
            else:
                for side in (job.baseline, job.candidate):
                    wheels[side] = wheels.get(side) or ray.put(wheel_bytes(side))
                task = ray.remote(measure).options(name=key_of(job), **_asked(hosts, place))
                ref = task.remote(__version__, job, wheels[job.baseline], wheels[job.candidate], limit_s(job.perf))
                pending[ref] = job, place, frozenset(h["NodeID"] for h in hosts)
        progress.say(say("{blocks} blocks are in Ray's queue", blocks=len(pending)))
        while pending:
            for ref in ray.wait(list(pending), timeout=self.poll_s)[0]:
                yield self._answer(ray, ref, *pending.pop(ref)[:2])
            nodes = ray.nodes()
            for ref, (job, place, asked) in tuple(pending.items()):
                hosts = _hosts(nodes, place)
                if asked.isdisjoint(h["NodeID"] for h in hosts):  # Ray may wait for them for ever
                    ray.cancel(ref, force=True)
                    del pending[ref]
                    yield _gone(ray, job, place, "all its hosts are gone")

    def _answer(self, ray: Any, ref: Any, job: BlockJob, place: Fleet) -> BlockResult | NoPlace | Lost:
        try:
            result: BlockResult | str = ray.get(ref)
        except ray.exceptions.RayTaskError as e:
            raise WorldFailed(
                "perf.ray-task",
                say("Ray's hosts cannot run a block: {why}", why=str(e).strip().splitlines()[-1]),
                clause="E5",
                remedy=say("install headway=={version} in the Python of Ray's hosts", version=__version__),
            ) from e
        except ray.exceptions.RayError as e:
            return _gone(ray, job, place, f"{type(e).__name__}: {e}")
        if isinstance(result, str):
            return Lost(job, result)
        answer = answered(job, result)
        if isinstance(answer, BlockResult):
            write_result(self.folder / f"{key_of(job)}.json", answer)
        return answer


def measure(
    version: str, job: BlockJob, baseline: bytes | None, candidate: bytes | None, timeout_s: int
) -> BlockResult | str:
    """On the host: the block in a process of its own. Its result, or why there is none. The wheels are their bytes."""
    if version != __version__:
        raise RuntimeError(f"the host has Headway {__version__}, not {version}")
    with tempfile.TemporaryDirectory(prefix="headway-block-") as name:
        folder = Path(name)
        here = replace(
            job,
            baseline=_laid(job.baseline, baseline, folder / "baseline"),
            candidate=_laid(job.candidate, candidate, folder / "candidate"),
        )
        write_job(folder / "job.json", here)
        argv = [sys.executable, "-m", "headway.perf.block", str(folder / "job.json"), str(folder / "result.json")]
        ended = run_logged(argv, log=folder / "log", timeout_s=timeout_s, cwd=folder, env=os.environ)
        result = folder / "result.json"
        return read_result(result) if result.exists() else ended.tail


def _laid(side: Subject, data: bytes | None, folder: Path) -> Subject:
    if data is None:
        return side
    wheel = folder / Path(side.wheel).name
    write_whole(wheel, data)
    return replace(side, wheel=str(wheel))


def _devices(host: dict[str, Any], place: Fleet) -> float:
    """How many of the place's accelerators a host has: of an accelerator type its GPUs, else the resource."""
    has = host["Resources"]
    return float(has.get("GPU" if f"accelerator_type:{place.accelerator}" in has else place.accelerator, 0))


def _hosts(nodes: list[dict[str, Any]], place: Fleet) -> list[dict[str, Any]]:
    """Those alive whose accelerators a block would hold all, so that nobody shares the host."""
    return [n for n in nodes if n["Alive"] and _devices(n, place) == place.devices]


def _asked(hosts: list[dict[str, Any]], place: Fleet) -> dict[str, Any]:
    """What the task asks Ray for: all accelerators and CPUs of one of these hosts."""
    kind = f"accelerator_type:{place.accelerator}"
    typed = kind in hosts[0]["Resources"]
    ids = ",".join(h["NodeID"] for h in hosts)
    return {
        "num_cpus": min(h["Resources"].get("CPU", 0) for h in hosts),
        "num_gpus": place.devices if typed else 0,
        "resources": {kind: 0.001} if typed else {place.accelerator: place.devices},
        "label_selector": {"ray.io/node-id": f"in({ids})"},
    }


def _gone(ray: Any, job: BlockJob, place: Fleet, why: str) -> NoPlace | Lost:
    """A block that Ray has given up: other hosts may take it the next time, or there is none."""
    return Lost(job, why) if _hosts(ray.nodes(), place) else NoPlace(job, _lacking(ray, place))


def _lacking(ray: Any, place: Fleet) -> str:
    there = sorted({f"{_devices(n, place):g}" for n in ray.nodes() if n["Alive"] and _devices(n, place)})
    has = f"hosts with {', '.join(there)} of it" if there else f"resources {', '.join(sorted(ray.cluster_resources()))}"
    return f"a host with {place.devices} × {place.accelerator or '?'} is asked for; Ray has {has}"


def _connected() -> Any:
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # each takes 40 s when nobody answers
    try:
        import ray
    except ImportError as e:
        raise UnusableInput(
            "perf.no-ray",
            say("the runner ray needs Ray, which is not installed"),
            clause="E5",
            remedy=say("pip install 'headway[ray]'"),
        ) from e
    try:
        ray.init(address="auto", log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError, OSError) as e:
        raise WorldFailed(
            "perf.ray",
            say("Ray cannot be reached: {why}", why=str(e).strip().splitlines()[0]),
            clause="E5",
            remedy=say("start it (`ray start --head`), or set RAY_ADDRESS to where it runs"),
        ) from e
    return ray
