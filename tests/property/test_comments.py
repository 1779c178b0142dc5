"""Whatever is written in a comment is read without an error, and only lines of its author's command."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from headway.chat.answers import misread
from headway.chat.commands import Wrong
from headway.chat.grammar import MOST, read_commands
from headway.chat.usage import FORMS
from headway.model.text import clean

MENTION = "headway"
HOSTILE = ["`", "```", "~~~", "<!--", "-->", "> ", "\n", "\r\n", "\r", "\t", "    ", "- ", "1. ", '"', "'", "\\", "\0",
           "\x1b[2J", "\u202e", "\u2028", "\x0b", "\ud83d", "é", "@eve", "$(id)", "; rm -rf /", "<img src=x>", "{", "}",
           "%s", "—", "--", "=", ":", "#", "..", "0", "9" * 30]  # fmt: skip
WORDS = [*(f"/{f.word}" for f in FORMS), "@headway cherry-pick", "--onto", "-c", "--fixes", "v0.9.2", "releases/v0.9.2",
         "release/2.6", "regression", "docs", "until", "2025-07-08", "--good", "--bad", "evidence:", "https://x.org/1",
         "#12", "pick:12", "revert:0123abcd", "E2", "a/b/c/d", "because", "0123abc", "help", " ", "  "]  # fmt: skip
unhurried = settings(deadline=None)
comments = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(HOSTILE), st.text(max_size=5)), max_size=30).map(
    " ".join
)
lines = st.lists(comments, max_size=6).map("\n".join)


@unhurried
@given(lines)
def test_nothing_that_is_written_is_an_error(body: str) -> None:
    found = read_commands(body, MENTION)
    assert len(found) <= MOST + 1
    for t in found:
        assert clean(t.line) == t.line
        t.line.encode("utf-8")
        assert "\n" not in t.line
        assert t.line.startswith(("/", "／")) or t.line.lower().startswith("@headway")
        if isinstance(t.command, Wrong):
            misread(t.command, MENTION).text.encode("utf-8")


@unhurried
@given(lines)
def test_a_quoted_comment_commands_nothing(body: str) -> None:
    quoted = "\n".join(f"> {row}" for row in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert read_commands(quoted, MENTION) == ()


@unhurried
@given(lines)
def test_an_indented_comment_commands_nothing(body: str) -> None:
    indented = "\n".join(f"    {row}" for row in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert read_commands(indented, MENTION) == ()


@unhurried
@given(comments)
def test_the_words_of_a_reason_come_out_as_they_were_written(text: str) -> None:
    reason = " ".join(w for w in clean(text).split() if w.isalpha())
    if reason:
        (found,) = read_commands(f"/hold v1.0 {reason}", MENTION)
        assert found.command.reason == reason  # type: ignore[union-attr]
