"""Reading a dead-letter topic once through, and sending letters back, for `replay`.

Each letter's fate and the reader's offset are committed in one transaction, so a replay that is
interrupted goes on where it was and sends nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from service.errors import RetriableError
from service.kafka.batches import to_record
from service.kafka.connection import connection_options, translated
from service.kafka.producer import Producer
from service.progress import next_offsets
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from types import TracebackType
    from typing import Self

    from service.records import Outgoing, Record
    from service.settings import KafkaSettings

READ_TIMEOUT_MS = 1000
# Reads in a row that brought nothing, before it is said that the brokers have no more to give.
IDLE_READS_MAX = 5
RECORDS_MAX = 256
TRANSACTION_MS = 60_000


class Letters:
    """A dead-letter topic from where the last replay of this group ended to its end of now."""

    def __init__(self, settings: KafkaSettings, selection_id: str) -> None:
        """Connect to nothing yet; each selection of letters has an end of its own to go on from."""
        self._topic = settings.dead_letter_topic
        self._group = f"{settings.group_id}-replay-{selection_id}"
        options = connection_options(settings)
        self._producer = Producer(options, self._group, TRANSACTION_MS)
        self._consumer = AIOKafkaConsumer(
            **options,
            group_id=self._group,
            enable_auto_commit=False,
            isolation_level="read_committed",
        )
        self._ends: dict[Partition, int] = {}
        self.total = 0

    async def __aenter__(self) -> Self:
        """Connect, and find where to begin and to end.

        Raises:
            RetriableError, BrokerError: the brokers cannot be reached, or refuse.
        """
        try:
            await self._producer.start()
            await self._producer.check_topics([self._topic])
            await self._consumer.start()
            await self._position()
        except (KafkaError, TimeoutError) as error:
            await self.__aexit__(None, None, None)
            raise translated(error) from error
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._consumer.stop()
        await self._producer.stop()

    async def _position(self) -> None:
        numbers = await self._consumer._client._wait_on_metadata(self._topic)  # noqa: SLF001 - no public way before an assignment
        partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
        self._consumer.assign(partitions)
        ends = await self._consumer.end_offsets(partitions)
        beginnings = await self._consumer.beginning_offsets(partitions)
        for partition in partitions:
            committed = await self._consumer.committed(partition)
            start = max(beginnings[partition], committed or 0)
            self._consumer.seek(partition, start)
            if ends[partition] > start:
                self._ends[Partition(*partition)] = ends[partition]
                self.total += ends[partition] - start

    async def read(self) -> AsyncIterator[list[Record]]:
        """Letters of one partition at a time, in order.

        Raises:
            RetriableError: the brokers do not answer, or give no more before the end.
        """
        idle = 0
        while self._ends:
            if idle >= IDLE_READS_MAX:
                raise RetriableError(
                    f"no letter of {self._topic} came for {idle * READ_TIMEOUT_MS / 1000:g} s, and "
                    "not all are read; run the replay again, it goes on where it ended"
                )
            try:
                fetched = await self._consumer.getmany(
                    timeout_ms=READ_TIMEOUT_MS, max_records=RECORDS_MAX
                )
                # By position, not by records: a partition ends in the marker of a transaction.
                whole = [
                    partition
                    for partition, end in self._ends.items()
                    if await self._consumer.position(TopicPartition(*partition)) >= end
                ]
            except KafkaError as error:
                raise translated(error) from error
            idle = 0 if fetched else idle + 1
            for messages in fetched.values():
                records = [to_record(message, 0, time.monotonic()) for message in messages]
                end = self._ends.get(records[0].partition, 0)
                yield [record for record in records if record.offset < end]
            for partition in whole:
                del self._ends[partition]

    async def send(self, outgoing: Sequence[Outgoing], read: Sequence[Record]) -> None:
        """Send letters back, and commit that all of `read` is dealt with.

        Raises:
            RetriableError: nothing was sent; run the replay again.
        """
        try:
            async with asyncio.timeout(TRANSACTION_MS / 1000):
                await self._producer.begin()
                failed = await self._producer.send_each(outgoing)
                if failed:
                    raise failed[0][1]
                await self._producer.send_offsets(next_offsets(read), self._group)
                await self._producer.commit()
        except (KafkaError, TimeoutError) as error:
            raise RetriableError(
                f"the letters from {read[0].partition.topic}/{read[0].partition.number} offset "
                f"{read[0].offset} were not sent ({type(error).__name__}); run the replay again, "
                "it goes on from there"
            ) from error
