"""One block as a process of its own: ``python -m headway.perf.block JOB.json RESULT.json [--cache DIR]``.

What a host of a fleet runs. It installs both wheels into environments that it keeps by their digests, runs the block,
and writes RESULT whole or not at all. Exit status: 0 written, also when launches were invalid (the result says so);
2 a job that cannot be used; 4 the host failed it; what went wrong is on stderr.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import platformdirs

from headway.errors import HeadwayError
from headway.model.text import Text
from headway.perf.blockjson import read_job, write_result
from headway.perf.blocks import BlockJob, BlockResult
from headway.perf.finished import Finished
from headway.perf.install import installed
from headway.perf.local import run_block


class _Lines:
    """Progress as lines on stderr, which end in the fleet's own log."""

    def say(self, text: Text) -> None:
        sys.stderr.write(f"{text}\n")

    def bar(self, what: Text, done: int, total: int) -> None:
        sys.stderr.write(f"{what}: {done} of {total}\n")

    def step(self, name: str) -> None: ...


def measured(job: BlockJob, cache: Path, work: Path) -> BlockResult:
    """Install both sides and run the block; ``work`` keeps its logs. Raises as ``installed`` and ``run_block`` do."""
    baseline, candidate = (
        installed(s, cache / "environments", work / f"install-{s.side}.log") for s in (job.baseline, job.candidate)
    )
    ready = replace(job, baseline=baseline, candidate=candidate)
    result = run_block(ready, workdir=work, progress=_Lines(), finished=Finished(cache / "finished"))
    return replace(result, job=job)  # where this host has its interpreters is nobody else's matter


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headway-block", description="Measure one block on this host.")
    parser.add_argument("job", type=Path, help="JSON of the job")
    parser.add_argument("result", type=Path, help="JSON that is written when the block was measured")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(platformdirs.user_cache_dir("headway")),
        help="folder in which environments are kept",
    )
    return parser


def _on_term(_signum: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt  # so that the engine is ended on the way out


def main(argv: list[str] | None = None) -> int:
    args = arguments().parse_args(argv)
    signal.signal(signal.SIGTERM, _on_term)
    work = Path(tempfile.mkdtemp(prefix="headway-block-"))
    try:
        cache = args.cache.absolute()
        result = measured(read_job(args.job), cache, work)
        write_result(args.result, result)
        Finished(cache / "finished").kept(result.job, result.launches)
    except HeadwayError as e:
        sys.stderr.write(f"headway-block: {e}\n")
        sys.stderr.writelines(f"  {name}: {value}\n" for name, value in e.facts)
        return e.status
    except KeyboardInterrupt:
        sys.stderr.write(f"headway-block: stopped; its logs are in {work}\n")
        return 130
    except OSError as e:
        sys.stderr.write(f"headway-block: {e}; its logs are in {work}\n")
        return 4
    if all(s.value is not None for s in result.samples):  # else its logs are what a person needs
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
