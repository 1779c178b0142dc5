"""Pull requests instead of pushes to a release branch (``talk.picks``): one for each pick and each revert (P1, P8, B6).

A change is proposed on the branch's tip by itself, whatever else is pending; one that applies only after others gets
its pull request when they are merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headway.decide.outbox import PULL, Outbox
from headway.model.commit import Line, Sha
from headway.model.pick import ChangeKind, PendingChange, Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


def by_pull(policy: Policy) -> bool:
    """Whether people put changes on release branches by merging, and Headway pushes none."""
    return policy.forge.kind != "none" and policy.talk.picks == "pull-request"


def pushes(branch: str, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether Headway is about to push changes to a release branch."""
    trials = snapshot.trials.get(branch, ())
    return (
        not by_pull(policy) and policy.forge.kind != "none" and any(t.tree is not None and not t.empty for t in trials)
    )


def key_of(change: PendingChange) -> str:
    """What one pull request is for: a request, or a revert."""
    return str(change.request) if change.kind is ChangeKind.PICK else change.origin


def about_of(train: str, change: PendingChange) -> str:
    return f"{PULL}{train}:{key_of(change)}"


def grouped(changes: Iterable[PendingChange]) -> tuple[tuple[PendingChange, ...], ...]:
    """The changes of each pull request, in their order."""
    found: dict[str, list[PendingChange]] = {}
    for c in changes:
        found.setdefault(key_of(c), []).append(c)
    return tuple(tuple(some) for some in found.values())


@dataclass(frozen=True, slots=True)
class PickPull:
    """A pull request that is wanted, with the trees that its changes leave on the tip, one after another."""

    about: str
    trials: tuple[Trial, ...]

    @property
    def changes(self) -> tuple[PendingChange, ...]:
        return tuple(t.change for t in self.trials)


def wanted(train: Train, line: Line, snapshot: Snapshot) -> tuple[PickPull, ...]:
    """Those that apply on the branch as it is."""
    found: dict[str, list[Trial]] = {}
    for t in snapshot.alone.get(line.branch, ()):
        if t.tree is not None and not t.empty:
            found.setdefault(about_of(train.name, t.change), []).append(t)
    return tuple(PickPull(about, tuple(trials)) for about, trials in found.items())


def waits(
    train: Train, line: Line, trials: tuple[Trial, ...], snapshot: Snapshot, policy: Policy
) -> tuple[Reason, ...]:
    """What applies and is not on the branch: people merge it, or have to let Headway push it."""
    if not by_pull(policy):
        return _guarded(line, snapshot, policy)
    ready = {about_of(train.name, c) for p in wanted(train, line, snapshot) for c in p.changes}
    outbox = Outbox.of(snapshot)
    found = {about_of(train.name, t.change): t.change for t in reversed(trials) if t.tree is not None and not t.empty}
    return tuple(_wait(about, c, about in ready, line, outbox) for about, c in reversed(found.items()))


def _guarded(line: Line, snapshot: Snapshot, policy: Policy) -> tuple[Reason, ...]:
    """A branch that takes pull requests only, before it is pushed to. Who may pass a rule is not told, so it is tried
    all the same."""
    told = snapshot.hub.protections if snapshot.hub is not None else ()
    if not any(p.branch == line.branch and p.pull_only for p in told) or not pushes(line.branch, snapshot, policy):
        return ()
    reason = Reason(
        "P8",
        "picks.pull-only",
        say(
            "{branch} takes pull requests only, by the forge's rules, and changes are pushed to it", branch=line.branch
        ),
        facts(branch=line.branch),
        say(
            'set `talk.picks = "pull-request"` in release.toml, or let Headway\'s App or token past the rule; the next '
            "tick tries to push"
        ),
    )
    return (reason,)


def _wait(about: str, change: PendingChange, ready: bool, line: Line, outbox: Outbox | None) -> Reason:
    clause, code = _CODES[change.kind, change.asked]
    text, remedy, number = _words(about, change, ready, outbox)
    known = facts(
        request=change.request,
        origin=change.origin,
        undoes=change.undoes,
        subject=change.subject,
        branch=line.branch,
        pull=number or None,
    )
    return Reason(clause, code, text, known, remedy)


_CODES: Mapping[tuple[ChangeKind, bool], tuple[str, str]] = {
    (ChangeKind.PICK, False): ("P8", "picks.pull"),
    (ChangeKind.REVERT, False): ("B6", "reverts.pull"),
    (ChangeKind.REVERT, True): ("G3", "drop.pull"),
}


def _words(about: str, change: PendingChange, ready: bool, outbox: Outbox | None) -> tuple[Text, Text, int]:
    subject = change.subject or change.origin[:12]
    number = outbox.number(about) if outbox and outbox.open(about) else 0
    seen = outbox.pull(about) if outbox else None
    if number and seen is not None and not seen.open and seen.merged is None:
        return (
            say("its pull request #{number} was closed without a merge: {subject}", number=number, subject=subject),
            say("reopen #{number} and merge it, or withdraw what it is for", number=number),
            number,
        )
    if number:
        return (
            say("waits for its pull request #{number} to be merged: {subject}", number=number, subject=subject),
            say("review and merge #{number}", number=number),
            number,
        )
    if not ready:
        return (
            say("applies only after others that are to be merged: {subject}", subject=subject),
            say("merge their pull requests; this one is opened then"),
            0,
        )
    return (
        say("gets a pull request: {subject}", subject=subject),
        say("`headway tick` opens it where the forge can be reached"),
        0,
    )


def squashed(line: Line, snapshot: Snapshot) -> Mapping[Sha, tuple[tuple[str, Sha, Sha | None], ...]]:
    """Commits of the branch that a pull request of Headway's became by the forge's own word or by their number, with
    the changes (kind, origin, undoes) that it had: what a squash's message does not always say."""
    outbox = Outbox.of(snapshot)
    if outbox is None:
        return {}
    rows = {
        int(e.payload["number"]): tuple((c["kind"], c["origin"], c["undoes"]) for c in e.payload["changes"])
        for e in outbox.heads.values()
        if e.payload.get("changes") and e.payload.get("base") == line.branch
    }
    merged = {p.merged: p.number for p in outbox.hub.pulls if p.merged and p.number in rows}
    found = {}
    for c in line.commits:
        number = merged.get(c.sha) or c.pr
        if len(c.parents) == 1 and number in rows:
            found[c.sha] = rows[number]
    return found
