"""Pull requests of GitHub: read, opened, closed; and their reviews."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from headway.errors import WorldFailed
from headway.github.client import GONE, REFUSED, GitHub
from headway.github.shapes import labels, login, milestone, moment, same, sha, shaped, words, written
from headway.github.writing import lost
from headway.model.hub import Pull, PullCommit, Review, Written

_ANY = ""  # a commit that GitHub does not name
_MOST_CLOSED = 5_000  # pull requests that are looked through for labels


def open_pulls(github: GitHub, base: str) -> tuple[Pull, ...]:
    """The open ones onto a branch, oldest first. Raises ``WorldFailed``."""
    rows = github.listed("pulls", state="open", base=base, sort="created", direction="asc")
    return tuple(_pull(r) for r in rows)


def pull_at(github: GitHub, number: int) -> Pull | None:
    """One by its number; ``None`` where there is none. Raises ``WorldFailed``."""
    row = found(github, f"pulls/{number}")
    return None if row is None else _pull(row)


def labels_of(github: GitHub, numbers: frozenset[int], since: datetime) -> dict[int, tuple[str, ...]]:
    """The labels of closed pull requests, of those of these ``numbers`` that changed ``since``; the newest changes
    first, so that as few pages as can be are asked for. Raises ``WorldFailed``."""
    found: dict[int, tuple[str, ...]] = {}
    rows = github.listed("pulls", state="closed", sort="updated", direction="desc")
    for pull in map(_pull, islice(rows, _MOST_CLOSED)):
        if pull.updated < since or len(found) == len(numbers):
            break
        if pull.number in numbers:
            found[pull.number] = pull.labels
    return found


def commits_of(github: GitHub, number: int) -> tuple[PullCommit, ...]:
    """The commits of a pull request, oldest first; GitHub lists 250 at most. Raises ``WorldFailed``."""
    return tuple(_commit(r) for r in github.listed(f"pulls/{number}/commits"))


def reviews_of(github: GitHub, number: int) -> tuple[Review, ...]:
    """The submitted reviews of a pull request, oldest first. Raises ``WorldFailed``."""
    rows = github.listed(f"pulls/{number}/reviews")
    return tuple(_review(r, number) for r in rows if r.get("submitted_at"))


def open_pull(github: GitHub, head: str, base: str, title: str, body: str, *, draft: bool) -> Written:
    """A pull request of our own repository's branch ``head`` onto ``base``: GitHub allows one at a time, so it needs no
    other mark. Somebody else's of these branches is taken over, for it is our commits that it asks for. Raises
    ``WorldFailed``."""
    there = _between(github, head, base)
    if there is None:
        asked = {"title": title, "head": head, "base": base, "body": body, "draft": draft}
        try:
            return written("pull request", github.post("pulls", asked))
        except WorldFailed as e:
            if draft and _no_drafts(e):
                return open_pull(github, head, base, title, body, draft=False)
            # It may be there for all that: the answer was lost, or the listing was one of before.
            there = _between(github, head, base) if lost(e) or e.code == REFUSED else None
            if there is None:
                raise
    if same(there["title"], title) and same(there["body"], body):
        return written("pull request", there)
    return written("pull request", github.patch(f"pulls/{there['number']}", {"title": title, "body": body}))


def close_pull(github: GitHub, number: int) -> Written:
    """Close it; a closed or merged one stays as it is. Raises ``WorldFailed``."""
    row = github.get(f"pulls/{number}")
    if shaped("pull request", row, lambda r: r["state"]) != "open":
        return written("pull request", row)
    return written("pull request", github.patch(f"pulls/{number}", {"state": "closed"}))


def found(github: GitHub, path: str) -> Any:
    """The JSON of a resource; ``None`` for one that is not there. Raises ``WorldFailed`` for all else."""
    try:
        return github.get(path)
    except WorldFailed as e:
        if e.code == GONE:
            return None
        raise


def _no_drafts(error: WorldFailed) -> bool:
    """Whether the repository is one of those that GitHub sells no drafts to."""
    message = str(dict(error.facts).get("message") or "")
    return error.code == REFUSED and "draft pull requests are not supported" in message.lower()


def _between(github: GitHub, head: str, base: str) -> Mapping[str, Any] | None:
    """The open pull request of our branch onto another; a fork's branch of the same name is another branch."""
    owner = github.repository.partition("/")[0]
    rows = github.listed("pulls", state="open", head=f"{owner}:{head}", base=base)
    ours = (r for r in rows if _pull(r).head == head and _pull(r).base == base and _of_us(github, _pull(r)))
    return min(ours, key=lambda r: int(r["number"]), default=None)


def _of_us(github: GitHub, pull: Pull) -> bool:
    return pull.head_repository.casefold() == github.repository.casefold()


def _pull(row: Any) -> Pull:
    def read(r: Any) -> Pull:
        repository = r["head"]["repo"]
        became = r["merge_commit_sha"] if r["merged_at"] is not None else None  # of an open one it is a trial
        return Pull(
            number=int(r["number"]),
            title=words(r["title"]),
            body=words(r["body"]),
            author=login(r["user"]),
            base=words(r["base"]["ref"]),
            head=words(r["head"]["ref"]),
            head_sha=sha(r["head"]["sha"]),
            head_repository=words(repository["full_name"]) if repository is not None else "",
            open=r["state"] == "open",
            draft=bool(r.get("draft")),
            merged=sha(became) if became is not None else None,
            labels=labels(r["labels"]),
            milestone=milestone(r["milestone"]),
            updated=moment(r["updated_at"]),
            url=words(r["html_url"]),
        )

    return shaped("pull request", row, read)


def _commit(row: Any) -> PullCommit:
    def read(r: Any) -> PullCommit:
        return PullCommit(sha(r["sha"]), words(r["commit"]["message"]), moment(r["commit"]["author"]["date"]))

    return shaped("commit", row, read)


def _review(row: Any, number: int) -> Review:
    def read(r: Any) -> Review:
        commit = sha(r["commit_id"]) if r["commit_id"] is not None else _ANY
        return Review(number, login(r["user"]), words(r["state"]).lower(), commit, moment(r["submitted_at"]))

    return shaped("review", row, read)
