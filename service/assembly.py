"""The pipeline with all of its parts, as the settings ask for them.

Exists so that `app` is about what starts and stops when, and this about what is made of what.
Builds only; nothing runs here.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from jsonpointer import JsonPointer

from service.observe.metrics import service_version
from service.stream.batcher import Batcher, Limits
from service.stream.breaker import Breaker
from service.stream.pipeline import Pipeline
from service.text.prepare import PrepareThread
from service.wire import Decoder, Encoder

if TYPE_CHECKING:
    from service.observe.tracing import Tracing
    from service.ports import Scorer, Session
    from service.records import ModelInfo
    from service.settings import Settings
    from service.stream.counts import OutcomeCounts
    from service.text.encoder import TextEncoder
    from service.text.language import Languages


class SystemClock:
    """Implements `ports.Clock` with the system's clocks."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
    sleep = staticmethod(asyncio.sleep)


def build_prepare(settings: Settings, encoder: TextEncoder, languages: Languages) -> PrepareThread:
    """The thread that makes documents of records; the caller closes it."""
    kafka = settings.kafka
    decoder = Decoder(
        kafka.input_format, JsonPointer(kafka.text_field), settings.model.text_bytes_max
    )
    return PrepareThread(decoder, encoder, languages)


def build_pipeline(
    settings: Settings,
    session: Session,
    prepare: PrepareThread,
    scorer: Scorer,
    model: ModelInfo,
    counts: OutcomeCounts,
    tracing: Tracing | None,
) -> Pipeline:
    """A pipeline on what is running already; counts into the metrics of `accounts`."""
    kafka, batch, delivery = settings.kafka, settings.batch, settings.delivery
    return Pipeline(
        session=session,
        prepare=prepare,
        scorer=scorer,
        batcher=Batcher(Limits(batch.tokens_max, batch.records_max, counts.latency_budget_s)),
        encoder=Encoder(
            kafka.output_topic,
            kafka.dead_letter_topic,
            delivery.include_text,
            model,
            service_version(),
            f"urn:sentiment-stream:{kafka.group_id}" if kafka.cloudevents else None,
        ),
        breaker=Breaker(delivery.breaker_records, delivery.breaker_share),
        counts=counts,
        clock=SystemClock(),
        keep_alive_s=kafka.max_poll_ms / 1000 / 3,
        stall_timeout_s=delivery.stall_timeout_s,
        tracing=tracing,
    )
