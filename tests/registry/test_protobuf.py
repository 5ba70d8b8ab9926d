"""Values of Protobuf as JSON, by schemas in text: what protoc makes of them, and broken ones."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass

from service.records import Reason
from service.registry.documents import SchemaUnusableError
from service.registry.framing import Framed, SchemaKey
from service.registry.proto_text import TEXT_BYTES_MAX, compiled
from service.registry.protobuf import Imported, ProtobufReader
from service.wire.documents.json_values import RejectError
from tools.registry.compiler import by_protoc

KEY = SchemaKey("id", 7)
ALL = """
syntax = "proto3";
package acme.v1;

import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import public "google/protobuf/any.proto";

option java_package = "com.acme";

/* A post. */
message Post {
  option deprecated = true;
  int64 id = 1;
  optional string text = 2; // optional
  repeated string tags = 3;
  map<string, Part> parts = 4;
  oneof by {
    string user = 5;
    .acme.v1.Post.Part bot = 6;
  }
  Kind kind = 7;
  bytes raw = 8;
  google.protobuf.Timestamp at = 9;
  google.protobuf.StringValue note = 10;
  double score = 11;
  reserved 12, 14 to 16;
  reserved "old";
  repeated int32 numbers = 17 [packed = false];
  optional bool flag = 18;
  message Part {
    string name = 1;
    Post inner = 2;
    message Deep { uint32 n = 1; }
  }
  enum Kind { option allow_alias = true; NONE = 0; GOOD = 1; FINE = 1; BAD = -1; }
}

enum Color { RED = 0; }

message Other { Post.Part.Deep deep = 1; Color color = 2; map<int32, Color> colors = 3; }

service Posts { rpc Get (Post) returns (stream Other); }
"""
MESSAGE = {
    "id": "7",
    "text": "I love it",
    "tags": ["a", "b"],
    "parts": {"x": {"name": "n", "inner": {"text": "in"}}},
    "bot": {"name": "robot"},
    "kind": "BAD",
    "raw": "/wA=",
    "at": "2026-05-04T09:30:00.093Z",
    "note": "noted",
    "score": "NaN",
    "numbers": [1, -1],
    "flag": False,
}
OLD = """
package acme;
message Post {
  required string text = 1;
  optional int32 likes = 2 [default = 5];
  repeated int32 packed = 3 [packed = true];
  extensions 100 to 199;
}
extend Post { optional string more = 100; }
"""


def protoc_class(text: str, name: str) -> Any:
    """The class of a message, as protoc makes it."""
    pool = DescriptorPool()
    for file in by_protoc(text).file:
        pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(name))


def in_value(payload: bytes) -> Framed:
    """The payload behind the id in a value, which tells the message."""
    return Framed(KEY, payload)


def test_all_kinds_of_fields() -> None:
    """The text is compiled as protoc does it: each field is read as it was written."""
    message_class = protoc_class(ALL, "acme.v1.Post")
    payload = ParseDict(MESSAGE, message_class()).SerializeToString()
    found = ProtobufReader(ALL).read(in_value(b"\x00" + payload))
    assert MESSAGE | {"parts": found["parts"], "bot": found["bot"]} == found
    assert "in" == found["parts"]["x"]["inner"]["text"]
    # What has no presence of its own is there with its default; what has is not.
    assert [] == found["parts"]["x"]["inner"]["tags"]
    assert "flag" not in found["parts"]["x"]["inner"]


def test_proto2() -> None:
    """Text without a syntax; extensions are passed over."""
    message_class = protoc_class(OLD, "acme.Post")
    payload = message_class(text="a", packed=[1, 2]).SerializeToString() + b"\xa2\x06\x01x"
    assert {"text": "a", "packed": [1, 2]} == ProtobufReader(OLD).read(in_value(b"\x00" + payload))
    # The text is looked for later on.
    assert {"likes": 7, "packed": []} == ProtobufReader(OLD).read(in_value(b"\x00\x10\x07"))


def test_a_schema_as_a_descriptor() -> None:
    """Some serializers register it in base64, in place of the text."""
    encoded = base64.b64encode(compiled(OLD, "post.proto").SerializeToString()).decode()
    assert {"text": "a", "packed": []} == ProtobufReader(encoded).read(in_value(b"\x00\x0a\x01a"))


@pytest.mark.parametrize(
    ("framed", "expected"),
    [
        # Confluent: the path to the message, in the value or in the header.
        (Framed(KEY, b"\x00\x12\x01a"), "Post"),
        (Framed(KEY, b"\x02\x00\x12\x01a"), "Post"),
        (Framed(KEY, b"\x02\x02\x0a\x00"), "Other"),
        (Framed(KEY, b"\x06\x00\x00\x00\x08\x07"), "Deep"),
        (Framed(KEY, b"\x12\x01a", b"\x00"), "Post"),
        (Framed(KEY, b"\x12\x01a", b""), "Post"),
        (Framed(KEY, b"\x08\x07", b"\x06\x00\x00\x00"), "Deep"),
        # Apicurio: the name of the message before it, or in a header, or both.
        (Framed(KEY, b"\x07\x0a\x05Other\x0a\x00"), "Other"),
        (Framed(KEY, b"\x06\x0a\x04Deep\x08\x07"), "Deep"),
        (Framed(KEY, b"\x0f\x0a\x0dacme.v1.Other\x0a\x00"), "Other"),
        (Framed(KEY, b"\x0a\x00", type_name="Other"), "Other"),
        (Framed(KEY, b"\x07\x0a\x05Other\x0a\x00", type_name="Other"), "Other"),
    ],
)
def test_which_message(framed: Framed, expected: str) -> None:
    """Each serializer's way to name the message of a schema that has several."""
    shapes = {"Post": "tags", "Other": "deep", "Deep": "n"}
    assert shapes[expected] in ProtobufReader(ALL).read(framed)


@pytest.mark.parametrize(
    ("framed", "reason"),
    [
        (Framed(KEY, b""), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\x00\x12\x09a"), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\x00\x12\x01\xff"), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\x02\x7e\x12\x01a"), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\x01"), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\xff\xff\xff\xff\xff\xff\xff"), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\x7e" + b"\x00" * 63), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\x04\x00"), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\x12\x01a", b"\x02\x10"), Reason.SCHEMA_ERROR),
        (Framed(KEY, b"\x12\x01a", type_name="Nope"), Reason.SCHEMA_ERROR),
        # A time beyond the year 9999.
        (Framed(KEY, b"\x00\x4a\x08\x08\xff\xff\xff\xff\xff\xff\x7f"), Reason.SCHEMA_ERROR),
    ],
)
def test_bytes_that_are_not_of_the_schema(framed: Framed, reason: Reason) -> None:
    """A reason, and never another exception."""
    with pytest.raises(RejectError) as caught:
        ProtobufReader(ALL).read(framed)
    assert reason == caught.value.reason


def test_a_value_that_is_too_deep() -> None:
    """Posts in parts in posts: the runtime's own bound, or that of JSON."""
    payload = b"\x12\x01a"
    for _ in range(200):
        part = _field(2, payload)
        payload = _field(6, part)
    with pytest.raises(RejectError):
        ProtobufReader(ALL).read(in_value(b"\x00" + payload))


def _field(number: int, content: bytes) -> bytes:
    size = io.BytesIO()
    left = len(content)
    while left > 0x7F:
        size.write(bytes([left & 0x7F | 0x80]))
        left >>= 7
    size.write(bytes([left]))
    return bytes([number << 3 | 2]) + size.getvalue() + content


def test_imports() -> None:
    """A schema may import others, those that every compiler has, and what only options need."""
    inner = 'syntax = "proto3"; package a; message Inner { string text = 1; }'
    outer = """
        syntax = "proto3";
        import "a/inner.proto";
        import "confluent/meta.proto";
        import "google/protobuf/duration.proto";
        option (confluent.file_meta).doc = "x";
        message Outer { a.Inner inner = 1; google.protobuf.Duration took = 2; }
    """
    reader = ProtobufReader(outer, [Imported("a/inner.proto", inner)])
    assert {"inner": {"text": "a"}} == reader.read(in_value(b"\x00\x0a\x03\x0a\x01a"))
    with pytest.raises(SchemaUnusableError, match=r"imports a/inner.proto, confluent/meta.proto"):
        ProtobufReader(outer)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "without a message"),
        ("message", "it is no Protobuf schema"),
        ("{}", "it is no Protobuf schema"),
        ("message A { string text = 1; ", "it is no Protobuf schema"),
        ("message A { Unknown text = 1; }", "has types that"),
        ("message A { string a = 1; string b = 1; }", "is wrong"),
        ('syntax = "proto4"; message A { string a = 1; }', "is wrong"),
        ('edition = "2023"; message A { string a = 1; }', "its edition"),
        ("message A { optional group B = 1 { } }", "group"),
        ("// " + "a" * TEXT_BYTES_MAX, "over"),
        ("message A {" * 5000, "it is no Protobuf schema"),
    ],
)
def test_schemas_that_cannot_be_used(
    text: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each has a reason, and nothing is printed."""
    with pytest.raises(SchemaUnusableError, match=why):
        ProtobufReader(text)
    assert ("", "") == capfd.readouterr()
