"""CloudEvents 1.0 on Kafka: what a record's attributes say, and those of what is published.

Pure. Attributes are beside the point of a record, its text: wrong ones are passed over, and reject
nothing. See the Kafka protocol binding, 3.2 (binary mode) and 3.3 (structured mode).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from service.wire.headers import CLOUDEVENTS_PREFIX, DEAD_LETTER_TYPE, EVENT_SCHEMA, EVENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.records import Headers, Record

STRUCTURED = "application/cloudevents+json"
# An id, a source or a time is a name; whoever sends more than this has put something else there.
ATTRIBUTE_BYTES_MAX = 1024

_REQUIRED = ("id", "source", "type", "specversion")
# Those that the service sets itself on an event; data is described by content-type.
_SET = {*_REQUIRED, "time", "subject", "dataschema", "datacontenttype"}
# A name that is an attribute's in every protocol, of an extension that events may carry on.
_EXTENSION = re.compile(r"[a-z0-9]{1,20}")
# What no attribute may hold (CloudEvents 1.0, type system: String).
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


# On a dead letter; with them a letter that is sent back is told from a CloudEvent of a producer.
_LETTER = ("ce_type", DEAD_LETTER_TYPE.encode())
_OF_A_LETTER = {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject"}


def as_produced(headers: Headers) -> Headers:
    """Headers without the attributes that a dead letter of this service was given, if any.

    Whoever sends a letter back sends the message, which never had them.
    """
    if _LETTER not in headers:
        return headers
    return tuple(header for header in headers if header[0] not in _OF_A_LETTER)


def of_headers(headers: Headers) -> dict[str, Any]:
    """What a CloudEvent in binary mode says of its message, under the names of its fields.

    Empty where the headers are not those of one.
    """
    prefix = len(CLOUDEVENTS_PREFIX)
    found = {
        name[prefix:]: _decoded(value)
        for name, value in as_produced(headers)
        if name.startswith(CLOUDEVENTS_PREFIX)
    }
    return of_attributes(found) if found else {}


def of_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The same, of its attributes by their names; they may hold anything."""
    if not all(_is_text(attributes.get(name)) for name in _REQUIRED):
        return {}
    if not attributes["specversion"].startswith("1."):
        return {}
    said = {"id": attributes["id"], "source": attributes["source"]}
    time = attributes.get("time")
    if _is_text(time) and _is_time(time):
        said["created_at"] = time
    return said


def event_headers(record: Record, source: str, identity: str, time: str) -> Headers:
    """Headers of an event: those of its record, with attributes of its own."""
    return (
        *(header for header in record.headers if _goes_on(*header)),
        ("content-type", b"application/json"),
        *_attributes(record, EVENT_TYPE, source, identity, time),
        (f"{CLOUDEVENTS_PREFIX}dataschema", EVENT_SCHEMA.encode()),
    )


def letter_headers(record: Record, kept: Headers, source: str, identity: str, time: str) -> Headers:
    """Attributes of a dead letter, to stand beside the headers of its record that are `kept`.

    None where the record has some: it is sent back as it came, and stays what it was.
    """
    for name, value in kept:
        if name.startswith(CLOUDEVENTS_PREFIX) or _is_structured(name, value):
            return ()
    return _attributes(record, DEAD_LETTER_TYPE, source, identity, time)


def _attributes(record: Record, kind: str, source: str, identity: str, time: str) -> Headers:
    topic, number = record.partition
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", identity.encode()),
        ("ce_source", source.encode()),
        ("ce_type", kind.encode()),
        ("ce_time", time.encode()),
        ("ce_subject", f"{topic}/{number}/{record.offset}".encode()),
    )


def _goes_on(name: str, value: bytes | None) -> bool:
    """Whether an event carries a header of its record: not what would be said of other data."""
    if name.startswith(CLOUDEVENTS_PREFIX):
        attribute = name[len(CLOUDEVENTS_PREFIX) :]
        is_extension = attribute not in _SET and _EXTENSION.fullmatch(attribute) is not None
        return is_extension and _is_text(_decoded(value))
    return name.lower() != "content-type"


def _is_structured(name: str, value: bytes | None) -> bool:
    return name.lower() == "content-type" and (value or b"").lower().startswith(
        b"application/cloudevents"
    )


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _is_text(value: Any) -> TypeGuard[str]:
    return (
        isinstance(value, str)
        and 0 < len(value.encode()) <= ATTRIBUTE_BYTES_MAX
        and _CONTROL.search(value) is None
    )


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
