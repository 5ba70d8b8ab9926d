"""Encodes outcomes to events and dead letters.

Pure: times are arguments. If a topic refuses a record as too large, there is a smaller form: an
event becomes a dead letter, and a dead letter is cut.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from service.records import ModelInfo, Outgoing, Reason, Record, Rejected, Unscored, Verdict
from service.wire import cloudevents
from service.wire.carried import CARRY_ALL, Carried, as_it_is, is_hard_to_read, readable
from service.wire.contracts import (
    SCHEMA_VERSION,
    Model,
    Origin,
    SentimentEvent,
    SourceMessage,
    TextStatistics,
)
from service.wire.kept_headers import KEPT_BY_DEFAULT, KeptHeaders
from service.wire.letters import CONNECT_PREFIX, DETAIL_CHARACTERS_MAX, OWN_PREFIX, DeadLetter

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.records import Headers, Published

# The namespace of event ids: UUIDv5 of this service's URN.
EVENT_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sentiment-stream:event")

# Most bytes that a cut letter keeps of each of its value, key and headers: a sixty-fourth of the
# default limit of a topic.
CUT_BYTES_MAX = 16 * 2**10
# The fields of `records.Reading` in an event without a score.
_NO_READING: dict[str, Any] = {"label": None, "score": None, "scores": {}, "confident": None}
# At most this much for the two lengths that Kafka writes for each header.
_HEADER_BYTES = 10

_CARRIED = tuple(name for name in SourceMessage.model_fields if name not in ("text", "id"))


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

    def encode(self, outcome: Published, now: float, now_monotonic: float) -> Outgoing:
        """Encode an event or a dead letter; `now` is in seconds since 1970."""
        time = _rfc3339(now)
        if isinstance(outcome, Rejected):
            return self._dead_letter(outcome, time)
        record, source = outcome.record, self.cloudevents_source
        event = self._event(outcome, time, now_monotonic)
        value = event.model_dump_json().encode()
        if is_hard_to_read(value):
            event = self._event(outcome, time, now_monotonic, form=readable)
            value = event.model_dump_json().encode()
        kept = self.kept_headers.of(record.headers)
        return Outgoing(
            topic=self.output_topic,
            key=record.key,
            value=value,
            headers=kept
            if source is None
            else (*kept, *cloudevents.event_headers(record, source, event.id, time)),
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
    ) -> SentimentEvent:
        record, message, stats = outcome.record, outcome.message, outcome.stats
        fields = form(self.carried.of(message.fields))
        reading = outcome.reading.as_dict() if isinstance(outcome, Verdict) else _NO_READING
        carried: dict[str, Any] = {name: fields.get(name) for name in _CARRIED}
        return SentimentEvent(
            id=event_id(record),
            source_id=fields.get("id"),
            **carried,
            extra={k: v for k, v in fields.items() if k != "id" and k not in _CARRIED},
            text=form(message.text) if self.include_text else None,
            **reading,
            language=outcome.language,
            model=Model(
                name=self.model.name,
                revision=self.model.revision,
                engine=self.model.engine,
                precision=self.model.precision,
            ),
            text_stats=TextStatistics(
                tokens=stats.tokens,
                truncated=stats.truncated,
                windows=stats.windows,
                unknown_share=stats.unknown_share,
                quoted_chars=stats.quoted_chars,
                signature_chars=stats.signature_chars,
                code_chars=stats.code_chars,
            ),
            origin=Origin(
                topic=record.partition.topic,
                partition=record.partition.number,
                offset=record.offset,
                timestamp=record.timestamp_ms if record.timestamp_ms >= 0 else None,
                index=record.index,
            ),
            processed_at=time,
            latency_ms=round(max(0.0, now_monotonic - record.polled_at) * 1000, 3),
            schema_version=SCHEMA_VERSION,
        )

    def _event_too_large(self, record: Record, size: int, time: str) -> Outgoing:
        detail = f"the event of {size} bytes is larger than {self.output_topic} takes"
        return self._dead_letter(Rejected(record, Reason.EVENT_TOO_LARGE, detail, "publish"), time)

    def _dead_letter(self, rejected: Rejected, time: str) -> Outgoing:
        record = rejected.record
        kept = tuple(
            (name, value)
            for name, value in cloudevents.as_produced(record.headers)
            if not name.startswith((CONNECT_PREFIX, OWN_PREFIX))
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


def _rfc3339(now: float) -> str:
    created = datetime.fromtimestamp(now, UTC)
    return created.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_id(record: Record) -> str:
    """The id of a record's event: UUIDv5 of its coordinates and timestamp, and of its index."""
    name = f"{record.partition.topic}/{record.partition.number}/{record.offset}"
    index = "" if record.index is None else f"/{record.index}"
    return str(uuid.uuid5(EVENT_NAMESPACE, f"{name}/{record.timestamp_ms}{index}"))
