"""What the ledger keeps of a reason is read by each in their language."""

from __future__ import annotations

import json

import pytest

from headway.lang import tr
from headway.model.reason import Reason
from headway.model.text import facts, say

REASON = Reason(
    "P7",
    "picks.feature",
    say("the gates are {names}", names=["[Feature] A {brace} (#6)", "B"]),
    facts(commit="a" * 40),
    say("choose a trunk commit"),
)


def test_a_reason_comes_back_from_the_ledger_as_it_was() -> None:
    kept = Reason.kept(json.loads(json.dumps(REASON.written())))
    assert kept == REASON
    assert tr(kept.text, "zh") == tr(REASON.text, "zh") != str(REASON.text)


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        {"message": ["{gone} {0}", {}]},
        {"message": ["{subjects.__class__}", {"subjects": "x"}]},
        {"message": ["another sentence", {}]},
        {"message": "x"},
    ],
)
def test_what_is_no_template_of_the_words_that_were_kept_is_told_as_those_words(said: object) -> None:
    whole = {**REASON.as_json(), **({} if said is None else {"said": said})}
    assert str(Reason.kept(whole).text) == str(REASON.text)
