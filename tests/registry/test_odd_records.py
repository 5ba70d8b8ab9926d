"""Odd and broken records with a schema: an event, skipped, or a dead letter with a remedy."""

from __future__ import annotations

import io
import json
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import fastavro
import pytest

from service.records import Decoded, Headers, Message, Reason, Rejected, Skipped
from tools.registry.reading import read, schemas_at
from tools.values import record

if TYPE_CHECKING:
    from tools.registry.fake import FakeRegistry

POST = {
    "type": "record",
    "name": "Post",
    "fields": [
        {"name": "text", "type": ["null", "string", "long", {"type": "array", "items": "string"}]},
        {"name": "op", "type": ["null", "string"], "default": None},
    ],
}
POSTS = {"type": "array", "items": POST}
FEED = {"type": "record", "name": "Feed", "fields": [{"name": "posts", "type": POSTS}]}
NODE = {
    "type": "record",
    "name": "N",
    "fields": [{"name": "text", "type": ["null", "N", "string"]}],
}
PROTO = 'syntax = "proto3"; message Post { string text = 1; Post in = 2; repeated Post all = 3; }'
SCHEMAS: dict[str, dict[str, Any]] = {
    "avro": {"schema": json.dumps(POST)},
    "posts": {"schema": json.dumps(POSTS)},
    "feed": {"schema": json.dumps(FEED)},
    "string": {"schema": '"string"'},
    "node": {"schema": json.dumps(NODE)},
    "json": {"schema": '{"type": "object"}', "schemaType": "JSON"},
    "proto": {"schema": PROTO, "schemaType": "PROTOBUF"},
    "xml": {"schema": "<a/>", "schemaType": "XML"},
    "broken": {"schema": "{"},
    "endless": {"schema": '{"type": "array", "items": "null"}'},
    "huge": {"schema": json.dumps("a" * 2**21)},
}
NUMBERS = {name: number for number, name in enumerate(SCHEMAS, 1)}


class Odd(NamedTuple):
    """A record, and what becomes of it: texts, and reasons of dead letters and skipped ones."""

    value: bytes
    told: tuple[str, ...]
    headers: Headers = ()
    text_field: str = "/text"


def by(name: str, payload: bytes = b"") -> bytes:
    """A value with the id of a schema."""
    return b"\0" + NUMBERS[name].to_bytes(4) + payload


def avro(schema: Any, value: Any) -> bytes:
    """A value in Avro."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


def in_header(name: str) -> Headers:
    """The header that names a schema."""
    return (("__value_schema_id", b"\0" + NUMBERS[name].to_bytes(4)),)


GOOD = avro(POST, {"text": "good"})
ODD = [
    # Framing.
    Odd(b"\0", ("schema_error",)),
    Odd(b"\0\0\0", ("schema_error",)),
    Odd(b"\0\0\0\0\0", ("schema_error",)),
    Odd(b"\0\xff\xff\xff\xff" + GOOD, ("schema_error",)),
    Odd(b"\0\0\xff\xff\xff" + GOOD, ("schema_error",)),
    Odd(b"\0" + bytes(7) + b"\1" + GOOD, ("good",)),
    Odd(b"\0" + bytes(4) + b"\xff\xff\xff\xff" + GOOD, ("schema_error",)),
    Odd(b"\1" + uuid.UUID(int=7, version=4).bytes + GOOD, ("schema_error",)),
    Odd(b"\1" + GOOD, ("not_json",)),
    Odd(b"\2" + by("avro", GOOD), ("not_json",)),
    Odd(GOOD, ("not_json",)),
    Odd(b"", ("not_json",)),
    Odd(by("avro", by("avro", GOOD)), ("schema_error",)),
    Odd(b'{"text": "plain"}', ("plain",)),
    Odd(b'\xef\xbb\xbf{"text": "plain"}', ("plain",)),
    # Headers.
    Odd(GOOD, ("good",), in_header("avro")),
    Odd(by("avro", GOOD), ("schema_error",), in_header("avro")),
    Odd(GOOD, ("schema_error",), (("__value_schema_id", b""),)),
    Odd(GOOD, ("schema_error",), (("__value_schema_id", None),)),
    Odd(GOOD, ("schema_error",), (("__value_schema_id", b"\1\2"),)),
    Odd(GOOD, ("schema_error",), (("__value_schema_id", b"\0\0\0\xff\xff"),)),
    Odd(GOOD, ("not_json",), (("__key_schema_id", b"\0\0\0\0\1"),)),
    Odd(GOOD, ("good",), (("apicurio.value.globalId", (1).to_bytes(8)),)),
    Odd(GOOD, ("schema_error",), (("apicurio.value.globalId", b"1"),)),
    Odd(GOOD, ("schema_error",), (("apicurio.value.globalId", b"\xff" * 8),)),
    Odd(GOOD, ("schema_error",), (("apicurio.value.contentHash", b"f" * 64),)),
    Odd(GOOD, ("schema_error",), (("apicurio.value.artifactId", b"post"),)),
    Odd(b'{"text": "plain"}', ("plain",), (("apicurio.value.msgType", b"Post"),)),
    # Schemas.
    Odd(by("xml", b"<a/>"), ("schema_error",)),
    Odd(by("broken", GOOD), ("schema_error",)),
    Odd(by("endless", b"\xfe\xff\xff\xff\x0f\0"), ("schema_error",)),
    Odd(by("huge", GOOD), ("schema_error",)),
    # Avro.
    Odd(by("avro"), ("schema_error",)),
    Odd(by("avro", GOOD[:-3]), ("schema_error",)),
    Odd(by("avro", GOOD + b"\0"), ("schema_error",)),
    Odd(by("avro", b"\x10" + GOOD), ("schema_error",)),
    Odd(by("avro", b"\2\4\xff\xfe\0"), ("not_utf8",)),
    Odd(by("avro", avro(POST, {"text": None})), ("text_missing",)),
    Odd(by("avro", avro(POST, {"text": "  "})), ("text_empty",)),
    Odd(by("avro", avro(POST, {"text": 7})), ("wrong_type",)),
    Odd(by("avro", avro(POST, {"text": ["a"]})), ("wrong_type",)),
    Odd(by("avro", avro(POST, {"text": ["a", "b"]})), ("a", "b"), (), "/text/*"),
    Odd(by("avro", avro(POST, {"text": []})), ("empty_list",), (), "/text/*"),
    Odd(by("avro", avro(POST, {"text": ["x"] * 1001})), ("too_many_elements",), (), "/text/*"),
    Odd(by("avro", avro(POST, {"text": "a" * 2000})), ("text_too_large",)),
    Odd(by("avro", avro(POST, {"text": "gone", "op": "d"})), ("value",)),
    Odd(by("avro", avro(POST, {"text": '{"text": "in"}'})), ("in",), (), "/text/text"),
    Odd(by("posts", avro(POSTS, [{"text": "a"}, {"text": None}])), ("a", "text_missing")),
    Odd(by("posts", avro(POSTS, [])), ("empty_list",)),
    Odd(by("feed", avro(FEED, {"posts": [{"text": "a"}]})), ("a",), (), "/posts/*/text"),
    Odd(avro(FEED, {"posts": [{"text": None}, {"text": "b"}]}), ("text_missing", "b"),
        in_header("feed"), "/posts/*/text"),
    Odd(by("string", b"\2a"), ("a",), (), ""),
    Odd(by("string", b"\2a"), ("wrong_type",)),
    Odd(by("string", b"\0"), ("text_empty",), (), ""),
    Odd(by("node", b"\2" * 2**18), ("too_deep",)),
    Odd(by("node", b"\2" * 120 + b"\4\2a"), ("too_deep",)),
    Odd(by("node", b"\2\2\2\4\2a"), ("a",), (), "/text/text/text/text"),
    # JSON Schema.
    Odd(by("json"), ("not_json",)),
    Odd(by("json", b"{"), ("not_json",)),
    Odd(by("json", b'{"text": "\xff"}'), ("not_utf8",)),
    Odd(by("json", b'{"text": NaN}'), ("not_finite",)),
    Odd(by("json", b"[" * 200), ("too_deep",)),
    Odd(by("json", b'"a"'), ("wrong_type",)),
    Odd(by("json", b'[{"text": "a"}, {"text": "b"}]'), ("a", "b")),
    Odd(b'[{"text": "a"}, {}]', ("a", "text_missing"), in_header("json")),
    Odd(by("json", b'{"text": "a"}\n{"text": "b"}'), ("not_json",)),
    # Protobuf.
    Odd(by("proto"), ("schema_error",)),
    Odd(by("proto", b"\0"), ("text_empty",)),
    Odd(by("proto", b"\0\x0a\1a"), ("a",)),
    Odd(by("proto", b"\0\x0a\x09a"), ("schema_error",)),
    Odd(by("proto", b"\0\x0a\1\xff"), ("schema_error",)),
    Odd(by("proto", b"\2\x12\x0a\1a"), ("schema_error",)),
    Odd(by("proto", b"\xff" * 9), ("schema_error",)),
    Odd(by("proto", b"\6\x0a\4Post\x0a\1a"), ("a",)),
    Odd(by("proto", b"\0\x1a\3\x0a\1a\x1a\0"), ("a", "text_empty"), (), "/all/*/text"),
    Odd(b"\x0a\1a", ("a",), in_header("proto")),
    Odd(b"\x0a\1a\xf8\x07\1", ("a",), in_header("proto")),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_nothing_is_lost(registry: FakeRegistry, odd: Odd) -> None:
    """An event, a reason to be skipped, or a dead letter: with its bytes, and what to do."""
    assert list(NUMBERS.values()) == [registry.add(schema) for schema in SCHEMAS.values()]
    one = record(value=odd.value, headers=odd.headers)
    async with schemas_at(registry.url) as schemas:
        found = await read(schemas, one, odd.text_field, "/op=d")
        assert list(odd.told) == [_told(item) for item in found]
        for item in found:
            if item.record.index is None:
                assert one == item.record
            if isinstance(item, Rejected):
                assert item.detail
            # Sent back alone, it gives the same, whatever its record was written with.
            [again] = await read(schemas, item.record, odd.text_field, "/op=d")
            assert _told(item) == _told(again)


def _told(item: Decoded) -> str:
    assert isinstance(item, Message | Rejected | Skipped)
    return item.text if isinstance(item, Message) else item.reason


def test_there_are_many() -> None:
    """Over sixty, and each says what to do where its schema is at fault."""
    assert len(ODD) > 60
    assert 20 < sum(Reason.SCHEMA_ERROR in odd.told for odd in ODD)
