"""Fix releases that nobody asked for yet and that what happened since the last release speaks for (V4, C2)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from headway.decide import record, reverts, yanks
from headway.decide.requests import requests
from headway.decide.reverts import RevertVerdict
from headway.decide.trains import branch_for, live_trains, proposed_train, same_line, today
from headway.model.commit import Line
from headway.model.entry import Entry
from headway.model.pick import Category, PickVerdict
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fix release of the newest release, with what speaks for it. Nothing is done until somebody requests a fix."""

    train: Train
    reasons: tuple[Reason, ...]
    late: bool

    def as_json(self) -> dict[str, object]:
        return {
            "version": self.train.name,
            "branch": self.train.branch,
            "of": str(self.train.previous),
            "from": self.train.window[0].isoformat(),
            "to": self.train.window[1].isoformat(),
            "late": self.late,
            "reasons": [r.as_json() for r in self.reasons],
        }


def proposals(snapshot: Snapshot, policy: Policy) -> tuple[Proposal, ...]:
    """At most one, for the newest release; none while such a train runs, which then says these things itself."""
    train = proposed_train(snapshot, policy)
    if train is None:
        return ()
    told = _Told(snapshot, train, policy)
    line = snapshot.line(train.branch) or _shipped_from(train, snapshot, policy)
    found = (*(told.reverted(line) if line else ()), *told.critical(), *told.yanked())
    if not found:
        return ()
    return (Proposal(train, tuple(found), today(policy, snapshot.now) > train.window[1]),)


def _shipped_from(train: Train, snapshot: Snapshot, policy: Policy) -> Line | None:
    """The branch of the release that it would fix, where a fix has one of its own that is not cut yet."""
    if train.previous is None:
        return None
    return snapshot.line(branch_for(train.previous, snapshot.entries, policy))


@dataclass(frozen=True, slots=True)
class _Told:
    """``train`` is the fix release that would be."""

    snapshot: Snapshot
    train: Train
    policy: Policy

    def _given_up(self) -> Entry | None:
        """When somebody said no to a fix release of this one: what was known then is not told again."""
        version = self.train.version
        told = (
            e for e in self.snapshot.entries if e.kind in record.GIVING_UP and same_line(e.train, version, self.policy)
        )
        return max(told, key=lambda e: e.seq, default=None)

    def reverted(self, line: Line) -> Iterator[Reason]:
        """Shipped, and taken back on the trunk since (B6)."""
        no = self._given_up()
        for f in reverts.findings(line, self.snapshot):
            revert = f.revert.commit
            shipped = bool(f.open) and all(reverts.shipped(self.train, line, sha) for sha in f.open)
            if f.verdict is not RevertVerdict.NEEDED or not shipped or (no and revert.committed <= no.at):
                continue
            yield Reason(
                "V4",
                "post.shipped-then-reverted",
                say(
                    "{previous} shipped what the trunk took back in {sha}: {subject}",
                    previous=self.train.previous,
                    sha=revert.sha[:12],
                    subject=revert.title,
                ),
                facts(revert=revert.sha, on_branch=f.open, previous=self.train.previous, committed=revert.committed),
                self._request(revert.sha[:12], "regression"),
            )

    def critical(self) -> Iterator[Reason]:
        """Asked for as critical on the next regular train: what users have may need it sooner."""
        no = self._given_up()
        for train in (t for t in live_trains(self.snapshot, self.policy) if not t.post):
            for a in requests(self.snapshot.entries, train.name):
                said_no = a.verdict is PickVerdict.REFUSED or a.closed is not None
                if a.payload.get("category") != Category.CRITICAL or said_no or (no and a.id < no.seq):
                    continue
                yield Reason(
                    "V4",
                    "post.critical",
                    say(
                        "a critical fix is requested for {version}, and {previous} is what users have: {subject}",
                        version=train.name,
                        previous=self.train.previous,
                        subject=a.subject,
                    ),
                    facts(request=a.id, version=train.name, previous=self.train.previous),
                    self._request(str(a.payload.get("ref") or "REF") if not a.embargo else "REF", "critical"),
                )

    def yanked(self) -> Iterator[Reason]:
        """Withdrawn, so that users have none of it."""
        no, last = self._given_up(), yanks.yanked(self.snapshot.entries).get(str(self.train.previous))
        if last is None or (no and last.seq < no.seq):
            return
        yield Reason(
            "V4",
            "post.yanked",
            say(
                "{previous} was yanked: {reason}", previous=self.train.previous, reason=str(last.payload.get("reason"))
            ),
            facts(previous=self.train.previous, entry=last.seq, files=last.payload.get("files", [])),
            self._request("REF", "critical"),
        )

    def _request(self, ref: str, category: str) -> Text:
        train = self.train
        known = {
            "ref": shlex.quote(ref),  # a shell takes what begins with # for a comment
            "version": train.name,
            "category": category,
        }
        if train.cut_from is not None:
            return say(
                "cut its branch: `headway cut {version}`, then request the fix: `headway pick request {ref} --onto "
                "{version} --category {category} --reason …`; or leave it: `headway skip {version} --reason …`",
                **known,
            )
        if self.snapshot.line(train.branch) is None:
            return say(
                "make its branch: `git branch --no-track {branch} {commit}`, then request the fix: `headway pick "
                "request {ref} --onto {version} --category {category} --reason …`; or leave it: `headway skip "
                "{version} --reason …`",
                branch=train.branch,
                commit=self.snapshot.elsewhere.get(train.branch) or train.previous_commit,
                **known,
            )
        return say(
            "request the fix: `headway pick request {ref} --onto {version} --category {category} --reason …`; or "
            "leave it: `headway skip {version} --reason …`",
            **known,
        )
