"""The composition root: starts the parts in order, and stops them in order.

Imported by the commands, the demo and the bench alone. Order of start: HTTP server, model (loaded
and warmed up), consumer group, pipeline. Order of stop: polling, drain, group, model, HTTP server.
What the parts are made of is in `assembly`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from service.assembly import (
    SystemClock,
    build_backfill,
    build_base,
    build_model_parts,
    build_pipeline,
)
from service.errors import RetriableError, ServiceError
from service.observe.health import not_alive
from service.registry import writer_of
from service.retry import Retry
from service.settings.carry import carry_notice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service.assembly import BackfillParts, ModelParts
    from service.kafka.backfill import Span
    from service.observe.monitor import Monitor
    from service.records import ModelInfo
    from service.settings import Settings
    from service.stream.pipeline import Pipeline

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Allocations between two runs of the cycle collector; Python's default is 700. Records leave no
# cycles, and with the default a tenth of the time outside of the model went to the collector.
GC_ALLOCATIONS = 10_000
# How often lag, assignment, drift and readiness are updated; more often until the service is ready.
WATCH_INTERVAL_S = 2.0
WATCH_UNREADY_INTERVAL_S = 0.1


class Service:
    """One running service; `run` may be called once."""

    def __init__(self, settings: Settings, span: Span | None = None) -> None:
        """Build what needs neither the model nor a broker; with a `span` it is a backfill."""
        self.ready = asyncio.Event()
        self._settings = settings
        self._stop = asyncio.Event()
        self._base = build_base(settings, self._not_alive, span)
        self._model_parts: ModelParts | None = None
        self._pipeline: Pipeline | None = None
        self._backfill: BackfillParts | None = None

    @property
    def http_port(self) -> int:
        """The port that health and metrics are served on."""
        return self._base.http.port

    @property
    def summary(self) -> dict[str, Any] | None:
        """What a backfill has done; None before it has joined its group, and of a stream."""
        backfill = self._backfill
        return backfill.report.summary(is_done=backfill.until_end.is_done) if backfill else None

    def request_stop(self) -> None:
        """Stop polling, publish what was read, leave the group; `run` then returns."""
        self._stop.set()
        self._base.readiness.mark_stopping()

    async def run(self) -> None:
        """Serve until `request_stop`, or up to the ends of a backfill.

        Raises:
            ServiceError: a failure that retrying does not fix.
        """
        work = stop = None
        carry, include_text = self._settings.kafka.carry, self._settings.delivery.include_text
        if notice := carry_notice(carry, include_text=include_text):
            log.warning(notice)
        try:
            await self._base.http.start()
            work = asyncio.create_task(self._work(), name="work")
            stop = asyncio.create_task(self._stop.wait(), name="stop")
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await self._drain(work)
            with contextlib.suppress(asyncio.CancelledError):
                await work
        except BaseExceptionGroup as group:
            raise _first_service_error(group) from group
        finally:
            unfinished = [task for task in (work, stop) if task is not None and not task.done()]
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
            await self._close()

    async def _work(self) -> None:
        base, settings = self._base, self._settings
        parts = self._model_parts = await build_model_parts(settings, base, self._stream_waits)
        model = await self._load(parts)
        base.metrics.set_model(model)
        base.score_api.open(parts.prepare.encode, parts.inference.score_request)
        base.readiness.mark_model_loaded()
        write = await self._retried(partial(writer_of, base.schemas, settings.kafka))
        await self._retried(base.session.start, base.session.stop)
        pipeline = self._pipeline = build_pipeline(settings, base, parts, model, write)
        backfill = self._backfill = build_backfill(settings, base.session, pipeline)
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._watch(parts.monitor), name="watch")]
            if backfill is not None:
                ending = backfill.until_end.run(self.request_stop)
                beside.append(group.create_task(ending, name="until end"))
            await pipeline.run()
            for task in beside:
                task.cancel()

    async def _load(self, parts: ModelParts) -> ModelInfo:
        started = time.monotonic()
        model = await parts.inference.start()
        log.info(
            "model loaded",
            model=model.name,
            revision=model.revision,
            engine=model.engine,
            device=model.device,
            precision=model.precision,
            kernel=model.kernel,
            seconds=round(time.monotonic() - started, 2),
        )
        return model

    async def _retried(
        self, start: Callable[[], Awaitable[T]], undo: Callable[[], Awaitable[None]] | None = None
    ) -> T:
        """Start something, for as long as it takes until what it needs is there."""
        retry = Retry("start", self._base.metrics, SystemClock())
        while True:
            try:
                return await start()
            except RetriableError as error:
                self._base.readiness.mark_unavailable(error)
                if undo is not None:
                    await undo()
                await retry.wait(error)

    async def _watch(self, monitor: Monitor) -> None:
        while not self._stop.is_set():
            await monitor.update()
            if self._base.readiness.reason() is None and not self.ready.is_set():
                partitions = len(self._base.session.progress.partitions)
                log.info("ready", partitions=partitions, port=self.http_port)
                self.ready.set()
            is_ready = self.ready.is_set()
            await asyncio.sleep(WATCH_INTERVAL_S if is_ready else WATCH_UNREADY_INTERVAL_S)

    async def _drain(self, work: asyncio.Task[None]) -> None:
        timeout_s = self._settings.delivery.drain_timeout_s
        log.info("stopping", drain_timeout_s=timeout_s)
        if self._pipeline is None:
            work.cancel()
            return
        self._pipeline.stop()
        await asyncio.wait({work}, timeout=timeout_s)
        if not work.done():
            log.warning("drain timed out; what is left is read again", drain_timeout_s=timeout_s)
            work.cancel()

    async def _close(self) -> None:
        base, parts = self._base, self._model_parts
        if self._backfill is not None:
            self._backfill.report.close()
        await base.session.stop()
        base.score_api.close()
        if parts is not None:
            parts.prepare.close()
            await parts.inference.stop()
        if base.tracing is not None:
            await asyncio.to_thread(base.tracing.close)
        if base.schemas is not None:
            await base.schemas.close()
        await base.live.stop()
        await base.http.stop()
        log.info("stopped")

    def _not_alive(self) -> str | None:
        parts, pipeline = self._model_parts, self._pipeline
        return not_alive(
            pipeline.busy_s() if pipeline is not None else 0.0,
            self._settings.delivery.stall_timeout_s,
            thread_ended=parts is not None
            and parts.inference.has_ended
            and not self._stop.is_set(),
        )

    def _stream_waits(self) -> bool:
        """Whether a batch of the stream is on the model or records wait for it."""
        pipeline = self._pipeline
        return pipeline is not None and (len(pipeline.batcher) > 0 or pipeline.busy_s() > 0)


def _first_service_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    matching = group.subgroup(ServiceError)
    inner: BaseException = matching or group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return inner


async def run_service(settings: Settings, span: Span | None = None) -> dict[str, Any] | None:
    """Run until SIGTERM or SIGINT; a second signal changes nothing, since the drain is bounded.

    With a `span`, run a backfill: returns what it has done, or None if it was stopped before it
    began. Sets signal handlers and the garbage collector's threshold for the whole process.

    Raises:
        ServiceError: a failure that retrying does not fix.
    """
    gc.set_threshold(GC_ALLOCATIONS)
    service = Service(settings, span)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.request_stop)
    await service.run()
    return service.summary
