"""Reading topics once through, for `compare`: no group, nothing committed, nothing written.

Each topic can be waited for by itself, so that whoever joins two of them keeps them in step.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from service.errors import BrokerError
from service.kafka.batches import to_record
from service.kafka.connection import check_access, connection_options, translated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from service.records import Record
    from service.settings import KafkaSettings

READ_TIMEOUT_MS = 500
# A broker knows a topic that was just made a moment later.
TOPIC_WAIT_S = 3.0
RECORDS_MAX = 500


class Outputs:
    """Topics from their beginnings to their ends of now, committed records alone."""

    def __init__(self, settings: KafkaSettings, topics: Sequence[str]) -> None:
        """Connect to nothing yet."""
        self._topics = topics
        self._options = connection_options(settings)
        self._consumer = AIOKafkaConsumer(
            **self._options, enable_auto_commit=False, isolation_level="read_committed"
        )
        self._ends: dict[str, dict[TopicPartition, int]] = {}
        self.total = 0

    async def __aenter__(self) -> Self:
        """Connect, and find where to begin and to end.

        Raises:
            RetriableError, BrokerError: the brokers cannot be reached, or refuse.
        """
        try:
            await check_access(self._options)
            await self._consumer.start()
            await self._check_topics()
            await self._position()
        except (KafkaError, TimeoutError) as error:
            await self._consumer.stop()
            raise translated(error) from error
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        await self._consumer.stop()

    async def _check_topics(self) -> None:
        # All topics are asked for, since a broker may make one that it is asked for by name.
        deadline = time.monotonic() + TOPIC_WAIT_S
        while missing := set(self._topics) - await self._consumer.topics():
            if time.monotonic() > deadline:
                raise BrokerError(f"there is no topic {min(missing)}; name two output topics")
            await asyncio.sleep(TOPIC_WAIT_S / 10)

    async def _position(self) -> None:
        partitions = []
        for topic in self._topics:
            numbers = await self._consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - no public way before an assignment
            partitions += [TopicPartition(topic, number) for number in sorted(numbers)]
        self._consumer.assign(partitions)
        beginnings = await self._consumer.beginning_offsets(partitions)
        ends = await self._consumer.end_offsets(partitions)
        for partition in partitions:
            self._consumer.seek(partition, beginnings[partition])
            topic_ends = self._ends.setdefault(partition.topic, {})
            if ends[partition] > beginnings[partition]:
                topic_ends[partition] = ends[partition]
                self.total += ends[partition] - beginnings[partition]

    def has_more(self, topic: str) -> bool:
        """Whether there is more of it to read."""
        return bool(self._ends[topic])

    async def read(self, topic: str) -> list[Record]:
        """Some records of a topic; none where the broker had none in time, or the end is reached.

        Raises:
            RetriableError, BrokerError: the brokers do not answer, or refuse.
        """
        ends = self._ends[topic]
        try:
            fetched = await self._consumer.getmany(
                *ends, timeout_ms=READ_TIMEOUT_MS, max_records=RECORDS_MAX
            )
            records = [
                to_record(message, 0, time.monotonic())
                for partition, messages in fetched.items()
                for message in messages
                if message.offset < ends[partition]
            ]
            # By position, not by records: a partition may end in aborted ones or in a marker.
            for partition in list(ends):
                if await self._consumer.position(partition) >= ends[partition]:
                    del ends[partition]
        except KafkaError as error:
            raise translated(error) from error
        return records
