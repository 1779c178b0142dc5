"""``headway perf run``: two commits measured against each other until the gate has decided (E5).

What it measures goes into the store under the two commits. It is no evidence of a release by itself: a train counts a
block once a tick has written it down in the ledger, which it does without running it again when it was measured with
the candidate's very wheel, the same baseline's and the same arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from headway.app import Headway
from headway.decide import record
from headway.decide.blocks import NOTHING, Cost, JobBlocks, blocks_of, budget_spent, expected, next_blocks, spent
from headway.decide.cellwaivers import cell_key
from headway.decide.performance import design_of
from headway.decide.trains import branch_for
from headway.effects.blocks import Whole, asked_for, not_measured, only, run_blocks, stored
from headway.effects.runners import runner_of
from headway.effects.subjects import Subjects, best_for_this_host, subject_of, takes_commits
from headway.errors import UnusableInput, WorldFailed, not_found
from headway.history.log import read_tags
from headway.history.versionsource import SCM, VCS
from headway.model.commit import Sha
from headway.model.entry import Kind
from headway.model.measurement import Comparison, Side
from headway.model.text import Text, facts, say
from headway.model.verdict import PerformanceVerdict, Verdict
from headway.perf.blocks import BlockResult, Subject
from headway.perf.install import wheel_name
from headway.policy.perf_jobs import jobs_of
from headway.policy.perf_tables import Perf
from headway.policy.scheme import next_version, read_candidate_tag, read_final_tag, regular_kind
from headway.prediction import predict
from headway.stats.gate import judge
from headway.stats.paired import Key, pairs

_DECIDED = frozenset({Verdict.PASS, Verdict.REGRESSED})


@dataclass(frozen=True, slots=True)
class Request:
    """What is compared, and how far. ``cells`` are MODEL/HARDWARE/TEST or patterns of it, none for all; ``blocks``
    limits the blocks of each job, 0 for no limit; budgets are those of the whole comparison, ``None``: the policy's."""

    base: str
    candidate: str
    runner: str = ""
    cells: tuple[str, ...] = ()
    blocks: int = 0
    budget_launches: int | None = None
    budget_device_minutes: int | None = None
    base_wheel: Path | None = None
    candidate_wheel: Path | None = None


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job and what it is still to cost: blocks up to the next look, and up to the last one, at most, as far as the
    budgets go. ``decided``: the gate has all its cells."""

    perf: Perf
    begun: int
    following: int
    most: int
    each: Cost | None
    decided: bool

    def as_json(self) -> dict[str, Any]:
        def minutes(blocks: int) -> float | None:
            return round(self.each.device_minutes * blocks, 2) if self.each else None

        cell = self.perf.cells[0]
        return {
            "model": cell.model,
            "hardware": cell.hardware,
            "tests": [c.test for c in self.perf.cells],
            "blocks": self.begun,
            "decided": self.decided,
            "next": {
                "blocks": self.following,
                "launches": 2 * self.following,
                "device_minutes": minutes(self.following),
            },
            "most": {"blocks": self.most, "launches": 2 * self.most, "device_minutes": minutes(self.most)},
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """``stopped``: why no more was run: ``decided``, ``cap`` (of looks, ``--blocks``, invalid blocks), ``budget``."""

    baseline: Subject
    candidate: Subject
    verdict: PerformanceVerdict
    results: tuple[BlockResult, ...]
    total: Cost
    stopped: str
    invalid: tuple[tuple[Key, int, str], ...]

    @property
    def cost(self) -> Cost:
        """Of what was run now."""
        return Cost(2 * len(self.results), sum(r.device_seconds for r in self.results) / 60)

    def as_json(self) -> dict[str, Any]:
        def cost(c: Cost) -> dict[str, Any]:
            return {"launches": c.launches, "device_minutes": round(c.device_minutes, 2)}

        return {
            **self.verdict.as_json(),
            "baseline": _subject_json(self.baseline),
            "candidate": _subject_json(self.candidate),
            "ran": {"blocks": len(self.results), **cost(self.cost), "launched": [_ran(r) for r in self.results]},
            "spent": cost(self.total),
            "stopped": self.stopped,
            "invalid": [{"cell": cell_key(*key), "block": block, "why": why} for key, block, why in self.invalid],
        }


def _subject_json(s: Subject) -> dict[str, Any]:
    return {"commit": s.commit, "version": s.version, "wheel": Path(s.wheel).name, "sha256": s.sha256}


def _ran(r: BlockResult) -> dict[str, Any]:
    names = ("host", "devices", "driver", "clocks", "engine", "client")
    sides = {str(x.side): {k: v for k, v in x.told if k in names} for x in r.launches}
    job = r.job
    return {"model": job.model, "hardware": job.hardware, "block": job.number, "seed": job.seed, **sides}


def outlook(app: Headway, request: Request) -> tuple[JobPlan, ...]:
    """What a run would do and cost, job by job. Builds, installs and writes nothing."""
    perf, ends = _perf(app, request), _ends(app, request)
    with app.measurements(write=False) as store:
        known = store.comparisons()
    found = next((c for c in known if (c.subject, c.baseline) == (ends[1], ends[0])), None)
    found = _of_cells(found, perf)
    undecided, _ = _undecided(found, perf)
    following = {j.cells: len(j.blocks) for j in _limited(found, perf, undecided, request)}
    plans: list[JobPlan] = []
    cost = spent(found, perf)
    for job in jobs_of(perf):
        cells = tuple(c.cell for c in job.cells)
        keys = [k for k in undecided if k[0] in cells]
        data = pairs(found.samples, keys, found.launches, perf.pair_on) if found else {}
        most = max(perf.looks) - min((len(p.log_ratios) for p in data.values()), default=0) if keys else 0
        begun = len(blocks_of(found, job))
        most = min(most, request.blocks - begun) if request.blocks else most
        soon, each = following.get(cells, 0), expected(known, job)
        # A job that gets no block now gets none later; the next ones may go over what others took, where its own cost
        # is not known.
        most = max(soon, min(most, _room(cost, each, perf))) if soon else 0
        cost += Cost(2 * most, each.device_minutes * most if each else 0.0)
        plans.append(JobPlan(job, begun, soon, most, each, not keys))
    return tuple(plans)


def _room(cost: Cost, each: Cost | None, perf: Perf) -> int:
    """How many more blocks the budgets allow at most, when one costs as much as ``each`` (``None``: nobody knows)."""
    room = float("inf")
    if perf.budget_launches:
        room = (perf.budget_launches - cost.launches) // 2
    if perf.budget_device_minutes and each and each.device_minutes:
        room = min(room, (perf.budget_device_minutes - cost.device_minutes) // each.device_minutes)
    return max(0, int(min(room, max(perf.looks))))


def run(app: Headway, request: Request) -> Outcome:
    """Measure, look by look, until all cells are decided, nothing more may be run, or the budget is spent.

    A block that is done is kept, so an interrupted run goes on where it was. Raises ``UnusableInput`` for what cannot
    be compared, ``WorldFailed`` when a wheel cannot be had or no block comes back.
    """
    app.need_policy()
    perf, ends = _perf(app, request), _ends(app, request)
    named = request.runner or app.policy.perf.runner
    runner = runner_of(app.policy, app.paths, named)
    baseline = _subject(app, Side.BASELINE, request.base, ends[0], request.base_wheel, named)
    candidate = _subject(app, Side.CANDIDATE, request.candidate, ends[1], request.candidate_wheel, named)
    results: list[BlockResult] = []
    with app.measurements(write=True) as store:
        while True:
            whole = stored(store, candidate.commit, baseline.commit)
            found = _ours(whole, perf, (baseline, candidate))
            undecided, verdict = _undecided(found, perf)
            wanted = _limited(found, perf, undecided, request)
            if not wanted:
                break
            asked = asked_for(wanted, perf, whole, baseline, candidate)
            missing = [job for a in asked for job in a.missing]
            title = say(
                "{candidate} against {base}: {cells} cells, blocks to {last}",
                candidate=request.candidate,
                base=request.base,
                cells=len({cell for cell, _ in undecided}),
                last=1 + max(n for a in asked for n in a.numbers),
            )
            ran = run_blocks(missing, runner, store, Whole(app.progress, title, len(missing)))
            results += ran.results
            if missing and not ran.results:
                raise not_measured(ran.failed)
            if (
                missing
                and _ours(stored(store, candidate.commit, baseline.commit), perf, (baseline, candidate)) == found
            ):
                raise _not_asked_for(ran.results)
    stopped = "decided" if not undecided else "budget" if budget_spent(found, perf) else "cap"
    return Outcome(baseline, candidate, verdict, tuple(results), spent(found, perf), stopped, _invalid(found, perf))


def _not_asked_for(results: tuple[BlockResult, ...]) -> WorldFailed:
    """Blocks came back, and none is what was asked for: more of them would come for ever."""
    return WorldFailed(
        "perf.other-blocks",
        say("the blocks that came back were measured with other wheels or arguments, or lack cells"),
        clause="E5",
        facts=facts(blocks=[r.job.name for r in results]),
        remedy=say("see that the fleet runs this Headway and these wheels"),
    )


def _perf(app: Headway, request: Request) -> Perf:
    """The policy's table with the cells and budgets that were asked for."""
    perf = app.policy.perf
    if not perf.cells:
        raise UnusableInput(
            "perf.no-cells",
            say("the policy names no cells to measure"),
            clause="E5",
            remedy=say("add [[perf.cells]] to release.toml"),
        )
    cells = tuple(c for c in perf.cells if _asked_cell(f"{c.model}/{c.hardware}/{c.test}", request.cells))
    if not cells:
        raise UnusableInput(
            "perf.no-such-cell",
            say("no cell of the policy is {cells}", cells=request.cells),
            clause="E5",
            facts=facts(cells=[f"{c.model}/{c.hardware}/{c.test}" for c in perf.cells]),
            remedy=say("name a cell as MODEL/HARDWARE/TEST; * stands for anything"),
        )
    budgets: Mapping[str, int | None] = {
        "budget_launches": request.budget_launches,
        "budget_device_minutes": request.budget_device_minutes,
    }
    return perf.model_copy(update={"cells": cells, **{k: v for k, v in budgets.items() if v is not None}})


def _asked_cell(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(name == p or name.startswith(f"{p}/") or fnmatchcase(name, p) for p in patterns)


def _ends(app: Headway, request: Request) -> tuple[Sha, Sha]:
    found: list[Sha] = []
    for rev in (request.base, request.candidate):
        sha = app.commit_of(rev)
        if sha is None:
            raise not_found("commit", rev, say("name a commit, tag or branch"))
        found.append(sha)
    return found[0], found[1]


def _subject(app: Headway, side: Side, rev: str, commit: Sha, wheel: Path | None, runner: str) -> Subject:
    """The wheel that was given; else the one that was built as a candidate, the one on the index, or a build. None for
    a runner that takes commits."""
    version, branch = _named(app, rev, commit)
    if takes_commits(runner):
        return Subject(side, version, commit, branch)
    if wheel is not None:
        if not wheel.is_file():
            raise not_found("file", str(wheel), say("give a wheel"))
        wheel_name(str(wheel))
        return subject_of(side, wheel.absolute(), version or "0", commit, branch)
    for e in reversed(tuple(record.of(app.entries(), Kind.BUILT))):
        if e.payload["commit"] == commit and e.payload["ok"]:
            folder = app.paths.artifacts(e.payload["tag"])
            made = best_for_this_host(folder / a["file"] for a in e.payload["artifacts"])
            if made is not None and made.is_file():
                return subject_of(side, made, version or e.train, commit, branch)
    subjects = Subjects(app.repo, app.policy, app.paths, app.index_folder, app.progress, runner)
    released = any(t.commit == commit and read_final_tag(t.name, app.policy.versions) for t in read_tags(app.repo))
    published = subjects.published(version) if released else None
    if published is not None:
        return subject_of(side, published, version, commit, branch)
    built: Subject | Text = (
        subjects.built(side, commit, version)
        if version
        else say("the version that a build of it would carry cannot be told")
    )
    if isinstance(built, Text):
        raise WorldFailed(
            "perf.no-wheel",
            say("there is no wheel of {rev}, and none can be built: {why}", rev=rev, why=str(built)),
            clause="E5",
            facts=facts(rev=rev, commit=commit, version=version or None),
            remedy=say("give one: --base-wheel FILE, --candidate-wheel FILE"),
        )
    return built


def _named(app: Headway, rev: str, commit: Sha) -> tuple[str, str]:
    """The version that a commit has by its tags, else that a build of it would carry or, where a project is told its
    version, the next one (``""``: none was released yet, or what a file states is none); and its release branch."""
    names, entries = app.policy.versions, app.entries()
    for tag in read_tags(app.repo):
        if tag.commit != commit:
            continue
        final, candidate = read_final_tag(tag.name, names), read_candidate_tag(tag.name, names)
        version = final or (candidate.version if candidate else None)
        if version is not None:
            return str(version), branch_for(version, entries, app.policy)
    found, before = predict(app, commit), app.releases()
    branch = rev if rev != commit else ""
    if found.version:
        try:
            Version(found.version)
        except InvalidVersion:
            return "", branch
        # What a file states is what a build carries; git's tags give a development version, and a build is told better.
        counted = found.by in {SCM, VCS}
        return Version(found.version).base_version if counted else found.version, branch
    return str(next_version(before[-1].version, regular_kind(names))) if before else "", branch


def _of_cells(found: Comparison | None, perf: Perf) -> Comparison | None:
    """Of a comparison what was measured of these cells."""
    if found is None:
        return None
    cells = {c.cell for c in perf.cells}
    samples = tuple(s for s in found.samples if s.cell in cells)
    return Comparison(found.subject, found.baseline, samples, found.environment, found.launches)


def _ours(found: Comparison | None, perf: Perf, subjects: tuple[Subject, Subject]) -> Comparison | None:
    """Of a comparison what was measured with these wheels and arguments, job by job."""
    parts = [part for job in jobs_of(perf) if (part := only(found, job, subjects)) is not None]
    if not parts:
        return None
    samples = tuple(s for p in parts for s in p.samples)
    launches = tuple(dict.fromkeys(x for p in parts for x in p.launches))
    return Comparison(parts[0].subject, parts[0].baseline, samples, parts[0].environment, launches)


def _undecided(found: Comparison | None, perf: Perf) -> tuple[tuple[Key, ...], PerformanceVerdict]:
    verdict = judge(found, design_of(perf))
    return tuple((c.cell, c.metric) for c in verdict.cells if c.verdict not in _DECIDED), verdict


def _limited(
    found: Comparison | None, perf: Perf, undecided: tuple[Key, ...], request: Request
) -> tuple[JobBlocks, ...]:
    """The next blocks, as far as ``--blocks`` allows."""
    wanted = next_blocks(found, perf, design_of(perf), undecided)
    if not request.blocks:
        return wanted
    begun = {tuple(c.cell for c in job.cells): len(blocks_of(found, job)) for job in jobs_of(perf)}
    cut = (JobBlocks(j.cells, j.blocks[: max(0, request.blocks - begun[j.cells])]) for j in wanted)
    return tuple(j for j in cut if j.blocks)


def _invalid(found: Comparison | None, perf: Perf) -> tuple[tuple[Key, int, str], ...]:
    if found is None:
        return ()
    data = pairs(found.samples, design_of(perf).keys, found.launches, perf.pair_on)
    return tuple((key, block, why) for key, p in data.items() for block, why in p.invalid)


def total(plans: tuple[JobPlan, ...]) -> tuple[Cost, bool]:
    """The most that all jobs may cost together, and whether the device-minutes of each are known."""
    cost = NOTHING
    for p in plans:
        cost += Cost(2 * p.most, p.each.device_minutes * p.most if p.each else 0.0)
    return cost, all(p.each is not None or not p.most for p in plans)
