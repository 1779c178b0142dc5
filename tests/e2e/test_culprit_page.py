"""Where several commits may have made a candidate slower, the page of the train accuses none of them (E7)."""

from __future__ import annotations

from pathlib import Path

import httpx
from webserved import Served
from webworld import PERF, POLICY, World

from headway.model.entry import Kind


def test_E7_the_page_names_all_suspects_and_accuses_none(tmp_path: Path) -> None:
    world = World(tmp_path, POLICY + PERF).to_regressed()
    others = ["1" * 40, "2" * 40]
    told = {"tag": "v0.1.1-rc1", "commit": others[1], "subject": "An innocent one", "ratio": 1.31, "confirmed": False}
    world.record(Kind.CULPRIT, "0.1.1", {**told, "suspects": others})
    with Served(world.git.path, world.clock.now()) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        page = client.get("/trains/0.1.1?lang=en").text
        found = client.get("/api/v1/trains/0.1.1").json()["culprits"][-1]
    assert "one of them made v0.1.1-rc1 slower: × 1.31" in page
    assert "<bdi>An innocent one</bdi></strong>" not in page
    assert (found["confirmed"], found["suspects"]) == (False, others)
