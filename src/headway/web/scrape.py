"""What a monitoring system reads of the line and of this server, in Prometheus' text format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from headway.views.board import Turn
from headway.views.figures import Spread
from headway.views.gates import Light
from headway.views.notices import notices
from headway.web.linemetrics import metrics_of
from headway.web.picture import Picture


def exposition(picture: Picture, read_s: float) -> bytes:
    """The figures of a moment; ``read_s`` is how long it took to read it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Line(picture, read_s))
    return generate_latest(registry)


class _Line(Collector):
    def __init__(self, picture: Picture, read_s: float) -> None:
        self._picture = picture
        self._read_s = read_s

    def collect(self) -> Iterator[Metric]:
        picture, found = self._picture, metrics_of(self._picture, wait=True)
        board, line = picture.board, found.line
        yield _one("headway_ledger_entries", "Entries of the ledger.", len(picture.entries))
        yield _one("headway_waiting_for_people", "Things that people must act on.", len(notices(board)))
        yield _one("headway_read_seconds", "Time that it took to read the world last.", self._read_s)
        yield _one("headway_read_timestamp_seconds", "When the world was read last.", picture.now.timestamp())
        yield from self._trains()
        for name, _, spans in found.all.spans:
            yield _spread(f"headway_{name}_seconds", name.replace("_", " "), Spread.of(spans))
        if (rate := line.posts.rate) is not None:
            yield _one("headway_post_release_ratio", "Of regular releases, those that needed a fix release.", rate)
        yield _one("headway_slips", "Moves of a train's date.", sum(s.times for s in line.slips))
        cost = GaugeMetricFamily(
            "headway_validation_device_minutes", "Minutes times devices of launches.", labels=["train"]
        )
        for v in (*line.validation, line.elsewhere):
            cost.add_metric([v.train], v.device_minutes)
        yield cost

    def _trains(self) -> Iterator[Metric]:
        days = GaugeMetricFamily("headway_train_days_left", "Days to a train's date.", labels=["train", "stage"])
        stopped = GaugeMetricFamily("headway_train_stopped", "1: nothing happens on the train.", labels=["train"])
        turn = GaugeMetricFamily("headway_train_turn", "1 for whose turn it is.", labels=["train", "turn"])
        lights = GaugeMetricFamily("headway_train_gates", "Gates by light.", labels=["train", "light"])
        for row in self._picture.board.trains:
            days.add_metric([row.version, row.stage.value], row.days_left)
            stopped.add_metric([row.version], row.stopped)
            for t in Turn:
                turn.add_metric([row.version, t.value], t is row.turn)
            counted = Counter(g.light for g in row.gates)
            for light in Light:
                lights.add_metric([row.version, light.value], counted[light])
        yield from (days, stopped, turn, lights)


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _spread(name: str, what: str, spread: Spread) -> Metric:
    found = GaugeMetricFamily(name, f"Seconds of: {what}.", labels=["quantile"])
    for quantile, span in (("0.5", spread.median), ("0.9", spread.p90)):
        if isinstance(span, timedelta):
            found.add_metric([quantile], span.total_seconds())
    return found
