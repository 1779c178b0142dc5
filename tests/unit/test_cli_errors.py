"""An error on the terminal: its message, the facts that the message does not have, what mends it."""

from __future__ import annotations

import pytest

from headway.cli.common import show_error
from headway.errors import WorldFailed
from headway.model.text import facts, say

GIT = "error: GH006: Protected branch\nhint: see its rules"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (say("git did not let {branch} move: {words}", branch="main", words=GIT), ""),
        (say("git did not let {branch} move", branch="main"), f"  git says: {GIT}\n"),
    ],
)
def test_the_words_of_git_are_told_once(capsys: pytest.CaptureFixture[str], message: object, told: str) -> None:
    error = WorldFailed("x", message, facts=facts(name="main", git=GIT), remedy=say("tick again"))  # type: ignore[arg-type]
    show_error(error, as_json=False, lang="en")
    head, *rows = capsys.readouterr().err.partition("  name: main\n")
    assert head.startswith("headway: git did not let main move")
    assert "".join(rows) == f"  name: main\n{told}  → tick again\n"
    assert (head + rows[-1]).count("GH006") == 1
