"""Headway's answer on a commit: a check run of an App, or a commit status, as a plain token makes no check runs."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from headway.errors import WorldFailed
from headway.github.client import REFUSED, GitHub
from headway.github.shapes import same, shaped, written
from headway.github.writing import lost
from headway.model.commit import Sha
from headway.model.hub import Outcome, Written
from headway.model.text import one_line

_STATES = {
    Outcome.PASSED: "success",
    Outcome.REFUSED: "failure",
    Outcome.WAITS: "pending",
    Outcome.NOTHING: "success",
}
_STATUS_WORDS = 140  # GitHub's limit of a status' description
_OURS = "headway"  # the external id of our check runs: a job of a workflow may bear the same name


def write_check_run(
    github: GitHub, commit: Sha, name: str, outcome: Outcome, title: str, summary: str
) -> Written | None:
    """Make our newest check run of a name on a commit say this; ``None`` where the token may write none. Raises
    ``WorldFailed``. https://docs.github.com/rest/checks/runs"""
    try:
        there = _newest_run(github, commit, name)
    except WorldFailed as e:
        if _forbidden(e):  # a token that may not even read them
            return None
        raise
    if there is not None and _says(there, outcome, title, summary):
        return written("check run", there, 0)
    says = {"status": "completed", "conclusion": str(outcome), "output": {"title": title, "summary": summary}}
    if there is not None:
        try:
            return written("check run", github.patch(f"check-runs/{int(there['id'])}", says), 0)
        except WorldFailed as e:
            if not _forbidden(e):  # another App's: it has our external id, and is not ours
                raise
    asked = {"name": name, "head_sha": commit, "external_id": _OURS, **says}
    try:
        return written("check run", github.post("check-runs", asked), 0)
    except WorldFailed as e:
        if _forbidden(e):
            return None
        there = _newest_run(github, commit, name) if lost(e) else None
        if there is None or not _says(there, outcome, title, summary):
            raise
        return written("check run", there, 0)


def write_status(github: GitHub, commit: Sha, name: str, outcome: Outcome, words: str, url: str = "") -> Written:
    """Make the newest status of a name (its context) on a commit say this; it has no room for a summary, but leads to
    ``url``. Raises
    ``WorldFailed``. https://docs.github.com/rest/commits/statuses"""
    shown = one_line(words)
    shown = shown if len(shown) <= _STATUS_WORDS else f"{shown[: _STATUS_WORDS - 1]}…"
    says = {"state": _STATES[outcome], "description": shown}
    led = {"target_url": url} if url else {}
    rows = github.rows(f"commits/{commit}/status", "statuses")  # the newest of each context
    there = next((r for r in rows if r.get("context") == name), None)
    if (
        there is not None
        and there.get("state") == says["state"]
        and same(there.get("description"), says["description"])
    ):
        return written("status", there, 0)
    return written("status", github.post(f"statuses/{commit}", {"context": name, **says, **led}), 0)


def _newest_run(github: GitHub, commit: Sha, name: str) -> Mapping[str, Any] | None:
    rows = github.rows(f"commits/{commit}/check-runs", "check_runs", check_name=name, filter="all")
    ours = (r for r in rows if r.get("external_id") == _OURS)
    return max(ours, key=lambda r: shaped("check run", r, lambda c: int(c["id"])), default=None)


def _says(row: Mapping[str, Any], outcome: Outcome, title: str, summary: str) -> bool:
    def read(r: Any) -> bool:
        output = r["output"]
        return r["conclusion"] == str(outcome) and same(output["title"], title) and same(output["summary"], summary)

    return shaped("check run", row, read)


def _forbidden(error: WorldFailed) -> bool:
    return error.code == REFUSED and dict(error.facts).get("status") == HTTPStatus.FORBIDDEN
