"""GitHub Actions: runs of a workflow, their artifacts and logs, and how one is dispatched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from headway.github.client import PAGE, GitHub
from headway.github.shapes import shaped
from headway.model.build import CiCheck, CiRun
from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class RunArtifact:
    """An artifact of a run: a zip of files. ``sha256`` (hex) is ``""`` where GitHub does not tell it."""

    id: int
    name: str
    expired: bool
    sha256: str


@dataclass(frozen=True, slots=True)
class RunJob:
    """A job of a run: ``runner`` is the machine that took it (``""``: none yet), ``labels`` what it asked for;
    ``started`` is ISO 8601 (``""``: not yet), ``seconds`` how long it ran."""

    name: str
    conclusion: str
    runner: str
    labels: tuple[str, ...]
    started: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What a dispatch answered: ``run`` and ``url`` are ``None`` and ``""`` where the server does not tell them."""

    run: int | None
    url: str


def runs_of(github: GitHub, workflow: str, commit: Sha) -> tuple[CiRun, ...]:
    """All runs of a workflow on a commit. Raises ``WorldFailed``."""
    rows = github.rows(f"actions/workflows/{workflow}/runs", "workflow_runs", head_sha=commit)
    return tuple(shaped("workflow run", r, _run) for r in rows)


def dispatched_runs(github: GitHub, workflow: str) -> tuple[CiRun, ...]:
    """The newest runs of a workflow that somebody dispatched, newest first, a page of them. Raises ``WorldFailed``."""
    rows = github.rows(f"actions/workflows/{workflow}/runs", "workflow_runs", event="workflow_dispatch")
    return tuple(shaped("workflow run", r, _run) for r in islice(rows, PAGE))


def jobs_of(github: GitHub, run: int) -> tuple[RunJob, ...]:
    """The jobs of a run's last attempt. Raises ``WorldFailed``."""
    return tuple(shaped("job", r, _job) for r in github.rows(f"actions/runs/{run}/jobs", "jobs"))


def run_at(github: GitHub, run: int) -> CiRun:
    """One run. Raises ``WorldFailed``."""
    return shaped("workflow run", github.get(f"actions/runs/{run}"), _run)


def dispatch(github: GitHub, workflow: str, ref: str, inputs: Mapping[str, str]) -> Dispatched:
    """Start a workflow on a tag or branch. Raises ``WorldFailed``; after ``github.no-answer`` and ``github.failed`` it
    may run."""
    body = {"ref": ref, "inputs": dict(inputs), "return_run_details": True}
    said = github.post(f"actions/workflows/{workflow}/dispatches", body)
    if not isinstance(said, dict) or not isinstance(said.get("workflow_run_id"), int):
        return Dispatched(None, "")
    return Dispatched(said["workflow_run_id"], str(said.get("html_url", "")))


def artifacts_of(github: GitHub, run: int) -> tuple[RunArtifact, ...]:
    """The artifacts of a run. Raises ``WorldFailed``."""
    rows = github.rows(f"actions/runs/{run}/artifacts", "artifacts")
    return tuple(shaped("artifact", r, _artifact) for r in rows)


def fetch_artifact(github: GitHub, artifact: RunArtifact, target: Path) -> str:
    """Write an artifact's zip; its SHA-256 (hex). Raises ``WorldFailed``, ``github.gone`` for an expired one."""
    return github.download(f"actions/artifacts/{artifact.id}/zip", target)


def fetch_logs(github: GitHub, run: int, target: Path) -> None:
    """Write the zip of a run's logs. Raises ``WorldFailed``, ``github.gone`` when they are not kept any more."""
    github.download(f"actions/runs/{run}/logs", target)


def check_runs(github: GitHub, commit: Sha) -> tuple[CiCheck, ...]:
    """The newest check of each name on a commit. Raises ``WorldFailed``."""
    return tuple(shaped("check run", r, _check) for r in github.rows(f"commits/{commit}/check-runs", "check_runs"))


def _job(row: Any) -> RunJob:
    began, ended = row["started_at"], row["completed_at"]
    took = datetime.fromisoformat(ended) - datetime.fromisoformat(began) if began and ended else timedelta()
    return RunJob(
        str(row["name"]),
        str(row["conclusion"] or ""),
        str(row["runner_name"] or ""),
        tuple(str(label) for label in row["labels"]),
        str(began or ""),
        max(0.0, took.total_seconds()),
    )


def _artifact(row: Any) -> RunArtifact:
    digest = str(row.get("digest") or "")
    return RunArtifact(int(row["id"]), str(row["name"]), bool(row["expired"]), digest.partition("sha256:")[2].lower())


def _check(row: Any) -> CiCheck:
    ended = row["completed_at"]
    return CiCheck(
        str(row["name"]),
        str(row["head_sha"]),
        str(row["conclusion"] or ""),
        str(row["html_url"] or row["url"]),
        datetime.fromisoformat(ended) if ended else None,
    )


def _run(row: Any) -> CiRun:
    began = row.get("run_started_at") or row["created_at"]
    return CiRun(
        id=int(row["id"]),
        event=str(row["event"]),
        ref=str(row["head_branch"] or ""),
        commit=str(row["head_sha"]),
        title=str(row["display_title"]),
        status=str(row["status"] or ""),
        conclusion=str(row["conclusion"] or ""),
        url=str(row["html_url"]),
        started=datetime.fromisoformat(began),
        updated=datetime.fromisoformat(row["updated_at"]),
    )
