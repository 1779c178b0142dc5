"""The command line as a user or a program calls it: one JSON document, the contract's fields and exit statuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gitmaker import GitMaker
from trainkit import PERSON, Project, grow_trunk, make_project

BEFORE, CUT, PICKS = "2025-01-20T09:00:00Z", "2025-01-27T10:00:00Z", "2025-01-28T09:00:00Z"
GO, AFTER = "2025-01-29T12:00:00Z", "2025-01-30T12:00:00Z"
EVIDENCE = ("--evidence", "https://example.org/why")
REGRESSED = (*EVIDENCE, "--good", "0.1.0", "--bad", "main")
ENTRY = {"seq", "at", "actor", "kind", "train", "payload", "prev", "digest"}
VIOLATION = {"clause", "facts", "remedy"}


@dataclass(frozen=True)
class Ran:
    """One call and how it ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; fails when there is anything else."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def error(self) -> dict[str, Any]:
        found = self.document
        assert set(found) == {"error"}
        assert set(found["error"]) == {"code", "clause", "message", "facts", "remedy"}
        assert found["error"]["message"]
        assert found["error"]["remedy"]
        return dict(found["error"])


def headway(*args: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> Ran:
    """Call it as a user does. A traceback is a defect, whatever the call was."""
    told = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "HEADWAY_"))}
    done = subprocess.run(
        [sys.executable, "-m", "headway", *map(str, args)],
        cwd=cwd,
        env={**told, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert "defect of Headway" not in done.stdout + done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def trunk(path: Path, bare: bool = False) -> GitMaker:
    """A repository with two commits and one release."""
    made = GitMaker(path, bare=bare)
    made.commit("one", {"a": "1\n"})
    made.tag("v0.1.0")
    made.commit("two", {"a": "2\n"})
    return made


# A whole train, told once; every step's call is looked at by a test of its own ---------------------------------


class Story:
    """A train from its plan to its withdrawal, one call after the other."""

    def __init__(self, folder: Path) -> None:
        self.ran: dict[str, Ran] = {}
        self.project: Project = make_project(folder / "toy.git")
        self.path = self.project.path
        self.folder = folder
        self.play()

    def call(self, name: str, now: str, *args: object) -> Ran:
        common = ("--json", "--repo", self.path, "--as", PERSON, "--now", now)
        self.ran[name] = headway(*common, *args)
        return self.ran[name]

    def play(self) -> None:
        call = self.call
        call("status", BEFORE, "status")
        call("plan, waiting", BEFORE, "plan", "0.1.1")
        call("cut, too early", BEFORE, "cut", "0.1.1")
        call("slip", BEFORE, "slip", "0.1.1", "--to", "2025-01-29", "--reason", "no holiday")
        call("cut", CUT, "cut", "0.1.1")
        grow_trunk(self.project)
        call(
            "request, accepted", PICKS, "pick", "request", "#4", "--category", "regression", "--reason", "r", *REGRESSED
        )
        call("request, refused", PICKS, "pick", "request", "#6", "--category", "critical", "--reason", "r", *EVIDENCE)
        review = call("request, review", PICKS, "pick", "request", "#5", "--category", "critical", "--reason", "r")
        call("pick list", PICKS, "pick", "list")
        call("reverts", PICKS, "reverts")
        call("plan", PICKS, "plan")
        call("pick apply", PICKS, "pick", "apply")
        call("approve a pick", PICKS, "approve", "0.1.1", f"pick:{review.document['id']}")
        call("hold", PICKS, "hold", "0.1.1", "--reason", "lunch")
        call("tick, held", PICKS, "tick")
        call("release-hold", PICKS, "release-hold", "0.1.1")
        call("release-hold, none", PICKS, "release-hold", "0.1.1")
        call("tick", PICKS, "tick", "v0.1.1", "--settle")
        call("tick, retry", PICKS, "tick", "--retry", "test")
        call("waive", PICKS, "waive", "0.1.1", "C1", "--reason", "early", "--until", "2025-01-28")
        call("waive, refused", PICKS, "waive", "0.1.1", "P5", "--reason", "please", "--until", "2025-01-28")
        call("skip, refused", PICKS, "skip", "0.1.1")
        call("approve", GO, "approve", "0.1.1", "go")
        call("tick, release", GO, "tick", "--settle")
        call("verify", GO, "verify")
        call("notes", GO, "notes", "0.1.1", "--format", "json")
        call("calendar", GO, "calendar")
        for kind in ("major", "minor", "patch", "post"):
            call(f"version next {kind}", GO, "version", "next", "--kind", kind)
        call("compare", GO, "perf", "compare", "v0.1.0", "v0.1.1")
        self.project.made.commit("By hand", {"toykit/table.py": "x = 1\n"}, branch="releases/v0.1.1")
        call("adopt, no category", AFTER, "adopt", "releases/v0.1.1")
        call("adopt", AFTER, "adopt", "releases/v0.1.1", "--category", "regression", "--reason", "by hand")
        call("abandon", AFTER, "abandon", "0.1.1.post1", "--reason", "no need")
        call("skip", AFTER, "skip", "0.1.2", "--reason", "a fortnight off")
        call("yank", AFTER, "yank", "0.1.1", "--reason", "broken")
        call("yank, refused", AFTER, "yank", "0.1.0", "--reason", "broken")
        call("ledger show", AFTER, "ledger", "show")
        call("ledger export", AFTER, "ledger", "export")
        call("ledger export to", AFTER, "ledger", "export", "--to", self.folder / "bundle.jsonl")
        call("ledger backup", AFTER, "ledger", "backup", "--to", self.folder / "backup.db")
        call("verify a bundle", AFTER, "verify", self.folder / "bundle.jsonl")
        call("doctor", AFTER, "doctor")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("story"))


CONTRACT: dict[str, tuple[int, set[str]]] = {
    "status": (0, {"trains"}),
    "plan, waiting": (3, {"actions", "waits"}),
    "cut, too early": (1, {"entry", "refused"}),
    "slip": (0, {"entry"}),
    "cut": (0, {"entry"}),
    "request, accepted": (0, {"id", "verdict", "violations"}),
    "request, refused": (1, {"id", "verdict", "violations"}),
    "request, review": (3, {"id", "verdict", "violations"}),
    "pick list": (0, {"requests"}),
    "reverts": (1, {"branch", "cut", "reverts"}),
    "plan": (0, {"actions", "waits"}),
    "pick apply": (0, {"applied", "waits"}),
    "approve a pick": (0, {"entry"}),
    "hold": (0, {"entry"}),
    "tick, held": (3, {"done", "waits"}),
    "release-hold": (0, {"entry"}),
    "release-hold, none": (1, {"entry", "refused"}),
    "tick": (0, {"done", "waits"}),
    "tick, retry": (1, {"entry", "refused"}),
    "waive": (0, {"entry"}),
    "waive, refused": (1, {"entry", "refused"}),
    "skip, refused": (1, {"entry", "refused"}),
    "approve": (0, {"entry"}),
    "tick, release": (0, {"done", "waits"}),
    "verify": (0, {"ok", "problems"}),
    "notes": (0, {"sections"}),
    "calendar": (0, {"year", "releases", "months"}),
    "version next major": (0, {"current", "next", "tag", "branch", "reuses_branch"}),
    "version next minor": (0, {"current", "next", "tag", "branch", "reuses_branch"}),
    "version next patch": (0, {"current", "next", "tag", "branch", "reuses_branch"}),
    "version next post": (0, {"current", "next", "tag", "branch", "reuses_branch"}),
    "compare": (3, {"verdict", "cells", "false_block_bound", "miss_bound"}),
    "adopt, no category": (1, {"entry", "refused"}),
    "adopt": (0, {"entry"}),
    "abandon": (0, {"entry"}),
    "skip": (0, {"entry"}),
    "yank": (0, {"entry"}),
    "yank, refused": (1, {"entry", "refused"}),
    "ledger show": (0, {"entries"}),
    "ledger export": (0, {"entry"}),
    "ledger export to": (0, {"entry"}),
    "ledger backup": (0, {"entry"}),
    "verify a bundle": (0, {"ok", "problems"}),
    "doctor": (0, {"entry", "ok", "checks"}),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_document_and_status_of_each_command(story: Story, name: str) -> None:
    status, fields = CONTRACT[name]
    ran = story.ran[name]
    assert ran.status == status, ran
    assert fields | {"elapsed_s"} <= set(ran.document)
    assert isinstance(ran.document["elapsed_s"], float)


def test_every_command_of_the_story_is_in_the_contract(story: Story) -> None:
    assert set(story.ran) == set(CONTRACT)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("slip", "slipped"),
        ("cut", "cut"),
        ("approve a pick", "approved"),
        ("hold", "held"),
        ("release-hold", "hold-released"),
        ("waive", "waived"),
        ("approve", "approved"),
        ("adopt", "adopted"),
        ("abandon", "abandoned"),
        ("skip", "skipped"),
        ("yank", "yanked"),
    ],
)
def test_a_control_answers_its_entry(story: Story, name: str, kind: str) -> None:
    entry = story.ran[name].document["entry"]
    assert set(entry) == ENTRY
    assert entry["kind"] == kind
    assert entry["actor"] == ("headway" if kind == "cut" else PERSON)


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("cut, too early", "B2"),
        ("release-hold, none", "G2"),
        ("tick, retry", "B4"),
        ("waive, refused", "G1"),
        ("skip, refused", "B1"),
        ("adopt, no category", "P1"),
        ("yank, refused", "N1"),
    ],
)
def test_a_refusal_cites_its_clause_and_writes_no_entry(story: Story, name: str, clause: str) -> None:
    found = story.ran[name].document
    assert found["entry"] is None
    assert found["refused"][0]["clause"] == clause
    assert set(found["refused"][0]) >= VIOLATION


def test_what_the_trains_documents_say(story: Story) -> None:
    def of(name: str) -> dict[str, Any]:
        return story.ran[name].document

    (train,) = of("status")["trains"]
    assert set(train) >= {"version", "stage", "branch", "candidates", "blockers", "next"}
    assert (train["version"], train["branch"]) == ("0.1.1", "releases/v0.1.1")
    assert [b["clause"] for b in train["blockers"]] == ["B2"]
    assert of("plan, waiting")["actions"] == []
    assert [w["clause"] for w in of("plan, waiting")["waits"]] == ["B2"]
    assert [a["kind"] for a in of("plan")["actions"]] == ["apply"]
    assert set(of("plan")["actions"][0]) >= {"kind", "target"}
    verdicts = {name: of(f"request, {name}")["verdict"] for name in ("accepted", "refused", "review")}
    assert verdicts == {"accepted": "accepted", "refused": "refused", "review": "needs-review"}
    assert [v["clause"] for v in of("request, refused")["violations"]] == ["P7", "P3"]
    assert [r["verdict"] for r in of("pick list")["requests"]] == ["accepted", "refused", "needs-review"]
    (revert,) = of("reverts")["reverts"]
    shas = story.project.shas
    assert (revert["revert"], revert["reverts"], revert["kind"]) == (shas["revert"], [shas["table"]], "revert")
    assert revert["verdict"] == "needed"
    assert of("tick, held")["waits"][0]["clause"] == "G2"
    assert [d["kind"] for d in of("tick")["done"]][-4:] == ["tag-candidate", "build", "test", "stage"]
    assert [d["kind"] for d in of("tick, release")["done"]] == ["publish", "tag-final"]
    assert of("verify")["problems"] == []
    assert of("compare")["verdict"] == "missing"


def test_notes_name_every_part(story: Story) -> None:
    sections = story.ran["notes"].document["sections"]
    parts = "features improvements fixes upcoming breaking waivers performance contributors artifacts"
    assert set(sections) == {*parts.split(), "history"}  # it slipped on the way
    assert sections["fixes"] == ["[Bugfix] Count all of them (#4)"]
    assert [row.split()[0] for row in sections["artifacts"]] == ["toykit-0.1.1-py3-none-any.whl", "toykit-0.1.1.tar.gz"]


@pytest.mark.parametrize(
    ("kind", "version", "reuses"),
    [("major", "1.0.0", False), ("minor", "0.2.0", False), ("patch", "0.1.2", False), ("post", "0.1.1.post1", True)],
)
def test_the_next_version_of_each_kind(story: Story, kind: str, version: str, reuses: bool) -> None:
    found = story.ran[f"version next {kind}"].document
    found.pop("elapsed_s")
    branch = "releases/v0.1.1" if reuses else f"releases/v{version}"
    assert found == {
        "current": "0.1.1",
        "next": version,
        "tag": f"v{version}",
        "branch": branch,
        "reuses_branch": reuses,
    }


def test_the_calendar_of_a_project_holds_what_was_released(story: Story) -> None:
    rows = {r["version"]: r for r in story.ran["calendar"].document["releases"]}
    assert set(rows["0.1.1"]) >= {"version", "date", "cut_from", "cut_to", "post_from", "post_to", "tentative"}
    assert (rows["0.1.1"]["date"], rows["0.1.1"]["tentative"]) == ("2025-01-29", False)
    assert rows["0.1.2"]["tentative"]


def test_the_ledger_is_shown_exported_and_backed_up(story: Story) -> None:
    entries = story.ran["ledger show"].document["entries"]
    assert [e["seq"] for e in entries] == list(range(1, len(entries) + 1))
    bundle = story.ran["ledger export"].document["bundle"]
    assert bundle == (story.folder / "bundle.jsonl").read_text()
    assert headway("verify", story.folder / "backup.db", "--json").document["ok"] is True
    again = headway("--repo", story.path, "ledger", "backup", "--to", story.folder / "backup.db", "--json")
    assert again.status in {2, 4}
    assert "backup.db" in again.error["message"]


def test_an_altered_bundle_is_not_proved(story: Story, tmp_path: Path) -> None:
    altered = tmp_path / "bundle.jsonl"
    altered.write_text((story.folder / "bundle.jsonl").read_text().replace("no holiday", "no reason"))
    ran = headway("verify", altered, "--json")
    assert (ran.status, ran.document["ok"]) == (1, False)
    assert {p["clause"] for p in ran.document["problems"]} == {"G4"}


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    made = trunk(tmp_path / "r")
    made.commit("Policy", {"release.toml": 'schema = 1\npreset = "generic"\n'})
    (tmp_path / "r/.git/headway").mkdir()
    (tmp_path / "r/.git/headway/ledger.db").write_bytes(b"no database at all" * 99)
    for args in (("status",), ("hold", "--reason", "r")):
        ran = headway("--repo", made.path, "--json", *args)
        assert (ran.status, ran.error["code"]) == (2, "ledger.not-a-ledger"), ran
        assert "backup" in ran.error["remedy"]
    ran = headway("--repo", made.path, "--json", "doctor")
    checks = {c["name"]: c["ok"] for c in ran.document["checks"]}
    assert (ran.status, checks["ledger"]) == (1, False)


@pytest.mark.parametrize(("lang", "chinese"), [("en", False), ("zh", True)])
def test_a_person_is_told_in_words(story: Story, lang: str, chinese: bool) -> None:
    for args in (("status",), ("tick", "--retry", "test")):
        ran = headway("--repo", story.path, "--lang", lang, "--now", AFTER, *args)
        assert ran.status in {0, 1}, ran
        assert any("\u4e00" <= c <= "\u9fff" for c in ran.out) == chinese, args


# Usage ---------------------------------------------------------------------------------------------------------


def test_options_stand_before_or_after_the_command_and_the_later_wins(tmp_path: Path) -> None:
    path = trunk(tmp_path / "r").path
    ways = (
        ("--json", "--repo", path, "--now", BEFORE, "version", "next", "--kind", "minor"),
        ("version", "next", "--kind", "minor", "--json", "--repo", path, "--now", BEFORE),
        ("--repo", tmp_path / "nowhere", "version", "next", "--repo", path, "--json", "--kind", "minor"),
    )
    found = [headway(*way).document["next"] for way in ways]
    assert found == ["0.2.0"] * 3


def test_now_is_the_clock_and_a_time_that_is_none_is_refused(tmp_path: Path) -> None:
    path = trunk(tmp_path / "r").path
    ran = headway("--repo", path, "--now", "2031-05-05", "calendar", "--json")
    assert ran.document["year"] == 2031
    ran = headway("--repo", path, "--now", "soon", "status", "--json")
    assert (ran.status, ran.error["code"]) == (2, "usage.time")


@pytest.mark.parametrize(
    "args",
    [
        ("status", "--nonsense"),
        ("nonsense",),
        ("pick",),
        ("slip", "0.1.1"),
        ("calendar", "--year", "0"),
        (),
    ],
)
def test_wrong_usage(tmp_path: Path, args: tuple[str, ...]) -> None:
    ran = headway("--json", *args, cwd=tmp_path)
    assert (ran.status, ran.error["code"]) == (2, "usage")


def test_wrong_usage_in_words(tmp_path: Path) -> None:
    ran = headway("status", "--nonsense", cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert "--nonsense" in ran.err
    assert "headway status --help" in ran.err


def test_days_versions_and_names_that_are_none(story: Story) -> None:
    for args, code in (
        (("slip", "0.1.2", "--to", "tomorrow", "--reason", "r"), "usage.date"),
        (("slip", "first", "--to", "2025-03-01", "--reason", "r"), "version.unreadable"),
        (("plan", "9.9.9"), "train.not-found"),
        (("notes", "9.9.9"), "train.not-found"),
        (("reverts", "--branch", "nowhere"), "branch.not-found"),
        (("pick", "request", "nowhere", "--category", "docs", "--reason", "r"), "pick.unknown-ref"),
        (("cut", "9.9.9", "--at", "nowhere"), "commit.not-found"),
        (("--preset", "vllm-2052", "status"), "preset.not-found"),
    ):
        ran = headway("--repo", story.path, "--now", AFTER, "--json", *args)
        assert (ran.status, ran.error["code"]) == (2, code), args


def test_verify_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    ran = headway("verify", tmp_path / "nowhere.db", "--json")
    assert ran.status in {2, 4}
    assert "nowhere.db" in ran.error["message"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    ran = headway("completion", shell, "--json")
    assert "_HEADWAY_COMPLETE" in ran.document["script"]


def test_completion_of_a_command() -> None:
    told = {"_HEADWAY_COMPLETE": "bash_complete", "COMP_WORDS": "headway cal", "COMP_CWORD": "1"}
    assert headway(env=told).out.strip() == "plain,calendar"


# The calendar --------------------------------------------------------------------------------------------------


def documents_table() -> dict[str, list[str]]:
    """C3: the release document's own table of 2025."""
    firsts = (0, 1, *range(4, 24, 2))
    return {str(i + 1): [f"0.7.{n}" for n in range(a, b)] for i, (a, b) in enumerate(pairwise((*firsts, 24)))}


def test_C3_the_calendar_of_2025_needs_no_repository(tmp_path: Path) -> None:
    ran = headway("calendar", "--year", "2025", "--json", cwd=tmp_path)
    assert ran.status == 0
    assert {str(m["month"]): m["patch"] for m in ran.document["months"]} == documents_table()
    assert documents_table()["2"] == ["0.7.1", "0.7.2", "0.7.3"]
    assert documents_table()["12"] == ["0.7.22", "0.7.23"]
    assert all(m["post"] == [] for m in ran.document["months"])
    assert all(r["tentative"] for r in ran.document["releases"])
    shown = headway("calendar", "--year", "2025", "--format", "json", cwd=tmp_path)
    plain = ran.document
    plain.pop("elapsed_s")
    assert json.loads(shown.out) == plain


def test_C3_the_calendar_as_icalendar(tmp_path: Path) -> None:
    ran = headway("calendar", "--year", "2025", "--format", "ics", cwd=tmp_path)
    assert ran.status == 0
    assert ran.out.startswith("BEGIN:VCALENDAR")
    assert ran.out.count("BEGIN:VEVENT") >= 24
    assert "0.7.23" in ran.out


def test_C3_a_wrong_repository_is_no_reason_to_show_a_preset(tmp_path: Path) -> None:
    ran = headway("calendar", "--repo", tmp_path, "--json")
    assert (ran.status, ran.error["code"]) == (2, "repo.not-found")


# Repositories that cannot be used ------------------------------------------------------------------------------


def test_no_repository_an_empty_one_and_no_trunk(tmp_path: Path) -> None:
    empty = GitMaker(tmp_path / "empty")
    odd = GitMaker(tmp_path / "odd")
    odd.run("symbolic-ref", "HEAD", "refs/heads/work")
    odd.commit("one", {"a": "1\n"})
    (tmp_path / "folder").mkdir()
    for path, code in (
        (tmp_path / "nowhere", "repo.not-a-directory"),
        (tmp_path / "folder", "repo.not-found"),
        (empty.path, "repo.empty"),
        (odd.path, "repo.no-trunk"),
    ):
        ran = headway("--repo", path, "--json", "init" if path == odd.path else "status")
        assert (ran.status, ran.error["code"]) == (2, code), path
    assert headway("--repo", odd.path, "--trunk", "work", "status", "--json").status == 0
    ran = headway("--repo", odd.path, "--trunk", "wrok", "status", "--json")
    assert ran.error["facts"]["refs"] == ["work"]


def test_a_shallow_clone_that_lacks_what_is_needed(tmp_path: Path) -> None:
    made = trunk(tmp_path / "r")
    made.commit("three", {"a": "3\n"})
    made.run("clone", "--quiet", "--depth=1", made.path.as_uri(), str(tmp_path / "shallow"))
    made.run("fetch", "--quiet", "--depth=1", "origin", "tag", "v0.1.0", cwd=tmp_path / "shallow")
    ran = headway("--repo", tmp_path / "shallow", "notes", "0.1.1", "--json")
    assert (ran.status, ran.error["code"]) == (2, "repo.shallow")
    assert "git fetch --unshallow" in ran.error["remedy"]


def test_a_detached_head_matters_to_nobody(tmp_path: Path) -> None:
    made = trunk(tmp_path / "r")
    made.run("checkout", "--quiet", "--detach", "HEAD~1")
    ran = headway("status", "--now", BEFORE, "--json", cwd=made.path)
    assert (ran.status, ran.document["trains"][0]["version"]) == (0, "0.1.1")


def test_every_error_of_a_broken_release_toml_at_once(tmp_path: Path) -> None:
    made = trunk(tmp_path / "r")
    (made.path / "release.toml").write_text('schema = 1\n[cadnce]\nstep_days = 7\n[perf]\nrequired = "perhaps"\n')
    ran = headway("--json", "status", cwd=made.path)
    assert (ran.status, ran.error["code"]) == (2, "policy.invalid")
    said = " ".join(ran.error["facts"]["errors"])
    for word in ("release.toml:2", "cadnce", "did you mean cadence", "release.toml:5", "perf.required"):
        assert word in said
    told = headway("status", cwd=made.path)
    assert told.out == ""
    assert all(word in told.err for word in ("cadnce", "cadence", "perf.required"))


def test_a_newer_release_toml_is_refused_in_words(tmp_path: Path) -> None:
    made = trunk(tmp_path / "r")
    (made.path / "release.toml").write_text("schema = 99\n")
    ran = headway("--json", "status", cwd=made.path)
    assert (ran.status, ran.error["code"]) == (2, "policy.newer")


def test_no_git_and_a_git_that_is_too_old(tmp_path: Path) -> None:
    made = trunk(tmp_path / "r")
    (tmp_path / "bin").mkdir()
    env = {"PATH": str(tmp_path / "bin")}
    ran = headway("--repo", made.path, "status", "--json", env=env)
    assert (ran.status, ran.error["code"]) == (2, "git.missing")
    old = tmp_path / "bin/git"
    old.write_text("#!/bin/sh\necho git version 2.20.1\n")
    old.chmod(0o755)
    ran = headway("--repo", made.path, "tick", "--json", env=env)
    assert (ran.status, ran.error["code"]) == (2, "git.too-old")
    assert "2.38" in ran.error["message"]
    assert "2.20" in ran.error["message"]


# Setting up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bare", [False, True])
def test_init_writes_a_policy_once(tmp_path: Path, bare: bool) -> None:
    path = trunk(tmp_path / "r", bare=bare).path
    place = path / ("headway/release.toml" if bare else "release.toml")
    ran = headway("--repo", path, "--preset", "generic", "--now", BEFORE, "init", "--json")
    assert (ran.status, ran.document["file"]) == (0, str(place))
    text = place.read_text()
    assert text == ran.document["text"]
    assert 'preset = "generic"' in text
    assert 'anchor_version = "0.1.0"' in text
    again = headway("--repo", path, "--preset", "vllm-2025", "init", "--json")
    assert again.status == 2
    assert "release.toml" in again.error["message"]
    assert place.read_text() == text
    assert headway("--repo", path, "--now", BEFORE, "doctor", "--json").document["ok"] is True


def test_an_older_policy_is_upgraded_and_kept(tmp_path: Path) -> None:
    path = trunk(tmp_path / "r").path
    old = '# ours\npreset = "generic"\n\n[project]\nname = "toy" # us\n'
    (path / "release.toml").write_text(old)
    ran = headway("--repo", path, "init", "--upgrade", "--json")
    assert ran.status == 0
    assert (path / "release.toml.bak").read_text() == old
    new = (path / "release.toml").read_text()
    assert new == ran.document["text"]
    assert "schema = 1" in new
    assert 'name = "toy" # us' in new
    assert headway("--repo", path, "init", "--upgrade", "--json").status == 0
    assert (path / "release.toml").read_text() == new
    assert headway("--repo", trunk(tmp_path / "other").path, "init", "--upgrade", "--json").status == 2


def test_looking_writes_nothing(tmp_path: Path) -> None:
    made = trunk(tmp_path / "r")
    before = {p: p.read_bytes() for p in made.path.rglob("*") if p.is_file()}
    for args in (("plan",), ("doctor",), ("reverts", "--branch", "main"), ("notes", "0.1.0"), ("verify", "0.1.0")):
        assert headway("--repo", made.path, "--json", *args).status in {0, 1, 3}
    assert {p: p.read_bytes() for p in made.path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("step", ["build", "test", "repack", "images", "measure", "publish", "gate:suite"])
def test_every_step_that_remedies_name_can_be_asked_for_again(tmp_path: Path, step: str) -> None:
    """The command line knows it; here there is nothing to do again, which is an answer and no wrong usage."""
    made = trunk(tmp_path / "r")
    made.commit(
        "Policy", {"release.toml": 'schema = 1\npreset = "generic"\n[[gates]]\nname = "suite"\ncommand = "true"\n'}
    )
    ran = headway("--repo", made.path, "--json", "tick", "--retry", step)
    assert (ran.status, ran.document["refused"][0]["code"]) == (1, "retry.nothing"), ran
