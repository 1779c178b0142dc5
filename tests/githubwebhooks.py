"""Webhooks of the tests' GitHub: its published examples changed by what is so, signed, each with its delivery's id."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import random
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from githubcore import HTML, NAME, OWNER
from webhookexamples import examples

if TYPE_CHECKING:
    from githubfake import FakeGitHub

SECRET = "webhook-secret-of-the-test"


@dataclass(frozen=True)
class Delivery:
    """``id`` stays the same when it is sent again."""

    id: str
    event: str
    payload: dict[str, Any]

    def headers(self, body: bytes, secret: str) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Event": self.event,
            "X-GitHub-Delivery": self.id,
            "X-GitHub-Hook-ID": "292430182",
            "X-Hub-Signature-256": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}",
        }


@cache
def _shapes() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for event, payload in examples():
        found.setdefault(event, []).append(payload)
    return found


@dataclass
class Webhooks:
    """``waiting`` are those not sent yet; ``send`` sends them to ``url``. ``lose`` says which never arrive; the others
    may come ``times`` each, ``shuffled`` by a seed; ``held`` ones wait for a later ``send``. ``answers`` are the
    statuses that came back (0: nobody was there), for each delivery sent."""

    fake: FakeGitHub
    url: str = ""
    secret: str = SECRET
    lose: Callable[[Delivery], bool] = lambda _: False
    held: Callable[[Delivery], bool] = lambda _: False
    times: int = 1
    shuffled: int | None = None
    waiting: list[Delivery] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fake.listeners.append(self._hear)

    def _hear(self, event: str, action: str, what: dict[str, Any]) -> None:
        payload = self.payload(event, action, what)
        if payload is not None:
            seed = random.Random(f"{event} {action} {len(self.waiting) + len(self.sent)}")  # noqa: S311 - a name
            self.waiting.append(Delivery(str(uuid.UUID(int=seed.getrandbits(128), version=4)), event, payload))

    def send(self) -> int:
        """Send what waits; how many were sent."""
        self.fake.sync()
        todo = [d for d in self.waiting if not self.held(d)]
        self.waiting = [d for d in self.waiting if self.held(d)]
        going = [d for d in todo if not self.lose(d) for _ in range(self.times)]
        if self.shuffled is not None:
            random.Random(self.shuffled).shuffle(going)  # noqa: S311 - repeatable
        for delivery in going:
            self.answers.append(self.post(delivery))
            self.sent.append(delivery)
        return len(going)

    def post(self, delivery: Delivery) -> int:
        body = json.dumps(delivery.payload).encode()
        headers = delivery.headers(body, self.secret)
        asked = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - loopback
                return int(answer.status)
        except urllib.error.HTTPError as e:
            return e.code
        except OSError:
            return 0

    # Payloads --------------------------------------------------------------------------------------------------

    def payload(self, event: str, action: str, what: dict[str, Any]) -> dict[str, Any] | None:
        """The example of the event whose action fits, with what is so in place of what it tells."""
        shapes = _shapes()[event]
        fit = [s for s in shapes if s.get("action") == action] or shapes
        found = copy.deepcopy(max(fit, key=lambda s: len(json.dumps(s))))  # the fullest is the newest
        found |= {"action": action} if "action" in found else {}
        found.pop("organization", None)
        found.pop("installation", None)
        found["repository"] |= {"name": NAME, "full_name": f"{OWNER}/{NAME}", "html_url": HTML, "private": False}
        found["repository"]["owner"]["login"] = OWNER
        found["sender"] |= self._like(found["sender"], self.fake.row_of(what.get("sender") or self.fake.bot.login))
        rows = {name: row for name, row in self._rows(event, what).items() if name in found}
        for name, row in rows.items():
            found[name] = self._like(found[name], row) if isinstance(row, dict) else row
        return found

    def _rows(self, event: str, what: dict[str, Any]) -> dict[str, Any]:
        fake, thread = self.fake, what.get("thread")
        rows: dict[str, Any] = {}
        if thread is not None:
            rows |= {"issue": fake.talk.issue_row(thread), "number": thread.number}
            rows |= {"pull_request": fake.pulls.row(thread)} if thread.pull else {}
        if "note" in what:
            rows["comment"] = fake.talk.note_row(what["note"])
        if "review" in what:
            row = fake.pulls.review_row(what["review"])
            rows["review"] = {**row, "state": row["state"].lower()}
        if "check" in what:
            rows["check_run"] = what["check"]
        if "release" in what:
            rows["release"] = what["release"]
        if "run" in what:
            rows["workflow_run"] = fake._row(what["run"])
        if event == "status":
            rows |= {k: what["status"][k] for k in ("state", "context", "description", "target_url")}
            rows["sha"] = what["sha"]
        if event in {"push", "create", "delete"}:
            rows |= {k: what[k] for k in ("ref", "before", "after", "created", "deleted", "ref_type") if k in what}
            rows |= {"commits": [], "head_commit": None} if event == "push" else {}
        return rows

    def _like(self, shape: Any, row: dict[str, Any]) -> dict[str, Any]:
        """The row's values in the example's shape: webhooks know other fields than the API."""
        if not isinstance(shape, dict):
            return row

        def value(name: str, was: Any) -> Any:
            now = row.get(name, was)
            return self._like(was, now) if isinstance(was, dict) and isinstance(now, dict) else now

        return {k: value(k, v) for k, v in shape.items()}
