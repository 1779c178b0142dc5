"""Figures of picks and reverts: from the ledger alone, and in a terminal of 80 columns."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from trainkit import CUT, PICKS, ask, grow_trunk, make_project, open_at
from worldeffects import settle
from worlds import BRANCH, VERSION, World, cut, policy

from headway.errors import UnusableInput
from headway.lang import tr
from headway.model.entry import Kind
from headway.model.pick import Category
from headway.reports import figures_of
from headway.views.figures import Figures, Spread, figures, over_all, span_text, trunk_reverts
from headway.views.figurestable import figures_table

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def of(world: World) -> Figures:
    times = {r.commit.sha: r.commit.committed for r in world.snapshot().reverts}
    return {f.train: f for f in figures(tuple(world.entries), times)}[VERSION]


def near(span: timedelta, wanted: timedelta) -> bool:
    """Worlds take half a minute for each commit."""
    return abs(span - wanted) < timedelta(minutes=3)


@pytest.fixture
def world() -> World:
    return cut(policy(candidate={"quiet_hours": 0}))


@pytest.mark.parametrize(
    ("hours", "wanted"), [((), (0, None, None)), ((3,), (1, 3, 3)), ((1, 2), (2, 1.5, 2)), (range(1, 11), (10, 5.5, 9))]
)
def test_the_middle_one_and_the_ninth_of_ten(hours: tuple[int, ...], wanted: tuple[float, ...]) -> None:
    spread = Spread.of(tuple(n * HOUR for n in reversed(hours))).as_json()
    assert tuple(spread.values()) == wanted


def test_lead_times_run_from_the_request_to_the_branch_and_to_its_candidate(world: World) -> None:
    """P1–P8: a request that waits, and one that is refused, have none."""
    first, second = world.commit("[Bugfix] One"), world.commit("[Bugfix] Two")
    world.request(first)
    world.wait(hours=2)
    world.request(second, Category.CRITICAL)
    world.request(world.commit("[Bugfix] Three"), verdict="needs-review")
    refused = world.request(world.commit("[Feature] Four"), verdict="refused")
    world.wait(hours=1)
    settle(world)
    found = of(world)
    assert found.requests == 4
    assert [near(s, w) for s, w in zip(found.applied, (3 * HOUR, HOUR), strict=True)] == [True, True]
    assert [near(s, w) for s, w in zip(found.candidate, (3 * HOUR, HOUR), strict=True)] == [True, True]
    assert found.picks == {"critical": 1, "regression": 1}
    assert (found.adopted, found.refused) == ({}, {})
    assert refused.payload["violations"] == []


def test_an_approval_is_waited_for_from_what_was_asked_last(world: World) -> None:
    fix = world.commit("[Bugfix] One")
    request = world.request(fix, verdict="needs-review")
    world.wait(days=1)
    world.note(
        Kind.APPROVED, actor="bob", gate=f"pick:{request.seq}", commit=fix.sha, evidence=request.digest, left_out=[]
    )
    (span,) = of(world).approval
    assert span == DAY


def test_the_trunks_reverts_are_counted_from_the_trunk_and_those_of_a_person_are_not(world: World) -> None:
    """B6: a revert that is not in the clone any more is left out."""
    bad = world.commit("[Bugfix] Bad")
    world.request(bad)
    settle(world)
    strange = world.on_branch("[CI] By hand")
    known = {"branch": BRANCH, "commit": strange.sha, "subject": "x", "reason": "y", "requests": []}
    world.note(Kind.REVERT_ASKED, actor="ann", **known)
    revert = world.revert(bad)
    world.wait(days=3)
    settle(world)
    (span,) = of(world).reverts
    assert near(span, 3 * DAY)
    assert trunk_reverts(tuple(world.entries)) == (revert.sha,)
    assert figures(tuple(world.entries), {})[0].reverts == ()


def test_what_was_adopted_and_refused_is_counted_by_category_and_clause(world: World) -> None:
    for category in ("docs", "docs", "release-branch"):
        strange = world.on_branch("[CI] By hand")
        world.note(Kind.ADOPTED, actor="ann", commit=strange.sha, branch=BRANCH, category=category, reason="why")
    rows = [{"clause": "P7", "code": "a"}, {"clause": "P7", "code": "b"}, {"clause": "P8", "code": "c"}]
    known = {"ref": "#1", "commit": None, "subject": "", "category": "docs", "reason": "", "evidence": []}
    for violations in (rows, rows[:1]):
        world.note(Kind.REQUESTED, actor="ann", **known, verdict="refused", violations=violations)
    found = of(world)
    assert found.adopted == {"docs": 2, "release-branch": 1}
    assert found.refused == {"P7": 2, "P8": 1}
    other = figures(
        (*world.entries, world.note(Kind.REQUESTED, "0.7.2", **known, verdict="refused", violations=rows)), {}
    )
    assert [f.train for f in other] == [VERSION, "0.7.2"]
    whole = over_all(other)
    assert (whole.train, whole.requests, whole.refused) == (None, 3, {"P7": 3, "P8": 2})


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "-"),
        (timedelta(seconds=20), "0 min"),
        (timedelta(minutes=89), "89 min"),
        (timedelta(minutes=90), "1.5 h"),
        (47 * HOUR, "47 h"),
        (50 * HOUR, "2.1 days"),
        (30 * DAY, "30 days"),
    ],
)
def test_spans_are_said_as_people_say_them(span: timedelta | None, words: str) -> None:
    assert tr(span_text(span), "en") == words


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_they_fit_a_terminal_of_80_columns(lang: str) -> None:
    many = {c.value: 123 for c in Category}
    whole = Figures(None, 500, (90 * DAY,) * 500, (HOUR,), (), (), many, many, {f"P{n}": 10 for n in range(1, 9)})
    out = StringIO()
    Console(file=out, width=80, color_system=None).print(figures_table((whole, whole), lang))
    lines = out.getvalue().splitlines()
    assert all(sum(2 if ord(c) > 0x2E80 else 1 for c in line) <= 80 for line in lines)
    assert sum("500" in line for line in lines) == 4
    assert "P8 10" in out.getvalue()


def test_of_a_real_project(tmp_path: Path) -> None:
    project = make_project(tmp_path / "toy.git")
    assert figures_of(open_at(project.path, CUT), None) == ()
    open_at(project.path, CUT).tick()
    grow_trunk(project)
    app = open_at(project.path, PICKS)
    ask(app, project.shas["docs"], "docs")
    app.tick()
    (found,) = figures_of(app, None)
    assert (found.train, dict(found.picks), found.applied) == ("0.1.1", {"docs": 1}, (timedelta(),))
    (latency,) = found.reverts
    assert timedelta() < latency < 2 * DAY
    assert figures_of(app, "v0.1.1") == (found,)
    with pytest.raises(UnusableInput) as caught:
        figures_of(app, "9.9.9")
    assert caught.value.code == "train.not-found"
