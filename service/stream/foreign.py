"""Logs skipped messages that have nothing of their feed, at once and then at a bounded rate.

Exists because a wrong feed, or a topic of several, would otherwise show in a metric alone. Nothing
of a message but the names of its fields may enter a log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Skipped

log = structlog.get_logger(__name__)

# Often enough to see whether it goes on, and seldom enough for a topic of nothing else.
LOG_EVERY_S = 60.0
# Enough to see what the feed looks for; a feed may have 32.
POINTERS_MAX = 8


class ForeignShapes:
    """Logs foreign messages; `pointers` are what their feed looks for, as they are written."""

    def __init__(self, feed: str | None, pointers: Sequence[str]) -> None:
        """Nothing is logged yet."""
        self._feed = feed
        self._pointers = list(dict.fromkeys(pointers))[:POINTERS_MAX]
        self._not_logged = 0
        self._logged_at: float | None = None

    def add(self, skipped: Skipped, now_monotonic: float) -> None:
        """Count one that has foreign fields; log it, unless one was logged just before."""
        self._not_logged += 1
        if self._logged_at is not None and now_monotonic - self._logged_at < LOG_EVERY_S:
            return
        topic, partition = skipped.record.partition
        log.warning(
            "messages of another shape than the feed's are skipped; is SENTIMENT_KAFKA__FEED "
            "right?",
            feed=self._feed,
            looked_for=self._pointers,
            fields=list(skipped.foreign_fields or ()),
            messages=self._not_logged,
            last=f"{topic}/{partition}/{skipped.record.offset}",
        )
        self._not_logged, self._logged_at = 0, now_monotonic
