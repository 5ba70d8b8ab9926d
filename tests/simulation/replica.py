"""One process of the service on a simulated cluster, and the supervisor that starts it again.

Put together as `service.assembly` does it, without endpoints, signals and threads.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from service.errors import RetriableError, ServiceError
from service.observe.drift import DriftWindow
from service.retry import Retry
from service.stream.batcher import HELD_BATCHES_MAX, Batcher, Limits
from service.stream.breaker import Breaker
from service.stream.counts import OutcomeCounts
from service.stream.handover import SCORED_MAX
from service.stream.pipeline import Pipeline
from simulation.loop import Process
from simulation.model import ELEMENTS_MAX, SimulatedEncoder, SimulatedModel, prepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.kafka import KafkaSession
    from service.records import Item, Record
    from simulation.world import World

LIMITS = Limits(tokens_max=64, records_max=16, latency_budget_s=0.05)
STALL_TIMEOUT_S = 7.0
DRAIN_S = 1.5
# Of the supervisor, as of a kubelet that has seen a container end.
RESTART_S = (0.2, 1.5)


class VirtualClock:
    """Implements `ports.Clock` on the running loop."""

    sleep = staticmethod(asyncio.sleep)

    def monotonic(self) -> float:
        """See `ports.Clock`."""
        return asyncio.get_running_loop().time()

    time = monotonic


class Replica:
    """A process that is started again whenever it ends, until it is let go."""

    def __init__(self, world: World, name: str) -> None:
        """Start."""
        self.world = world
        self.wanted = True
        self.name = name
        self.lives = 0
        self.start()

    @property
    def alive(self) -> bool:
        """Whether its process runs, frozen or not."""
        return not self.process.killed and not self._running.done()

    def start(self) -> None:
        """Start a process."""
        self.lives += 1
        process = self.process = Process(f"{self.name}.{self.lives}")
        self.model = SimulatedModel(lambda name, moment: self.world.point(process, name, moment))
        self._pipeline: Pipeline | None = None
        self._stopping = False
        self._running = process.task(self._run(self.model))
        self._running.add_done_callback(self._ended, context=self.world.context)

    def kill(self) -> None:
        """End the process as SIGKILL does."""
        self.process.kill()
        self._restart()

    def stop(self) -> None:
        """Ask the process to end, as SIGTERM does."""
        self.process.task(self._stop())

    async def _stop(self) -> None:
        self._stopping = True
        if self._pipeline is not None:
            self._pipeline.stop()
            await asyncio.wait([self._running], timeout=DRAIN_S)
        self._running.cancel()

    def _ended(self, running: asyncio.Task[Any]) -> None:
        # Nothing outlives a process, also where its stop was cut short. At the end of a world all
        # are to close what they have open.
        if not self.world.over:
            self.process.kill()
        if not running.cancelled() and (error := running.exception()) is not None:
            matched = isinstance(error, ServiceError) or (
                isinstance(error, ExceptionGroup) and error.split(ServiceError)[1] is None
            )
            if not matched:
                self.world.violation(f"{self.process.name} ended with {error!r}")
            self.world.faults["process ended by itself"] += 1
        self._restart()

    def _restart(self) -> None:
        if self.wanted and not self.world.over:
            delay_s = self.world.rng.uniform(*RESTART_S)
            loop = asyncio.get_running_loop()
            loop.call_later(delay_s, self._start_again, context=self.world.context)

    def _start_again(self) -> None:
        if self.wanted and not self.alive and not self.world.over:
            self.start()

    async def _run(self, model: SimulatedModel) -> None:
        session = self.world.new_session()
        try:
            await self._join(session)
            batcher = Batcher(LIMITS)
            pipeline = Pipeline(
                session=session,
                prepare=lambda records: self._prepared(records, batcher),
                scorer=model,
                batcher=batcher,
                encoder=SimulatedEncoder(),  # type: ignore[arg-type] # what the pipeline calls of it
                breaker=Breaker(1000, 1),
                counts=OutcomeCounts(self.world.metrics, DriftWindow(), LIMITS.latency_budget_s),
                clock=VirtualClock(),
                keep_alive_s=1.0,
                stall_timeout_s=STALL_TIMEOUT_S,
            )
            self._pipeline = pipeline
            if not self._stopping:
                await pipeline.run()
        finally:
            await session.stop()

    async def _join(self, session: KafkaSession) -> None:
        retry = Retry("start", self.world.metrics, VirtualClock())
        while True:
            try:
                await session.start()
            except RetriableError as error:
                await session.stop()
                await retry.wait(error)
            else:
                return

    async def _prepared(self, records: Sequence[Record], batcher: Batcher) -> list[Item]:
        # One poll may come on top of what is full, and no more; its records may be lists.
        if len(batcher) > (HELD_BATCHES_MAX + ELEMENTS_MAX) * LIMITS.records_max:
            self.world.violation(f"{len(batcher)} records wait for the model")
        if self._pipeline is not None and len(self._pipeline._scored) > SCORED_MAX:
            self.world.violation("more batches wait to be published than may")
        return await prepared(records)
