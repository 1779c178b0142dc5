"""What who decides on the board is told: what will not be in, which settings changed, and what mends a wait there."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from boardkit import Desk, copied
from webworld import POLICY, World

from headway import controls, picking
from headway.model.entry import Kind
from headway.model.pick import Claims, PickRequest
from headway.model.visitor import Role

RULES = """
[waivers]
clauses = ["P7"]
people = ["Rosa"]
[review]
people = ["Rosa", "Bo"]
[approvals.go]
people = ["Rosa", "Bo"]
"""
SECRET = "https://rosa:hunter2@index.example.org/simple"


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> World:
    """rc1 of 0.1.1 waits for a go."""
    return World(tmp_path_factory.mktemp("decided"), POLICY + RULES).to_decision().at("01-28T10")


@pytest.fixture
def go(decided: World, tmp_path: Path) -> World:
    return copied(decided, tmp_path)


def shown(page: str, label: str) -> list[str]:
    """The values of a row of what is shown."""
    found = re.search(rf"<dt>{re.escape(label)}</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return [html.unescape(v) for v in re.findall(r"<bdi>(.*?)</bdi>", found[1], re.DOTALL)] if found else []


def test_g1_who_decides_sees_which_requests_will_not_be_in(go: World) -> None:
    before = Desk(go).page("/trains/0.1.1/approve?of=go&lang=en")
    assert shown(before, "Not in it: requests that wait for a review") == []
    go.git.commit("[Bugfix] Do not lose <b>the last</b> token (#8)", {"last.py": "N = 1\n"})
    id = picking.request_pick(go.app("@ann"), PickRequest("#8", "critical", "tokens are lost", ())).id
    page = Desk(go).page("/trains/0.1.1/approve?of=go&lang=en")
    assert shown(page, "Not in it: requests that wait for a review") == [
        f"{id}: [Bugfix] Do not lose <b>the last</b> token (#8)"
    ]
    assert "<b>the last</b>" not in page
    refused = next(e for e in go.app().entries() if e.kind is Kind.REQUESTED and e.payload["ref"] == "#6")
    assert f"{refused.seq}: " not in " ".join(shown(page, "Not in it: requests that wait for something else"))
    # It is told, and not what the go is for: that is the candidate as it is.
    assert 'name="seen" value="' + str(go.app().train("0.1.1").evidence) in page


def changed(page: str) -> dict[str, tuple[str, str]]:
    rows = re.findall(
        r'<th scope="row">Policy <code>(.*?)</code></th><td><del><bdi>(.*?)</bdi>.*?<ins><bdi>(.*?)</bdi>',
        page,
        re.DOTALL,
    )
    return {key: (html.unescape(was), html.unescape(now)) for key, was, now in rows}


def test_g1_a_policy_that_was_edited_is_told_by_its_settings(go: World) -> None:
    desk = Desk(go)
    action, fields = desk.form("/trains/0.1.1/approve?of=go&lang=en")
    edited = RULES.replace(', "Bo"]\n[app', "]\n[app").replace('["P7"]', '["B6", "P7"]')
    go.git.commit("Edit the policy", {"release.toml": f'{POLICY}{edited}[index]\nsimple_url = "{SECRET}"\n'})
    before = desk.entries()
    answer = desk.http.post(action, data=fields)
    assert (answer.status_code, desk.entries()) == (409, before)
    told = changed(answer.text)
    assert told["review.people"] == ('["Rosa", "Bo"]', '["Rosa"]')
    assert told["waivers.clauses"] == ('["P7"]', '["B6", "P7"]')
    assert set(told) == {"review.people", "waivers.clauses", "index.simple_url"}
    assert "hunter2" not in answer.text
    assert "<ins><bdi>" + str(go.app().train("0.1.1").evidence) not in answer.text
    assert fields["seen"] not in answer.text  # no digests


def test_g1_a_policy_that_nobody_keeps_any_more_is_said_to_be_another(go: World) -> None:
    _, fields = Desk(go).form("/trains/0.1.1/approve?of=go&lang=en")
    go.git.commit("Edit the policy", {"release.toml": POLICY + RULES.replace('["P7"]', "[]")})
    answer = Desk(go).http.post("/trains/0.1.1/approve?lang=en", data=fields)  # another process, which has not seen it
    assert answer.status_code == 409
    assert changed(answer.text) == {}
    assert "what it was is not kept here any more" in answer.text
    assert 'href="/policy?lang=en">See the policy as it is now</a>' in answer.text


def test_the_search_of_the_header_is_no_field_of_a_form(go: World) -> None:
    desk = Desk(go)
    for verb in ("slip", "pick", "waive"):
        page = desk.page(f"/trains/0.1.1/{verb}")
        names = re.findall(r'<(?:input|select|textarea)\b(?![^>]*type="hidden")[^>]*\bname="([^"]+)"', page)
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(names) == len(set(names)), names
        assert len(ids) == len(set(ids))
    assert desk.http.get("/go?version=v0.1.1").headers["location"] == "/trains/0.1.1"


def beside(page: str) -> set[str]:
    """The acts that stand beside remedies."""
    return {html.unescape(x) for x in re.findall(r'<a class="mend" data-act href="([^"]+)"', page)}


def test_beside_a_remedy_stands_the_act_that_does_it(go: World) -> None:
    desk = Desk(go)
    assert beside(desk.page("/")) >= {"/trains/0.1.1/approve?back=board&of=go"}
    go.git.commit("[Bugfix] Do not lose the last token (#8)", {"last.py": "N = 1\n"})
    id = go.pick("#8", "critical", "tokens are lost").id
    page = desk.page("/trains/0.1.1")
    assert beside(page) >= {
        "/trains/0.1.1/approve?back=train&of=go",
        f"/trains/0.1.1/approve?back=train&of=pick%3A{id}",
        f"/trains/0.1.1/amend?back=train&of=pick%3A{id}",
    }
    for href in beside(page):
        assert desk.http.get(href).status_code == 200
    assert beside(Desk(go, "@eve", Role.VIEWER).page("/trains/0.1.1")) == set()
    theirs = " ".join(beside(Desk(go, "@eve", Role.MANAGER).page("/trains/0.1.1")))
    assert "/slip" in theirs
    assert "/approve" not in theirs  # the policy names others
    assert "/amend" not in theirs
    controls.hold(go.app(), "0.1.1", "`headway abandon 0.1.1`")
    assert beside(desk.page("/trains/0.1.1")) >= {"/trains/0.1.1/release-hold?back=train"}
    assert not any("abandon" in x for x in beside(desk.page("/trains/0.1.1")))


def test_a_refusal_leads_to_what_mends_it(go: World) -> None:
    id = next(e.seq for e in go.app().entries() if e.kind is Kind.REQUESTED and e.payload["ref"] == "#6")
    desk = Desk(go)
    page = desk.refused(422, f"/trains/0.1.1/approve?of=pick:{id}&lang=en")
    assert beside(page) == {f"/trains/0.1.1/amend?back=train&of=pick%3A{id}&lang=en"}
    entry = desk.written("/trains/0.1.1/pick?lang=en", ref="#3", category="docs", reason="no documents")
    told = desk.page(f"/trains/0.1.1?did={entry.seq}&lang=en").partition('id="did"')[2].partition("</section>")[0]
    assert f"/trains/0.1.1/amend?back=train&amp;of=pick%3A{entry.seq}&amp;lang=en" in told


def test_p7_an_appeal_is_made_on_the_board_and_leads_back_to_the_gate(go: World) -> None:
    commit = go.git.commit("[Feature] Support beams (#9)", {"more.py": "N = 4\n"})
    links = ("https://example.org/9",)
    claims = Claims(symptom="crash")
    id = picking.request_pick(go.app(), PickRequest("#9", "critical", "it ends all at once", links, claims)).id
    desk = Desk(go)
    found = re.findall(rf'href="(/trains/0.1.1/waive[^"]+of=P7[^"]+change={commit}[^"]*)"', desk.page("/trains/0.1.1"))
    assert len(found) == 1
    theirs = Desk(go, "Bo").page("/trains/0.1.1?lang=en")
    assert "/trains/0.1.1/waive?back=train&amp;of=P7" not in theirs
    assert "only Rosa may" in theirs
    entry = desk.written(html.unescape(found[0]) + "&lang=en", reason="users wait for it", until="2025-02-20")
    assert (entry.kind, entry.payload["what"], entry.payload["commit"]) == (Kind.WAIVED, "P7", commit)
    told = desk.page(f"/trains/0.1.1?did={entry.seq}&lang=en").partition('id="did"')[2].partition("</section>")[0]
    assert f"Amend request {id}" in told
    again = desk.written(f"/trains/0.1.1/amend?of=pick:{id}")  # as it is: the gate answers otherwise now
    assert again.payload["verdict"] == "accepted"
