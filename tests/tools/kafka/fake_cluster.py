"""A Kafka cluster in memory: logs, committed offsets, and groups that rebalance eagerly."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING

from service.errors import RetriableError
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.kafka.fake_kafka import FakeSession
    from tools.kafka.stored import Stored


class FakeCluster:
    """Topics, what groups have committed, and who is in them.

    A rebalance is eager: all members lose all partitions, then get their share. It has two halves,
    so that a test can do something between them.
    """

    def __init__(self, topics: Mapping[str, int]) -> None:
        """Create topics with so many partitions."""
        self.logs: dict[Partition, list[Stored]] = {}
        self.bytes_max: dict[str, int] = {}
        self.committed: defaultdict[str, dict[Partition, int]] = defaultdict(dict)
        self.members: defaultdict[str, list[FakeSession]] = defaultdict(list)
        self.owners: dict[tuple[str, Partition], FakeSession] = {}
        self.away = False
        self._counts: dict[str, int] = {}
        self._changed = asyncio.Event()
        for topic, partitions in topics.items():
            self.create(topic, partitions)

    def create(self, topic: str, partitions: int, bytes_max: int | None = None) -> None:
        """Create a topic; `bytes_max` is the size of the largest record that it takes."""
        self._counts[topic] = partitions
        self.logs |= {partition: [] for partition in self.partitions(topic)}
        if bytes_max is not None:
            self.bytes_max[topic] = bytes_max

    def partitions(self, topic: str) -> list[Partition]:
        """A topic's partitions, in order; none where it does not exist."""
        return [Partition(topic, number) for number in range(self._counts.get(topic, 0))]

    def append(self, topic: str, record: Stored, number: int | None = None) -> Partition:
        """Store a record in the partition given, or in the one of its key."""
        if number is None:
            number = zlib.crc32(record.key or b"") % self._counts[topic]
        partition = Partition(topic, number)
        self.logs[partition].append(record)
        self.changed()
        return partition

    def records(self, topic: str) -> list[Stored]:
        """All records of a topic, one partition after the other."""
        return [record for partition in self.partitions(topic) for record in self.logs[partition]]

    def join(self, session: FakeSession) -> None:
        """Let a session into its group, with a rebalance."""
        self.members[session.group].append(session)
        self.rebalance(session.group)

    def leave(self, session: FakeSession) -> None:
        """Let a session out of its group, with a rebalance; nothing where it is not in it."""
        if session in self.members[session.group]:
            self.members[session.group].remove(session)
            self.rebalance(session.group)

    def rebalance(self, group: str) -> None:
        """Take all partitions of a group away, and give them out again."""
        self.revoke(group)
        self.assign(group)

    def revoke(self, group: str) -> None:
        """Do the first half of a rebalance: nobody owns anything."""
        self.owners = {place: owner for place, owner in self.owners.items() if place[0] != group}
        for session in self.members[group]:
            session.on_revoked()

    def assign(self, group: str) -> None:
        """Do the second half: partitions go round among the members in the order they joined."""
        members = self.members[group]
        topics = sorted({topic for session in members for topic in session.input_topics})
        shared = [partition for topic in topics for partition in self.partitions(topic)]
        for position, session in enumerate(members):
            share = shared[position :: len(members)]
            self.owners |= {(group, partition): session for partition in share}
            session.on_assigned(share)
        self.changed()

    def commit(self, session: FakeSession, offsets: Mapping[Partition, int]) -> None:
        """Commit for a group.

        Raises:
            RetriableError: the session does not own a partition.
        """
        if any(self.owners.get((session.group, partition)) is not session for partition in offsets):
            raise RetriableError("the partitions were taken away before the commit")
        self.committed[session.group].update(offsets)
        self.changed()

    def changed(self) -> None:
        """Wake all who wait for a change."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait for the next change, or so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
