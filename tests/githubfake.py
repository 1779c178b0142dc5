"""GitHub for tests: its API on loopback over a real bare repository, with runs that really run the workflow's steps.

Every request and every answer that GitHub describes is checked against its published description; what does not fit
is in ``violations``. Bytes are served from another host and port, as GitHub does.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from githubrun import Fault, Made, Run, filled, page_of, zipped
from githubspec import Description, description
from gitmaker import git_env

from headway.policy.workflow import passes

OWNER, NAME, TOKEN, WORKFLOW = "toy", "kit", "gh-secret-of-the-test", "build.yml"
BEGAN = datetime(2025, 1, 27, 10, 0, tzinfo=UTC)


class FakeGitHub:
    """``repo`` is the bare repository that GitHub has; ``lists`` whether new runs are in listings yet; ``details``
    whether a dispatch tells its run; ``works_after`` how often a run is looked at until it has run; ``may`` what the
    token's owner may, ``scopes`` those of a classic token; ``state`` of the workflow."""

    def __init__(self, repo: Path, file: str = WORKFLOW) -> None:
        self.repo = repo
        self.file = file
        self.works_after: int | None = None
        self.may = {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True}
        self.scopes: str | None = None
        self.state = "active"
        self.issues: list[dict[str, Any]] = []
        self.spec: Description = description()
        self.runs: list[Run] = []
        self.checks: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.violations: list[str] = []
        self.lists = self.details = True
        self._seen = set(self._tags())
        self._lock = threading.RLock()
        self.api = self.blobs = ""

    # Git -------------------------------------------------------------------------------------------------------

    def git(self, *args: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.repo, capture_output=True, text=True, env=git_env(), check=False
        )
        if done.returncode:
            raise LookupError(done.stderr)
        return done.stdout.strip()

    def _tags(self) -> dict[str, str]:
        rows = self.git("for-each-ref", "--format=%(refname:strip=2) %(objectname) %(*objectname)", "refs/tags")
        return {name: peeled or sha for name, sha, peeled in (f"{r} ".split(" ")[:3] for r in rows.splitlines())}

    def workflow(self, sha: str) -> dict[str, Any] | None:
        try:
            text = self.git("show", f"{sha}:.github/workflows/{self.file}")
        except LookupError:
            return None
        found = yaml.safe_load(text)
        return {**found, "on": found[True]}  # YAML 1.1 reads the key as a boolean

    def _tip(self, ref: str) -> str | None:
        try:
            return self._tags().get(ref) or self.git("rev-parse", "--verify", f"refs/heads/{ref}")
        except LookupError:
            return None

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

    def fault(self, method: str, path: str, what: int | str, **headers: str) -> None:
        self.faults.append(Fault(method, path, what, {k.replace("_", "-"): v for k, v in headers.items()}))

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes, auth: str) -> tuple[int, Any, str]:
        """Status, JSON and Location."""
        self.sync()
        base = f"/repos/{OWNER}/{NAME}"
        if path != base and not path.startswith(f"{base}/"):
            return 404, {"message": "Not Found"}, ""
        if auth not in {"", f"Bearer {TOKEN}"}:
            return 401, {"message": "Bad credentials"}, ""
        rest = path.removeprefix(base).removeprefix("/")
        routes: tuple[tuple[str, str, Callable[..., tuple[int, Any, str]]], ...] = (
            ("GET", "", lambda: self._repository(auth)),
            ("GET", "issues", lambda: (200, page_of(self.issues, query), "")),
            ("POST", "issues", lambda: self._open_issue(json.loads(body))),
            ("GET", r"actions/workflows/([^/]+)", self._workflow_row),
            ("GET", r"actions/runs/(\d+)/jobs", lambda i: self._jobs(int(i), query)),
            ("POST", r"actions/workflows/([^/]+)/dispatches", lambda w: self._dispatch(w, json.loads(body))),
            ("GET", r"actions/workflows/([^/]+)/runs", lambda w: self._list(w, query)),
            ("GET", r"actions/runs/(\d+)", lambda i: self._run(int(i))),
            ("GET", r"actions/runs/(\d+)/artifacts", lambda i: self._artifacts(int(i), query)),
            ("GET", r"actions/runs/(\d+)/logs", lambda i: self._moved(f"logs/{i}")),
            ("GET", r"actions/artifacts/(\d+)/zip", lambda i: self._zip(int(i))),
            ("GET", r"commits/([0-9a-f]{40})/check-runs", lambda sha: self._check_runs(sha, query)),
        )
        for verb, pattern, route in routes:
            found = re.fullmatch(pattern, rest)
            if verb == method and found:
                if not auth and (method == "POST" or rest.endswith(("/zip", "/logs"))):
                    return 401, {"message": "Requires authentication"}, ""
                if rest.endswith("/dispatches") and not self.may["push"]:
                    return 403, {"message": "Resource not accessible by personal access token"}, ""
                return route(*found.groups())
        return 404, {"message": "Not Found"}, ""

    def _dispatch(self, workflow: str, asked: dict[str, Any]) -> tuple[int, Any, str]:
        sha = self._tip(asked["ref"])
        if sha is None:
            return 422, {"message": f"No ref found for: {asked['ref']}"}, ""
        flow = self.workflow(sha) if workflow == self.file else None
        if flow is None:
            return 404, {"message": "Not Found"}, ""
        known = (flow["on"].get("workflow_dispatch") or {}).get("inputs", {})
        inputs = asked.get("inputs", {})
        if strange := sorted(set(inputs) - set(known)):
            return 422, {"message": f"Unexpected inputs provided: {strange}"}, ""
        if missing := [k for k, v in known.items() if v.get("required") and not inputs.get(k)]:
            return 422, {"message": f"Required input '{missing[0]}' not provided"}, ""
        run = self._begin("workflow_dispatch", asked["ref"], sha, flow, inputs)
        if not (self.details and asked.get("return_run_details")):
            return 204, None, ""
        urls = {"run_url": f"{self.api}/runs/{run.id}", "html_url": self._row(run)["html_url"]}
        return 200, {"workflow_run_id": run.id, **urls}, ""

    def _list(self, workflow: str, query: dict[str, str]) -> tuple[int, Any, str]:
        if workflow != self.file:
            return 404, {"message": "Not Found"}, ""
        sha, event = query.get("head_sha"), query.get("event")
        if sha:
            self.git("cat-file", "-e", f"{sha}^{{commit}}")
        runs = [r for r in reversed(self.runs) if self.lists and sha in {None, r.sha} and event in {None, r.event}]
        found = [self._row(r) for r in runs]
        return 200, {"total_count": len(found), "workflow_runs": page_of(found, query)}, ""

    def _run(self, run: int) -> tuple[int, Any, str]:
        found = next((r for r in self.runs if r.id == run), None)
        if found is not None and self.works_after is not None:
            found.looks += 1
            if found.looks >= self.works_after:
                self.work()
        return (200, self._row(found), "") if found else (404, {"message": "Not Found"}, "")

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
            "html_url": f"https://github.example/{OWNER}/{NAME}/actions/runs/{run.id}",
            "created_at": f"{began:%Y-%m-%dT%H:%M:%SZ}",
            "run_started_at": f"{began:%Y-%m-%dT%H:%M:%SZ}",
            "updated_at": f"{ended:%Y-%m-%dT%H:%M:%SZ}",
        }

    def _repository(self, auth: str) -> tuple[int, Any, str]:
        row = self.spec.example("full-repository-default-response")
        row |= {"name": NAME, "full_name": f"{OWNER}/{NAME}", "default_branch": "main", "archived": False}
        row["html_url"] = f"https://github.example/{OWNER}/{NAME}"
        for part in ("permissions", "template_repository", "parent", "source"):  # as examples they lack a field
            row.pop(part, None)
        return 200, {"language": None, **row, **({"permissions": self.may} if auth else {})}, ""

    def _workflow_row(self, workflow: str) -> tuple[int, Any, str]:
        if workflow != self.file:
            return 404, {"message": "Not Found"}, ""
        row = {**self.spec.example("workflow"), "state": self.state, "path": f".github/workflows/{self.file}"}
        return 200, row, ""

    def _open_issue(self, asked: dict[str, Any]) -> tuple[int, Any, str]:
        number = len(self.issues) + 1
        url = f"https://github.example/{OWNER}/{NAME}/issues/{number}"
        row = {**self.spec.example("issue"), "number": number, "html_url": url, "state": "open", **asked}
        row.pop("pull_request", None)
        self.issues.append(row)
        return 201, row, ""

    def _jobs(self, run: int, query: dict[str, str]) -> tuple[int, Any, str]:
        found = next(r for r in self.runs if r.id == run)
        flow = self.workflow(found.sha)
        assert flow is not None
        rows = [
            {
                **self.spec.example("job-paginated")["jobs"][0],
                "id": run * 100 + i,
                "run_id": run,
                "created_at": "2020-01-20T17:42:00Z",
                "name": filled(job.get("name", name), found.tag, found.inputs),
                "status": found.status,
                "conclusion": found.conclusion,
                "labels": [filled(job["runs-on"], found.tag, found.inputs)],
                "runner_name": f"machine-{run % 3}" if found.status == "completed" else None,
            }
            for i, (name, job) in enumerate(flow["jobs"].items())
        ]
        return 200, {"total_count": len(rows), "jobs": page_of(rows, query)}, ""

    def _artifacts(self, run: int, query: dict[str, str]) -> tuple[int, Any, str]:
        made = next(r for r in self.runs if r.id == run).artifacts
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
        return 200, {"total_count": len(rows), "artifacts": page_of(rows, query)}, ""

    def _zip(self, artifact: int) -> tuple[int, Any, str]:
        found = next(a for r in self.runs for a in r.artifacts if a.id == artifact)
        if found.expired:
            return 410, {"message": "Artifact has expired", "documentation_url": "https://docs.github.com/rest"}, ""
        return self._moved(f"artifacts/{artifact}")

    def _moved(self, what: str) -> tuple[int, Any, str]:
        return 302, None, f"{self.blobs}/{what}?sig=once"

    def _check_runs(self, sha: str, query: dict[str, str]) -> tuple[int, Any, str]:
        self.git("cat-file", "-e", f"{sha}^{{commit}}")
        shape = self.spec.example("check-run-paginated")["check_runs"][0]
        rows = [{**shape, "head_sha": sha, "pull_requests": [], **c} for c in self.checks]
        return 200, {"total_count": len(rows), "check_runs": page_of(rows, query)}, ""

    def blob(self, path: str) -> bytes | None:
        kind, _, name = path.strip("/").partition("/")
        if kind == "logs":
            return next((r.log for r in self.runs if str(r.id) == name), None)
        return next((a.data for r in self.runs for a in r.artifacts if str(a.id) == name), None)


def _handler(fake: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def _serve(self, method: str) -> None:
            url, auth = urlsplit(self.path), self.headers.get("Authorization", "")
            query = dict(parse_qsl(url.query))
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with fake._lock:
                fake.asked.append((method, url.path))
                wrong = fake.spec.request(method, url.path, query, body)
                if self.headers.get("X-GitHub-Api-Version") != "2022-11-28":
                    wrong = wrong or "no API version"
                fault = next((f for f in fake.faults if f.method == method and re.search(f.path, url.path)), None)
                if fault is not None:
                    fake.faults.remove(fault)
                extra = fault.headers if fault else {}
                if wrong is not None:
                    fake.violations.append(f"{method} {self.path}: {wrong}")
                    status, said, place = 400, {"message": "not as described"}, ""
                elif fault is not None and isinstance(fault.what, int):
                    status, said, place = fault.what, {"message": f"fault {fault.what}"}, ""
                else:
                    status, said, place = fake.answer(method, url.path, query, body, auth)
                if fault is not None and fault.what == "cut":
                    self.close_connection = True
                    return
                data = b"" if said is None else json.dumps(said).encode()
                headers = {**({"Content-Type": "application/json"} if data else {}), **extra}
                headers |= {"Location": place} if place else {}
                headers |= {"X-OAuth-Scopes": fake.scopes} if auth and fake.scopes is not None else {}
                if status < 400 or status == 410:
                    wrong = fake.spec.response(method, url.path, query, body, status, headers, data)
                    if wrong is not None:
                        fake.violations.append(f"answer to {method} {self.path}: {wrong}")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """The test's output stays readable."""

    return Api


def _blob_handler(fake: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Blobs(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if self.headers.get("Authorization"):
                fake.violations.append(f"the token was sent to the host of {self.path}")
            fake.asked.append(("BLOB", url.path))
            fault = next((f for f in fake.faults if f.method == "BLOB" and re.search(f.path, url.path)), None)
            if fault is not None:
                fake.faults.remove(fault)
            data = fake.blob(url.path)
            status = fault.what if fault and isinstance(fault.what, int) else 200 if data is not None else 404
            self.send_response(status)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            half = fault is not None and fault.what == "cut"
            self.wfile.write((data or b"")[: len(data or b"") // 2 if half else None])

        def log_message(self, *_: object) -> None:
            """The test's output stays readable."""

    return Blobs


@contextmanager
def serving(repo: Path, file: str = WORKFLOW) -> Iterator[FakeGitHub]:
    """GitHub over a bare repository with a workflow ``file``, as long as the context lasts."""
    fake = FakeGitHub(repo, file)
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake)) as api,
        ThreadingHTTPServer(("127.0.0.1", 0), _blob_handler(fake)) as blobs,
    ):
        fake.api = f"http://127.0.0.1:{api.server_port}"
        fake.blobs = f"http://localhost:{blobs.server_port}"
        for server in (api, blobs):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield fake
        finally:
            for server in (api, blobs):
                server.shutdown()
    assert not fake.violations, "\n".join(v if len(v) < 3000 else f"{v[:300]} … {v[-2500:]}" for v in fake.violations)
