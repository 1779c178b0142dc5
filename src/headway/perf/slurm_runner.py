"""E5: blocks as exclusive ``sbatch`` jobs. Slurm queues them, places them, and queues those of a dead host again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headway.errors import WorldFailed
from headway.files import write_whole
from headway.model.ports import Progress
from headway.model.text import say
from headway.perf.blockjson import write_job
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace, Subject
from headway.perf.fleet import kept, key_of, left, limit_s, place_of, wheel_bytes
from headway.policy.perf_tables import Fleet
from headway.process import project_env, tail_of

# The words of a job are its arguments: none ever becomes part of a script.
_SCRIPT = b'#!/bin/sh\nexec "$@"\n'
_ENDED = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT")
}
# Reasons to be pending that time does not mend.
_NEVER = {
    *("BadConstraints", "PartitionDown", "PartitionInactive", "PartitionNodeLimit", "PartitionTimeLimit"),
    *("JobHeldAdmin", "JobHeldUser", "JobLaunchFailure"),
}
_LIMIT_S = 120  # of a question; one that is taken longer over is not answered
_UNUSABLE = re.compile(r"down|drain|fail|unk|inval|error|future")


@dataclass(frozen=True, slots=True)
class SlurmRunner:
    """``folder`` and this Python are seen under the same paths by all hosts. Slurm's configuration is found as
    ``sbatch`` finds it (``SLURM_CONF``).

    A block's files stay in a folder of its own. What was finished or queued before is not run a second time: an
    interrupted run leaves its jobs in the queue, and finds them there when it is started again.
    """

    folder: Path
    poll_s: float = 10.0

    def run(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[BlockResult | NoPlace | Lost]:
        queue, hosts, waiting = self._queue(), _Hosts(), dict[str, tuple[BlockJob, Fleet]]()
        for job in jobs:
            key, place = key_of(job), place_of(job)
            if result := kept(self.folder / key / "result.json", job):
                yield result
            elif isinstance(place, NoPlace):
                yield place
            elif why := hosts.lacking(place) or (not _alive(queue.get(key)) and self._submit(key, job, place)):
                yield NoPlace(job, why)
            else:
                waiting[key] = job, place
        progress.say(say("{blocks} blocks are in Slurm's queue", blocks=len(waiting)))
        gone = set[str]()
        while waiting:
            time.sleep(self.poll_s)
            queue, hosts = self._queue(), _Hosts()
            for key, (job, place) in tuple(waiting.items()):
                answer = self._answer(key, job, place, queue.get(key), hosts, key in gone)
                gone |= set() if _alive(queue.get(key)) else {key}
                if answer is not None:
                    del waiting[key]
                    yield answer

    def _answer(
        self, key: str, job: BlockJob, place: Fleet, queued: dict[str, Any] | None, hosts: _Hosts, gone: bool
    ) -> BlockResult | NoPlace | Lost | None:
        if result := left(self.folder / key / "result.json", job):
            return result
        if not (queued and _alive(queued)):  # a shared disk may show the result a little later than the queue its end
            return Lost(job, self._told(key, queued)) if gone else None
        reason = queued["state_reason"]
        if "PENDING" in _states(queued) and (why := reason if reason in _NEVER else hosts.lacking(place)):
            _slurm("scancel", str(queued["job_id"]))
            return NoPlace(job, why)
        return None

    def _queue(self) -> dict[str, dict[str, Any]]:
        """Jobs that write into this folder, by name; ended ones for some minutes too."""
        try:
            told = json.loads(_slurm("squeue", "--json"))
            if told.get("errors"):  # with status 0, and no jobs
                raise _failed("squeue", "; ".join(str(e.get("description", e)) for e in told["errors"]))
            ours = self.folder.resolve()
            jobs = sorted(told["jobs"], key=lambda j: int(j["job_id"]))
            return {j["name"]: j for j in jobs if Path(j["current_working_directory"]) == ours / j["name"]}
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise _failed("squeue", f"its JSON is not Slurm's: {e}") from e

    def _told(self, key: str, ended: dict[str, Any] | None) -> str:
        log = self.folder / key / "slurm.log"
        state = f"{', '.join(_states(ended))} ({ended['state_reason']})" if ended else "unknown"
        return f"Slurm's job {key} ended: {state}\n{tail_of(log) if log.exists() else 'It left no log.'}"

    def _submit(self, key: str, job: BlockJob, place: Fleet) -> str:
        """``""``, or why Slurm refuses it."""
        folder = self.folder.resolve() / key
        here = replace(job, baseline=self._shared(job.baseline), candidate=self._shared(job.candidate))
        write_job(folder / "job.json", here)
        (folder / "result.json").unlink(missing_ok=True)  # it is there only if it is no answer
        write_whole(folder / "block.sh", _SCRIPT)
        asked = ["--exclusive", "--nodes=1", "--ntasks=1", "--mem=0", "--requeue", f"--time={limit_s(job.perf) // 60}"]
        asked += [f"--partition={place.partition}"] if place.partition else []
        asked += [f"--gres=gpu:{place.accelerator}:{place.devices}"] if place.accelerator else []
        named = [f"--job-name={key}", "--output=slurm.log", "--open-mode=append", "--parsable"]
        command = [sys.executable, "-m", "headway.perf.block", str(folder / "job.json"), str(folder / "result.json")]
        ended = _started("sbatch", *asked, *named, "block.sh", *command, cwd=folder)
        return "" if ended.returncode == 0 else ended.stderr.strip()

    def _shared(self, side: Subject) -> Subject:
        """The side with its wheel where the hosts see it."""
        wheel = self.folder.resolve() / "wheels" / side.sha256 / Path(side.wheel).name
        if not (side.sha256 and wheel.exists()):
            data = wheel_bytes(side)
            if data is None:
                return side
            write_whole(wheel, data)
        return replace(side, wheel=str(wheel))


class _Hosts:
    """What hosts that are up have, as Slurm tells it at one moment: it is asked once for each partition."""

    def __init__(self) -> None:
        self._up: dict[str, list[str]] = {}

    def lacking(self, place: Fleet) -> str:
        """``""`` when a host that is up has what the place asks for; else what is asked and what is there."""
        if place.partition not in self._up:
            self._up[place.partition] = _hosts_up(place.partition)
        there = self._up[place.partition]
        if not place.accelerator:
            return "" if there else f"no host of partition {place.partition or '(default)'} is up"
        for kind, count in re.findall(r"gpu:([^:,(]+):(\d+)", ",".join(there)):
            if kind == place.accelerator and int(count) >= place.devices:
                return ""
        has = ", ".join(there) or "none"
        return f"gpu:{place.accelerator}:{place.devices} is asked for; hosts that are up have: {has}"


def _hosts_up(partition: str) -> list[str]:
    """The kinds of hosts that are up, each by its generic resources."""
    only = [f"--partition={partition}"] if partition else []
    rows = _slurm("sinfo", "--noheader", "--Node", "--responding", "--format=%G|%T", *only).splitlines()
    return sorted({gres for gres, _, state in (row.partition("|") for row in rows) if not _UNUSABLE.match(state)})


def _states(job: dict[str, Any]) -> list[str]:
    """One word until Slurm 23.02, a list since."""
    return [job["job_state"]] if isinstance(job["job_state"], str) else job["job_state"]


def _alive(job: dict[str, Any] | None) -> bool:
    return job is not None and ("REQUEUED" in _states(job) or not _ENDED.intersection(_states(job)))


def _slurm(*argv: str) -> str:
    ended = _started(*argv)
    if ended.returncode:
        raise _failed(argv[0], ended.stderr.strip())
    return ended.stdout


def _started(*argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    # A job gets this environment: this Python's own, without what publishes in the project's name.
    env = project_env({k: v for k, v in os.environ.items() if k == "PYTHONPATH"})
    try:
        return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired as e:
        raise _failed(argv[0], f"no answer within {_LIMIT_S} s") from e
    except OSError as e:
        raise _failed(argv[0], e.strerror or str(e)) from e


def _failed(program: str, why: str) -> WorldFailed:
    return WorldFailed(
        "perf.slurm",
        say("Slurm's {program} failed: {why}", program=program, why=why),
        clause="E5",
        remedy=say("run it by hand where Headway runs: `sinfo` must list the hosts"),
    )
