"""Somebody else's words on a forge."""

from __future__ import annotations

import re

import pytest

from headway.model.markdown import code, escape, in_words, marked, marker, phrase, quote, sentence, spans, title, within
from headway.model.text import say


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("fixes #12", "fixes \\#\u200b12"),
        ("closes GH-12, owner/repo#7", "closes GH-\u200b12, owner/repo\\#\u200b7"),
        ("/approve", "\\/approve"),
        ("  /pick v1 regression", "\\/pick v1 regression"),
        ("@vllm-bot merge", "@\u200bvllm-bot merge"),
        ("see www.example.org", "see www\u200b.example.org"),
        ("https://example.org", "https:\u200b//example.org"),
        ("<!-- headway:answer:1 -->", "\\<\\!-- headway:answer:1 --\\>"),
        ("a\x1b[31mred\u202eder", "a\\[31mredder"),
        ("one\ntwo\u2028three", "one two three"),
        ("[x](javascript:alert(1)) ![y](z)", "\\[x\\](javascript:alert(1)) \\!\\[y\\](z)"),
    ],
)
def test_a_line_of_somebody_else_does_nothing(hostile: str, shown: str) -> None:
    assert escape(hostile) == shown


def test_a_long_line_is_cut_and_half_an_escape_is_not_left() -> None:
    assert escape("a" * 20, most=5) == "aaaa…"
    assert escape("****", most=3) == "\\*\\*…"


def test_a_quotation_keeps_its_lines_and_no_line_begins_with_a_command() -> None:
    assert quote("one\n/approve\n\n# big") == "> one\n> \\/approve\n>\n> \\# big"
    assert quote("abcdef", most=3) == "> abc\n> …"


def test_a_title_mentions_nobody_and_stays_one_short_line() -> None:
    assert title("[Fix] @all\n`x`\u202e") == "[Fix] @\u200ball `x`"
    assert len(title("x" * 999)) == 250


def test_a_name_with_a_backtick_is_no_code() -> None:
    assert code("a.whl") == "`a.whl`"
    assert code("a`b") == "a\\`b"


def test_a_marker_is_first_and_cannot_be_ended_by_its_name() -> None:
    assert marked("answer:7", "yes\n\n") == "<!-- headway:answer:7 -->\nyes\n"
    for bad in ("a-->b", "a b", "", "x\n", "<b>"):
        with pytest.raises(ValueError, match=f"^{re.escape(bad)}$"):
            marker(bad)


def test_a_version_with_an_epoch_has_its_marker() -> None:
    """PEP 440: ``1!2.0``."""
    assert marker("tracker:1!2.0") == "<!-- headway:tracker:1!2.0 -->"


def test_no_mathematics_is_set() -> None:
    """GitHub sets what stands between two dollar signs; an entity is none of them, and is shown as one."""
    for made in (within("$x$ and $$y$$"), escape("$x$"), sentence(say("of {who}", who="$x$")), phrase("$x$ `$y`")):
        assert "$" not in made.replace("`$y`", "")
    assert within("$x$") == "&#36;x&#36;"
    assert sentence(say("`/pick {what}`", what="$x$")) == "`/pick $x$`"


def test_where_nobody_renders_it_a_text_of_ours_is_plain() -> None:
    title = "[Fix] *x* costs $1, `a_b` <b> of #3 at https://x.org"
    assert in_words(f"- {escape(title)} (#7), `a\\_b`") == f"- {title} (#7), `a\\_b`"
    assert in_words(escape("@all 1. x")) == "@\u200ball 1. x", "nobody is mentioned"
    assert in_words("a \\` b \\` c") == "a ` b ` c"


def test_in_the_middle_of_a_line_nothing_is_a_block() -> None:
    assert within("0.7.1 - /x") == "0.7.1 - /x"
    assert escape("0.7.1") == "0\\.7.1"


def test_a_sentence_of_ours_keeps_its_code_and_shows_what_others_wrote() -> None:
    text = say("`headway approve {version} pick:{id}` of {who}", version="0.7.1", id=3, who="@eve `rm` <b>")
    assert sentence(text) == "`headway approve 0.7.1 pick:3` of @\u200beve \\`rm\\` \\<b\\>"


def test_a_sentence_of_the_ledger_keeps_its_code_and_nothing_else_of_it_does_anything() -> None:
    assert phrase("run `headway pick resolve 3` for *it*, @all") == (
        "run `headway pick resolve 3` for \\*it\\*, @\u200ball"
    )
    for hostile in ("a ` b", "`` <img> ``", "x `a``b` <b>", "`"):
        assert "`" not in phrase(hostile).replace("\\`", "")
        assert "<" not in phrase(hostile).replace("\\<", "")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("", []),
        ("no code", [(False, "no code")]),
        ("use `a` and `b`", [(False, "use "), (True, "a"), (False, " and "), (True, "b")]),
        ("`` a`b ``", [(True, "a`b")]),
        ("` `", [(True, " ")]),
        ("one ` alone", [(False, "one ` alone")]),
        ("`a` and `", [(True, "a"), (False, " and `")]),
        ("``a`", [(False, "``a`")]),
        ("`<b>*x*`<i>", [(True, "<b>*x*"), (False, "<i>")]),
    ],
)
def test_code_in_a_line_is_what_stands_between_as_many_backticks(words: str, parts: list[tuple[bool, str]]) -> None:
    """CommonMark 6.1; nothing is lost, and nothing but code is told from words."""
    assert list(spans(words)) == parts


def test_a_line_of_many_backticks_is_read_once() -> None:
    """Of each length one run, so that none has an end: to look for the end of each would take all the rest again."""
    hostile = " ".join("`" * n for n in range(1, 2000))
    assert list(spans(hostile)) == [(False, hostile)]
