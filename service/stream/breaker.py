"""Stops the service when most records become dead letters. Pure.

A broken producer or model would otherwise turn a whole topic into dead letters within minutes. The
batch that trips it is not committed, so nothing is lost by stopping.
"""

from __future__ import annotations

from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING

from service.records import Rejected, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Outcome, Reason

# The share of fewer records says too little.
RECORDS_MIN = 500
_REMEDY = (
    "look at the producer, at SENTIMENT_KAFKA__INPUT_FORMAT and SENTIMENT_KAFKA__TEXT_FIELD; "
    "SENTIMENT_KAFKA__SKIP passes over what is no text to score, and "
    "SENTIMENT_DELIVERY__BREAKER_SHARE=1 switches this off"
)


class Breaker:
    """Watches the share of dead letters among the last records."""

    def __init__(self, records: int, share_max: float) -> None:
        """Watch the last `records`; a share above `share_max` trips, so 1.0 never does.

        Skipped records are not among them, neither as dead letters nor as good records.
        """
        self._last: deque[Reason | None] = deque(maxlen=records)
        self._share_max = share_max

    def trips(self, outcomes: Sequence[Outcome]) -> str | None:
        """Why these outcomes must not be published, and what to do; None if they may be."""
        window = deque(self._last, self._last.maxlen)
        window.extend(_reasons(outcomes))
        reasons = Counter(reason for reason in window if reason is not None)
        dead = reasons.total()
        if len(window) < RECORDS_MIN or dead <= self._share_max * len(window):
            return None
        reason, count = reasons.most_common(1)[0]
        earlier = len(window) - min(len(window), len(_reasons(outcomes)))
        published = sum(1 for reason in islice(window, earlier) if reason is not None)
        return (
            f"{dead} of the last {len(window)} records are dead letters, {count} for {reason}; "
            f"{published} of these are published and committed, the other {dead - published} and "
            f"their batch of {len(outcomes)} records are not, and are read again at the next "
            f"start: {_REMEDY}"
        )

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Count outcomes that were published."""
        self._last.extend(_reasons(outcomes))


def _reasons(outcomes: Sequence[Outcome]) -> list[Reason | None]:
    return [
        outcome.reason if isinstance(outcome, Rejected) else None
        for outcome in outcomes
        if not isinstance(outcome, Skipped)
    ]
