"""Spans by OpenTelemetry's messaging conventions; all names of spans and attributes are here.

Of each message a `process` span, child of what its headers name, and in that a `create` span, whose
context the event or dead letter carries on; of each commit a `send` span for each topic, with links
to those. Where nothing is traced nobody imports this: headers then pass through as they came.

No text of users may enter an attribute, nor a key or an id that a producer chose.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from service.errors import SettingsError
from service.records import Rejected, Verdict

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.propagators.textmap import Getter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    from opentelemetry.trace import (
        Link,
        SpanKind,
        Status,
        StatusCode,
        get_current_span,
        set_span_in_context,
    )
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ModuleNotFoundError as error:
    raise SettingsError(
        f"SENTIMENT_TRACING__EXPORTER=otlp needs {error.name}, which comes with the extra: "
        "pip install 'sentiment-stream[tracing]'; or set it to none"
    ) from None


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from opentelemetry.trace import Span

    from service.ports import Clock
    from service.records import Headers, Outcome, Outgoing, Publication
    from service.settings import TracingSettings

# Names are those of this version of the conventions, whose messaging part is in development.
SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
# As many as the SDK keeps of a span by default; the count of messages is an attribute.
LINKS_MAX = 128
# W3C asks to carry on 512 characters of tracestate; longer headers are passed over.
HEADER_BYTES_MAX = 1024
# What is not exported at a stop is lost: a stop does not wait longer for a collector that is away.
CLOSE_S = 5.0

SYSTEM = "messaging.system"
OPERATION_NAME = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
DESTINATION = "messaging.destination.name"
PARTITION = "messaging.destination.partition.id"
GROUP = "messaging.consumer.group.name"
OFFSET = "messaging.kafka.offset"
TOMBSTONE = "messaging.kafka.message.tombstone"
MESSAGE_COUNT = "messaging.batch.message_count"
ERROR = "error.type"
LABEL = "sentiment.label"
# `error.type` of spans whose publication was dropped: the partition belongs to another replica.
DROPPED = "dropped"

_CONTEXT = ("traceparent", "tracestate")


class _HeadersGetter(Getter["Headers"]):
    """Gives the propagator what it asks of a record's headers, where that is text."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        values = [
            value.decode("ascii")
            for name, value in carrier
            if name == key and value is not None and value.isascii()
            and len(value) <= HEADER_BYTES_MAX
        ]  # fmt: skip
        return values or None

    def keys(self, carrier: Headers) -> list[str]:
        return [name for name, _ in carrier]


class Tracing:
    """Publishes within spans."""

    def __init__(self, provider: TracerProvider, clock: Clock, group_id: str, version: str) -> None:
        """Make spans by `provider`, with times of `clock`."""
        self._provider = provider
        self._tracer = provider.get_tracer("sentiment-stream", version, SCHEMA_URL)
        self._clock = clock
        self._group_id = group_id
        self._propagator = TraceContextTextMapPropagator()
        self._getter = _HeadersGetter()

    async def publish(
        self,
        publish: Callable[[Publication], Awaitable[bool]],
        publication: Publication,
        outcomes: Sequence[Outcome],
    ) -> bool:
        """Publish with new contexts in the headers; `outcomes` are those of `outgoing`, in order.

        Raises:
            ServiceError: what `publish` raises; the spans then have it as their error.
        """
        processes = [self._process(outcome) for outcome in outcomes]
        created = [
            self._create(process, outgoing)
            for process, outgoing in zip(processes, publication.outgoing, strict=True)
        ]
        sends = list(self._sends(created))
        failure: str | None = DROPPED
        try:
            published = await publish(replace(publication, outgoing=tuple(o for _, o in created)))
            failure = None if published else DROPPED
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            for span in (*sends, *processes):
                _end(span, self._now(), failure)
        return published

    def close(self) -> None:
        """Export what is left, within a bound; blocks."""
        # The SDK itself would wait for half a minute.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_S)

    def _process(self, outcome: Outcome) -> Span:
        record = outcome.record
        attributes: dict[str, str | int] = {
            SYSTEM: "kafka",
            OPERATION_NAME: "process",
            OPERATION_TYPE: "process",
            DESTINATION: record.partition.topic,
            PARTITION: str(record.partition.number),
            OFFSET: record.offset,
            GROUP: self._group_id,
        }
        if record.value is None:
            attributes[TOMBSTONE] = True
        if isinstance(outcome, Rejected):
            attributes[ERROR] = str(outcome.reason)
        elif isinstance(outcome, Verdict):
            attributes[LABEL] = outcome.reading.label
        context = self._propagator.extract(record.headers, getter=self._getter)
        sent_by = get_current_span(context).get_span_context()
        waited_ns = int((self._clock.monotonic() - record.polled_at) * 1e9)
        span = self._tracer.start_span(
            f"process {record.partition.topic}",
            context,
            SpanKind.CONSUMER,
            attributes,
            [Link(sent_by)] if sent_by.is_valid else None,
            start_time=self._now() - waited_ns,
        )
        if isinstance(outcome, Rejected):
            span.set_status(Status(StatusCode.ERROR, str(outcome.reason)))
        return span

    def _create(self, process: Span, outgoing: Outgoing) -> tuple[Span, Outgoing]:
        """The span of one event or letter, and the latter with that span in its headers."""
        now = self._now()
        span = self._tracer.start_span(
            f"create {outgoing.topic}",
            set_span_in_context(process),
            SpanKind.PRODUCER,
            {
                SYSTEM: "kafka",
                OPERATION_NAME: "create",
                OPERATION_TYPE: "create",
                DESTINATION: outgoing.topic,
            },
            start_time=now,
        )
        span.end(now)
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, set_span_in_context(span))
        return span, _in_trace(outgoing, tuple((k, v.encode()) for k, v in carrier.items()))

    def _sends(self, created: Sequence[tuple[Span, Outgoing]]) -> Iterator[Span]:
        topics: dict[str, list[Span]] = {}
        for span, outgoing in created:
            topics.setdefault(outgoing.topic, []).append(span)
        for topic, spans in topics.items():
            contexts = [span.get_span_context() for span in spans]
            links = [Link(context) for context in contexts if context.trace_flags.sampled]
            if not links:
                # Of messages that their producers do not trace, their commit is of no interest.
                continue
            yield self._tracer.start_span(
                f"send {topic}",
                kind=SpanKind.CLIENT,
                attributes={
                    SYSTEM: "kafka",
                    OPERATION_NAME: "send",
                    OPERATION_TYPE: "send",
                    DESTINATION: topic,
                    MESSAGE_COUNT: len(spans),
                },
                links=links[:LINKS_MAX],
                start_time=self._now(),
            )

    def _now(self) -> int:
        return int(self._clock.time() * 1e9)


def exporting(settings: TracingSettings, clock: Clock, group_id: str, version: str) -> Tracing:
    """Export by OTLP over HTTP, from a thread of its own, as settings and OTEL_ variables say.

    The SDK keeps at most 2,048 spans that wait for the collector, and drops what is more.
    """
    resource = Resource.create({"service.name": "sentiment-stream", "service.version": version})
    provider = TracerProvider(
        # A share of all is left to OTEL_TRACES_SAMPLER, which by default is the same.
        ParentBased(TraceIdRatioBased(settings.share)) if settings.share < 1 else None,
        resource.merge(OTELResourceDetector().detect()),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.endpoint)))
    return Tracing(provider, clock, group_id, version)


def _in_trace(outgoing: Outgoing, context: Headers) -> Outgoing:
    smaller = outgoing.smaller
    return replace(
        outgoing,
        headers=(*(h for h in outgoing.headers if h[0] not in _CONTEXT), *context),
        smaller=None if smaller is None else lambda: _in_trace(smaller(), context),
    )


def _end(span: Span, now: int, failure: str | None) -> None:
    if failure is not None:
        span.set_attribute(ERROR, failure)
        span.set_status(Status(StatusCode.ERROR, failure))
    span.end(now)
