"""Running one of the policy's ``[[gates]]`` on the tested wheel, in a fresh environment (B4)."""

from __future__ import annotations

import json
import math
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from headway.decide.gates import judge
from headway.effects.build import artifact_of
from headway.effects.site import Site
from headway.effects.testing import beside_the_tests, env_of, fresh_folders
from headway.effects.wheel import importable_modules
from headway.environment import Failed, fresh_environment
from headway.errors import UnusableInput
from headway.model.text import Text, say
from headway.plan.gate_actions import RecordCheck, RunGate
from headway.policy.gate_tables import EvidenceGate
from headway.process import Finished, command_line, run_logged

_LARGEST = 16 * 1024 * 1024  # bytes of a result


def run_gate(site: Site, action: RunGate) -> dict[str, Any]:
    """Run the command and read its number; what it found, bound to tag, commit and wheel.

    The command runs beside the exported ``paths`` or in an empty folder. ``timeout_s`` limits each of its steps.
    """
    gate = next(g for g in site.policy.gates if g.name == action.gate)
    step = f"gate-{gate.name}"
    log, work = site.paths.log(action.tag, step), site.paths.work(f"{action.tag}-{step}")
    wheel = site.paths.artifacts(action.tag) / action.wheel.file
    site.same(wheel, action.wheel.sha256, action.tag)
    site.progress.say(say("running gate {gate} on {wheel}", gate=gate.name, wheel=action.wheel.file))
    fresh_folders(work / "environment", work / "empty")
    result = work / "result.json"
    result.unlink(missing_ok=True)
    with site.export(action.commit, gate.paths) if gate.paths else nullcontext() as checks:
        site.progress.step(f"gating:{action.target}")
        failed, seconds = _ran(gate, action, wheel, result, checks or work / "empty", log)
        site.progress.step(f"gated:{action.target}")
    value, digest = None, ""
    if failed is None and gate.metric:
        found = _number(result, gate.metric)
        value, failed = (None, found) if isinstance(found, Text) else (found, None)
    if result.is_file():
        digest = artifact_of(result).sha256
        shutil.copyfile(result, log.with_suffix(".json"))
    shutil.rmtree(work, ignore_errors=True)
    why = judge(gate, failed is None, value, str(failed or ""))
    return {
        "gate": gate.name,
        "tag": action.tag,
        "commit": action.commit,
        "wheel": action.wheel.sha256,
        "ok": why is None,
        "why": str(why or ""),
        "passed": failed is None,
        "value": value,
        "metric": gate.metric,
        "command": gate.command,
        "url": "",
        "log": str(log),
        "seconds": round(seconds, 3),
        "result_sha256": digest,
    }


def checked(action: RecordCheck) -> dict[str, Any]:
    """What a CI check said. Only ``success`` passes: a check that was skipped, or is neutral, has shown nothing."""
    passed = action.conclusion == "success"
    why = "" if passed else str(say("{check} ended as {conclusion}", check=action.check, conclusion=action.conclusion))
    return {
        "gate": action.gate,
        "tag": action.tag,
        "commit": action.commit,
        "wheel": action.wheel,
        "ok": passed,
        "why": why,
        "passed": passed,
        "value": None,
        "metric": action.metric,
        "check": action.check,
        "url": action.url,
    }


def _ran(
    gate: EvidenceGate, action: RunGate, wheel: Path, result: Path, cwd: Path, log: Path
) -> tuple[Text | None, float]:
    """What went wrong with the command itself, and the seconds it took, without those of the environment."""
    try:
        beside = beside_the_tests(importable_modules(wheel), cwd)
    except UnusableInput as e:
        return e.message, 0.0
    if beside is not None:
        return beside, 0.0
    environment = result.parent / "environment"
    python = fresh_environment(environment, (str(wheel), *gate.requires), log=log, timeout_s=gate.timeout_s)
    if isinstance(python, Failed):
        return python.why, 0.0
    argv = command_line(
        gate.command,
        python=str(python),
        version=action.version,
        commit=action.commit,
        wheel=str(wheel),
        result=str(result),
    )
    done = run_logged(argv, log=log, timeout_s=gate.timeout_s, cwd=cwd, env=env_of(python))
    return _trouble(done, gate), done.seconds


def _trouble(done: Finished, gate: EvidenceGate) -> Text | None:
    if done.timed_out:
        return say("it was ended: it took longer than {limit} s", limit=gate.timeout_s)
    return None if done.ok else say("it ended with status {code}", code=done.code)


def _number(result: Path, metric: str) -> float | Text:
    """The number under a key (``a/b``: b inside a) of the JSON that the command wrote."""
    if not result.is_file():
        return say("it wrote nothing to {result}", result="{result}")
    if result.stat().st_size > _LARGEST:
        return say("its result is larger than {limit} bytes", limit=_LARGEST)
    try:
        found: Any = json.loads(result.read_bytes())
    except (ValueError, RecursionError) as e:
        return say("its result is no JSON: {why}", why=str(e))
    for key in metric.split("/"):
        if not isinstance(found, dict) or key not in found:
            return say("its result has no {metric}", metric=metric)
        found = found[key]
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return say("{metric} of its result is no number: {found}", metric=metric, found=str(found)[:80])
    return float(found)
