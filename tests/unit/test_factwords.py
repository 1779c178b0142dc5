"""Facts of refusals, waits and errors have words for people, in both languages; programs get their names."""

from __future__ import annotations

from factnames import fact_names

from headway.lang import shown, tr
from headway.model.text import say
from headway.views.factwords import FACTS, fact_text, fact_values


def test_every_fact_that_the_source_gives_has_a_word() -> None:
    named = fact_names()
    assert {
        "branch",
        "approved_by",
        "scopes",
        "accepted",
        "lapsed",
        "reported",
    } <= named.keys()  # the search finds them
    assert {name: file for name, file in named.items() if name not in FACTS} == {}


def test_no_word_is_there_for_a_fact_that_nothing_gives() -> None:
    in_a_loop = {"also", "done"}  # acting.telling names them in a dictionary of which it keeps a part
    assert FACTS.keys() - fact_names().keys() == in_a_loop


def test_a_fact_is_called_by_its_word_and_one_of_old_by_its_name() -> None:
    assert (tr(fact_text("approved_by"), "en"), tr(fact_text("approved_by"), "zh")) == ("approved by", "批准人")
    assert tr(fact_text("of_old_days"), "zh") == "of old days"


def test_yes_and_no_are_words() -> None:
    assert fact_values(True) == (say("yes"),)
    assert fact_values(("a", "b")) == ("a", "b")
    assert fact_values(3) == (3,)


def test_a_word_of_our_own_is_said_in_the_readers_language_and_those_of_others_are_not() -> None:
    assert shown("category", "docs", "en") == "docs"
    assert shown("category", "docs", "zh") == "文档改进"
    assert shown("categories", ("docs", "regression"), "zh") == "文档改进, 回归修复"
    assert shown("category", "speed", "zh") == "speed"
    assert shown("subject", "docs", "zh") == "docs"


def test_what_is_typed_stays_as_it_is_typed() -> None:
    text = say("add a token: `headway token add NAME --role {role}` ({role})", role="admin")
    assert tr(text, "zh") == "add a token: `headway token add NAME --role admin` (管理员)"


def test_a_text_in_a_text_is_said_in_the_same_language() -> None:
    text = say("the test of {tag} failed: {why}", tag="v1", why=say("not run: the policy has no test.command"))
    assert str(text) == "the test of v1 failed: not run: the policy has no test.command"
    assert "not run" not in tr(text, "zh")
