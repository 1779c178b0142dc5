"""Pull requests and reviews of the tests' GitHub: heads follow pushes, merges are made by git in the repository."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from githubcore import HTML, NAME, OWNER, REPO, Asked, Core, Route, Said, error, invalid
from githubtalk import PullSide, Talk, Thread

_API = f"https://api.github.com/repos/{OWNER}/{NAME}"
_PULL = f"{REPO}/pulls/{{pull_number}}"
METHODS = ("merge", "squash", "rebase")


@dataclass
class Judged:
    """A review; ``state`` in GitHub's words, upper case."""

    id: int
    number: int
    author: str
    state: str
    body: str
    commit: str
    when: datetime


class Pulls:
    """A branch of a fork is ``refs/forks/<owner>/<branch>`` in the one repository."""

    def __init__(self, core: Core, talk: Talk) -> None:
        self.core, self.talk = core, talk
        self.reviews: list[Judged] = []
        self.gone: set[str] = set()

    def _tip(self, side: PullSide) -> str | None:
        under = "refs/heads" if side.owner == OWNER else f"refs/forks/{side.owner}"
        try:
            return self.core.git("rev-parse", "--verify", "--quiet", f"{under}/{side.head}")
        except LookupError:
            return None

    # What people do --------------------------------------------------------------------------------------------

    def open(self, author: str, head: str, base: str, title: str, body: str = "", draft: bool = False) -> Thread:
        """``head`` is a branch, or ``owner:branch`` of a fork. ``LookupError`` when there is no such branch."""
        with self.core._lock:
            owner, _, branch = head.rpartition(":")
            side = PullSide(base, branch, owner or OWNER, "", "", draft)
            tip, onto = self._tip(side), self.core.commit_of(base)
            if tip is None or onto is None:
                raise LookupError(head if tip is None else base)
            side.head_sha, side.base_sha = tip, onto
            made = self.talk.open_issue(author, title, body, side)
            self.core.git("update-ref", f"refs/pull/{made.number}/head", tip)
            return made

    def review(self, author: str, number: int, state: str, body: str = "") -> Judged:
        with self.core._lock:
            side = self.talk.threads[number].pull
            assert side is not None
            now = self.core.tick()
            made = Judged(self.core.next_id(), number, author, state, body, side.head_sha, now)
            self.reviews.append(made)
            self.talk.threads[number].updated = now
            thread = self.talk.threads[number]
            self.core.emit("pull_request_review", "submitted", thread=thread, review=made, sender=author)
            return made

    def merge(self, number: int, by: str, how: str = "squash", title: str = "", message: str = "") -> str:
        """Merge as GitHub would; gives the commit. ``LookupError`` when it conflicts."""
        with self.core._lock:
            thread = self.talk.threads[number]
            side = thread.pull
            assert side is not None
            base = self.core.git("rev-parse", f"refs/heads/{side.base}")
            git = self.core.git
            if how == "rebase":
                with tempfile.TemporaryDirectory() as folder:
                    tree = Path(folder) / "tree"
                    git("worktree", "add", "--quiet", "--detach", str(tree), base)
                    try:
                        git("cherry-pick", "--allow-empty", f"{base}..{side.head_sha}", cwd=tree)
                        made = git("rev-parse", "HEAD", cwd=tree)
                    finally:
                        git("worktree", "remove", "--force", str(tree))
            else:
                tree = git("merge-tree", "--write-tree", base, side.head_sha).splitlines()[0]
                parents = ["-p", base] + (["-p", side.head_sha] if how == "merge" else [])
                usual = {
                    "squash": (f"{thread.title} (#{number})", ""),
                    "merge": (f"Merge pull request #{number} from {side.owner}/{side.head}", thread.title),
                }[how]
                text = "\n\n".join(t for t in (title or usual[0], message or usual[1]) if t)
                made = git("commit-tree", tree, *parents, "-F", "-", stdin=f"{text}\n")
            git("update-ref", f"refs/heads/{side.base}", made, base)
            self._merged(thread, made, by)
            return made

    def _merged(self, thread: Thread, sha: str, by: str) -> None:
        assert thread.pull is not None
        thread.pull.merged, thread.pull.merged_at, thread.pull.merged_by = sha, self.core.tick(), by
        thread.state, thread.closed, thread.updated = "closed", self.core.now, self.core.now
        self.core.emit("pull_request", "closed", thread=thread, sender=by)

    def sync(self) -> None:
        """What pushes did to open pull requests: a new head, a head that is gone, a head that the base contains."""
        for thread in self.talk.threads.values():
            side = thread.pull
            if side is None or thread.state != "open":
                continue
            tip = self._tip(side)
            if tip is None:
                self.talk.change(thread.number, thread.author, state="closed")
                continue
            if tip != side.head_sha:
                side.head_sha, thread.updated = tip, self.core.tick()
                self.core.git("update-ref", f"refs/pull/{thread.number}/head", tip)
                self.core.emit("pull_request", "synchronize", thread=thread, sender=thread.author)
            base = self.core.commit_of(side.base)
            if base is not None and base != side.base_sha:
                side.base_sha = base
                if self._contains(base, tip):
                    self._merged(thread, tip, thread.author)

    def _contains(self, base: str, sha: str) -> bool:
        try:
            self.core.git("merge-base", "--is-ancestor", sha, base)
        except LookupError:
            return False
        return True

    def mergeable(self, side: PullSide) -> bool:
        try:
            self.core.git("merge-tree", "--write-tree", side.base_sha, side.head_sha)
        except LookupError:
            return False
        return True

    # As GitHub shows it ----------------------------------------------------------------------------------------

    def row(self, thread: Thread, whole: bool = True) -> dict[str, Any]:
        core, side, url = self.core, thread.pull, f"{_API}/pulls/{thread.number}"
        assert side is not None
        shape = core.spec.example("pull-request" if whole else "pull-request-simple-items")
        shape = shape if whole else shape[0]
        page = f"{HTML}/pull/{thread.number}"
        shared = {
            k: v
            for k, v in self.talk.issue_row(thread).items()
            if k in shape and k not in {"url", "html_url", "assignee", "assignees"}
        }
        row = {
            **shape,
            **shared,
            "url": url,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "issue_url": f"{_API}/issues/{thread.number}",
            "locked": False,
            "active_lock_reason": None,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "draft": side.draft,
            "merged_at": core.stamp(side.merged_at) if side.merged_at else None,
            "merge_commit_sha": side.merged,
            "head": self._end(shape["head"], side.owner, side.head, side.head_sha),
            "base": self._end(shape["base"], OWNER, side.base, side.base_sha),
        }
        if whole:
            row |= {"merged": side.merged is not None, "comments": shared["comments"], "review_comments": 0}
            row["merged_by"] = core.row_of(side.merged_by) if side.merged_by else None
            row["mergeable"] = None if thread.state == "closed" else self.mergeable(side)
            row["mergeable_state"] = "unknown" if row["mergeable"] is None else "clean" if row["mergeable"] else "dirty"
            row["commits"] = len(self._commits(side))
            row["changed_files"] = len(self._files(side))
        return row

    def _end(self, shape: dict[str, Any], owner: str, ref: str, sha: str) -> dict[str, Any]:
        who = {**shape["user"], "login": owner, "type": "User" if owner in self.core.users else "Organization"}
        name = f"{owner}/{NAME}"
        repo = {**shape["repo"], "name": NAME, "full_name": name, "owner": who, "fork": owner != OWNER}
        for part in ("template_repository", "permissions"):
            repo.pop(part, None)
        gone = owner in self.gone
        return {**shape, "label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": who, "repo": None if gone else repo}

    def _commits(self, side: PullSide) -> list[str]:
        since = f"{side.merged}^" if side.merged and side.merged != side.head_sha else side.base_sha
        return self.core.git("rev-list", "--reverse", side.head_sha, f"^{since}").split()

    def _files(self, side: PullSide) -> list[tuple[str, str]]:
        base = self.core.git("merge-base", side.base_sha, side.head_sha) if not side.merged else f"{side.head_sha}^"
        rows = self.core.git("diff", "--name-status", "--no-renames", base, side.head_sha).splitlines()
        return [(r.split("\t")[0], r.split("\t", 1)[1]) for r in rows]

    def review_row(self, made: Judged) -> dict[str, Any]:
        return {
            **self.core.spec.example("pull-request-review"),
            "id": made.id,
            "user": self.core.row_of(made.author),
            "body": made.body,
            "state": made.state,
            "commit_id": made.commit,
            "submitted_at": self.core.stamp(made.when),
            "html_url": f"{HTML}/pull/{made.number}#pullrequestreview-{made.id}",
            "pull_request_url": f"{_API}/pulls/{made.number}",
            "author_association": self.core.association(made.author),
        }

    # Answers ---------------------------------------------------------------------------------------------------

    def routes(self) -> tuple[Route, ...]:
        read, write = "pull_requests=read", "pull_requests=write"
        return (
            Route("GET", f"{REPO}/pulls", read, self._list),
            Route("POST", f"{REPO}/pulls", write, self._new),
            Route("GET", _PULL, read, self._get),
            Route("PATCH", _PULL, write, self._change),
            Route("GET", f"{_PULL}/commits", read, self._commit_rows),
            Route("GET", f"{_PULL}/files", read, self._file_rows),
            Route("GET", f"{_PULL}/merge", read, self._is_merged),
            Route("PUT", f"{_PULL}/merge", "contents=write", self._merge),
            Route("GET", f"{_PULL}/reviews", read, self._reviews),
            Route("POST", f"{_PULL}/reviews", write, self._review),
            Route("GET", f"{REPO}/commits/{{commit_sha}}/pulls", read, self._of_commit),
        )

    def _thread(self, number: str) -> Thread | None:
        found = self.talk.threads.get(int(number))
        return found if found and found.pull else None

    def _list(self, asked: Asked) -> Said:
        q = asked.query
        found = [t for t in self.talk.threads.values() if t.pull and q.get("state", "open") in {t.state, "all"}]
        if q.get("base"):
            found = [t for t in found if t.pull.base == q["base"]]
        if q.get("head"):
            found = [t for t in found if f"{t.pull.owner}:{t.pull.head}" == q["head"]]
        key = {"updated": lambda t: t.updated}.get(q.get("sort", "created"), lambda t: t.created)
        down = q.get("direction", "desc" if q.get("sort", "created") == "created" else "asc") == "desc"
        found.sort(key=lambda t: (key(t), t.number), reverse=down)
        return self.core.page(asked, [self.row(t, whole=False) for t in found])

    def _new(self, asked: Asked) -> Said:
        said = asked.body
        head = said["head"] if ":" in said["head"] else f"{OWNER}:{said['head']}"
        mine = [t for t in self.talk.threads.values() if t.pull and t.state == "open"]
        if any(f"{t.pull.owner}:{t.pull.head}" == head and t.pull.base == said["base"] for t in mine):
            return error(
                422,
                "Validation Failed",
                errors=[
                    {
                        "resource": "PullRequest",
                        "code": "custom",
                        "message": f"A pull request already exists for {head}.",
                    }
                ],
            )
        if not said.get("title"):
            return invalid("PullRequest", "missing_field", "title")
        try:
            base = self.core.git("rev-parse", "--verify", "--quiet", f"refs/heads/{said['base']}")
        except LookupError:
            return invalid("PullRequest", "invalid", "base")
        owner, _, branch = head.partition(":")
        tip = self._tip(PullSide(said["base"], branch, owner, "", ""))
        if tip is None:
            return invalid("PullRequest", "invalid", "head")
        if self._contains(base, tip):
            return error(
                422,
                "Validation Failed",
                errors=[
                    {
                        "resource": "PullRequest",
                        "code": "custom",
                        "message": f"No commits between {said['base']} and {branch}",
                    }
                ],
            )
        made = self.open(
            asked.actor.login, head, said["base"], said["title"], said.get("body") or "", bool(said.get("draft"))
        )
        return Said(201, self.row(made), {"Location": f"{_API}/pulls/{made.number}"})

    def _get(self, _: Asked, number: str) -> Said:
        thread = self._thread(number)
        return Said(200, self.row(thread)) if thread else error(404, "Not Found")

    def _change(self, asked: Asked, number: str) -> Said:
        thread = self._thread(number)
        if thread is None or thread.pull is None:
            return error(404, "Not Found")
        if not (self.core.pushes(asked.who) or thread.author == asked.actor.login):
            return error(403, "Must have push access.")
        said = asked.body
        if said.get("state") == "open" and thread.pull.merged:
            return invalid("PullRequest", "invalid", "state", "Cannot change state. The pull request is merged.")
        if "base" in said:
            thread.pull.base = said["base"]
        self.talk.change(
            thread.number, asked.actor.login, **{k: said[k] for k in ("title", "body", "state") if k in said}
        )
        return Said(200, self.row(thread))

    def _commit_rows(self, asked: Asked, number: str) -> Said:
        thread = self._thread(number)
        if thread is None or thread.pull is None:
            return error(404, "Not Found")
        shape = self.core.spec.example("commit-items")[0]
        rows = []
        for sha in self._commits(thread.pull):
            message = self.core.git("log", "-1", "--format=%B", sha)
            parents = [
                {"sha": p, "url": f"{_API}/commits/{p}", "html_url": f"{HTML}/commit/{p}"}
                for p in self.core.git("log", "-1", "--format=%P", sha).split()
            ]
            when = self.core.git("log", "-1", "--format=%aI", sha)
            author = {**shape["commit"]["author"], "date": datetime.fromisoformat(when).astimezone(UTC).isoformat()}
            commit = {**shape["commit"], "message": message, "author": author}
            rows.append({**shape, "sha": sha, "commit": commit, "parents": parents, "html_url": f"{HTML}/commit/{sha}"})
        return self.core.page(asked, rows)

    def _file_rows(self, asked: Asked, number: str) -> Said:
        thread = self._thread(number)
        if thread is None or thread.pull is None:
            return error(404, "Not Found")
        words = {"A": "added", "M": "modified", "D": "removed"}
        shape = self.core.spec.example("diff-entry-items")[0]
        rows = [{**shape, "filename": path, "status": words[c[0]]} for c, path in self._files(thread.pull)]
        return self.core.page(asked, rows)

    def _is_merged(self, _: Asked, number: str) -> Said:
        thread = self._thread(number)
        return Said(204) if thread and thread.pull and thread.pull.merged else error(404, "Not Found")

    def _merge(self, asked: Asked, number: str) -> Said:
        thread = self._thread(number)
        if thread is None or thread.pull is None:
            return error(404, "Not Found")
        if not self.core.pushes(asked.who):
            return error(403, "Resource not accessible by personal access token")
        said = asked.body
        if said.get("sha", thread.pull.head_sha) != thread.pull.head_sha:
            return error(409, "Head branch was modified. Review and try the merge again.")
        if thread.state != "open" or thread.pull.draft or not self.mergeable(thread.pull):
            return error(405, "Pull Request is not mergeable")
        how = said.get("merge_method", "merge")
        sha = self.merge(
            thread.number, asked.actor.login, how, said.get("commit_title", ""), said.get("commit_message", "")
        )
        return Said(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})

    def _reviews(self, asked: Asked, number: str) -> Said:
        if self._thread(number) is None:
            return error(404, "Not Found")
        return self.core.page(asked, [self.review_row(r) for r in self.reviews if r.number == int(number)])

    def _review(self, asked: Asked, number: str) -> Said:
        words = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
        said = asked.body
        if self._thread(number) is None:
            return error(404, "Not Found")
        made = self.review(asked.actor.login, int(number), words[said["event"]], said.get("body", ""))
        return Said(200, self.review_row(made))

    def _of_commit(self, asked: Asked, sha: str) -> Said:
        found = [t for t in self.talk.threads.values() if t.pull and sha in {t.pull.merged, t.pull.head_sha}]
        return self.core.page(asked, [self.row(t, whole=False) for t in found])
