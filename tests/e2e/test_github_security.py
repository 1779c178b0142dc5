"""On the forge nobody gets more than their right: tokens stay hidden, outsiders write nothing, texts are inert."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from githubfake import TOKEN, FakeGitHub
from githubtrain import BOT, LINE, VERSION, Town, app_env, land, town
from gitmaker import git_env
from markdown_it import MarkdownIt
from trainkit import AFTER_CUT, CUT, PICKS

from headway import ticking
from headway.model.entry import Kind

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
HOSTILE = (
    "[Bugfix] $(touch pwned)`touch pwned`; <img src=x onerror=alert(1)> @root @toy/release "
    "[click](https://evil.example) ![x](https://evil.example/x.png) \x1b[31mred\x1b[0m \u202etxt.exe --> "
    "<!-- headway:x -->"
)


def headway(there: Town, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "headway", *args, "--repo", str(there.clone), "--now", there.now.isoformat()]
    return subprocess.run(argv, capture_output=True, text=True, env={**git_env(), **(env or {})}, check=False)


@contextmanager
def watched(fake: FakeGitHub) -> Iterator[set[str]]:
    """The command lines of all processes of this machine that were seen meanwhile, and surely while git pushes."""
    seen: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        for name in os.listdir("/proc"):
            try:
                seen.add(Path("/proc", name, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:  # no process, or one that has ended
                continue

    def keep_looking() -> None:
        while not ended.is_set():
            look()

    fake.on_git = look
    watcher = threading.Thread(target=keep_looking)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc here")
def test_the_token_is_in_no_log_ledger_file_or_process_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with town(tmp_path) as there:
        with watched(there.fake) as seen:
            done = headway(there, "tick", env={"GITHUB_TOKEN": TOKEN})
        assert done.returncode == 0, done.stderr
        assert there.there.ref(f"refs/heads/{LINE}"), "it was pushed, with the token"
        there.fake.may["push"] = False  # refused: errors tell no token either
        there.at(PICKS)
        refused = headway(there, "tick", env={"GITHUB_TOKEN": TOKEN})
        there.fake.may["push"] = True
        wrong = headway(there, "tick", env={"GITHUB_TOKEN": "not-" + TOKEN})
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        told = "".join(r.stdout + r.stderr for r in (done, refused, wrong))
        files = {p: p.read_bytes() for p in there.clone.rglob("*") if p.is_file()}
        texts = [n.body for n in there.fake.talk.notes.values()] + [t.body for t in there.fake.talk.threads.values()]
    assert wrong.returncode == 4
    assert any(" push " in line for line in seen), "the watcher saw the push"
    assert not [line for line in seen if TOKEN in line]
    assert TOKEN not in told
    assert "Traceback" not in told
    assert not [p for p, data in files.items() if TOKEN.encode() in data]
    assert not [t for t in texts if TOKEN in t]


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A train that was just cut."""
    for name, value in app_env().items():
        monkeypatch.setenv(name, value)
    with town(tmp_path) as made:
        made.at(CUT)
        while not made.entries(Kind.CUT):
            ticking.tick(made.app)
        yield made


def test_outsiders_and_forks_cause_an_answer_and_no_write(there: Town) -> None:
    there.at(AFTER_CUT)
    land(there)
    there.at(PICKS)
    made = there.there.made
    made.branch("evil", LINE)
    evil = made.commit(
        "[CI] Mine now", {"release.toml": "schema = 1\n", ".github/workflows/x.yml": "on: push\n"}, branch="evil"
    )
    head = there.fake.fork("mallory", "x;touch${IFS}pwned", evil)
    made.run("branch", "-D", "evil")
    fork = there.fake.pulls.open("mallory", head, LINE, "Please merge /approve v0.1.1 go").number
    commands = (
        "/pick v0.1.1 docs people ask for it",
        "/approve v0.1.1 go",
        "/hold v0.1.1 because I can",
        "/waive v0.1.1 P7 until 2025-12-31 because I can",
        "/release-hold v0.1.1",
    )
    asked = [there.says("mallory", fork, c) for c in commands]
    asked.append(there.says("mallory", there.pulls["docs"], "@headway cherry-pick --onto releases/v0.1.1 -c docs"))
    before = {r: s for r, s in there.there.refs().items() if "/pull/" not in r}
    made_before = {e.seq for e in there.entries()}
    for _ in range(2):
        ticking.tick(there.app)
    after = {r: s for r, s in there.there.refs().items() if "/pull/" not in r}
    carried = {LINE, f"v{VERSION}-rc1"}  # the train itself goes on: the trunk's revert is carried over
    assert {r for r in before.keys() | after.keys() if before.get(r) != after.get(r)} <= {
        f"refs/heads/{LINE}",
        f"refs/tags/v{VERSION}-rc1",
    }, carried
    assert evil not in made.run("rev-list", LINE).splitlines()
    new = [e for e in there.entries() if e.seq not in made_before]
    assert not [e for e in new if "mallory" in e.actor]
    assert {str(e.kind) for e in new} <= {"answered", "written", "applied", "candidate-tagged", "tagged"}, new
    bodies = [n.body for n in there.fake.talk.notes.values() if n.author == BOT]
    for comment in asked:
        (answer,) = [b for b in bodies if f"<!-- headway:answer:{comment} -->" in b]
        assert "**No:**" in answer
    assert not list(there.clone.rglob("pwned"))
    assert not Path("pwned").exists()


def inert(text: str) -> None:
    """What others wrote does nothing in it, as Markdown is read: no mention, markup, link or image of theirs."""
    assert "\x1b" not in text
    assert not set(text) & set(BIDI)
    for block in MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text):
        for token in (block, *(block.children or ())):
            if token.type in {"html_block", "html_inline"}:
                assert re.fullmatch(r"(<!-- headway:[\w:./-]+ -->|</?sub>)\s*", token.content), token.content
            assert token.type != "image", text
            if token.type == "link_open":
                assert str(token.attrs["href"]).startswith("https://github.example/"), token
            if token.type == "text":
                assert not re.search(r"(?<![\w/])@(?:root|toy)", token.content), token.content
                assert not re.search(r"https?://evil", token.content), "GitHub makes a link of it"


def test_hostile_texts_come_out_inert(there: Town) -> None:
    there.at(AFTER_CUT)
    number = there.merged("hostile", HOSTILE, {"toykit/count.py": "def count(xs):\n    return len(xs)\n"})
    there.at(PICKS)
    reason = HOSTILE.removeprefix("[Bugfix] ").partition("<!--")[0]  # a comment with a mark is Headway's own
    there.says("ada", number, f"/pick v0.1.1 regression {reason} --good v0.1.0 --bad main")
    there.says("ada", number, f"/pick v0.1.1 {reason}")
    there.says("ada", number, f"/status {reason}")
    for _ in range(3):
        ticking.tick(there.app)
    texts = [n.body for n in there.fake.talk.notes.values() if n.author == BOT]
    texts += [t.body for t in there.fake.talk.threads.values() if t.author == BOT]
    assert len(texts) >= 4
    for text in texts:
        inert(text)
    for args in (("status",), ("plan",), ("notes", VERSION), ("pick", "list")):
        told = headway(there, *args, env=app_env())
        assert "Traceback" not in told.stderr
        assert "\x1b[31m" not in told.stdout + told.stderr, args
        assert not set(told.stdout + told.stderr) & set(BIDI), args
        if args[0] == "notes":
            inert(told.stdout)
    assert not list(there.clone.rglob("pwned"))
    assert not Path("pwned").exists()
