"""Issues of GitHub: read, those of a milestone listed, and Headway's own written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.errors import WorldFailed
from headway.github.client import GitHub
from headway.github.pulls import found
from headway.github.shapes import labels, login, milestone, moment, same, shaped, words, written
from headway.github.writing import lost, own
from headway.model.hub import Issue, Written


def issue_at(github: GitHub, number: int) -> Issue | None:
    """One by its number; ``None`` where there is none. Raises ``WorldFailed``."""
    row = _under(github, number)
    return None if row is None else _issue(row)


def of_milestone(github: GitHub, title: str) -> tuple[Issue, ...]:
    """What carries a milestone, by its title, open and closed; issues and pull requests alike, oldest first. Raises
    ``WorldFailed``."""
    numbers = [
        shaped("milestone", m, lambda r: int(r["number"]))
        for m in github.listed("milestones", state="all")
        if words(m.get("title")) == title
    ]
    rows = (r for n in numbers for r in github.listed("issues", milestone=n, state="all", direction="asc"))
    return tuple(_issue(r) for r in rows)


def write_issue(github: GitHub, me: str, marker: str, number: int, title: str, body: str, *, open: bool) -> Written:
    """Make an issue of ours say this; it is looked for under ``number``, which we were told when we wrote it, then by
    ``marker``, then made. Raises ``WorldFailed``."""
    there = (_under(github, number) if number else None) or _one(github, me, marker)
    there = there or _made(github, me, marker, title, body)
    state = "open" if open else "closed"
    known = shaped("issue", there, lambda r: (r["title"], r["body"], r["state"]))
    if same(known[0], title) and same(known[1], body) and known[2] == state:
        return written("issue", there)
    changed = {"title": title, "body": body, **({"state": state} if known[2] != state else {})}
    return written("issue", github.patch(f"issues/{int(there['number'])}", changed))


def _under(github: GitHub, number: int) -> Any:
    """The issue of a number; of one that was transferred GitHub shows the one that it is elsewhere, which is none of
    ours."""
    row = found(github, f"issues/{number}")
    return row if row is not None and shaped("issue", row, lambda r: r["number"]) == number else None


def _made(github: GitHub, me: str, marker: str, title: str, body: str) -> Mapping[str, Any]:
    try:
        made = github.post("issues", {"title": title, "body": body})
    except WorldFailed as e:
        there = _one(github, me, marker) if lost(e) else None
        if there is None:
            raise
        return there
    # The listing may have been one of before, when the answer to an earlier try was lost: then there are two now.
    return _one(github, me, marker) or shaped("issue", made, dict)


def _one(github: GitHub, me: str, marker: str) -> Mapping[str, Any] | None:
    """Our issue with the marker, the oldest; any other is closed, and bears it no more."""
    rows = github.listed("issues", creator=me, state="all", sort="created", direction="asc")
    ours = own((r for r in rows if r.get("pull_request") is None), me, marker)
    for again in ours[1:]:
        body = str(again["body"]).replace(marker, f"#{int(ours[0]['number'])}")
        changed = {"body": body, "state": "closed", "state_reason": "not_planned"}
        github.patch(f"issues/{int(again['number'])}", changed)
    return ours[0] if ours else None


def _issue(row: Any) -> Issue:
    def read(r: Any) -> Issue:
        return Issue(
            number=int(r["number"]),
            title=words(r["title"]),
            body=words(r.get("body")),
            author=login(r["user"]),
            open=r["state"] == "open",
            is_pull=r.get("pull_request") is not None,
            labels=labels(r["labels"]),
            milestone=milestone(r["milestone"]),
            updated=moment(r["updated_at"]),
            url=words(r["html_url"]),
        )

    return shaped("issue", row, read)
