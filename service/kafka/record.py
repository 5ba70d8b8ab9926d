"""The service's `Record` from a record of aiokafka, for whoever reads a topic.

Exists so that aiokafka's record type stays inside this folder. Nothing may enter that knows what a
record means.
"""

from __future__ import annotations

from typing import Any

from service.records import Partition, Record


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
