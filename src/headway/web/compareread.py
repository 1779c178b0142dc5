"""The comparison that an address asks for, read from the store (E6, E7); what many addresses share is read once."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from headway.comparing import Judged, compared, links_of
from headway.decide.cellwaivers import CellWaiver
from headway.decide.performance import uncovered, waivers_between
from headway.model.reason import Reason
from headway.perf.choices import Choices, Extent, choices, extent, launches_of
from headway.perf.links import DashboardLink, Ref, device_and_arch
from headway.perf.reading import Filters, Revision, revisions
from headway.perf.store import MeasurementStore
from headway.views.comparison import Page
from headway.views.comparisonmatrix import matrix
from headway.views.comparisontrend import Trend, trend
from headway.views.findings import Found, ranked, why
from headway.views.frozen import digest, key
from headway.web.compare import ComparisonView, RowView, SideView
from headway.web.compareasked import MOST, ON_A_PAGE, Asked, asked_for
from headway.web.picture import Picture

_REVISIONS, _COMPARISONS = 200, 12  # that are offered to choose from
_KEPT = 16  # links of one moment

Tags = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What all addresses with one link have in common."""

    page: Page
    judged: Judged | None
    rows: tuple[Found, ...]
    sides: tuple[SideView, SideView]
    waivers: tuple[CellWaiver, ...]
    lapsed: tuple[Reason, ...]
    lacking: tuple[tuple[str, str], ...]
    measured: tuple[Revision, ...]
    choices: Choices
    extent: Extent
    digest: str


@dataclass(frozen=True, slots=True)
class _Recent:
    """The links that were last asked for in one moment."""

    found: OrderedDict[DashboardLink, _Known] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def known(self, link: DashboardLink, make: Callable[[], _Known]) -> _Known:
        """Two who ask at once may both make it; nobody waits for another one's link."""
        with self.lock:
            known = self.found.get(link)
        made = known or make()
        with self.lock:
            self.found[link] = made
            self.found.move_to_end(link)
            while len(self.found) > _KEPT:
                self.found.popitem(last=False)
        return made


def comparison(picture: Picture, query: str, per: int = 0, most: int = MOST) -> ComparisonView:
    """The comparison that a query asks for, as things are in a picture; ``per``: rows on a page, where it asks for
    none; ``most``: what it has at most. Raises ``UnusableInput`` for what cannot be read, ``WorldFailed`` for a store
    that does not answer."""
    app, snapshot = picture.app, picture.snapshot
    asked = asked_for(query, snapshot.now.replace(microsecond=0), {t.name: t.commit for t in snapshot.tags})
    asked = replace(asked, per=min(asked.per or per, most))
    tags: dict[str, tuple[str, ...]] = {}
    for t in snapshot.tags:
        tags[t.commit] = (*tags.get(t.commit, ()), t.name)
    recent = picture.kept(("comparison",), _Recent)
    with app.measurements(write=False) as store:
        known = recent.known(asked.link, lambda: _known(picture, store, asked.link, tags))
        of_metric = [f for f in known.rows if asked.metric in {"", f.row.found.metric}]
        kept = [f for f in of_metric if asked.finding in {"", f.finding}]
        drawn = _trend(store, asked, known.rows, kept, tags)
    perf = app.policy.perf
    return ComparisonView(
        asked=asked,
        page=known.page,
        left=known.sides[0],
        right=known.sides[1],
        judged=known.judged,
        gated=len(perf.cells),
        rows=_rows(kept, asked, known.waivers),
        total=len(kept),
        everything=len(known.rows),
        counts=Counter(f.finding for f in of_metric),
        matrix=matrix(of_metric, known.lacking, (perf.models, perf.hardware)),
        trend=drawn,
        uncovered=known.lacking,
        waivers=known.waivers,
        lapsed=known.lapsed,
        choices=known.choices,
        extent=known.extent,
        revisions=tuple(reversed(known.measured))[:_REVISIONS],
        measured=len(known.measured),
        compared=tuple((c.baseline, c.subject) for c in reversed(snapshot.comparisons))[:_COMPARISONS],
        tags=tags,
        dashboard=links_of(app, asked.link).dashboard,
        digest=known.digest,
    )


def _known(picture: Picture, store: MeasurementStore, link: DashboardLink, tags: Tags) -> _Known:
    app, snapshot, perf = picture.app, picture.snapshot, picture.policy.perf
    measured = revisions(store, Filters(since=link.start, until=link.stop))
    page, judged = compared(app, snapshot, store, link, measured)
    left, right = (_side(store, r, ref, tags) for r, ref in ((page.left, link.left), (page.right, link.right)))
    waivers, lapsed = (
        waivers_between(snapshot, app.policy, right.commit, left.commit, judged.verdict.cells) if judged else ((), ())
    )
    return _Known(
        page,
        judged,
        ranked(page.rows),
        (left, right),
        waivers,
        lapsed,
        tuple(pair for pair in uncovered(perf, (c.cell for c in perf.cells)) if _shows(pair, link)),
        measured,
        choices(store),
        extent(store),
        digest(page.rows),
    )


def _side(store: MeasurementStore, found: Revision | None, ref: Ref, tags: Tags) -> SideView:
    commit = found.commit if found else ref[1]
    within = found.launches if found else 0
    return SideView(ref, found, tags.get(commit, ()), launches_of(store, commit) - within if commit else 0)


def _rows(kept: list[Found], asked: Asked, waivers: tuple[CellWaiver, ...]) -> tuple[RowView, ...]:
    per = asked.per or ON_A_PAGE
    first = (asked.page - 1) * per
    of_cell = {(w.cell.cell, w.cell.metric): w for w in waivers}

    def view(f: Found) -> RowView:
        waiver = of_cell.get((f.row.found.cell.cell, f.row.found.metric)) if f.row.verdict else None
        return RowView(f.row, f.finding, why(f.row), key(f.row), waiver)

    return tuple(view(f) for f in kept[first : first + per])


def _trend(
    store: MeasurementStore,
    asked: Asked,
    rows: tuple[Found, ...],
    kept: list[Found],
    tags: Tags,
) -> Trend | None:
    """That of the row that was asked for, else of the first that was measured at all."""
    chosen = next((f.row for f in rows if key(f.row) == asked.trend), None) if asked.trend else None
    row = chosen or next((f.row for f in kept if len(f.row.missing) < 2), None)
    return trend(store, row, asked.link, tags, asked.branch) if row else None


def _shows(pair: tuple[str, str], link: DashboardLink) -> bool:
    """Whether the link's filters leave in a pair that nothing covers."""
    return dict(link.filters).get("modelName", "") in {"", pair[0]} and device_and_arch(link)[1] in {"", pair[1]}
