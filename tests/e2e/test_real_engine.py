"""E5, E7 on a real engine: a planted slowdown is REGRESSED, and a change of nothing never is.

llama.cpp's server is launched from real builds of three commits, by ``headway perf run`` as a person calls it. Nothing
is said here about seconds: only about verdicts, with margins for a noisy host in the policy.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("xllamacpp", reason="xllamacpp, which has llama.cpp's server, has no wheel for this platform")

import realengine
from trainkit import Project, make_project

_POLICY = """
[perf]
serve = "{{python}} -m toykit.serve {{port}} {models}"
env = {{ PYTHONPATH = "{library}" }}
margin = 0.5
looks = [4, 6, 8]
start_timeout_s = 120

[[perf.cells]]
model = "tiny"
hardware = "cpu"
test = "closed-1"
client = "--num-prompts 8 --concurrency 1 --input-len 24 --output-len 24 --ignore-eos"
metrics = ["median_ttft_ms", "output_throughput"]
"""
_MAIN = "from headway.cli.main import main; main()"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Commits ``two`` (layers), ``same`` (another build that does the same) and ``four``."""
    root = tmp_path_factory.mktemp("real")
    for layers in (2, 4):
        realengine.model(root / "models", layers)
    policy = _POLICY.format(models=root / "models", library=realengine.library(root / "library"))
    made = make_project(root / "tiny.git", policy=policy)
    two = realengine.server_source(2)
    made.commit("two", "[Core] Serve (#4)", {"toykit/serve.py": two})
    made.commit("same", "[Core] Say why (#5)", {"toykit/serve.py": f"# Two layers are enough.\n{two}"})
    made.commit("four", "[Core] Think harder (#6)", {"toykit/serve.py": realengine.server_source(4)})
    return made


def perf_run(project: Project, base: str, candidate: str) -> tuple[int, dict[str, Any]]:
    argv = ["perf", "run", project.shas[base], project.shas[candidate], "--repo", str(project.path), "--json"]
    done = subprocess.run([sys.executable, "-c", _MAIN, *argv], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, found


def test_twice_the_layers_are_regressed(project: Project) -> None:
    status, found = perf_run(project, "two", "four")
    assert (status, found["verdict"]) == (1, "regressed"), found
    cells = {c["metric"]: c for c in found["cells"]}
    assert cells["median_ttft_ms"]["ratio"] > 1.25
    assert cells["output_throughput"]["ratio"] < 1 / 1.25
    worse = [c for c in cells.values() if c["verdict"] == "regressed"]
    assert "regression" in {c["cause"] for c in worse}
    sides = [block[side] for block in found["ran"]["launched"] for side in ("baseline", "candidate")]
    assert len({side["host"] for side in sides}) == len({side["client"] for side in sides}) == 1


def test_a_build_that_does_the_same_is_never_regressed(project: Project) -> None:
    status, found = perf_run(project, "two", "same")
    assert found["baseline"]["sha256"] != found["candidate"]["sha256"]
    assert (status, found["verdict"]) in {(0, "pass"), (3, "open")}, found
    for cell in found["cells"]:
        assert cell["blocks"] in {4, 6, 8}
        assert math.isfinite(cell["mde"])
        assert cell["mde"] > 0
        assert cell["verdict"] == "pass" or (cell["verdict"], cell["blocks"]) == ("open", 8)
        if cell["verdict"] == "open" and cell["mde"] > cell["margin"]:
            assert cell["cause"] == "unpowered"
