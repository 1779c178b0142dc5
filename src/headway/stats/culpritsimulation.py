"""How often the culprit search is right, and what it costs: many searches of a planted change point side by side (E7).

The same posterior and the same queries as the real search (``headway.stats.changepoint``); what differs is that the
data come from a generator of random numbers, and the dither too. The confirmation is the gate's own.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from headway.errors import UnusableInput
from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.model.text import facts, say
from headway.model.verdict import Verdict
from headway.stats.changepoint import TOLD_DF, from_here_on, posterior, queries
from headway.stats.culprit import SURE
from headway.stats.gate import GateDesign, judge, next_look
from headway.stats.nightly import log_likelihood

if TYPE_CHECKING:
    import numpy as np

    from headway.stats.changepoint import Floats, Indices

_TOGETHER = 1_000_000  # commits of all searches that are done side by side: some 100 MB
_MOST_COMMITS = 1_000_000
_CELL, _METRIC = Cell("model", "hardware", "test"), "median_tpot_ms"
_BINS = (0.95, 0.96, 0.97, 0.98, 0.99, 1.0)
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Setting:
    """What is simulated.

    ``slowdown``: 0.05 = 5 %; ``sd``: scatter of one run (of a block's log ratio); ``told_sd``: what the search is told
    of it (``None``: the truth); ``gate_blocks``: blocks that the gate had of the bad end; ``hosts``: runs at once;
    ``sure``: probability at which a search stops.
    ``nightly_every``: commits between two nightly runs, 0: there are none; ``nightly_runs`` runs a night with the
    scatter ``nightly_sd``.

    Raises ``UnusableInput`` for what cannot be simulated.
    """

    commits: int
    slowdown: float
    sd: float
    trials: int
    seed: int
    hosts: int = 1
    sure: float = SURE
    gate_blocks: int = 8
    told_sd: float | None = None
    nightly_every: int = 0
    nightly_runs: int = 1
    nightly_sd: float = 0.03

    def __post_init__(self) -> None:
        wrong = {
            "commits": not 2 <= self.commits <= _MOST_COMMITS,
            "slowdown": not 0 < self.slowdown < math.inf,
            "sd": not 0 < self.sd < math.inf,
            "trials": self.trials < 1,
            "seed": self.seed < 0,
            "hosts": self.hosts < 1,
            "sure": not 0.5 <= self.sure < 1,
            "gate_blocks": self.gate_blocks < 1,
            "told_sd": self.told_sd is not None and not 0 < self.told_sd < math.inf,
            "nightly_every": self.nightly_every < 0,
            "nightly_runs": self.nightly_runs < 1,
            "nightly_sd": not 0 < self.nightly_sd < math.inf,
        }
        for name, bad in wrong.items():
            if bad:
                raise UnusableInput(
                    "culprit.simulation",
                    say("{name} cannot be {value} in a simulation", name=name, value=getattr(self, name)),
                    clause="E7",
                    facts=facts(**{name: getattr(self, name)}),
                    remedy=say(
                        "from two to a million commits, at least one trial and host; slowdown and scatter above zero"
                    ),
                )


@dataclass(frozen=True, slots=True)
class Bin:
    """Searches whose stated probability lay in [``low``, ``high``): the mean of it, and how many were right."""

    low: float
    high: float
    trials: int
    stated: float
    correct: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out. ``correct`` with its 95 % bounds (Wilson), ``stated``: mean probability that the search gave the
    commit it named; ``runs`` without the gate's and the confirmation's; ``rounds``: runs one after another.
    ``confirmed``: share of the rightly named that the gate confirmed; ``wrongly_confirmed`` of the wrongly named.
    """

    correct: float
    correct_low: float
    correct_high: float
    stated: float
    runs_mean: float
    runs_p95: float
    rounds_mean: float
    confirm_runs_mean: float
    confirmed: float
    wrongly_confirmed: float | None
    calibration: tuple[Bin, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class _Batch:
    """Searches side by side: per search its truth, and per search and commit how many runs and their sum."""

    truth: Indices
    count: Floats
    total: Floats
    squares: Floats
    log_prior: Floats


def simulate(setting: Setting, design: GateDesign | None = None) -> Figures:
    """Search a planted step again and again; the same figures for the same setting. ``design``: looks and error rates
    of the confirming gate (default: those of the policy's defaults)."""
    import numpy as np

    rng = np.random.default_rng(setting.seed)
    done: list[tuple[Indices, Indices, Floats, Indices]] = []
    together = max(1, _TOGETHER // setting.commits)
    for first in range(0, setting.trials, together):
        batch = _begun(setting, min(together, setting.trials - first), rng)
        done.append((batch.truth, *_searched(batch, setting, rng)))
    truth, named, stated, runs = (np.concatenate(parts) for parts in zip(*done, strict=True))
    right = truth == named
    gate = design or GateDesign(0.05, 0.05, (3, 4, 6, 8, 12, 16), (), 0.05, ((_CELL, (_METRIC,)),))
    confirming = [_confirm(bool(r), setting, gate, rng) for r in right]
    shown, fresh = np.array([c[0] for c in confirming]), np.array([c[1] for c in confirming])
    low, high = _wilson(int(right.sum()), len(right))
    return Figures(
        correct=float(right.mean()),
        correct_low=low,
        correct_high=high,
        stated=float(stated.mean()),
        runs_mean=float(runs.mean()),
        runs_p95=float(np.quantile(runs, 0.95)),
        rounds_mean=float(runs.mean()) / setting.hosts,
        confirm_runs_mean=float(fresh.mean()),
        confirmed=float(shown[right].mean()) if right.any() else 0.0,
        wrongly_confirmed=None if right.all() else float(shown[~right].mean()),
        calibration=_calibration(stated, right),
    )


def _begun(setting: Setting, trials: int, rng: np.random.Generator) -> _Batch:
    """Before the first run: the gate's blocks of the bad end, and the nights."""
    import numpy as np

    n, step = setting.commits, math.log1p(setting.slowdown)
    truth = rng.integers(1, n, trials)
    gate = step + setting.sd * rng.standard_normal((trials, setting.gate_blocks))
    count, total = np.zeros((trials, n)), np.zeros((trials, n))
    count[:, -1], total[:, -1] = setting.gate_blocks, gate.sum(axis=1)
    log_prior = np.zeros((trials, n))
    if setting.nightly_every:
        nights = np.repeat(np.arange(0, n, setting.nightly_every), setting.nightly_runs)
        noise = setting.nightly_sd * rng.standard_normal((trials, len(nights)))
        values = step * (nights >= truth[:, None]) + noise
        told = setting.told_sd or setting.sd
        n_gate = setting.gate_blocks
        errors = np.sqrt((TOLD_DF * told**2 + gate.var(axis=1) * n_gate) / (TOLD_DF + n_gate - 1) / n_gate)
        for t in range(trials):
            seen = list(zip(nights.tolist(), values[t].tolist(), strict=True))
            log_prior[t] = log_likelihood(seen, n, float(gate[t].mean()), float(errors[t]))
    log_prior[:, 0] = -np.inf
    return _Batch(truth, count, total, (gate**2).sum(axis=1), log_prior)


def _searched(batch: _Batch, setting: Setting, rng: np.random.Generator) -> tuple[Indices, Floats, Indices]:
    """For each search the commit that it named, the probability that it gave it, and its runs."""
    import numpy as np

    trials, step = len(batch.truth), math.log1p(setting.slowdown)
    named, stated = np.zeros(trials, dtype=np.int64), np.zeros(trials)
    runs, active = np.zeros(trials, dtype=np.int64), np.arange(trials)
    limit = 20 * math.ceil(math.log2(setting.commits))
    while True:
        p = posterior(
            from_here_on(batch.count[active]),
            from_here_on(batch.total[active]),
            batch.count[active].sum(axis=1, keepdims=True),
            batch.squares[active, None],
            batch.log_prior[active],
            setting.told_sd or setting.sd,
        )
        most = p.max(axis=1)
        named[active], stated[active] = p.argmax(axis=1), most
        going = (most < setting.sure) & (runs[active] < limit)
        active, p = active[going], p[going]
        if not len(active):
            return named, stated, runs
        asked = queries(p, rng.random((len(active), setting.hosts)), setting.hosts)
        for k in range(setting.hosts):
            at = asked[:, k]
            y = step * (at >= batch.truth[active]) + setting.sd * rng.standard_normal(len(active))
            batch.count[active, at] += 1
            batch.total[active, at] += y
            batch.squares[active] += y * y
        runs[active] += setting.hosts


def _confirm(right: bool, setting: Setting, design: GateDesign, rng: np.random.Generator) -> tuple[bool, int]:
    """Whether the gate finds the step between the named commit and its parent, and the blocks that it took."""
    from dataclasses import replace

    step = math.log1p(setting.slowdown) if right else 0.0
    own = replace(design, margins=((_METRIC, setting.slowdown),), margin=setting.slowdown)
    samples: list[Sample] = []
    done = 0
    while (look := next_look(done, own)) is not None:
        for b in range(done, look):
            y = step + setting.sd * float(rng.standard_normal())
            samples.append(Sample(b, Side.BASELINE, _CELL, _METRIC, 1.0))
            samples.append(Sample(b, Side.CANDIDATE, _CELL, _METRIC, math.exp(y)))
        done = look
        verdict = judge(Comparison("culprit", "parent", tuple(samples)), own).verdict
        if verdict in {Verdict.REGRESSED, Verdict.PASS}:
            return verdict is Verdict.REGRESSED, done
    return False, done


def _wilson(hits: int, n: int) -> tuple[float, float]:
    share, z = hits / n, _Z
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _calibration(stated: Floats, right: Floats) -> tuple[Bin, ...]:
    found = []
    for low, high in zip((0.0, *_BINS[:-1]), _BINS, strict=True):
        inside = (stated >= low) & ((stated < high) | (high == _BINS[-1]))
        if inside.any():
            rate = float(right[inside].mean())
            found.append(Bin(low, high, int(inside.sum()), float(stated[inside].mean()), rate))
    return tuple(found)
