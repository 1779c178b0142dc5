"""A security fix that cannot be on the trunk first, with real git: two people, a private branch, a debt (P8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from trainkit import (
    BRANCH,
    CUT,
    GO,
    GRACE,
    PICKS,
    POST,
    Project,
    approve,
    ask,
    kinds,
    make_project,
    only,
    open_at,
    settle,
)

from headway import controls, reviewing
from headway.app import Headway
from headway.model.entry import Entry, Kind, broken_links
from headway.model.pick import Claims
from headway.model.text import facts_json
from headway.refusal import Refused

NEXT = datetime(2025, 2, 10, 12, 0, tzinfo=UTC)
PRIVATE = f"embargo/{BRANCH}"
DISCLOSED = date(2025, 1, 29)
SECRET = "Do not read outside of the table"
FIXED = "def rows():\n    return [0, 1, 2][:3]\n"


@dataclass
class Embargoed:
    """A fix on a private commit over the release branch, asked for and not waived yet."""

    project: Project
    request: int

    @property
    def fix(self) -> str:
        return self.project.shas["secret"]

    def app(self, at: datetime = PICKS, person: str = "Rosa") -> Headway:
        return open_at(self.project.path, at, person=person)

    def waive(self, person: str, at: datetime = PICKS) -> Entry | Refused:
        return controls.waive(self.app(at, person), "0.1.1", "P8", "under embargo", DISCLOSED, self.fix)

    def codes(self, at: datetime = PICKS) -> list[str]:
        return [w.code for w in self.app(at).train("0.1.1").waits]


@pytest.fixture(params=["bare", "clone"])
def embargoed(tmp_path: Path, request: pytest.FixtureRequest) -> Embargoed:
    project = make_project(tmp_path / "toy", bare=request.param == "bare")
    settle(open_at(project.path, CUT))
    project.made.branch("grace/secret", project.made.tip(BRANCH))
    project.commit(
        "secret", SECRET, {"toykit/table.py": FIXED}, branch="grace/secret", author=GRACE, when=CUT + timedelta(hours=1)
    )
    app = open_at(project.path, PICKS)
    claims = Claims(symptom="remote code execution", embargo=DISCLOSED.isoformat())
    asked = ask(app, project.shas["secret"], "critical", "CVE-2025-0001", claims=claims)
    assert asked.answer.verdict.value == "needs-review"
    return Embargoed(project, asked.id)


def test_from_the_request_to_the_paid_debt(embargoed: Embargoed) -> None:
    project, before = embargoed.project, embargoed.project.made.tip(BRANCH)
    settle(embargoed.app())
    assert project.ref(f"refs/heads/{PRIVATE}") is None
    assert "picks.embargo" in embargoed.codes()
    for person in ("Rosa", "Rosa"):  # twice the same person is one
        assert isinstance(embargoed.waive(person), Entry)
    settle(embargoed.app())
    assert project.ref(f"refs/heads/{PRIVATE}") is None
    assert isinstance(embargoed.waive("Bo"), Entry)

    done, _ = settle(embargoed.app())
    assert done == ["prepare-embargoed"]
    private = project.ref(f"refs/heads/{PRIVATE}")
    assert private == only(embargoed.app(), Kind.PREPARED, "0.1.1").payload["commit"]
    assert project.git("show", f"{PRIVATE}:toykit/table.py") + "\n" == FIXED
    assert project.git("log", "-1", "--format=%an <%ae>", PRIVATE) == GRACE
    assert project.made.tip(BRANCH) == before
    assert "picks.embargoed" in embargoed.codes()
    assert SECRET not in str([e.as_json() for e in embargoed.app().entries()])
    assert settle(embargoed.app())[0] == []  # and nothing twice

    settle(embargoed.app(GO))
    assert SECRET in project.git("log", "--format=%s", BRANCH)
    assert project.ref(f"refs/heads/{PRIVATE}") in {None, private}
    debt = only(embargoed.app(GO), Kind.INDEBTED, "0.1.1")
    assert debt.payload["origin"] == embargoed.fix
    assert Kind.PAID.value not in kinds(embargoed.app(GO))

    other = FIXED.replace("[:3]", "[0:3]")  # the trunk gets it in words of its own
    trunk = project.commit("public", "Keep within the table (#9)", {"toykit/table.py": other}, when=GO)
    assert settle(embargoed.app(POST))[0].count("pay-debt") == 0  # another commit: a person says so
    refused = reviewing.paid(embargoed.app(POST), embargoed.request, embargoed.fix)
    assert isinstance(refused, Refused)
    for other in (project.shas["first"], project.commit("else", "Else (#98)", {"docs/else.md": "x\n"})):
        answer = reviewing.paid(embargoed.app(POST), embargoed.request, other)
        assert isinstance(answer, Refused)
        assert [r.code for r in answer.reasons] == ["debt.another-change"]
    assert isinstance(reviewing.paid(embargoed.app(POST), embargoed.request, trunk), Entry)
    assert only(embargoed.app(POST), Kind.PAID, "0.1.1").payload["trunk"] == trunk
    assert broken_links(embargoed.app(POST).entries()) == ()


def test_a_debt_is_seen_to_be_paid_when_the_same_change_lands_on_the_trunk(embargoed: Embargoed) -> None:
    for person in ("Rosa", "Bo"):
        embargoed.waive(person)
    settle(embargoed.app())
    settle(embargoed.app(GO))
    trunk = embargoed.project.commit("public", f"{SECRET} (#9)", {"toykit/table.py": FIXED}, when=GO)
    settle(embargoed.app(POST))
    assert only(embargoed.app(POST), Kind.PAID, "0.1.1").payload["trunk"] == trunk


def test_a_later_train_waits_until_the_trunk_has_it(embargoed: Embargoed) -> None:
    for person in ("Rosa", "Bo"):
        embargoed.waive(person)
    settle(embargoed.app())
    settle(embargoed.app(GO))
    approve(embargoed.app(GO), "0.1.1")
    settle(embargoed.app(GO))
    assert only(embargoed.app(GO), Kind.RELEASED, "0.1.1")
    project = embargoed.project
    project.commit("next", "Another list (#10)", {"docs/other.md": "x\n"}, when=POST)
    settle(embargoed.app(NEXT))
    (wait,) = [w for w in embargoed.app(NEXT).train("0.1.2").waits if w.code == "picks.debt-missing"]
    debt = only(embargoed.app(NEXT), Kind.INDEBTED, "0.1.1")
    assert (wait.clause, facts_json(wait.facts)["commit"]) == ("P8", debt.payload["commit"])
    project.commit("public", f"{SECRET} (#9)", {"toykit/table.py": FIXED}, when=NEXT)
    settle(embargoed.app(NEXT))
    assert only(embargoed.app(NEXT), Kind.PAID, "0.1.1")


def test_a_branch_of_that_name_with_somebodys_work_is_left_as_it_is(embargoed: Embargoed) -> None:
    project = embargoed.project
    project.made.branch(PRIVATE, project.made.tip(BRANCH))
    project.commit("mine", "Mine", {"docs/mine.md": "x\n"}, branch=PRIVATE, when=PICKS)
    for person in ("Rosa", "Bo"):
        embargoed.waive(person)
    settle(embargoed.app())
    assert project.ref(f"refs/heads/{PRIVATE}") == project.shas["mine"]
    assert "picks.private-in-use" in embargoed.codes()
