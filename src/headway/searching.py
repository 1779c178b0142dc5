"""The culprit search as a person asks for it: any two commits, measured until one commit is named (E7)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from headway.app import Headway
from headway.decide.cellwaivers import cell_key
from headway.decide.culprit import next_step
from headway.decide.culpritadvice import Advice, advice
from headway.decide.performance import design_of, paired, pairs_of, searchable
from headway.effects.prober import Prober, Unbuildable, Wanted
from headway.errors import UnusableInput, WorldFailed, not_found
from headway.history.log import is_ancestor, read_commits, trunk_tip
from headway.history.repository import refuse_shallow
from headway.history.reverts import find_reverts
from headway.model.commit import Commit, Sha
from headway.model.measurement import Comparison
from headway.model.text import facts, say
from headway.model.verdict import CellVerdict, PerformanceVerdict, Verdict
from headway.perf.reading import imported_logs
from headway.policy.perf_jobs import configured
from headway.policy.perf_tables import Perf
from headway.stats.culprit import INVALID_BLOCKS_ALLOWED, SURE, Confirm, Found, Next
from headway.stats.gate import GateDesign, judge, next_look
from headway.stats.paired import Key, sign_of, usable


@dataclass(frozen=True, slots=True)
class Asked:
    """``good``, ``bad``: any names of commits. ``cell``: ``model/hardware/test/metric`` (``""``: the one that the gate
    finds the worst). ``checked``: the gate compares the ends first. ``hosts``: probes at once; ``sure``: how probable
    the culprit must be."""

    good: str
    bad: str
    cell: str = ""
    checked: bool = True
    hosts: int = 1
    sure: float = SURE


@dataclass(frozen=True, slots=True)
class NoSlowdown:
    """The gate does not say that the bad end is slower: there is nothing to search."""

    verdict: PerformanceVerdict


@dataclass(frozen=True, slots=True)
class Named:
    """The end of a search: ``commits`` is the range with the good end, ``key`` the cell and metric that it was searched
    with, ``unbuildable`` what could not be built on the way."""

    commits: tuple[Commit, ...]
    key: Key
    found: Found
    unbuildable: tuple[Unbuildable, ...]
    advice: Advice

    @property
    def culprit(self) -> Commit:
        return next(c for c in self.commits if c.sha == self.found.commit)


def search_culprit(app: Headway, asked: Asked) -> Named | NoSlowdown:
    """Search the first-parent commits after ``good``, up to ``bad``. Every block is kept as soon as it is measured, so
    that a search which is broken off goes on where it was.

    Raises ``UnusableInput`` for ends that are none, a cell that the policy has not and a range without a slowdown;
    ``WorldFailed`` for ends that cannot be built or launched.
    """
    app.need_policy()
    commits = _range(app, asked)
    keys = _keys(app.policy.perf, asked.cell)
    if not asked.checked and len(keys) > 1:
        raise _which(keys)
    released = {r.commit: str(r.version) for r in app.releases()}
    trains = app.plan().trains
    with app.performing() as performer:
        version = trains[0].train.name if trains else "0.0.0"
        hunt = _Hunt(app, asked, commits, Prober(performer.measurer, version, released), {})
        if asked.checked:
            compared = hunt.compare_ends(keys)
            regressed = [c for c in compared.cells if c.verdict is Verdict.REGRESSED]
            if not regressed:
                return NoSlowdown(compared)
            key = _worst(searchable(tuple(regressed), compared.cells))
        else:
            (key,) = keys
        found = hunt.find(key)
    culprit = next(c for c in commits if c.sha == found.commit)
    later = read_commits(app.repo, ("--first-parent", f"{culprit.sha}..{trunk_tip(app.repo, app.trunk)}"))
    told = advice(commits, found, key, (asked.good, asked.bad), find_reverts(app.repo, later, commits))
    return Named(commits, key, found, tuple(hunt.broken.values()), told)


@dataclass(frozen=True, slots=True)
class _Hunt:
    app: Headway
    asked: Asked
    commits: tuple[Commit, ...]
    prober: Prober
    broken: dict[Sha, Unbuildable]

    @property
    def ends(self) -> tuple[Sha, Sha]:
        return self.commits[0].sha, self.commits[-1].sha

    def compare_ends(self, keys: Sequence[Key]) -> PerformanceVerdict:
        """The gate on the two ends, with as many blocks as it asks for. All cells of the policy are launched, since a
        train counts these blocks too when the bad end becomes its candidate."""
        good, bad = self.ends
        design = replace(design_of(self.app.policy.perf), wanted=tuple((cell, (metric,)) for cell, metric in keys))
        while True:
            compared = self.prober.stored(bad, good, self.app.policy.perf)
            verdict = judge(compared, design)
            more = _more(compared, keys, verdict, design)
            if not more:
                return verdict
            self._measured([Wanted(bad, good, more)], self.app.policy.perf)

    def find(self, key: Key) -> Found:
        good, bad = self.ends
        perf = _only(self.app.policy.perf, key)
        while True:
            step = self.step(key)
            match step:
                case Found():
                    return step
                case Confirm(commit=suspect, parent=parent, blocks=blocks):
                    self._measured([Wanted(parent, suspect, blocks)], perf)
                case Next(commits=asked, blocks=blocks):
                    ends = self.prober.stored(bad, good, perf) if bad in asked else None
                    if _invalid(ends, key, perf.pair_on) >= INVALID_BLOCKS_ALLOWED:
                        raise _no_end(bad, _why(ends))
                    self._measured([Wanted(c, good, blocks) for c in asked], perf)

    def step(self, key: Key) -> Next | Confirm | Found:
        shas = tuple(c.sha for c in self.commits)
        store = self.prober.measurer.store
        every = {(c.subject, c.baseline): c for c in store.comparisons(metrics={key[1]})}
        perf = _only(self.app.policy.perf, key)
        return next_step(
            shas,
            key,
            self.app.policy.perf,
            lambda subject, baseline: self.prober.own(every.get((subject, baseline)), perf),
            set(self.broken),
            nightly=_nightly(tuple(every.values()), imported_logs(store, shas, *key), shas, key),
            hosts=self.asked.hosts,
            sure=self.asked.sure,
        )

    def _measured(self, wanted: Sequence[Wanted], perf: Perf) -> None:
        for cannot in self.prober.measure(wanted, perf):
            if cannot.commit in self.ends:
                raise _no_end(cannot.commit, cannot.why)
            self.broken[cannot.commit] = cannot


def _range(app: Headway, asked: Asked) -> tuple[Commit, ...]:
    """The good end and the first-parent commits after it up to the bad end, oldest first."""
    ends = []
    for rev in (asked.good, asked.bad):
        sha = app.commit_of(rev)
        if sha is None:
            raise not_found("commit", rev, say("name a commit, tag or branch"))
        ends.append(sha)
    good, bad = ends
    refuse_shallow(app.repo, ends)
    if good == bad or not is_ancestor(app.repo, good, bad):
        text = say("{good} and {bad} are the same commit", good=asked.good, bad=asked.bad)
        if good != bad:
            text = say("{bad} does not come after {good}", good=asked.good, bad=asked.bad)
        raise UnusableInput(
            "culprit.ends",
            text,
            clause="E7",
            facts=facts(good=good, bad=bad),
            remedy=say("name as --good an ancestor of --bad"),
        )
    after = read_commits(app.repo, ("--first-parent", f"{good}..{bad}"))
    return (*read_commits(app.repo, ("-1", good)), *after)


def _keys(perf: Perf, named: str) -> tuple[Key, ...]:
    """The cell-metrics that are searched with: the one that is named, else all of the policy."""
    if not configured(perf):
        raise UnusableInput(
            "perf.unconfigured",
            say("the policy says neither how to launch the engine nor what to measure"),
            clause="E5",
            remedy=say("set perf.serve and [[perf.cells]]"),
        )
    every = {cell_key(c.cell, metric): (c.cell, metric) for c in perf.cells for metric in c.metrics}
    if named and named not in every:
        raise UnusableInput(
            "culprit.cell",
            say("the policy has no cell {name}", name=named),
            clause="E4",
            facts=facts(cells=list(every)),
            remedy=say("name one of the policy's as MODEL/HARDWARE/TEST/METRIC"),
        )
    for _, metric in every.values():
        sign_of(metric)
    return (every[named],) if named else tuple(every.values())


def _which(keys: Sequence[Key]) -> UnusableInput:
    return UnusableInput(
        "culprit.cell",
        say("without a look at the ends it must be said which cell became slower"),
        clause="E7",
        facts=facts(cells=[cell_key(*k) for k in keys]),
        remedy=say("name one with --cell"),
    )


def _no_end(commit: Sha, why: str) -> WorldFailed:
    return WorldFailed(
        "culprit.end",
        say("{commit}, an end of the range, cannot be measured: {why}", commit=commit[:12], why=why),
        clause="E7",
        facts=facts(commit=commit, why=why),
        remedy=say("name ends that can be built and launched"),
    )


def _more(compared: Comparison | None, keys: Sequence[Key], verdict: PerformanceVerdict, design: GateDesign) -> int:
    """How many more blocks of the ends the gate wants. Raises ``WorldFailed`` when they keep being invalid."""
    if verdict.verdict in {Verdict.REGRESSED, Verdict.PASS}:
        return 0
    valid = min(len(paired(compared, *key, design.pair_on)) for key in keys)
    look = next_look(valid, design)
    if look is not None and max(_invalid(compared, key, design.pair_on) for key in keys) >= INVALID_BLOCKS_ALLOWED:
        raise _no_end(compared.subject if compared else "", _why(compared))
    return look - valid if look is not None else 0


def _invalid(compared: Comparison | None, key: Key, pair_on: str) -> int:
    data = pairs_of(compared, *key, pair_on)
    return data.begun - len(data.worse)


def _why(compared: Comparison | None) -> str:
    """What the last invalid launch said."""
    return next((s.why for s in reversed(compared.samples if compared else ()) if s.why), "")


def _worst(regressed: Sequence[CellVerdict]) -> Key:
    from headway.decide.culprit import worst

    found = worst(tuple(regressed))
    return found.cell, found.metric


def _only(perf: Perf, key: Key) -> Perf:
    """The policy's table with the one cell and metric."""
    row = next(c for c in perf.cells if c.cell == key[0])
    return perf.model_copy(update={"cells": (row.model_copy(update={"metrics": (key[1],)}),)})


def _nightly(
    every: Sequence[Comparison], imported: Mapping[Sha, tuple[float, ...]], commits: Sequence[Sha], key: Key
) -> dict[Sha, tuple[float, ...]]:
    """Launches of commits of the range that were made for other reasons (``imported`` nightly runs, candidates of other
    trains): per commit, the log of each value, positive = worse. The search's own blocks are paired already."""
    inside = set(commits)
    sign = sign_of(key[1])
    found = {commit: [sign * log for log in logs] for commit, logs in imported.items()}
    for c in every:
        if c.baseline in inside and c.subject in inside:
            continue
        for s in c.samples:
            commit = c.subject if s.side == "candidate" else c.baseline
            if commit in inside and (s.cell, s.metric) == key and s.value is not None and usable(s.value):
                found.setdefault(commit, []).append(sign * math.log(s.value))
    return {c: tuple(v) for c, v in found.items()}
