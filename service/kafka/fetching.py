"""Fetching when asked to, so that a poll brings what is newest.

Exists because aiokafka fetches ahead: behind each poll it asks the brokers again, who answer with
the first record that comes. That one then waits for the next poll, and all behind it for the one
after that. With polls 10 ms apart a record was 13 ms on its way to the service, most of it here.
Nothing may enter that knows the session or what a record means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import AIOKafkaConsumer, TopicPartition

# For other brokers, when one has answered: some round trips. One without new records answers late.
OTHERS_MS = 3


async def fetch(
    consumer: AIOKafkaConsumer, records_max: int, timeout_ms: int
) -> dict[TopicPartition, list[Any]]:
    """Records that have come since the last call, by partition; none where none came in time.

    Brokers that have answered are not asked again before the next call, unless there are as many
    records as may be: then more are on their way meanwhile.

    Raises:
        KafkaError: as `getmany`; records may be lost that were fetched before.
    """
    consumer.resume(*consumer.paused())
    found: dict[TopicPartition, list[Any]] = {}
    left, wait_ms = records_max, timeout_ms
    while left and (more := await consumer.getmany(timeout_ms=wait_ms, max_records=left)):
        for partition, records in more.items():
            found.setdefault(partition, []).extend(records)
            left -= len(records)
        if left and _pause_brokers_of(consumer, more):
            break
        wait_ms = OTHERS_MS
    return found


def _pause_brokers_of(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> bool:
    """Pause all partitions whose brokers lead these; whether all are paused now."""
    leader = consumer._client.cluster.leader_for_partition  # noqa: SLF001 - no public way
    brokers = {leader(partition) for partition in partitions}
    assigned = consumer.assignment()
    consumer.pause(*(partition for partition in assigned if leader(partition) in brokers))
    return bool(consumer.paused() == assigned)
