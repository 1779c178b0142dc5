"""Documents are tested: commands in them exist, policies in them load, links lead somewhere, references are fresh."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from headway.cli.main import MODULES, cli
from headway.policy.loader import load_policy

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "changelog.d").glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(?P<lang>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(headway [^`]+)`")
LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?P<anchor>#[^)]*)?\)")
ROW = re.compile(r"^\| *((?:\\\||[^|\n])*)\|", re.MULTILINE)  # the first cell
# In these fences a line is a command, after a prompt in the second; others show output or files.
SHELL = {"sh": "", "console": "$ ", "ini": ""}
TRANSLATED = (
    ("README.md", "README.zh-CN.md"),
    ("docs/tutorial/demo.md", "docs/zh/tutorial/demo.md"),
    ("docs/explanation/speed.md", "docs/zh/explanation/speed.md"),
    ("docs/how-to/board.md", "docs/zh/how-to/board.md"),
    ("docs/how-to/your-project.md", "docs/zh/how-to/your-project.md"),
    ("docs/how-to/picks.md", "docs/zh/how-to/picks.md"),
    ("docs/how-to/board.md", "docs/zh/how-to/board.md"),
    ("docs/how-to/board-acts.md", "docs/zh/how-to/board-acts.md"),
    ("docs/how-to/images.md", "docs/zh/how-to/images.md"),
    ("docs/how-to/notes.md", "docs/zh/how-to/notes.md"),
    ("docs/how-to/provenance.md", "docs/zh/how-to/provenance.md"),
    ("docs/how-to/same-bits.md", "docs/zh/how-to/same-bits.md"),
    ("docs/how-to/tags.md", "docs/zh/how-to/tags.md"),
    ("docs/how-to/when-it-goes-wrong.md", "docs/zh/how-to/when-it-goes-wrong.md"),
    ("docs/how-to/candidates.md", "docs/zh/how-to/candidates.md"),
    ("docs/how-to/fleets.md", "docs/zh/how-to/fleets.md"),
    ("docs/how-to/benchmark-workflow.md", "docs/zh/how-to/benchmark-workflow.md"),
    ("docs/how-to/measure.md", "docs/zh/how-to/measure.md"),
    ("docs/how-to/benchmark-matrix.md", "docs/zh/how-to/benchmark-matrix.md"),
    ("docs/how-to/real-engine.md", "docs/zh/how-to/real-engine.md"),
    ("docs/how-to/measurements.md", "docs/zh/how-to/measurements.md"),
    ("docs/how-to/github.md", "docs/zh/how-to/github.md"),
    ("docs/how-to/github-access.md", "docs/zh/how-to/github-access.md"),
    ("docs/how-to/comments.md", "docs/zh/how-to/comments.md"),
    ("docs/how-to/pull-requests.md", "docs/zh/how-to/pull-requests.md"),
    ("docs/how-to/let-others-in.md", "docs/zh/how-to/let-others-in.md"),
    ("docs/how-to/webhooks.md", "docs/zh/how-to/webhooks.md"),
    ("docs/how-to/github-action.md", "docs/zh/how-to/github-action.md"),
    ("docs/how-to/another-forge.md", "docs/zh/how-to/another-forge.md"),
)


def _names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(text: str, *langs: str) -> list[str]:
    return [m["body"] for m in FENCE.finditer(text) if m["lang"] in langs]


def commands(text: str) -> Iterator[list[str]]:
    """The words after ``headway`` of every command in a shell's block."""
    for lang, prompt in SHELL.items():
        for body in blocks(text, lang):
            for line in body.replace("\\\n", " ").splitlines():
                if line.startswith(prompt):
                    yield from _of_line(line.removeprefix(prompt))


def _of_line(line: str) -> Iterator[list[str]]:
    """Commands of one line: a shell's words, parted at its punctuation."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] | None = None
    for token in [*lexer, ";"]:
        if set(token) <= set("();<>|&"):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif re.search(r"(?:^|/)headway$", token):
            words = []


def spans(text: str) -> Iterator[list[str]]:
    """The same for mentions in a sentence, which may be incomplete."""
    for found in SPAN.finditer(FENCE.sub("", text)):
        yield shlex.split(found[1])[1:]


def parsed(words: list[str], *, whole: bool) -> None:
    """Parse as the program would, without running. A mention needs only commands and options that exist."""
    command: click.Command = cli
    context = click.Context(cli, info_name="headway")
    while isinstance(command, click.Group):
        given, words, _ = command.make_parser(context).parse_args(list(words))
        if not words and (given or not whole):
            return
        assert words, f"{context.command_path} does nothing by itself"
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"{name} is no command of {context.command_path}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    if whole:
        command.make_context(context.info_name, list(words), parent=context.parent)
        return
    known = {o for p in command.params for o in p.opts}
    unknown = [w for w in words if w.startswith("--") and w.partition("=")[0] not in known]
    assert not unknown, f"{context.command_path} has no {unknown}"


@pytest.fixture(scope="module", autouse=True)
def _commands() -> None:
    for name in MODULES:
        import_module(f"headway.cli.{name}")


@pytest.mark.parametrize("page", PAGES, ids=_names)
def test_commands_shown_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    for words in commands(text):
        try:
            parsed(words, whole=True)
        except click.UsageError as e:
            pytest.fail(f"headway {shlex.join(words)}: {e.format_message()}")
    for words in spans(text):
        try:
            parsed(words, whole=False)
        except click.UsageError as e:
            pytest.fail(f"headway {shlex.join(words)}: {e.format_message()}")


@pytest.mark.parametrize(
    "words", [["plam"], ["plan", "--frm"], ["--repo", "x", "pick", "reqest", "#1"], ["waive", "0.7.1", "E1"]]
)
def test_a_wrong_command_would_be_seen(words: list[str]) -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        parsed(words, whole=True)


def test_commands_are_found_where_readers_see_them() -> None:
    text = "```console\n$ headway plan 'a|b' | cat  # look\nheadway is output\n```\n"
    text += "```ini\nExecStart=/x/headway tick --settle\n```\n"
    assert list(commands(text)) == [["plan", "a|b"], ["tick", "--settle"]]
    assert list(spans("see `headway pick list` and `git log`")) == [["pick", "list"]]
    assert sum(1 for p in PAGES for _ in commands(p.read_text("utf-8"))) > 40


@pytest.mark.parametrize("page", PAGES, ids=_names)
def test_policies_shown_load(page: Path) -> None:
    for body in blocks(page.read_text("utf-8"), "toml"):
        load_policy(body, source=_names(page))


@pytest.mark.parametrize("page", PAGES, ids=_names)
def test_links_lead_somewhere(page: Path) -> None:
    for found in LINK.finditer(FENCE.sub("", page.read_text("utf-8"))):
        target = (page.parent / found["path"]).resolve() if found["path"] else page
        assert target.is_file() or (target / "README.md").is_file(), found[0]
        if found["anchor"]:
            assert found["anchor"][1:] in _anchors(target), found[0]


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED)
def test_translations_show_the_same_commands_and_policies(english: str, chinese: str) -> None:
    here, there = ((ROOT / p).read_text("utf-8") for p in (english, chinese))
    names = [[w for w in words if re.fullmatch(r"[-a-z]+", w)] for words in commands(here)]
    assert names == [[w for w in words if re.fullmatch(r"[-a-z]+", w)] for words in commands(there)]
    values = [load_policy(b, source=english) for b in blocks(here, "toml")]
    assert values == [load_policy(b, source=chinese) for b in blocks(there, "toml")]


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED)
def test_translations_have_the_same_rows(english: str, chinese: str) -> None:
    here, there = (FENCE.sub("", (ROOT / p).read_text("utf-8")) for p in (english, chinese))
    assert [re.findall("`[^`]+`", row) for row in ROW.findall(here)] == [
        re.findall("`[^`]+`", row) for row in ROW.findall(there)
    ]


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / m["path"]).resolve() for m in LINK.finditer(index.read_text("utf-8"))}
    assert {p for p in PAGES if p.is_relative_to(ROOT / "docs")} - linked <= {index}


def test_reference_pages_are_as_the_code_says() -> None:
    script = ROOT / "scripts" / "make_reference.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run scripts/make_reference.py"


def test_changelog_fragments_are_named_by_kind() -> None:
    kinds = "added|changed|deprecated|removed|fixed|security"
    names = [p.name for p in (ROOT / "changelog.d").iterdir() if p.name != "README.md"]
    assert names
    assert [n for n in names if not re.fullmatch(rf"\+[a-z0-9-]+\.({kinds})\.md", n)] == []
