"""Commands in comments on the tests' GitHub: what people merge, push and mistype there, each answered once."""

from __future__ import annotations

from pathlib import Path

import pytest
from githubtrain import LINE, VERSION, app_env, town
from trainkit import AFTER_CUT, CUT, PICKS

from headway import ticking
from headway.model.entry import Kind


def test_a_rebased_pull_request_a_drop_a_slip_and_a_mistyped_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in app_env().items():
        monkeypatch.setenv(name, value)
    with town(tmp_path) as here:
        here.at(CUT)
        while not here.entries(Kind.CUT):
            ticking.tick(here.app)
        here.at(AFTER_CUT)
        made, fake = here.there.made, here.fake
        made.branch("parts", "main")
        for n in range(3):
            made.commit(f"[Doc] Part {n}", {f"docs/part{n}.md": f"{n}\n"}, branch="parts")
        made.commit("[Doc] On the trunk meanwhile", {"docs/other.md": "other\n"})
        parts = fake.pulls.open("ada", "parts", "main", "[Doc] Three parts").number
        last = fake.pulls.merge(parts, "rosa", "rebase")
        rebased = made.run("rev-list", "--reverse", f"{last}~3..{last}").split()
        by_hand = made.commit("[Core] By hand", {"toykit/hand.py": "HAND = 1\n"}, branch=LINE)
        here.at(PICKS)
        tracker = here.tracker()
        here.says("ada", parts, "/pick v0.1.1 docs people ask for them")
        here.says("rosa", tracker, f"/drop {by_hand[:10]} nobody knows it")
        here.says("root", tracker, "/slip v0.1.1 to 2025-02-20 the runners come back")
        here.says("ada", tracker, "/pik v0.1.1 #1 docs x\n\n/lgtm")
        here.says("mallory", tracker, "/retest")
        for _ in range(3):
            ticking.tick(here.app)
        (request,) = here.entries(Kind.REQUESTED)
        assert request.payload["commits"] == rebased
        (answer,) = here.answers(parts)
        assert "**Yes:** request" in answer
        drop, slip, mistyped = here.answers(tracker)
        assert f"asked to revert {by_hand[:12]}" in drop
        assert f"moved {VERSION} from 2025-01-29 to 2025-02-20" in slip
        assert "/pik is no command: is it /pick?" in mistyped
        picked = here.there.git("log", "--format=%s", f"{by_hand}..{LINE}").splitlines()
        assert picked == ['Revert "[Core] By hand"', *(f"[Doc] Part {n}" for n in (2, 1, 0))]
