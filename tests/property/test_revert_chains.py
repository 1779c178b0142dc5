"""Random histories of changes, reverts, relands and reverts of those: what is alive comes out as it was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.history.revertmessage import read_claim
from headway.history.reverts import link_reverts, undone
from headway.model.commit import Commit, RevertKind, undone_by

WHEN = datetime(2025, 1, 1, tzinfo=UTC)
NAMING = ("sha", "title", "number", "body", "words")


@dataclass(frozen=True)
class Step:
    """``choice`` picks what is undone among what can be; ``None`` adds a change. ``reapply`` words a reland so."""

    choice: int | None
    reapply: bool
    minutes: int


steps = st.lists(
    st.builds(Step, st.one_of(st.none(), st.integers(0, 50)), st.booleans(), st.integers(-9999, 9999)), max_size=14
)


class Model:
    """A history and what is alive in it: each change is, as long as an even number of steps went against it."""

    def __init__(self, naming: str) -> None:
        self.naming = naming
        self.commits: list[Commit] = []
        self.top: dict[int, int] = {}  # change -> the commit that decides on it now
        self.of: dict[int, int] = {}  # commit -> change
        self.depth: dict[int, int] = {}  # commit -> 0 for a change, 1 for its revert, 2 for the reland …
        self.undoes: dict[int, int] = {}
        self.exact = True  # whether all words name just one commit

    def take(self, step: Step) -> None:
        n = len(self.commits)
        changes = sorted(self.top)
        if step.choice is None or not changes:
            self.top[n], self.of[n], self.depth[n] = n, n, 0
            self._add(f"Change number {n} of many", "", step)
            return
        change = changes[step.choice % len(changes)]
        target = self.top[change]
        self.top[change], self.of[n], self.depth[n] = n, change, self.depth[target] + 1
        self.undoes[n] = target
        self._add(*self._words(step, target), step)

    def _words(self, step: Step, target: int) -> tuple[str, str]:
        old = self.commits[target]
        quoted = old.subject if self.naming in ("number", "sha") else old.subject.rpartition(" (#")[0]
        if step.reapply and self.depth[target] % 2:
            # By the original's title or number any of its standing reverts may be meant: alive it is after each.
            self.exact &= self.depth[target] == 1 or self.naming not in ("title", "number")
            first = self.commits[self.of[target]].subject
            title = f'Reapply "{first if self.naming != "title" else first.rpartition(" (#")[0]}"'
            named = self.of[target] if self.naming == "number" else target
        else:
            title, named = f'Revert "{quoted}"', target
        body = {"sha": f"This reverts commit {old.sha}.", "body": f"Reverts o/r#{named + 100}"}.get(self.naming, "")
        if self.naming == "words":
            return f"{'Reland' if title.startswith('Reapply') else 'Revert'} it, #{target + 100}", ""
        return title, body

    def _add(self, title: str, body: str, step: Step) -> None:
        n = len(self.commits)
        when = WHEN + timedelta(minutes=step.minutes)
        self.commits.append(Commit(f"{n + 1:040x}", (), "t", "a", "e", when, when, f"{title} (#{n + 100})", body))


@pytest.mark.parametrize("naming", NAMING)
@given(steps=steps, cut=st.integers(0, 14))
def test_what_is_alive_is_told_from_the_whole_chain(naming: str, steps: list[Step], cut: int) -> None:
    model = Model(naming)
    for step in steps:
        model.take(step)
    commits = model.commits
    claims = {c.sha: claim for c in commits if (claim := read_claim(c))}
    full = {c.sha: c.sha for c in commits}
    found = link_reverts(commits, (), claims, full, frozenset(full), {})
    shas = [c.sha for c in commits]
    if model.exact:
        assert {r.commit.sha: r.targets for r in found} == {shas[n]: (shas[t],) for n, t in model.undoes.items()}
    assert {r.commit.sha: r.kind for r in found} == {
        shas[n]: RevertKind.RELAND if model.depth[n] % 2 == 0 else RevertKind.REVERT for n in model.undoes
    }
    gone = undone(found)
    for change, top in model.top.items():
        assert (shas[change] in gone) == (model.depth[top] % 2 == 1)
        assert (undone_by(shas[change], found) is None) == (model.depth[top] % 2 == 0)
    later = link_reverts(commits[cut:], commits[:cut], claims, full, frozenset(full), {})
    assert later == tuple(r for r in found if r.commit.sha in set(shas[cut:]))
