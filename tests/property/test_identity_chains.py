"""Random histories of picks, reverts and relands on both sides, in real git: verdicts agree with how they were made."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from branchmaker import BranchMaker, body, path
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.app import open_headway
from headway.auditing import look
from headway.decide.reverts import RevertVerdict
from headway.model.commit import RevertKind

BRANCH = "releases/v1.0.0"
CHANGES = 3


@dataclass
class Model:
    """What each side holds of each change, and the trunk's commit that decided last."""

    made: BranchMaker
    trunk: dict[int, bool] = field(default_factory=dict)
    branch: dict[int, bool] = field(default_factory=dict)
    last: dict[int, str] = field(default_factory=dict)
    copy: dict[int, str] = field(default_factory=dict)
    ever: set[int] = field(default_factory=set)
    n: int = 100

    def lines(self, change: int, alive: bool) -> str:
        return body(change, *(f"def new_{change}_{k}(): return gain({change}, {k})" for k in range(4) if alive))

    def commit(self, title: str, change: int, alive: bool, text: str, branch: str | None, minutes: int) -> str:
        self.n += 1
        when = self.made.now + timedelta(minutes=minutes)
        return self.made.commit(
            f"{title} (#{self.n})", {path(change): self.lines(change, alive)}, body=text, branch=branch, when=when
        )

    def on_trunk(self, change: int, minutes: int) -> None:
        """It lands, is reverted, is relanded, and so on."""
        alive = not self.trunk.get(change, False)
        title, text = f"[Core] New thing number {change}", ""
        if change in self.last:
            word = "Reapply" if alive else "Revert"
            title, text = f'{word} "{title}"', f"This reverts commit {self.last[change]}."
        self.last[change] = self.commit(title, change, alive, text, None, minutes)
        self.trunk[change] = alive

    def on_branch(self, change: int, minutes: int) -> None:
        """What the trunk has is picked; what the branch has is taken out there."""
        if self.branch.get(change):
            text = f"This reverts commit {self.copy[change]}."
            self.commit(f'Revert "[v1.0] New thing number {change}"', change, False, text, BRANCH, minutes)
            self.branch[change] = False
        elif self.trunk.get(change):
            text = f"(cherry picked from commit {self.last[change]})"
            self.copy[change] = self.commit(f"[v1.0] New thing number {change}", change, True, text, BRANCH, minutes)
            self.branch[change] = True
            self.ever.add(change)


steps = st.lists(
    st.tuples(st.booleans(), st.integers(0, CHANGES - 1), st.integers(-5000, 5000)),
    min_size=4,
    max_size=12,
)


@settings(max_examples=10, deadline=None)
@given(steps)
def test_B6_verdicts_agree_with_the_model(actions: list[tuple[bool, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = BranchMaker(Path(folder) / "repo")
        made.branch(BRANCH)
        model = Model(made)
        for trunk, change, minutes in actions:
            if trunk:
                model.on_trunk(change, minutes)
            else:
                model.on_branch(change, minutes)
        found = {f.revert.commit.sha: f for f in look(open_headway(made.path), BRANCH).audit.reverts}
        for change, last in model.last.items():
            if model.trunk[change]:
                continue
            finding = found[last]
            assert finding.revert.kind is RevertKind.REVERT
            if model.branch.get(change):
                assert (finding.verdict, finding.open) == (RevertVerdict.NEEDED, (model.copy[change],))
            else:
                expected = RevertVerdict.ALREADY_REVERTED if change in model.ever else RevertVerdict.NOT_ON_BRANCH
                assert finding.verdict is expected
        dead = {model.copy[c] for c in model.last if not model.trunk[c] and model.branch.get(c)}
        for f in found.values():
            assert f.verdict is not RevertVerdict.NEEDED or dead.issuperset(f.open)
