"""Words in the reader's language: the catalogue is whole and true to its source, and it is what a reader gets."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import click
import pytest
from babel.messages.pofile import read_po, write_po
from rich.cells import cell_len
from rich.console import Console

from headway.decide.calendar import release_calendar
from headway.lang import language, tr, translated
from headway.model.text import say
from headway.policy.loader import load_policy
from headway.views.calendar import calendar_table

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "messages.py"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FIELD = re.compile(r"{\w+(?:!r)?}|%\(\w+\)s")
CODE = re.compile(r"`[^`]*`")
FLAG = re.compile(r"--[a-z][a-z-]*")
CLAUSE = re.compile(r"(?<![\w])[NVCBPEG]\d(?!\w)")
# What a reader types is the same in every language; beside it, a text of fields alone has nothing to say in words.
TYPED = re.compile(r"(git config|git fetch|pip install) [-'].*|pip: {words}")


def _messages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MESSAGES = _messages()


def _pairs() -> Iterator[tuple[str, str]]:
    for message in read_po(MESSAGES.PO.open("rb"), locale="zh"):
        words = MESSAGES.one_form(message)
        if message.id and words:
            yield message.id if isinstance(message.id, str) else message.id[1], words


PAIRS = list(_pairs())


def _run(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HEADWAY_LANG": "", "PYTHONUTF8": "1", **env},
    )


def _prose(text: str) -> str:
    """Without what is typed, policy keys and fields."""
    for kind in (CODE, re.compile(r"headway .*"), FLAG, re.compile(r"\w+\.\w+"), FIELD):
        text = kind.sub("", text)
    return text


# The catalogue


def test_every_text_is_translated_with_its_fields_and_compiled() -> None:
    done = _run(SCRIPT, "--check")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_translation_keeps_what_is_typed_and_cited() -> None:
    for kind in (CODE, FLAG, CLAUSE):
        lost = [(a, b) for a, b in PAIRS if sorted(kind.findall(a)) != sorted(kind.findall(b))]
        assert lost == []


def test_a_translation_is_chinese_unless_nothing_but_commands_and_fields_is_left() -> None:
    def words(text: str) -> str:
        return re.sub(r"\W", "", FIELD.sub("", CODE.sub("", "" if TYPED.fullmatch(text) else text)))

    assert [a for a, b in PAIRS if bool(words(a)) != bool(CHINESE.search(b))] == []


def test_chinese_prose_has_full_width_punctuation() -> None:
    half = re.compile(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]")
    assert [b for _, b in PAIRS if half.search(CODE.sub("", b))] == []


def test_one_word_for_one_term() -> None:
    terms = {
        r"\btrunk\b": "主干",
        r"\brelease branch(es)?\b": "分支",
        r"\bledgers?\b": "账本",
        r"\bgates?\b": "门禁",
        r"\bevidence\b": "证据",
        r"\brevert(s|ed)?\b": "回滚",
        r"\breland(s|ed)?\b": "重新合入",
        r"\bwaive(d|s|r|rs)?\b": "豁免",
        r"\bculprits?\b": "元凶",
        r"\bpost release\b": "发布后",
        r"\bfinal tag\b": "最终标签",
        r"\bblocks(?! only)\b": "区组",
        r"\bcells?\b": "单元",
        r"\btrains?\b": "列车",
    }
    for pattern, term in terms.items():
        told = [(a, b) for a, b in PAIRS if re.search(pattern, _prose(a))]
        assert told, pattern
        assert [pair for pair in told if term not in pair[1]] == []


# The script that collects it


@pytest.fixture
def little(tmp_path: Path) -> Path:
    """A package of its own with one text of each kind that the script finds."""
    source = tmp_path / "src" / "headway"
    (source / "template").mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    (source / "a.py").write_text(
        'say("count {n}", n=1)\nsay("one" if x else "many")\n'
        'option("--x", help="An option.")\nC = {"help": "In a table."}\n'
        'class Verdict(StrEnum):\n    PASS = "pass"\nparser.add_argument("--y", help="not shown")\n'
        'rows = [\n    ("final", 1),\n]\nCheck("disk", True)\nraise ValueError("not for people")\n'
    )
    (source / "template" / "b.py").write_text('say("of another project")\n')
    (source / "page.html").write_text("<p>{{ _(\"On a page\") }} {{ _('in quotes') }}</p>")
    return tmp_path


def _translate(po: Path, words: dict[str, str]) -> None:
    """Each text by what ``words`` says, else by itself."""
    known = read_po(po.open("rb"), locale="zh")
    for message in known:
        text, forms = (message.id, 1) if isinstance(message.id, str) else (message.id[1], 2)
        message.string = words.get(text, text) if forms == 1 else (text,)
    out = io.BytesIO()
    write_po(out, known, omit_header=True)
    po.write_bytes(out.getvalue())


def test_the_script_finds_texts_names_what_is_missing_and_compiles(little: Path) -> None:
    script, po = little / "scripts" / "messages.py", little / "src/headway/lang/zh/LC_MESSAGES/headway.po"
    ours = ["count {n}", "one", "many", "An option.", "In a table.", "pass", "final", "disk", "On a page", "in quotes"]
    clicks = ["Usage:", "Show this message and exit.", "Got unexpected extra arguments ({args})"]

    first = _run(script, "--check")
    assert first.returncode == 1
    found = {line.removeprefix("not translated: ") for line in first.stdout.splitlines()}
    assert found >= {*ours, *clicks}
    assert not found & {"not shown", "not for people", "of another project"}
    assert not po.exists(), "--check writes nothing"

    assert _run(script).returncode == 0
    _translate(po, {"count {n}": "数 {m}"})
    assert "other fields: count {n} -> 数 {m}" in _run(script, "--check").stdout
    _translate(po, {})
    stale = _run(script, "--check")
    assert (stale.returncode, stale.stdout.count("\n")) == (1, 1)
    assert "stale" in stale.stdout
    assert _run(script).stdout == ""
    assert _run(script, "--check").returncode == 0


# The choice of the language


@pytest.mark.parametrize(
    ("wanted", "env", "expected"),
    [
        ("zh", {}, "zh"),
        ("en", {"HEADWAY_LANG": "zh", "LANG": "zh_CN.UTF-8"}, "en"),
        (None, {"HEADWAY_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
        (None, {"HEADWAY_LANG": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LC_ALL": "zh_TW.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        (None, {"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        (None, {"LC_MESSAGES": "zh_CN", "LANG": "en_US"}, "zh"),
        (None, {}, "en"),
        ("fr", {"LANG": "zh_CN.UTF-8"}, "en"),
        (None, {"HEADWAY_LANG": "xx"}, "en"),
    ],
)
def test_language(wanted: str | None, env: dict[str, str], expected: str) -> None:
    assert language(wanted, env) == expected


def test_values_are_put_into_the_translation() -> None:
    text = say("{version} is cut from {first} on", version="0.7.1", first=datetime(2025, 2, 3, tzinfo=UTC).date())
    assert tr(text, "zh") == "0.7.1 从 2025-02-03 起可切出"
    assert tr(text, "en") == str(text) == "0.7.1 is cut from 2025-02-03 on"


def test_what_no_catalogue_knows_stays_english() -> None:
    assert translated("only a coming release can slip", "fr") == "only a coming release can slip"
    assert translated("words that stand in no catalogue", "zh") == "words that stand in no catalogue"
    assert translated("", "zh") == "", "the catalogue's own header is no text"


# What a reader sees


def _commands() -> Iterator[tuple[str, click.Command]]:
    from headway.cli import main

    main._load()

    def walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                yield from walk(f"{path} {name}", inner)

    return walk("headway", main.cli)


def test_help_of_every_command_and_option_is_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["headway"])
    seen = 0
    for path, command in _commands():
        seen += 1
        with click.Context(command, info_name=path) as ctx:
            monkeypatch.setenv("HEADWAY_LANG", "en")
            english = command.get_help(ctx)
            monkeypatch.setenv("HEADWAY_LANG", "zh")
            chinese = command.get_help(ctx)
            assert CHINESE.search(chinese.partition("--")[0]), f"{path}: {chinese}"
            assert not CHINESE.search(english), path
            for option in command.params:
                if isinstance(option, click.Option) and type(option) is not click.Option and option.help:
                    record = option.get_help_record(ctx)
                    assert record is not None
                    assert CHINESE.search(record[1]), f"{path} {option.name}"
    assert seen > 30


def test_the_command_line_speaks_the_language_asked_for() -> None:
    chinese = _run("-m", "headway", "--lang", "zh", "plan", "--help")
    assert "下一次 tick 会做什么" in chinese.stdout
    assert "下一次 tick 会做什么" in _run("-m", "headway", "plan", "--help", HEADWAY_LANG="zh").stdout
    other = _run("-m", "headway", "plan", "--help", HEADWAY_LANG="fr")
    assert "What the next tick would do" in other.stdout
    assert not CHINESE.search(other.stdout)
    refused = _run("-m", "headway", "--lang", "fr", "plan")
    assert refused.returncode == 2


def test_an_error_is_told_in_chinese_and_stays_english_in_json(tmp_path: Path) -> None:
    at = ("-m", "headway", "--lang", "zh", "--repo", tmp_path, "status")
    told = _run(*at)
    assert told.returncode == 2
    assert "处没有 git 仓库" in told.stderr
    assert "→ 用 --repo PATH 指定" in told.stderr
    assert not CHINESE.search(_run(*at, "--json").stdout)


def test_a_chinese_table_is_aligned() -> None:
    rows = release_calendar(
        load_policy(None, source="preset", preset="vllm-2025"),
        2025,
        datetime(2025, 1, 1, tzinfo=UTC),
        {},
        frozenset(),
        {},
    )
    out = io.StringIO()
    Console(file=out, width=80).print(calendar_table(2025, rows, lambda text: tr(text, "zh")))
    title, *lines = out.getvalue().rstrip("\n").split("\n")
    assert title.strip() == "2025 年发布日历"
    assert len({cell_len(line) for line in lines}) == 1
    assert cell_len(lines[0]) <= 80
    assert "│ 1月" in out.getvalue()
