"""The gate's real error rates, by running it on releases whose truth is known (E7; the design's guarantees A and B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headway.stats.kernel import DRIFT_CELLS, DRIFT_PART, critical, detectable, drift, holm, least_scatter, look, shares
from headway.stats.noise import draw, sd_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

# Of each third of the cells: the margin, and the standard deviation of d at three runs a launch (log ratios).
FAMILIES = ((0.03, 0.0096), (0.05, 0.027), (0.15, 0.093))
_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated: ``cells`` cell-metrics in three equal families, in ``jobs`` jobs; ``bad`` of them worse by
    ``effect`` margins, all of them by ``drift`` margins. ``noise`` is one of ``headway.stats.noise.KINDS``.

    ``history``: degrees of freedom of a right ``perf.noise``; 0: none is given.

    A job is launched until all its cells are decided, or the release has drifted.
    """

    releases: int
    cells: int
    noise: str
    bad: int
    effect: float
    seed: int
    repeats: int = 3
    jobs: int = 10
    drift: float = 0.0
    alpha: float = 0.05
    beta: float = 0.05
    looks: tuple[int, ...] = (3, 4, 6, 8, 12, 16)
    history: float = 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Fractions of releases, but for ``regressed`` (share of bad cells that were caught) and the costs.

    ``false_block``: something was called REGRESSED that is not worse. ``miss``: a bad cell PASSed. ``released``: every
    cell PASSed. ``open``: nothing REGRESSED and some cell undecided at the last look. ``drifted``: broad drift said so.
    ``bounds`` are two-sided 95 % intervals (Clopper and Pearson) of the shares, by name.

    ``blocks_per_cell``: until the cell itself was decided; ``blocks_per_job``: until all of its job were.
    """

    false_block: float
    false_block_ub95: float
    miss: float
    miss_ub95: float
    regressed: float
    released: float
    open: float
    drifted: float
    blocks_per_cell: float
    blocks_per_job: float
    launches_per_cell: float
    bounds: tuple[tuple[str, float, float], ...]


def simulate(s: Scenario, told: Callable[[int], None] = lambda _done: None) -> Rates:
    """Run the gate on ``s.releases`` simulated releases; the same seed gives the same rates.

    ``told`` hears how many are done.
    """
    import numpy as np
    from scipy.special import betaincinv

    rng = np.random.default_rng(s.seed)
    setting = _Setting.of(s)
    parts = []
    for at in range(0, s.releases, _CHUNK):
        parts.append(_run(s, setting, rng, min(_CHUNK, s.releases - at)))
        told(min(at + _CHUNK, s.releases))
    total = {name: sum(p[name] for p in parts) for name in parts[0]}
    n = s.releases

    def upper(hits: float) -> float:
        """Clopper and Pearson's one-sided bound."""
        return 1.0 if hits >= n else float(betaincinv(hits + 1, n - hits, 0.95))

    def interval(hits: float, of: int) -> tuple[float, float]:
        low = 0.0 if hits == 0 else float(betaincinv(hits, of - hits + 1, 0.025))
        return low, 1.0 if hits >= of else float(betaincinv(hits + 1, of - hits, 0.975))

    shares = {"false_block": ("false", n), "released": ("released", n), "open": ("open", n), "drifted": ("drifted", n)}
    if s.bad:
        shares |= {"miss": ("miss", n), "regressed": ("caught", n * s.bad)}
    return Rates(
        bounds=tuple((name, *interval(total[of], count)) for name, (of, count) in shares.items()),
        false_block=total["false"] / n,
        false_block_ub95=upper(total["false"]),
        miss=total["miss"] / n,
        miss_ub95=upper(total["miss"]) if s.bad else 0.0,
        regressed=total["caught"] / (n * s.bad) if s.bad else 0.0,
        released=total["released"] / n,
        open=total["open"] / n,
        drifted=total["drifted"] / n,
        blocks_per_cell=total["cell blocks"] / (n * s.cells),
        blocks_per_job=total["job blocks"] / (n * setting.jobs),
        launches_per_cell=2 * total["cell blocks"] / (n * s.cells),
    )


@dataclass(frozen=True, slots=True)
class _Setting:
    """Arrays that all releases share."""

    family: NDArray[np.intp]
    job: NDArray[np.intp]
    jobs: int
    delta: Array
    sd: Array

    @staticmethod
    def of(s: Scenario) -> _Setting:
        import numpy as np

        at = np.arange(s.cells)
        family, jobs = at * len(FAMILIES) // s.cells, min(s.jobs, s.cells)
        margins, sds = (np.array(x) for x in zip(*FAMILIES, strict=True))
        # Each job has cells of every family, as a server has of every metric.
        return _Setting(
            family,
            at % jobs,
            jobs,
            np.log1p(margins)[family],
            np.array([sd_at(s.repeats, x) for x in sds])[family],
        )


def _run(s: Scenario, g: _Setting, rng: np.random.Generator, releases: int) -> dict[str, float]:
    import numpy as np

    # Which cells are bad is drawn for each release: no kind of cell is favoured.
    bad = rng.random((releases, s.cells)).argsort(axis=-1) < s.bad
    shift = (s.drift + s.effect * bad) * g.delta
    d = draw(rng, s.noise, releases, g.job, s.looks[-1], s.repeats) * g.sd[:, None] + shift[..., None]
    families = [np.flatnonzero(g.family == f) for f in range(len(FAMILIES))]
    known = [(s.history, sd_at(s.repeats, sd) ** 2) if s.history else None for _, sd in FAMILIES]
    shape = (releases, s.cells)
    regressed, near, drifted = np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(releases, bool)
    passed = near
    n, mean, s2 = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    decided_at, job_at = np.full(shape, float(s.looks[-1])), np.full((releases, g.jobs), float(s.looks[-1]))
    running = np.ones((releases, g.jobs), bool)
    worse = np.ones((releases, s.cells, len(s.looks)))
    cells_alpha, drift_alpha = shares(s.alpha, [f.size for f in families])
    for k, blocks in enumerate(s.looks):
        here = running[:, g.job]
        first = d[..., :blocks]
        n = np.where(here, blocks, n)
        mean = np.where(here, first.mean(axis=-1), mean)
        s2 = np.where(here, first.var(axis=-1, ddof=1), s2)
        found = look(mean, s2, n, g.delta, families, known)
        half = mean >= g.delta / 2
        worse[..., k] = np.where(here & half, found.p_worse, 1.0)
        regressed |= holm(worse[..., : k + 1], cells_alpha, s.looks)
        near |= here & ~half & (found.p_near <= critical(s.beta, s.looks, k))
        least = least_scatter(found.sd, found.df)
        passed = near & (detectable(least, cells_alpha / s.cells, s.beta, s.looks) <= g.delta)
        for f in families:
            if f.size >= DRIFT_CELLS:
                drifted |= _drifted(d[..., :blocks], g, f, n, critical(drift_alpha, s.looks, k))
        decided = regressed | passed
        decided_at = np.where(decided, np.minimum(decided_at, blocks), decided_at)
        undecided = np.zeros((releases, g.jobs), bool)
        for j in range(g.jobs):
            undecided[:, j] = (~decided[:, g.job == j]).any(axis=-1)
        going = undecided & ~drifted[:, None]
        decided_at = np.where(~decided & drifted[:, None], np.minimum(decided_at, blocks), decided_at)
        job_at = np.where(running & ~going, blocks, job_at)
        running &= going
    passed &= ~regressed
    wrong = regressed & ~bad & (s.drift <= 0)
    clean = s.bad == 0 or s.effect <= 0
    return {
        "false": float((wrong.any(axis=-1) | (drifted & (clean and s.drift <= 0))).sum()),
        "miss": float((passed & bad).any(axis=-1).sum()),
        "caught": float((regressed & bad).sum()),
        "released": float((passed.all(axis=-1) & ~drifted).sum()),
        "open": float((~regressed.any(axis=-1) & ~passed.all(axis=-1) & ~drifted).sum()),
        "drifted": float(drifted.sum()),
        "cell blocks": float(decided_at.sum()),
        "job blocks": float(job_at.sum()),
    }


def _drifted(d: Array, g: _Setting, cells: NDArray[np.intp], n: Array, limit: float) -> Mask:
    """Whether the family as a whole is worse, by the blocks that its jobs have."""
    import numpy as np

    units = d[:, cells] / g.delta[cells, None]
    members = [np.flatnonzero(g.job[cells] == j) for j in np.unique(g.job[cells])]
    weights = np.array([m.size / cells.size for m in members])
    means, variances, counts = [], [], []
    for m in members:
        block = units[:, m].mean(axis=1)
        have = n[:, cells[m[0]]].astype(int)
        inside = np.arange(block.shape[1]) < have[:, None]
        mean = np.where(inside, block, 0).sum(axis=1) / np.maximum(have, 1)
        means.append(mean)
        variances.append((np.where(inside, block - mean[:, None], 0) ** 2).sum(axis=1) / np.maximum(have - 1, 1))
        counts.append(have)
    mean, p = drift(np.stack(means, -1), np.stack(variances, -1), np.stack(counts, -1), weights)
    return (p <= limit) & (mean >= DRIFT_PART / 2)
