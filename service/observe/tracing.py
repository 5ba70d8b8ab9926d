"""Traces by OpenTelemetry's messaging conventions; all names of spans and attributes are here.

Each message has a `process` span, a child of the span that its headers name, and in it, unless it
is skipped, a `create` span, whose context is put into the headers of the event or dead letter. Each
commit has one `send` span for each topic, with links to the `create` spans. Without tracing this
module is not imported, and headers pass through unchanged.

Users' texts may not enter an attribute, nor may keys and ids that a producer chose.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from service.errors import SettingsError, install_command
from service.records import Rejected, Skipped, Verdict

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
        f"{install_command('tracing')}; or set it to none"
    ) from None


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from opentelemetry.trace import Span

    from service.ports import Clock
    from service.records import Headers, Outcome, Outgoing, Publication
    from service.settings import TracingSettings

# The version of the conventions that the names are taken from; its messaging part is unstable.
SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
# The SDK's default limit for one span. The number of messages is an attribute.
LINKS_MAX = 128
# W3C requires at least 512 characters of tracestate to be propagated; longer headers than this are
# ignored.
HEADER_BYTES_MAX = 1024
# A stop waits no longer than this for the export of the last spans; the rest is lost.
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
SKIPPED = "sentiment.skipped"
# `error.type` of spans whose publication was dropped after a rebalance.
DROPPED = "dropped"

_CONTEXT = ("traceparent", "tracestate")


class _HeadersGetter(Getter["Headers"]):
    """Reads a record's headers for the propagator; ignores values that are not short ASCII."""

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
    """Publishes with spans around it."""

    def __init__(self, provider: TracerProvider, clock: Clock, group_id: str, version: str) -> None:
        """Create spans with `provider`, timed by `clock`."""
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
        """Publish with new trace contexts in the headers; the result is that of `publish`.

        `outcomes` are those of `publication.outgoing`, in the same order, and skipped records
        among them, which have only a `process` span.

        Raises:
            ServiceError: whatever `publish` raises; it is recorded as the error of the spans.
        """
        processes = [self._process(outcome) for outcome in outcomes]
        published_ones = [
            process
            for process, outcome in zip(processes, outcomes, strict=True)
            if not isinstance(outcome, Skipped)
        ]
        created = [
            self._create(process, outgoing)
            for process, outgoing in zip(published_ones, publication.outgoing, strict=True)
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
        """Export the remaining spans; blocks for at most CLOSE_S."""
        # The SDK by itself waits for up to half a minute.
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
        elif isinstance(outcome, Skipped):
            attributes[SKIPPED] = str(outcome.reason)
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
        """The span of one outgoing record, and the record with that span in its headers."""
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
                # If no message is traced, the commit is not traced either.
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
    """Tracing that exports by OTLP over HTTP, configured by settings and OTEL_ variables.

    The SDK exports on its own thread. It queues up to 2,048 spans for the collector and drops
    more.
    """
    resource = Resource.create({"service.name": "sentiment-stream", "service.version": version})
    provider = TracerProvider(
        # With a share of 1 OTEL_TRACES_SAMPLER applies, whose default samples everything.
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
