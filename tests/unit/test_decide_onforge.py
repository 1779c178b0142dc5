"""What is said on a forge: as comments, and nothing of the machine that ticks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.chat.commands import Wrong
from headway.chat.grammar import read_commands
from headway.decide.onforge import on_forge, words, written
from headway.model.reason import Reason
from headway.model.text import Text, facts, say

SOURCE = Path(__file__).parents[2] / "src" / "headway"
BY_COMMENTS = re.compile(
    r"`headway (?:approve|waive|release-hold \S|cut|slip|abandon|adopt|status|plan|"
    r"pick (?:request|amend|resolve|reject|withdraw|drop))"
)


def templates() -> Iterator[str]:
    """Every text of decisions and use cases, which may come to stand on a forge."""
    for file in (*(SOURCE / "decide").glob("*.py"), *(SOURCE / "history").glob("*.py"), *SOURCE.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if called == "say" and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def test_no_remedy_on_a_forge_is_a_command_line_where_a_comment_does_it() -> None:
    every = [t for t in templates() if BY_COMMENTS.search(t)]
    assert len(every) > 30
    assert [t for t in every if BY_COMMENTS.search(words(t))] == []


@pytest.mark.parametrize(
    ("told", "typed"),
    [
        (
            say("look at the evidence, then `headway approve {version} {gate}`", version="0.7.1", gate="go"),
            "/approve 0.7.1 go",
        ),
        (
            say("`headway waive {version} gate:{gate} --reason … --until DATE`", version="0.7.1", gate="lm-eval"),
            "/waive 0.7.1 gate:lm-eval until DATE REASON…",
        ),
        (
            say(
                "`headway waive {version} P7 --commit {commit} --reason … --until DATE`", version="0.7.1", commit="ab12"
            ),
            "/waive 0.7.1 P7 --commit ab12 until DATE REASON…",
        ),
        (say("`headway release-hold {version}`", version="0.7.1"), "/release-hold 0.7.1"),
        (
            say(
                "`headway pick request {sha} --onto {version} --category … --reason …`", sha="abcdef1", version="0.7.1"
            ),
            "/pick 0.7.1 abcdef1 CATEGORY REASON…",
        ),
        (say("`headway pick reject {id} --reason …`", id=3), "/reject 3 REASON…"),
        (say("`headway slip {version} --to DATE --reason …`", version="0.7.1"), "/slip 0.7.1 to DATE REASON…"),
        (say("`headway abandon {version} --reason …`", version="0.7.1"), "/abandon 0.7.1 REASON…"),
        (say("`headway cut {version}`", version="0.7.1"), "/cut 0.7.1"),
        (say("`headway cut {version} --at {sha}`", version="0.7.1", sha="abcdef1"), "/cut 0.7.1 abcdef1"),
        (say("`headway pick drop {sha} --reason …`", sha="abcdef1"), "/drop abcdef1 REASON…"),
        (say("`headway adopt {sha} --category …`", sha="abcdef1"), "/adopt abcdef1 CATEGORY REASON…"),
        (say("see `headway status`"), "/status"),
        (say("see `headway plan {version}`", version="0.7.1"), "/status 0.7.1"),
    ],
)
def test_what_is_to_be_typed_is_a_command_of_the_grammar(told: Text, typed: str) -> None:
    said = str(written(told))
    assert f"`{typed}`" in said
    filled = typed.replace("DATE", "2025-02-28").replace("CATEGORY", "docs")
    (found,) = read_commands(filled, "headway")
    assert not isinstance(found.command, Wrong)


def test_what_the_ledger_kept_is_put_so_too() -> None:
    kept = Reason.kept(
        {"clause": "P2", "code": "x", "message": "m", "facts": {"good": "1", "on_trunk": False, "as_": "1"},
         "remedy": "add --good RELEASE and --bad RELEASE; or a release manager approves it: gate pick:ID"}
    )  # fmt: skip
    told = on_forge(kept)
    assert str(told.remedy) == (
        "add `good: RELEASE` and `bad: RELEASE`; or a release manager approves it: `/approve pick:ID`"
    )
    assert told.facts == (("good", "1"),)
    assert str(on_forge(kept, request=12).remedy).endswith("a release manager approves it: `/approve pick:12`")


def test_a_projects_own_release_stands_in_what_is_to_be_typed() -> None:
    reason = Reason("P1", "picks.no-category", say("a pick names exactly one category"), (), say("add --category"))
    assert str(on_forge(reason, line="0.7.1").remedy) == "name the category: `/pick 0.7.1 CATEGORY REASON…`"
    assert str(on_forge(reason, commands=False).remedy) == "add --category"


def test_what_only_the_command_line_shows_is_not_named() -> None:
    found = written(say("see what it waits for: `headway pick show {id}`; `headway tick` opens one", id=12))
    assert str(found) == "see what it waits for: the picks in the train's issue; the next tick opens one"


@pytest.mark.parametrize("commands", [True, False])
def test_nothing_of_the_machines_folders_is_told(commands: bool) -> None:
    log = "/srv/headway/vllm/logs/build.log"
    reason = Reason(
        "B4",
        "candidate.build-failed",
        say("the build of {tag} failed: {why}", tag="v1", why=f"see {log}"),
        facts(tag="v1", log=log, why=f"no {log}", commit="a" * 40),
        say("read {log}; or request a pick", log=log),
    )
    told = on_forge(reason, commands=commands)
    every = f"{told.text} {told.facts} {told.remedy}"
    assert "/srv" not in every
    assert "build.log" not in every
    assert "the log on the machine that ticks" in str(told.remedy)
    url = "https://ci.example.org/a/b/c.log"
    assert url in str(on_forge(Reason("B4", "x", say("x"), (), say("read {log}", log=url))).remedy)
