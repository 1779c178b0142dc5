"""perf culprit on a real small project: real builds, real launches, a planted slow commit (E7).

The engine is a stub in the toy package, started as a process for each launch; one commit makes each token slower, one
cannot be built.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from trainkit import GO, Project, make_project, open_at

from headway.model.measurement import Comparison, Launch, Sample, Side
from headway.perf.identity import identity
from headway.searching import Asked, search_culprit

_ENGINE = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from toykit.pace import SECONDS


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()
        for _ in range(asked["max_tokens"]):
            time.sleep(SECONDS)
            self.event(choices=[{"text": "x", "finish_reason": None}])
        self.event(choices=[{"text": "", "finish_reason": "length"}])
        self.event(choices=[], usage={"prompt_tokens": 4, "completion_tokens": asked["max_tokens"]})
        self.wfile.write(b"data: [DONE]\\n\\n")

    def event(self, **fields):
        self.wfile.write(f"data: {json.dumps(fields)}\\n\\n".encode())
        self.wfile.flush()

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
_POLICY = """
[perf]
serve = "{python} -m toykit.engine {port}"
margin = 0.6
looks = [2, 3, 4]
probe_blocks = 1
start_timeout_s = 60

[[perf.cells]]
model = "toy"
hardware = "cpu"
test = "closed-1"
client = "--num-prompts 3 --concurrency 1 --input-len 4 --output-len 3 --warmups 0"
metrics = ["median_tpot_ms"]
"""
_CELL = "toy/cpu/closed-1/median_tpot_ms"


def headway(project: Project, *args: str) -> tuple[int, dict[str, Any]]:
    told = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "HEADWAY_"))}
    done = subprocess.run(
        [sys.executable, "-m", "headway", *args, "--repo", str(project.path), "--json", "--now", GO.isoformat()],
        env={**told, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def words(project: Project, *args: str) -> str:
    """What a person reads."""
    told = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "HEADWAY_"))}
    command = [sys.executable, "-m", "headway", *args, "--repo", str(project.path), "--now", GO.isoformat()]
    return subprocess.run(command, env=told, capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """v0.1.0 has the engine; then two harmless commits, one that cannot be built, a harmless one, the slow one, two
    harmless ones."""
    made = make_project(tmp_path_factory.mktemp("culprit") / "toy.git", policy=_POLICY)
    made.commit("base", "[Core] Engine (#4)", {"toykit/engine.py": _ENGINE, "toykit/pace.py": "SECONDS = 0.003\n"})
    made.git("tag", "--delete", "v0.1.0")
    made.made.tag("v0.1.0", message="v0.1.0")
    made.commit("one", "[Core] Fewer rows (#5)", {"toykit/table.py": "def rows():\n    return [0, 1]\n"})
    made.commit("two", "[Doc] Rows (#6)", {"docs/rows.md": "Two.\n"})
    backend = made.git("show", "main:backend.py")
    made.commit("broken", "[Build] Half done (#7)", {"backend.py": "import nothing_like_this\n"})
    made.commit("mended", "[Build] Done (#8)", {"backend.py": backend})
    made.commit("slow", "[Core] Safer tokens (#9)", {"toykit/pace.py": "SECONDS = 0.04\n"})
    made.commit("after", "[Doc] Tokens are safe (#10)", {"docs/safe.md": "They are.\n"})
    made.commit("last", "[Doc] Very safe (#11)", {"docs/safe.md": "Very.\n"})
    return made


def kept(project: Project) -> dict[tuple[str, str], Comparison]:
    return {(c.subject, c.baseline): c for c in open_at(project.path, GO).observe().comparisons}


def test_E7_broken_off_and_taken_up_again_it_names_the_planted_commit(project: Project) -> None:
    """No finished block is lost or run again; a commit that cannot be built is in the range."""
    steps: list[str] = []

    def stop(name: str) -> None:
        steps.append(name)
        if len(steps) in (1, 4):
            raise KeyboardInterrupt

    shas = project.shas
    asked = Asked("v0.1.0", "main", hosts=2)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            search_culprit(open_at(project.path, GO, stop), asked)
    before = kept(project)
    assert sum(c.blocks for c in before.values()) == len(steps)

    status, told = headway(project, "perf", "culprit", "--good", "v0.1.0", "--bad", "main", "--hosts", "2")
    assert (status, told["culprit"], told["confirmed"]) == (0, shas["slow"], True)
    assert told["suspects"] == [shas["slow"]]
    assert told["posterior"][0]["commit"] == shas["slow"]
    assert told["posterior"][0]["p"] >= 0.95
    assert all(row["p"] < 0.05 for row in told["posterior"] if row["commit"] == shas["broken"])
    assert {u["commit"] for u in told["unbuildable"]} <= {shas["broken"]}
    assert told["ratio"] > 3
    assert told["cell"] == _CELL
    after = kept(project)
    for pair, comparison in before.items():
        assert after[pair].samples[: len(comparison.samples)] == comparison.samples
    probed = [c for (_, baseline), c in after.items() if baseline == shas["base"] and c.subject != shas["last"]]
    assert sum(c.blocks for c in probed) == told["runs"]
    assert after[shas["mended"], shas["slow"]].blocks == told["confirm_runs"]
    assert (shas["broken"], shas["base"]) not in after
    assert told["advice"]["command"] == f"git revert {shas['slow']}"
    assert told["advice"]["message"].startswith('Revert "[Core] Safer tokens (#9)"\n\nThis reverts commit ')


def test_E7_what_cannot_be_told_apart_is_said_to_be(project: Project) -> None:
    """Between two commits that can be built, one that cannot: the step shows, and either of two may have made it."""
    shas = project.shas
    project.made.branch("side", shas["base"])
    files = {"backend.py": "import nothing_like_this\n", "toykit/pace.py": "SECONDS = 0.04\n"}
    broken = project.made.commit("[Core] Slow and broken", files, branch="side")
    good_backend = project.git("show", f"{shas['base']}:backend.py")
    mended = project.made.commit("[Core] Mended", {"backend.py": good_backend}, branch="side")
    status, told = headway(project, "perf", "culprit", "--good", "v0.1.0", "--bad", "side")
    assert (status, told["culprit"], told["confirmed"], told["shown_again"]) == (3, mended, False, True)
    assert told["suspects"] == [broken, mended]
    assert [u["commit"] for u in told["unbuildable"]] == [broken]
    # They share the posterior, and nobody is blamed.
    assert {row["commit"]: round(row["p"], 6) for row in told["posterior"]} == {broken: 0.5, mended: 0.5}
    assert (told["advice"]["kind"], told["advice"]["command"]) == ("suspects", None)
    assert told["advice"]["message"].startswith("one of these 2 commits did it, and 1 of them cannot be built")
    rows = [(c["commit"], c["title"], c["measurable"]) for c in told["advice"]["commits"]]
    assert rows == [(broken, "[Core] Slow and broken", False), (mended, "[Core] Mended", True)]
    again = words(project, "perf", "culprit", "--good", "v0.1.0", "--bad", "side")
    assert "one of 2 commits made" in again
    assert "the commit before it that can be measured" in again
    assert "git revert" not in again


def test_E7_a_version_that_a_file_states_does_not_end_the_search(tmp_path: Path) -> None:
    """For a probe it does not matter which version a build carries: the next release's number comes later."""
    made = make_project(tmp_path / "toy.git", policy=_POLICY)
    stated = {
        "pyproject.toml": made.git("show", "main:pyproject.toml") + '\n[project]\nname = "toykit"\nversion = "0.1.0"\n',
        "backend.py": re.sub(r"(?m)^VERSION = .*$", 'VERSION = "0.1.0"', made.git("show", "main:backend.py")),
    }
    files = {"toykit/engine.py": _ENGINE, "toykit/pace.py": "SECONDS = 0.003\n", **stated}
    made.commit("base", "[Core] Engine (#4)", files)
    made.git("tag", "--delete", "v0.1.0")
    made.made.tag("v0.1.0", message="v0.1.0")
    made.commit("slow", "[Core] Safer tokens (#5)", {"toykit/pace.py": "SECONDS = 0.04\n"})
    status, told = headway(made, "perf", "culprit", "--good", "v0.1.0", "--bad", "main")
    assert (status, told.get("culprit")) == (0, made.shas["slow"]), told


def test_E7_as_fast_an_end_leaves_nothing_to_search(project: Project) -> None:
    """The gate is asked first."""
    status, told = headway(project, "perf", "culprit", "--good", "v0.1.0", "--bad", project.shas["one"])
    assert status in (1, 3)
    assert (told["culprit"], told["posterior"], told["runs"]) == (None, [], 0)
    assert told["verdict"] != "regressed"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--good", "main", "--bad", "main"), "culprit.ends"),
        (("--good", "main", "--bad", "v0.1.0"), "culprit.ends"),
        (("--good", "v0.1.0", "--bad", "nothing"), "commit.not-found"),
        (("--good", "v0.1.0", "--bad", "main", "--cell", "toy/cpu/closed-1/p99"), "culprit.cell"),
        (("--good", "v0.1.0", "--bad", "main", "--hosts", "0"), "culprit.asked"),
        (("--good", "v0.1.0", "--bad", "main", "--sure", "1"), "culprit.asked"),
        (("--good", "v0.1.0"), "usage"),
        (("--simulate", "--good", "v0.1.0"), "usage"),
        (("--simulate", "--trials", "0"), "culprit.simulation"),
        (("--simulate", "--commits", "1"), "culprit.simulation"),
        (("--simulate", "--sd", "0"), "usage"),
        (("--good", "v0.1.0", "--bad", "main", "--sure", "nan"), "usage"),
        *(
            (("--simulate", f"--{n}", x), "usage")
            for n in ("slowdown", "sd", "told-sd", "nightly-sd")
            for x in ("nan", "inf", "1e308")
        ),
    ],
)
def test_what_cannot_be_searched_is_refused_in_words(project: Project, args: tuple[str, ...], code: str) -> None:
    status, told = headway(project, "perf", "culprit", *args)
    assert (status, told["error"]["code"]) == (2, code)
    assert told["error"]["remedy"]


def test_an_end_that_cannot_be_built_is_the_worlds_failure(project: Project) -> None:
    status, told = headway(project, "perf", "culprit", "--good", "v0.1.0", "--bad", project.shas["broken"])
    assert (status, told["error"]["code"]) == (4, "culprit.end")
    assert project.shas["broken"][:12] in told["error"]["message"]


def test_E7_a_revert_made_as_proposed_is_known_and_requested(project: Project) -> None:
    """Ends as a proposed revert, or an entry for the pick queue when the trunk has it."""
    told = headway(project, "perf", "culprit", "--good", "v0.1.0", "--bad", project.shas["last"])[1]
    title, _, body = told["advice"]["message"].partition("\n\n")
    project.commit("undone", title, {"toykit/pace.py": "SECONDS = 0.003\n"}, body=body)
    args = ("perf", "culprit", "--good", "v0.1.0", "--bad", project.shas["last"], "--request")
    _, again = headway(project, *args)
    assert (again["culprit"], again["runs"]) == (told["culprit"], told["runs"])
    assert again["advice"]["kind"] == "pick"
    assert again["advice"]["command"].startswith(f"headway pick request {project.shas['undone']} --category regression")
    requests = headway(project, "pick", "list")[1]["requests"]
    assert [(r["id"], r["commit"]) for r in requests] == [(again["request"], project.shas["undone"])]


def test_E7_blocks_of_another_wheel_of_a_commit_are_not_its_own(tmp_path: Path) -> None:
    """A commit may have been measured as it was built otherwise; that says nothing of what a probe installs."""
    made = make_project(tmp_path / "toy.git", policy=_POLICY)
    made.commit("base", "[Core] Engine (#4)", {"toykit/engine.py": _ENGINE, "toykit/pace.py": "SECONDS = 0.003\n"})
    made.git("tag", "--delete", "v0.1.0")
    made.made.tag("v0.1.0", message="v0.1.0")
    made.commit("slow", "[Core] Safer tokens (#5)", {"toykit/pace.py": "SECONDS = 0.04\n"})
    good, bad = made.shas["base"], made.shas["slow"]
    with open_at(made.path, GO).performing() as performer:
        cell = performer.measurer.policy.perf.cells[0].cell
        sides = ((Side.BASELINE, 1.0), (Side.CANDIDATE, 1.0))
        samples = [Sample(n, side, cell, "median_tpot_ms", value) for n in range(4) for side, value in sides]
        known = identity(performer.measurer.policy.perf, performer.measurer.policy.perf.cells[0])
        launches = [Launch(n, s, (cell,), (("wheel", "0" * 64),), (known,)) for n in range(4) for s, _ in sides]
        performer.measurer.store.add(bad, good, samples, (), launches)
    status, told = headway(made, "perf", "culprit", "--good", "v0.1.0", "--bad", "main")
    assert (status, told["culprit"]) == (0, bad), told
    assert kept(made)[bad, good].blocks > 4
