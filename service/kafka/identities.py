"""Tells a topic that was deleted and made anew from the one that it was, by the id of each.

The name stays, and an offset of the old log means nothing in the new one. So every commit carries
the identity of the topic whose log it counts in, and whoever reads it compares. Brokers delete the
committed offsets of a deleted topic, but a member that has not noticed yet may commit again.
Nothing may enter that sets positions.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from service.kafka.client.metadata import topic_ids

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiokafka import AIOKafkaConsumer

    from service.records import Partition

# How late a new topic of the same name is noticed: one small request of each replica.
LOOK_EVERY_S = 5.0
# A broker that is frozen or gone answers nothing. Others have the same answer, so it is not waited
# for: a look that fails is made again after LOOK_EVERY_S.
LOOK_TIMEOUT_S = 2.0


class Identities:
    """The identities of the input topics, as of when positions were last set.

    Empty where the brokers know none (before Kafka 2.8): then all topics count as the same.
    """

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[str, str] = {}
        self._looked_at = 0.0
        # Topics of which it is known that they were made anew.
        self.remade: set[str] = set()

    def mark(self, partition: Partition, offset: int) -> OffsetAndMetadata:
        """An offset to commit, with the identity of its topic."""
        return OffsetAndMetadata(offset, self._known.get(partition.topic, ""))

    def is_of_another(self, partition: Partition, metadata: str | None) -> bool:
        """Whether an offset was committed for another topic of the same name and cluster.

        Offsets without an identity are of tools or of older versions. Those of another cluster were
        copied, and whoever copied them has translated them.
        """
        known, _, cluster = self._known.get(partition.topic, "").partition("@")
        then, at, cluster_then = (metadata or "").partition("@")
        another = bool(known and at) and cluster == cluster_then and known != then
        if another:
            self.remade.add(partition.topic)
        return another

    async def refresh(self, consumer: AIOKafkaConsumer, topics: Collection[str]) -> set[str]:
        """Ask for the identities; returns the topics that are others than before.

        Raises:
            KafkaError, TimeoutError: a broker cannot be reached; the next call may ask another.
        """
        found = await _ask(consumer, topics)
        changed = {name for name in found if self._known.get(name, found[name]) != found[name]}
        self._known |= found
        self.remade |= changed
        self._looked_at = asyncio.get_running_loop().time()
        return changed

    async def have_changed(self, consumer: AIOKafkaConsumer) -> bool:
        """Whether any known topic is another by now; asks every LOOK_EVERY_S, else it is False.

        What is known stays as it was: commits under way still count in the old log. Nothing follows
        from a look without an answer.
        """
        now = asyncio.get_running_loop().time()
        if not self._known or now - self._looked_at < LOOK_EVERY_S:
            return False
        self._looked_at = now
        try:
            found = await _ask(consumer, self._known)
        except (KafkaError, TimeoutError):
            return False
        return any(self._known[name] != identity for name, identity in found.items())


async def _ask(consumer: AIOKafkaConsumer, topics: Collection[str]) -> dict[str, str]:
    async with asyncio.timeout(LOOK_TIMEOUT_S):
        return await topic_ids(consumer._client, topics)  # noqa: SLF001 - no public way
