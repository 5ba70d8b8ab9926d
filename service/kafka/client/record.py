"""The service's `Record` from a record of aiokafka, for whoever reads a topic.

Exists so that aiokafka's record type stays inside this room. Nothing may enter that knows what a
record means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.records import Partition, Record

if TYPE_CHECKING:
    from collections.abc import Iterable


def to_record(message: Any, epoch: int, polled_at: float) -> Record:
    """Copy a `ConsumerRecord`; `polled_at` is a reading of the monotonic clock in seconds."""
    return Record(
        partition=Partition(message.topic, message.partition),
        offset=message.offset,
        timestamp_ms=message.timestamp,
        key=message.key,
        value=message.value,
        headers=tuple(message.headers),
        epoch=epoch,
        polled_at=polled_at,
    )


def to_records(fetched: Iterable[Iterable[Any]], epoch: int, polled_at: float) -> list[Record]:
    """Copy the `ConsumerRecord`s of each partition, one after the other."""
    return [to_record(message, epoch, polled_at) for messages in fetched for message in messages]
