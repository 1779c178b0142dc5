"""A remedy's command, found again among the acts of the board."""

from __future__ import annotations

import pytest

from headway.model.reason import Reason
from headway.model.text import Text, say
from headway.views.acts import Act, Verb
from headway.views.mending import mending

SHA = "c0ffee" * 6 + "beef"


def act(verb: Verb, of: str = "", change: str = "") -> Act:
    return Act(verb, "0.1.1", say("do it"), of, change)


OFFERED = (
    act(Verb.APPROVE, "go"),
    act(Verb.APPROVE, "pick:7"),
    act(Verb.APPROVE, f"revert:{SHA[:12]}"),
    act(Verb.AMEND, "pick:7"),
    act(Verb.AMEND, "pick:77"),
    act(Verb.WAIVE, "B2"),
    act(Verb.WAIVE, "P8", SHA),
    act(Verb.WAIVE, "gate:accuracy"),
    act(Verb.SLIP),
    act(Verb.CUT),
    act(Verb.RETRY, "gate:accuracy"),
    act(Verb.DROP, SHA),
    act(Verb.HOLD),
    act(Verb.RELEASE_HOLD),
    act(Verb.ABANDON),
)


@pytest.mark.parametrize(
    ("remedy", "does"),
    [
        (say("look, then `headway approve {v} {g}`", v="0.1.1", g="go"), [OFFERED[0]]),
        (
            say(
                "`headway approve {v} pick:{id}`, or add evidence: `headway pick amend {id} --evidence …`", v="1", id=7
            ),
            [OFFERED[1], OFFERED[3]],
        ),
        (say("`headway approve 0.1.1 revert:{sha}`", sha=SHA[:12]), [OFFERED[2]]),
        (say("`headway waive 0.1.1 P8 --commit {sha} --reason … --until DATE`", sha=SHA[:12]), [OFFERED[6]]),
        (say("`headway waive 0.1.1 P8 --reason … --until DATE`"), []),  # for every change: that is not offered
        (say("`headway waive 0.1.1 CELL …`"), []),
        (
            say("do it again: `headway tick --retry gate:{g}`; or `headway waive 1 gate:{g} --reason …`", g="accuracy"),
            [OFFERED[10], OFFERED[7]],
        ),
        (say("wait; or `headway slip 0.1.1 --to DATE --reason …`, or waive B2"), [OFFERED[8]]),
        (say("choose: `headway cut 0.1.1 --at COMMIT`"), [OFFERED[9]]),
        (say("`headway pick drop {sha} --reason …`", sha=SHA[:12]), [OFFERED[11]]),
        (say("`headway pick drop COMMIT --reason …`"), []),
        (say("`headway release-hold 0.1.1`"), [OFFERED[13]]),
        (say("`headway release-hold`"), []),  # of all trains: that is on the board's own page
        (say("headway approve 0.1.1 go"), []),  # words, and no command
        (say("`headway approve`"), []),
        (say("`git tag -d v0.1.1`"), []),
        (say("{why}", why="` `headway approve 0.1.1 other` `"), []),
    ],
)
def test_a_remedy_leads_to_what_is_offered_and_does_the_same(remedy: Text, does: list[Act]) -> None:
    assert list(mending(Reason("G1", "any.code", say("why"), (), remedy), OFFERED)) == does
