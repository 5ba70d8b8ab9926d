"""The group's committed offsets, read only from a coordinator that is known to have them all.

Exists because a coordinator that has just taken over may answer an older offset, until enough
replicas of its log have reported how far they are. Forming a group takes a write that waits for
those replicas, so a coordinator that has formed the group knows every earlier commit. What to do
about an answer that may be older is up to the session.
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
    """The group's committed offsets, read and written through one of its members."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Accept no coordinator's answers yet."""
        self._consumer = consumer
        self._coordinator: int | None = None

    def group_formed(self) -> None:
        """Accept the current coordinator: it has just formed the group."""
        self._coordinator = background.coordinator(self._consumer)

    async def read(self, partition: Partition) -> int | None:
        """The committed offset of a partition: the next one to read; None if there is none.

        Raises:
            RejoinError: another broker coordinates the group than when it was formed. The offsets
                that this member has published itself are no substitute: another member may have
                had the partition in between.
            KafkaError: the brokers cannot be reached or refuse.
        """
        # Looks at the coordinator after the answer: a change before or during the request is seen.
        offset: int | None = await self._consumer.committed(TopicPartition(*partition))
        if background.coordinator(self._consumer) != self._coordinator:
            raise RejoinError("another broker coordinates the group now")
        return offset

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit outside of any transaction; refused if the group was formed without this member.

        Raises:
            KafkaError: the offsets may be committed or not.
        """
        await self._consumer.commit(
            {TopicPartition(*partition): offset for partition, offset in offsets.items()}
        )
