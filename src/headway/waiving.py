"""Who may waive what (G1), and what a waiver of a cell is bound to: its evidence as it is then (E7)."""

from __future__ import annotations

from datetime import date

from headway.app import Headway
from headway.decide import record
from headway.decide.cellwaivers import WAIVABLE, cell_key, seen
from headway.decide.performance import describe, evidence_of_cell, standing
from headway.decide.trains import today
from headway.gating import unknown_subject
from headway.model.text import say
from headway.model.verdict import Verdict
from headway.plan.planner import plan
from headway.plan.trainplan import pick_train
from headway.refusal import Refused, no

OF_CHANGES = ("P1", "P7", "P8")  # clauses about single changes


def cell_as_seen(app: Headway, version: str, key: str) -> dict[str, object] | Refused:
    """The digest of the cell's evidence and what it says: for a cell that is regressed or open, and for no other.

    What passes needs no waiver, and what has no number is not set aside by one: E1, E2 and E7 are waived for that.
    """
    snapshot = app.observe()
    planned = pick_train(plan(snapshot, app.policy).trains, version)
    train, newest = planned.train, planned.candidates[-1] if planned.candidates else None
    perf = standing(train, newest, snapshot, app.policy) if newest else None
    cells = perf.verdict.cells if perf and perf.verdict else ()
    found = next((c for c in cells if cell_key(c.cell, c.metric) == key), None)
    if found is not None and found.verdict is Verdict.PASS:
        return no(
            "E7",
            "waive.cell-passes",
            say("{cell} passes: it needs no waiver", cell=describe(found)),
            say("see `headway status`"),
            cell=key,
            blocks=found.blocks,
        )
    if newest is None or train.previous_commit is None or found is None or found.verdict not in WAIVABLE:
        return no(
            "E1",
            "waive.no-evidence",
            say(
                "{cell} has no number of {version} yet: there is nothing that a waiver could be bound to",
                cell=key,
                version=version,
            ),
            say(
                "measure it first: `headway tick`; a release without the comparison: `headway waive {version} E7 …`",
                version=version,
            ),
            cell=key,
            verdict=found.verdict.value if found else None,
            commit=newest.facts.commit if newest else None,
        )
    commit = newest.facts.commit
    return seen(found, evidence_of_cell(snapshot, commit, train.previous_commit, found.cell, found.metric))


def not_waivable(app: Headway, what: str, clause: str, reason: str, until: date, of_change: bool) -> Refused | None:
    """Why this person may not waive this, if so: the policy, the form of the waiver, or another's word is wanted.

    ``clause`` is the word of ``waivers.clauses`` for it; ``of_change``: it is for one change alone.
    """
    if (unknown := unknown_subject(app.policy, what)) is not None:
        return unknown
    if clause not in app.policy.waivers.clauses:
        return no(
            "G1",
            "waive.not-allowed",
            say("the policy does not let {what} be waived: waivers.clauses lacks {word}", what=what, word=clause),
            say(
                "add {word} to waivers.clauses of release.toml; it has {names}",
                word=clause,
                names=app.policy.waivers.clauses,
            ),
            what=what,
        )
    if not reason.strip() or until < today(app.policy, app.clock.now()):
        return no(
            "G1",
            "waive.form",
            say("a waiver has a reason and a day that is not over: {until}", until=until),
            say("give a --reason, and an --until of today or later"),
            until=until.isoformat(),
        )
    if of_change and clause not in OF_CHANGES:
        return no(
            "G1",
            "waive.not-of-changes",
            say("{what} is not a clause about single changes", what=what),
            say("leave out --commit; what can be waived for a change: {names}", names=OF_CHANGES),
            what=what,
        )
    named = app.policy.waivers.people
    of_embargoes = app.policy.embargo.people if of_change and clause == "P8" else ()
    allowed = sorted({*named, *of_embargoes})
    if named and not record.among(app.person, allowed):
        return no(
            "G1",
            "waive.not-a-person",
            say("{person} may not waive {what}", person=app.person, what=what),
            say("ask one of {people}", people=allowed),
            person=app.person,
            people=tuple(allowed),
        )
    return None
