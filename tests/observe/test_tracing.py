"""Traces from the producer to the consumer: spans follow the conventions and hold no text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import messaging_attributes as conventions
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanKind, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import service.observe.tracing
from service.errors import RetriableError
from service.observe.tracing import LINKS_MAX, Tracing
from service.records import ModelInfo, Publication, Reason, Rejected, Skipped
from service.wire import Encoder
from tools.kafka.stored import Stored
from tools.pipeline_tools import FakeClock, Stream
from tools.values import record, rejected, skipped, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from service.records import Headers, Outcome, Outgoing, Published

ENCODER = Encoder("out", "dead", True, ModelInfo("m", "r", "e", "float32", "cpu", ()), "1")
TRACE, SENT_BY = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED: Headers = (("traceparent", f"00-{TRACE}-{SENT_BY}-01".encode()), ("tracestate", b"a=1"))


class Traced:
    """Tracing with recorded spans and publications."""

    def __init__(self) -> None:
        """Start with the clock at ten seconds."""
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.clock = FakeClock()
        self.clock.now = 10.0
        self.tracing = Tracing(self.provider, self.clock, "group", "1")
        self.published: list[Publication] = []
        self.answer: bool | Exception = True

    async def publish(self, *outcomes: Outcome) -> tuple[Outgoing, ...]:
        """Publish what the codec makes of outcomes; gives what went out."""
        outgoing = tuple(
            ENCODER.encode(outcome, 0.0, 0.0)
            for outcome in outcomes
            if not isinstance(outcome, Skipped)
        )
        publication = Publication(outgoing, {}, 1)
        assert await self.tracing.publish(self._take, publication, outcomes) == self.answer
        return self.published[-1].outgoing

    async def _take(self, publication: Publication) -> bool:
        self.published.append(publication)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def spans(self, name: str = "") -> list[ReadableSpan]:
        """All finished spans whose names start with `name`."""
        return [s for s in self.exporter.get_finished_spans() if s.name.startswith(name)]


@pytest.fixture
def traced() -> Traced:
    """Give tracing that records its spans."""
    return Traced()


def _with(headers: Headers, outcome: Published | None = None) -> Published:
    if isinstance(outcome, Rejected):
        return replace(outcome, record=record(headers=headers))
    one = verdict()
    message = replace(one.document.message, record=record(headers=headers))
    return replace(one, document=replace(one.document, message=message))


def _context(headers: Sequence[tuple[str, bytes | None]]) -> list[str]:
    """The four parts of the one traceparent."""
    [value] = [value for name, value in headers if name == "traceparent"]
    return (value or b"").decode().split("-")


def _ids(span: ReadableSpan) -> tuple[str, str, str | None]:
    assert span.context is not None
    parent = format(span.parent.span_id, "016x") if span.parent is not None else None
    return format(span.context.trace_id, "032x"), format(span.context.span_id, "016x"), parent


def _handle(tracer: Tracer, name: str, kind: SpanKind, headers: Headers) -> Headers:
    """A span as a producer (without headers) or a consumer makes it, as headers."""
    texts = {key: (value or b"").decode() for key, value in headers}
    propagator = TraceContextTextMapPropagator()
    with tracer.start_as_current_span(name, propagator.extract(texts), kind) as span:
        carrier: dict[str, str] = {}
        propagator.inject(carrier, set_span_in_context(span))
    return tuple((key, value.encode()) for key, value in carrier.items())


@pytest.mark.parametrize(("value", "topic"), [(b'{"text": "fine"}', "out"), (b"broken", "dead")])
async def test_a_record_is_followed_from_producer_to_consumer(
    value: bytes, topic: str, traced: Traced
) -> None:
    """Four spans of one trace in three processes, each the child of the one before."""
    tracer = traced.provider.get_tracer("test")
    stream = Stream()
    stream.pipeline.tracing = traced.tracing
    sent = _handle(tracer, "send in", SpanKind.PRODUCER, ())
    async with stream.running():
        stream.cluster.append("in", Stored(b"key", value, sent))
        await stream.settled()
    [out] = stream.cluster.records(topic)
    _handle(tracer, f"process {topic}", SpanKind.CONSUMER, out.headers)

    names = ["send in", "process in", f"create {topic}", f"process {topic}"]
    chain = [_ids(traced.spans(name)[0]) for name in names]
    assert 1 == len({trace for trace, _, _ in chain})
    assert [None, *(span for _, span, _ in chain[:-1])] == [parent for _, _, parent in chain]


async def test_without_tracing_headers_are_unchanged() -> None:
    """On events and on dead letters."""
    stream = Stream()
    async with stream.running():
        stream.cluster.append("in", Stored(b"key", b'{"text": "fine"}', SAMPLED))
        stream.cluster.append("in", Stored(b"key", b"broken", SAMPLED))
        await stream.settled()
    [event], [letter] = stream.cluster.records("out"), stream.cluster.records("dead")
    assert SAMPLED == tuple(event.headers)
    assert SAMPLED == tuple(letter.headers)[:2]


async def test_the_spans_of_a_message(traced: Traced) -> None:
    """From poll to publication; the producer's span is both parent and link."""
    [event] = await traced.publish(_with(SAMPLED))
    [process], [create], [send] = map(traced.spans, ("process in", "create out", "send out"))
    trace, process_id, parent = _ids(process)
    assert (trace, parent) == (TRACE, SENT_BY)
    assert (TRACE, process_id) == _ids(create)[::2]
    assert ["00", TRACE, _ids(create)[1], "01"] == _context(event.headers)
    assert ("tracestate", b"a=1") in event.headers
    assert [SENT_BY] == [format(link.context.span_id, "016x") for link in process.links]
    assert [create.context] == [link.context for link in send.links]
    kinds = [span.kind for span in (process, create, send)]
    assert [SpanKind.CONSUMER, SpanKind.PRODUCER, SpanKind.CLIENT] == kinds
    assert (0, 10 * 10**9) == (process.start_time, process.end_time)
    assert dict(process.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "in",
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
        "messaging.consumer.group.name": "group",
        "sentiment.label": "POSITIVE",
    }
    assert 1 == (send.attributes or {})["messaging.batch.message_count"]


def test_the_names_are_those_of_the_conventions() -> None:
    """In the version that SCHEMA_URL names."""
    known = {v for name, v in vars(conventions).items() if name.startswith("MESSAGING_")}
    ours = {v for v in vars(service.observe.tracing).values() if str(v).startswith("messaging.")}
    assert 9 == len(ours)
    assert set() == ours - known
    assert ERROR_TYPE == service.observe.tracing.ERROR
    operations = {kind.value for kind in conventions.MessagingOperationTypeValues}
    assert {"process", "create", "send"} <= operations
    assert Schemas.V1_44_0.value == service.observe.tracing.SCHEMA_URL


async def test_a_dead_letter_is_an_error(traced: Traced) -> None:
    """With its reason, but without its detail."""
    [letter] = await traced.publish(_with(SAMPLED, rejected(Reason.NOT_JSON)))
    [process] = traced.spans("process")
    assert "not_json" == (process.attributes or {})["error.type"] == process.status.description
    assert ["00", TRACE, _ids(traced.spans("create dead")[0])[1], "01"] == _context(letter.headers)
    [tombstone] = [replace(rejected(Reason.TOMBSTONE), record=record(value=None))]
    await traced.publish(tombstone)
    assert (traced.spans("process")[1].attributes or {})["messaging.kafka.message.tombstone"]


async def test_a_skipped_record_has_a_span_and_nothing_to_send(traced: Traced) -> None:
    """The span says why; the published ones beside it keep their own contexts."""
    first, last = await traced.publish(verdict(0), skipped(1), verdict(2))
    [_, process, _] = traced.spans("process")
    assert "tombstone" == (process.attributes or {})["sentiment.skipped"]
    assert "error.type" not in (process.attributes or {})
    created = [_ids(span) for span in traced.spans("create")]
    of_published = [_ids(span)[1] for span in traced.spans("process") if span is not process]
    assert of_published == [parent for _, _, parent in created]
    assert [span for _, span, _ in created] == [_context(o.headers)[2] for o in (first, last)]

    await traced.publish(skipped(3))
    assert 1 == len(traced.spans("send"))


async def test_links_of_a_batch_are_bounded(traced: Traced) -> None:
    """One span for each topic, with the number of all messages and a limited number of links."""
    many = [verdict(offset) for offset in range(LINKS_MAX + 10)]
    await traced.publish(*many, rejected(Reason.NOT_JSON, 999))
    sends = {span.name: span for span in traced.spans("send")}
    counts = {n: (s.attributes or {})["messaging.batch.message_count"] for n, s in sends.items()}
    assert {"send out": LINKS_MAX + 10, "send dead": 1} == counts
    assert [LINKS_MAX, 1] == [len(sends[n].links) for n in ("send out", "send dead")]


async def test_messages_that_are_not_sampled_are_not_recorded(traced: Traced) -> None:
    """The trace context is propagated all the same."""
    [event] = await traced.publish(_with((("traceparent", f"00-{TRACE}-{SENT_BY}-00".encode()),)))
    version, trace, span, flags = _context(event.headers)
    assert (version, trace, flags) == ("00", TRACE, "00")
    assert span != SENT_BY
    assert [] == traced.spans()


@pytest.mark.parametrize(
    "wrong",
    [None, b"", b"\xff", b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01", b"x" * 5000, b"00-1-2-3"],
)
async def test_an_invalid_trace_context_is_replaced_by_a_new_one(
    wrong: bytes | None, traced: Traced
) -> None:
    """With which the event can be followed from here on."""
    [event] = await traced.publish(_with((("traceparent", wrong), ("tracestate", b"\xff"))))
    [process] = traced.spans("process")
    trace, _, parent = _ids(process)
    assert trace == _context(event.headers)[1]
    assert parent is None
    assert "tracestate" not in dict(event.headers)


async def test_smaller_forms_are_in_the_trace_too(traced: Traced) -> None:
    """The dead letter of an event that is too large, and that letter cut."""
    [event] = await traced.publish(_with(SAMPLED))
    assert event.smaller is not None
    letter = event.smaller()
    assert letter.smaller is not None
    cut = letter.smaller()
    assert _context(event.headers) == _context(letter.headers) == _context(cut.headers)
    assert cut.smaller is None


@pytest.mark.parametrize(
    ("answer", "expected"), [(False, "dropped"), (RetriableError("away"), "RetriableError")]
)
async def test_a_failed_publication_is_an_error(
    answer: bool | Exception, expected: str, traced: Traced
) -> None:
    """Its records are polled again, with new spans."""
    traced.answer = answer
    if isinstance(answer, Exception):
        with pytest.raises(RetriableError):
            await traced.publish(verdict())
    else:
        await traced.publish(verdict())
    spans = traced.spans("process") + traced.spans("send")
    assert [expected] * 2 == [(span.attributes or {})["error.type"] for span in spans]


async def test_no_text_and_no_key_is_in_a_span(traced: Traced) -> None:
    """Nor are ids, other headers, or the detail of a rejection."""
    secret = "my landlord is a crook"  # noqa: S105 - stands for a user's text
    one = record(value=json.dumps({"text": secret}).encode(), key=secret.encode(),
                 headers=(("ce_id", secret.encode()), *SAMPLED))  # fmt: skip
    good = verdict()
    message = replace(good.document.message, record=one, text=secret, fields={"id": secret})
    await traced.publish(
        replace(good, document=replace(good.document, message=message)),
        Rejected(one, Reason.NOT_JSON, secret, "decode"),
    )
    assert 6 == len(traced.spans())
    assert "landlord" not in "".join(span.to_json() for span in traced.spans())
