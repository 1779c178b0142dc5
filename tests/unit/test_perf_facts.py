"""What a host says of its devices: what the tools print is read, and what they do not say is absent.

The texts are as the tools' documentation shows them; no device was there to ask.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from headway.perf.facts import amd_facts, host_facts, nvidia_facts, rocm_facts

_SMI = """#!/bin/sh
case "$1" in --query-gpu=index,name,uuid,driver_version,*) ;; *) exit 9 ;; esac
echo "0, NVIDIA H100 80GB HBM3, GPU-aa, 550.54.15, 1980 MHz, 2619 MHz, 1980 MHz, 700.00 W"
echo "1, NVIDIA H100 80GB HBM3, GPU-bb, 550.54.15, 1980 MHz, 2619 MHz, 1980 MHz, 700.00 W"
"""


def tool(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / name
    path.write_text(text, "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_nvidia_smi_is_asked_for_devices_driver_and_set_clocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    tool(tmp_path, "nvidia-smi", _SMI, monkeypatch)
    told = dict(host_facts())
    assert told["devices"] == "0: NVIDIA H100 80GB HBM3 (GPU-aa); 1: NVIDIA H100 80GB HBM3 (GPU-bb)"
    assert told["driver"] == "550.54.15"
    assert told["clocks"].startswith("1980 MHz/2619 MHz/")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert dict(host_facts())["devices"].endswith(" visible: 1")


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 6\n", "#!/bin/sh\necho No devices were found\n", "no program"])
def test_a_tool_that_fails_tells_nothing_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    for name in ("nvidia-smi", "rocm-smi", "amd-smi"):
        tool(tmp_path, name, text, monkeypatch)
    told = dict(host_facts())
    assert "devices" not in told
    assert "driver" not in told
    assert told["host"]
    assert told["cpu"]


def test_amd_devices_are_read_from_either_tool() -> None:
    card = {"Card Series": "AMD Instinct MI300X", "Unique ID": "0xaa", "Performance Level": "auto"}
    rocm = rocm_facts({"card0": {**card, "Max Graphics Package Power (W)": "750"}, "system": {"Driver version": "6.7"}})
    assert rocm == {"devices": "card0: AMD Instinct MI300X (0xaa)", "driver": "6.7", "clocks": "auto/750"}
    row = {"gpu": 0, "asic": {"market_name": "MI300X", "asic_serial": "0xaa"}, "driver": {"version": "6.7"}}
    assert amd_facts([row]) == {"devices": "0: MI300X (0xaa)", "driver": "6.7", "clocks": ""}
    assert amd_facts({"gpu_data": [row]}) == amd_facts([row])


@pytest.mark.parametrize("odd", [None, [], {}, "x", [1], {"card0": 5}, {"gpu_data": 7}])
def test_what_no_tool_would_print_is_nothing(odd: object) -> None:
    assert rocm_facts(odd) == amd_facts(odd) == nvidia_facts([]) == {}
