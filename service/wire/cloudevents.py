"""CloudEvents 1.0 on Kafka: reads attributes of messages, sets those of events and dead letters.

Pure. Attributes are optional: wrong ones are ignored, and never reject a record. See the Kafka
protocol binding, 3.2 (binary mode) and 3.3 (structured mode).
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
# Longer attributes are ignored: no id, source or time needs more.
ATTRIBUTE_BYTES_MAX = 1024

_REQUIRED = ("id", "source", "type", "specversion")
# Attributes that the service sets on an event itself, or that describe the value of the message.
_OWN = {*_REQUIRED, "time", "subject", "dataschema", "datacontenttype"}
# Names of extensions that are valid in every protocol; events keep these.
_EXTENSION = re.compile(r"[a-z0-9]{1,20}")
# Characters that no attribute may hold (CloudEvents 1.0, type system: String).
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# Marks a dead letter of this service, so that it is not taken for a producer's CloudEvent when it
# is sent back to an input topic.
_LETTER_TYPE = ("ce_type", DEAD_LETTER_TYPE.encode())
_LETTER_ATTRIBUTES = {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject"}


def as_produced(headers: Headers) -> Headers:
    """The headers without the CloudEvents attributes that a dead letter of this service adds.

    A dead letter that is sent back stands for its message, which never had them.
    """
    if _LETTER_TYPE not in headers:
        return headers
    return tuple(header for header in headers if header[0] not in _LETTER_ATTRIBUTES)


def fields_from_headers(headers: Headers) -> dict[str, Any]:
    """Fields of a message from the attributes of a CloudEvent in binary mode.

    Empty if the headers are not those of a CloudEvent.
    """
    prefix = len(CLOUDEVENTS_PREFIX)
    found = {
        name[prefix:]: _decoded(value)
        for name, value in as_produced(headers)
        if name.startswith(CLOUDEVENTS_PREFIX)
    }
    return fields_from_attributes(found) if found else {}


def fields_from_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """As `fields_from_headers`, from attributes by name; their values may be of any type."""
    if not all(_is_text(attributes.get(name)) for name in _REQUIRED):
        return {}
    if not attributes["specversion"].startswith("1."):
        return {}
    fields = {"id": attributes["id"], "source": attributes["source"]}
    time = attributes.get("time")
    if _is_text(time) and _is_time(time):
        fields["created_at"] = time
    return fields


def event_headers(
    record: Record, source: str, identity: str, time: str, *, is_json: bool = True
) -> Headers:
    """CloudEvents attributes of the event of a record, and its content type if it has one."""
    return (
        *((("content-type", b"application/json"),) if is_json else ()),
        *_attributes(record, EVENT_TYPE, source, identity, time),
        (f"{CLOUDEVENTS_PREFIX}dataschema", EVENT_SCHEMA.encode()),
    )


def letter_headers(record: Record, kept: Headers, source: str, identity: str, time: str) -> Headers:
    """CloudEvents attributes to add to the `kept` headers of a dead letter's record.

    Empty if the record is a CloudEvent itself: its letter must stay the same CloudEvent, so that it
    can be sent back.
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


def is_extension(name: str, value: bytes | None) -> bool:
    """Whether a header is a well-formed extension, which an event keeps.

    All other attributes are those of the message, and the event is another CloudEvent.
    """
    attribute = name[len(CLOUDEVENTS_PREFIX) :]
    return (
        attribute not in _OWN
        and _EXTENSION.fullmatch(attribute) is not None
        and _is_text(_decoded(value))
    )


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
