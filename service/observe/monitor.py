"""The state of the consumer group and of the stream, copied into metrics and readiness.

Exists because these are read at intervals, unlike what is counted as records pass. Reads and
copies only; who calls `update`, and how often, is for `app`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.observe.drift import DriftWindow
    from service.observe.health import Readiness
    from service.observe.metrics import Metrics
    from service.ports import Session
    from service.records import Partition


class Monitor:
    """Keeps lag, assignment, drift and readiness current, once the service has joined its group."""

    def __init__(
        self,
        session: Session,
        drift: DriftWindow,
        metrics: Metrics,
        readiness: Readiness,
        waits_for: Callable[[], str | None] = lambda: None,
        drain_s: Callable[[Mapping[Partition, int]], Mapping[str, float]] = lambda _: {},
    ) -> None:
        """Copy from `session` and `drift` to `metrics` and `readiness`.

        `waits_for` says why records wait for something else than the brokers; `drain_s` gives the
        seconds for so many records, by topic.
        """
        self._waits_for = waits_for
        self._drain_s = drain_s
        self._session = session
        self._drift = drift
        self._metrics = metrics
        self._readiness = readiness
        self._rebalances = 0
        self._throttled_s = 0.0
        self._lost: dict[Partition, int] = {}

    async def update(self) -> None:
        """Copy the present state; a broker that does not answer makes the service unready.

        Raises:
            BrokerError: the lag cannot be read, and waiting does not help.
        """
        session, metrics = self._session, self._metrics
        if session.joined:
            try:
                lag = await session.lag()
                metrics.set_lag(lag, session.held)
                # No replica can read what is held back, however many there are.
                readable = {p: max(0, count - session.held.get(p, 0)) for p, count in lag.items()}
                metrics.set_drain(self._drain_s(readable))
                self._mark(self._waits_for())
            except RetriableError as error:
                self._readiness.mark_unavailable(error)
        else:
            self._readiness.mark_joining()
        metrics.assigned_partitions.set(len(session.progress.partitions))
        metrics.epoch.set(session.progress.epoch)
        metrics.set_drift(self._drift.drift())
        metrics.rebalances.inc(session.rebalances - self._rebalances)
        self._rebalances = session.rebalances
        metrics.throttled_seconds.inc(session.throttled_s - self._throttled_s)
        self._throttled_s = session.throttled_s
        for topic, number in session.progress.partitions:
            metrics.lost.labels(topic, number)
        for partition, records in session.lost.items():
            metrics.lost.labels(*partition).inc(records - self._lost.get(partition, 0))
            self._lost[partition] = records

    def _mark(self, waits_for: str | None) -> None:
        if waits_for is None:
            self._readiness.mark_ready()
        else:
            self._readiness.mark_unavailable(RetriableError(waits_for))
