"""Many trains, picks and stops on a page: what is drawn as one, what is folded, what a filter finds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from headway.decide.pickstates import PickState
from headway.model.reason import Reason
from headway.model.text import say
from headway.model.train import Stage
from headway.policy.scheme import ReleaseKind
from headway.views.board import BoardRow, Turn
from headway.views.groups import pick_groups
from headway.views.picks import PickRow
from headway.views.stops import Stop, StopKind
from headway.web.drawing import draw
from headway.web.routes.board import cards, fits
from headway.web.routes.logs import log_file

CUT = Stop(StopKind.CUT, "abc", "abc", "a" * 40, False)


def stop(kind: StopKind, number: int) -> Stop:
    return Stop(kind, f"#{number}", f"Fix {number}", f"{number:040x}", kind is StopKind.PICK)


def row(version: str, turn: Turn = Turn.CALENDAR, *waits: str) -> BoardRow:
    reasons = tuple(Reason("G2", code, say("{text}", text=f"waits: {code}"), (), say("wait")) for code in waits)
    return BoardRow(
        version=version,
        kind=ReleaseKind.PATCH,
        date=date(2025, 2, 12),
        tentative=True,
        days_left=3,
        stage=Stage.OPEN,
        branch=f"releases/v{version}",
        candidates=(),
        gates=(),
        blockers=reasons,
        steps=(),
        turn=turn,
        phase=None,
    )


def pick(id: int, state: PickState) -> PickRow:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    words = say("critical")
    return PickRow(
        id,
        "0.1.1",
        f"#{id}",
        None,
        "Fix",
        words,
        "critical",
        "P3",
        "",
        (),
        {},
        "Rosa",
        at,
        state,
        "accepted",
        (),
        (),
        (),
        (),
    )


def test_a_short_line_is_drawn_stop_by_stop() -> None:
    drawing = draw((CUT, *(stop(StopKind.PICK, n) for n in range(5))), ended=False)
    assert drawing is not None
    assert [m.count for m in drawing.marks] == [1] * 6


def test_changes_in_a_row_are_one_mark_of_a_long_line() -> None:
    first = [stop(StopKind.PICK, n) for n in range(70)]
    second = [stop(StopKind.PICK if n % 3 else StopKind.REVERT, n) for n in range(30)]
    rc1, rc2, odd = (stop(k, n) for n, k in enumerate((StopKind.CANDIDATE, StopKind.CANDIDATE, StopKind.UNEXPLAINED)))
    drawing = draw((CUT, *first, rc1, *second, odd, rc2), ended=False)
    assert drawing is not None
    assert [(m.stop.kind.value, m.count) for m in drawing.marks] == [
        ("cut", 1),
        ("pick", 70),
        ("candidate", 1),
        ("pick", 30),
        ("unexplained", 1),
        ("candidate", 1),
    ]
    assert drawing.width < 1000


def test_picks_that_still_move_stand_first_and_those_for_review_before_all() -> None:
    states = [PickState.APPLIED] * 80 + [PickState.PENDING, PickState.REVIEW, PickState.REFUSED]
    groups = pick_groups(tuple(pick(i, s) for i, s in enumerate(states)))
    assert [(str(title), len(rows), open_) for title, rows, open_ in groups] == [
        ("Still to come", 2, True),
        ("On the branch", 80, False),
        ("Came to nothing", 1, False),
    ]
    assert groups[0][1][0].state is PickState.REVIEW


def test_of_many_trains_those_that_need_somebody_are_shown_in_full() -> None:
    trains = [row(f"0.{n}.0") for n in range(60)]
    trains[40] = row("0.40.0", Turn.PERSON)
    trains[50] = row("0.50.0", Turn.CALENDAR, "train.held")
    shown = [r.version for r in cards(tuple(trains))]
    assert len(shown) == 8
    assert {"0.40.0", "0.50.0"} <= set(shown)
    assert shown == [r.version for r in trains if r.version in shown]  # in the board's own order
    assert cards(tuple(trains[:8])) == tuple(trains[:8])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("", True), ("0.7", True), ("RELEASES/V0.7.1 open", True), ("held", True), ("2025-02-12", True), ("0.8", False)],
)
def test_a_filter_finds_trains_by_what_the_board_says_of_them(wanted: str, found: bool) -> None:
    assert fits(row("0.7.1", Turn.PERSON, "train.held"), wanted, str) is found


def test_a_log_is_a_regular_file_of_its_folder(tmp_path: Path) -> None:
    logs, other = tmp_path / "logs", tmp_path / "other.log"
    logs.mkdir()
    (logs / "a.log").write_text("a")
    other.write_text("secret")
    (logs / "link.log").symlink_to(other)
    assert log_file(logs, str(logs / "a.log")) == (logs / "a.log").resolve()
    assert log_file(logs, "a.log") is not None
    for named in (str(other), str(logs / "link.log"), "../other.log", str(logs), "missing.log", "a\0b", "x" * 5000):
        assert log_file(logs, named) is None
    assert log_file(tmp_path / "nothing", "a.log") is None
