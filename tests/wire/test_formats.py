"""Formats that are no text and no JSON: each is named in its dead letter, with what reads it."""

from __future__ import annotations

import gzip
import json
import pickle
import zlib

import pytest

from service.records import Headers, Message, Reason, Rejected
from service.wire.documents.formats import seen
from tools.decoding import decoded, decoder
from tools.values import record

REGISTRY = "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL reads it"
FRAMED = [
    ("a schema registry's framing, byte 0", b"\0\0\0\0\7\x12I love it"),
    ("a schema registry's framing, byte 0", b'\0\0\0\0\7{"text": "I love it"}'),
    ("a schema registry's framing, byte 1", b"\1" + b"\x11" * 6 + b"\x41\x11\x81" + b"a" * 20),
]
OTHERS = [
    ("UTF-16", "I love it!".encode("utf-16")),
    ("UTF-16", "I love it!".encode("utf-16-le")),
    ("UTF-16", "I love it!".encode("utf-16-be")),
    ("BSON", b"\x14\0\0\0\x02text\0\5\0\0\0good\0\0"),
    ("Protobuf without a schema", b"\x0a\x24" + b"a" * 36 + b"\x12\x09I love it"),
    ("Protobuf without a schema", b"\x0a\7\x08\1\x12\3bad\x18\2"),
    ("a container file of Avro", b"Obj\1\4\x14avro.codec"),
    ("gzip", gzip.compress(b"I love it")),
    ("zlib", zlib.compress(b"I love it")),
    ("zlib", zlib.compress(b"I love it" * 9, 9)),
    ("a pickle of Python", pickle.dumps("I love it")),
    ("a serialized object of Java", b"\xac\xed\0\5t\0\1a"),
    ("CBOR", b"\xd9\xd9\xf7\xa1"),
    ("PDF", b"%PDF-1.7"),
    ("a ZIP archive", b"PK\3\4a"),
]
TEXTS = [
    "I love it", "\nI love it", "\n\tI", "x\u0680", "\0", "\0abc", "\x01abc", "a\0b", "\x1b[1mBold",
    "{}", "P", "PK", "%", "\n" + chr(35) + "a" * 35, "Object", "xx", "I\0 love it", "", "👍",
    "\x12 is not what it was",
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), FRAMED + OTHERS)
def test_bytes_are_no_text(name: str, value: bytes) -> None:
    """They were scored silently where they are UTF-8; now the dead letter names them."""
    found = decoded(record(value=value), decoder(form="text"))
    assert isinstance(found, Rejected)
    # That is text, in another encoding.
    reason, what = Reason.WRONG_TYPE, "no text"
    if name == "UTF-16":
        reason, what = Reason.NOT_UTF8, "not UTF-8"
    assert reason == found.reason
    assert f"the value is {what}: it begins like {name}" in found.detail
    assert REGISTRY in found.detail or (name, value) in OTHERS


@pytest.mark.parametrize(("name", "value"), FRAMED + OTHERS)
def test_bytes_are_no_json(name: str, value: bytes) -> None:
    """The reason is what it was; the detail says what it is."""
    found = decoded(record(value=value))
    assert isinstance(found, Rejected)
    assert found.reason in (Reason.NOT_JSON, Reason.NOT_UTF8)
    assert f"; it begins like {name}" in found.detail
    assert "I love it" not in found.detail


@pytest.mark.parametrize("text", TEXTS)
def test_texts_that_only_look_odd(text: str) -> None:
    """They are texts, as before."""
    assert seen(text.encode()) is None


@pytest.mark.parametrize(
    "headers",
    [
        (("__value_schema_id", b"\0\0\0\0\7"),),
        (("apicurio.value.globalId", b"\0\0\0\0\0\0\0\7"),),
    ],
)
def test_headers_that_name_a_schema(headers: Headers) -> None:
    """What is JSON is read; of all else the dead letter says how to read it."""
    found = decoded(record(value=json.dumps({"text": "a"}).encode(), headers=headers))
    assert isinstance(found, Message)
    for form in ("json", "text"):
        found = decoded(record(value=b"\x02a", headers=headers), decoder(form=form))
        assert isinstance(found, Rejected)
        assert f"its headers name a schema; {REGISTRY}".replace("; S", ": S") in (
            found.detail.replace("; S", ": S")
        )
