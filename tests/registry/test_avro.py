"""Values of Avro as JSON: their forms, and schemas and values that are made to harm."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest

from service.records import Reason
from service.registry.avro import AvroReader
from service.registry.documents import SchemaUnusableError
from service.registry.framing import Framed, SchemaKey
from service.wire.documents.json_values import RejectError

KEY = SchemaKey("id", 7)
UTC = dt.UTC
NODE = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}


def read(schema: Any, payload: bytes, *, is_json_encoded: bool = False) -> Any:
    """The payload as JSON."""
    framed = Framed(KEY, payload, is_json_encoded=is_json_encoded)
    return AvroReader(json.dumps(schema)).read(framed)


def written(schema: Any, value: Any) -> bytes:
    """The value in Avro."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ("null", None, None),
        ("boolean", True, True),
        ("long", -(2**63), -(2**63)),
        ("double", 0.5, 0.5),
        ("double", float("nan"), "NaN"),
        ("float", float("-inf"), "-Infinity"),
        ("string", "Grüße", "Grüße"),
        ("bytes", b"\xff\x00", "/wA="),
        ({"type": "fixed", "name": "F", "size": 2}, b"\xff\x00", "/wA="),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B"),
        (["null", "string", "long"], 7, 7),
        ({"type": "array", "items": "long"}, [1, 2], [1, 2]),
        ({"type": "map", "values": "string"}, {"a": "b"}, {"a": "b"}),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            Decimal("-12.50"),
            "-12.50",
        ),
        (
            {"type": "string", "logicalType": "uuid"},
            UUID(int=7),
            "00000000-0000-0000-0000-000000000007",
        ),
        ({"type": "int", "logicalType": "date"}, dt.date(2026, 5, 4), "2026-05-04"),
        ({"type": "int", "logicalType": "time-millis"}, dt.time(9, 30), "09:30:00"),
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            dt.datetime(2026, 5, 4, 9, 30, 0, 93000, UTC),
            "2026-05-04T09:30:00.093000Z",
        ),
        (
            {"type": "long", "logicalType": "local-timestamp-micros"},
            dt.datetime(2026, 5, 4, 9, 30),  # noqa: DTZ001 - it has none
            "2026-05-04T09:30:00",
        ),
        # Times that Python has not are the numbers that were written.
        ({"type": "long", "logicalType": "timestamp-millis"}, 2**60, 2**60),
        # A logical type that nobody knows changes nothing.
        ({"type": "string", "logicalType": "post-code"}, "12345", "12345"),
    ],
)
def test_forms(schema: Any, value: Any, expected: Any) -> None:
    """The forms that the contract names."""
    assert expected == read(schema, written(schema, value))


def test_schemas_that_it_names() -> None:
    """They are given apart, and may name each other."""
    inner = {"type": "record", "name": "a.Inner", "fields": [{"name": "text", "type": "string"}]}
    outer = {"type": "record", "name": "a.Outer", "fields": [{"name": "in", "type": "Inner"}]}
    reader = AvroReader(json.dumps(outer), [json.dumps(inner)])
    assert {"in": {"text": "ab"}} == reader.read(Framed(KEY, b"\x04ab"))


def test_encoded_as_json() -> None:
    """As Apicurio's serializer writes it if told so: unions have the name of their type."""
    schema = {
        "type": "record",
        "name": "Post",
        "fields": [{"name": "text", "type": ["null", "string"]}],
    }
    value = b'{"text": {"string": "a"}}'
    assert {"text": "a"} == read(schema, value, is_json_encoded=True)
    with pytest.raises(RejectError, match="the bytes are not of the Avro schema"):
        read(schema, b"{", is_json_encoded=True)


@pytest.mark.parametrize(
    ("schema", "payload", "reason"),
    [
        ("string", b"\x10abc", Reason.SCHEMA_ERROR),
        ("string", b"\x09", Reason.SCHEMA_ERROR),
        ("string", b"", Reason.SCHEMA_ERROR),
        ("string", b"\x04\xff\xfe", Reason.NOT_UTF8),
        ("long", b"\x80" * 40, Reason.SCHEMA_ERROR),
        ("string", b"\x02ab", Reason.SCHEMA_ERROR),
        (["null", "string"], b"\x08", Reason.SCHEMA_ERROR),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, b"\x04", Reason.SCHEMA_ERROR),
        ({"type": "array", "items": "string"}, b"\xfe\xff\xff\xff\x0f", Reason.SCHEMA_ERROR),
        # Half a megabyte that is deeper than any stack: it would end the process.
        (NODE, b"\x02" * 2**19, Reason.TOO_DEEP),
        (NODE, b"\x02" * 150 + b"\x00", Reason.TOO_DEEP),
    ],
)
def test_bytes_that_are_not_of_the_schema(schema: Any, payload: bytes, reason: Reason) -> None:
    """A reason, and never another exception."""
    with pytest.raises(RejectError) as caught:
        read(schema, payload)
    assert reason == caught.value.reason


def test_a_schema_that_names_itself() -> None:
    """A value of it is read, if it is not too deep."""
    found = read(NODE, b"\x02" * 50 + b"\x00")
    for _ in range(50):
        found = found["next"]
    assert {"next": None} == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no Avro schema"),
        ("{", "it is no Avro schema"),
        ("[" * 100_000, "it is no Avro schema"),
        ('{"type": "record"}', "it is no Avro schema"),
        ('"acme.Unknown"', "it is no Avro schema"),
        ("7", "it is no Avro schema"),
        ('{"type": "array", "items": "null"}', "an array whose elements take no bytes"),
        (
            '{"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}',
            "an array whose elements take no bytes",
        ),
        (
            json.dumps(
                {
                    "type": "record",
                    "name": "R",
                    "fields": [
                        {"name": "e", "type": {"type": "record", "name": "E", "fields": []}},
                        {"name": "a", "type": ["null", {"type": "array", "items": "E"}]},
                    ],
                }
            ),
            "an array whose elements take no bytes",
        ),
    ],
)
def test_schemas_that_cannot_be_used(text: str, why: str) -> None:
    """Four bytes of such an array would take all memory."""
    with pytest.raises(SchemaUnusableError, match=why):
        AvroReader(text)
