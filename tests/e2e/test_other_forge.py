"""A third forge: an adapter that is installed beside Headway, of which nothing in Headway knows, carries a train."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import httpx
import pytest
from hookkit import SECRET, SECRET_ENV, listening
from paperforge import FOLDER, KEY, ME, Paper, PaperAsking, PaperForge, PaperHub, installed
from trainkit import BRANCH, CUT, GO, PICKS, Project, grow_trunk, kinds, make_project, open_at

from headway.app import Headway
from headway.doctor import examine
from headway.errors import BudgetSpent, HeadwayError, UnusableInput
from headway.forgecontract import TRIALS, NotKept
from headway.forges import forge_of
from headway.model.ports import Hub
from headway.policy.loader import load_policy
from headway.ticking import look, tick

FORGE = """repository = "toy/kit"

[documents]
sbom = false
provenance = false

[candidate]
quiet_hours = 6

[forge]
kind = "paper"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = installed(tmp_path / "site")
    monkeypatch.syspath_prepend(str(found))
    return found


class World:
    """``there`` is the repository that lies beside the paper, ``here`` a clone of it."""

    def __init__(self, folder: Path) -> None:
        self.paper = Paper(folder / "paper")
        (folder / "paper" / "toy").mkdir(parents=True)
        self.there = make_project(folder / "paper" / "toy" / "kit.git", trust=FORGE)
        self.here = folder / "here"
        self.there.git("clone", "--quiet", str(self.there.path), str(self.here))
        for login, right in (("rosa", "admin"), ("mallory", "read")):
            self.paper.person(login, right)
        self.paper.at(CUT)

    def app(self) -> Headway:
        return open_at(self.here, CUT)

    def settle(self, now: object) -> list[str]:
        self.paper.at(now)  # type: ignore[arg-type]
        return [d.action.kind for d in tick(open_at(self.here, now), settle=True).done]  # type: ignore[arg-type]

    def answers(self) -> list[str]:
        rows = self.paper.read()["notes"].values()
        return [r["body"] for r in rows if r["author"] == ME and "<!-- headway:answer:" in r["body"]]


@pytest.fixture
def world(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv(FOLDER, str(tmp_path / "paper"))
    monkeypatch.setenv(KEY, "sesame")
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    return World(tmp_path)


def test_a_train_by_comments_on_another_forge(world: World) -> None:
    world.settle(CUT)
    assert world.there.ref(f"refs/heads/{BRANCH}")
    ((tracker, issue),) = world.paper.read()["threads"].items()
    assert issue["title"] == "Release v0.1.1"
    grow_trunk(world.there)
    world.paper.at(PICKS)
    fix = world.there.shas["fix"]
    pick = f"/pick v0.1.1 {fix} regression it counts wrong --good v0.1.0 --bad main"
    world.paper.note("rosa", int(tracker), pick)
    world.paper.note("mallory", int(tracker), "/hold v0.1.1 because")
    edited = world.paper.note("rosa", int(tracker), "a word")
    world.paper.change("notes", edited, body="/hold v0.1.1 edited into a command")
    assert "apply" in " ".join(world.settle(PICKS))
    told = [b.split("\n", 1)[1] for b in world.answers()]
    assert [t.startswith("**Yes:**") for t in told] == [True, False, False], told
    assert "held" not in kinds(open_at(world.here, PICKS))
    subjects = world.there.git("log", "--format=%s", BRANCH)
    assert "[Bugfix] Count all of them (#4)" in subjects
    assert "Count all of them" in world.paper.read()["threads"][tracker]["body"]
    world.settle(GO)
    world.paper.note("rosa", int(tracker), "/approve v0.1.1 go")
    assert "publish" in world.settle(GO), world.answers()
    assert world.settle(GO) == []
    app = open_at(world.here, GO)
    assert app.forge is not None
    release = app.forge.release("v0.1.1")
    assert release is not None
    assert (release.draft, release.latest, len(release.assets)) == (False, True, 2)
    assert release.commit == world.there.made.tip("v0.1.1")
    assert not world.paper.read()["threads"][tracker]["open"]


def test_doctor_says_what_it_needs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> dict[str, tuple[bool, str]]:
        return {c.name: (c.ok, str(c.words)) for c in examine(world.app())}

    found = rows()
    assert found["forge"] == (True, f"the paper lies in {world.paper.folder}")
    assert found["remote"] == (True, "origin is toy/kit")
    assert found["git"] == (True, "git gets in at origin")
    assert found["branches"][0]
    monkeypatch.delenv(KEY)
    assert rows()["forge"] == (False, f"there is no key in {KEY}")
    with pytest.raises(UnusableInput) as caught:
        tick(world.app())
    assert (caught.value.code, world.app().entries()) == ("paper.no-key", ())
    assert look(world.app())[1] == f"there is no key in {KEY}"


def test_what_is_left_over_when_the_requests_are_spent_is_done_by_the_next(world: World) -> None:
    policy = world.here / "release.toml"
    policy.write_text(policy.read_text().replace('kind = "paper"\n', 'kind = "paper"\nbudget = 8\n'))
    issue = world.paper.thread("rosa", "x", "")
    for _ in range(70):
        world.paper.note("rosa", issue, "words")
    world.paper.note("rosa", issue, "/hold v0.1.1 the runners are down")
    for _ in range(10):
        assert "cut" not in [d.action.kind for d in tick(world.app()).done]
    assert kinds(world.app()).count("held") == 1


def test_its_webhooks_are_let_in_at_its_own_address(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_ENV, SECRET)
    body = json.dumps({"id": "8f3c0f1e-0000-4000-8000-000000000001", "paper": "toy/kit"}).encode()
    signed = {"X-Paper-Signature": hmac.new(SECRET.encode(), body, "sha256").hexdigest()}
    with listening(world.app, let_in=lambda app: app) as heard:
        at = f"{heard.url}webhooks/paper"
        assert httpx.post(at, content=body, headers={"X-Paper-Signature": "no"}).status_code == 401
        assert httpx.post(at, content=body).status_code == 401
        assert httpx.post(at, content=body, headers=signed).status_code == 202
        assert httpx.post(at, content=body, headers=signed).json() == {"status": "seen"}
        assert httpx.post(at, content=b"x" * 2000, headers=signed).status_code == 413
        assert httpx.post(f"{heard.url}webhooks/github", content=body, headers=signed).status_code in {404, 405}


def test_the_command_line_finds_it(world: World, site: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])}
    asked = [sys.executable, "-m", "headway", "doctor", "--json"]
    told = subprocess.run(asked, cwd=world.here, env=env, capture_output=True, text=True, check=False)
    assert "the paper lies in" in told.stdout, told.stderr


# What is not there ---------------------------------------------------------------------------------------------------


def refused(forge: str, repository: str = "toy/kit", more: str = "") -> str:
    with pytest.raises(UnusableInput) as caught:
        load_policy(
            f'schema = 1\n[project]\nrepository = "{repository}"\n[forge]\nkind = "{forge}"\n{more}',
            source="release.toml",
        )
    return json.dumps(caught.value.as_json()).replace("\\u2026", "…")


def test_a_kind_that_nobody_registers_is_told_with_those_that_are_there() -> None:
    said = refused("gitlub")
    assert "forge.kind: 'gitlub' is no kind of forge that is installed here: none, github" in said
    assert "did you mean github?" in said


def test_an_installed_one_is_known_and_its_repository_may_lie_in_groups(site: Path) -> None:
    assert "none, github, paper" in refused("papier")
    assert "must be owner/name when `forge.kind` is paper" in refused("paper", "kit")
    text = 'schema = 1\n[project]\nrepository = "group/sub/kit"\n[forge]\nkind = "paper"\n'
    forge = forge_of(load_policy(text, source="release.toml"))
    assert type(forge).__name__ == "PaperForge"
    assert "build.by" in refused("paper", more='[build]\nby = "github"\n')
    assert "perf.runner" in refused("paper", more='[perf]\nrunner = "github"\n')


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ("paper = paperforge:NoSuchClass\n", "AttributeError"),
        ("paper = no_such_module_at_all:X\n", "ModuleNotFoundError"),
        ("", "2 packages register it"),
    ],
)
def test_an_adapter_that_cannot_be_used_is_told(site: Path, points: str, why: str) -> None:
    text = 'schema = 1\n[project]\nrepository = "toy/kit"\n[forge]\nkind = "paper"\n'
    policy = load_policy(text, source="release.toml")
    info = site / ("paperforge-1.0.dist-info" if points else "another-1.0.dist-info")
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {info.name.partition('-')[0]}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[headway.forges]\n{points or 'paper = paperforge:PaperForge'}\n")
    with pytest.raises(HeadwayError) as caught:
        forge_of(policy)
    assert caught.value.code == "forge.adapter"
    assert why in str(caught.value)


# The contract --------------------------------------------------------------------------------------------------------


class PaperStage:
    head, base, writer, stranger = "fix", "main", "rosa", "mallory"

    def __init__(self, world: World) -> None:
        self.paper, self.there = world.paper, cast(Project, world.there)
        self.there.made.branch(self.head, self.base)
        self.there.made.commit("Fix", {"a": "2\n"}, branch=self.head)

    @property
    def hub(self) -> Hub:
        return PaperHub(self.paper, "toy/kit")

    def issue(self, login: str, title: str, body: str) -> int:
        return self.paper.thread(login, title, body)

    def pull(self, login: str, title: str) -> int:
        sha = self.paper.tip("toy/kit", self.head)
        return self.paper.thread(login, title, "", {"head": self.head, "base": self.base, "sha": sha, "merged": None})

    def comment(self, login: str, number: int, body: str) -> int:
        return self.paper.note(login, number, body)

    def edit(self, comment: int, body: str) -> None:
        self.paper.change("notes", comment, body=body)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda t: t.__name__)
def test_it_keeps_what_a_forge_promises(world: World, trial: object) -> None:
    trial(PaperStage(world))  # type: ignore[operator]


def test_a_promise_that_is_not_kept_is_told(world: World) -> None:
    class Twice(PaperHub):
        def write_comment(self, marker: str, number: int, id: int, body: str) -> object:  # type: ignore[override]
            return super().write_comment(f"{marker} {self.paper.note(ME, number, body)}", number, 0, body)

    class Stage(PaperStage):
        @property
        def hub(self) -> Hub:
            return cast(Hub, Twice(self.paper, "toy/kit"))

    trial = next(t for t in TRIALS if t.__name__ == "a_comment_is_written_once")
    with pytest.raises(NotKept):
        trial(Stage(world))


def test_a_budget_is_kept(world: World) -> None:
    forge = PaperForge(world.app().policy)
    with forge.asking(None, 4, world.app().clock) as asking:
        assert isinstance(asking, PaperAsking)
        with asking.sparing():
            for _ in range(3):
                forge.hub().issue(1)
            with pytest.raises(BudgetSpent):
                forge.hub().issue(1)
        forge.hub().issue(1)
        assert asking.used_up
