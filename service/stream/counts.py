"""Counts outcomes after their commit: for the metrics, drift, and the live page.

Exists so that an outcome is counted only when its offset is committed, and in one place. Changes
nothing else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from service.records import Rejected, Skipped, Verdict
from service.stream.foreign import ForeignShapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.observe.drift import DriftWindow
    from service.observe.feed import Feed
    from service.observe.metrics import Metrics
    from service.records import Outcome, SkipReason

log = structlog.get_logger(__name__)

# A feed in which nobody writes among so many is rare, and a wrong setting is logged within seconds.
ALL_SKIPPED_MESSAGES = 1000


class AllSkipped:
    """Notices if the first messages of a process are all skipped: a wrong setting skips all."""

    def __init__(self, messages: int = ALL_SKIPPED_MESSAGES) -> None:
        """Look at the first `messages` only."""
        self._messages = messages
        self._reasons: Counter[SkipReason] | None = Counter()

    def add(self, outcome: Outcome) -> SkipReason | None:
        """Count one; the commonest reason if it is the last of the first, and all were skipped."""
        if self._reasons is None:
            return None
        if not isinstance(outcome, Skipped):
            self._reasons = None
            return None
        self._reasons[outcome.reason] += 1
        if self._reasons.total() < self._messages:
            return None
        [(commonest, _)] = self._reasons.most_common(1)
        self._reasons = None
        return commonest


@dataclass
class OutcomeCounts:
    """Counts published outcomes; `latency_budget_s` begins when a record is polled.

    `records` counts each input record once, however many messages are in it; `learn` is given each
    outcome.
    """

    metrics: Metrics
    drift: DriftWindow
    latency_budget_s: float
    feed: Feed | None = None
    all_skipped: AllSkipped = field(default_factory=AllSkipped)
    foreign: ForeignShapes = field(default_factory=lambda: ForeignShapes(None, ()))
    records: int = 0
    learn: Callable[[Outcome], None] = lambda _: None

    def published(self, outcome: Outcome, now: float, now_monotonic: float) -> None:
        """Count one published at `now` (Unix seconds) and `now_monotonic` (as `polled_at`).

        A skipped record counts as skipped alone: not in latencies, drift or the live page.
        """
        commonest = self.all_skipped.add(outcome)
        if commonest is not None:
            log.warning(
                "every message so far is skipped; is SENTIMENT_KAFKA__FEED, SENTIMENT_KAFKA__SKIP "
                "or SENTIMENT_KAFKA__TEXT_FIELD right?",
                messages=ALL_SKIPPED_MESSAGES,
                commonest_reason=str(commonest),
            )
        metrics, record = self.metrics, outcome.record
        self.records += record.is_last
        self.learn(outcome)
        if isinstance(outcome, Skipped):
            metrics.skipped.labels(outcome.reason).inc()
            if outcome.foreign_fields is not None:
                self.foreign.add(outcome, now_monotonic)
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
