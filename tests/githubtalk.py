"""Issues, comments, labels and milestones of the tests' GitHub; a pull request is an issue with a ``pull`` side."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from githubcore import HTML, NAME, OWNER, REPO, Asked, Core, Route, Said, error, invalid

_API = f"https://api.github.com/repos/{OWNER}/{NAME}"
_ISSUE = f"{REPO}/issues/{{issue_number}}"


@dataclass
class PullSide:
    """``owner`` of the repository that ``head`` lies in; ``began`` the base's commit when it was opened."""

    base: str
    head: str
    owner: str
    head_sha: str
    base_sha: str
    draft: bool = False
    merged: str | None = None
    merged_at: datetime | None = None
    merged_by: str = ""


@dataclass
class Thread:
    """An issue or a pull request."""

    number: int
    id: int
    title: str
    body: str
    author: str
    created: datetime
    updated: datetime
    state: str = "open"
    closed: datetime | None = None
    labels: list[str] = field(default_factory=list)
    milestone: int | None = None
    pull: PullSide | None = None
    locked: bool = False


@dataclass
class Note:
    """A comment. ``app``: a program wrote it."""

    id: int
    number: int
    body: str
    author: str
    created: datetime
    updated: datetime
    app: bool = False


@dataclass
class Milestone:
    number: int
    title: str
    created: datetime
    state: str = "open"


class Talk:
    def __init__(self, core: Core) -> None:
        self.core = core
        self.first = 1  # number of the first issue or pull request
        self.threads: dict[int, Thread] = {}
        self.notes: dict[int, Note] = {}
        self.labels: list[str] = []
        self.milestones: dict[int, Milestone] = {}

    # What people do --------------------------------------------------------------------------------------------

    def open_issue(self, author: str, title: str, body: str = "", pull: PullSide | None = None) -> Thread:
        with self.core._lock:
            now = self.core.tick()
            number = len(self.threads) + self.first
            made = Thread(number, self.core.next_id(), title, body, author, now, now, pull=pull)
            self.threads[number] = made
            self.core.emit("pull_request" if pull else "issues", "opened", thread=made, sender=author)
            return made

    def comment(self, author: str, number: int, body: str, app: bool = False) -> Note:
        with self.core._lock:
            now = self.core.tick()
            made = Note(self.core.next_id(), number, body, author, now, now, app)
            self.notes[made.id] = made
            self.threads[number].updated = now
            self.core.emit("issue_comment", "created", thread=self.threads[number], note=made, sender=author)
            return made

    def edit(self, note: int, body: str, sender: str = "") -> Note:
        with self.core._lock:
            found = self.notes[note]
            found.body, found.updated = body, self.core.tick()
            thread = self.threads[found.number]
            self.core.emit("issue_comment", "edited", thread=thread, note=found, sender=sender or found.author)
            return found

    def change(self, number: int, sender: str, **fields: Any) -> Thread:
        """Title, body, state, labels, milestone of an issue or pull request."""
        with self.core._lock:
            thread = self.threads[number]
            before = thread.state
            for name, value in fields.items():
                setattr(thread, name, value)
            self.label(*thread.labels)
            thread.updated = self.core.tick()
            thread.closed = (thread.closed or thread.updated) if thread.state == "closed" else None
            words = {"open": "reopened", "closed": "closed"}
            action = words[thread.state] if thread.state != before else "edited"
            for name, word in (("labels", "labeled"), ("milestone", "milestoned")):
                action = word if action == "edited" and name in fields else action
            self.core.emit("pull_request" if thread.pull else "issues", action, thread=thread, sender=sender)
            return thread

    def label(self, *names: str) -> None:
        self.labels += [n for n in dict.fromkeys(names) if n not in self.labels]

    def milestone(self, title: str) -> Milestone:
        found = next((m for m in self.milestones.values() if m.title == title), None)
        if found is None:
            number = len(self.milestones) + 1
            found = self.milestones[number] = Milestone(number, title, self.core.tick())
        return found

    # As GitHub shows it ----------------------------------------------------------------------------------------

    def issue_row(self, thread: Thread) -> dict[str, Any]:
        core, url = self.core, f"{_API}/issues/{thread.number}"
        side = "pull" if thread.pull else "issues"
        row = {
            **core.spec.example("issue"),
            "id": thread.id,
            "number": thread.number,
            "url": url,
            "html_url": f"{HTML}/{side}/{thread.number}",
            "comments_url": f"{url}/comments",
            "title": thread.title,
            "body": thread.body,
            "state": thread.state,
            "state_reason": "completed" if thread.state == "closed" else None,
            "user": core.row_of(thread.author),
            "author_association": core.association(thread.author),
            "labels": [self.label_row(n) for n in thread.labels],
            "milestone": self.milestone_row(thread.milestone),
            "assignee": None,
            "assignees": [],
            "comments": sum(n.number == thread.number for n in self.notes.values()),
            "created_at": core.stamp(thread.created),
            "updated_at": core.stamp(thread.updated),
            "closed_at": core.stamp(thread.closed) if thread.closed else None,
            "closed_by": None,
        }
        row.pop("pull_request", None)
        if thread.pull:
            pulls, merged = f"{_API}/pulls/{thread.number}", thread.pull.merged_at
            page = row["html_url"]
            links = {"url": pulls, "html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
            row["pull_request"] = {**links, "merged_at": core.stamp(merged) if merged else None}
        return row

    def label_row(self, name: str) -> dict[str, Any]:
        row = {**self.core.spec.example("label-items")[0], "name": name, "default": False, "description": ""}
        return {**row, "id": 500 + self.labels.index(name), "url": f"{_API}/labels/{name}"}

    def milestone_row(self, number: int | None) -> dict[str, Any] | None:
        if number is None:
            return None
        found = self.milestones[number]
        within = [t.state for t in self.threads.values() if t.milestone == number]
        return {
            **self.core.spec.example("milestone"),
            "id": 700 + number,
            "number": number,
            "title": found.title,
            "state": found.state,
            "open_issues": within.count("open"),
            "closed_issues": within.count("closed"),
            "created_at": self.core.stamp(found.created),
            "updated_at": self.core.stamp(found.created),
            "closed_at": None,
            "due_on": None,
            "url": f"{_API}/milestones/{number}",
            "html_url": f"{HTML}/milestone/{number}",
        }

    def note_row(self, note: Note) -> dict[str, Any]:
        core, side = self.core, "pull" if self.threads[note.number].pull else "issues"
        row = {
            **core.spec.example("issue-comment"),
            "id": note.id,
            "url": f"{_API}/issues/comments/{note.id}",
            "html_url": f"{HTML}/{side}/{note.number}#issuecomment-{note.id}",
            "issue_url": f"{_API}/issues/{note.number}",
            "body": note.body,
            "user": core.row_of(note.author),
            "author_association": core.association(note.author),
            "created_at": core.stamp(note.created),
            "updated_at": core.stamp(note.updated),
        }
        return {**row, "performed_via_github_app": core.spec.example("integration")} if note.app else row

    # Answers ---------------------------------------------------------------------------------------------------

    def routes(self) -> tuple[Route, ...]:
        issue_or_pull = "issues={}; pull_requests={}"
        read, write = issue_or_pull.format("read", "read"), issue_or_pull.format("write", "write")
        return (
            Route("GET", f"{REPO}/issues", "issues=read", self._issues),
            Route("POST", f"{REPO}/issues", "issues=write", self._open),
            Route("GET", f"{REPO}/issues/comments", read, self._all_notes),
            Route("GET", f"{REPO}/issues/comments/{{comment_id}}", read, self._note),
            Route("PATCH", f"{REPO}/issues/comments/{{comment_id}}", write, self._edit_note),
            Route("DELETE", f"{REPO}/issues/comments/{{comment_id}}", write, self._delete_note),
            Route("GET", _ISSUE, read, self._issue),
            Route("PATCH", _ISSUE, write, self._change),
            Route("GET", f"{_ISSUE}/comments", read, self._notes),
            Route("POST", f"{_ISSUE}/comments", write, self._comment),
            Route("GET", f"{_ISSUE}/labels", read, self._labels_of),
            Route("POST", f"{_ISSUE}/labels", write, self._add_labels),
            Route("GET", f"{REPO}/labels", read, lambda a: self.core.page(a, [self.label_row(n) for n in self.labels])),
            Route("GET", f"{REPO}/milestones", read, self._milestones),
            Route("POST", f"{REPO}/milestones", write, self._new_milestone),
        )

    def _issues(self, asked: Asked) -> Said:
        q = asked.query
        wanted = q.get("state", "open")
        found = [t for t in self.threads.values() if wanted in {t.state, "all"}]
        if q.get("labels"):
            found = [t for t in found if set(q["labels"].split(",")) <= set(t.labels)]
        if milestone := q.get("milestone"):
            known = {"none": lambda m: m is None, "*": lambda m: m is not None}
            if milestone not in known and int(milestone) not in self.milestones:
                return invalid("Issue", "invalid", "milestone")
            fits = known.get(milestone, lambda m: m == int(milestone))
            found = [t for t in found if fits(t.milestone)]
        if q.get("creator"):
            found = [t for t in found if t.author == q["creator"]]
        if q.get("since"):
            found = [t for t in found if t.updated + self.core.skew >= datetime.fromisoformat(q["since"])]
        key = {"updated": lambda t: t.updated, "comments": lambda t: t.number}.get(
            q.get("sort", "created"), lambda t: t.created
        )
        found.sort(key=lambda t: (key(t), t.number), reverse=q.get("direction", "desc") == "desc")
        return self.core.page(asked, [self.issue_row(t) for t in found])

    def _thread(self, number: str) -> Thread | None:
        return self.threads.get(int(number))

    def _issue(self, _: Asked, number: str) -> Said:
        thread = self._thread(number)
        return Said(200, self.issue_row(thread)) if thread else error(404, "Not Found")

    def _open(self, asked: Asked) -> Said:
        if not asked.body.get("title"):
            return invalid("Issue", "missing_field", "title")
        made = self.open_issue(asked.actor.login, asked.body["title"], asked.body.get("body") or "")
        if self.core.pushes(asked.who) and asked.body.get("labels"):  # dropped in silence otherwise, as GitHub does
            self.change(made.number, asked.actor.login, labels=list(asked.body["labels"]))
        return Said(201, self.issue_row(made), {"Location": f"{_API}/issues/{made.number}"})

    def _change(self, asked: Asked, number: str) -> Said:
        thread = self._thread(number)
        if thread is None:
            return error(404, "Not Found")
        if not (self.core.pushes(asked.who) or thread.author == asked.actor.login):
            return error(403, "Must have push access to update an issue.")
        said = {k: v for k, v in asked.body.items() if k in {"title", "body", "state", "labels", "milestone"}}
        if isinstance(said.get("milestone"), int) and said["milestone"] not in self.milestones:
            return invalid("Issue", "invalid", "milestone")
        self.change(thread.number, asked.actor.login, **said)
        return Said(200, self.issue_row(thread))

    def _all_notes(self, asked: Asked) -> Said:
        found = list(self.notes.values())
        if asked.query.get("since"):
            since = datetime.fromisoformat(asked.query["since"])
            found = [n for n in found if n.updated + self.core.skew >= since]
        if sort := asked.query.get("sort"):
            found.sort(
                key=lambda n: n.updated if sort == "updated" else n.created,
                reverse=asked.query.get("direction", "desc") == "desc",
            )
        return self.core.page(asked, [self.note_row(n) for n in found])

    def _notes(self, asked: Asked, number: str) -> Said:
        if self._thread(number) is None:
            return error(404, "Not Found")
        found = [n for n in self.notes.values() if n.number == int(number)]
        if asked.query.get("since"):
            since = datetime.fromisoformat(asked.query["since"])
            found = [n for n in found if n.updated + self.core.skew >= since]
        return self.core.page(asked, [self.note_row(n) for n in found])

    def _note(self, _: Asked, note: str) -> Said:
        found = self.notes.get(int(note))
        return Said(200, self.note_row(found)) if found else error(404, "Not Found")

    def _comment(self, asked: Asked, number: str) -> Said:
        thread = self._thread(number)
        if thread is None:
            return error(404, "Not Found")
        if thread.locked:
            return error(403, "Unable to create comment because issue is locked.")
        if not asked.body.get("body"):
            return invalid("IssueComment", "missing_field", "body")
        if len(asked.body["body"]) > 65536:
            return invalid("IssueComment", "unprocessable", "data", "body is too long (maximum is 65536 characters)")
        made = self.comment(asked.actor.login, int(number), asked.body["body"], asked.who.app)
        return Said(201, self.note_row(made), {"Location": f"{_API}/issues/comments/{made.id}"})

    def _edit_note(self, asked: Asked, note: str) -> Said:
        found = self.notes.get(int(note))
        if found is None:
            return error(404, "Not Found")
        if found.author != asked.actor.login and not self.core.pushes(asked.who):
            return error(403, "Must have write access to edit a comment of another.")
        return Said(200, self.note_row(self.edit(found.id, asked.body["body"], asked.actor.login)))

    def _delete_note(self, asked: Asked, note: str) -> Said:
        found = self.notes.get(int(note))
        if found is None:
            return error(404, "Not Found")
        if found.author != asked.actor.login and not self.core.pushes(asked.who):
            return error(403, "Must have write access to delete a comment of another.")
        del self.notes[found.id]
        return Said(204)

    def _labels_of(self, asked: Asked, number: str) -> Said:
        thread = self._thread(number)
        rows = [self.label_row(n) for n in thread.labels] if thread else []
        return self.core.page(asked, rows) if thread else error(404, "Not Found")

    def _add_labels(self, asked: Asked, number: str) -> Said:
        thread = self._thread(number)
        if thread is None or not self.core.pushes(asked.who):
            return error(404 if thread is None else 403, "Not Found")
        said = asked.body
        more = said if isinstance(said, list) else said.get("labels", [])
        names = [m if isinstance(m, str) else m["name"] for m in more]
        self.change(thread.number, asked.actor.login, labels=list(dict.fromkeys([*thread.labels, *names])))
        return Said(200, [self.label_row(n) for n in thread.labels])

    def _milestones(self, asked: Asked) -> Said:
        wanted = asked.query.get("state", "open")
        found = [m for m in self.milestones.values() if wanted in {m.state, "all"}]
        return self.core.page(asked, [self.milestone_row(m.number) or {} for m in found])

    def _new_milestone(self, asked: Asked) -> Said:
        if not self.core.pushes(asked.who):
            return error(403, "Must have push access.")
        if any(m.title == asked.body["title"] for m in self.milestones.values()):
            return invalid("Milestone", "already_exists", "title")
        made = self.milestone(asked.body["title"])
        return Said(201, self.milestone_row(made.number), {"Location": f"{_API}/milestones/{made.number}"})
