"""What libraries that write to Kafka make of a message, and the settings that read it.

Exists for the page of feeds and its test. Headers and values are what the named library of that
version writes, or what its documentation shows; none of them is needed to run the tests. Values
only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from service.records import Headers

TEXT = "Fine work"
MESSAGE = {"id": "r-1", "text": TEXT}


class Producer(NamedTuple):
    """A producer, its record, and the settings besides the defaults.

    `reads` says whether the text is read; a producer that is not read has its settings in a row of
    its own, if there are any.
    """

    name: str
    source: str
    value: bytes
    headers: Headers = ()
    settings: tuple[tuple[str, str], ...] = ()
    reads: bool = True


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _at(pointer: str) -> tuple[tuple[str, str], ...]:
    return (("text_field", pointer),)


_JSON = _json(MESSAGE)
_EVENT = {
    "specversion": "1.0",
    "id": "r-1",
    "source": "https://shop.example/reviews",
    "type": "com.example.review",
    "datacontenttype": "application/json",
    "data": {"text": TEXT},
}
_BINARY: Headers = (
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_id", b"r-1"),
    ("ce_source", b"https://shop.example/reviews"),
    ("ce_type", b"com.example.review"),
)
_SCHEMA = {
    "type": "struct",
    "optional": False,
    "fields": [{"type": "string", "optional": True, "field": "text"}],
}
_CHANGE = {
    "before": None,
    "after": {"id": 41, "text": TEXT},
    "source": {"version": "3.2.0.Final", "connector": "postgresql", "name": "shop"},
    "op": "c",
    "ts_ms": 1790000000150,
}
_CONFLUENT = "confluent-kafka 2.16.1"
_CONNECT = "Kafka Connect 4.1 documentation"
_SPRING = "spring-kafka 4.2 documentation"
_CLOUDEVENTS = "cloudevents 2.2.0 for Python"
_FASTSTREAM = "FastStream 0.7.8"
_LOGSTASH = "Logstash 9 documentation"
_STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)
_TYPE_ID: Headers = (("__TypeId__", b"com.example.Review"),)
_SCHEMA_ID = bytes([1, *range(16)])  # a version and the GUID of a schema

PRODUCERS = (
    Producer("kafkajs, JSON.stringify", "kafkajs 2.2.4", _JSON),
    Producer("FastStream, a dict", _FASTSTREAM, _JSON, (("content-type", b"application/json"),)),
    Producer("FastStream, a str", _FASTSTREAM, TEXT.encode(), (("content-type", b"text/plain"),)),
    Producer("Spring JsonSerializer, an object", _SPRING, _JSON, _TYPE_ID),
    Producer(
        "Spring JsonSerializer, a String",
        _SPRING,
        _json(TEXT),
        (("__TypeId__", b"java.lang.String"),),
        _at(""),
    ),
    Producer(
        "Confluent JSON, id in the header",
        _CONFLUENT,
        _JSON,
        (("__value_schema_id", _SCHEMA_ID),),
    ),
    Producer("Confluent JSON, id in the value", _CONFLUENT, b"\0\0\0\0\x01" + _JSON, reads=False),
    Producer("CloudEvents, binary", _CLOUDEVENTS, _json({"text": TEXT}), _BINARY),
    Producer("CloudEvents, structured", _CLOUDEVENTS, _json(_EVENT), _STRUCTURED),
    Producer(
        "CloudEvents, structured, of the SDK's `v1` module",
        _CLOUDEVENTS,
        _json(_EVENT),
        (("content-type", b"application/json"),),
    ),
    Producer("Dapr", "Dapr components-contrib 1.16, pubsub/kafka", _json(_EVENT)),
    Producer("Connect JsonConverter without schemas", _CONNECT, _json({"text": TEXT})),
    Producer(
        "Connect JsonConverter with schemas",
        _CONNECT,
        _json({"schema": _SCHEMA, "payload": {"text": TEXT}}),
        settings=_at("/payload/text"),
    ),
    Producer(
        "Connect JsonConverter with schemas, a string",
        _CONNECT,
        _json({"schema": {"type": "string", "optional": False}, "payload": TEXT}),
        settings=_at("/payload"),
    ),
    Producer(
        "Debezium without schemas", "Debezium 3", _json(_CHANGE), settings=(("feed", "debezium"),)
    ),
    Producer(
        "Debezium with schemas",
        "Debezium 3",
        _json({"schema": _SCHEMA, "payload": _CHANGE}),
        settings=(("feed", "debezium"),),
    ),
    Producer(
        "Vector, codec json",
        "Vector documentation, August 2026",
        _json(
            {
                "host": "web-1",
                "message": TEXT,
                "source_type": "http_server",
                "timestamp": "2026-09-21T14:13:20Z",
            }
        ),
        settings=_at("/message"),
    ),
    Producer(
        "Vector, codec text",
        "Vector documentation, August 2026",
        TEXT.encode(),
        settings=(("input_format", "text"),),
    ),
    Producer(
        "Logstash, codec json",
        _LOGSTASH,
        _json({"@timestamp": "2026-09-21T14:13:20.000Z", "@version": "1", "message": TEXT}),
        settings=_at("/message"),
    ),
    Producer(
        "Logstash, codec plain",
        _LOGSTASH,
        f"2026-09-21T14:13:20.000Z web-1 {TEXT}".encode(),
        reads=False,
    ),
    Producer(
        "Fluent Bit, format json",
        "Fluent Bit 4 documentation, output kafka",
        _json({"@timestamp": 1790000000.0, "log": TEXT}),
        settings=_at("/log"),
    ),
)
