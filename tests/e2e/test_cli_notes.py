"""`headway notes` as a user or a program calls it: read, draft, keep, put back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from trainkit import CUT as CUT_DAY
from trainkit import GO, PICKS, Project, approve, ask, grow_trunk, make_project, open_at, settle, verify

SECTIONS = {
    "features",
    "improvements",
    "fixes",
    "upcoming",
    "breaking",
    "waivers",
    "performance",
    "contributors",
    "artifacts",
}
GROUPS = '\n[[notes.groups]]\ntitle = "Counting"\ntitle_zh = "计数"\ntitles = ["(?i)count"]\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """0.1.1 has a candidate with a pick; its notes wait for a person."""
    made = make_project(tmp_path_factory.mktemp("notes") / "toykit", policy=GROUPS)
    settle(open_at(made.path, CUT_DAY))
    grow_trunk(made)
    ask(open_at(made.path, PICKS), made.shas["fix"], "regression")
    settle(open_at(made.path, PICKS))
    return made


def notes(project: Project, *args: object, version: str = "0.1.1", now: str = PICKS.isoformat()) -> Any:
    """The call, ended; a traceback is a defect."""
    told = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "HEADWAY_"))}
    given = [sys.executable, "-m", "headway", "--repo", project.path, "--now", now, "--as", "Rosa", "notes", version]
    done = subprocess.run(
        [*map(str, given), *map(str, args)], capture_output=True, text=True, encoding="utf-8", env=told, check=False
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_the_json_has_the_contracts_sections_and_more(project: Project) -> None:
    found = notes(project, "--json", "--lang", "zh")
    document = json.loads(found.stdout)
    assert found.returncode == 0
    assert set(document["sections"]) == SECTIONS
    assert all(isinstance(line, str) for lines in document["sections"].values() for line in lines)
    assert document["sections"]["fixes"] == ["[Bugfix] Count all of them (#4)"]
    (row,) = (r for r in document["changes"] if r["pr"] == 4)
    assert row["origin"] == project.shas["fix"]
    assert row["commit"] == project.made.tip("releases/v0.1.1~1")
    assert (row["section"], row["group"], row["author"]) == ("fixes", "Counting", "Grace Łø")
    assert document["groups"] == [{"section": "fixes", "title": "Counting", "lines": [row["title"]]}]
    assert [f["name"] for f in document["first_time"]] == ["Grace Łø"]
    assert document["edited"] is None
    assert document["warnings"] == []


def test_a_reader_of_chinese_gets_chinese_headings(project: Project) -> None:
    text = notes(project, "--lang", "zh").stdout
    assert "### 计数\n\n- \\[Bugfix\\] Count all of them (#4)\n" in text
    assert "## 修复" in text


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--keep", "x", "--draft", "y"), "usage"),
        (("--tagged", "--unedited"), "usage"),
        (("--keep", "/nowhere/x"), "file.unreadable"),
        (("--labels", "/nowhere/x"), "file.unreadable"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(project: Project, args: tuple[str, ...], code: str) -> None:
    done = notes(project, *args, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == code


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"x": ["a"]}', '{"1": "a"}', '{"1": [["a"]], "y": 1}', "1,a\nx,b\n", "\0"]
)
def test_labels_that_cannot_be_read(project: Project, tmp_path: Path, text: str) -> None:
    file = tmp_path / "labels"
    file.write_text(text)
    done = notes(project, "--labels", file, "--json")
    assert done.returncode == 2, done.stdout
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["clause"]) == ("notes.labels", "N2")


def test_a_draft_is_edited_kept_tagged_and_put_back(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "n.md"
    assert notes(project, "--draft", file).returncode == 0
    assert notes(project, "--draft", file).returncode == 2, "never over something"
    file.write_text(file.read_text("utf-8").replace("## Improvements", "Dear all,\n\n## Improvements"), "utf-8")
    kept = json.loads(notes(project, "--keep", file, "--json").stdout)["entry"]
    assert (kept["kind"], kept["actor"], kept["train"]) == ("notes-edited", "Rosa", "0.1.1")
    assert "Dear all," in notes(project).stdout
    assert "Dear all," not in notes(project, "--unedited").stdout
    assert json.loads(notes(project, "--json").stdout)["edited"] == {"by": "Rosa", "entry": kept["seq"]}
    approve(open_at(project.path, GO), "0.1.1")
    settle(open_at(project.path, GO))
    now = GO.isoformat()
    refused = notes(project, "--keep", file, now=now)
    assert (refused.returncode, "B5" in refused.stdout) == (1, True)
    commit, tip = project.made.tip("v0.1.1"), project.made.tip("main")
    project.git("tag", "-f", "v0.1.1", tip)
    assert [r.code for r in verify(open_at(project.path, GO), "0.1.1") if r.clause == "V5"]
    words = notes(project, "--tagged", now=now).stdout
    args = ("tag", "-f", "-a", "--cleanup=verbatim", "-F", "-", "v0.1.1", commit)
    project.made.run(*args, stdin=words.encode())
    assert verify(open_at(project.path, GO), "0.1.1") == ()
