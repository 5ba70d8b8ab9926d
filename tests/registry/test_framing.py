"""Which schema a value is written with: by its first bytes, or by its headers."""

from __future__ import annotations

import uuid

import pytest

from service.records import Headers, Reason
from service.registry.framing import Framed, SchemaKey, framed
from service.wire.documents.formats import without_schema
from service.wire.documents.json_values import RejectError

GUID = uuid.UUID("5f0e8b8e-7a56-4b3e-9a3e-3f4f3f6d1c11")
SHA256 = "a" * 64
ID_7 = (7).to_bytes(8)


@pytest.mark.parametrize(
    ("value", "headers", "expected"),
    [
        (b'{"text": "a"}', (), None),
        (b"", (), None),
        (b"\x00\x00\x00\x00\x07abc", (), Framed(SchemaKey("id", 7), b"abc")),
        (b"\x00\x00\x00\x00\x07", (), Framed(SchemaKey("id", 7), b"")),
        # Apicurio's serializers before version 3.
        (b"\x00" + ID_7 + b"abc", (), Framed(SchemaKey("long", 7), b"abc")),
        (b"\x01" + GUID.bytes + b"abc", (), Framed(SchemaKey("guid", str(GUID)), b"abc")),
        (
            b"abc",
            (("__value_schema_id", b"\x00\x00\x00\x00\x07\x02\x02"),),
            Framed(SchemaKey("id", 7), b"abc", b"\x02\x02"),
        ),
        (
            b"abc",
            (("__value_schema_id", b"\x01" + GUID.bytes),),
            Framed(SchemaKey("guid", str(GUID)), b"abc", b""),
        ),
        # A header says that the value has no framing, whatever it begins with.
        (
            b"\x00\x00\x00\x00\x08",
            (("__value_schema_id", b"\x00\x00\x00\x00\x07"),),
            Framed(SchemaKey("id", 7), b"\x00\x00\x00\x00\x08", b""),
        ),
        (
            b"abc",
            (("apicurio.value.globalId", ID_7), ("apicurio.value.encoding", b"BINARY")),
            Framed(SchemaKey("global", 7), b"abc"),
        ),
        (
            b"{}",
            (("apicurio.value.contentId", ID_7), ("apicurio.value.encoding", b"JSON")),
            Framed(SchemaKey("content", 7), b"{}", is_json_encoded=True),
        ),
        (
            b"abc",
            (("apicurio.value.contentHash", SHA256.encode()), ("apicurio.protobuf.type", b"Post")),
            Framed(SchemaKey("hash", SHA256), b"abc", type_name="Post"),
        ),
        # A key's schema, and a type alone, say nothing of the value.
        (b"abc", (("__key_schema_id", b"\x00\x00\x00\x00\x07"),), None),
        (b"{}", (("apicurio.value.encoding", b"JSON"),), None),
    ],
)
def test_framings(value: bytes, headers: Headers, expected: Framed | None) -> None:
    """Each serializer's way to name a schema."""
    assert expected == framed(value, headers)


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"\x00", ()),
        (b"\x00\x00\x00\x07", ()),
        (b"\x00\x00\x00\x00\x00", ()),
        (b"\x00" * 9, ()),
        (b"\x00\x80\x00\x00\x00abc", ()),
        (b"abc", (("__value_schema_id", b""),)),
        (b"abc", (("__value_schema_id", None),)),
        (b"abc", (("__value_schema_id", b"\x00\x00\x07"),)),
        (b"abc", (("__value_schema_id", b"\x00\x00\x00\x00\x00"),)),
        (b"abc", (("__value_schema_id", b"\x01" + GUID.bytes[:15]),)),
        (b"abc", (("__value_schema_id", b"7"),)),
        (b"abc", (("apicurio.value.globalId", b"7"),)),
        (b"abc", (("apicurio.value.contentId", b"\xff" * 8),)),
        (b"abc", (("apicurio.value.contentHash", b"../../admin"),)),
        (b"abc", (("apicurio.value.artifactId", b"post"), ("apicurio.value.version", b"1"))),
    ],
)
def test_broken_framings(value: bytes, headers: Headers) -> None:
    """What begins like a framing and names no schema is told what to do."""
    with pytest.raises(RejectError) as caught:
        framed(value, headers)
    assert Reason.SCHEMA_ERROR == caught.value.reason
    assert "send it with a registry's serializer, or as JSON without a framing" in str(caught.value)


def test_headers_without_the_schema() -> None:
    """All others stay, those of the key too."""
    kept: Headers = (("a", b"1"), ("__key_schema_id", b"2"), ("apicurio.key.globalId", b"3"))
    schema: Headers = (("__Value_Schema_Id", b"4"), ("apicurio.value.globalId", b"5"))
    assert kept == without_schema((*kept, *schema, ("apicurio.protobuf.type", b"6")))
