"""Which schema a record's value is written with, by its first bytes or by its headers.

Exists so that the framings of Confluent's and Apicurio's serializers are in one place. Pure: no
registry, and nothing of what a schema says.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from service.records import Reason
from service.wire.documents.formats import APICURIO_PREFIX, APICURIO_TYPE, CONFLUENT_HEADER
from service.wire.documents.json_values import RejectError

if TYPE_CHECKING:
    from service.records import Headers

# The first byte of a value, or of Confluent's header: an id follows, or a GUID.
_ID: Final = 0
_GUID: Final = 1
_ID_BYTES: Final = 4
_LONG_BYTES: Final = 8
_GUID_BYTES: Final = 16
# Registries count in signed numbers.
_ID_END: Final = 2**31
_LONG_END: Final = 2**63

_ENCODING: Final = "apicurio.value.encoding"
# The headers of Apicurio's serializers that name a schema; of several the first counts.
_APICURIO_IDS: Final = (
    ("apicurio.value.contentid", "content"),
    ("apicurio.value.globalid", "global"),
)
_APICURIO_HASH: Final = "apicurio.value.contenthash"
_APICURIO_NAMES: Final = frozenset({"apicurio.value.artifactid", "apicurio.value.groupid"})
# SHA-256 in hexadecimal.
_HASH_CHARACTERS: Final = 64


class SchemaKey(NamedTuple):
    """What names a schema in a registry.

    `id` is of four bytes, `long` of eight; `content` and `global` are Apicurio's two kinds of ids.
    """

    kind: Literal["id", "long", "content", "global", "guid", "hash"]
    value: int | str

    def __str__(self) -> str:
        """In words for a person, like "id 7"."""
        words = {"long": "id", "content": "content id", "global": "global id", "guid": "GUID"}
        return f"{words.get(self.kind, self.kind)} {self.value}"


class Framed(NamedTuple):
    """A value that is written with a schema: which one, and the bytes behind the framing.

    `indexes` are the bytes that lead to the message of a Protobuf schema: None where they are in
    the payload. `type_name` is the name of that message, where a header has it.
    """

    key: SchemaKey
    payload: bytes
    indexes: bytes | None = None
    type_name: str | None = None
    is_json_encoded: bool = False


def framed(value: bytes, headers: Headers) -> Framed | None:
    """The framing of a value; None if it has none.

    Raises:
        RejectError: it begins or is described like one, but names no schema.
    """
    if headers:
        found = _by_headers(value, headers)
        if found is not None:
            return found
    first = value[0] if value else None
    if first == _ID:
        return _by_id(value)
    if first == _GUID and len(value) > _GUID_BYTES:
        return Framed(_guid(value[1 : 1 + _GUID_BYTES]), value[1 + _GUID_BYTES :])
    return None


def _by_id(value: bytes) -> Framed:
    if len(value) <= _ID_BYTES:
        raise _rejected(f"{len(value)} bytes that begin with byte 0 are too few for a schema's id")
    number = int.from_bytes(value[1 : 1 + _ID_BYTES], "big")
    # Ids begin with 1: four zeros are the first half of an id of eight bytes.
    if number == 0 and len(value) > _LONG_BYTES:
        end = 1 + _LONG_BYTES
        number = int.from_bytes(value[1:end], "big")
        if number > 0:
            return Framed(SchemaKey("long", number), value[end:])
    if not 0 < number < _ID_END:
        raise _rejected("the value begins with byte 0 and an id that no schema has")
    return Framed(SchemaKey("id", number), value[1 + _ID_BYTES :])


def _by_headers(value: bytes, headers: Headers) -> Framed | None:
    named = {
        lower: content
        for name, content in headers
        if (lower := name.lower()) == CONFLUENT_HEADER
        or lower == APICURIO_TYPE
        or lower.startswith(APICURIO_PREFIX)
    }
    if not named:
        return None
    if CONFLUENT_HEADER in named:
        return _by_confluent_header(value, named[CONFLUENT_HEADER] or b"")
    type_name = _text(named.get(APICURIO_TYPE))
    is_json = (_text(named.get(_ENCODING)) or "").upper() == "JSON"
    for name, kind in _APICURIO_IDS:
        number = named.get(name)
        if number is not None:
            if len(number) != _LONG_BYTES:
                raise _rejected(f"the header {name} has {len(number)} bytes, not {_LONG_BYTES}")
            key = SchemaKey("content" if kind == "content" else "global", int.from_bytes(number))
            if not 0 < int.from_bytes(number) < _LONG_END:
                raise _rejected(f"the header {name} has an id that no schema has")
            return Framed(key, value, None, type_name, is_json)
    sha256 = _text(named.get(_APICURIO_HASH))
    if sha256 is not None:
        if len(sha256) != _HASH_CHARACTERS or not sha256.isalnum():
            raise _rejected(f"the header {_APICURIO_HASH} is no SHA-256")
        return Framed(SchemaKey("hash", sha256), value, None, type_name, is_json)
    if _APICURIO_NAMES & named.keys():
        raise _rejected(
            "its headers name an artifact but no id; let the serializer send "
            "apicurio.value.contentId or apicurio.value.globalId"
        )
    return None


def _by_confluent_header(value: bytes, content: bytes) -> Framed:
    first = content[0] if content else None
    if first == _ID and len(content) > _ID_BYTES:
        end = 1 + _ID_BYTES
        number = int.from_bytes(content[1:end], "big")
        if not 0 < number < _ID_END:
            raise _rejected(f"the header {CONFLUENT_HEADER} has an id that no schema has")
        key = SchemaKey("id", number)
    elif first == _GUID and len(content) > _GUID_BYTES:
        end = 1 + _GUID_BYTES
        key = _guid(content[1:end])
    else:
        raise _rejected(
            f"the header {CONFLUENT_HEADER} of {len(content)} bytes is neither byte 0 and an id "
            "nor byte 1 and a GUID"
        )
    return Framed(key, value, content[end:])


def _guid(content: bytes) -> SchemaKey:
    return SchemaKey("guid", str(uuid.UUID(bytes=content)))


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")


def _rejected(detail: str) -> RejectError:
    return RejectError(
        Reason.SCHEMA_ERROR,
        f"{detail}; send it with a registry's serializer, or as JSON without a framing",
    )
