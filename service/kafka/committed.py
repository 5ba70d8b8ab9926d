"""What the group has committed, as far as the coordinator that tells it can be trusted.

Exists because one that has just taken over may answer an older offset, until enough replicas have
told it how far they are; to form a group takes a write that waits for those. What is done about an
answer that cannot be trusted is the session's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from service.errors import RejoinError
from service.kafka import background

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaConsumer

    from service.records import Partition


class Committed:
    """The group's offsets, through one of its members."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Trust nobody yet."""
        self._consumer = consumer
        self._coordinator: int | None = None

    def group_formed(self) -> None:
        """The coordinator of now has formed the group, and so knows all that was committed."""
        self._coordinator = background.coordinator(self._consumer)

    async def read(self, partition: Partition) -> int | None:
        """The offset behind the last record that the group is done with, if any was committed.

        Raises:
            RejoinError: another broker coordinates the group than when it was formed. What this
                member has published itself does not make up for it: another one may have had the
                partition in between.
            KafkaError: the brokers cannot be reached or refuse.
        """
        offset: int | None = await self._consumer.committed(TopicPartition(*partition))
        if background.coordinator(self._consumer) != self._coordinator:
            raise RejoinError("another broker coordinates the group now")
        return offset

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit outside of any transaction; refused where the group has formed without this one.

        Raises:
            KafkaError: it may be committed or not.
        """
        await self._consumer.commit(
            {TopicPartition(*partition): offset for partition, offset in offsets.items()}
        )
