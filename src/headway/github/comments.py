"""Comments on issues and pull requests of GitHub: read in the order in which they changed, and our own written once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from headway.errors import WorldFailed
from headway.github.client import GONE, PAGE, REFUSED, GitHub
from headway.github.pulls import found
from headway.github.shapes import login, moment, same, shaped, words, written
from headway.github.writing import is_own, lost, own
from headway.model.hub import MARK, Comment, Written


def comments_since(github: GitHub, me: str, since: datetime) -> tuple[tuple[Comment, ...], bool]:
    """Of all issues and pull requests, those written or changed since, in the order in which they changed, as many as
    GitHub lists at once; and whether there may be more. Raises ``WorldFailed``.

    Ask for more from the time of the last one: those that change while pages are turned would be missed. There is
    always one newer than ``since`` when there may be more; those of the very second are listed again.
    """
    since = since.astimezone(UTC)
    at = f"{since - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    seen: list[Comment] = []
    for row in github.listed("issues/comments", sort="updated", direction="asc", since=at):
        seen.append(_comment(row, me))
        if len(seen) % PAGE == 0 and seen[-1].updated > since:
            return tuple(seen), True
    return tuple(seen), False


def write_comment(github: GitHub, me: str, marker: str, number: int, id: int, body: str) -> Written:
    """Make a comment of ours on ``number`` say this; it is looked for under ``id``, which we were told when we wrote
    it, then by ``marker``, then made. Where nobody can be told any more, since the issue is gone or locked, nothing is
    written (``id`` 0): it would be tried for ever. Raises ``WorldFailed``."""
    there = (found(github, f"issues/comments/{id}") if id else None) or _one(github, me, marker, number)
    if there is None:
        return _made(github, me, marker, number, body)
    if same(there.get("body"), body):
        return written("comment", there, number)
    return written("comment", github.patch(f"issues/comments/{there['id']}", {"body": body}), number)


def _made(github: GitHub, me: str, marker: str, number: int, body: str) -> Written:
    try:
        made = written("comment", github.post(f"issues/{number}/comments", {"body": body}), number)
    except WorldFailed as e:
        if _closed_to_words(github, number, e):
            return Written(number, 0, "")
        there = _one(github, me, marker, number) if lost(e) else None
        if there is None:
            raise
        return written("comment", there, number)
    # The listing may have been one of before, when the answer to an earlier try was lost: then there are two now.
    there = _one(github, me, marker, number)
    return made if there is None else written("comment", there, number)


def _closed_to_words(github: GitHub, number: int, error: WorldFailed) -> bool:
    """An issue that was deleted, or is its author's who is hidden as spam; or a conversation that was locked. A 404
    may be a token's that may not write, too."""
    if error.code == GONE:
        return found(github, f"issues/{number}") is None
    message = str(dict(error.facts).get("message") or "").lower()
    return error.code == REFUSED and ("is locked" in message or "commenting is disabled" in message)


def _one(github: GitHub, me: str, marker: str, number: int) -> Mapping[str, Any] | None:
    """Our comment with the marker, the oldest; any other is taken away."""
    ours = own(_rows_on(github, number), me, marker)
    for again in ours[1:]:
        try:
            github.delete(f"issues/comments/{int(again['id'])}")
        except WorldFailed as e:
            if e.code != GONE:
                raise
    return ours[0] if ours else None


def _rows_on(github: GitHub, number: int) -> list[Mapping[str, Any]]:
    try:
        return list(github.listed(f"issues/{number}/comments"))
    except WorldFailed as e:
        if e.code == GONE:
            return []
        raise


def _number(row: Mapping[str, Any]) -> int:
    return shaped("comment", row, lambda r: int(r["issue_url"].rpartition("/")[2]))


def _comment(row: Mapping[str, Any], me: str) -> Comment:
    def read(r: Any) -> Comment:
        user = r["user"]
        return Comment(
            id=int(r["id"]),
            number=_number(r),
            author=login(user),
            by_app=(user is not None and user["type"] == "Bot") or r.get("performed_via_github_app") is not None,
            body=words(r.get("body")),
            created=moment(r["created_at"]),
            updated=moment(r["updated_at"]),
            url=words(r["html_url"]),
            own=is_own(r, me, MARK),
        )

    return shaped("comment", row, read)
