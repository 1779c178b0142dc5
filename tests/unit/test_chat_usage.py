"""The commands as the handbook and the answers tell them are those of the grammar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headway.chat.commands import Help, Wrong
from headway.chat.grammar import read_commands
from headway.chat.usage import FORMS, Form, typed

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "comments.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<form>[^`]+)` \| (?P<who>\w+) \| (?P<does>.+) \|$", re.MULTILINE)


def test_the_page_has_every_command_with_its_form_and_its_rights() -> None:
    rows = [(m["form"].replace("\\|", "|"), m["who"], m["does"]) for m in ROW.finditer(PAGE)]
    assert rows == [(f.form, f.role.value, str(f.does)) for f in FORMS]


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.word)
def test_every_example_is_on_the_page_and_is_read_as_its_command(form: Form) -> None:
    assert f"\n{form.example}\n" in PAGE
    (found,) = read_commands(typed(form.example, "headway"), "headway")
    assert not isinstance(found.command, Wrong), found
    assert found.command.role is form.role
    assert found.command.word == ("pick" if form.word == "cherry-pick" else form.word)


def test_a_block_of_commands_on_the_page_is_read_whole() -> None:
    blocks = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    found = [t.command for block in blocks for t in read_commands(typed(block, "headway"), "headway")]
    assert not [c for c in found if isinstance(c, Wrong)]
    assert isinstance(found[-1], Help)
