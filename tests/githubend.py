"""What a train on the tests' GitHub has come to, told so that two of them can be held against each other.

Times, the forge's numbers of comments and release objects, and the ledger's numbers of entries are replaced by what
they stand for: after a fault the same things may come to be in another order. Nothing else is left out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from githubtrain import Town

from headway.model.entry import Entry, Kind

_TIMES = {"at", "when", "seconds", "began", "ended", "elapsed_s", "digest", "upto", "log"}
_NOTE = re.compile(r"(issuecomment-|answer:)(\d+)")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


class End:
    """``town``'s refs, threads with their comments, release objects, checks and ledger, as plain values."""

    def __init__(self, town: Town) -> None:
        self.town = town
        entries = town.entries()
        self._names = {str(e.seq): f"R<{e.payload['ref']}>" for e in entries if e.kind is Kind.REQUESTED}
        self._digests = {e.digest: self._name(e) for e in entries}
        self._notes = {str(n.id): f"{n.author} on {n.number}: {n.body[:40]}" for n in town.fake.talk.notes.values()}

    def value(self) -> dict[str, Any]:
        fake = self.town.fake
        fake.sync()
        threads = {}
        for t in fake.talk.threads.values():
            said = [(n.author, self._text(n.body)) for n in fake.talk.notes.values() if n.number == t.number]
            threads[t.number] = (t.title, self._text(t.body), t.state, sorted(said))
        releases = [
            (r.tag, r.draft, r.name, self._text(r.body), r.latest, sorted((a.name, a.state, a.data) for a in r.assets))
            for r in fake.releases.rows.values()
        ]
        return {
            "refs": self.town.there.refs(),
            "here": {k: v for k, v in self._here().items() if k.startswith(("refs/heads/", "refs/tags/"))},
            "threads": threads,
            "releases": sorted(releases),
            "checks": sorted(json.dumps(c, sort_keys=True) for c in fake.checks),
            "ledger": self._ledger(),
        }

    def _here(self) -> dict[str, str]:
        rows = self.town.there.made.run("for-each-ref", "--format=%(refname) %(objectname)", cwd=self.town.clone)
        return dict(row.split() for row in rows.splitlines())

    def _ledger(self) -> Counter[str]:
        """Each entry; of what was written again and again, the last."""
        kept: dict[object, str] = {}
        for e in self.town.entries():
            about = e.payload.get("about") if e.kind is Kind.WRITTEN else e.seq
            kept[about] = f"{e.kind} {e.train} {e.actor} {json.dumps(self._plain(dict(e.payload)), sort_keys=True)}"
        return Counter(kept.values())

    def _name(self, e: Entry) -> str:
        return f"E<{e.kind} {e.train} {e.payload.get('ref', e.payload.get('about', ''))}>"

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._text(k): self._of(k, v) for k, v in value.items() if k not in _TIMES}
        if isinstance(value, list | tuple):
            return [self._plain(v) for v in value]
        return self._text(value) if isinstance(value, str) else value

    def _of(self, key: str, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) and key == "evidence":
            return "EVIDENCE"  # a digest of entries with their times
        if key == "policy":
            return "POLICY"  # all of it in whichever entry is the ledger's first
        if key == "request" and str(value) in self._names:
            return self._names[str(value)]
        if key in {"id", "comment"} and str(value) in self._notes:
            return self._notes[str(value)]
        return self._plain(value)

    def _text(self, text: str) -> str:
        text = _NOTE.sub(lambda m: m[1] + self._notes.get(m[2], m[2]), text)
        text = self._digests.get(text, text)
        text = re.sub(r"(?i)\b(request |pick:|requests? )(\d+)", lambda m: m[1] + self._names.get(m[2], m[2]), text)
        return _STAMP.sub("TIME", text)
