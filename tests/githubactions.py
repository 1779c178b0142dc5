"""Workflow runs of the tests' GitHub: what starts one, and its steps, which really run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from githubcore import BEGAN, HTML, REPO, Asked, Core, Route, Said, error
from githubrun import Made, Run, filled, zipped

from headway.policy.workflow import passes

WORKFLOW = "build.yml"
_ACTIONS = f"{REPO}/actions"


class Actions(Core):
    """``lists``: whether new runs are in listings yet; ``details``: whether a dispatch tells its run; ``works_after``
    how often a run is looked at until it has run; ``state`` of the workflow ``file``."""

    def __init__(self, repo: Path, file: str = WORKFLOW) -> None:
        super().__init__(repo)
        self.file = file
        self.works_after: int | None = None
        self.state = "active"
        self.runs: list[Run] = []
        self.lists = self.details = True
        self._seen = set(self._tags())

    def _tags(self) -> dict[str, str]:
        return self.refs("refs/tags")

    def workflow(self, sha: str) -> dict[str, Any] | None:
        try:
            text = self.git("show", f"{sha}:.github/workflows/{self.file}")
        except LookupError:
            return None
        found = yaml.safe_load(text)
        return {**found, "on": found[True]}  # YAML 1.1 reads the key as a boolean

    def sync(self) -> None:
        """Push events of the tags that came since: GitHub reads the workflow of the pushed commit."""
        with self._lock:
            for tag, sha in self._tags().items():
                flow = None if tag in self._seen else self.workflow(sha)
                self._seen.add(tag)
                if flow and any(passes(p, tag) for p in flow["on"].get("push", {}).get("tags", ())):
                    self._begin("push", tag, sha, flow, {})

    def _begin(self, event: str, tag: str, sha: str, flow: dict[str, Any], inputs: dict[str, str]) -> Run:
        title = filled(flow.get("run-name", flow["name"]), tag, inputs).strip()
        if (flow.get("concurrency") or {}).get("cancel-in-progress"):  # its group here: the workflow on the commit
            for other in self.runs:
                if other.sha == sha and other.status != "completed":
                    other.status, other.conclusion = "completed", "cancelled"
        self.runs.append(Run(1000 + len(self.runs), event, tag, sha, title, inputs))
        return self.runs[-1]

    # Running ---------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Run what is queued, for real: its steps in a clone of the repository at the tag."""
        self.sync()
        for run in [r for r in self.runs if r.status == "queued"]:
            with tempfile.TemporaryDirectory() as folder:
                self._steps(run, Path(folder))
            run.status = "completed"
            self.emit("workflow_run", "completed", run=run)

    def _steps(self, run: Run, folder: Path) -> None:
        flow = self.workflow(run.sha)
        assert flow is not None
        said, (job,) = folder / "env", flow["jobs"].values()
        said.touch()
        source = folder / "source"
        log = ""
        for step in job["steps"]:
            uses = step.get("uses", "").partition("@")[0]
            if uses == "actions/checkout":
                self.git("clone", "-q", "--branch", run.tag, str(self.repo), str(source), cwd=folder)
            elif uses == "actions/upload-artifact":
                files = {p.name: p.read_bytes() for p in sorted((source / step["with"]["path"]).iterdir())}
                own = dict(r.split("=", 1) for r in said.read_text().splitlines())
                name = filled(step["with"]["name"], run.tag, {**run.inputs, **{f"env.{k}": v for k, v in own.items()}})
                run.artifacts.append(Made(run.id * 10, name, zipped(files)))
            elif "run" in step and not step["name"].startswith("Install"):  # of tools, which are here
                own = dict(r.split("=", 1) for r in said.read_text().splitlines())
                given = {k: filled(v, run.tag, run.inputs) for k, v in step.get("env", {}).items()}
                env = {**os.environ, **own, **given, "GITHUB_ENV": str(said)}
                env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
                env.pop("PYTHONPATH", None)
                argv = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
                done = subprocess.run(argv, cwd=source, env=env, capture_output=True, text=True, check=False)
                log += f"## {step['name']}\n{done.stdout}{done.stderr}"
                if done.returncode:
                    run.conclusion = "failure"
                    break
        else:
            run.conclusion = "success"
        run.log = zipped({"0_build.txt": log.encode()})

    def end(self, conclusion: str, **files: bytes) -> Run:
        """End the newest run as it is said, with an artifact of these files."""
        self.sync()
        run = self.runs[-1]
        run.status, run.conclusion, run.log = "completed", conclusion, zipped({"0_build.txt": conclusion.encode()})
        if files:
            run.artifacts.append(Made(run.id * 10, "dist", zipped(files)))
        return run

    # Answers ---------------------------------------------------------------------------------------------------

    def actions_routes(self) -> tuple[Route, ...]:
        workflow = f"{_ACTIONS}/workflows/{{workflow_id}}"
        run = f"{_ACTIONS}/runs/{{run_id}}"
        return (
            Route("GET", workflow, "actions=read", self._workflow_row),
            Route("POST", f"{workflow}/dispatches", "actions=write", self._dispatch),
            Route("GET", f"{workflow}/runs", "actions=read", self._list),
            Route("GET", run, "actions=read", self._run),
            Route("GET", f"{run}/artifacts", "actions=read", self._artifacts),
            Route("GET", f"{run}/jobs", "actions=read", self._jobs),
            Route("GET", f"{run}/logs", "actions=read", self._logs),
            Route("GET", f"{_ACTIONS}/artifacts/{{artifact_id}}/{{archive_format}}", "actions=read", self._zip),
        )

    def _dispatch(self, asked: Asked, workflow: str) -> Said:
        body = asked.body
        if not self.pushes(asked.who):
            return error(403, "Resource not accessible by personal access token")
        sha = self._tags().get(body["ref"]) or self.commit_of(body["ref"])
        flow = self.workflow(sha) if sha and workflow == self.file else None
        if sha is None or flow is None:
            return error(404, "Not Found") if sha else error(422, f"No ref found for: {body['ref']}")
        inputs = body.get("inputs", {})
        if wrong := _inputs_wrong(flow, inputs):
            return error(422, wrong)
        run = self._begin("workflow_dispatch", body["ref"], sha, flow, inputs)
        if not (self.details and body.get("return_run_details")):
            return Said(204)
        urls = {"run_url": f"{self.api}/runs/{run.id}", "html_url": self._row(run)["html_url"]}
        return Said(200, {"workflow_run_id": run.id, **urls})

    def _list(self, asked: Asked, workflow: str) -> Said:
        if workflow != self.file:
            return error(404, "Not Found")
        sha, event = asked.query.get("head_sha"), asked.query.get("event")
        if sha:
            self.git("cat-file", "-e", f"{sha}^{{commit}}")
        runs = [r for r in reversed(self.runs) if self.lists and sha in {None, r.sha} and event in {None, r.event}]
        return self.page(asked, [self._row(r) for r in runs], "workflow_runs")

    def _run(self, _: Asked, run: str) -> Said:
        found = next((r for r in self.runs if r.id == int(run)), None)
        if found is not None and self.works_after is not None:
            found.looks += 1
            if found.looks >= self.works_after:
                self.work()
        return Said(200, self._row(found)) if found else error(404, "Not Found")

    def _row(self, run: Run) -> dict[str, Any]:
        began = BEGAN + timedelta(minutes=run.id - 1000)
        ended = began + timedelta(seconds=90 if run.status == "completed" else 0)
        return {
            **self.spec.example("workflow-run"),
            "id": run.id,
            "event": run.event,
            "head_branch": run.tag,
            "head_sha": run.sha,
            "display_title": run.title,
            "status": run.status,
            "conclusion": run.conclusion,
            "html_url": f"{HTML}/actions/runs/{run.id}",
            "created_at": self.stamp(began),
            "run_started_at": self.stamp(began),
            "updated_at": self.stamp(ended),
        }

    def _workflow_row(self, _: Asked, workflow: str) -> Said:
        if workflow != self.file:
            return error(404, "Not Found")
        return Said(
            200, {**self.spec.example("workflow"), "state": self.state, "path": f".github/workflows/{self.file}"}
        )

    def _jobs(self, asked: Asked, run: str) -> Said:
        found = next(r for r in self.runs if r.id == int(run))
        flow = self.workflow(found.sha)
        assert flow is not None
        rows = [
            {
                **self.spec.example("job-paginated")["jobs"][0],
                "id": found.id * 100 + i,
                "run_id": found.id,
                "created_at": "2020-01-20T17:42:00Z",
                "name": filled(job.get("name", name), found.tag, found.inputs),
                "status": found.status,
                "conclusion": found.conclusion,
                "labels": [filled(job["runs-on"], found.tag, found.inputs)],
                "runner_name": f"machine-{found.id % 3}" if found.status == "completed" else None,
            }
            for i, (name, job) in enumerate(flow["jobs"].items())
        ]
        return self.page(asked, rows, "jobs")

    def _artifacts(self, asked: Asked, run: str) -> Said:
        made = next(r for r in self.runs if r.id == int(run)).artifacts
        shape = self.spec.example("artifact-paginated")["artifacts"][0]
        rows = [
            {
                **shape,
                "id": a.id,
                "name": a.name,
                "expired": a.expired,
                "size_in_bytes": len(a.data),
                "digest": f"sha256:{hashlib.sha256(a.data).hexdigest()}",
            }
            for a in made
        ]
        return self.page(asked, rows, "artifacts")

    def _logs(self, asked: Asked, run: str) -> Said:
        return self._moved(f"logs/{run}") if asked.who else error(401, "Requires authentication")

    def _zip(self, asked: Asked, artifact: str, _: str) -> Said:
        found = next(a for r in self.runs for a in r.artifacts if a.id == int(artifact))
        if asked.who is None:
            return error(401, "Requires authentication")
        if found.expired:
            return error(410, "Artifact has expired")
        return self._moved(f"artifacts/{artifact}")

    def _moved(self, what: str) -> Said:
        return Said(302, None, {"Location": f"{self.blobs}/{what}?sig=once"})


def _inputs_wrong(flow: dict[str, Any], inputs: dict[str, str]) -> str:
    known = (flow["on"].get("workflow_dispatch") or {}).get("inputs", {})
    if strange := sorted(set(inputs) - set(known)):
        return f"Unexpected inputs provided: {strange}"
    missing = [k for k, v in known.items() if v.get("required") and not inputs.get(k)]
    return f"Required input '{missing[0]}' not provided" if missing else ""
