"""Messages of three formats on one topic, and events in Avro, with a registry that goes away."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from service.wire.typed import event_schema
from service.wire.typed.columns import avro
from tools.kafka.topics import Message, produce, read_all
from tools.registry.producers import Kind, written
from tools.service_process import running_service

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.streams import Stream
    from tools.registry.fake import FakeRegistry
    from tools.service_process import ServiceProcess

pytestmark = [pytest.mark.kafka, pytest.mark.model]

KINDS: tuple[Kind, ...] = ("avro", "json", "protobuf")
COUNT = 60


async def test_all_formats(stream: Stream, registry: FakeRegistry, tmp_path: Path) -> None:
    """While the registry is away nothing is lost; then each message has its event, in order."""
    messages = []
    for number in range(COUNT):
        kind, in_header = KINDS[number % 3], number % 2 == 1
        one = {"id": number, "text": f"Post {number}, and I like it."}
        value, headers = await written(registry.url, kind, one, in_header=in_header)
        headers_sent: Any = list(headers)
        messages.append(Message(b"key", value, headers_sent))
    messages.append(Message(b"key", b'{"id": 60, "text": "plain, and I like it."}'))
    messages.append(Message(b"key", b"\0\0\0\xff\xff\2a"))

    settings = stream.settings(KAFKA__SCHEMA_REGISTRY_URL=registry.url, KAFKA__OUTPUT_FORMAT="avro")
    registry.status = 503
    # The schema of events is registered first, then those of messages are asked for.
    registry.status = 503
    with running_service(tmp_path, settings) as service:
        await _told(service, registry)
        registry.status = None
        await asyncio.to_thread(service.wait_ready)
        registry.status = 503
        await produce(stream.bootstrap, stream.input, messages)
        await _told(service, registry)
        assert 0 == service.metric("sentiment_published_total")
        registry.status = None
        await stream.wait_committed(service)
        assert COUNT + 1 == service.metric("sentiment_published_total")
        assert 1 == service.metric("sentiment_dead_lettered_total", reason="schema_error")
        assert 0 == await asyncio.to_thread(service.stop)

    schema = fastavro.parse_schema(avro(event_schema()))
    events: list[Any] = []
    for one in await read_all(stream.bootstrap, stream.output):
        assert one.value is not None
        assert b"\0" == one.value[:1]
        events.append(fastavro.schemaless_reader(io.BytesIO(one.value[5:]), schema, None))
    assert [str(number) for number in range(COUNT + 1)] == [e["source_id_text"] for e in events]
    assert {"POSITIVE"} == {event["label"] for event in events}
    [letter] = await read_all(stream.bootstrap, stream.letters)
    assert messages[-1].value == letter.value


async def _told(service: ServiceProcess, registry: FakeRegistry) -> None:
    """Wait until the probe names the registry."""
    async with asyncio.timeout(120):
        while registry.url not in (await _get(service, "/readyz"))[1]:  # noqa: ASYNC110 - a probe
            await asyncio.sleep(0.2)
    assert 200 == (await _get(service, "/livez"))[0]


async def _get(service: ServiceProcess, path: str) -> tuple[int, str]:
    # The registry answers on this loop meanwhile.
    return await asyncio.to_thread(service.get, path)
