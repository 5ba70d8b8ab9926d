"""The composition root: builds the parts, starts them in order, stops them in order.

Imported by the commands and the demo alone. Order of start: health endpoint, model (loaded and
warmed), group. Order of stop: polling, drain, group, model, health endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

import structlog
from jsonpointer import JsonPointer

from service.accounts import Accounts
from service.batcher import Batcher, Limits
from service.breaker import Breaker
from service.calls import Calling
from service.codec import Decoder, Encoder
from service.drift import DriftWindow
from service.engines import load_engine
from service.engines.checkpoint import Checkpoint, load_tokenizer, resolve
from service.errors import RetriableError, ServiceError
from service.http import HttpServer
from service.inference import Inference
from service.kafka import KafkaSession
from service.language import Languages
from service.pipeline import Pipeline, backoff_s
from service.prepare import PrepareThread
from service.telemetry import Metrics, service_version
from service.text import TextEncoder
from service.trust import read_trust
from service.tuning import tuned

if TYPE_CHECKING:
    from service.records import ModelInfo
    from service.settings import ModelSettings, Settings
    from service.trust import Trust

log = structlog.get_logger(__name__)

# How often lag, readiness and assignment are looked at.
WATCH_INTERVAL_S = 2.0
STOPPING = "the service is stopping"
WARM_UP_TEXTS = (
    "It works.",
    "A somewhat longer text, so that more than one length is warmed. " * 4,
)


class SystemClock:
    """Implements `ports.Clock` with the system's clocks."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
    sleep = staticmethod(asyncio.sleep)


class Service:
    """One running service; `run` once."""

    def __init__(self, settings: Settings) -> None:
        """Build what needs no model and no broker."""
        self.ready = asyncio.Event()
        self.metrics = Metrics()
        self._settings = settings
        self._stop = asyncio.Event()
        self._http = HttpServer(settings.http, self.metrics, self._alive, self._not_ready)
        self._session = KafkaSession(
            settings.kafka, settings.batch.records_max, settings.delivery.mode
        )
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
        trust = await asyncio.to_thread(read_trust, checkpoint.folder, len(checkpoint.labels))
        self._drift = DriftWindow(trust.reference)
        encoder = await asyncio.to_thread(_text_encoder, checkpoint, settings, trust)
        self._inference = Inference(
            lambda: load_engine(settings, checkpoint),
            encoder.sequences(WARM_UP_TEXTS),
            settings.repeats_max,
            Calling(trust, checkpoint.multi_label, settings.unsure_label),
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
        self._trouble = "the group is not joined yet"
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch(), name="watch")
            await self._join()
            self._pipeline = self._build_pipeline(model, encoder, languages, self._inference)
            await self._pipeline.run()
            watching.cancel()

    def _build_pipeline(
        self, model: ModelInfo, encoder: TextEncoder, languages: Languages, inference: Inference
    ) -> Pipeline:
        settings = self._settings
        kafka, batch = settings.kafka, settings.batch
        decoder = Decoder(
            kafka.input_format, JsonPointer(kafka.text_field), settings.model.text_bytes_max
        )
        self._prepare = PrepareThread(decoder, encoder, languages)
        limits = Limits(batch.tokens_max, batch.records_max, batch.latency_budget_ms / 1000)
        return Pipeline(
            session=self._session,
            prepare=self._prepare,
            scorer=inference,
            batcher=Batcher(limits),
            encoder=Encoder(
                kafka.output_topic,
                kafka.dead_letter_topic,
                settings.delivery.include_text,
                model,
                service_version(),
            ),
            breaker=Breaker(settings.delivery.breaker_records, settings.delivery.breaker_share),
            metrics=self.metrics,
            accounts=Accounts(self.metrics, self._drift, limits.latency_budget_s),
            clock=SystemClock(),
            keep_alive_s=kafka.max_poll_ms / 1000 / 3,
            stall_timeout_s=settings.delivery.stall_timeout_s,
        )

    async def _join(self) -> None:
        failures = 0
        while True:
            try:
                await self._session.start()
            except RetriableError as error:
                failures += 1
                self._trouble = str(error)
                self.metrics.retries.labels("start").inc()
                delay = backoff_s(failures)
                log.warning("retrying", stage="start", error=str(error), delay_s=delay)
                await self._session.stop()
                await asyncio.sleep(delay)
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
        if self._prepare is not None:
            self._prepare.close()
        if self._inference is not None:
            await self._inference.stop()
        await self._http.stop()
        log.info("stopped")

    def _alive(self) -> str | None:
        stalled_s = self._pipeline.stalled_s() if self._pipeline is not None else 0.0
        if stalled_s <= self._settings.delivery.stall_timeout_s:
            return None
        return f"the model has not answered for {stalled_s:.0f} s"

    def _not_ready(self) -> str | None:
        return self._trouble


def _text_encoder(checkpoint: Checkpoint, settings: ModelSettings, trust: Trust) -> TextEncoder:
    return TextEncoder(
        load_tokenizer(checkpoint),
        checkpoint.tokens_max,
        text_tokens_max=settings.text_tokens_max,
        normaliser=trust.normaliser,
    )


def _first_service_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    matching = group.subgroup(ServiceError)
    inner: BaseException = matching or group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return inner


async def run_service(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; a second signal changes nothing, the drain is bounded.

    Raises:
        ServiceError: something failed that waiting does not mend.
    """
    service = Service(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.request_stop)
    await service.run()
