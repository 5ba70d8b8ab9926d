"""Comparing topics of events in a registered format, and of plain ones beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest

from service.errors import InputError
from service.records import ModelInfo, Partition, Record
from service.registry import writer_of
from service.settings import KafkaSettings
from service.topics.comparison import Comparison
from service.topics.framed import values_of
from service.wire import Encoder
from tools.registry.reading import schemas_at
from tools.values import verdict

if TYPE_CHECKING:
    from tools.registry.fake import FakeRegistry

Format = Literal["json", "json-schema", "avro", "protobuf"]
MODEL = ModelInfo("m", "r", "onnx_packed", "float32", "cpu", ("NEGATIVE", "POSITIVE"))


async def _events(form: Format, registry: FakeRegistry, count: int) -> list[Record]:
    """Events of messages at the offsets from 0, as the service writes them."""
    kafka = KafkaSettings(schema_registry_url=registry.url, output_format=form)
    async with schemas_at(registry.url) as schemas:
        write = await writer_of(schemas, kafka)
    encoder = Encoder("out", "dead", include_text=True, model=MODEL, version="1", write=write)
    found = [encoder.encode(verdict(offset), 1.5, 2.0) for offset in range(count)]
    return [
        Record(Partition("out", 0), number, 0, one.key, one.value, one.headers, 1, 0.0)
        for number, one in enumerate(found)
    ]


@pytest.mark.parametrize("form", get_args(Format))
async def test_events_of_every_format_are_joined(form: Format, registry: FakeRegistry) -> None:
    """With those in plain JSON, of a release that ran before the format was changed."""
    comparison = Comparison(("a", "b"), 10)
    async with schemas_at(registry.url) as schemas:
        for side, records in enumerate(
            (await _events("json", registry, 3), await _events(form, registry, 3))
        ):
            for value in await values_of(records, schemas):
                comparison.add(side, value)
    figures = comparison.figures()
    assert (3, [0, 0]) == (figures["joined"], [side["unreadable"] for side in figures["sides"]])
    assert (1.0, 0.0) == (figures["agreement"], figures["shift"]["p100"])
    assert {"topic": "in", "partition": 0, "offset": 0, "index": None} in [
        example["origin"] for example in figures["shifted_examples"]
    ]


@pytest.mark.parametrize("form", ["json-schema", "avro", "protobuf"])
async def test_without_a_registry_the_line_names_it(form: Format, registry: FakeRegistry) -> None:
    """The topic does not pass for one without events."""
    with pytest.raises(InputError, match="out: its events are written with a schema; set SENTIM"):
        await values_of(await _events(form, registry, 1), None)


async def test_values_that_cannot_be_read(registry: FakeRegistry) -> None:
    """Plain ones stay as they are; a schema that nobody has, or a cut framing, gives None."""
    [event] = await _events("json", registry, 1)
    values: list[bytes | None] = [event.value, None, b"\x00\x00\x00\x03\xe7x", b"\x00\x00"]
    records = [replace(event, value=value) for value in values]
    async with schemas_at(registry.url) as schemas:
        found: list[Any] = await values_of(records, schemas)
    assert [event.value, None, None, None] == found
