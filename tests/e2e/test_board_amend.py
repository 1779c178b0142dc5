"""A request is stated anew on the board: by whose it is, and not over what others wrote meanwhile (P1, G1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from boardkit import Desk, copied, form_in
from webworld import POLICY, World

from headway import picking, reviewing
from headway.model.entry import Entry, Kind
from headway.model.pick import Claims, PickRequest
from headway.model.visitor import Role

REVIEW = '[review]\npeople = ["Rosa", "Bo"]\n'
EVIL = "</textarea><script>alert(1)</script> \u202egnp.exe \"'&"
SAID = ("category", "reason", "evidence", "good", "bad", "test", "perf", "symptom", "feature", "embargo")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    """0.1.1 is cut; @ann asks for a fix that needs a review, and for a feature, which the gate refuses."""
    world = World(tmp_path_factory.mktemp("asked"), POLICY + REVIEW).at("01-27T09")
    world.app().tick()
    world.at("01-27T10")
    world.fix = world.git.commit("[Bugfix] Stop at end of text (#4)", {"toy.py": "ANSWER = 42\n"})
    world.feature = world.git.commit("[Feature] Support beams (#6)", {"beams.py": "N = 4\n"})
    world.at("01-27T15")
    links = ("https://example.org/4", "seen by two users")
    fix = PickRequest("#4", "critical", "it never stops\nat all", links, Claims(symptom="other"))
    picking.request_pick(world.app("@ann"), fix)
    picking.request_pick(world.app("@ann"), PickRequest("#6", "critical", "wanted", ()))
    return world


@pytest.fixture
def cut(asked: World, tmp_path: Path) -> World:
    return copied(asked, tmp_path / "cut")


def ids(world: World) -> tuple[int, int]:
    fix, feature = (e.seq for e in world.app().entries() if e.kind is Kind.REQUESTED)
    return fix, feature


def ann(world: World) -> Desk:
    return Desk(world, "@ann", Role.REQUESTER)


def said(entry: Entry) -> dict[str, object]:
    return {k: entry.payload[k] for k in ("ref", "category", "reason", "evidence", "claims")}


def test_p1_the_form_holds_what_the_request_says_and_adds_to_it(cut: World) -> None:
    id, _ = ids(cut)
    desk = ann(cut)
    path = f"/trains/0.1.1/amend?of=pick:{id}&lang=en"
    _, fields = desk.form(path)
    assert [fields[k] for k in SAID[:3]] == [
        "critical",
        "it never stops\nat all",
        "https://example.org/4\nseen by two users",
    ]
    assert fields["symptom"] == "other"
    assert "ref" not in fields  # it stays the same change
    before = desk.entries()[id - 1]
    entry = desk.written(path, evidence=fields["evidence"] + "\n\nhttps://example.org/5\n", symptom="crash")
    assert (entry.kind, entry.payload["request"], entry.payload["verdict"]) == (Kind.AMENDED, id, "accepted")
    assert said(entry) == {
        **said(before),
        "evidence": [*before.payload["evidence"], "https://example.org/5"],
        "claims": {"symptom": "crash"},
    }


def test_p1_what_is_taken_out_of_the_form_is_not_said_any_more(cut: World) -> None:
    id, _ = ids(cut)
    entry = ann(cut).written(f"/trains/0.1.1/amend?of=pick:{id}", evidence="", symptom="", category="docs")
    assert (entry.payload["evidence"], entry.payload["claims"], entry.payload["category"]) == ([], {}, "docs")
    assert cut.app().entries()[id - 1].payload["claims"] == {"symptom": "other"}  # it stays in the ledger


def test_p1_a_refused_request_leads_to_being_amended(cut: World) -> None:
    _, id = ids(cut)
    desk, link = ann(cut), f'href="/trains/0.1.1/amend?back=train&amp;of=pick%3A{id}'
    assert link in desk.page("/trains/0.1.1")
    entry = desk.written(f"/trains/0.1.1/amend?of=pick:{id}", reason=EVIL)
    assert entry.payload["verdict"] == "refused"
    page = desk.page(f"/trains/0.1.1/amend?of=pick:{id}")
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert form_in(page)[1]["evidence"] == ""


def test_p1_an_approval_of_what_it_was_lapses_and_the_form_says_so(cut: World) -> None:
    id, _ = ids(cut)
    reviewing.approve_pick(cut.app("Bo"), "0.1.1", f"pick:{id}")
    page = ann(cut).page(f"/trains/0.1.1/amend?of=pick:{id}&lang=en")
    assert "Approvals of what it said before lapse" in page
    ann(cut).written(f"/trains/0.1.1/amend?of=pick:{id}&lang=en", reason="it never stops, on one device")
    assert reviewing.asked_for(cut.app(), id).counted == ()


def test_g1_what_somebody_else_wrote_meanwhile_is_shown_and_not_undone(cut: World) -> None:
    id, _ = ids(cut)
    desk = ann(cut)
    action, fields = desk.form(f"/trains/0.1.1/amend?of=pick:{id}&lang=en")
    picking.amend_pick(cut.app("Bo"), id, reason="it stops late", evidence=("https://example.org/9",))
    before = desk.entries()
    answer = desk.http.post(action, data={**fields, "symptom": "crash"})
    assert (answer.status_code, desk.entries()) == (409, before)
    changed = dict(
        re.findall(r'<th scope="row"><bdi>(.*?)</bdi></th><td><del><bdi>(.*?)</bdi>', answer.text, re.DOTALL)
    )
    assert changed["Reason"] == "it never stops\nat all"
    assert "<ins><bdi>it stops late</bdi></ins>" in answer.text
    assert set(changed) == {"Newest entry about it", "Reason", "Evidence"}
    again, renewed = form_in(answer.text)
    assert renewed["symptom"] == "crash"  # what was typed stays
    assert renewed["reason"] == "it stops late"  # what was not touched is as it is now
    assert renewed["evidence"].splitlines()[-1] == "https://example.org/9"
    assert desk.http.post(again, data=renewed).status_code == 303
    assert desk.entries()[-1].payload["reason"] == "it stops late"


def test_g1_who_approves_what_was_amended_meanwhile_reads_what_it_says_now(cut: World) -> None:
    id, _ = ids(cut)
    desk = Desk(cut, "Bo")
    action, fields = desk.form(f"/trains/0.1.1/approve?of=pick:{id}&lang=en")
    picking.amend_pick(cut.app("@ann"), id, reason="it stops late")
    before = desk.entries()
    answer = desk.http.post(action, data=fields)
    assert (answer.status_code, desk.entries()) == (409, before)
    assert "<del><bdi>it never stops\nat all</bdi></del></td><td><ins><bdi>it stops late</bdi></ins>" in answer.text
    again, renewed = form_in(answer.text)
    assert desk.http.post(again, data=renewed).status_code == 303
    assert [e.actor for e in reviewing.asked_for(cut.app(), id).counted] == ["Bo"]


@pytest.mark.parametrize("told", [{"seen": "", "parts": ""}, {"seen": "0" * 64, "parts": "{"}])
def test_g1_an_amendment_that_does_not_say_of_what_amends_nothing(cut: World, told: dict[str, str]) -> None:
    id, _ = ids(cut)
    ann(cut).refused(409, f"/trains/0.1.1/amend?of=pick:{id}", reason="x", **told)


@pytest.mark.parametrize(
    ("name", "role", "status"),
    [
        ("@ann", Role.REQUESTER, 303),
        ("@ANN", Role.REQUESTER, 303),
        ("Bo", Role.REQUESTER, 303),
        ("Bo", Role.MANAGER, 303),
        ("@eve", Role.REQUESTER, 403),
        ("@eve", Role.MANAGER, 403),
        ("@ann", Role.VIEWER, 403),
    ],
)
def test_p1_a_request_is_amended_by_whose_it_is_and_by_reviewers(
    cut: World, name: str, role: Role, status: int
) -> None:
    id, _ = ids(cut)
    _, fields = ann(cut).form(f"/trains/0.1.1/amend?of=pick:{id}")
    desk, before = Desk(cut, name, role), len(cut.app().entries())
    answer = desk.http.post("/trains/0.1.1/amend?lang=en", data={**fields, "reason": "otherwise"})
    assert (answer.status_code, len(cut.app().entries()) - before) == (status, int(status == 303))
    assert ("/trains/0.1.1/amend" in desk.page("/trains/0.1.1")) is (status == 303)
    if status == 403 and role.includes(Role.REQUESTER):
        assert "only @ann, Rosa, Bo may" in answer.text
        assert "only @ann" not in desk.page("/trains/0.1.1?lang=en")


@pytest.mark.parametrize(("role", "status"), [(Role.REQUESTER, 403), (Role.MANAGER, 303)])
def test_p1_without_named_reviewers_it_is_ones_own_or_the_release_managers(
    tmp_path: Path, role: Role, status: int
) -> None:
    world = World(tmp_path, POLICY).to_open()
    id = next(e.seq for e in world.app().entries() if e.kind is Kind.REQUESTED and e.payload["ref"] == "#6")
    _, fields = Desk(world).form(f"/trains/0.1.1/amend?of=pick:{id}")
    answer = Desk(world, "@eve", role).http.post("/trains/0.1.1/amend", data={**fields, "reason": "otherwise"})
    assert answer.status_code == status


def test_p1_what_is_over_or_is_no_request_is_not_amended(cut: World) -> None:
    id, _ = ids(cut)
    desk = ann(cut)
    action, fields = desk.form(f"/trains/0.1.1/amend?of=pick:{id}&lang=en")
    reviewing.withdraw(cut.app("@ann"), id, "not needed")
    assert desk.http.post(action, data=fields).status_code == 409
    assert "was withdrawn" in desk.refused(422, f"/trains/0.1.1/amend?of=pick:{id}&lang=en")
    assert f"of=pick%3A{id}" not in desk.page("/trains/0.1.1")
    for of in ("pick:1", "pick:x", "", "go"):
        assert desk.http.get(f"/trains/0.1.1/amend?of={of}").status_code == 404


def test_p8_an_embargo_is_not_emptied_away(cut: World) -> None:
    id, _ = ids(cut)
    picking.amend_pick(cut.app("@ann"), id, claims=Claims(embargo="2025-03-01"))
    desk, path = ann(cut), f"/trains/0.1.1/amend?of=pick:{id}&lang=en"
    assert "the request stays under embargo" in desk.page(path)
    entry = desk.written(path, embargo="", reason="otherwise")
    assert entry.payload["claims"]["embargo"] == "2025-03-01"
    assert "Stop at end of text" not in str(entry.payload)
