"""A cell is waived on a real project, and shown where people look: page, JSON twin, notes, ledger (E7)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import httpx
import pytest
from webserved import Served
from webworld import PERF, POLICY, World

from headway import controls
from headway.errors import UnusableInput
from headway.model.entry import Entry
from headway.noting import notes_for
from headway.proving import prove_release
from headway.refusal import Refused

SLOW, FAST = "toy-small/cpu/decode/median_tpot_ms", "toy-small/cpu/prefill/median_ttft_ms"
UNTIL = date(2025, 2, 28)
WAIVABLE = POLICY + PERF + '\n[waivers]\nclauses = ["cell"]\n'


def refusal(world: World, cell: str) -> str:
    answer = controls.waive(world.app(), "0.1.1", cell, "known", UNTIL)
    assert isinstance(answer, Refused), answer
    (reason,) = answer.reasons
    assert str(reason.remedy)
    return reason.code


def test_E7_what_is_not_measured_or_passes_is_not_waived(tmp_path: Path) -> None:
    """A REGRESSED or OPEN cell is waived."""
    world = World(tmp_path, WAIVABLE).to_open(settled=False)
    assert refusal(world, SLOW) == "waive.no-evidence"
    world.at("01-28T09").measure(1.31)
    assert refusal(world, FAST) == "waive.cell-passes"
    with pytest.raises(UnusableInput, match="nothing"):
        controls.waive(world.app(), "0.1.1", "toy-small/cpu/decode/nothing", "known", UNTIL)


def test_E7_a_waived_cell_is_shown_with_person_reason_day_and_digest(tmp_path: Path) -> None:
    """Waived by a named person with reason and expiry, bound to the evidence digest; shown on the page and in notes."""
    world = World(tmp_path, WAIVABLE).to_regressed()
    entry = controls.waive(world.app("Rosa"), "0.1.1", SLOW, "a known trade <b>", UNTIL)
    assert isinstance(entry, Entry), entry
    digest = entry.payload["evidence"]
    with Served(world.git.path, world.clock.now()) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        page = client.get("/trains/0.1.1?lang=en").text
        assert "waived by Rosa until 2025-02-28: a known trade &lt;b&gt;" in page
        assert digest in page
        page = client.get("/trains/0.1.1?lang=zh").text
        assert "由 Rosa 豁免，至 2025-02-28：a known trade &lt;b&gt;" in page
        assert f"证据 {digest}" in page
        (told,) = client.get("/api/v1/trains/0.1.1").json()["waivers"]
    wanted = {"cell": SLOW, "verdict": "regressed", "person": "Rosa", "until": "2025-02-28", "evidence": digest}
    assert wanted.items() <= told.items()
    (line,) = dict(notes_for(world.app(), controls.version_of("0.1.1")).sections)["waivers"]
    assert line == f"cell:{SLOW}: a known trade <b> (Rosa, until 2025-02-28, evidence {digest[:12]})"
    waits = {w.code for w in world.app().train("0.1.1").waits}
    assert not {"perf.regressed", "perf.waiver-lapsed"} & waits


def test_E7_a_release_with_a_waived_cell_is_proved_and_its_notes_and_proof_name_it(tmp_path: Path) -> None:
    """Shown in the notes of the tag and in `verify`, from the real ledger and store."""
    world = World(tmp_path, WAIVABLE).to_open(settled=False).at("01-28T09")
    world.measure(1.31)
    entry = controls.waive(world.app(), "0.1.1", SLOW, "a known trade", UNTIL)
    assert isinstance(entry, Entry), entry
    world.at("01-29T08")
    go = controls.approve(world.app(), "0.1.1", "go")
    assert isinstance(go, Entry), go
    world.at("01-29T09").settle()
    proof = prove_release(world.app(), controls.version_of("0.1.1"))
    assert proof.problems == ()
    (told,) = proof.waived
    assert (told.key, told.entry.actor, told.digest) == (SLOW, "Rosa", entry.payload["evidence"])
    assert f"evidence {told.digest[:12]}" in world.git.run("tag", "-l", "--format=%(contents)", "v0.1.1")
