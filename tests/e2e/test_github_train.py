"""A whole train on the tests' GitHub, driven only by what people write there and by its webhooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from githubtrain import BOT, LINE, Town, app_env, land, town
from githubwebhooks import SECRET, Webhooks
from hookkit import SECRET_ENV, Heard, listening
from trainkit import AFTER_CUT, FIX, GO, PICKS, POST, verify

from headway.model.entry import Kind

RC1, FINAL = "v0.1.1-rc1", "v0.1.1"
POST_RC, POST_FINAL = "v0.1.1.post1-rc1", "v0.1.1.post1"


class Ride:
    """A town whose webhooks reach a Headway that serves; ``until`` waits for what comes of them."""

    def __init__(self, town: Town, heard: Heard) -> None:
        self.town, self.heard = town, heard
        self.hooks = Webhooks(town.fake, f"{heard.url}webhooks/github", SECRET)

    def until(self, what: Callable[[], bool], why: str) -> None:
        """Send what webhooks tell, and wait for what comes of it."""
        ends = time.monotonic() + 300
        while not what():
            self.hooks.send()
            assert time.monotonic() < ends, (why, [str(e.kind) for e in self.town.entries()], self.hooks.answers[-20:])
            time.sleep(0.1)

    def says(self, login: str, number: int, body: str) -> str:
        """The answer to a comment."""
        had = len(self.town.answers(number))
        self.town.says(login, number, body)
        self.until(lambda: len(self.town.answers(number)) > had, body)
        return self.town.answers(number)[-1].split("\n", 1)[1]

    def tagged(self, name: str) -> None:
        self.until(lambda: bool(self.town.there.ref(f"refs/tags/{name}")), name)

    def staged(self, tag: str) -> None:
        """Built, tested and staged: what is left to a person."""
        self.until(lambda: any(e.payload.get("tag") == tag for e in self.town.entries(Kind.STAGED)), tag)

    def candidate(self) -> str:
        """The tag of the branch's tip, when it is built, tested and staged."""
        made = self.town.there.made
        self.until(lambda: made.run("tag", "--points-at", LINE, "--list", "*-rc*") != "", "a candidate")
        tag = made.run("tag", "--points-at", LINE, "--list", "*-rc*")
        self.staged(tag)
        return tag

    def released(self, tag: str) -> None:
        self.tagged(tag)
        self.until(lambda: any(r.tag == tag and not r.draft for r in self.town.fake.releases.rows.values()), tag)
        self.until(lambda: self.town.fake.talk.threads[self.town.tracker(tag[1:])].state == "closed", tag)


@pytest.fixture
def ride(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ride]:
    for name, value in {**app_env(), SECRET_ENV: SECRET}.items():
        monkeypatch.setenv(name, value)
    with town(tmp_path) as there, listening(lambda: there.app) as heard:
        yield Ride(there, heard)


def test_a_whole_train_by_comments_and_webhooks_alone(ride: Ride) -> None:
    here, fake = ride.town, ride.town.fake
    ride.staged(RC1)
    here.at(AFTER_CUT)
    land(here)
    here.at(PICKS)
    fix, docs, feature = (here.pulls[n] for n in ("fix", "docs", "feature"))
    assert "P7" in ride.says("ada", feature, "/pick v0.1.1 new-feature-fix people want colours --feature #1")
    assert ride.says("ada", fix, "/pick v0.1.1 regression one too few --good v0.1.0 --bad main").startswith("**Yes:**")
    torch = "Nice.\n\n@headway cherry-pick --onto releases/v0.1.1 -c docs"
    assert ride.says("ada", docs, torch).startswith("**Yes:**")
    base = here.there.shas["docs0"]
    ride.until(lambda: here.there.git("rev-list", "--count", f"{base}..{LINE}") == "3", "three changes")
    last = ride.candidate()
    assert sorted(here.there.git("log", "--format=%s", f"{base}..{LINE}").splitlines()) == [
        'Revert "[Core] Faster table (#2)"',
        f"[Bugfix] Count all of them (#{fix})",
        f"[Doc] How to install (#{docs})",
    ]
    here.at(GO)
    tracker = here.tracker()
    assert ride.says("mallory", tracker, "/approve v0.1.1 go").startswith("**No:**")
    assert ride.says("rosa", tracker, "/approve v0.1.1 go").startswith("**Yes:**")
    ride.released(FINAL)
    again = here.merged("again", "[Bugfix] Count nothing", {"toykit/count.py": FIX + "\n\nNOTHING = 0\n"})
    here.at(POST)
    critical = "/pick v0.1.1.post1 critical it crashes --symptom crash"
    assert "P3" in ride.says("ada", again, critical)  # without evidence it waits for a person
    assert ride.says("rosa", again, "/approve").startswith("**Yes:**")
    ride.staged(POST_RC)
    assert ride.says("rosa", here.tracker("0.1.1.post1"), "/approve v0.1.1.post1 go").startswith("**Yes:**")
    ride.released(POST_FINAL)

    assert [(r.tag, r.draft, r.latest, len(r.assets)) for r in fake.releases.rows.values()] == [
        (FINAL, False, False, 2),
        (POST_FINAL, False, True, 2),
    ]
    for tag, of in ((FINAL, last), (POST_FINAL, POST_RC)):
        assert here.there.made.tip(tag) == here.there.made.tip(of)
        assert verify(here.app, tag[1:]) == ()
    there, mine = (
        here.there.refs(),
        here.there.made.run("for-each-ref", "--format=%(refname) %(objectname)", cwd=here.clone),
    )
    assert {r: s for r, s in (row.split() for row in mine.splitlines()) if r.startswith("refs/tags/")} == {
        r: s for r, s in there.items() if r.startswith("refs/tags/")
    }
    # Nothing twice: each command has one answer, each train one issue.
    for n in fake.talk.notes.values():
        if n.author != BOT and n.body.lstrip().startswith(("/", "@")):
            about = f"<!-- headway:answer:{n.id} -->"
            assert sum(about in m.body for m in fake.talk.notes.values()) == 1, n
    assert set(ride.hooks.answers) <= {200, 202}
