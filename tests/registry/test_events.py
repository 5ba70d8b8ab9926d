"""Events in a registered format: what Confluent's own deserializers read of them."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.json_format import MessageToDict

from service.errors import BrokerError, RetriableError, SettingsError
from service.records import (
    Document,
    Message,
    ModelInfo,
    Outgoing,
    Reading,
    Reason,
    Rejected,
    TextStats,
    Verdict,
)
from service.registry import schemas_of, writer_of
from service.settings import KafkaSettings, load_settings
from service.wire import Encoder
from service.wire.typed.columns import NUMBERED
from tools.registry.producers import protobuf_class
from tools.registry.reading import schemas_at
from tools.values import record

if TYPE_CHECKING:
    from service.records import Record
    from tools.registry.fake import FakeRegistry

Format = Literal["json-schema", "avro", "protobuf"]
FORMATS = get_args(Format)
ROOT = Path(__file__).resolve().parents[2]
MODEL = ModelInfo("m", "r", "onnx_packed", "float32", "cpu", ("NEGATIVE", "POSITIVE"))
READING = Reading("POSITIVE", 0.75, {"NEGATIVE": 0.25, "POSITIVE": 0.75}, True)
FIELDS = {"id": 2**70, "lang": None, "metadata": {"a": [1]}, "extra": "x\0y"}


async def encoded(url: str, form: str, message: Message, **settings: Any) -> Outgoing:
    """The record of an event."""
    settings |= {"schema_registry_url": url, "output_format": form, "output_topic": "out"}
    kafka = KafkaSettings(**settings)
    async with schemas_at(url) as schemas:
        write = await writer_of(schemas, kafka)
    encoder = Encoder(
        "out", "dead", include_text=True, model=MODEL, version="1", cloudevents_source="urn:s",
        write=write,
    )  # fmt: skip
    stats = TextStats(3, truncated=False, windows=1, unknown_share=0)
    document = Document(message, ([1, 2, 3],), stats, "en")
    return encoder.encode(Verdict(document, READING), 1.5, 2.0)


def message(one: Record | None = None) -> Message:
    """A message with fields that are hard to read."""
    return Message(one or record(), "I love it \0 👍", dict(FIELDS))


async def read(url: str, form: str, value: bytes) -> dict[str, Any]:
    """What the deserializer makes of a value."""
    return await asyncio.to_thread(_read, url, form, value)


def _read(url: str, form: str, value: bytes) -> dict[str, Any]:
    context = SerializationContext("out", MessageField.VALUE, [])
    with SchemaRegistryClient({"url": url}) as client:
        if form == "avro":
            found: Any = AvroDeserializer(client)(value, context)
            return dict(found)
        if form == "json-schema":
            return dict(JSONDeserializer(None, schema_registry_client=client)(value, context) or {})
        text = (ROOT / "schemas" / "sentiment-event.proto").read_text()
        event_class = protobuf_class(text, "sentiment.v1.SentimentEvent")
        options = {"use.deprecated.format": False}
        if "ccompat" in url:
            # Apicurio has no `format=serialized`, which this deserializer asks for.
            one = event_class.FromString(value[6:])
        else:
            one = ProtobufDeserializer(event_class, options, client)(value, context)
        return dict(MessageToDict(one, preserving_proto_field_name=True))


@pytest.mark.parametrize("form", FORMATS)
async def test_on_a_fake_registry(registry: FakeRegistry, form: Format) -> None:
    """Registered under the output topic's subject; all fields that have a type are there."""
    await expect_it(registry.url, form)
    assert 1 == registry.asked["/subjects/out-value/versions"]


@pytest.mark.parametrize("form", FORMATS)
async def test_on_apicurio(apicurio: str, form: Format) -> None:
    """As on a fake one; and registered once more it is the same schema."""
    subject = f"events-{uuid.uuid4().hex}"
    for _ in range(2):
        await expect_it(f"{apicurio}/apis/ccompat/v7", form, schema_registry_subject=subject)


async def expect_it(url: str, form: Format, **settings: Any) -> None:
    """The event that is read is the one that is published in JSON."""
    out = await encoded(url, form, message(), **settings)
    assert out.value is not None
    event = await read(url, form, out.value)
    plain = await encoded(url, "json", message())
    published = json.loads(plain.value or b"")
    if form == "json-schema":
        assert published == event
    else:
        names = NUMBERED["SentimentEvent"]
        expected = {name: published[name] for name in names}
        if form == "protobuf":
            # Nulls are not there, and integers of 64 bits are strings.
            event["origin"] |= {
                name: int(event["origin"][name]) for name in ("partition", "offset", "timestamp")
                if name in event["origin"]
            }  # fmt: skip
            event["text_stats"] = {
                n: event["text_stats"].get(n, 0) for n in published["text_stats"]
            }
            event["text_stats"] |= {
                name: int(event["text_stats"][name]) for name in ("tokens", "windows")
            }
            expected["origin"] = {
                k: v for k, v in published["origin"].items() if v not in (None, 0)
            }
            event["origin"] = {k: v for k, v in event["origin"].items() if v not in (None, 0)}
            expected = {name: value for name, value in expected.items() if value is not None}
            del expected["text_stats"]["quoted_chars"]
        assert expected | {"text_stats": 0} == event | {"text_stats": 0}
        assert 3 == event["text_stats"]["tokens"]
    assert str(2**70) == event["source_id_text"]
    assert "I love it � 👍" == event["text"]
    # The framed value is no JSON: it has no content type; all other attributes are there.
    assert [name for name, _ in plain.headers if name != "content-type"] == [
        name for name, _ in out.headers
    ]
    assert plain.key == out.key


async def test_dead_letters_stay_as_they_are(registry: FakeRegistry) -> None:
    """They hold the message's bytes, whatever the format of events is."""
    kafka = KafkaSettings(schema_registry_url=registry.url, output_format="avro")
    schemas = schemas_of(kafka)
    assert schemas is not None
    write = await writer_of(schemas, kafka)
    await schemas.close()
    encoder = Encoder("out", "dead", include_text=True, model=MODEL, version="1", write=write)
    letter = encoder.encode(Rejected(record(), Reason.NOT_JSON, "d", "decode"), 1.5, 2.0)
    assert record().value == letter.value


async def test_a_schema_that_must_be_there(registry: FakeRegistry) -> None:
    """Without registering, it ends with one line until somebody has registered it."""
    with pytest.raises(BrokerError, match=r"not registered under the subject mine; .*REGISTER=tr"):
        await encoded(
            registry.url, "avro", message(), schema_registry_register=False,
            schema_registry_subject="mine",
        )  # fmt: skip
    assert 0 == registry.asked["/subjects/mine/versions"]
    await encoded(registry.url, "avro", message(), schema_registry_subject="mine")
    await encoded(
        registry.url, "avro", message(), schema_registry_register=False,
        schema_registry_subject="mine",
    )  # fmt: skip
    assert 1 == registry.asked["/subjects/mine/versions"]


async def test_rules_that_refuse_it(registry: FakeRegistry) -> None:
    """The line has the registry's own words and the subject."""
    registry.refuses = "Schema being registered is incompatible with an earlier schema"
    with pytest.raises(BrokerError, match=r"the subject out-value \(Schema being registered is in"):
        await encoded(registry.url, "protobuf", message())


async def test_a_registry_that_is_away(registry: FakeRegistry) -> None:
    """The start waits for it."""
    registry.status = 503
    with pytest.raises(RetriableError, match="status 503"):
        await encoded(registry.url, "avro", message())


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (None, "OUTPUT_FORMAT=avro needs SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL"),
        ("http://a/apis/registry/v3", "set it to that registry's /apis/ccompat/v7"),
    ],
)
def test_settings_that_cannot_be(url: str | None, complaint: str) -> None:
    """There must be a registry to register it at, with Confluent's API."""
    given = {"output_format": "avro"} | ({"schema_registry_url": url} if url else {})
    with pytest.raises(SettingsError, match=complaint):
        load_settings({"kafka": given})
