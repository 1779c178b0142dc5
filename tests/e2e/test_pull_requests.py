"""P1, P8, B6 with pull requests: real repositories, branches that are pushed, merged by people in every way, killed at
every step; the forge's talk is in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from gitmaker import GitMaker
from hubmemory import MemoryHub
from trainkit import BRANCH, CUT, PICKS, Project, ask, grow_trunk, make_project, open_at

from headway.app import Headway
from headway.decide import record
from headway.effects.hub import write
from headway.effects.pulls import fetch_heads, pull_ref
from headway.inbox import answer_mail
from headway.model.entry import Entry, Kind
from headway.model.hub import Comment, HubSeen, Outcome, Person, Right
from headway.model.ports import Hub
from headway.plan.hub_actions import HubAction, WriteCheck
from headway.upstream import bring

TALK = """repository = "acme/proj"

[documents]
sbom = false
provenance = false

[forge]
kind = "github"
path = ""

[talk]
picks = "{picks}"
tracker = false

[candidate]
quiet_hours = 200

[reverts]
soak_hours = 48
"""
LATER = PICKS + timedelta(days=3)


class Killed(BaseException):
    """The process is gone: nothing after the line runs."""


class Talked:
    """``there`` is the project's own repository (bare), ``here`` Headway's clone of it, ``desk`` a maintainer's."""

    def __init__(self, folder: Path, picks: str) -> None:
        self.there = make_project(folder / "there.git", trust=TALK.replace("{picks}", picks))
        self.path, self.desk = folder / "here", folder / "desk"
        for clone in (self.path, self.desk):
            self.there.git("clone", "--quiet", str(self.there.path), str(clone))
        self.here = Project(self.there.made, self.path)
        self.hub = MemoryHub(lambda branch: self.there.ref(f"refs/heads/{branch}"))

    def at(self, now: datetime, step: Callable[[str], None] | None = None) -> Headway:
        app = open_at(self.path, now, step)
        return replace(app, hub_seen=self.hub.seen(app.entries()))

    def outbox(self, now: datetime, step: Callable[[str], None] | None = None) -> list[HubAction]:
        app = self.at(now, step)
        assert app.remote is not None
        assert app.hub_seen is not None
        fetch_heads(app.repo, app.remote, app.hub_seen.pulls)
        done = []
        with app.performing() as performer:
            for action in app.plan().hub:
                payload = write(self.hub, action, performer.site)
                if step:
                    step("unrecorded")
                app.recording("headway").record(Kind.WRITTEN, action.train, payload)
                done.append(action)
        return done

    def git(self, *args: str) -> str:
        """A maintainer at their desk."""
        return GitMaker.run(self.there.made, *args, cwd=self.desk)

    def merge(self, number: int, how: str) -> str:
        """As the forge's button does; the commit that the branch is at then."""
        pull = self.hub.pull(number)
        assert pull is not None
        subject = f"{pull.title} (#{number})"
        self.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
        self.git("switch", "--quiet", "-C", BRANCH, f"origin/{BRANCH}")
        topic = f"origin/{pull.head}"
        if how == "merge":
            self.git("merge", "--quiet", "--no-ff", "-m", f"Merge pull request #{number} from x/y", topic)
        elif how == "rebase":
            self.git("cherry-pick", f"origin/{BRANCH}..{topic}")
            self.git("commit", "--quiet", "--amend", "--no-edit", "--reset-author")
        else:
            self.git("merge", "--quiet", "--squash", topic)
            body = pull.body if how == "squash with its text" else ""
            self.git("commit", "--quiet", "-m", f"{subject}\n\n{body}")
        self.git("push", "--quiet", "origin", BRANCH)
        tip = self.git("rev-parse", "HEAD")
        self.hub.edit(number, open=False, merged=tip, head_sha=pull.head_sha)
        return tip


@pytest.fixture
def talked(tmp_path: Path) -> Talked:
    return cut(Talked(tmp_path, "pull-request"))


def cut(talked: Talked) -> Talked:
    talked.at(CUT).tick()
    grow_trunk(talked.there)
    talked.at(PICKS).tick()
    return talked


def written(app: Headway) -> list[Entry]:
    return [e for e in app.entries() if e.kind is Kind.WRITTEN]


def asked_for(talked: Talked, *names: str) -> None:
    for name in names:
        category = {"docs": "docs", "fix": "regression", "clash": "regression"}[name]
        found = ask(talked.at(PICKS), talked.there.shas[name], category, onto="0.1.1")
        assert found.entry.payload["verdict"] == "accepted", found.entry.payload


def opened(talked: Talked) -> dict[str, int]:
    return {p.title: p.number for p in talked.hub.pulls_.values() if p.open}


def test_P8_a_pick_is_a_pushed_branch_with_its_origin_and_the_release_branch_stays(talked: Talked) -> None:
    before = talked.there.ref(f"refs/heads/{BRANCH}")
    asked_for(talked, "fix")
    talked.at(PICKS).tick(settle=False)
    talked.outbox(PICKS)
    assert talked.there.ref(f"refs/heads/{BRANCH}") == before
    fix = talked.there.shas["fix"]
    head = f"headway/{BRANCH}/{fix[:12]}"
    message = talked.there.git("log", "-1", "--format=%an%n%B", head)
    assert message.startswith("Grace Łø\n[Bugfix] Count all of them (#4)")
    assert f"(cherry picked from commit {fix})" in message
    assert talked.there.git("rev-parse", f"{head}~1") == before
    assert talked.here.ref(f"refs/heads/{head}") is None


@pytest.mark.parametrize("how", ["merge", "rebase", "squash with its text", "squash without a word"])
def test_P1_merged_in_any_way_it_is_recorded_and_nothing_is_unexplained(talked: Talked, how: str) -> None:
    asked_for(talked, "fix")
    talked.outbox(PICKS)
    (number,) = talked.hub.pulls_
    tip = talked.merge(number, how)
    app = talked.at(PICKS)
    done, waits = app.tick()
    assert [d.action.kind for d in done] == ["record-applied"], [str(w.text) for w in waits]
    assert not {"branch.unexplained", "picks.pull"} & {w.code for w in waits}
    (applied,) = record.applied(app.entries(), BRANCH)
    assert applied.origin == talked.there.shas["fix"]
    assert done[0].entry.payload["after"] == tip
    assert [a.kind for a in talked.outbox(PICKS)] == ["close-pull"]
    (made,) = [e.payload["head"] for e in talked.at(PICKS).entries() if e.payload.get("head")]
    assert talked.there.ref(f"refs/heads/{made}") is not None
    assert [a.kind for a in talked.outbox(PICKS)] == ["delete-branch"]
    assert talked.there.ref(f"refs/heads/{made}") is None
    assert talked.outbox(PICKS) == []
    assert talked.hub.bodies == {}


def test_B6_a_revert_that_was_squashed_is_recorded_too(talked: Talked) -> None:
    talked.outbox(LATER)
    (number,) = [n for title, n in opened(talked).items() if title.startswith("Revert")]
    talked.merge(number, "squash with its text")
    app = talked.at(LATER)
    done, waits = app.tick()
    assert [d.action.kind for d in done] == ["record-applied"], [str(w.text) for w in waits]
    (applied,) = record.applied(app.entries(), BRANCH)
    assert (applied.kind, applied.origin) == ("revert", talked.there.shas["revert"])


def test_P8_when_the_branch_has_moved_the_other_one_is_made_anew(talked: Talked) -> None:
    asked_for(talked, "fix", "docs")
    talked.outbox(PICKS)
    numbers = opened(talked)
    tip = talked.merge(numbers["[Doc] How to install (#5)"], "squash with its text")
    talked.at(PICKS).tick()
    head = f"headway/{BRANCH}/{talked.there.shas['fix'][:12]}"
    before = talked.there.ref(f"refs/heads/{head}")
    assert [a.kind for a in talked.outbox(PICKS) if a.kind != "write-check"] == ["propose-changes", "close-pull"]
    assert {a.kind for a in talked.outbox(PICKS)} == {"write-check", "delete-branch"}
    assert talked.outbox(PICKS) == []
    assert talked.there.git("rev-parse", f"{head}~1") == tip
    assert talked.there.ref(f"refs/heads/{head}") != before
    assert len(talked.hub.pulls_) == 2


@pytest.mark.parametrize("seen", [True, False])
def test_P8_what_somebody_pushed_to_a_pull_request_is_never_forced_away(talked: Talked, seen: bool) -> None:
    asked_for(talked, "fix", "docs")
    talked.outbox(PICKS)
    numbers = opened(talked)
    talked.merge(numbers["[Doc] How to install (#5)"], "squash with its text")
    talked.at(PICKS).tick()
    head = f"headway/{BRANCH}/{talked.there.shas['fix'][:12]}"
    app = talked.at(PICKS)  # what is read before the push
    talked.git("fetch", "--quiet", "origin")
    talked.git("switch", "--quiet", "-C", "mine", f"origin/{head}")
    talked.git("commit", "--quiet", "--allow-empty", "-m", "A review's remark")
    talked.git("push", "--quiet", "origin", f"mine:{head}")
    theirs = talked.there.ref(f"refs/heads/{head}")
    if seen:
        talked.outbox(PICKS)
    else:
        with app.performing() as performer:
            for action in app.plan().hub:
                payload = write(talked.hub, action, performer.site)
                app.recording("headway").record(Kind.WRITTEN, action.train, payload)
        assert [e.payload["commit"] for e in written(app) if e.payload.get("head")][-1] == ""
        assert [a for a in talked.outbox(PICKS) if a.kind == "propose-changes"] == []
    assert talked.there.ref(f"refs/heads/{head}") == theirs


def test_P8_killed_at_any_step_and_repeated_there_is_one_branch_and_one_pull_request(
    talked: Talked, tmp_path: Path
) -> None:
    asked_for(talked, "fix")
    steps: list[str] = []
    n = 0
    while True:
        seen: list[str] = []

        def step(name: str, seen: list[str] = seen, limit: int = n) -> None:
            seen.append(name)
            if len(seen) > limit:
                raise Killed

        with suppress(Killed):
            talked.outbox(PICKS, step)
            break
        steps.append(seen[-1])
        n += 1
    assert n >= 4, steps
    assert any(s.startswith("hub:pushed") for s in steps)
    assert len(talked.hub.pulls_) == 1
    pulls = [e for e in written(talked.at(PICKS)) if e.payload["what"] == "pull"]
    assert len(pulls) == 1
    head = talked.there.ref(f"refs/heads/{pulls[0].payload['head']}")
    assert pulls[0].payload["commit"] == head is not None
    refs = [r for r in talked.there.refs() if r.startswith("refs/heads/headway/")]
    assert len(refs) == 1


@pytest.mark.parametrize("picks", ["push", "pull-request"])
def test_P8_a_conflict_is_a_draft_of_its_workspace(tmp_path: Path, picks: str) -> None:
    talked = Talked(tmp_path, picks)
    talked.at(CUT).tick()
    grow_trunk(talked.there)
    changed = {"toykit/parse.py": "def parse(text, colour=None):\n    return text.split(','), colour or 1\n"}
    talked.there.commit("clash", "[Bugfix] Commas (#9)", changed)
    talked.at(PICKS).tick()
    asked_for(talked, "clash")
    talked.at(PICKS).tick(settle=False)
    talked.at(PICKS).tick(settle=False)
    talked.outbox(PICKS)
    (number,) = [n for title, n in opened(talked).items() if title.startswith("Conflict")]
    pull = talked.hub.pulls_[number]
    assert pull.draft
    assert "toykit/parse.py" in pull.body
    assert talked.there.ref(f"refs/heads/{pull.head}") is not None

    talked.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    talked.git("switch", "--quiet", "-C", "work", f"origin/{pull.head}")
    (talked.desk / "toykit/parse.py").write_text("def parse(text):\n    return text.split(',') or []\n")
    talked.git("commit", "--quiet", "-a", "-m", "Resolve")
    talked.git("push", "--quiet", "origin", f"HEAD:{pull.head}")
    said = Comment(1, number, "ada", False, "/resolve", PICKS, PICKS, "")
    seen = HubSeen(comments=(said,), people={"ada": Person("ada", Right.WRITE)})
    app = talked.at(PICKS)
    assert app.remote is not None
    (answer,) = answer_mail(app, cast(Hub, talked.hub), seen, partial(bring, app.repo, app.remote))
    assert answer.payload["ok"], answer.payload["text"]
    (made,) = record.of(talked.at(PICKS).entries(), Kind.RESOLVED)
    assert (made.payload["commit"], made.actor) == (talked.git("rev-parse", "HEAD"), "@ada")


def test_P1_the_check_of_a_fork_is_read_from_its_head_and_makes_no_branch(talked: Talked) -> None:
    asked_for(talked, "docs")
    docs, fix = talked.there.shas["docs"], talked.there.shas["fix"]
    talked.git("fetch", "--quiet", "origin")
    heads = {}
    for name, origin in (("good", docs), ("unasked", fix), ("own", "")):
        talked.git("switch", "--quiet", "-C", name, f"origin/{BRANCH}")
        if origin:
            talked.git("cherry-pick", "-x", origin)
        else:
            (talked.desk / "toykit/evil.py").write_text("x = 1\n")
            talked.git("add", "-A")
            talked.git("commit", "--quiet", "-m", "Work of my own")
        heads[name] = talked.git("rev-parse", "HEAD")
        number = talked.hub.people_open(name, BRANCH, heads[name], "eve/proj")
        talked.git("push", "--quiet", "origin", f"HEAD:refs/pull/{number}/head")
    before = talked.there.refs()
    done = {a.commit: a.outcome for a in talked.outbox(PICKS) if a.kind == "write-check"}  # type: ignore[union-attr]
    assert {n: done[sha] for n, sha in heads.items()} == {
        "good": Outcome.PASSED,
        "unasked": Outcome.WAITS,
        "own": Outcome.REFUSED,
    }
    mine = [r for r in talked.there.refs() if r not in before]
    assert [r for r in mine if not r.startswith("refs/heads/headway/")] == []
    assert [r for r in talked.here.refs() if r.startswith("refs/heads/") and r.rpartition("/")[2] in heads] == []


def test_a_pull_request_that_the_remote_does_not_have_stops_no_other(talked: Talked) -> None:
    asked_for(talked, "docs")
    talked.git("fetch", "--quiet", "origin")
    talked.git("switch", "--quiet", "-C", "good", f"origin/{BRANCH}")
    talked.git("cherry-pick", "-x", talked.there.shas["docs"])
    good = talked.git("rev-parse", "HEAD")
    talked.hub.people_open("gone", BRANCH, "d" * 40, "eve/proj")
    number = talked.hub.people_open("good", BRANCH, good, "eve/proj")
    talked.git("push", "--quiet", "origin", f"HEAD:refs/pull/{number}/head")
    checks = [a.commit for a in talked.outbox(PICKS) if a.kind == "write-check"]  # type: ignore[union-attr]
    assert good in checks
    assert "d" * 40 not in checks


def stored(path: Path) -> int:
    """Bytes of a clone's objects."""
    return sum(p.stat().st_size for p in (path / ".git/objects").rglob("*") if p.is_file())


def test_what_a_stranger_offers_is_fetched_up_to_a_bound_and_the_check_says_so(talked: Talked) -> None:
    """A large one stops no other, leaves nothing on the disk, and is not fetched again."""
    asked_for(talked, "docs")
    talked.outbox(PICKS)
    talked.git("fetch", "--quiet", "origin")
    heads, numbers = {}, {}
    for name in ("huge", "good"):
        talked.git("switch", "--quiet", "-C", name, f"origin/{BRANCH}")
        if name == "huge":
            (talked.desk / "toykit/huge.bin").write_bytes(hashlib.shake_256(b"gift").digest(3_000_000))
            talked.git("add", "-A")
            talked.git("commit", "--quiet", "-m", "A gift")
        else:
            talked.git("cherry-pick", "-x", talked.there.shas["docs"])
        heads[name] = talked.git("rev-parse", "HEAD")
        numbers[name] = talked.hub.people_open(name, BRANCH, heads[name], "eve/proj")
        talked.git("push", "--quiet", "origin", f"HEAD:refs/pull/{numbers[name]}/head")
    app = talked.at(PICKS)
    assert app.remote is not None
    assert app.hub_seen is not None
    before = stored(talked.path)
    fetch_heads(app.repo, app.remote, app.hub_seen.pulls, most=1_000_000)
    assert stored(talked.path) - before < 100_000
    assert [p.name for p in (talked.path / ".git/objects").iterdir() if p.name.startswith("tmp_")] == []
    assert talked.here.ref(pull_ref(numbers["good"])) == heads["good"]
    assert talked.here.ref(pull_ref(numbers["huge"])) is None
    # Asked for again with room enough: it is known by its head, so the remote is not asked for it.
    fetch_heads(app.repo, app.remote, app.hub_seen.pulls)
    assert stored(talked.path) - before < 100_000
    checks = {a.commit: a for a in talked.at(PICKS).plan().hub if isinstance(a, WriteCheck)}
    assert checks[heads["good"]].outcome is Outcome.PASSED
    assert checks[heads["huge"]].outcome is Outcome.REFUSED
    assert "too much to be fetched" in checks[heads["huge"]].summary
    assert "nothing that the branch has not" not in checks[heads["huge"]].summary
