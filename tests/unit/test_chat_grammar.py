"""Commands in comments: where they count, what they say, how wrong ones are told."""

from __future__ import annotations

from datetime import date

import pytest

from headway.chat.commands import (
    Abandon,
    Adopt,
    Approve,
    Command,
    Cut,
    Drop,
    Help,
    Hold,
    Pick,
    Reject,
    ReleaseHold,
    Resolve,
    Slip,
    Status,
    Waive,
    Withdraw,
    Wrong,
)
from headway.chat.grammar import MOST, read_commands
from headway.model.pick import Category, Claims

MENTION = "pytorchbot"


def read(body: str) -> list[Command]:
    return [t.command for t in read_commands(body, MENTION)]


def wrong(body: str) -> Wrong:
    (found,) = read(body)
    assert isinstance(found, Wrong), found
    return found


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/pick v0.9.2 regression slow decode", Pick("v0.9.2", "", Category.REGRESSION, "slow decode")),
        ("/PICK 0.9.2 docs: a typo", Pick("0.9.2", "", Category.DOCS, "a typo")),
        ("/pick releases/v0.9.2 #7 critical hangs", Pick("releases/v0.9.2", "#7", Category.CRITICAL, "hangs")),
        ("/pick v1.0 1234567..89abcde docs a range", Pick("v1.0", "1234567..89abcde", Category.DOCS, "a range")),
        ("/pick v1.0 fixnewfeature x", Pick("v1.0", "", Category.NEW_FEATURE_FIX, "x")),
        ("/pick v1.0 release the version", Pick("v1.0", "", Category.RELEASE_BRANCH, "the version")),
        (
            "/pick v1.0 <https://github.com/o/r/pull/7> docs x",
            Pick("v1.0", "https://github.com/o/r/pull/7", Category.DOCS, "x"),
        ),
        (
            '/pick v1.0 critical wrong --symptom "silently wrong" evidence: https://x.org/1 evidence:#12',
            Pick("v1.0", "", Category.CRITICAL, "wrong", ("https://x.org/1", "#12"), Claims(symptom="silently wrong")),
        ),
        (
            "/pick 26.3.1 regression names are wrong good: 26.3 bad:main",
            Pick("26.3.1", "", Category.REGRESSION, "names are wrong", (), Claims(good="26.3", bad="main")),
        ),
        (
            '/pick v1.0 critical symptom: "silently wrong" wrong Evidence: #12 test: tests/a.py::b::c',
            Pick(
                "v1.0",
                "",
                Category.CRITICAL,
                "wrong",
                ("#12",),
                Claims(symptom="silently wrong", test="tests/a.py::b::c"),
            ),
        ),
        ("/pick v1.0 docs a std::test::bad name", Pick("v1.0", "", Category.DOCS, "a std::test::bad name")),
        (
            "/pick v1.0 regression slow\nevidence: <https://x.org/1>\ngood: v0.9\nbad: main\nand that is all",
            Pick("v1.0", "", Category.REGRESSION, "slow", ("https://x.org/1",), Claims(good="v0.9", bad="main")),
        ),
        (
            "/pick v1.0 regression slow \N{EM DASH}good v0.9 --bad=main",
            Pick("v1.0", "", Category.REGRESSION, "slow", (), Claims(good="v0.9", bad="main")),
        ),
        (
            "/pick v1.0 docs says what https://x.org and --enable-prefix-caching do",
            Pick("v1.0", "", Category.DOCS, "says what https://x.org and --enable-prefix-caching do"),
        ),
        (
            '@pytorchbot cherry-pick --onto release/2.6 -c regression --fixes "#123"',
            Pick("release/2.6", "", Category.REGRESSION, "fixes #123", ("#123",)),
        ),
        (
            "@PyTorchBot[bot] cherry-pick --into=release/2.6 -c=fixnewfeature --fixes 9",
            Pick("release/2.6", "", Category.NEW_FEATURE_FIX, "fixes #9", ("#9",)),
        ),
        ("/approve", Approve("", "")),
        ("/approve v0.9.2", Approve("v0.9.2", "")),
        ("/approve v0.9.2 go", Approve("v0.9.2", "go")),
        ("/approve pick:12", Approve("", "pick:12")),
        ("/approve releases/v0.9.2 revert:0123abcd", Approve("releases/v0.9.2", "revert:0123abcd")),
        ("/reject 12 a feature", Reject(12, "a feature")),
        ("/reject pick:12 a feature", Reject(12, "a feature")),
        ("/reject it is a feature", Reject(None, "it is a feature")),
        ("/withdraw 12", Withdraw(12, "withdrawn by a comment, without a reason")),
        ("/withdraw not needed", Withdraw(None, "not needed")),
        ("/hold v0.9.2 the runners are down", Hold("v0.9.2", "the runners are down")),
        ("/release-hold v0.9.2", ReleaseHold("v0.9.2")),
        ("/waive v0.9.2 e2 until 2025-07-08 no H100", Waive("v0.9.2", "E2", date(2025, 7, 8), "no H100")),
        ("/waive v1.0 P7 small until: 2025-07-08.", Waive("v1.0", "P7", date(2025, 7, 8), "small")),
        (
            "/waive v1.0 Llama 3/H100/serve 8k/ttft until 2025-07-08 noise",
            Waive("v1.0", "Llama 3/H100/serve 8k/ttft", date(2025, 7, 8), "noise"),
        ),
        (
            "/waive v1.0 P8 --commit #7 --until 2025-07-08 it is urgent",
            Waive("v1.0", "P8", date(2025, 7, 8), "it is urgent", "#7"),
        ),
        ("/cut v0.9.2", Cut("v0.9.2", "")),
        ("/cut releases/v0.9.2 0123abcd", Cut("releases/v0.9.2", "0123abcd")),
        ("/slip v0.9.2 to 2025-07-08 no runner", Slip("v0.9.2", date(2025, 7, 8), "no runner")),
        ("/slip v0.9.2 2025-07-08: no runner", Slip("v0.9.2", date(2025, 7, 8), "no runner")),
        ("/abandon v0.9.2 the next has it", Abandon("v0.9.2", "the next has it")),
        ("/adopt 0123abcd docs: a typo", Adopt("0123abcd", Category.DOCS, "a typo")),
        ("/drop 0123abcd it  breaks", Drop("0123abcd", "it  breaks")),
        ("/resolve", Resolve()),
        ("/status", Status("")),
        ("/status v0.9.2", Status("v0.9.2")),
        ("/headway help", Help()),
        ("/headway", Help()),
        ("/hold: v0.9.2 the runners are down", Hold("v0.9.2", "the runners are down")),
        ("/hold v0.9.2: the runners are down", Hold("v0.9.2", "the runners are down")),
        ("/hold\tv0.9.2\tit burns", Hold("v0.9.2", "it burns")),
        ("/hold\N{IDEOGRAPHIC SPACE}v0.9.2\N{IDEOGRAPHIC SPACE}机器坏了", Hold("v0.9.2", "机器坏了")),
        ("/hold v0.9.2，机器坏了，等周一", Hold("v0.9.2", "机器坏了，等周一")),
        ("/release-hold v0.9.2.", ReleaseHold("v0.9.2")),
        ("/approve v0.9.2, go", Approve("v0.9.2", "go")),
        ("/slip v0.9.2 to 2025-07-08，没有机器", Slip("v0.9.2", date(2025, 7, 8), "没有机器")),
        ("/abandon v0.9.2：下一个都有", Abandon("v0.9.2", "下一个都有")),
        ("/drop 0123abcd，构建失败", Drop("0123abcd", "构建失败")),
        ("/adopt 0123abcd docs，错字", Adopt("0123abcd", Category.DOCS, "错字")),
        ("/waive v1.0 E2 until 2025-07-08， 没有 H100", Waive("v1.0", "E2", date(2025, 7, 8), "没有 H100")),
        (
            "/pick v1.0 #7 critical，它崩溃了 symptom：crash\nevidence：https://x.org/1",
            Pick("v1.0", "#7", Category.CRITICAL, "它崩溃了", ("https://x.org/1",), Claims(symptom="crash")),
        ),
    ],
)
def test_what_a_line_commands(body: str, command: Command) -> None:
    assert read(body) == [command]


@pytest.mark.parametrize(
    ("body", "clause", "words"),
    [
        ("/cut", "", "name the release first"),
        ("/cut v1.0 main", "B1", "a commit of the trunk"),
        ("/cut v1.0 0123abcd now", "B1", "no other word"),
        ("/slip v1.0", "C4", "names the new day"),
        ("/slip v1.0 to Monday it rains", "C4", "Monday is no day: a slip names the new day"),
        ("/slip v1.0 to 2025-13-45 it rains", "C4", "2025-13-45 is no day"),
        ("/slip v1.0 to 2025-07-08", "C4", "states its reason"),
        ("/slip to 2025-07-08 it rains", "", "name the release first"),
        ("/abandon v1.0", "C4", "states the reason"),
        ("/abandon it", "", "name the release first"),
        ("/adopt", "G3", "name a commit"),
        ("/adopt main docs x", "G3", "name a commit"),
        ("/adopt 0123abcd", "P1", "exactly one category"),
        ("/adopt 0123abcd nice x", "P1", "nice is no category"),
        ("/adopt 0123abcd docs", "G3", "has a reason"),
        ("/drop --force x", "G3", "name a commit"),
        ("/drop 0123abcd", "G3", "has a reason"),
        ("/pick", "", "name the release first"),
        ("/pick regression slow", "", "name the release first"),
        ("/pick v1.0", "P1", "exactly one category"),
        ("/pick v1.0 nice a fix", "P1", "nice is no category"),
        ("/pick v1.0 feature a fix", "P1", "feature is no category"),
        ("/pick v1.0 docs", "P1", "states its reason"),
        ("/pick v1.0 regression x good: bad: main", "", "good: lacks its value"),
        ("/pick v1.0 docs x --evidnce y", "", "is it --evidence?"),
        ("/pick v1.0 regression x --good", "", "--good lacks its value"),
        ("/pick v1.0 regression x --good --bad main", "", "--good lacks its value"),
        ("/pick v1.0 critical x --embargo 2025-02-02", "P8", "where everybody reads"),
        ("/approve v1.0 go it looks good", "", "no other word"),
        ("/approve v1.0 $(rm)", "", "no other word"),
        ("/reject 12", "P1", "states its reason"),
        ("/hold", "", "name the release first"),
        ("/hold v1.0", "G2", "states its reason"),
        ("/release-hold", "", "it takes a release"),
        ("/waive v1.0 E2 no H100", "G1", "ends on a day"),
        ("/waive v1.0 E2 until tomorrow no H100", "G1", "tomorrow is no day: a waiver ends on a day"),
        ("/hold v1.0，", "G2", "states its reason"),
        ("/pick v1.0，#7 docs x", "", "name the release first"),
        ("/waive v1.0 E2 until 2025-07-08", "G1", "states its reason"),
        ("/waive v1.0 until 2025-07-08 x", "G1", "name the clause"),
        ("/resolve it", "", "takes no word"),
        ("/status of all", "", "it takes a release"),
        ("/headway go", "", "it takes `help`"),
        ("@pytorchbot cherry-pick", "", "required"),
        ("@pytorchbot cherry-pick --onto release/2.6", "", "required"),
        ("@pytorchbot cherry-pick --onto release/2.6 -c nice", "P1", "nice is no category"),
        ("@pytorchbot cherry-pick --onto x -c docs", "B1", "x is no release branch"),
        ("@pytorchbot cherry-pick --onto release/2.6 -c docs 'x", "", "quotation"),
        ("@pytorchbot cherry-pick --onto release/2.6 -c docs --help", "", "--help"),
    ],
)
def test_what_is_wrong_in_a_line(body: str, clause: str, words: str) -> None:
    found = wrong(body)
    assert found.clause == clause
    assert words in str(found.what)


@pytest.mark.parametrize(
    ("body", "like"),
    [
        ("/pik v1.2.3 regression slow", "pick"),
        ("/picks v1.2.3 regression slow", "pick"),
        ("/hodl v1.0 it burns", "hold"),
        ("/Aprove", "approve"),
        ("/approved", "approve"),
        ("/statsu", "status"),
        ("/wiave v1.0 E2", "waive"),
        ("/release_hold v1.0", "release-hold"),
        ("/adpot 0123abcd docs x", "adopt"),
        ("/aprrove pick:12", "approve"),
        ("@pytorchbot cherrypick --onto release/2.6 -c docs", "cherry-pick"),
        ("@pytorchbot chery-pick", "cherry-pick"),
        ("／hold v1.0 机器坏了", "hold"),
        ("／resolve", "resolve"),
        ("@pytorchbot hold v1.0 it burns", "hold"),
        ("@pytorchbot[bot] status", "status"),
    ],
)
def test_a_mistyped_command_is_told_which_one_is_meant(body: str, like: str) -> None:
    """The issue: "an answer for every command, also for a wrong one"."""
    found = wrong(body)
    assert found.word == like
    assert str(found.what).endswith(f"{like}?")


@pytest.mark.parametrize(
    "body",
    [
        "I would /approve v1.0 go",
        "  /approve v1.0 go",
        "> /approve v1.0 go",
        "> quoted\n/approve v1.0 go",  # its page shows it in the quotation
        "- /approve v1.0 go",
        "    /approve v1.0 go",
        "```\n/approve v1.0 go\n```",
        "~~~~text\n/approve v1.0 go\n~~~\n",
        "```\n/approve v1.0 go",
        "<!-- /approve v1.0 go -->",
        "<!--\n/approve v1.0 go\n-->",
        "seen <!-- \n/approve v1.0 go\n --> it",
        "<pre>\n/approve v1.0 go\n</pre>",
        "/approved that it is",
        "/approve/that",
        "/foo bar",
        "/foo v1.0",
        "/retest",
        "/retest v1.0",
        "/lgtm",
        "/help",
        "/unhold",
        "/ping",
        "/skip v1.0",
        "/pickle it",
        "/",
        "@pytorchbot merge",
        "@pytorchbot rebase --onto main",
        "@pytorchbot hold on, please",
        "／hold on",
        "@pytorchbot-friend cherry-pick --onto release/2.6 -c docs",
        "@headway cherry-pick --onto release/2.6 -c docs",
        "",
        "\0",
    ],
)
def test_talk_commands_nothing(body: str) -> None:
    assert read(body) == []


def test_several_commands_are_read_in_order_and_not_without_end() -> None:
    assert read("Hello\r\n\r\n/status v1.0\r\n/resolve\r\n\r\nthanks\r\n/headway help") == [
        Status("v1.0"),
        Resolve(),
        Help(),
    ]
    many = read("/status\n" * 500)
    assert len(many) == MOST + 1
    assert isinstance(many[-1], Wrong)
    assert many[:-1] == [Status("")] * MOST


def test_what_is_hidden_in_a_comment_is_no_part_of_a_command() -> None:
    assert read("/hold v1.0 <!-- nobody sees this --> it burns") == [Hold("v1.0", "it burns")]
    assert read("/hold v1.0 it <!-- \n/status\n--> burns") == [Hold("v1.0", "it  burns")]


def test_what_a_terminal_would_obey_is_replaced() -> None:
    (found,) = read("/hold v1.0 a\x1b[31m\u202eb\ud800")
    assert found == Hold("v1.0", "a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}")
