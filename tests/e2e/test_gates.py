"""B4, end to end: real builds, their checks, and the gates that a policy names, on a real train."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from trainkit import CUT, GO, Project, approve, make_project, only, open_at, settle, verify

from headway import controls, gating
from headway.app import Headway
from headway.errors import UnusableInput, WorldFailed
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.plan.gate_actions import RunGate
from headway.refusal import Refused

RC1 = "v0.1.1-rc1"
EVALUATE = """import json, pathlib, sys
from importlib.metadata import version

import toykit.count

told, commit, result = sys.argv[1:4]
assert version("toykit") == told and len(commit) == 40
score = (pathlib.Path(sys.argv[4]).read_text() if len(sys.argv) > 4 else "") or str(toykit.count.count([1, 2]) / 2)
pathlib.Path(result).write_text(json.dumps({"results": {"acc": float(score)}}))
"""
ACCURACY = """
[[gates]]
name = "accuracy"
command = "{python} evaluate/run.py {version} {commit} {result}"
paths = ["evaluate"]
metric = "results/acc"
expected = 0.5
tolerance = 0.02
"""
SMOKE = """
[[gates]]
name = "smoke"
check = "smoke / gpu"
"""


def project(tmp_path: Path, policy: str) -> Project:
    made = make_project(tmp_path / "toy.git", policy=policy)
    made.commit("evaluate", "[CI] Evaluate (#4)", {"evaluate/run.py": EVALUATE})
    return made


def wait(waits: tuple[Reason, ...], code: str) -> Reason:
    (found,) = [w for w in waits if w.code == code]
    return found


def last(app: Headway, kind: Kind) -> dict[str, Any]:
    return dict(next(e for e in reversed(app.entries()) if e.kind is kind).payload)


def tip(made: Project) -> str:
    return made.ref("refs/heads/releases/v0.1.1") or ""


def test_B4_a_release_with_an_accuracy_evaluation_and_a_check_of_ci(tmp_path: Path) -> None:
    """Evaluated with the tested wheel, reported by CI, approved, published, proved."""
    made = project(tmp_path, ACCURACY + SMOKE)
    kinds, waits = settle(open_at(made.path, CUT))
    assert kinds == ["cut", "tag-candidate", "build", "test", "stage", "gate"]
    app = open_at(made.path, GO, person="ci")
    gated = only(app, Kind.GATED, "0.1.1").payload
    tested = only(app, Kind.TESTED, "0.1.1").payload
    assert (gated["ok"], gated["value"], gated["wheel"]) == (True, 0.5, tested["wheel"])
    assert (gated["tag"], gated["commit"]) == (RC1, tip(made))
    kept = Path(gated["log"]).with_suffix(".json")
    assert json.loads(kept.read_text()) == {"results": {"acc": 0.5}}
    assert wait(waits, "gate.awaited").clause == "B4"

    refused = gating.report(app, "0.1.1", "smoke", True, None, "https://ci.example/1", "f" * 40)
    assert isinstance(refused, Refused)
    assert refused.reasons[0].code == "gate.other-commit"
    with pytest.raises(UnusableInput, match="no full commit"):
        gating.report(app, "0.1.1", "smoke", True, None, "https://ci.example/1", tip(made)[:12])
    assert isinstance(gating.report(app, "0.1.1", "smoke", False, None, "https://ci.example/1", tip(made)), Entry)
    failed = wait(app.train("0.1.1").waits, "gate.failed")
    assert dict(failed.facts)["log"] == "https://ci.example/1"
    entry = gating.report(app, "0.1.1", "smoke", True, None, "https://ci.example/2", tip(made))
    assert isinstance(entry, Entry)
    assert entry.actor == "ci"
    approve(app, "0.1.1")
    assert "publish" in settle(app)[0]
    assert verify(app, "0.1.1") == ()


def test_B4_an_evaluation_out_of_tolerance_blocks_and_is_done_again_or_waived(tmp_path: Path) -> None:
    """A flaky evaluation is run again; a person may answer for the rest."""
    score = tmp_path / "score"
    score.write_text("0.61")
    made = project(tmp_path, ACCURACY.replace("{result}", f"{{result}} {score}"))
    settle(open_at(made.path, CUT))
    app = open_at(made.path, GO)
    failed = wait(settle(app)[1], "gate.failed")
    assert "0.61 is more than 0.52" in str(failed.text)
    assert isinstance(controls.approve(app, "0.1.1", "go"), Refused)
    assert isinstance(controls.retry(app, None, "gate:accuracy"), Entry)
    score.write_text("0.7")
    done, waits = app.tick(settle=True)
    assert [d.action.kind for d in done] == ["gate"]
    assert "0.7 is more than 0.52" in str(wait(waits, "gate.failed").text)
    assert Path(last(app, Kind.GATED)["log"]).read_text().count("evaluate/run.py") == 2
    day = date(2025, 2, 28)
    assert isinstance(controls.waive(app, "0.1.1", "gate:accuracy", "a known fluke", day), Entry)
    approve(app, "0.1.1")
    settle(app)
    assert verify(app, "0.1.1") == ()
    with pytest.raises(UnusableInput, match="was not found"):
        controls.waive(open_at(made.path, GO), "0.1.2", "gate:nothing", "why", day)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("{python} -c 'raise SystemExit(3)' {result}", "it ended with status 3"),
        ("{python} -c pass {result}", "it wrote nothing to {result}"),
        ('{python} -c \'import sys; open(sys.argv[1], "w").write("[1")\' {result}', "its result is no JSON"),
        ('{python} -c \'import sys; open(sys.argv[1], "w").write("[1]")\' {result}', "its result has no results/acc"),
        (
            '{python} -c \'import sys; open(sys.argv[1], "w").write("{{\\"results\\": {{\\"acc\\": NaN}}}}")\' '
            "{result}",
            "results/acc of its result is no number: nan",
        ),
        ("{python} -c 'import time; time.sleep(600)' {result}", "it was ended: it took longer than 20 s"),
        ("no-such-program {result}", "it ended with status 127"),
    ],
)
def test_B4_a_gate_that_goes_wrong_says_how(tmp_path: Path, command: str, words: str) -> None:
    """A command that fails, hangs, or writes nothing or nonsense is evidence of nothing."""
    limit = "timeout_s = 20\n" if "600" in command else ""
    own = f'[[gates]]\nname = "accuracy"\ncommand = {json.dumps(command)}\nmetric = "results/acc"\nat_least = 0.4\n'
    made = make_project(tmp_path / "toy.git", policy=f"\n{own}{limit}")
    app = open_at(made.path, CUT)
    failed = wait(settle(app)[1], "gate.failed")
    assert words in str(failed.text)
    assert Path(str(dict(failed.facts)["log"])).read_text()
    assert not (app.paths.root / "work" / f"{RC1}-gate-accuracy").exists()


def test_B4_the_source_beside_a_gate_does_not_stand_in_for_the_wheel(tmp_path: Path) -> None:
    """What is evaluated is the wheel."""
    own = '\n[[gates]]\nname = "suite"\ncommand = "{python} -c pass"\npaths = ["toykit"]\n'
    made = make_project(tmp_path / "toy.git", policy=own)
    assert "hides the wheel: toykit" in str(wait(settle(open_at(made.path, CUT))[1], "gate.failed").text)


def test_B4_a_wheel_that_was_changed_is_not_evaluated(tmp_path: Path) -> None:
    """Evidence is of the very bits that were tested."""
    made = project(tmp_path, ACCURACY)
    app = open_at(made.path, CUT)
    while not isinstance(app.train(None).action, RunGate):
        assert app.tick()[0]
    (wheel,) = app.paths.artifacts(RC1).glob("*.whl")
    wheel.write_bytes(b"else")
    with pytest.raises(WorldFailed, match="is not the file that was built"):
        app.tick()


def test_B4_reports_that_are_none_are_refused(tmp_path: Path) -> None:
    """Of a gate that Headway runs, of no number where one decides, before there is a wheel; nothing is written."""
    made = project(tmp_path, ACCURACY + SMOKE + "at_least = 0.5\n[candidate]\nquiet_hours = 0\n")
    app = open_at(made.path, CUT)
    app.tick()
    early = gating.report(app, "0.1.1", "smoke", True, 0.6, "u", tip(made))
    assert isinstance(early, Refused)
    settle(app)
    before = len(app.entries())
    for name, value, url, code in (
        ("accuracy", 0.5, "u", "gate.own-command"),
        ("smoke", None, "u", "gate.no-value"),
        ("smoke", float("nan"), "u", "gate.no-number"),
        ("smoke", 0.6, " ", "gate.no-url"),
    ):
        refused = gating.report(app, "0.1.1", name, True, value, url, tip(made))
        assert isinstance(refused, Refused)
        assert [r.code for r in refused.reasons] == [code]
    with pytest.raises(UnusableInput, match="gate other was not found"):
        gating.report(app, "0.1.1", "other", True, None, "u", tip(made))
    assert isinstance(controls.retry(app, None, "gate:smoke"), Refused)
    assert len(app.entries()) == before
    assert isinstance(gating.report(app, "0.1.1", "smoke", True, 0.4, "u", tip(made)), Entry)
    assert "0.4 is less than 0.5" in str(wait(app.train(None).waits, "gate.failed").text)


def test_B4_the_commands_of_gates(tmp_path: Path) -> None:
    """gate list, gate report, plan, status, tick --retry: as a CI job and a person call them."""
    made = project(tmp_path, ACCURACY + SMOKE)
    now = ["--repo", str(made.path), "--now", CUT.isoformat()]

    def run(*args: str) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-m", "headway", *args, *now, "--json"], capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout)

    assert [g["state"] for g in run("gate", "list")[1]["gates"]] == [None, None]
    assert run("tick", "--settle")[0] == 0
    status, listed = run("gate", "list", "0.1.1")
    assert (status, listed["tag"], listed["commit"]) == (0, RC1, tip(made))
    assert [(g["name"], g["state"], g["value"]) for g in listed["gates"]] == [
        ("accuracy", "passed", 0.5),
        ("smoke", "awaited", None),
    ]
    waits = run("plan")[1]["waits"]
    assert "gate.awaited" in {w["code"] for w in waits}
    (train,) = run("status")[1]["trains"]
    assert [g["state"] for g in train["gates"] if g["name"] == "gates"] == ["waiting"]
    assert {c["name"]: c["ok"] for c in train["candidates"][0]["checks"]}["twine"] is True
    args = ("gate", "report", "0.1.1", "smoke", "--ok", "--url", "https://ci.example/1", "--commit")
    assert run(*args, "f" * 40)[0] == 1
    assert run(*args, "f" * 12)[0] == 2
    assert run(*args, tip(made), "--value", "nan")[0] == 2
    status, kept = run(*args, tip(made))
    assert (status, kept["entry"]["kind"]) == (0, "gated")
    assert run("tick", "--retry", "gate:smoke")[0] == 1
    assert run("tick", "--retry", "gate:nothing")[0] == 2
    assert run("tick", "--retry", "nothing")[0] == 2
    assert run("waive", "0.1.1", "check:install", "--reason", "r", "--until", "2025-02-28")[0] == 1
    words = subprocess.run(
        [sys.executable, "-m", "headway", "gate", "list", *now], capture_output=True, text=True, check=True
    ).stdout
    assert "passed with 0.5\n" in words
    assert "between 0.48 and 0.52: command " in words


def test_B4_a_wheel_of_the_release_before_that_is_missing_now(tmp_path: Path) -> None:
    """The matrix is compared with what the ledger says was published; a person may let a wheel go."""
    two = '\n[build]\nexpect = ["*-py3-none-any.whl", "*.tar.gz"]\n'
    made = make_project(tmp_path / "toy.git", policy=two)
    settle(open_at(made.path, CUT))
    app = open_at(made.path, GO)
    approve(app, "0.1.1")
    settle(app)
    text = made.git("show", "main:release.toml").replace('"*-py3-none-any.whl", "*.tar.gz"', '"*.whl"')
    made.commit("fewer", "[CI] No sdist (#9)", {"release.toml": text + "\n"})
    later = open_at(made.path, datetime(2025, 2, 11, 12, 0, tzinfo=UTC))
    gone = wait(settle(later)[1], "candidate.vanished")
    assert dict(gone.facts)["vanished"] == ("sdist",)
    assert dict(gone.facts)["files"] == ("toykit-0.1.1.tar.gz",)
    assert isinstance(controls.waive(later, "0.1.2", "check:previous", "no sdist any more", date(2025, 2, 28)), Entry)
    settle(later)
    assert "promotion.unapproved" in {w.code for w in later.train("0.1.2").waits}
    argv = ["tick", "0.1.2", "--retry", "test", "--repo", str(made.path), "--now", "2025-02-11T12:00:00Z"]
    done = subprocess.run([sys.executable, "-m", "headway", *argv], capture_output=True, text=True, check=False)
    assert (done.returncode, "failed, and waived: test" in done.stdout) == (0, True), done.stdout + done.stderr


def test_B4_what_the_ledger_does_not_know_the_index_is_asked_for(tmp_path: Path) -> None:
    """A release from before Headway came: its files are what the index offers of it."""
    made = make_project(tmp_path / "toy.git")
    app = open_at(made.path, CUT)
    files = app.index_folder / "files" / "toykit"
    files.mkdir(parents=True)
    for name in ("toykit-0.1.0-py3-none-any.whl", "toykit-0.1.0-cp39-cp39-win_amd64.whl", "toykit-0.0.9.tar.gz"):
        (files / name).touch()
    gone = wait(settle(app)[1], "candidate.vanished")
    assert dict(gone.facts)["vanished"] == ("cp39-cp39-win_amd64",)


def test_G3_what_the_policy_asks_for_later_is_not_asked_of_a_release(tmp_path: Path) -> None:
    """verify takes the gates of the policy then in force."""
    made = make_project(tmp_path / "toy.git")
    settle(open_at(made.path, CUT))
    app = open_at(made.path, GO)
    approve(app, "0.1.1")
    settle(app)
    text = made.git("show", "main:release.toml")
    made.commit("gate", "[CI] A gate (#9)", {"release.toml": text + "\n" + SMOKE})
    later = open_at(made.path, GO)
    assert [g.name for g in later.policy.gates] == ["smoke"]
    assert verify(later, "0.1.1") == ()
