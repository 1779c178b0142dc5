"""The board of a real project at each stage: signals, whose turn it is, what it waits for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from webworld import PERF, POLICY, World

from headway import controls, withdrawing
from headway.lang import tr
from headway.model.text import say
from headway.views.board import Board, BoardRow, Turn, board, board_json, when_text
from headway.views.gates import Light
from headway.views.terminal import BoardTable
from headway.web.look import train_of
from headway.web.picture import picture_of


def look(world: World) -> Board:
    app = world.app()
    return board(app.plan(), app.policy, app.entries(), app.clock.now())


def lights(row: BoardRow) -> str:
    """One letter for each signal, in order."""
    letters = {Light.OK: "o", Light.WAITING: "w", Light.BLOCKED: "x", Light.NONE: "-"}
    return "".join(letters[g.light] for g in row.gates)


def words(row: BoardRow, gate: str) -> str:
    return str(next(g.words for g in row.gates if g.name == gate))


def printed(found: Board, lang: str = "en", encoding: str = "utf-8", width: int = 80) -> str:
    console = Console(width=width, force_terminal=False, record=True, file=open("/dev/null", "w", encoding=encoding))  # noqa: SIM115
    console.print(BoardTable(found, lang))
    console.file.close()
    return console.export_text()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> World:
    """At its decision; to be looked at only."""
    return World(tmp_path_factory.mktemp("decided")).to_decision()


@pytest.fixture(scope="module")
def regressed(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Found to be slower; to be looked at only."""
    return World(tmp_path_factory.mktemp("regressed"), POLICY + PERF).to_regressed()


def test_a_planned_train_waits_for_its_day(world: World) -> None:
    (row,) = look(world).trains
    assert (row.version, row.stage.value, row.date, row.days_left) == ("0.1.1", "planned", date(2025, 1, 29), 14)
    assert (lights(row), row.here, row.turn, row.tentative) == ("w------", "cut", Turn.CALENDAR, True)
    assert [(s.turn, s.clause) for s in row.steps] == [(Turn.CALENDAR, "B2")]


def test_a_cut_that_is_due_and_one_that_is_late(world: World) -> None:
    (row,) = look(world.at("01-27T09")).trains
    assert (lights(row), row.turn) == ("w------", Turn.HEADWAY)
    assert str(row.steps[0].words).startswith("cut releases/v0.1.1 from trunk commit ")
    (row,) = look(world.at("01-30T09")).trains
    assert (lights(row), row.turn, row.blockers[0].code) == ("x-----x", Turn.PERSON, "cut.too-late")


def test_picks_that_are_to_be_applied_come_before_the_next_candidate(world: World) -> None:
    (row,) = look(world.to_open()).trains
    assert (lights(row), row.here, row.turn) == ("ow-----", "picks", Turn.HEADWAY)
    assert "Stop at end of text (#4)" in words(row, "picks")
    assert [(c.tag, c.built.value, c.tested.value) for c in row.candidates] == [("v0.1.1-rc1", "passed", "passed")]


def test_a_go_is_a_persons_turn(decided: World) -> None:
    (row,) = look(decided).trains
    assert (lights(row), row.here, row.turn) == ("oooo-ww", "approval", Turn.PERSON)
    assert words(row, "picks") == "applied: 2 of 2"
    assert words(row, "approval") == "gate go: 0 of 1 approved"
    assert str(when_text(row)) == "tomorrow"


def test_an_approval_that_lapsed_says_whose(world: World) -> None:
    world.to_decision()
    controls.approve(world.app(), "0.1.1", "go")
    (row,) = look(world).trains
    assert lights(row) == "oooo-ow"
    world.git.commit("[Bugfix] One more (#9)", {"toy.py": "ANSWER = 43\n"})
    world.pick("#9", "regression", "broke", "https://example.org/9", "good=0.1.0", "bad=main")
    (row,) = look(world.settle()).trains
    assert lights(row) == "oooo-ww"
    assert words(row, "approval") == "gate go: what Rosa approved has changed"


def test_a_held_train_is_stopped(world: World) -> None:
    world.to_decision()
    controls.hold(world.app(), "0.1.1", "outage")
    (row,) = look(world).trains
    assert (row.stopped, row.turn, row.blockers[0].clause) == (True, Turn.PERSON, "G2")
    assert "stopped" in printed(look(world))


def test_a_released_train_has_departed(world: World) -> None:
    found = look(world.to_released())
    assert [r.version for r in found.trains] == ["0.1.2"]
    assert [(d.version, d.tag, d.yanked) for d in found.departed] == [("0.1.1", "v0.1.1", False)]
    withdrawing.yank(world.app(), "0.1.1", "wrong")
    assert look(world).departed[0].yanked


def test_a_failed_test_blocks(tmp_path: Path) -> None:
    world = World(tmp_path, POLICY + "[test]\ncommand = \"{python} -c 'raise SystemExit(3)'\"\n")
    (row,) = look(world.at("01-27T09").settle()).trains
    assert (lights(row), row.here, row.turn) == ("ooox---", "test", Turn.PERSON)
    assert row.candidates[0].tested.value == "failed"
    assert row.candidates[0].why


def test_a_slower_candidate_is_blocked_and_its_culprit_named(regressed: World) -> None:
    (row,) = look(regressed).trains
    assert (lights(row), row.here) == ("owoox-w", "performance")
    assert words(row, "performance") == "slower: median_tpot_ms × 1.31"
    train = train_of(picture_of(regressed.app(), ""), "0.1.1").train
    assert [(c.metric, c.verdict.value) for c in train.cells] == [
        ("median_tpot_ms", "regressed"),
        ("output_throughput", "pass"),
        ("median_ttft_ms", "pass"),
    ]
    assert [(c.commit, c.confirmed) for c in train.culprits] == [(regressed.first, True)]
    assert [(p.ref, p.state.value) for p in train.picks] == [
        ("#4", "applied"),
        ("#5", "applied"),
        ("#6", "refused"),
        ("#66", "needs-review"),
    ]
    assert [(r.state.value, r.reland) for r in train.reverts] == [("already-reverted", False)]


def test_two_trains_at_once(tmp_path: Path) -> None:
    found = look(World(tmp_path).to_busy())
    assert [(r.version, r.kind.value, r.turn) for r in found.trains] == [
        ("0.1.1.post1", "post", Turn.PERSON),
        ("0.1.2", "patch", Turn.HEADWAY),
    ]
    assert [lights(r) for r in found.trains] == ["ooooowo", "oooox--"]


def test_the_json_of_status(decided: World) -> None:
    document = json.loads(json.dumps(board_json(look(decided))))
    (train,) = document["trains"]
    assert {"version", "stage", "branch", "candidates", "blockers", "next"} <= set(train)
    assert (train["version"], train["stage"], train["branch"]) == ("0.1.1", "go/no-go", "releases/v0.1.1")
    assert [b["clause"] for b in train["blockers"]] == ["G1", "C1"]
    assert [g["state"] for g in train["gates"]] == ["ok", "ok", "ok", "ok", "none", "waiting", "waiting"]
    newest = train["candidates"][-1]
    assert newest["commit"] == decided.git.tip("v0.1.1-rc2")
    assert {len(x["sha256"]) for x in newest["artifacts"]} == {64}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_terminals_board_fits_80_columns(regressed: World, lang: str) -> None:
    text = printed(look(regressed), lang)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "0.1.1" in text
    assert "headway approve 0.1.1 go" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_terminals_board_without_unicode_and_without_colour(decided: World) -> None:
    text = printed(look(decided), encoding="ascii")
    assert "+ cut" in text
    assert "~ approval" in text
    assert "waiting" in text
    assert not set("●◐○→") & set(text)


def test_days_in_words() -> None:
    def said(days: int) -> str:
        row = BoardRow.__new__(BoardRow)
        object.__setattr__(row, "days_left", days)
        return str(when_text(row))

    assert [said(d) for d in (-2, -1, 0, 1, 2)] == ["2 days ago", "yesterday", "today", "tomorrow", "in 2 days"]


def test_the_zone_of_the_policy_counts_the_days(tmp_path: Path) -> None:
    world = World(tmp_path, POLICY + 'timezone = "Asia/Shanghai"\n')
    world.clock.set(datetime(2025, 1, 27, 23, 0, tzinfo=UTC))
    assert look(world).trains[0].days_left == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_signal_is_whole_in_80_columns_however_many_there_are(decided: World, lang: str) -> None:
    """Gates of the policy and images are signals of their own."""
    found = look(decided)
    row = found.trains[0]
    more = (replace(row.gates[0], name="images", title=say("images")), replace(row.gates[0], title=say("gates")))
    many = replace(found, trains=(replace(row, gates=(*row.gates, *more, *more)),))
    text = printed(many, lang)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "…" not in text.split("v0.1.1")[0]
    for gate in many.trains[0].gates:
        assert tr(gate.title, lang) in text
