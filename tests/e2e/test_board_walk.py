"""A whole train, walked on the board by a viewer, a requester and a release manager, each in their own browser, in both
languages. With ``HEADWAY_SCREENSHOTS=DIR`` each page is also pictured there, at three widths."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from boardwalk import Person, person, stayed, stays
from chromium import needs_chromium
from compareworld import launched, measured
from webserved import Served
from webworld import POLICY, World, day

from headway.boardlogin import add_token
from headway.decide.pickstates import PICK_STATES, PickState
from headway.model.entry import Kind
from headway.model.text import say
from headway.model.visitor import Role
from headway.perf.store import MeasurementStore
from headway.views.timeline import words_of

pytestmark = needs_chromium
RULES = """
[board]
session_hours = 720
[review]
people = ["@rosa"]
[approvals.go]
people = ["@rosa"]
[candidate]
quiet_hours = 12
"""
ROLES = {"@tess": Role.VIEWER, "@ann": Role.REQUESTER, "@rosa": Role.MANAGER, "@root": Role.ADMIN}
OPEN, DUE = day("01-27T15"), day("01-30T09")
TICKS = ("--tick-every", "3600")


class Train:
    """0.1.1 from its cut to its release: a project, a server before it, and people with browsers."""

    def __init__(self, folder: Path, browser: Any, lang: str, ended: ExitStack) -> None:
        self.world = World(folder, POLICY + RULES)
        self.secrets = {name: add_token(self.world.app(), name, role).secret for name, role in ROLES.items()}
        self.world.at("01-27T09").app().tick()
        self.fix = self.world.git.commit("[Bugfix] Stop at end of text (#4)", {"toy.py": "ANSWER = 42\n"})
        self.world.git.commit("Explain the answer (#5)", {"docs/answer.md": "42\n"}, author="Bo <bo@example.org>")
        self.world.git.commit("[Feature] Support beams (#6)", {"beams.py": "N = 4\n"})
        self.world.git.commit("[Bugfix] Log less (#7)", {"log.py": "LEVEL = 1\n"})
        self.lang, self.ended, self.port = lang, ended, 0
        self.served = self.serve()
        self.port = int(self.served.url.rstrip("/").rpartition(":")[2])
        self.people = {name: person(browser, self.served.url, lang) for name in ROLES}
        for who in self.people.values():
            ended.callback(who.context.close)

    def serve(self) -> Served:
        at = DUE if self.port else OPEN
        served = Served(self.world.git.path, at, *TICKS, "--port", str(self.port))
        self.world.clock.set(at)
        return self.ended.enter_context(served)

    def days_pass(self) -> None:
        """The server ends, and comes back on the day of the release, at the same address."""
        viewer = self.people["@tess"].page
        for who in self.people.values():
            who.away = True
        self.served.__exit__(None, None, None)
        viewer.locator(".stale").wait_for(state="visible")
        self._measure()
        self.served = self.serve()
        viewer.locator(".stale").wait_for(state="hidden")
        for who in self.people.values():
            who.away = False

    def _measure(self) -> None:
        """What a nightly run would have left: the branch is a little slower than the release before."""
        self.new = self.world.git.run("rev-parse", "releases/v0.1.1")
        cell, at = measured("Llama3", "serving qps=4"), self.world.clock.now()
        sides = ((self.world.first, 0, 10.0), (self.new, 1, 10.4))
        runs = [
            launched(commit, at + timedelta(minutes=n), {(cell, "median_tpot_ms"): value}, "main", "2.7.0")
            for commit, n, value in sides
        ]
        with MeasurementStore(self.world.app().repo.state / "measurements.db", write=True) as store:
            store.keep(runs)

    def compared(self) -> str:
        window = {"startTime": "Wed, 01 Jan 2025 00:00:00 GMT", "stopTime": "Sat, 01 Mar 2025 00:00:00 GMT"}
        sides = {"lBranch": "main", "lCommit": self.world.first, "rBranch": "main", "rCommit": self.new}
        return f"benchmark/llms?{urlencode({**window, **sides})}"

    def acts(self) -> list[tuple[str, Kind]]:
        """What people did on the board, in its order."""
        return [(e.actor, e.kind) for e in self.world.app().entries() if "via" in e.payload]

    def request_of(self, ref: str) -> int:
        return next(e.seq for e in self.world.app().entries() if e.payload.get("ref") == ref)


@pytest.fixture
def ended() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_whole_train_is_walked_by_three_people(browser: Any, tmp_path: Path, ended: ExitStack, lang: str) -> None:
    train = Train(tmp_path, browser, lang, ended)
    viewer, requester, manager = (train.people[n] for n in ("@tess", "@ann", "@rosa"))
    _looks_only(train, viewer)
    _asks_for_picks(train, requester, manager)
    _reviews_holds_and_slips(train, viewer, requester, manager)
    train.days_pass()
    _approves_what_is_there(train, viewer, manager)
    _is_told_everywhere(train, viewer)
    _may_do_more(train)
    assert {name: p.said for name, p in train.people.items() if p.said} == {}


def _looks_only(train: Train, viewer: Person) -> None:
    viewer.page.goto(f"{viewer.url}login")
    viewer.look("login")
    viewer.login(train.secrets["@tess"])
    assert viewer.page.evaluate("document.documentElement.lang") == ("zh-Hans" if train.lang == "zh" else "en")
    assert viewer.page.locator("main h1").inner_text() == viewer.word(say("Departures"))
    viewer.look("board-begun")
    assert viewer.page.locator("[data-act], main form[method=post]").count() == 0
    before = len(train.world.app().entries())
    for path in ("trains/0.1.1/hold", "trains/0.1.1/pick", "trains/all/hold", "tick"):
        assert viewer.refused(path, reason="mine", ref="#4", category="docs") == 403
    assert len(train.world.app().entries()) == before
    viewer.look("not-allowed", "trains/0.1.1/hold")
    viewer.look("not-there", "trains/9.9.9")
    viewer.page.goto(viewer.url)
    stays(viewer.page)


def _asks_for_picks(train: Train, requester: Person, manager: Person) -> None:
    manager.login(train.secrets["@rosa"], "trains/0.1.1")
    stays(manager.page)
    requester.login(train.secrets["@ann"], "trains/0.1.1")
    assert requester.page.locator('[data-act]:not([href*="/pick"])').count() == 0
    requester.open("/pick")
    requester.look("form-pick-over-the-train")
    requester.page.locator(".sheet [data-leave]").click()
    told = requester.act("/pick", ref="#5", category="docs", reason="asked for by users")
    assert "@ann" in told
    told = requester.act("/pick", ref="#6", category="critical", reason="wanted by a customer")
    assert "#6" in told
    assert {c.inner_text() for c in requester.page.locator("#did.partly .waits a.clause").all()} >= {"P3", "P7"}
    requester.look("pick-refused")
    requester.act("/pick", ref="#7", category="critical", reason="logs fill disks")
    requester.act("/pick", ref="#4", category="critical", reason="0.1.0 stopped in time")
    wanted = f"of=pick%3A{train.request_of('#7')}"
    assert "@ann" in requester.act(f"/withdraw?back=train&{wanted}", reason="the default is quiet enough")
    # The manager has not touched the page: what was asked for comes by itself.
    id = train.request_of("#4")
    shown = manager.page.locator(f"#pick-{id}")
    shown.get_by_text("0.1.0 stopped in time").wait_for()
    manager.page.locator(f"#pick-{train.request_of('#7')} .tag.withdrawn").wait_for(state="attached")
    assert shown.locator(".tag").inner_text() == manager.word(PICK_STATES[PickState.REVIEW])
    assert stayed(manager.page)


def _reviews_holds_and_slips(train: Train, viewer: Person, requester: Person, manager: Person) -> None:
    id = train.request_of("#4")
    requester.page.goto(f"{requester.url}trains/0.1.1")
    stays(requester.page)
    sheet = manager.open(f"/approve?back=train&of=pick%3A{id}")
    for words in ("Stop at end of text", "0.1.0 stopped in time", train.fix):
        sheet.get_by_text(words).first.wait_for()
    manager.look("form-approve-pick-over-the-train")
    manager.send(sheet)
    assert "@rosa" in manager.page.locator("#did").inner_text()
    requester.page.locator(f"#pick-{id} .tag.applied").wait_for(state="attached")  # the server ticks
    assert stayed(requester.page)
    manager.act("/hold", reason="the index is down")
    viewer.page.locator(".turn.stopped").wait_for()
    viewer.look("board-held")
    manager.act("/release-hold")
    viewer.page.locator(".turn.stopped").wait_for(state="detached")
    manager.act("/slip", to="2025-01-30", reason="the meetup is on the 29th")
    viewer.page.locator('.day del[datetime="2025-01-29"]').wait_for()
    assert "the meetup is on the 29th" in viewer.page.locator(".day .slip").inner_text()
    # Nobody tells the server of a revert on the trunk: it is seen all the same, and somebody asks for a tick.
    train.world.git.revert(train.world.broken)
    requester.page.locator("#reverts .tag").wait_for(state="attached")
    manager.page.goto(manager.url)
    manager.look("board-of-a-manager")
    manager.page.locator('form[action*="/tick"] button').click()
    manager.page.locator("#did").wait_for()
    requester.page.locator("#reverts .tag.already-reverted").wait_for(state="attached")
    assert stayed(requester.page)
    assert stayed(viewer.page)


def _approves_what_is_there(train: Train, viewer: Person, manager: Person) -> None:
    viewer.page.locator(".candidate", has_text="v0.1.1-rc1").wait_for()
    manager.page.goto(f"{manager.url}trains/0.1.1")
    manager.page.locator('#checklist a[data-act][href*="of=go"]').wait_for()
    manager.page.locator("#next .empty").wait_for()  # nothing is left to be done but a person's yes
    stays(viewer.page)
    now = train.world.app().train("0.1.1")
    counted = manager.word(say("applied: {done} of {asked}", done=2, asked=2))  # one was withdrawn
    assert manager.page.locator(".gate .words", has_text=counted).count() == 1
    manager.look("train-ready")
    sheet = manager.open("/approve?back=train&of=go")
    for known in (now.evidence, now.candidates[-1].facts.commit, *(a.sha256 for a in now.candidates[-1].artifacts)):
        sheet.get_by_text(str(known)).first.wait_for()
    manager.look("form-approve-go-over-the-train")
    # Meanwhile, in another tab, what the go would rest on becomes another thing.
    other = manager.tab()
    other.goto(f"{manager.url}trains/0.1.1")
    manager.act("/waive?back=train", other, what="C1", reason="a holiday", until="2025-02-20")
    manager.send(sheet)
    stale = manager.page.locator(".declined .changes tbody tr")
    stale.first.wait_for()
    assert [r.inner_text().split("\t")[:2] for r in stale.all()] == [[manager.word(say("Waivers")), "0"]]
    assert [e for e in train.acts() if e[1] is Kind.APPROVED] == [("@rosa", Kind.APPROVED)]  # that of the pick
    manager.look("approval-of-what-has-changed")
    manager.page.get_by_text("a holiday").first.wait_for()
    manager.page.locator(".filling button[type=submit]").click()
    manager.page.locator("#did").wait_for()
    viewer.page.locator("table.departed", has_text="0.1.1").wait_for()
    assert stayed(viewer.page)
    other.close()


def _is_told_everywhere(train: Train, viewer: Person) -> None:
    entries = train.world.app().entries()
    assert train.acts() == [
        *[("@ann", Kind.REQUESTED)] * 4,
        ("@ann", Kind.WITHDRAWN),
        ("@rosa", Kind.APPROVED),
        ("@rosa", Kind.HELD),
        ("@rosa", Kind.HOLD_RELEASED),
        ("@rosa", Kind.SLIPPED),
        ("@rosa", Kind.WAIVED),
        ("@rosa", Kind.APPROVED),
    ]
    viewer.look("board-departed", "")
    viewer.look("ledger", "ledger")
    for e in entries:
        row = viewer.page.locator(f"#entry-{e.seq}")
        assert row.locator(".actor").inner_text() == e.actor
        assert words_of(e, train.lang) in row.locator(".said").inner_text()
    viewer.look("train-released", "trains/0.1.1")
    viewer.look("audits", "audit")
    viewer.look("audit", "audit/releases/v0.1.1")
    shown = viewer.page.locator("main").inner_text()
    assert viewer.word(say("nothing breaks policy")) in shown
    assert "Stop at end of text" in shown
    viewer.look("metrics", "metrics")
    slipped = viewer.page.locator("tr", has_text="the meetup is on the 29th").locator("td, th").all_inner_texts()
    assert slipped == ["0.1.1", "1", "2025-01-29", "2025-01-30", "+1", "the meetup is on the 29th"]
    viewer.look("notes", "notes/0.1.1")
    assert "Stop at end of text" in viewer.page.locator("main").inner_text()
    for path in ("calendar", "policy"):
        viewer.look(path, path)
    viewer.look("comparison", train.compared())
    assert "Llama3" in viewer.page.locator("main").inner_text()
    _api_says_the_same(train, viewer)


def _api_says_the_same(train: Train, viewer: Person) -> None:
    headers = {"authorization": f"Bearer {train.secrets['@tess']}"}
    with httpx.Client(base_url=f"{viewer.url}api/v1/", headers=headers, timeout=120) as api:

        def asked(path: str) -> Any:
            answer = api.get(path)
            assert answer.status_code == 200, answer.text
            return answer.json()

        assert asked("me") == {"name": "@tess", "role": "viewer", "how": "token"}
        told = asked("ledger")
        kept = [(e.seq, e.actor, e.kind.value, words_of(e, "en")) for e in train.world.app().entries()]
        assert sorted((e["seq"], e["actor"], e["kind"], e["words"]) for e in told["entries"]) == kept
        assert told["chain"] == "ok"
        released = asked("trains/0.1.1")
        states = {p["ref"]: p["state"] for p in released["picks"]}
        assert states == {"#4": "applied", "#5": "applied", "#6": "refused", "#7": "withdrawn"}
        assert [d["version"] for d in asked("board")["departed"]][:1] == ["0.1.1"]
        audit = asked("audit/releases/v0.1.1")
        assert [c["violations"] for c in audit["commits"]] == [[]] * 3
        slip = {"train": "0.1.1", "times": 1, "first": "2025-01-29", "last": "2025-01-30", "days": 1}
        assert asked("metrics")["slips"] == [{**slip, "reason": "the meetup is on the 29th"}]


def _may_do_more(train: Train) -> None:
    """The page about people is an admin's; a form without a script is a page of its own."""
    admin = train.people["@root"]
    admin.login(train.secrets["@root"], "people")
    admin.look("people")
    tokens = admin.page.locator("section:has(#tokens) tr", has_text="@rosa").first.inner_text()
    assert "2025-01-27" in tokens  # the login by it is its last use
    admin.look("form-hold-all", "trains/all/hold")
