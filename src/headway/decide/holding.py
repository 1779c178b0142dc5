"""Whether a release line holds a trunk change now, and by which of its commits: picks, reverts and relands walked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from headway.decide import record
from headway.model.commit import Line, Revert, RevertKind, Sha
from headway.model.pick import ChangeKind
from headway.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Holding:
    """``holder`` is the commit that holds the change now; ``last`` the last one that did, ``undone_by`` what took it
    out there. All ``None``: the line never held it."""

    holder: Sha | None
    last: Sha | None
    undone_by: Sha | None


@dataclass(frozen=True, slots=True)
class _Step:
    """A commit of the line: the trunk commits that it is a copy of, ``short`` ones as far as written, and what it
    undoes. Told apart, since long lines are walked for each of many changes."""

    sha: Sha
    origins: frozenset[Sha]
    short: tuple[str, ...]
    undoes: frozenset[Sha]

    @classmethod
    def of(cls, sha: Sha, named: Iterable[str], undoes: Iterable[Sha]) -> _Step:
        whole = frozenset((sha, *(n for n in named if len(n) >= len(sha))))
        return cls(sha, whole, tuple(n for n in named if len(n) < len(sha)), frozenset(undoes))


@dataclass(frozen=True, slots=True)
class Holdings:
    """One line against the trunk's chain of reverts."""

    in_cut: frozenset[Sha]
    reverts: tuple[Revert, ...]
    steps: tuple[_Step, ...]

    @classmethod
    def of(cls, line: Line, snapshot: Snapshot) -> Holdings:
        shas = [c.sha for c in snapshot.trunk.commits]
        before = shas[: shas.index(line.cut) + 1] if line.cut in shas else ()
        recorded = {a.commit: a for a in record.applied(snapshot.entries, line.branch)}
        undoing = {r.commit.sha: r.targets for r in line.reverts}
        steps = []
        for c in line.commits:
            a, undoes = recorded.get(c.sha), set(undoing.get(c.sha, ()))
            if a is not None and a.kind == ChangeKind.REVERT and a.undoes:
                undoes.add(a.undoes)
            named = (*c.trailers, *line.origins.get(c.sha, ()), *([a.origin] if a else []))
            steps.append(_Step.of(c.sha, named, undoes))
        return cls(frozenset({*before, line.cut, *line.held}), snapshot.reverts, tuple(steps))

    def holding(self, target: Sha) -> Holding:
        """One change, followed from the cut to the tip.

        The trunk's relands carry it as well as itself; its reverts there, and copies of them, take it out.
        """
        walk = _Walk.of(target, self.reverts)
        if target in self.in_cut:
            walk.bring(target)
        for r in self.reverts:
            if r.commit.sha in self.in_cut:
                walk.meet(_Step.of(r.commit.sha, (), r.targets))
        for step in self.steps:
            walk.meet(step)
        return Holding(walk.holder, walk.last, walk.undone_by)


@dataclass(slots=True)
class _Walk:
    """State on the way: ``bringing`` and ``taking`` begin with the trunk's commits and grow by the line's own."""

    bringing: set[Sha]
    taking: set[Sha]
    holder: Sha | None = None
    last: Sha | None = None
    undone_by: Sha | None = None

    @classmethod
    def of(cls, target: Sha, reverts: Sequence[Revert]) -> _Walk:
        walk = cls(_roots(target, {r.commit.sha: r for r in reverts}), set())
        for r in reverts:
            if not walk.taking.isdisjoint(r.targets):
                walk.bringing.add(r.commit.sha)
            elif not walk.bringing.isdisjoint(r.targets):
                walk.taking.add(r.commit.sha)
        return walk

    def bring(self, sha: Sha) -> None:
        self.bringing.add(sha)
        self.holder, self.last, self.undone_by = sha, sha, None

    def meet(self, step: _Step) -> None:
        if _copies(step, self.taking) or not self.bringing.isdisjoint(step.undoes):
            self.taking.add(step.sha)
            if self.holder is not None:
                self.holder, self.undone_by = None, step.sha
        elif _copies(step, self.bringing) or not self.taking.isdisjoint(step.undoes):
            self.bring(step.sha)


def _roots(target: Sha, known: Mapping[Sha, Revert]) -> set[Sha]:
    """The change itself and, where it is a reland, what it brought back, down to the original: all are one change."""
    found, open_ = {target}, [target]
    while open_:
        reland = known.get(open_.pop())
        if reland is None or reland.kind is not RevertKind.RELAND:
            continue
        for revert in (known[t] for t in reland.targets if t in known):
            new = set(revert.targets) - found
            found |= new
            open_ += new
    return found


def _copies(step: _Step, known: set[Sha]) -> bool:
    return not known.isdisjoint(step.origins) or any(sha.startswith(named) for named in step.short for sha in known)
