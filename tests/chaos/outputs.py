"""The topics that the service writes, read while it does so, and what was in those deleted since.

Exists because an operator may delete such a topic and make it anew: what was read of it before must
be judged with what comes after. What may be missing is decided in `accounts`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from chaos.readers import Reader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from chaos.cluster import Cluster
    from chaos.oracle import Key, Outcome
    from chaos.readers import Isolation, Outcomes

Ends = dict[tuple[str, int], int]


class Outputs:
    """A reader for each topic; `topics` are their numbers of partitions."""

    def __init__(self, cluster: Cluster, topics: Mapping[str, int]) -> None:
        """Read nothing yet."""
        self._cluster = cluster
        self._topics = dict(topics)
        self._readers = {topic: self._reader(topic) for topic in topics}
        # Of topics that were deleted: what was in them, and how much that is.
        self._kept: Outcomes = defaultdict(list)
        self._kept_count = 0

    def _reader(self, topic: str, isolation: Isolation = "read_committed") -> Reader:
        return Reader(self._cluster, {topic: self._topics[topic]}, isolation)

    @property
    def count(self) -> int:
        """How many outcomes were read."""
        return self._kept_count + sum(reader.count for reader in self._readers.values())

    def timed(self, topic: str) -> list[tuple[int, Outcome]]:
        """The outcomes in a topic, each with the time at which it was written; as of now."""
        return list(self._readers[topic].timed)

    async def until_now(self, topic: str) -> Callable[[], Awaitable[bool]]:
        """Whether all was read that counts of a topic now; more may come meanwhile."""
        ends = await self._ends(topic, committed=True)

        async def reached() -> bool:
            return self._readers[topic].reached(ends)

        return reached

    def start(self) -> None:
        """Begin to read."""
        for reader in self._readers.values():
            reader.start()

    def abandon(self) -> None:
        """Read no more."""
        for reader in self._readers.values():
            reader.abandon()

    async def retire(self, topic: str) -> set[Key]:
        """Read a topic to its end for the last time; nobody may be writing to it.

        Gives the inputs of which records lie behind the first open transaction: whether they count
        will never be known.

        Raises:
            TimeoutError, AssertionError: as for `Reader.finish`.
        """
        ends, stable = await self._ends(topic), await self._ends(topic, committed=True)
        reader = self._readers[topic]
        for partition, records in (await asyncio.to_thread(reader.finish, stable)).items():
            self._kept[partition] += records
        self._kept_count += reader.count
        everything = self._reader(topic, "read_uncommitted")
        everything.start()
        found = await asyncio.to_thread(everything.finish, ends)
        return {
            one.identity
            for partition, records in found.items()
            for one in records
            if one.place.offset >= stable[partition]
        }

    def renew(self, topic: str) -> None:
        """Read a topic that was made anew."""
        self._readers[topic] = self._reader(topic)
        self._readers[topic].start()

    async def finish(self) -> tuple[Outcomes, Outcomes]:
        """Read all to its end of now: what is in the topics, and that with what was deleted.

        Raises:
            TimeoutError, AssertionError: as for `Reader.finish`.
        """
        now: Outcomes = {}
        for topic, reader in self._readers.items():
            now |= await asyncio.to_thread(reader.finish, await self._ends(topic))
        return now, {p: [*self._kept.get(p, ()), *records] for p, records in now.items()}

    async def read_again(self, isolation: Isolation) -> Outcomes:
        """What another reader gets of the topics, from their beginnings.

        Raises:
            TimeoutError, AssertionError: as for `Reader.finish`.
        """
        reader = Reader(self._cluster, self._topics, isolation)
        reader.start()
        return await asyncio.to_thread(reader.finish, await self.ends())

    async def ends(self, *, committed: bool = False) -> Ends:
        """Where all topics end, or their first open transactions begin."""
        found: Ends = {}
        for topic in self._topics:
            found |= await self._ends(topic, committed=committed)
        return found

    async def _ends(self, topic: str, *, committed: bool = False) -> Ends:
        ends = await self._cluster.ends(topic, committed=committed)
        return {(topic, number): end for number, end in ends.items()}
