"""Formats that a value is in though it should be JSON or text, told by its first bytes.

Exists so that a dead letter names the format and what reads it, and so that no bytes are scored as
if they were text. Pure; nothing is decoded here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from service.records import Reason
from service.wire.documents.json_values import RejectError

if TYPE_CHECKING:
    from service.records import Headers

# Headers of serializers with a schema registry, in lower case: Confluent's and Apicurio's.
CONFLUENT_HEADER: Final = "__value_schema_id"
APICURIO_PREFIX: Final = "apicurio.value."
APICURIO_TYPE: Final = "apicurio.protobuf.type"

_REGISTRY = (
    "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL reads it, with the extra: pip install "
    "'sentiment-stream[registry]'"
)
_PLAIN_SENDER = "let the producer send JSON or text in UTF-8"
_PACKED = "let the producer leave that to Kafka (compression.type), which is undone here"


class Seen(NamedTuple):
    """A format, in words that follow "it begins like", and what to do about it."""

    name: str
    remedy: str

    def __str__(self) -> str:
        """Both in one clause."""
        return f"it begins like {self.name}; {self.remedy}"


_FRAMED = Seen("a schema registry's framing, byte 0 and an id of 4 bytes", _REGISTRY)
_WITH_GUID = Seen("a schema registry's framing, byte 1 and a GUID", _REGISTRY)
_UTF_16 = Seen("UTF-16", "let the producer send UTF-8")
_BSON = Seen("BSON", _PLAIN_SENDER)
_PROTOBUF = Seen(
    "Protobuf without a schema",
    "let the producer use a schema registry's serializer, which "
    "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL reads, or send JSON",
)
_ZLIB = Seen("zlib", _PACKED)
# An x and the first byte of a letter, of Persian for one.
_ZLIB_OR_TEXT: Final = b"\x78\xda"
_BEGINNINGS: Final = (
    (b"\xff\xfe", _UTF_16),
    (b"\xfe\xff", _UTF_16),
    (b"Obj\x01", Seen("a container file of Avro", "let the producer send each record by itself, "
     "with a schema registry's serializer or as JSON")),
    (b"\x1f\x8b", Seen("gzip", _PACKED)),
    (b"\x28\xb5\x2f\xfd", Seen("Zstandard", _PACKED)),
    (b"\x04\x22\x4d\x18", Seen("LZ4", _PACKED)),
    (b"\x82SNAPPY\0", Seen("Snappy", _PACKED)),
    (b"\x78\x01", _ZLIB),
    (b"\x78\x9c", _ZLIB),
    (b"\xac\xed\0\x05", Seen("a serialized object of Java", _PLAIN_SENDER)),
    (b"\x80\x02", Seen("a pickle of Python", _PLAIN_SENDER)),
    (b"\x80\x03", Seen("a pickle of Python", _PLAIN_SENDER)),
    (b"\x80\x04", Seen("a pickle of Python", _PLAIN_SENDER)),
    (b"\x80\x05", Seen("a pickle of Python", _PLAIN_SENDER)),
    (b"\xd9\xd9\xf7", Seen("CBOR", _PLAIN_SENDER)),
    (b"%PDF-", Seen("PDF", _PLAIN_SENDER)),
    (b"PK\x03\x04", Seen("a ZIP archive", _PLAIN_SENDER)),
    (b"\x89PNG", Seen("an image", _PLAIN_SENDER)),
    (b"\xff\xd8\xff", Seen("an image", _PLAIN_SENDER)),
)  # fmt: skip
_ALL_BEGINNINGS: Final = tuple(beginning for beginning, _ in _BEGINNINGS)
# Eight characters that no format begins with, but for PDF.
_ORDINARY: Final = re.compile(rb"[^%\x00-\x08\n-\x0c\x0e-\x1f\x7f-\xff][\t\r\x20-\x7e]{7}")
_FRAMING_BYTES: Final = 5
_GUID_BYTES: Final = 17
# How many fields are looked at: hardly any text reads as Protobuf for as long as that.
_FIELDS_MAX: Final = 8


def seen(value: bytes) -> Seen | None:
    """The format that a value begins like, if it is known and is neither JSON nor text."""
    if value.startswith(_ALL_BEGINNINGS):
        return next(found for beginning, found in _BEGINNINGS if value.startswith(beginning))
    if value.startswith(_ZLIB_OR_TEXT) and not _is_utf_8(value):
        return _ZLIB
    if 0 in value[:2] and _is_utf_16(value):
        return _UTF_16
    if value[:1] == b"\0" and len(value) > _FRAMING_BYTES:
        return _FRAMED
    if value[:1] == b"\1" and len(value) > _GUID_BYTES:
        # Byte 6 of a GUID has its version, byte 8 its variant.
        return _WITH_GUID if value[7] >> 4 in range(1, 9) and value[9] >> 6 == 0b10 else None
    return _BSON if _is_bson(value) else _PROTOBUF if _is_protobuf(value) else None


def check_is_text(value: bytes, headers: Headers) -> None:
    """Check that a value which is to be scored as a whole is not of a format for programs.

    Raises:
        RejectError: it is, or its headers say with which schema to read it.
    """
    if headers and names_schema(headers):
        raise RejectError(
            Reason.WRONG_TYPE, f"the value is no text: its headers name a schema; {_REGISTRY}"
        )
    found = None if _ORDINARY.match(value) else seen(value)
    if found is _UTF_16:
        raise RejectError(Reason.NOT_UTF8, f"the value is not UTF-8: {found}")
    if found is not None:
        raise RejectError(Reason.WRONG_TYPE, f"the value is no text: {found}")


def names_schema(headers: Headers) -> bool:
    """Whether headers name the schema of a value."""
    return any(_is_of_schema(name) for name, _ in headers)


def without_schema(headers: Headers) -> Headers:
    """Headers but for those that say with which schema the value is written."""
    return tuple((name, value) for name, value in headers if not _is_of_schema(name))


def has_schema(value: bytes, headers: Headers) -> bool:
    """Whether a value begins with the framing of a registry, or its headers name a schema."""
    return value[:1] in (b"\0", b"\1") or names_schema(headers)


def remedy(value: bytes, headers: Headers) -> str:
    """What to do about a value that is no JSON, if it is of a known format; empty if not."""
    if names_schema(headers):
        return f"; its headers name a schema: {_REGISTRY}"
    found = seen(value)
    return "" if found is None else f"; {found}"


def _is_of_schema(name: str) -> bool:
    lower = name.lower()
    return lower in (CONFLUENT_HEADER, APICURIO_TYPE) or lower.startswith(APICURIO_PREFIX)


def _is_utf_8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_utf_16(value: bytes) -> bool:
    """Whether the first four characters are of the lower 256, each with a byte 0."""
    first = value[:8]
    if len(first) < 8 or len(value) % 2:
        return False
    even, odd = first[::2], first[1::2]
    return (not any(even) and all(odd)) or (not any(odd) and all(even))


def _is_bson(value: bytes) -> bool:
    size = int.from_bytes(value[:4], "little")
    return len(value) > 5 and size == len(value) and value[-1] == 0


def _is_protobuf(value: bytes) -> bool:
    """Whether a value is a message of Protobuf that no text is: with a control character in it.

    Its first field is a string or a message, and all of its fields end where they should.
    """
    if value[:1] not in (b"\n", b"\x12", b"\x1a") or not any(
        byte < 0x20 and byte not in b"\t\n\f\r\x0b\x1b" for byte in value[:64]
    ):
        return False
    at = 0
    for _ in range(_FIELDS_MAX):
        tag, at = _varint(value, at)
        if tag >> 3 == 0:
            return False
        match tag & 7:
            case 0:
                number, at = _varint(value, at)
            case 1:
                at += 8
            case 2:
                number, at = _varint(value, at)
                at += number
            case 5:
                at += 4
            case _:
                return False
        if at >= len(value):
            break
    return at <= len(value)


def _varint(value: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends, which is behind the value if the value ends within it."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(value):
            break
        byte = value[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    return 1 << 3, len(value) + 1
