"""What a host says of itself before a launch: machine, devices, driver, clocks. What cannot be found out is absent."""

from __future__ import annotations

import csv
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

_LIMIT_S = 30
Told = tuple[tuple[str, str], ...]


def host_facts() -> Told:
    """``host``, ``system``, ``cpu``, and of its devices ``devices``, ``driver``, ``clocks`` where a tool tells them."""
    told = {"host": platform.node(), "system": platform.platform(), "cpu": f"{_cpu()} × {os.cpu_count()}"}
    devices = _nvidia() or _rocm() or _amd() or _cpu_clocks()
    return tuple((name, value) for name, value in (told | devices).items() if value)


def _nvidia() -> dict[str, str]:
    """By ``nvidia-smi --query-gpu``: the clocks are those that are set, not those of the moment."""
    clocks = ("clocks.applications.graphics", "clocks.applications.memory", "clocks.max.sm", "power.limit")
    fields = ("index", "name", "uuid", "driver_version", *clocks)
    text = _asked("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader")
    rows = [[part.strip() for part in row] for row in csv.reader(text.splitlines()) if len(row) == len(fields)]
    return nvidia_facts(rows)


def nvidia_facts(rows: list[list[str]]) -> dict[str, str]:
    """Facts of the rows that ``nvidia-smi`` printed: index, name, uuid, driver and four clocks of each device."""
    if not rows:
        return {}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    shown = f" visible: {visible}" if visible else ""
    return {
        "devices": "; ".join(f"{i}: {name} ({uuid})" for i, name, uuid, *_ in rows) + shown,
        "driver": ", ".join(sorted({row[3] for row in rows})),
        "clocks": "; ".join("/".join(row[4:]) for row in rows),
    }


def _rocm() -> dict[str, str]:
    """By ``rocm-smi``: a JSON object with one object for each card, and the driver under ``system``."""
    asked = ("--showproductname", "--showuniqueid", "--showperflevel", "--showmaxpower", "--showdriverversion")
    return rocm_facts(_json(_asked("rocm-smi", *asked, "--json")))


def rocm_facts(document: Any) -> dict[str, str]:
    """Facts of what ``rocm-smi --json`` printed. Its keys differ between versions, so each is looked for by a word."""
    if not isinstance(document, dict):
        return {}
    cards = {k: v for k, v in sorted(document.items()) if k.startswith("card") and isinstance(v, dict)}
    if not cards:
        return {}

    def of(card: dict[str, Any], *words: str) -> str:
        return next((str(v) for k, v in card.items() if all(w in k.lower() for w in words)), "")

    system = document.get("system")
    return {
        "devices": "; ".join(f"{k}: {of(v, 'series') or of(v, 'card')} ({of(v, 'unique')})" for k, v in cards.items()),
        "driver": of(system, "driver") if isinstance(system, dict) else "",
        "clocks": "; ".join(f"{of(v, 'performance')}/{of(v, 'max', 'power')}" for v in cards.values()),
    }


def _amd() -> dict[str, str]:
    """By ``amd-smi static``, where only the newer tool is installed."""
    return amd_facts(_json(_asked("amd-smi", "static", "--asic", "--driver", "--limit", "--json")))


def amd_facts(document: Any) -> dict[str, str]:
    """Facts of what ``amd-smi static --json`` printed: a list with one object for each device, or an object with it."""
    rows = document.get("gpu_data") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        return {}

    def of(row: dict[str, Any], table: str, name: str) -> str:
        found = row.get(table)
        return str(found.get(name, "")) if isinstance(found, dict) else ""

    names = [(r.get("gpu"), of(r, "asic", "market_name"), of(r, "asic", "asic_serial")) for r in rows]
    return {
        "devices": "; ".join(f"{i}: {name} ({serial})" for i, name, serial in names),
        "driver": ", ".join(sorted({of(r, "driver", "version") for r in rows})),
        "clocks": "; ".join(json.dumps(r.get("limit"), sort_keys=True) for r in rows if r.get("limit")),
    }


def _cpu_clocks() -> dict[str, str]:
    """The governor and the highest frequency of the first processor: where there is no device, that is what is set."""
    folder = Path("/sys/devices/system/cpu/cpu0/cpufreq")
    try:
        return {"clocks": "/".join((folder / n).read_text().strip() for n in ("scaling_governor", "scaling_max_freq"))}
    except (OSError, UnicodeDecodeError):
        return {}


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        text = ""
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _asked(tool: str, *args: str) -> str:
    """What a tool prints; nothing where it is not there, fails or hangs."""
    if shutil.which(tool) is None:
        return ""
    try:
        done = subprocess.run(
            [tool, *args], capture_output=True, timeout=_LIMIT_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
