"""How the line does, for its page, the API and monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headway.reports import figures_of
from headway.views.figures import Figures, over_all
from headway.views.linefigures import LineFigures, line_figures
from headway.web.picture import Picture


@dataclass(frozen=True, slots=True)
class LineMetrics:
    """Figures of each train with requests or changes, of all of them, and of the line."""

    trains: tuple[Figures, ...]
    all: Figures
    line: LineFigures

    def as_json(self) -> dict[str, Any]:
        return {
            "all": self.all.as_json(),
            "trains": [{"version": f.train, **f.as_json()} for f in self.trains],
            **self.line.as_json(),
        }


def metrics_of(picture: Picture, *, wait: bool = False) -> LineMetrics:
    """The figures of a moment. Raises ``BeingRead`` while that takes longer than a page may, unless somebody can
    ``wait``."""

    def make() -> LineMetrics:
        app, snapshot = picture.app, picture.snapshot
        found = figures_of(app, None)
        line = line_figures(snapshot.entries, app.releases(), snapshot.comparisons, app.policy.versions)
        return LineMetrics(found, over_all(found), line)

    snapshot = picture.snapshot
    last = picture.entries[-1].digest if picture.entries else ""
    tags = tuple((t.name, t.commit) for t in snapshot.tags)
    measured = tuple((c.subject, c.baseline, len(c.samples)) for c in snapshot.comparisons)
    return picture.lasting(("metrics", last, picture.policy.model_dump_json(), tags, measured), make, wait=wait)
