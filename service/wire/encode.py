"""Encodes outcomes to events and dead letters.

Pure: times are arguments. If a topic refuses a record as too large, there is a smaller form: an
event becomes a dead letter, and a dead letter is cut.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from service.records import ModelInfo, Outgoing, Reason, Record, Rejected, Unscored, Verdict
from service.wire import cloudevents
from service.wire.carried import CARRY_ALL, Carried, as_it_is, as_text, is_hard_to_read, readable
from service.wire.contracts import SCHEMA_VERSION, Model, SentimentEvent
from service.wire.kept_headers import KEPT_BY_DEFAULT, KeptHeaders
from service.wire.letters import DETAIL_CHARACTERS_MAX, LETTER_NAMES, DeadLetter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.records import Headers, Published

# The namespace of event ids: UUIDv5 of this service's URN.
EVENT_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sentiment-stream:event")
_NAMESPACE_BYTES = EVENT_NAMESPACE.bytes
# The bits of a UUIDv5 that come from the hash, and those that say that it is one (RFC 9562).
_UUID_FREE_BITS = 2**128 - 1 ^ (0xF << 76 | 0b11 << 62)
_UUID5_BITS = 5 << 76 | 0b10 << 62

# Most bytes that a cut letter keeps of each of its value, key and headers: a sixty-fourth of the
# default limit of a topic.
CUT_BYTES_MAX = 16 * 2**10
# The fields of `records.Reading` in an event without a score.
_NO_READING: dict[str, Any] = {"label": None, "score": None, "scores": {}, "confident": None}
# Fields of a message that are fields of its event: there, there as a string, and in the message.
_NAMED = tuple(
    (name, f"{name}_text", "id" if name == "source_id" else name)
    for name in ("source_id", "source", "lang", "created_at", "metadata")
)
_SENT = frozenset(sent for *_, sent in _NAMED)

# At most this much for the two lengths that Kafka writes for each header.
_HEADER_BYTES = 10


@dataclass(frozen=True, slots=True)
class Encoder:
    """Encodes outcomes to the records to publish, as the settings say."""

    output_topic: str
    dead_letter_topic: str
    include_text: bool
    model: ModelInfo
    version: str
    # The CloudEvents attribute `source`; None switches the attributes off.
    cloudevents_source: str | None = None
    kept_headers: KeptHeaders = KEPT_BY_DEFAULT
    carried: Carried = CARRY_ALL
    # Writes an event in another format than JSON, see `registry.events`.
    write: Callable[[dict[str, Any]], bytes] | None = None
    _model: Model = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what every event says of the model, once."""
        info = self.model
        model = Model(
            name=info.name, revision=info.revision, engine=info.engine, precision=info.precision
        )
        object.__setattr__(self, "_model", model)

    def encode(self, outcome: Published, now: float, now_monotonic: float) -> Outgoing:
        """Encode an event or a dead letter; `now` is in seconds since 1970."""
        time = _rfc3339(now)
        if isinstance(outcome, Rejected):
            return self._dead_letter(outcome, time)
        record, source = outcome.record, self.cloudevents_source
        event = self._event(outcome, time, now_monotonic)
        value = to_json(event)
        if is_hard_to_read(value, event["text"]):
            event = self._event(outcome, time, now_monotonic, form=readable)
            value = to_json(event)
        if self.write is not None:
            value = self.write(event)
        kept = self.kept_headers.of(record.headers)
        return Outgoing(
            topic=self.output_topic,
            key=record.key,
            value=value,
            headers=kept
            if source is None
            else (
                *kept,
                *cloudevents.event_headers(
                    record, source, event["id"], time, is_json=self.write is None
                ),
            ),
            source=record.partition,
            offset=record.offset,
            smaller=partial(self._event_too_large, record, len(value), time),
        )

    def _event(
        self,
        outcome: Verdict | Unscored,
        time: str,
        now_monotonic: float,
        form: Callable[[Any], Any] = as_it_is,
    ) -> dict[str, Any]:
        record, message, stats = outcome.record, outcome.message, outcome.stats
        reading = outcome.reading.as_dict() if isinstance(outcome, Verdict) else _NO_READING
        event = {
            "id": event_id(record),
            **_fields(form(self.carried.of(message.fields))),
            "text": form(message.text) if self.include_text else None,
            **reading,
            "language": outcome.language,
            "model": self._model,
            "text_stats": {
                "tokens": stats.tokens,
                "truncated": stats.truncated,
                "windows": stats.windows,
                "unknown_share": stats.unknown_share,
                "quoted_chars": stats.quoted_chars,
                "signature_chars": stats.signature_chars,
                "code_chars": stats.code_chars,
            },
            "origin": {
                "topic": record.partition.topic,
                "partition": record.partition.number,
                "offset": record.offset,
                "timestamp": record.timestamp_ms if record.timestamp_ms >= 0 else None,
                "index": record.index,
            },
            "processed_at": time,
            "latency_ms": round(max(0.0, now_monotonic - record.polled_at) * 1000, 3),
            "schema_version": SCHEMA_VERSION,
        }
        # Writing what was checked takes longer than writing the values themselves.
        SentimentEvent.model_validate(event)
        return event

    def _event_too_large(self, record: Record, size: int, time: str) -> Outgoing:
        detail = f"the event of {size} bytes is larger than {self.output_topic} takes"
        return self._dead_letter(Rejected(record, Reason.EVENT_TOO_LARGE, detail, "publish"), time)

    def _dead_letter(self, rejected: Rejected, time: str) -> Outgoing:
        record = rejected.record
        kept = tuple(
            (name, value)
            for name, value in cloudevents.as_produced(record.headers)
            if name not in LETTER_NAMES
        )
        return Outgoing(
            topic=self.dead_letter_topic,
            key=record.key,
            value=record.value,
            headers=(
                *kept,
                *self._attributes(record, kept, time),
                *self._error_headers(rejected),
            ),
            source=record.partition,
            offset=record.offset,
            smaller=partial(self._cut_letter, rejected, kept, time),
        )

    def _attributes(self, record: Record, kept: Headers, time: str) -> Headers:
        source = self.cloudevents_source
        if source is None:
            return ()
        return cloudevents.letter_headers(record, kept, source, event_id(record), time)

    def _cut_letter(self, rejected: Rejected, kept: Headers, time: str) -> Outgoing:
        record = rejected.record
        key, value = record.key, record.value
        whole = value or b""
        size = sum(_HEADER_BYTES + len(name.encode()) + len(at or b"") for name, at in kept)
        if size > CUT_BYTES_MAX:
            kept = ()
        return Outgoing(
            topic=self.dead_letter_topic,
            key=key[:CUT_BYTES_MAX] if key is not None else None,
            value=value[:CUT_BYTES_MAX] if value is not None else None,
            headers=(
                *kept,
                *self._attributes(record, kept, time),
                *self._error_headers(
                    rejected,
                    value_bytes=str(len(whole)),
                    value_sha256=hashlib.sha256(whole).hexdigest(),
                ),
            ),
            source=record.partition,
            offset=record.offset,
        )

    def _error_headers(self, rejected: Rejected, **cut: str) -> Headers:
        record = rejected.record
        letter = DeadLetter(
            topic=record.partition.topic,
            partition=str(record.partition.number),
            offset=str(record.offset),
            index=None if record.index is None else str(record.index),
            stage=rejected.stage,
            detail=rejected.detail[:DETAIL_CHARACTERS_MAX],
            reason=rejected.reason,
            timestamp=str(record.timestamp_ms),
            attempts=str(rejected.attempts),
            version=self.version,
            **cut,
        )
        headers = letter.model_dump(by_alias=True, exclude_none=True, mode="json")
        return tuple((name, value.encode()) for name, value in headers.items())


def _fields(carried: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an event that hold what is carried, those of any type as a string too."""
    fields: dict[str, Any] = {}
    for name, name_text, sent in _NAMED:
        value = fields[name] = carried.get(sent)
        fields[name_text] = as_text(value)
    fields["extra"] = {name: value for name, value in carried.items() if name not in _SENT}
    return fields


# All outcomes of a publication have the same time.
@lru_cache(maxsize=1)
def _rfc3339(now: float) -> str:
    created = datetime.fromtimestamp(now, UTC)
    return created.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uuid5(name: str) -> str:
    """As `uuid.uuid5` in the namespace of events, in a third of the time."""
    digest = hashlib.sha1(_NAMESPACE_BYTES + name.encode(), usedforsecurity=False).digest()
    bits = int.from_bytes(digest[:16], "big") & _UUID_FREE_BITS | _UUID5_BITS
    digits = f"{bits:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def event_id(record: Record) -> str:
    """The id of a record's event: UUIDv5 of its coordinates and timestamp, and of its index."""
    name = f"{record.partition.topic}/{record.partition.number}/{record.offset}"
    index = "" if record.index is None else f"/{record.index}"
    return _uuid5(f"{name}/{record.timestamp_ms}{index}")
