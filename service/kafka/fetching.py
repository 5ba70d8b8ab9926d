"""The group's consumer, which fetches only during a poll: a poll returns the newest records.

Exists because aiokafka fetches ahead: after each poll it sends the brokers another request, which
they answer as soon as one record comes. That record then waits for the next poll, and all behind it
for the poll after that. With polls 10 ms apart a record took 13 ms to the service, most of it here.
Nothing may enter that knows the session or what a record means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from service.kafka.batches import install

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.progress import Progress
    from service.records import Partition
    from service.settings import KafkaSettings

# How long to wait for other brokers once one has answered: a few round trips. A broker without new
# records answers only at the end of its own wait.
OTHERS_MS = 3
# An empty fetch occupies its broker's connection for this long: a partition whose position is set
# meanwhile has to wait for it.
FETCH_WAIT_MS = 100
# How late a partition that was added is noticed, or a topic that was deleted and made anew: one
# small request of each replica. aiokafka's default is five minutes.
METADATA_AGE_MS = 5000
# Bounds one fetch; with the bounds of the queues it keeps the process far under 1 GB.
FETCH_BYTES_MAX = 16 * 2**20


# How long nothing is to come behind such a tail before it is committed: where an upstream producer
# commits all the time, its markers are passed over with the next records.
TAIL_S = 5.0


def new_consumer(options: Mapping[str, Any], settings: KafkaSettings) -> AIOKafkaConsumer:
    """A member of the group that is not started; `options` are those of `connection_options`."""
    install()
    return AIOKafkaConsumer(
        **options,
        group_id=settings.group_id,
        enable_auto_commit=False,
        # The session sets all positions: aiokafka would move one that the log does not have unseen.
        auto_offset_reset="none",
        isolation_level="read_committed",
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_ms,
        rebalance_timeout_ms=settings.rebalance_ms,
        max_poll_interval_ms=settings.max_poll_ms,
        fetch_max_bytes=FETCH_BYTES_MAX,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        metadata_max_age_ms=METADATA_AGE_MS,
    )


async def fetch(
    consumer: AIOKafkaConsumer, records_max: int, timeout_ms: int
) -> dict[TopicPartition, list[Any]]:
    """Records that have come since the last call, by partition; empty if none came in time.

    A broker that has answered gets no other request before the next call, unless `records_max` is
    reached: a backlog is fetched while the records are processed.

    Raises:
        KafkaError: as `getmany`; records that this call had taken before are lost.
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
    """Pause all partitions led by the brokers of these; returns whether all are paused now."""
    leader = consumer._client.cluster.leader_for_partition  # noqa: SLF001 - no public way
    brokers = {leader(partition) for partition in partitions}
    assigned = consumer.assignment()
    consumer.pause(*(partition for partition in assigned if leader(partition) in brokers))
    return bool(consumer.paused() == assigned)


class Tails:
    """Offsets at the end of a log that hold nothing to read: markers and aborted records.

    They are committed too once nothing else comes, or the group's lag would never reach 0.
    """

    def __init__(self) -> None:
        """Know of none."""
        self._since: dict[Partition, tuple[int, float]] = {}

    def clear(self) -> None:
        """Forget all: positions are set anew."""
        self._since.clear()

    async def due(
        self,
        consumer: AIOKafkaConsumer,
        progress: Progress,
        polled: Mapping[Partition, int],
        now: float,
    ) -> dict[Partition, int]:
        """The positions to commit: reached TAIL_S ago, with everything read being published.

        To be called between two polls; `polled` has the offset behind the last record returned.
        """
        since: dict[Partition, tuple[int, float]] = {}
        for partition in progress.partitions:
            start = progress.next_offset(partition)
            position = await consumer.position(TopicPartition(*partition))
            if start is None or polled.get(partition, start) > start or position <= start:
                continue
            before = self._since.get(partition)
            since[partition] = before if before and before[0] == position else (position, now)
        self._since = since
        return {p: position for p, (position, at) in since.items() if now - at >= TAIL_S}
