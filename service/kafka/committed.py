"""The group's committed offsets.

They are read only from a coordinator that is known to have them all: one that has just
taken over may answer an older offset, until enough replicas of its log have reported how far they
are. Forming a group takes a write that waits for those replicas, so a coordinator that has formed
the group knows every earlier commit. What to do about an answer that may be older is up to the
session.

Nothing may enter that sets positions, or that reads or publishes records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiokafka import TopicPartition

from service.errors import RejoinError
from service.kafka.client import background, generations
from service.kafka.client.offset_requests import NOBODY
from service.kafka.identities import Identities
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import OffsetAndMetadata

log = structlog.get_logger(__name__)


class Committed:
    """The group's committed offsets, read and written through one of its members."""

    def __init__(self, consumer: AIOKafkaConsumer, *, stable: bool) -> None:
        """Accept no coordinator's answers yet; `stable` waits for open transactions."""
        self.consumer = consumer
        self.identities = Identities()
        # Of the generation in which the partitions were assigned that are read now. It is not
        # asked for later: a member that has joined again may have lost them.
        self.membership = NOBODY
        self._read = generations.stable_offsets if stable else background.committed
        self._coordinator: int | None = None

    def group_formed(self) -> None:
        """Accept the current coordinator and generation: it has just formed the group."""
        self._coordinator = background.coordinator(self.consumer)
        self.membership = generations.membership(self.consumer)

    async def read(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """The committed offset of each partition that has one: the next one to read.

        An offset that counts in the log of a topic that was deleted since is left out.

        Raises:
            RejoinError: another broker coordinates the group than when it was formed. The offsets
                that this member has published itself are no substitute: another member may have
                had the partition in between.
            KafkaError: the brokers cannot be reached or refuse.
        """
        # Without partitions the group may not be formed yet.
        if not partitions:
            return {}
        # Looks at the coordinator after the answer: a change before or during the request is seen.
        stored = await self.read_places([TopicPartition(*partition) for partition in partitions])
        if background.coordinator(self.consumer) != self._coordinator:
            raise RejoinError("another broker coordinates the group now")
        found = {}
        for place, (offset, metadata) in stored.items():
            partition = Partition(*place)
            if self.identities.is_of_another(partition, metadata):
                log.warning(
                    "the committed offset is of a topic of this name that was deleted since; the "
                    "new one is read from its beginning",
                    partition=f"{partition.topic}/{partition.number}",
                    committed_offset=offset,
                )
            else:
                found[partition] = int(offset)
        return found

    async def read_places(
        self, places: Sequence[TopicPartition]
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        """The answer of whichever coordinator is known.

        Raises:
            RetriableError: an open transaction has some of the offsets.
            KafkaError: the brokers cannot be reached or refuse.
        """
        return await self._read(self.consumer, places)

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit outside of any transaction; refused if the group was formed without this member.

        Raises:
            KafkaError: the offsets may be committed or not.
        """
        marked = self.marked(offsets).items()
        await self.consumer.commit({TopicPartition(*p): offset for p, offset in marked})

    def marked(self, offsets: Mapping[Partition, int]) -> dict[Partition, OffsetAndMetadata]:
        """Offsets to commit, each with the identity of its topic."""
        return {p: self.identities.mark(p, offset) for p, offset in offsets.items()}
