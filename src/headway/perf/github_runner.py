"""E5: blocks by the benchmark workflow that the policy names: one dispatch for each side, one after the other.

The workflow tells no run what it was dispatched for, and its concurrency group cancels a run when another is
dispatched on the same commit of its repository. So Headway dispatches only when no dispatched run is under way,
writes down that it did before it does, and takes no results of a run whose log does not tell the commit as the one
that was asked for, or that left no log.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from headway.clock import SystemClock
from headway.decide.benchmarkworkflow import Workflow, model_name, runner_words, workflow_of
from headway.errors import UnusableInput, WorldFailed
from headway.github import client
from headway.github.actions import (
    RunJob,
    artifacts_of,
    dispatch,
    dispatched_runs,
    fetch_artifact,
    fetch_logs,
    jobs_of,
    run_at,
)
from headway.github.client import GitHub
from headway.github.project import github_of
from headway.github.session import Session
from headway.model.build import CiRun
from headway.model.ports import Clock, Progress
from headway.model.text import facts, say
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace, Subject
from headway.perf.importers import Invalid
from headway.perf.workflow_block import Side, block_result
from headway.perf.workflow_results import artifact_of_model, read_artifact
from headway.policy.perf_tables import Perf
from headway.policy.schema import Policy, Versions
from headway.policy.scheme import branch_of, parse_version

T = TypeVar("T")
_LONGEST = timedelta(hours=24)  # that a run is followed, or waited for, in one go
_UNLISTED = timedelta(minutes=2)  # that a dispatched run may be missing from GitHub's listing
_NOT_DONE = frozenset({client.REFUSED, client.GONE, client.LIMITED, client.UNREACHABLE})
_PASSES = frozenset({client.FAILED, client.UNREACHABLE, client.NO_ANSWER, client.LIMITED})
# The value of the input ``vllm_commit``, or of the variable that the workflow puts it into. That a log names the
# commit anywhere says nothing: a later commit's history does too.
_ASKED_FOR = rb"""\b(?:vllm_commit|head_sha)["']?\s*[:=]\s*["']?%b(?![0-9a-f])"""
_PATIENCE = 5  # times that a reading of GitHub may fail in a row


@dataclass(frozen=True, slots=True)
class GitHubRunner:
    """``Runner`` by a workflow. ``state`` is a folder that outlives a kill: it says which run is whose.

    ``names`` tell the release branch of a subject that has none of its own (B1). ``poll_s`` is the pause between two
    looks; ``pause`` what waits (seconds).
    """

    github: GitHub
    workflow: Workflow
    state: Path
    clock: Clock
    names: Versions
    poll_s: float = 60.0
    pause: Callable[[float], None] = time.sleep

    def run(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[BlockResult | NoPlace | Lost]:
        """One answer for each job, in order. Raises ``UnusableInput`` before anything is dispatched for a policy that
        such blocks cannot serve, ``WorldFailed`` when GitHub cannot be asked; run again, it goes on where it was."""
        listed = tuple(jobs)
        if not self.github.signed_in:
            raise UnusableInput(
                "github.no-token",
                say("there is no token for GitHub in {name}", name=self.github.token_env),
                clause="E3",
                remedy=say("`headway perf access` says what it must be allowed, and writes the access request"),
            )
        for job in listed:
            _check(job.perf)
        ref = ""
        for job in listed:
            nowhere = self._nowhere(job)
            if nowhere:
                yield NoPlace(job, nowhere)
                continue
            ref = ref or str(self._patiently(lambda: self.github.get("")).get("default_branch") or "main")
            with self._alone():
                answer = self._block(job, ref, progress)
            yield answer

    def _block(self, job: BlockJob, ref: str, progress: Progress) -> BlockResult | Lost:
        sides: list[Side] = []
        for subject in (job.baseline, job.candidate) if job.number % 2 == 0 else (job.candidate, job.baseline):
            found = self._side(job, subject, ref, progress)
            if isinstance(found, Lost):
                return found
            sides.append(found)
        result, missing = block_result(job, tuple(sides))
        for words in missing:
            progress.say(say("missing: {what}", what=words))
        return result if result.samples else Lost(job, "; ".join(missing))

    def _side(self, job: BlockJob, subject: Subject, ref: str, progress: Progress) -> Side | Lost:
        note = _Note(self.state / f"{_key(job, self.workflow)}-{subject.side}.json")
        while True:
            run = self._run(job, subject, ref, note, progress)
            if isinstance(run, Lost):
                return run
            ended = self._followed(run, job, progress)
            if isinstance(ended, Lost):
                return ended
            names = self._names_commit(ended, subject.commit)
            if note.told or names is not False:
                break
            note.not_ours(ended.id)  # somebody else's, dispatched about when ours was
        why = self._against(ended, subject, names)
        if why:
            note.forget()
            return Lost(job, why)
        try:
            collected = self._collected(job, subject, ended)
        except WorldFailed as e:
            if e.code != client.GONE:
                raise
            collected = f"what {ended.url} left is gone"
        if isinstance(collected, str):
            note.forget()
            return Lost(job, collected)
        return collected

    def _against(self, run: CiRun, subject: Subject, names: bool | None) -> str:
        """Why a run that ended gives no results, ``""`` when it does."""
        if run.conclusion != "success":
            jobs = self._patiently(lambda: jobs_of(self.github, run.id))
            bad = ", ".join(j.name for j in jobs if j.conclusion not in {"success", "skipped", ""})
            return f"{run.url} ended as {run.conclusion or 'nothing'}{f': {bad}' if bad else ''}"
        if names is None:
            return f"{run.url} left no log, so nothing says that it measured {subject.commit}"
        return "" if names else f"the log of {run.url} does not name {subject.commit}: it measured something else"

    def _nowhere(self, job: BlockJob) -> str:
        """Why the workflow cannot take the job, ``""`` when it can."""
        if job.hardware not in runner_words(job.perf):
            return f"[[perf.fleet]] gives {job.hardware} no runners: the workflow's default never takes it"
        if not model_name(job.perf.cells[0]):
            return (
                f"the policy does not say how the workflow's configuration names {job.model}: "
                "add --model OWNER/NAME to the cell's serve"
            )
        for subject in (job.baseline, job.candidate):
            if not (self._branch(subject) and subject.commit):
                return f"the workflow needs branch and commit, and the {subject.side} {subject.version} has not both"
        return ""

    def _branch(self, subject: Subject) -> str:
        """Its own, else the release branch of its version."""
        version = parse_version(subject.version)
        return subject.branch or (branch_of(version, self.names) if version else "")

    # Dispatching -----------------------------------------------------------------------------------------------

    def _run(self, job: BlockJob, subject: Subject, ref: str, note: _Note, progress: Progress) -> int | Lost:
        """The run of this side: the one that was dispatched for it, else a new one."""
        if note.run is not None:
            return note.run
        if note.since is not None:
            found = self._seen(note, ref)
            if found is not None:
                note.keep(run=found)
                return found
            until = note.since + _UNLISTED
            if self.clock.now() < until:
                raise WorldFailed(
                    "perf.unsure",
                    say(
                        "a run of {workflow} was asked for at {since}, and no answer came",
                        workflow=self.workflow,
                        since=note.since,
                    ),
                    clause="E5",
                    facts=facts(commit=subject.commit, since=note.since, until=until),
                    remedy=say(
                        "run it again after {until}: by then GitHub lists the run, or there is none", until=until
                    ),
                )
        busy = self._quiet(progress)
        if busy:
            return Lost(job, busy)
        return self._dispatched(job, subject, ref, note, progress)

    def _seen(self, note: _Note, ref: str) -> int | None:
        """The first run that was dispatched after ours was asked for and is nobody's."""
        others = {n.run for n in (_Note(p) for p in self.state.glob("*.json")) if n.run is not None}
        runs = self._patiently(lambda: dispatched_runs(self.github, self.workflow.file))
        new = (r.id for r in runs if r.ref == ref and r.id > note.before and r.id not in others | note.strangers)
        return min(new, default=None)

    def _quiet(self, progress: Progress) -> str:
        """Wait until no dispatched run is under way; why that did not come."""
        until, said = self.clock.now() + _LONGEST, ""
        while True:
            runs = self._patiently(lambda: dispatched_runs(self.github, self.workflow.file))
            active = [r for r in runs if not r.done]
            if not active:
                return ""
            if said != active[0].url:
                said = active[0].url
                progress.say(say("waiting for {url}: a dispatch now would cancel it", url=said))
            if self.clock.now() >= until:
                return f"{said} is under way since {active[0].started.isoformat()}; a dispatch would cancel it"
            self.pause(self.poll_s)

    def _dispatched(self, job: BlockJob, subject: Subject, ref: str, note: _Note, progress: Progress) -> int | Lost:
        runs = self._patiently(lambda: dispatched_runs(self.github, self.workflow.file))
        inputs = {
            "vllm_branch": self._branch(subject),
            "vllm_commit": subject.commit,
            "models": model_name(job.perf.cells[0]).lower(),
            "runners": runner_words(job.perf)[job.hardware],
        }
        # Written before it is sent: who was killed, or got no answer, may have started a run.
        note.keep(since=self.clock.now(), before=max((r.id for r in runs), default=0))
        progress.step(f"dispatching:{subject.commit}")
        progress.say(say("dispatching {workflow} for {commit}", workflow=self.workflow, commit=subject.commit[:12]))
        try:
            told = dispatch(self.github, self.workflow.file, ref, inputs)
        except WorldFailed as e:
            if e.code in _NOT_DONE:
                note.forget()
            e.clause = "E5"
            if e.code == client.REFUSED:
                e.remedy = say("`headway perf access` says what the token may do, and writes the access request")
            raise
        if told.run is not None:
            note.keep(run=told.run, told=True)
        progress.step(f"dispatched:{subject.commit}")
        if told.run is not None:
            return told.run
        for _ in range(_PATIENCE):  # a GitHub that does not tell the run: it is listed soon
            found = self._seen(note, ref)
            if found is not None:
                note.keep(run=found)
                return found
            self.pause(self.poll_s)
        return Lost(job, f"GitHub took the dispatch of {self.workflow} and lists no run of it")

    # Following -------------------------------------------------------------------------------------------------

    def _followed(self, run: int, job: BlockJob, progress: Progress) -> CiRun | Lost:
        until, said = self.clock.now() + _LONGEST, ""
        while True:
            found = self._patiently(lambda: run_at(self.github, run))
            if found.done:
                return found
            if found.status != said:
                said = found.status
                progress.say(say("{url} is {status}", url=found.url, status=said))
            if self.clock.now() >= until:
                return Lost(job, f"{found.url} is {said} after {_LONGEST}; asked again, it is followed further")
            self.pause(self.poll_s)

    def _names_commit(self, run: CiRun, commit: str) -> bool | None:
        """Whether the run's log tells the commit as what was asked for; ``None`` when there is no log."""
        wanted = re.compile(_ASKED_FOR % re.escape(commit.encode()), re.IGNORECASE)
        with tempfile.TemporaryDirectory(prefix="headway-log-") as folder:
            target = Path(folder) / "log.zip"
            try:
                self._patiently(lambda: fetch_logs(self.github, run.id, target))
                with zipfile.ZipFile(target) as z:
                    return any(wanted.search(z.read(m)) for m in z.infolist())
            except WorldFailed as e:
                if e.code == client.GONE:
                    return None
                raise
            except zipfile.BadZipFile:
                return None

    def _collected(self, job: BlockJob, subject: Subject, run: CiRun) -> Side | str:
        """The side's results, out of the run's artifact; or why there are none."""
        model, word = model_name(job.perf.cells[0]), runner_words(job.perf)[job.hardware]
        listed = self._patiently(lambda: artifacts_of(self.github, run.id))
        found = [(a, device) for a in listed if (device := artifact_of_model(a.name, model)) is not None]
        if len(found) != 1 or found[0][0].expired:
            names = ", ".join(a.name for a in listed) or "nothing"
            return f"{run.url} left not one artifact of results of {model}, only {names}"
        (artifact, device) = found[0]
        with tempfile.TemporaryDirectory(prefix="headway-artifact-") as folder:
            archive = Path(folder) / "artifact.zip"
            digest = self._patiently(lambda: fetch_artifact(self.github, artifact, archive))
            if artifact.sha256 not in {"", digest}:
                raise WorldFailed(
                    "perf.download",
                    say("the artifact {name} came with other bytes than GitHub tells", name=artifact.name),
                    clause="E5",
                    facts=facts(told=artifact.sha256, found=digest),
                    remedy=say("run it again: it is downloaded anew"),
                )
            results = read_artifact(archive, model)
        if isinstance(results, Invalid):
            return f"{artifact.name} of {run.url}: {results.why}"
        ran = [j for j in self._patiently(lambda: jobs_of(self.github, run.id)) if _on(j, word)]
        return Side(subject, run.url, device, ran[0] if ran else None, results)

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask GitHub; a trouble that passes does not end what takes hours."""
        for left in range(_PATIENCE - 1, -1, -1):
            try:
                return ask()
            except WorldFailed as e:
                e.clause = "E5"
                if e.code not in _PASSES or not left:
                    raise
                self.pause(self.poll_s)
        raise AssertionError

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else here dispatches meanwhile. Raises ``WorldFailed`` (``perf.dispatching``) at once."""
        self.state.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.state / "dispatch.lock", timeout=0):
                yield
        except Timeout as e:
            raise WorldFailed(
                "perf.dispatching",
                say("another process follows runs of {workflow}", workflow=self.workflow),
                clause="E5",
                remedy=say("wait for its end: dispatches are made one after the other"),
            ) from e


def github_runner(policy: Policy, state: Path, clock: Clock | None = None) -> GitHubRunner:
    """The runner that the policy names; ``state`` is Headway's own folder. Raises ``UnusableInput`` without a
    workflow."""
    flow = workflow_of(policy.perf)
    # A session of its own: what is looked at for hours is no part of a tick's budget.
    github = github_of(policy, flow.repository, Session(state / "github", clock=clock))
    return GitHubRunner(github, flow, state / "dispatches", clock or SystemClock(), policy.versions)


def _check(perf: Perf) -> None:
    if perf.pair_on != "hardware":
        raise UnusableInput(
            "perf.pair-on",
            say("the two runs of a block are on two hosts, and the policy wants both sides on one"),
            clause="E5",
            facts=facts(pair_on=perf.pair_on, runner=perf.runner),
            remedy=say('set perf.pair_on = "hardware", with a noise that holds between hosts, or another perf.runner'),
        )


def _on(job: RunJob, word: str) -> bool:
    return any(word.lower() in label.lower() for label in job.labels)


def _key(job: BlockJob, workflow: Workflow) -> str:
    """Of a block's files: its name may hold what no file name may."""
    told = [job.name, str(workflow), [[c.test, c.serve, c.client] for c in job.perf.cells]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]


class _Note:
    """What is known of one dispatch, in a file: ``since`` it was asked for, the newest run ``before`` it, its ``run``,
    whether GitHub ``told`` that one, and the ``strangers`` that it is not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            found = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            found = {}
        self.since = datetime.fromisoformat(found["since"]) if found.get("since") else None
        self.before: int = found.get("before", 0)
        self.run: int | None = found.get("run")
        self.told: bool = found.get("told", False)
        self.strangers: frozenset[int] = frozenset(found.get("strangers", ()))

    def keep(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        known = {"since": self.since.isoformat() if self.since else None, "before": self.before, "run": self.run}
        text = json.dumps({**known, "told": self.told, "strangers": sorted(self.strangers)})
        partial = self.path.with_suffix(".partial")
        partial.write_text(text, "utf-8")
        partial.replace(self.path)

    def not_ours(self, run: int) -> None:
        self.keep(run=None, strangers=self.strangers | {run})

    def forget(self) -> None:
        with suppress(FileNotFoundError):
            self.path.unlink()
