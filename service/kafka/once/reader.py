"""Reading topics once, up to the ends that they have when reading begins.

Exists because `letters` and `outputs` both read so. A partition is at its end when the consumer's
position is, not when its last record has come: the last offsets may be aborted records or the
marker of a transaction, which no reader gets. Nothing may enter that commits or writes, or that
knows what a record means.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from service.kafka.client.batches import install
from service.kafka.client.connection import translating
from service.kafka.client.record import to_record
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.records import Record


class TopicReader:
    """Committed records of some topics; the methods are called in the order they are in here."""

    def __init__(
        self, options: Mapping[str, Any], topics: Sequence[str], group_id: str | None = None
    ) -> None:
        """Connect to nothing yet; `options` are those of `connection_options`.

        Reading begins at the offsets that `group_id` has committed, elsewhere at the first record.
        """
        install()
        self._topics = topics
        self._group_id = group_id
        self._consumer = AIOKafkaConsumer(
            **options,
            group_id=group_id,
            enable_auto_commit=False,
            isolation_level="read_committed",
        )
        # Of the partitions that are not at their ends yet.
        self._ends: dict[TopicPartition, int] = {}
        self.total = 0
        # Offsets behind the first record that the group has committed already.
        self.passed = 0

    async def connect(self) -> None:
        """Connect to the brokers.

        Raises:
            RetriableError, BrokerError: the brokers cannot be reached, or refuse.
        """
        with translating():
            await self._consumer.start()

    async def existing_topics(self) -> set[str]:
        """All topics that the brokers have.

        Raises:
            RetriableError, BrokerError: the brokers do not answer, or refuse.
        """
        with translating():
            topics: set[str] = await self._consumer.topics()
        return topics

    async def seek(self) -> None:
        """Go to where each partition is to be read from, and note its end; sets both counts.

        `total` counts the offsets to the ends; some of them may hold no record.

        Raises:
            RetriableError, BrokerError: the brokers do not answer, or refuse.
        """
        with translating():
            partitions = await self._partitions()
            self._consumer.assign(partitions)
            ends = await self._consumer.end_offsets(partitions)
            beginnings = await self._consumer.beginning_offsets(partitions)
            for partition in partitions:
                start = max(beginnings[partition], await self._committed(partition))
                self._consumer.seek(partition, start)
                self.passed += start - beginnings[partition]
                if ends[partition] > start:
                    self._ends[partition] = ends[partition]
                    self.total += ends[partition] - start

    async def _partitions(self) -> list[TopicPartition]:
        partitions = []
        for topic in self._topics:
            numbers = await self._consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - no public way before an assignment
            partitions += [TopicPartition(topic, number) for number in sorted(numbers)]
        return partitions

    async def _committed(self, partition: TopicPartition) -> int:
        if self._group_id is None:
            return 0
        offset: int | None = await self._consumer.committed(partition)
        return offset or 0

    def has_more(self, topic: str) -> bool:
        """Whether a partition of the topic is not at its end yet."""
        return any(partition.topic == topic for partition in self._ends)

    async def read(
        self, topic: str, timeout_ms: int, records_max: int
    ) -> dict[Partition, list[Record]]:
        """The next records of a topic, in order by partition; empty if none came in time.

        A partition whose records are all behind its end has an empty list.

        Raises:
            RetriableError, BrokerError: the brokers do not answer, or refuse.
        """
        ends = {p: end for p, end in self._ends.items() if p.topic == topic}
        if not ends:
            # aiokafka would read all partitions if none were named.
            return {}
        with translating():
            fetched = await self._consumer.getmany(
                *ends, timeout_ms=timeout_ms, max_records=records_max
            )
            for partition, end in ends.items():
                if await self._consumer.position(partition) >= end:
                    del self._ends[partition]
        now = time.monotonic()
        return {
            Partition(*partition): [
                to_record(message, 0, now)
                for message in messages
                if message.offset < ends[partition]
            ]
            for partition, messages in fetched.items()
        }

    async def stop(self) -> None:
        """Close the connections; may be called at any time, and twice."""
        await self._consumer.stop()
