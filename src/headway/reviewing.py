"""What people say of a pick request after it was made: approve, reject, withdraw, paid on the trunk (P1, P8)."""

from __future__ import annotations

from headway.app import Headway
from headway.decide import debts, record, resolutions, revertreview
from headway.decide.requests import Asked, requests, resolvers
from headway.errors import not_found
from headway.history.changes import trunk_commit
from headway.history.log import is_ancestor, paths_of
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.pick import PickVerdict
from headway.model.text import Text, say
from headway.refusal import Refused, no

_ENOUGH = 12  # digits of a digest that name it


def asked_for(app: Headway, number: int) -> Asked:
    """The request of a number, whatever its train. Raises ``UnusableInput`` for none."""
    entries = app.sound_entries()
    made = next((e for e in entries if e.seq == number and e.kind is Kind.REQUESTED), None)
    if made is None:
        raise not_found("request", str(number), say("see `headway pick list`"))
    return next(a for a in requests(entries, made.train) if a.id == number)


def is_over(asked: Asked) -> Refused | None:
    """Why nothing can come of it any more; ``None`` while something can."""
    if asked.closed is not None:
        return no(
            "P1",
            "pick.closed",
            say(
                "request {id} was withdrawn, rejected or taken out by {person}", id=asked.id, person=asked.closed.actor
            ),
            say("request it again"),
            request=asked.id,
            entry=asked.closed.seq,
            reason=asked.closed.payload["reason"],
        )
    if asked.done:
        out = say("take it out again: `headway pick drop COMMIT --reason …`")
        return _on_branch(asked, tuple((asked.placed or {}).values()), out)
    return None


def _on_branch(asked: Asked, commits: tuple[Sha, ...], remedy: Text) -> Refused:
    text = say("request {id} is on {branch} already", id=asked.id, branch=asked.payload["branch"])
    return no("P1", "pick.applied", text, remedy, request=asked.id, commits=commits)


def other_evidence(gate: str, seen: str, now: str) -> Refused | None:
    """Why nothing is approved: the person saw other evidence than there is now (G1). Who names none has seen what is
    there; the beginning of a digest names it, from twelve digits on."""
    if not seen or seen == now or (len(seen) >= _ENOUGH and now.startswith(seen)):
        return None
    return no(
        "G1",
        "approve.changed",
        say("what was seen of {gate} has changed since", gate=gate),
        say("look at it as it is now, then approve that"),
        gate=gate,
        seen=seen,
        now=now,
    )


def approve_pick(app: Headway, train: str, gate: str, seen: str = "") -> Entry | Refused:
    """Let a request in, as it is now: the approval lapses when its commit, evidence or resolution changes. ``seen`` is
    the digest of it that the person has seen."""
    number = gate.removeprefix("pick:")
    asked = next((a for a in requests(app.sound_entries(), train) if str(a.id) == number), None)
    if asked is None:
        raise not_found("request", gate, say("see `headway pick list`"))
    refused = _not_open(asked) or _may_not(app, asked) or other_evidence(gate, seen, asked.evidence)
    if refused is not None:
        return refused
    mine = next((e for e in asked.counted if e.actor == app.person), None)
    if mine is not None:
        return mine
    payload = {"gate": gate, "commit": asked.payload["commit"], "evidence": asked.evidence}
    return app.record(Kind.APPROVED, train, payload)


def approve_revert(app: Headway, gate: str, seen: str = "") -> Entry | Refused:
    """Let a revert in as somebody resolved it: the approval lapses when it is resolved otherwise. ``seen`` is the
    digest of the resolution that the person has seen."""
    entries = app.sound_entries()
    conflict = resolutions.revert_conflict(gate.removeprefix(revertreview.GATE), entries)
    made = revertreview.resolved_on(conflict, entries) if conflict else None
    if made is None:
        raise not_found("resolution", gate, say("see `headway plan`; first `headway pick resolve COMMIT`"))
    refused = (
        may_not_review(app)
        or (_own(app, gate) if record.person(app.person) == record.person(made.actor) else None)
        or other_evidence(gate, seen, made.digest)
    )
    if refused is not None:
        return refused
    p = made.payload
    payload = {"gate": f"{revertreview.GATE}{p['undoes'][:12]}", "commit": p["origin"], "evidence": made.digest}
    mine = record.last(entries, Kind.APPROVED, made.train, **payload)
    if mine is not None and mine.actor == app.person:
        return mine
    return app.record(Kind.APPROVED, made.train, payload)


def _own(app: Headway, gate: str) -> Refused:
    return no(
        "P1",
        "approve.own-resolution",
        say("{person} resolved the conflict of {gate}", person=app.person, gate=gate),
        say("another person looks at it"),
        person=app.person,
        gate=gate,
    )


def _not_open(asked: Asked) -> Refused | None:
    if asked.verdict is PickVerdict.REFUSED:
        return no(
            "P1",
            "approve.refused-pick",
            say("request {id} was refused by the gate", id=asked.id),
            say("mend what the gate names: `headway pick amend {id}`", id=asked.id),
            request=asked.id,
        )
    return is_over(asked)


def _may_not(app: Headway, asked: Asked) -> Refused | None:
    refused = may_not_review(app)
    if refused is not None:
        return refused
    if record.person(app.person) in map(record.person, resolvers(asked)):
        return no(
            "P1",
            "approve.own-resolution",
            say("{person} resolved the conflict of request {id}", person=app.person, id=asked.id),
            say("another person looks at it: `headway pick show {id}`", id=asked.id),
            person=app.person,
            request=asked.id,
        )
    return None


def may_not_amend(app: Headway, asked: Asked) -> Refused | None:
    """A request is its own person's and the reviewers': approvals lapse by an amendment."""
    people = app.policy.review.people
    if not people or record.among(app.person, (asked.entry.actor, *people)):
        return None
    return no(
        "P1",
        "pick.not-yours",
        say("{person} made request {id}", person=asked.entry.actor, id=asked.id),
        say("make a request of your own, or ask {people}", people=[asked.entry.actor, *people]),
        person=app.person,
        by=asked.entry.actor,
    )


def may_not_review(app: Headway) -> Refused | None:
    """Why somebody may not say no to what others asked for."""
    people = app.policy.review.people
    if not people or record.among(app.person, people):
        return None
    return no(
        "P1",
        "approve.not-allowed",
        say("{person} may not review picks", person=app.person),
        say("ask one of {people}", people=people),
        person=app.person,
        people=people,
    )


def withdraw(app: Headway, number: int, reason: str) -> Entry | Refused:
    """Take one's own request back."""
    asked = asked_for(app, number)
    refused = is_over(asked) or _no_reason(reason)
    if refused is not None:
        return refused
    if not record.among(app.person, (asked.entry.actor,)):
        return no(
            "P1",
            "pick.not-yours",
            say("{person} made request {id}", person=asked.entry.actor, id=number),
            say("a reviewer says no with `headway pick reject {id} --reason …`", id=number),
            person=app.person,
            by=asked.entry.actor,
        )
    refused = _there_unrecorded(app, asked)
    if refused is not None:
        return refused
    return app.record(Kind.WITHDRAWN, asked.entry.train, {"request": number, "reason": reason})


def reject(app: Headway, number: int, reason: str) -> Entry | Refused:
    """A reviewer's no, to anybody's request."""
    asked = asked_for(app, number)
    refused = is_over(asked) or _no_reason(reason) or may_not_review(app) or _there_unrecorded(app, asked)
    return refused or app.record(Kind.REJECTED, asked.entry.train, {"request": number, "reason": reason})


def _there_unrecorded(app: Headway, asked: Asked) -> Refused | None:
    """A tick that was killed has put it on the branch: nobody takes back what is there without taking it out."""
    snapshot = app.observe()
    line = snapshot.line(asked.payload["branch"])
    ours = [c for c in line.commits if c.sha in snapshot.copies and not snapshot.copies[c.sha].by] if line else []
    found = next((c for c in ours for n in c.trailers for origin in asked.commits if origin.startswith(n)), None)
    if found is None:
        return None
    later = say("`headway tick` writes it down; take it out again: `headway pick drop COMMIT --reason …`")
    return _on_branch(asked, (found.sha,), later)


def _no_reason(reason: str) -> Refused | None:
    if reason.strip():
        return None
    return no("P1", "pick.no-reason", say("a no states its reason"), say("give a --reason"))


def refused_requests(app: Headway, waiver: Entry) -> tuple[Asked, ...]:
    """Requests of what a waiver names that the gate refused by its clause: it has not seen them with the waiver yet."""
    p = waiver.payload
    return tuple(
        a
        for a in requests(app.sound_entries(), waiver.train)
        if a.closed is None
        and a.verdict is PickVerdict.REFUSED
        and a.says.seq < waiver.seq
        and (p.get("commit") is None or p["commit"] in a.commits)
        and any(v["clause"] == p["what"] for v in a.payload["violations"])
    )


def paid(app: Headway, number: int, commit: str) -> Entry | Refused:
    """Say that the trunk has a change that was released first, as a commit that looks different (P8): a reviewer's
    word, for a commit that came since and touches what the change does."""
    refused = may_not_review(app)
    if refused is not None:
        return refused
    owed = [d for d in debts.open_debts(app.sound_entries()) if d.request == number]
    if not owed:
        return no(
            "P8",
            "debt.none",
            say("the trunk owes nothing of request {id}", id=number),
            say("see `headway status`"),
            request=number,
        )
    found = trunk_commit(app.repo, commit, app.trunk)
    if found is None:
        return no(
            "P8",
            "debt.not-on-trunk",
            say("{commit} is not on the trunk", commit=commit),
            say("merge it there first, then name the trunk's commit"),
            commit=commit,
            origin=owed[0].origin,
        )
    debt = owed[0]
    older = is_ancestor(app.repo, found.sha, debt.commit)
    if older or set(paths_of(app.repo, found.sha)).isdisjoint(paths_of(app.repo, debt.commit)):
        return no(
            "P8",
            "debt.another-change",
            say("{commit} cannot be that change: the release had it already", commit=found.sha[:12])
            if older
            else say("{commit} cannot be that change: it touches none of its files", commit=found.sha[:12]),
            say("name the trunk's commit that brings it"),
            commit=found.sha,
            released_as=debt.commit,
        )
    return app.record(Kind.PAID, debt.train, {"request": number, "origin": debt.origin, "trunk": found.sha})
