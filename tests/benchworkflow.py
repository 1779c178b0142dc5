"""A benchmark workflow for the fake GitHub: the inputs, the concurrency group and the artifact of the real one, and a
script in place of engines that writes the files that the real one's script leaves."""

from __future__ import annotations

FILE = "vllm-benchmark.yml"
MODEL = "meta-llama/Llama-3.1-8B-Instruct"
SERVING, LATENCY = "serving_llama8B_tp1_random_qps_4_concurrency_64", "latency_llama8B_tp1"

FLOW = """
name: vLLM Benchmark
on:
  workflow_dispatch:
    inputs:
      vllm_branch: {required: true, type: string, default: main}
      vllm_commit: {required: false, type: string}
      models: {required: false, type: string}
      runners: {required: true, type: string, default: "rocm,spr,gnr,gaudi3,m8g"}
      hf_offline: {required: false, type: boolean, default: false}
concurrency:
  group: ${{ github.workflow }}-${{ github.sha }}
  cancel-in-progress: true
jobs:
  benchmarks:
    name: Run vLLM benchmarks (${{ inputs.runners }}, ${{ inputs.models }})
    runs-on: mt-l-x86iamx-22-225-${{ inputs.runners }}
    steps:
      - uses: actions/checkout@v4
      - name: Run vLLM benchmark
        env:
          HEAD_SHA: ${{ inputs.vllm_commit }}
          HEAD_BRANCH: ${{ inputs.vllm_branch }}
          MODELS: ${{ inputs.models }}
        run: python bench.py
      - uses: actions/upload-artifact@v4
        with:
          name: benchmark-results--NVIDIA_H100_80GB_HBM3-${{ env.SANITIZED_MODELS }}
          path: results
"""

BENCH = """
import json, os, random, sys
from pathlib import Path

sha, mode = os.environ["HEAD_SHA"], os.environ.get("BENCH", "")
out = Path("results")
out.mkdir()
with open(os.environ["GITHUB_ENV"], "a") as env:
    env.write("SANITIZED_MODELS=" + os.environ["MODELS"].replace("/", "_") + "\\n")
print("HEAD_SHA:", "0" * 40 if mode == "other-commit" else sha)
if mode == "other-commit":
    print("Previous HEAD position was", sha)
if mode == "fails":
    sys.exit("CUDA out of memory")
slow = 1.2 if sha in os.environ.get("SLOW", "") else 1.0
if mode == "noisy":
    slow *= random.uniform(0.995, 1.005)
model = "meta-llama/Llama-3.1-8B-Instruct"


def record(name, values, **extra):
    benchmark = {"name": "vLLM benchmark", "extra_info": {"args": {"model": model, "request_rate": "inf"}}}
    metric = {"name": name, "benchmark_values": values, "extra_info": extra}
    return {"benchmark": benchmark, "model": {"name": model}, "metric": metric}


def write(name, document):
    (out / name).write_text(json.dumps(document))


serving, latency = "serving_llama8B_tp1_random_qps_4_concurrency_64", "latency_llama8B_tp1"
failed = 3 if mode == "failed-requests" else 0
counts = {"num_prompts": 200, "completed": 200 - failed, "failed": failed, "total_output_tokens": 12800}
write(serving + ".json", {**counts, "median_tpot_ms": 7.5 * slow, "output_throughput": 900.0 / slow})
write(serving + ".pytorch.json", [record("median_tpot_ms", [7.5 * slow], **counts), record("unheard_of", [1.0])])
client = "vllm bench serve --request-rate 4"
if mode == "other-commands":
    model += " --revision " + sha[:4]
write(serving + ".commands", {"server_command": "vllm serve " + model, "client_command": client, "gpu_type": "H100"})
if mode != "no-latency":
    iterations = [1.0 * slow, 1.1 * slow, 1.2 * slow]
    write(latency + ".json", {"avg_latency": 1.1 * slow, "latencies": iterations})
    write(latency + ".pytorch.json", [record("latency", iterations, avg_latency=1.1 * slow)])
    write(latency + ".commands", {"latency_command": "vllm bench latency --model " + model, "gpu_type": "H100"})
if mode == "damaged":
    (out / (latency + ".pytorch.json")).write_text('[{"benchmark": {"na')
told = [
    "OS : Ubuntu 22.04.5 LTS (x86_64)",
    "vLLM Version                 : 0.9." + sha[0],
    "Nvidia driver version        : 570.133.20",
    "Model name:                           Intel(R) Xeon(R) Platinum 8488C",
]
(out / "vllm_env.txt").write_text("\\n".join(told))
(out / "benchmark_results.md").write_text("| a |")
"""
