"""Builds all parts of the service from the settings.

Exists so that `app` is only about what starts and stops when. Nothing runs here. Three steps, each
for what can be built then: without a model, from a checkpoint, and from a model that is loaded.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.checkpoint.files import resolve
from service.checkpoint.tuning import tuned
from service.engines import load_engine
from service.kafka import KafkaSession
from service.kafka.backfill import BackfillSession
from service.observe.backfill import BackfillReport
from service.observe.drift import DriftWindow
from service.observe.feed import Feed
from service.observe.health import Readiness
from service.observe.metrics import Metrics, service_version
from service.observe.monitor import Monitor
from service.registry import schemas_of
from service.scoring.batch import BatchScorer
from service.scoring.inference import Inference
from service.scoring.processing import load_processing
from service.settings.carry import AUTO, carried_paths
from service.stream.batcher import Batcher, Limits
from service.stream.breaker import Breaker
from service.stream.counts import OutcomeCounts
from service.stream.drain import Drain
from service.stream.foreign import ForeignShapes
from service.stream.pipeline import Pipeline
from service.stream.until_end import UntilEnd
from service.text.language import Languages
from service.text.prepare import PrepareThread
from service.web.live import Live
from service.web.score_api import ScoreApi
from service.web.server import HttpServer
from service.wire import Carried, Decoder, Encoder, KeptHeaders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from service.kafka.backfill import Span
    from service.observe.tracing import Tracing
    from service.records import Item, ModelInfo, Record
    from service.registry.schemas import Schemas
    from service.settings import Settings
    from service.text.encoder import TextEncoder
    from service.web.server import Part

WARM_UP_TEXTS = (
    "It works.",
    "A somewhat longer text, so that more than one length is warmed. " * 4,
)


class SystemClock:
    """Implements `ports.Clock` with the system's clocks."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
    sleep = staticmethod(asyncio.sleep)


@dataclass(frozen=True)
class BaseParts:
    """What is built before the checkpoint is loaded."""

    metrics: Metrics
    readiness: Readiness
    feed: Feed
    live: Live
    score_api: ScoreApi
    http: HttpServer
    session: KafkaSession
    tracing: Tracing | None
    schemas: Schemas | None


@dataclass(frozen=True)
class BackfillParts:
    """What ends a backfill, and tells of it."""

    until_end: UntilEnd
    report: BackfillReport


@dataclass(frozen=True)
class ModelParts:
    """What is built from the checkpoint; its model is loaded when `inference` starts."""

    inference: Inference
    prepare: PrepareThread
    drift: DriftWindow
    drain: Drain
    monitor: Monitor


def build_base(
    settings: Settings, not_alive: Callable[[], str | None], span: Span | None = None
) -> BaseParts:
    """The parts that need no model; `not_alive` gives the reason that GET /livez answers with.

    With a `span` the session is that of a backfill.

    Raises:
        SettingsError: tracing or a schema registry is switched on, and its libraries are not
            installed; or a mounted file cannot be used.
    """
    metrics, readiness = Metrics(), Readiness()
    feed = Feed(settings.batch.latency_budget_ms, settings.delivery.include_text)
    live = Live(feed, metrics, readiness.reason, explain=settings.http.score)
    score_api = ScoreApi(metrics, settings.model.text_bytes_max)
    switches: dict[Part, bool] = {live: settings.http.page, score_api: settings.http.score}
    served = [part for part, is_on in switches.items() if is_on]
    return BaseParts(
        metrics=metrics,
        readiness=readiness,
        feed=feed,
        live=live,
        score_api=score_api,
        http=HttpServer(settings.http, metrics, not_alive, readiness.reason, served),
        session=_session(settings, span),
        tracing=_build_tracing(settings),
        schemas=schemas_of(settings.kafka),
    )


def _session(settings: Settings, span: Span | None) -> KafkaSession:
    options = settings.kafka, settings.batch.records_max, settings.delivery.mode
    return KafkaSession(*options) if span is None else BackfillSession(*options, span)


def build_backfill(
    settings: Settings, session: KafkaSession, pipeline: Pipeline
) -> BackfillParts | None:
    """What ends the pipeline of a backfill; None for a stream, which has no end."""
    if not isinstance(session, BackfillSession):
        return None
    group, clock, counts = settings.kafka.group_id, SystemClock(), pipeline.counts
    report = BackfillReport(group, counts.metrics, lambda: counts.records, clock)
    return BackfillParts(UntilEnd(session, clock, report.tell), report)


def _build_tracing(settings: Settings) -> Tracing | None:
    if settings.tracing.exporter == "none":
        return None
    from service.observe.tracing import exporting  # noqa: PLC0415 - an extra; takes time to load

    return exporting(settings.tracing, SystemClock(), settings.kafka.group_id, service_version())


async def build_model_parts(
    settings: Settings, base: BaseParts, stream_waits: Callable[[], bool]
) -> ModelParts:
    """Read the checkpoint, on threads, and build the parts that depend on it.

    `stream_waits` says whether the stream has work for the model: HTTP requests then wait.

    Raises:
        ServiceError: the checkpoint cannot be found, read or used.
    """
    checkpoint = await asyncio.to_thread(resolve, settings.model)
    model = tuned(settings.model, checkpoint)
    calibration, encoder, reader = await asyncio.to_thread(load_processing, model, checkpoint)
    languages = await asyncio.to_thread(Languages, model.known_languages, model.other_languages)
    warm_up = encoder.sequences(WARM_UP_TEXTS)
    drift = DriftWindow(calibration.reference)
    batch = settings.batch
    limits = Limits(batch.tokens_max, batch.records_max, batch.latency_budget_ms / 1000)
    drain = Drain(Batcher(limits))
    return ModelParts(
        inference=Inference(
            lambda: load_engine(model, checkpoint),
            warm_up,
            BatchScorer(warm_up, reader, model.repeats_max),
            stream_waits,
        ),
        prepare=build_prepare(settings, encoder, languages, base.schemas),
        drift=drift,
        drain=drain,
        monitor=Monitor(
            base.session,
            drift,
            base.metrics,
            base.readiness,
            lambda: base.schemas.away if base.schemas is not None else None,
            drain.seconds,
        ),
    )


def build_prepare(
    settings: Settings,
    encoder: TextEncoder,
    languages: Languages,
    schemas: Schemas | None = None,
) -> PrepareThread:
    """The thread that turns records into documents; the caller closes it."""
    kafka = settings.kafka
    decoder = Decoder.by(kafka, settings.model.text_bytes_max)
    if schemas is not None:
        decoder.opened = schemas.opened
    return PrepareThread(decoder, encoder, languages, kafka.text_format)


def build_pipeline(
    settings: Settings,
    base: BaseParts,
    model_parts: ModelParts,
    model: ModelInfo,
    write: Callable[[dict[str, Any]], bytes] | None,
) -> Pipeline:
    """The pipeline, whose events name `model`; its session and model have been started.

    `write` writes them in another format than JSON.
    """
    kafka, delivery = settings.kafka, settings.delivery
    batcher = model_parts.drain.batcher
    return Pipeline(
        session=base.session,
        prepare=_prepare(model_parts.prepare, base.schemas),
        scorer=model_parts.inference,
        batcher=batcher,
        encoder=Encoder(
            kafka.output_topic,
            kafka.dead_letter_topic,
            delivery.include_text,
            model,
            service_version(),
            f"urn:sentiment-stream:{kafka.group_id}" if kafka.cloudevents else None,
            KeptHeaders.without(kafka.drop_headers),
            Carried(
                carried_paths(kafka.carry, include_text=delivery.include_text),
                short_only=kafka.carry == AUTO,
            ),
            write,
        ),
        breaker=Breaker(delivery.breaker_records, delivery.breaker_share),
        counts=OutcomeCounts(
            base.metrics,
            model_parts.drift,
            # Nobody waits for records of a backfill.
            math.inf
            if isinstance(base.session, BackfillSession)
            else batcher.limits.latency_budget_s,
            base.feed if settings.http.page else None,
            foreign=ForeignShapes(kafka.feed, [pointer.written for pointer in kafka.known_by]),
            learn=model_parts.drain.published,
        ),
        clock=SystemClock(),
        keep_alive_s=kafka.max_poll_ms / 1000 / 3,
        stall_timeout_s=delivery.stall_timeout_s,
        tracing=base.tracing,
    )


def _prepare(
    prepare: PrepareThread, schemas: Schemas | None
) -> Callable[[Sequence[Record]], Awaitable[list[Item]]]:
    """Preparing, once the schemas of the records are known."""
    if schemas is None:
        return prepare

    async def with_schemas(records: Sequence[Record]) -> list[Item]:
        await schemas.look_up(records)
        return await prepare(records)

    return with_schemas
