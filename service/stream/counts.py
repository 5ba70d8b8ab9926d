"""Counts outcomes after their commit: for the metrics, drift, and the live page.

Exists so that an outcome is counted only when its offset is committed, and in one place. Changes
nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.records import Rejected, Skipped, Verdict

if TYPE_CHECKING:
    from service.observe.drift import DriftWindow
    from service.observe.feed import Feed
    from service.observe.metrics import Metrics
    from service.records import Outcome


@dataclass(frozen=True)
class OutcomeCounts:
    """Counts published outcomes; `latency_budget_s` begins when a record is polled."""

    metrics: Metrics
    drift: DriftWindow
    latency_budget_s: float
    feed: Feed | None = None

    def published(self, outcome: Outcome, now: float, now_monotonic: float) -> None:
        """Count one published at `now` (Unix seconds) and `now_monotonic` (as `polled_at`).

        A skipped record counts as skipped alone: not in latencies, drift or the live page.
        """
        metrics, record = self.metrics, outcome.record
        if isinstance(outcome, Skipped):
            metrics.skipped.labels(outcome.reason).inc()
            return
        latency_s = now_monotonic - record.polled_at
        metrics.latency_seconds.observe(latency_s)
        if latency_s > self.latency_budget_s:
            metrics.over_budget.inc()
        if record.timestamp_ms >= 0:
            metrics.end_to_end_seconds.observe(max(0.0, now - record.timestamp_ms / 1000))
        if self.feed is not None:
            self.feed.published(outcome, now, now_monotonic)
        if isinstance(outcome, Rejected):
            metrics.dead_lettered.labels(outcome.reason).inc()
            return
        if isinstance(outcome, Verdict):
            label = outcome.reading.label
            metrics.scored.labels(label).inc()
            if not outcome.reading.confident:
                metrics.unsure.labels(label).inc()
        metrics.published.inc()
        self.drift.record(outcome)
