"""How far a backfill is, while it runs, and what it has done, once it has ended.

Exists because a backfill is long work with an end, which the stream is not. Reads and tells only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from service.terminal import Pace, remarks

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import Counter

    from service.observe.metrics import Metrics
    from service.ports import Clock
    from service.progress import Reached

log = structlog.get_logger(__name__)


class BackfillReport:
    """Of one replica; the share of the whole and the time left are those of all replicas."""

    def __init__(
        self, group: str, metrics: Metrics, records: Callable[[], int], clock: Clock
    ) -> None:
        """Begin now; `records` tells how many input records are committed."""
        self._group = group
        self._metrics = metrics
        self._records = records
        self._clock = clock
        self._began = clock.monotonic()
        self._ended: float | None = None
        self._share = 0.0
        self._pace: Pace | None = None

    def tell(self, reached: Reached) -> None:
        """Show a bar on a terminal; anywhere else log a line now and then."""
        self._share = reached.share
        if self._pace is None:
            self._pace = Pace(
                "backfill", remarks(), lambda: self._share, self._clock.monotonic, "records",
                log.info,
            )  # fmt: skip
            self._pace.__enter__()
        self._pace.update(self._records())

    def close(self) -> None:
        """Note the end, and take the bar away."""
        self._ended = self._clock.monotonic()
        if self._pace is not None:
            self._pace.__exit__()
            self._pace = None

    def summary(self, *, is_done: bool) -> dict[str, Any]:
        """What this replica has done, of which all is committed; `is_done` is of the whole."""
        metrics, records = self._metrics, self._records()
        seconds = max((self._ended or self._clock.monotonic()) - self._began, 1e-9)
        return {
            "group": self._group,
            "done": is_done,
            "records": records,
            "events": _total(metrics.published),
            "dead_letters": _total(metrics.dead_lettered),
            "skipped": _total(metrics.skipped),
            "seconds": round(seconds, 1),
            "records_per_second": round(records / seconds, 1),
        }


def _total(counter: Counter) -> int:
    samples = [sample for family in counter.collect() for sample in family.samples]
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))
