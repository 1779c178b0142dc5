"""A person's controls: each is a ledger entry in that person's name, undone only by another entry.

A control that the policy does not allow answers ``Refused`` and writes nothing.
"""

from __future__ import annotations

from datetime import date

from packaging.version import Version

from headway.app import Headway
from headway.decide import record, revertreview
from headway.decide.calendar import first_slot_after, slot_of
from headway.decide.candidates import CandidateRecord
from headway.decide.cellwaivers import cell_key
from headway.decide.promotion import bad_publication
from headway.decide.trains import today
from headway.decide.waivers import clause_of
from headway.errors import not_found
from headway.gating import GATE, KINDS, failed_gate
from headway.history.changes import resolve_change
from headway.history.log import is_ancestor
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, facts_json, say
from headway.model.train import Train
from headway.model.verdict import BROAD
from headway.plan.actions import CheckCommit, CutBranch
from headway.plan.planner import plan
from headway.plan.trainplan import pick_train
from headway.policy.clauses import CLAUSES
from headway.policy.scheme import cuts_own_branch, is_fix
from headway.refusal import Refused, as_if, no, version_of
from headway.reviewing import approve_pick, approve_revert, other_evidence
from headway.waiving import cell_as_seen, not_waivable


def cut(app: Headway, version: str, at: str | None) -> Entry | Refused:
    """Choose a trunk commit for a version and cut, when the window allows (B1, B2)."""
    chosen = choose_cut(app, version, at)
    return chosen if isinstance(chosen, Refused) else tick_to_cut(app, chosen.train)


def choose_cut(app: Headway, version: str, at: str | None) -> Entry | Refused:
    """Choose a trunk commit for a version, where the next tick may cut there (B1, B2); nobody's choice: the newest
    that is green."""
    wanted = version_of(version)
    snapshot = app.observe()
    commit = trunk_commit(app, at, snapshot) if at else ""
    if isinstance(commit, Refused):
        return commit
    refused = _not_to_cut(app, wanted, snapshot, commit)
    if refused is not None:
        return refused
    chosen = as_if(app, snapshot, Kind.CUT_CHOSEN, str(wanted), {"commit": commit})
    planned = pick_train(plan(chosen, app.policy).trains, str(wanted))
    if snapshot.line(planned.train.branch) is not None:
        return no(
            "B1",
            "cut.done",
            say("{branch} is cut already", branch=planned.train.branch),
            say("see `headway status`"),
            branch=planned.train.branch,
        )
    if not isinstance(planned.action, CutBranch | CheckCommit):
        return Refused(planned.waits)
    return app.record(Kind.CUT_CHOSEN, str(wanted), {"commit": commit})


def trunk_commit(app: Headway, at: str, snapshot: Snapshot) -> str | Refused:
    """The commit that a person chose to cut: the trunk's tip, or another one of the trunk itself that is newer than the
    previous release (B1). Raises ``UnusableInput`` (``commit.not-found``)."""
    commit = app.commit_of(at)
    if commit is None:
        raise not_found("commit", at, say("name a commit of the trunk"))
    if not is_ancestor(app.repo, commit, snapshot.trunk.tip):
        return no(
            "B1",
            "cut.off-trunk",
            say("{commit} is not on the trunk", commit=commit[:12]),
            say("choose a trunk commit"),
            commit=commit,
            trunk=app.trunk,
        )
    if commit == snapshot.trunk.tip:  # also where nothing landed since that release: a tick cuts there too
        return commit
    return _too_old(app, commit, snapshot) or _merged_in(app, commit, snapshot) or commit


def tick_to_cut(app: Headway, version: str) -> Entry | Refused:
    """Tick one train until it is cut; what it waits for when it is not."""
    while True:
        done_now, waits = app.tick(version)
        for d in done_now:
            if d.entry.kind is Kind.CUT:
                return d.entry
        if not done_now:
            return Refused(waits)


def _too_old(app: Headway, commit: str, snapshot: Snapshot) -> Refused | None:
    base = snapshot.bases.get(done[-1].commit) if (done := app.releases()) else None
    if base and is_ancestor(app.repo, commit, base):
        return no(
            "B1",
            "cut.too-old",
            say("{commit} is no newer than where the previous release left the trunk", commit=commit[:12]),
            say("choose a commit after {base}", base=base[:12]),
            commit=commit,
            previous_cut=base,
        )
    return None


def _merged_in(app: Headway, commit: str, snapshot: Snapshot) -> Refused | None:
    """A commit of a branch that the trunk merged: where a branch cut there left the trunk, nothing would tell."""
    if any(c.sha == commit for c in snapshot.trunk.commits):
        return None
    return no(
        "B1",
        "cut.merged-in",
        say("{commit} came to the trunk through a merge: it is no commit of the trunk itself", commit=commit[:12]),
        say("choose one of `git log --first-parent {trunk}`", trunk=app.trunk),
        commit=commit,
        trunk=app.trunk,
    )


def _not_to_cut(app: Headway, wanted: Version, snapshot: Snapshot, commit: str) -> Refused | None:
    done = app.releases()
    names = app.policy.versions
    own = cuts_own_branch(wanted, names)
    if own and commit:
        return no(
            "B3",
            "cut.fix-elsewhere",
            say("the branch of {version} is cut where the release before it was made", version=wanted),
            say("leave out --at"),
            version=str(wanted),
        )
    if is_fix(wanted, names) and not own:
        return no(
            "B3",
            "cut.post",
            say("a post release reuses the branch that was cut before"),
            say("request a pick for it"),
            version=str(wanted),
        )
    if done and wanted <= done[-1].version and not own:
        return no(
            "V3",
            "cut.not-next",
            say("{version} is not after {newest}", version=wanted, newest=done[-1].version),
            say("see `headway version next`"),
            version=str(wanted),
        )
    if str(wanted) in record.given_up(snapshot.entries):
        return no(
            "V3",
            "cut.given-up",
            say("{version} was skipped or abandoned; its number is not used again", version=wanted),
            say("see `headway version next`"),
            version=str(wanted),
        )
    return None


def approve(app: Headway, version: str, gate_name: str, evidence: str = "") -> Entry | Refused:
    """Approve a gate for the commit and evidence as they are now, or a pick request that needs review (G1).

    ``evidence`` is the digest of what the person has seen: when it is another one by now, nothing is approved.
    """
    planned = app.train(version)
    name = planned.train.name
    if gate_name.startswith("pick:"):
        return approve_pick(app, name, gate_name, evidence)
    if gate_name.startswith(revertreview.GATE):
        return approve_revert(app, gate_name, evidence)
    rule = app.policy.approvals.get(gate_name)
    if rule is None:
        raise not_found(
            "gate",
            gate_name,
            say("the gates are {names}, `pick:ID`, or `revert:SHA`", names=sorted(app.policy.approvals)),
        )
    if rule.people and not record.among(app.person, rule.people):
        return no(
            "G1",
            "approve.not-allowed",
            say("{person} may not approve gate {gate}", person=app.person, gate=gate_name),
            say("ask one of {people}", people=rule.people),
            person=app.person,
            people=rule.people,
        )
    if planned.evidence is None:
        nothing = Reason(
            "G1",
            "approve.no-evidence",
            say("{version} has nothing to approve yet", version=name),
            facts(stage=planned.stage.value),
            say("see `headway plan {version}`", version=name),
        )
        return Refused((nothing, *(w for w in planned.waits if w.code != "promotion.unapproved")))
    if (changed := other_evidence(gate_name, evidence, planned.evidence)) is not None:
        return changed
    commit = planned.candidates[-1].facts.commit
    left_out = [facts_json(w.facts) for w in planned.waits if w.code in {"picks.conflict", "picks.pull"}]
    return app.record(
        Kind.APPROVED, name, {"gate": gate_name, "commit": commit, "evidence": planned.evidence, "left_out": left_out}
    )


def hold(app: Headway, version: str | None, reason: str) -> Entry:
    """Stop a train, or all of them (G2). What the same person holds already for the same reason is held once: a form
    that was sent twice would be let go by half."""
    name = app.train(version).train.name if version else ""
    now = record.own_hold(app.entries(), name)
    if now is not None and (now.actor, now.payload["reason"]) == (app.person, reason):
        return now
    return app.record(Kind.HELD, name, {"reason": reason})


def release_hold(app: Headway, version: str | None) -> Entry | Refused:
    """Undo the hold that is in force."""
    name = app.train(version).train.name if version else ""
    found = record.own_hold(app.entries(), name)
    if found is None and record.open_hold(app.entries(), name) is not None:
        return no(
            "G2",
            "hold.all",
            say("all trains are held, not {version} alone", version=name),
            say("`headway release-hold` without a version releases them all"),
            version=name,
        )
    if found is None:
        return no("G2", "hold.none", say("nothing is held"), say("see `headway status`"), version=name or None)
    known = {"held": found.seq, "by": found.actor, "reason": found.payload["reason"]}
    return app.record(Kind.HOLD_RELEASED, found.train, known)


def waive(
    app: Headway, version: str, what: str, reason: str, until: date, change: str | None = None
) -> Entry | Refused:
    """Waive a clause or a performance cell for one train, in a person's name, until a day; ``change`` is the pull
    request or commit that it is for, and for no other (P1, P7, P8)."""
    name = app.train(version).train.name
    rows = app.policy.perf.cells
    named = sorted({cell_key(row.cell, m) for row in rows for m in row.metrics})
    cells = {*named, *(cell_key(BROAD, m) for row in rows for m in row.metrics)}
    key = what.removeprefix("cell:")
    clause = "cell" if key in cells else clause_of(what)
    if clause != "cell" and what not in CLAUSES and not what.startswith(KINDS):
        raise not_found(
            "clause or cell",
            what,
            say(
                "clauses are named like E7; cells like {cells}",
                cells=named[:3] or ["model/hardware/test/metric"],
            ),
        )
    refused = not_waivable(app, what, clause, reason, until, change is not None)
    if refused is not None:
        return refused
    payload: dict[str, object] = {"what": what, "reason": reason, "until": until.isoformat()}
    if clause == "cell":
        bound = cell_as_seen(app, name, key)
        if isinstance(bound, Refused):
            return bound
        payload |= {"what": f"cell:{key}", **bound}
    if change is not None:
        payload["commit"] = _commit_of(app, change)
    return app.record(Kind.WAIVED, name, payload)


def _commit_of(app: Headway, change: str) -> str:
    commit = resolve_change(app.repo, change, app.trunk, None).commit
    if commit is None:
        raise not_found("commit", change, say("name a pull request that the trunk has, or a commit"))
    return commit.sha


def slip(app: Headway, version: str, to: date, reason: str) -> Entry | Refused:
    """Move a train's date to a day that is not over; the old one stays in the ledger (C4)."""
    wanted = version_of(version)
    live = {t.train.version: t.train for t in app.plan().trains}
    done = app.releases()
    planned = slot_of(wanted, app.policy.cadence, {str(r.version): r.day for r in done}, app.policy.versions)
    before = live[wanted].date if wanted in live else planned
    if before is None and not is_fix(wanted, app.policy.versions) and done:  # a minor or major that nobody planned yet
        before = first_slot_after(done[-1].day, app.policy.cadence)
    if before is None:
        raise not_found("train", version, say("see `headway calendar`"))
    if not reason.strip():
        return no("C4", "slip.no-reason", say("a slip states its reason"), say("add --reason"))
    if done and to < done[-1].day:
        return no(
            "C4",
            "slip.before-last",
            say("{date} is before the release of {version}", date=to, version=done[-1].version),
            say("choose a later day"),
            date=to.isoformat(),
        )
    if to < today(app.policy, app.clock.now()):
        return no(
            "C4", "slip.over", say("{date} is over", date=to), say("choose today or a later day"), date=to.isoformat()
        )
    if any(r.version == wanted for r in app.releases()):
        return no(
            "C4",
            "slip.released",
            say("{version} is released", version=wanted),
            say("only a coming release can slip"),
            version=str(wanted),
        )
    return app.record(
        Kind.SLIPPED, str(wanted), {"before": before.isoformat(), "after": to.isoformat(), "reason": reason}
    )


def skip(app: Headway, version: str, reason: str) -> Entry | Refused:
    """Leave a train out before its cut, or a fix release that is only proposed; its number is not used again."""
    wanted = version_of(version)
    proposed = next((p.train for p in app.plan().proposals if p.train.version == wanted), None)
    if proposed is not None:
        return app.record(Kind.SKIPPED, proposed.name, {"reason": reason})
    planned = app.train(version)
    if planned.candidates or app.observe().line(planned.train.branch) is not None:
        return no(
            "B1",
            "skip.cut",
            say("{version} is cut", version=planned.train.name),
            say("`headway abandon {version}`", version=planned.train.name),
            branch=planned.train.branch,
        )
    day = planned.train.date.isoformat()
    return app.record(Kind.SKIPPED, planned.train.name, {"reason": reason, "date": day})


def abandon(app: Headway, version: str, reason: str) -> Entry | Refused:
    """Give a train up after its cut; the branch and its tags stay as they are."""
    train = app.train(version).train
    if record.last(app.entries(), Kind.PUBLISHED, train.name) is not None:
        return no(
            "N1",
            "abandon.published",
            say("{version} is published", version=train.name),
            say("`headway yank {version} --reason …`", version=train.name),
            version=train.name,
        )
    return app.record(Kind.ABANDONED, train.name, {"reason": reason, "date": train.date.isoformat()})


def retry(app: Headway, version: str | None, step: str) -> Entry | Refused:
    """Have a failed step or gate of the newest candidate done again (B4), or a publication that went wrong (N1).

    A build also when it did not fail, since its files may have been changed or lost; not once they are published.
    Images that were written down are looked for anew, until then too.
    """
    planned = app.train(version)
    newest = planned.candidates[-1] if planned.candidates else None
    if newest is None or not _again(newest, step, planned.train, app):
        return no(
            "B4",
            "retry.nothing",
            say("no {step} of {version} failed", step=step, version=planned.train.name),
            say("see `headway status`"),
            step=step,
        )
    return app.record(Kind.RETRIED, planned.train.name, {"tag": newest.facts.tag, "step": step})


def _again(newest: CandidateRecord, step: str, train: Train, app: Headway) -> bool:
    """Whether a step may be done again: it failed, or its files may be lost and nobody has them."""
    if record.last(app.entries(), Kind.PUBLISHED, train.name) is not None:
        return False  # users have it: what was found then is what it was accepted for
    if step.startswith(GATE):
        return failed_gate(app, train.name, step.removeprefix(GATE))
    if step == "publish":
        return bad_publication(train, app.observe()) is not None
    if step == "images":
        return record.last(app.entries(), Kind.IMAGES, train.name, tag=newest.facts.tag) is not None
    return step == "measure" or _done_badly(newest, step, app)


def _done_badly(newest: CandidateRecord, step: str, app: Headway) -> bool:
    if step == "test" and any(c.ok is False for c in newest.checks):
        return True
    entry = {"build": newest.built, "test": newest.tested, "repack": newest.repacked}[step]
    if entry is None or not entry.payload["ok"]:
        return entry is not None
    out = newest.staged is not None and newest.staged.payload["prerelease"] and app.policy.promotion.mode == "repack"
    return step == "build" and not out
