"""Waiting after a failure that can pass: one loop's count of failures, its metric, log and delay.

Exists so that joining, polling and publishing back off alike, in service and simulation. What is
retried, and what has to be undone first, stays with the caller.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from service.errors import RetriableError
    from service.observe.metrics import Metrics, RetryStage
    from service.ports import Clock

log = structlog.get_logger(__name__)

BACKOFF_FIRST_S = 0.1
# The longest delay: bounds both how late a recovered broker is noticed and how often one that
# stays down is contacted.
BACKOFF_MAX_S = 15.0


def backoff_s(failures: int) -> float:
    """Seconds to wait after this many failures in a row: exponential, bounded, with equal jitter.

    Jitter keeps replicas that failed together from retrying together. Half of the delay is fixed,
    so that no replica retries at once. See "Exponential Backoff And Jitter", AWS Architecture Blog,
    2015.
    """
    ceiling = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures, 20))
    return round(random.uniform(ceiling / 2, ceiling), 3)  # noqa: S311 - spread, not secrecy


class Retry:
    """The failures in a row of one stage; each wait is longer than the one before."""

    def __init__(self, stage: RetryStage, metrics: Metrics, clock: Clock) -> None:
        """Start with no failure."""
        self._stage = stage
        self._retries = metrics.retries.labels(stage)
        self._clock = clock
        self._failures = 0

    async def wait(self, error: RetriableError) -> None:
        """Count and log a failure, then sleep until the next attempt."""
        self._failures += 1
        delay_s = backoff_s(self._failures)
        self._retries.inc()
        log.warning(
            "retrying",
            stage=self._stage,
            error=str(error),
            failures=self._failures,
            delay_s=delay_s,
        )
        await self._clock.sleep(delay_s)

    def reset(self) -> None:
        """Note a success: the next failure counts as the first."""
        self._failures = 0
