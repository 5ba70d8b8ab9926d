"""The composition root: builds the parts, starts them in order, stops them in order.

Imported by the commands, the demo and the bench alone. Order of start: health endpoint, model
(loaded and warmed), group. Order of stop: polling, drain, group, model, health endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from typing import TYPE_CHECKING

import structlog

from service.assembly import SystemClock, build_pipeline, build_prepare
from service.checkpoint.files import resolve
from service.checkpoint.tuning import tuned
from service.engines import load_engine
from service.errors import RetriableError, ServiceError
from service.kafka import KafkaSession
from service.observe.drift import DriftWindow
from service.observe.feed import Feed
from service.observe.metrics import Metrics, service_version
from service.retry import Retry
from service.scoring.batch import BatchScorer
from service.scoring.inference import Inference
from service.scoring.processing import load_processing
from service.stream.counts import OutcomeCounts
from service.text.language import Languages
from service.web.live import Live
from service.web.score_api import ScoreApi
from service.web.server import HttpServer

if TYPE_CHECKING:
    from service.observe.tracing import Tracing
    from service.settings import Settings
    from service.stream.pipeline import Pipeline
    from service.text.prepare import PrepareThread
    from service.web.server import Part

log = structlog.get_logger(__name__)

# New objects before the interpreter looks for cycles among them. It comes with 700; records leave
# none, and a tenth of what the way without a model costs went there (service/bench/README.md).
NEW_OBJECTS = 10_000
# How often lag, readiness and assignment are looked at.
WATCH_INTERVAL_S = 2.0
STOPPING = "the service is stopping"
WARM_UP_TEXTS = (
    "It works.",
    "A somewhat longer text, so that more than one length is warmed. " * 4,
)


class Service:
    """One running service; `run` once."""

    def __init__(self, settings: Settings) -> None:
        """Build what needs no model and no broker."""
        self.ready = asyncio.Event()
        self.metrics = Metrics()
        self._settings = settings
        self._stop = asyncio.Event()
        self._feed = Feed(settings.batch.latency_budget_ms, settings.delivery.include_text)
        self._live = Live(self._feed, self.metrics, self._not_ready, explain=settings.http.score)
        self._score_api = ScoreApi(self.metrics, settings.model.text_bytes_max)
        wanted: dict[Part, bool] = {
            self._live: settings.http.page,
            self._score_api: settings.http.score,
        }
        parts = [part for part, on in wanted.items() if on]
        self._http = HttpServer(settings.http, self.metrics, self._alive, self._not_ready, parts)
        self._session = KafkaSession(
            settings.kafka, settings.batch.records_max, settings.delivery.mode
        )
        self._tracing: Tracing | None = None
        if settings.tracing.exporter != "none":
            from service.observe.tracing import exporting  # noqa: PLC0415 - an extra; takes time to load

            group_id, version = settings.kafka.group_id, service_version()
            self._tracing = exporting(settings.tracing, SystemClock(), group_id, version)
        self._pipeline: Pipeline | None = None
        self._inference: Inference | None = None
        self._prepare: PrepareThread | None = None
        self._drift = DriftWindow()
        self._trouble: str | None = "the model is being loaded"

    @property
    def http_port(self) -> int:
        """The port that health and metrics are served on."""
        return self._http.port

    def request_stop(self) -> None:
        """Stop polling, publish what was read, leave the group; `run` then returns."""
        self._stop.set()

    async def run(self) -> None:
        """Serve until `request_stop`.

        Raises:
            ServiceError: something failed that waiting does not mend.
        """
        work = stop = None
        try:
            await self._http.start()
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
        checkpoint = await asyncio.to_thread(resolve, self._settings.model)
        settings = tuned(self._settings.model, checkpoint)
        calibration, encoder, reader = await asyncio.to_thread(
            load_processing, settings, checkpoint
        )
        self._drift = DriftWindow(calibration.reference)
        warm_up = encoder.sequences(WARM_UP_TEXTS)
        self._inference = Inference(
            lambda: load_engine(settings, checkpoint),
            warm_up,
            BatchScorer(warm_up, reader, settings.repeats_max),
            self._stream_waits,
        )
        languages = await asyncio.to_thread(
            Languages, settings.known_languages, settings.other_languages
        )
        started = time.monotonic()
        model = await self._inference.start()
        log.info("model loaded", model=model.name, revision=model.revision, engine=model.engine,
                 device=model.device, precision=model.precision,
                 seconds=round(time.monotonic() - started, 2))  # fmt: skip
        self.metrics.set_model(model)
        prepare = self._prepare = build_prepare(self._settings, encoder, languages)
        self._score_api.open(prepare.encode, self._inference.score_request)
        self._trouble = "the group is not joined yet"
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch(), name="watch")
            await self._join()
            self._pipeline = build_pipeline(
                self._settings, self._session, prepare, self._inference, model, self._counts(),
                self._tracing,
            )  # fmt: skip
            await self._pipeline.run()
            watching.cancel()

    def _counts(self) -> OutcomeCounts:
        budget_s = self._settings.batch.latency_budget_ms / 1000
        feed = self._feed if self._settings.http.page else None
        return OutcomeCounts(self.metrics, self._drift, budget_s, feed)

    async def _join(self) -> None:
        retry = Retry("start", self.metrics, SystemClock())
        while True:
            try:
                await self._session.start()
            except RetriableError as error:
                self._trouble = str(error)
                await self._session.stop()
                await retry.wait(error)
            else:
                return

    async def _watch(self) -> None:
        """Keep readiness, lag and assignment current; a broker that is away shows here."""
        counted = 0
        while not self._stop.is_set():
            if self._session.joined:
                try:
                    self.metrics.set_lag(await self._session.lag())
                    self._trouble = STOPPING if self._stop.is_set() else None
                except RetriableError as error:
                    self._trouble = str(error)
            elif self._pipeline is not None:
                self._trouble = "the group is being joined"
            progress = self._session.progress
            self.metrics.assigned_partitions.set(len(progress.partitions))
            self.metrics.epoch.set(progress.epoch)
            self.metrics.set_drift(self._drift.drift())
            self.metrics.rebalances.inc(self._session.rebalances - counted)
            counted = self._session.rebalances
            if self._trouble is None and not self.ready.is_set():
                log.info("ready", partitions=len(progress.partitions), port=self.http_port)
                self.ready.set()
            await asyncio.sleep(WATCH_INTERVAL_S if self.ready.is_set() else 0.1)

    async def _drain(self, work: asyncio.Task[None]) -> None:
        bound = self._settings.delivery.drain_timeout_s
        log.info("stopping", drain_timeout_s=bound)
        self._trouble = STOPPING
        if self._pipeline is None:
            work.cancel()
            return
        self._pipeline.stop()
        await asyncio.wait({work}, timeout=bound)
        if not work.done():
            log.warning("drain timed out; what is left is read again", drain_timeout_s=bound)
            work.cancel()

    async def _close(self) -> None:
        await self._session.stop()
        self._score_api.close()
        if self._prepare is not None:
            self._prepare.close()
        if self._inference is not None:
            await self._inference.stop()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)
        await self._live.stop()
        await self._http.stop()
        log.info("stopped")

    def _alive(self) -> str | None:
        if self._inference is not None and self._inference.has_ended and not self._stop.is_set():
            return "the inference thread has ended"
        busy_s = self._pipeline.busy_s() if self._pipeline is not None else 0.0
        if busy_s <= self._settings.delivery.stall_timeout_s:
            return None
        return f"the model has not answered for {busy_s:.0f} s"

    def _stream_waits(self) -> bool:
        """Whether the model has a batch of the stream, or something waits for it."""
        pipeline = self._pipeline
        return pipeline is not None and (len(pipeline.batcher) > 0 or pipeline.busy_s() > 0)

    def _not_ready(self) -> str | None:
        return self._trouble


def _first_service_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    matching = group.subgroup(ServiceError)
    inner: BaseException = matching or group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return inner


async def run_service(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; a second signal changes nothing, the drain is bounded.

    The process is taken to be the service's own.

    Raises:
        ServiceError: something failed that waiting does not mend.
    """
    gc.set_threshold(NEW_OBJECTS)
    service = Service(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.request_stop)
    await service.run()
