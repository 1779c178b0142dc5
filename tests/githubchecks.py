"""Check runs and commit statuses of the tests' GitHub. Only an App makes checks; a person's token sets statuses."""

from __future__ import annotations

from typing import Any

from githubcore import HTML, NAME, OWNER, REPO, Asked, Core, Route, Said, error

_API = f"https://api.github.com/repos/{OWNER}/{NAME}"
_FIELDS = ("name", "head_sha", "status", "conclusion", "started_at", "completed_at", "external_id", "details_url")


class Checks:
    """``rows``: fields of check runs as GitHub shows them; one without ``head_sha`` is on every commit."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.rows: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", f"{REPO}/check-runs", "checks=write", self._new),
            Route("GET", f"{REPO}/check-runs/{{check_run_id}}", "checks=read", self._get),
            Route("PATCH", f"{REPO}/check-runs/{{check_run_id}}", "checks=write", self._change),
            Route("GET", f"{REPO}/commits/{{ref}}/check-runs", "checks=read", self._list),
            Route("GET", f"{REPO}/commits/{{ref}}/status", "statuses=read", self._combined),
            Route("GET", f"{REPO}/commits/{{ref}}/statuses", "statuses=read", self._statuses),
            Route("POST", f"{REPO}/statuses/{{sha}}", "statuses=write", self._set_status),
        )

    def row(self, check: dict[str, Any]) -> dict[str, Any]:
        shape = self.core.spec.example("check-run")
        found = {**shape, "pull_requests": [], "started_at": None, "completed_at": None, "conclusion": None, **check}
        if "id" in check:
            found |= {"html_url": f"{HTML}/runs/{check['id']}", "url": f"{_API}/check-runs/{check['id']}"}
        return found

    def _commit(self, ref: str) -> str | None:
        return self.core.commit_of(ref)

    def _list(self, asked: Asked, ref: str) -> Said:
        sha = self._commit(ref)
        if sha is None:
            return error(422, f"No commit found for SHA: {ref}")
        found = [{"head_sha": sha, **c} for c in self.rows if c.get("head_sha", sha) == sha]
        if name := asked.query.get("check_name"):
            found = [c for c in found if c["name"] == name]
        if status := asked.query.get("status"):
            found = [c for c in found if c["status"] == status]
        if asked.query.get("filter", "latest") == "latest":
            last = {(c["name"], "id" in c): i for i, c in enumerate(found)}
            found = [c for i, c in enumerate(found) if "id" not in c or last[c["name"], True] == i]
        return self.core.page(asked, [self.row(c) for c in found], "check_runs")

    def _new(self, asked: Asked) -> Said:
        if not asked.who.app:
            return error(403, "You must authenticate via a GitHub App.")
        said = asked.body
        if self._commit(said["head_sha"]) is None:
            return error(422, f"No commit found for SHA: {said['head_sha']}")
        now = self.core.stamp(self.core.tick())
        made: dict[str, Any] = {"id": self.core.next_id(), "status": "queued", "started_at": now}
        self.rows.append(made)
        return self._set(made, said, 201)

    def _change(self, asked: Asked, check: str) -> Said:
        found = next((c for c in self.rows if c.get("id") == int(check)), None)
        if found is None:
            return error(404, "Not Found")
        if not asked.who.app:
            return error(403, "You must authenticate via a GitHub App.")
        return self._set(found, asked.body, 200)

    def _set(self, check: dict[str, Any], said: dict[str, Any], status: int) -> Said:
        check |= {k: said[k] for k in _FIELDS if k in said}
        if said.get("conclusion"):
            check["status"] = "completed"
            check.setdefault("completed_at", self.core.stamp(self.core.tick()))
        if "output" in said:
            shape = self.core.spec.example("check-run")["output"]
            check["output"] = {**shape, "text": None, **{k: v for k, v in said["output"].items() if k in shape}}
        row = self.row(check)
        action = "completed" if check["status"] == "completed" else "created"
        self.core.emit("check_run", action, check=row, sender=self.core.bot.login)
        return Said(status, row)

    def _get(self, _: Asked, check: str) -> Said:
        found = next((c for c in self.rows if c.get("id") == int(check)), None)
        return Said(200, self.row(found)) if found else error(404, "Not Found")

    def _set_status(self, asked: Asked, sha: str) -> Said:
        if self._commit(sha) is None:
            return error(422, f"No commit found for SHA: {sha}")
        if not self.core.pushes(asked.who):
            return error(403, "Resource not accessible by personal access token")
        now, said = self.core.stamp(self.core.tick()), asked.body
        made = {
            **self.core.spec.example("status"),
            "id": self.core.next_id(),
            "state": said["state"],
            "context": said.get("context", "default"),
            "description": said.get("description"),
            "target_url": said.get("target_url"),
            "created_at": now,
            "updated_at": now,
            "creator": self.core.row_of(asked.actor.login),
            "url": f"{_API}/statuses/{sha}",
        }
        if len(made["description"] or "") > 140:
            return error(422, "Validation Failed: description is too long (maximum is 140 characters)")
        self.statuses.append({"sha": sha, "row": made})
        self.core.emit("status", made["state"], status=made, sha=sha, sender=asked.actor.login)
        return Said(201, made)

    def _of(self, sha: str) -> list[dict[str, Any]]:
        return [s["row"] for s in reversed(self.statuses) if s["sha"] == sha]

    def _statuses(self, asked: Asked, ref: str) -> Said:
        sha = self._commit(ref)
        return self.core.page(asked, self._of(sha)) if sha else error(404, "Not Found")

    def _combined(self, _: Asked, ref: str) -> Said:
        sha = self._commit(ref)
        if sha is None:
            return error(404, "Not Found")
        newest = {s["context"]: s for s in reversed(self._of(sha))}
        states = {s["state"] for s in newest.values()}
        state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
        shape = self.core.spec.example("combined-commit-status")
        simple = [
            {**shape["statuses"][0], **{k: v for k, v in s.items() if k != "creator"}, "required": False}
            for s in newest.values()
        ]
        return Said(200, {**shape, "sha": sha, "state": state, "statuses": simple, "total_count": len(simple)})
