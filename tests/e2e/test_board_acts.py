"""People act from the board: each act through the use case of the command line, bound to what was shown (G1, G2)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from boardkit import Desk, copied, form_in
from webworld import PERF, POLICY, World

from headway import controls, picking, reviewing
from headway.model.entry import Entry, Kind
from headway.model.visitor import Role
from headway.refusal import Refused

TWO = '[approvals.go]\ncount = 2\npeople = ["Rosa", "Bo"]\n'
EVIL = "<script>alert(1)</script> \u202egnp.exe \"'&"
LATER = {"until": "2025-02-20", "reason": "agreed with the users"}


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> World:
    """rc1 of 0.1.1 waits for two people's go."""
    return World(tmp_path_factory.mktemp("decided"), POLICY + TWO).to_decision().at("01-28T10")


@pytest.fixture
def go(decided: World, tmp_path: Path) -> World:
    return copied(decided, tmp_path)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> World:
    """0.1.1 is cut; a request that needs a review waits."""
    world = World(tmp_path_factory.mktemp("begun"), POLICY + TWO).at("01-27T09")
    world.app().tick()
    world.at("01-27T10")
    world.fix = world.git.commit("[Bugfix] Stop at end of text (#4)", {"toy.py": "ANSWER = 42\n"})
    world.at("01-27T15").pick("#4", "critical", "it never stops")
    return world


@pytest.fixture
def cut(begun: World, tmp_path: Path) -> World:
    return copied(begun, tmp_path / "cut")


@pytest.fixture
def planned(tmp_path: Path) -> World:
    """0.1.1 is planned, in the window of its cut."""
    return World(tmp_path / "planned", POLICY).at("01-27T09")


def pick_of(world: World) -> int:
    return next(e.seq for e in world.app().entries() if e.kind is Kind.REQUESTED)


# Approving ---------------------------------------------------------------------------------------------------------


def test_g1_an_approval_from_the_board_is_for_the_evidence_that_was_shown(go: World) -> None:
    desk = Desk(go)
    now = go.app().train("0.1.1")
    page = desk.page("/trains/0.1.1/approve?of=go&lang=en")
    assert now.evidence is not None
    for shown in (now.evidence, now.candidates[-1].facts.commit, *(a.sha256 for a in now.candidates[-1].artifacts)):
        assert shown in page
    entry = desk.written("/trains/0.1.1/approve?of=go&lang=en")
    assert entry.kind is Kind.APPROVED
    assert entry.payload["evidence"] == now.evidence
    assert Desk(go, "Bo").written("/trains/0.1.1/approve?of=go&lang=en").payload["evidence"] == now.evidence
    assert go.at("01-29T08").app().train("0.1.1").action is not None  # both have said yes


def test_g1_what_has_just_changed_is_not_approved_and_the_answer_says_what(go: World) -> None:
    desk = Desk(go)
    action, fields = desk.form("/trains/0.1.1/approve?of=go&lang=en")
    controls.waive(go.app("Bo"), "0.1.1", "C1", "a holiday", date(2025, 2, 20))
    before = desk.entries()
    answer = desk.http.post(action, data=fields)
    assert answer.status_code == 409
    assert desk.entries() == before
    assert "this has changed since you looked" in answer.text
    changed = re.findall(r'<th scope="row"><bdi>(.*?)</bdi></th><td><del><bdi>(.*?)</bdi>', answer.text)
    assert changed == [("Waivers", "0")]
    assert "a holiday" in answer.text  # as it is now
    again, renewed = form_in(answer.text)
    assert renewed["seen"] != fields["seen"]
    assert desk.http.post(again, data=renewed).status_code == 303
    assert desk.entries()[-1].payload["evidence"] == renewed["seen"]


@pytest.mark.parametrize("seen", ["", "0" * 64, "no digest"])
@pytest.mark.parametrize("parts", ["", "{", "[[1]]", "[" * 3000, "x" * 30_000])
def test_an_approval_without_what_was_seen_approves_nothing(go: World, seen: str, parts: str) -> None:
    desk = Desk(go)
    assert "changed since you looked" in desk.refused(
        409, "/trains/0.1.1/approve?of=go&lang=en", seen=seen, parts=parts
    )


def test_g1_the_command_line_binds_an_approval_too(go: World) -> None:
    now = go.app().train("0.1.1").evidence or ""
    refused = controls.approve(go.app(), "0.1.1", "go", "0" * 64)
    assert isinstance(refused, Refused)
    assert [(r.clause, r.code) for r in refused.reasons] == [("G1", "approve.changed")]
    assert isinstance(controls.approve(go.app(), "0.1.1", "go", now[:7]), Refused)  # too short to name one
    assert isinstance(controls.approve(go.app(), "0.1.1", "go", now[:12]), Entry)


def test_g1_only_those_whom_the_policy_names_open_a_gate(go: World) -> None:
    desk = Desk(go, "Mallory")
    board = desk.page("/?lang=en")
    assert "only Rosa, Bo may" in board
    assert "/trains/0.1.1/approve" not in board
    page = desk.page("/trains/0.1.1/approve?of=go&lang=en")
    assert "only Rosa, Bo may" in page
    assert 'class="filling"' not in page
    _, fields = Desk(go).form("/trains/0.1.1/approve?of=go&lang=en")
    before = desk.entries()
    answer = desk.http.post("/trains/0.1.1/approve?lang=en", data=fields)
    assert (answer.status_code, desk.entries()) == (403, before)
    assert "Mallory may not approve gate go" in answer.text


def test_there_is_nothing_to_approve_before_there_is_evidence(cut: World) -> None:
    page = Desk(cut).refused(422, "/trains/0.1.1/approve?of=go&lang=en")
    assert "0.1.1 has nothing to approve yet" in page
    assert Desk(cut).http.get("/trains/0.1.1/approve?of=nothing").status_code == 404


# Picks -------------------------------------------------------------------------------------------------------------


def test_p1_a_pick_is_asked_for_and_the_gate_answers_at_once(cut: World) -> None:
    cut.git.commit("[Feature] Support beams (#6)", {"beams.py": "N = 4\n"})
    desk = Desk(cut, "@ann", Role.REQUESTER)
    given = {"ref": "#6", "category": "critical", "reason": EVIL, "evidence": "https://example.org/6\nhttps://b.org"}
    entry = desk.written("/trains/0.1.1/pick?lang=en", **given, symptom="crash")
    assert (entry.kind, entry.payload["verdict"]) == (Kind.REQUESTED, "refused")
    assert entry.payload["evidence"] == ["https://example.org/6", "https://b.org"]
    assert entry.payload["claims"]["symptom"] == "crash"
    page = desk.page(f"/trains/0.1.1?did={entry.seq}&lang=en")
    assert "no feature work is picked" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_p1_a_request_is_approved_as_it_was_shown(cut: World) -> None:
    id, desk = pick_of(cut), Desk(cut)
    page = desk.page(f"/trains/0.1.1/approve?of=pick:{id}&lang=en")
    for words in ("Stop at end of text", "it never stops", cut.fix):
        assert words in page
    entry = desk.written(f"/trains/0.1.1/approve?of=pick:{id}&lang=en")
    assert (entry.kind, entry.payload["gate"], entry.payload["commit"]) == (Kind.APPROVED, f"pick:{id}", cut.fix)


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_p1_a_request_that_was_amended_since_is_not_decided_on(cut: World, verb: str) -> None:
    id, desk = pick_of(cut), Desk(cut)
    action, fields = desk.form(f"/trains/0.1.1/{verb}?of=pick:{id}&lang=en")
    picking.amend_pick(cut.app(), id, category="docs")
    before = desk.entries()
    answer = desk.http.post(action, data={**fields, "reason": "no"})
    assert (answer.status_code, desk.entries()) == (409, before)
    assert "<del><bdi>critical</bdi></del></td><td><ins><bdi>docs</bdi></ins>" in answer.text


def test_p1_a_request_that_was_withdrawn_since_is_not_approved(cut: World) -> None:
    id, desk = pick_of(cut), Desk(cut)
    action, fields = desk.form(f"/trains/0.1.1/approve?of=pick:{id}&lang=en")
    reviewing.withdraw(cut.app(), id, "not needed")
    answer = desk.http.post(action, data=fields)
    assert answer.status_code == 409
    assert "<del><bdi>open</bdi></del></td><td><ins><bdi>withdrawn</bdi></ins>" in answer.text
    assert "was withdrawn" in desk.refused(422, f"/trains/0.1.1/approve?of=pick:{id}&lang=en")


def test_p1_rejecting_is_a_reviewers_and_withdrawing_ones_own(cut: World) -> None:
    id = pick_of(cut)
    other = Desk(cut, "@ann", Role.REQUESTER)
    page = other.page("/trains/0.1.1?lang=en")
    assert f"of=pick%3A{id}" not in page
    assert "may not do this here" in other.http.get(f"/trains/0.1.1/reject?of=pick:{id}&lang=en").text
    _, fields = Desk(cut).form(f"/trains/0.1.1/withdraw?of=pick:{id}&lang=en")
    answer = other.http.post("/trains/0.1.1/withdraw", data={**fields, "reason": "mine now"})
    assert answer.status_code == 403
    mine = Desk(cut, "Rosa", Role.REQUESTER)
    assert f"withdraw?back=train&amp;of=pick%3A{id}" in mine.page("/trains/0.1.1")
    assert mine.written(f"/trains/0.1.1/withdraw?of=pick:{id}&lang=en", reason="done").kind is Kind.WITHDRAWN


def test_p1_a_rejection_states_its_reason(cut: World) -> None:
    id, desk = pick_of(cut), Desk(cut)
    assert "reason is empty" in desk.refused(400, f"/trains/0.1.1/reject?of=pick:{id}&lang=en", reason="  ")
    entry = desk.written(f"/trains/0.1.1/reject?of=pick:{id}&lang=en", reason=EVIL)
    assert (entry.kind, entry.payload["reason"]) == (Kind.REJECTED, EVIL)


def test_g3_a_commit_is_taken_out(go: World) -> None:
    desk = Desk(go)
    line = go.app().observe().line("releases/v0.1.1")
    assert line is not None
    commit = line.commits[0].sha
    assert f"/trains/0.1.1/drop?back=train&amp;of={commit}" in desk.page("/trains/0.1.1")
    entry = desk.written(f"/trains/0.1.1/drop?of={commit}&lang=en", reason="it was wrong")
    assert (entry.kind, entry.payload["commit"]) == (Kind.REVERT_ASKED, commit)
    assert desk.http.get(f"/trains/0.1.1/drop?of={'0' * 40}").status_code == 404


# Trains ------------------------------------------------------------------------------------------------------------


def test_g2_a_train_and_all_trains_are_held_and_let_go(planned: World) -> None:
    desk = Desk(planned)
    assert desk.written("/trains/0.1.1/hold?lang=en", reason=EVIL).kind is Kind.HELD
    page = desk.page("/?lang=en")
    assert "❄" not in page  # no colours and signs in the text: the words say it
    assert "frozen: held" in page
    action, fields = desk.form("/trains/0.1.1/release-hold?lang=en")
    controls.release_hold(planned.app("Bo"), "0.1.1")
    controls.hold(planned.app("Bo"), "0.1.1", "another reason")
    assert desk.http.post(action, data=fields).status_code == 409  # it is another hold than the one that was shown
    assert desk.written("/trains/0.1.1/release-hold?lang=en").kind is Kind.HOLD_RELEASED
    assert desk.written("/trains/all/hold?lang=en", reason="the index is down").train == ""
    assert "/trains/all/release-hold" in desk.page("/")
    assert desk.written("/trains/all/release-hold?lang=en").kind is Kind.HOLD_RELEASED
    assert "nothing is held" in desk.refused(422, "/trains/all/release-hold?lang=en")


def test_g2_a_hold_that_was_sent_twice_is_one_and_is_let_go_by_one_release(planned: World) -> None:
    desk = Desk(planned)
    action, fields = desk.form("/trains/0.1.1/hold?lang=en")
    both = [desk.http.post(action, data={**fields, "reason": "the index is down"}) for _ in range(2)]
    assert [r.status_code for r in both] == [303, 303]
    assert [e.kind for e in desk.entries()] == [Kind.HELD]
    controls.hold(planned.app("Bo"), "0.1.1", "the index is down")  # another person's is another hold
    assert [e.kind for e in desk.entries()] == [Kind.HELD, Kind.HELD]
    assert desk.written("/trains/0.1.1/release-hold?lang=en").kind is Kind.HOLD_RELEASED
    assert "frozen: held" in desk.page("/?lang=en")
    assert desk.written("/trains/0.1.1/release-hold?lang=en").kind is Kind.HOLD_RELEASED
    assert "frozen: held" not in desk.page("/?lang=en")


def test_c4_a_slip_shows_the_old_day_struck_through_and_who_and_why(planned: World) -> None:
    desk = Desk(planned)
    action, fields = desk.form("/trains/0.1.1/slip?lang=en")
    desk.written("/trains/0.1.1/slip?lang=en", to="2025-01-31", reason=EVIL)
    page = desk.page("/?lang=en")
    assert re.search(r'<del datetime="2025-01-29"[^>]*>2025-01-29</del>', page)
    assert "slipped by Rosa: &lt;script&gt;alert(1)&lt;/script&gt;" in page
    late = desk.http.post(action, data={**fields, "to": "2025-02-03", "reason": "more time"})
    assert late.status_code == 409
    assert "<del><bdi>2025-01-29</bdi></del></td><td><ins><bdi>2025-01-31</bdi></ins>" in late.text


def test_g1_of_two_who_saw_the_same_and_decide_at_once_one_is_told_of_the_other(planned: World) -> None:
    desk = Desk(planned)
    action, fields = desk.form("/trains/0.1.1/slip")
    before, at_once = len(desk.entries()), threading.Barrier(3)

    def send(day: str) -> int:
        at_once.wait()
        return desk.http.post(action, data={**fields, "to": day, "reason": "an audit"}).status_code

    with ThreadPoolExecutor(3) as people:
        answers = list(people.map(send, ("2025-02-05", "2025-02-06", "2025-02-07")))
    assert sorted(answers) == [303, 409, 409]
    assert len(desk.entries()) == before + 1


def test_what_was_typed_stays_on_the_form_when_something_is_wrong_with_it(planned: World) -> None:
    page = Desk(planned).refused(400, "/trains/0.1.1/slip?lang=en", to="soon", reason="the <b>reason</b>")
    assert "soon is not an ISO 8601 date" in page
    assert "the &lt;b&gt;reason&lt;/b&gt;</textarea>" in page


def test_b1_a_train_is_skipped_before_its_cut_and_given_up_after_it(planned: World, cut: World) -> None:
    desk = Desk(planned)
    board = desk.page("/?lang=en")
    assert "/trains/0.1.1/skip" in board
    assert "/trains/0.1.1/abandon" not in board
    page = desk.page("/trains/0.1.1/skip?lang=en")
    assert "Its number is never used again." in page
    assert desk.written("/trains/0.1.1/skip?lang=en", reason="a quiet week").kind is Kind.SKIPPED
    desk = Desk(cut)
    assert "/trains/0.1.1/skip" not in desk.page("/")
    action, fields = desk.form("/trains/0.1.1/abandon?lang=en")
    controls.slip(cut.app("Bo"), "0.1.1", date(2025, 1, 30), "snow")
    given = {**fields, "reason": "no use"}
    assert desk.http.post(action, data=given).status_code == 409
    assert desk.written("/trains/0.1.1/abandon?lang=en", reason="no use").kind is Kind.ABANDONED


def test_b1_a_trunk_commit_is_chosen_for_the_cut(planned: World) -> None:
    desk = Desk(planned)
    head = planned.git.run("rev-parse", "main")
    assert head in desk.page("/trains/0.1.1/cut?lang=en")
    assert "was not found" in desk.refused(404, "/trains/0.1.1/cut?lang=en", at="no-such-commit")
    entry = desk.written("/trains/0.1.1/cut?lang=en", at=head)
    assert (entry.kind, entry.payload["commit"]) == (Kind.CUT_CHOSEN, head)
    assert planned.app().observe().line("releases/v0.1.1") is None  # the next tick does it
    planned.app().tick()
    assert planned.app().observe().line("releases/v0.1.1") is not None


def test_b2_it_is_not_cut_before_its_window(planned: World) -> None:
    assert "0.1.1" in Desk(planned.at("01-20T09")).refused(422, "/trains/0.1.1/cut?lang=en")


def test_g1_a_waiver_has_a_day_and_is_offered_for_what_is_waited_for(go: World) -> None:
    desk = Desk(go)
    assert "/trains/0.1.1/waive?back=board&amp;of=C1" in desk.page("/")
    assert "a day that is not over" in desk.refused(
        422, "/trains/0.1.1/waive?of=C1&lang=en", until="2025-01-01", reason="x"
    )
    entry = desk.written("/trains/0.1.1/waive?of=C1&lang=en", **LATER)
    assert (entry.kind, entry.payload["what"], entry.payload["until"]) == (Kind.WAIVED, "C1", "2025-02-20")
    assert "V5" in desk.refused(422, "/trains/0.1.1/waive?lang=en", what="V5", **LATER)
    assert desk.written("/trains/0.1.1/waive?lang=en", what="B4", **LATER).payload["what"] == "B4"


def test_e7_a_cell_is_waived_with_its_numbers_shown(tmp_path: Path) -> None:
    world = World(tmp_path, POLICY + PERF).to_open(settled=False).at("01-28T09")
    world.measure(1.31)
    desk, cell = Desk(world), "cell:toy-small/cpu/decode/median_tpot_ms"
    train = desk.page("/trains/0.1.1?lang=en")
    assert "of=cell%3Atoy-small%2Fcpu%2Fdecode%2Fmedian_tpot_ms" in train
    page = desk.page(f"/trains/0.1.1/waive?of={cell}&lang=en")
    assert "× 1.31" in page
    action, fields = desk.form(f"/trains/0.1.1/waive?of={cell}&lang=en")
    other = desk.http.post(action, data={**fields, **LATER, "of": "cell:toy-small/cpu/prefill/median_ttft_ms"})
    assert other.status_code == 409  # what was shown was another cell
    entry = desk.written(f"/trains/0.1.1/waive?of={cell}&lang=en", **LATER)
    assert entry.payload["seen"]["verdict"] == "regressed"
    assert desk.http.get("/trains/0.1.1/waive?of=cell:no/such/cell/x").status_code == 404


def test_b4_a_step_is_done_again(go: World) -> None:
    desk = Desk(go)
    action, fields = desk.form("/trains/0.1.1/retry?of=build&lang=en")
    controls.retry(go.app("Bo"), "0.1.1", "build")
    assert desk.http.post(action, data=fields).status_code == 409  # somebody asked for it already
    assert "no test of 0.1.1 failed" in desk.refused(422, "/trains/0.1.1/retry?of=test&lang=en")
    assert desk.http.get("/trains/0.1.1/retry?of=dinner&lang=en").status_code == 400


# Who may, and how --------------------------------------------------------------------------------------------------

ACTS = ("hold", "slip", "skip", "abandon", "cut", "waive", "approve", "reject", "retry", "release-hold", "drop")


@pytest.mark.parametrize(("role", "status"), [(Role.NOBODY, 401), (Role.VIEWER, 403), (Role.REQUESTER, 403)], ids=str)
def test_a_role_that_does_not_reach_does_nothing(planned: World, role: Role, status: int) -> None:
    desk = Desk(planned, "@eve", role) if role is not Role.NOBODY else Desk(planned, "", role, "")
    for verb in ACTS:
        assert desk.http.get(f"/trains/0.1.1/{verb}").status_code == status
        given = {"csrf": "a-secret", "reason": "x", "to": "2025-02-01", "until": "2025-02-01"}
        assert desk.http.post(f"/trains/0.1.1/{verb}", data=given).status_code == status
    assert desk.http.post("/tick", data={"csrf": "a-secret"}).status_code == status
    assert desk.entries() == ()


def test_what_somebody_may_not_do_is_not_on_their_pages(cut: World) -> None:
    viewer, requester = (Desk(cut, "@eve", r) for r in (Role.VIEWER, Role.REQUESTER))
    for path in ("/", "/trains/0.1.1"):
        assert "data-act" not in viewer.page(path)
        assert set(re.findall(r'href="/trains/0.1.1/([a-z-]+)', requester.page(path))) == {"pick"}


@pytest.mark.parametrize("token", ["", "wrong", "a-secret ", "\udcff".encode("utf-8", "replace").decode()])
def test_a_form_that_was_not_made_for_this_visitor_does_nothing(planned: World, token: str) -> None:
    desk = Desk(planned)
    for path in ("/trains/0.1.1/hold", "/trains/all/hold", "/trains/0.1.1/slip", "/tick"):
        given = {"reason": "x", "to": "2025-02-01", **({"csrf": token} if token else {})}
        answer = desk.http.post(path, data=given)
        assert answer.status_code == 403
        assert "was not made for you" in answer.text
    assert desk.entries() == ()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"csrf": "a-secret", "reason": "x"}', "application/json", 415),
        (b"csrf=a-secret&reason=x", "text/plain", 415),
        (b"csrf=a-secret&reason=" + b"x" * 300_000, "application/x-www-form-urlencoded", 413),
        (b"csrf=a-secret&reason=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"f%d=1" % i for i in range(100)), "application/x-www-form-urlencoded", 400),
        (b"\xff\xff", "application/x-www-form-urlencoded", 400),
    ],
)
def test_what_is_no_form_is_refused(planned: World, body: bytes, kind: str, status: int) -> None:
    desk = Desk(planned)
    answer = desk.http.post("/trains/0.1.1/hold", content=body, headers={"content-type": kind})
    assert (answer.status_code, desk.entries()) == (status, ())


@pytest.mark.parametrize(
    "path", ["/trains/0.1.1/explode", "/trains/9.9.9/hold", "/trains/%3Cb%3E/hold", "/trains/all/slip"]
)
def test_what_is_not_there_cannot_be_acted_on(planned: World, path: str) -> None:
    desk = Desk(planned)
    given = {"csrf": "a-secret", "reason": "x", "to": "2025-02-01"}
    assert desk.http.get(path).status_code == 404
    assert desk.http.post(path, data=given).status_code == 404
    assert desk.entries() == ()


def test_looking_at_a_form_writes_nothing(go: World) -> None:
    desk, before = Desk(go), go.app().entries()
    for href in set(re.findall(r'data-act href="([^"]+)"', desk.page("/") + desk.page("/trains/0.1.1"))):
        page = desk.page(href.replace("&amp;", "&"))
        assert 'name="csrf" value="a-secret"' in page
        assert 'class="effects"' in page
        assert "hx-get" not in page.partition("<main")[2]  # it does not change under the eyes of who reads it
    assert desk.entries() == before


def test_a_tick_is_asked_for_only_where_this_process_ticks(planned: World) -> None:
    asked: list[str] = []
    idle, busy = Desk(planned), Desk(planned, ask=lambda: asked.append("tick"))
    assert 'action="/tick"' not in idle.page("/")
    assert idle.http.post("/tick", data={"csrf": "a-secret"}).status_code == 404
    assert 'action="/tick"' in busy.page("/")
    answer = busy.http.post("/tick?lang=en", data={"csrf": "a-secret"})
    assert (answer.status_code, answer.headers["location"], asked) == (303, "/?asked=tick&lang=en", ["tick"])
    assert "A tick was asked for" in busy.page("/?asked=tick&lang=en")
    busy.written("/trains/0.1.1/hold?lang=en", reason="x")
    assert asked == ["tick", "tick"]  # what was decided is acted on soon


@pytest.mark.parametrize("did", ["", "0", "-1", "9999999", "1e3", "<b>", "1" * 40])
def test_only_entries_are_told_of(planned: World, did: str) -> None:
    assert 'id="did"' not in Desk(planned).page(f"/?did={did}")


def test_chinese_is_kept_through_an_act(planned: World) -> None:
    desk = Desk(planned)
    answer = desk.do("/trains/0.1.1/hold?lang=zh&back=board", reason="x")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/?did={desk.entries()[-1].seq}&lang=zh")


# Logs --------------------------------------------------------------------------------------------------------------


def test_b4_logs_are_read_in_the_browser_as_plain_text(decided: World) -> None:
    desk = Desk(decided, role=Role.VIEWER)
    links = re.findall(r'href="(/trains/0.1.1/candidates/[^"]+)"', desk.page("/trains/0.1.1"))
    assert {x.rpartition("/")[2] for x in links} == {"build", "test"}
    for link in links:
        answer = desk.http.get(link)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.text


@pytest.mark.parametrize(
    "make",
    [
        lambda logs, state: str(state / "ledger.db"),
        lambda logs, state: "/etc/passwd",
        lambda logs, state: str(logs / ".." / "ledger.db"),
        lambda logs, state: str(logs / "link.log"),
        lambda logs, state: str(logs),
        lambda logs, state: "a\0b",
        lambda logs, state: "",
    ],
)
def test_no_file_but_a_log_is_read(go: World, make: Callable[[Path, Path], str]) -> None:
    state = go.git.path / "headway"
    logs = state / "logs"
    (logs / "link.log").symlink_to(state / "ledger.db")
    tag = go.app().train("0.1.1").candidates[-1].facts.tag
    go.record(Kind.BUILT, "0.1.1", {"tag": tag, "commit": go.fix, "ok": False, "log": make(logs, state), "why": "x"})
    assert Desk(go).http.get(f"/trains/0.1.1/candidates/{tag}/log/build").status_code == 404


def test_of_a_long_log_its_end_is_shown_and_nothing_in_it_is_obeyed(go: World) -> None:
    log = go.git.path / "headway" / "logs" / "long.log"
    log.write_bytes(b"first line\n" + b"x" * 2_000_000 + b"\n\x1b[31m<script>alert(1)</script>\xff last line\n")
    tag = go.app().train("0.1.1").candidates[-1].facts.tag
    go.record(Kind.BUILT, "0.1.1", {"tag": tag, "commit": go.fix, "ok": False, "log": str(log), "why": "x"})
    answer = Desk(go).http.get(f"/trains/0.1.1/candidates/{tag}/log/build")
    assert answer.headers["content-type"].startswith("text/plain")
    assert len(answer.content) < 1_100_000
    assert answer.text.startswith("[… ")
    assert "last line" in answer.text
    assert "first line" not in answer.text
    assert "\x1b" not in answer.text


@pytest.mark.parametrize("path", ["v0.1.1-rc1/log/dinner", "v9-rc1/log/build", "../../x/log/build"])
def test_no_other_log_is_there(decided: World, path: str) -> None:
    assert Desk(decided).http.get(f"/trains/0.1.1/candidates/{path}").status_code == 404
