"""Stands where aiokafka's consumer stands, as a member of a group on a simulated cluster.

Behaves as aiokafka 0.14 does where the service depends on it: when its listener is told, what it
retries by itself. `test_session_contract` holds the service's session on it to the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    OffsetOutOfRangeError,
    RebalanceInProgressError,
)

from service.records import Partition
from simulation.clients.coordination import Coordination
from simulation.network import RETRY_S, Client, network_of, persist

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from aiokafka.structs import OffsetAndMetadata

    from service.kafka.session import KafkaSession
    from tools.kafka.stored import Stored


class Consumer:
    """Stands for `AIOKafkaConsumer`, as a member of a group."""

    def __init__(self, **options: Any) -> None:
        """Connect to nothing yet."""
        self._network = network_of(options)
        self._group = options["group_id"]
        self._reset = options["auto_offset_reset"]
        self._session_s = options["session_timeout_ms"] / 1000
        self._heartbeat_s = options["heartbeat_interval_ms"] / 1000
        self._rebalance_s = options["rebalance_timeout_ms"] / 1000
        self._max_poll_s = options["max_poll_interval_ms"] / 1000
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._assigned: list[Partition] = []
        self._stable = asyncio.Event()
        self._polled_at = 0.0
        self._coordinator = Coordination(self._network, self._group)
        self._client = Client(self._end_of)
        self._fetcher = SimpleNamespace(left=())
        self._topics: Sequence[str] = ()
        self._listener: KafkaSession
        self._coordinating: asyncio.Task[None] | None = None

    def subscribe(self, topics: Sequence[str], listener: KafkaSession) -> None:
        """See aiokafka."""
        self._topics, self._listener = topics, listener

    async def start(self) -> None:
        """Begin to join; aiokafka returns before the group has given anything too."""
        await self._request("metadata", lambda: None)
        self._polled_at = asyncio.get_running_loop().time()
        self._coordinating = asyncio.create_task(self._coordinate(), name="coordinate")

    async def stop(self) -> None:
        """Leave the group; the listener is not told."""
        if self._coordinating is not None:
            self._coordinating.cancel()
            await asyncio.gather(self._coordinating, return_exceptions=True)
        group, member = self._network.group(self._group), self._coordinator.member_id
        with contextlib.suppress(KafkaError):
            await self._request("leave", lambda: group.leave(member))

    def assignment(self) -> set[TopicPartition]:
        """See aiokafka; while the group rebalances, the old one."""
        return {TopicPartition(*partition) for partition in self._assigned}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See aiokafka."""
        if Partition(*partition) not in self._assigned:
            raise IllegalStateError(f"{partition} is not assigned")
        self._positions[Partition(*partition)] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        """See aiokafka."""
        self._paused |= {Partition(*partition) for partition in partitions}

    def paused(self) -> set[TopicPartition]:
        """See aiokafka."""
        return {TopicPartition(*partition) for partition in self._paused}

    def resume(self, *partitions: TopicPartition) -> None:
        """See aiokafka."""
        self._paused -= {Partition(*partition) for partition in partitions}

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int = 1 << 30
    ) -> dict[TopicPartition, list[Any]]:
        """See aiokafka: waits for the end of a rebalance, and keeps quiet about absent brokers."""
        loop = asyncio.get_running_loop()
        self._polled_at = loop.time()
        await self._stable.wait()
        brokers = self._network.brokers
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1000 if timeout_ms else None):
                while not (fetched := await self._fetched(partitions, max_records)) and timeout_ms:
                    await brokers.wait_for_append()
                return fetched
        return {}

    async def _fetched(
        self, partitions: Collection[TopicPartition], records_max: int
    ) -> dict[TopicPartition, list[Any]]:
        positions = {
            p: offset
            for p, offset in self._positions.items()
            if p not in self._paused and (not partitions or p in partitions)
        }
        brokers = self._network.brokers
        if brokers.away or not brokers.unread(positions):
            # A turn for the others, as every wait for an answer is.
            await asyncio.sleep(0)
            return {}
        generation = self._coordinator.generation
        try:
            found = await self._request("fetch", lambda: brokers.fetch(positions, records_max))
        except OffsetOutOfRangeError as error:
            # As for records: those of positions that are others by now are nobody's concern.
            [(partition, offset)] = error.args[0].items()
            if self._positions.get(partition) == offset:
                raise
            return {}
        except KafkaError:
            return {}
        fetched = {}
        for partition, (records, after) in found.items():
            # Meanwhile sought elsewhere, or taken away: what was fetched is dropped.
            same = generation == self._coordinator.generation and self._stable.is_set()
            if same and self._positions.get(partition) == positions[partition]:
                self._positions[partition] = after
                if records:
                    fetched[TopicPartition(*partition)] = [
                        _message(partition, offset, record) for offset, record in records
                    ]
        return fetched

    async def beginning_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """See aiokafka."""
        logs = self._network.brokers.logs
        found: dict[TopicPartition, int] = await self._request(
            "list offsets", lambda: {p: logs[Partition(*p)].start for p in partitions}
        )
        return found

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """See aiokafka."""
        logs = self._network.brokers.logs
        found: dict[TopicPartition, int] = await self._request(
            "list offsets", lambda: {p: logs[Partition(*p)].stable_end for p in partitions}
        )
        return found

    async def _end_of(self, partition: Partition) -> int:
        entries = self._network.brokers.logs[partition].entries
        end: int = await self._request("list offsets", lambda: len(entries))
        return end

    async def position(self, partition: TopicPartition) -> int:
        """See aiokafka; where it would wait for a position, there is one."""
        return self._positions[Partition(*partition)]

    def highwater(self, partition: TopicPartition) -> int:
        """See aiokafka; always of now."""
        return len(self._network.brokers.logs[Partition(*partition)].entries)

    def subscription(self) -> frozenset[str]:
        """See aiokafka."""
        return frozenset(self._topics)

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """See aiokafka."""
        return {p.number for p in self._network.brokers.partitions(topic)} or None

    async def topics(self) -> set[str]:
        """See aiokafka."""
        await self._request("metadata", lambda: None)
        return {partition.topic for partition in self._network.brokers.logs}

    async def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """See aiokafka."""
        group = self._network.group(self._group)
        member, generation = self._coordinator.member_id, self._coordinator.generation
        mine = {Partition(*partition): marked.offset for partition, marked in offsets.items()}
        if not mine.keys() <= set(self._assigned):
            raise IllegalStateError("not assigned")
        await persist(self._network, "commit", lambda: group.commit(member, generation, mine))

    async def _coordinate(self) -> None:
        while True:
            revoked = {TopicPartition(*partition) for partition in self._assigned}
            self._stable.clear()
            await self._listener.on_partitions_revoked(revoked)
            await self._join()
            await self._listener.on_partitions_assigned(self.assignment())
            await self._read_on()
            await self._beat()

    async def _join(self) -> None:
        group = self._network.group(self._group)
        while True:
            arguments = (
                self._coordinator.member_id,
                self._topics,
                self._session_s,
                self._rebalance_s,
            )
            try:
                joined = await self._request("join", partial(group.join, *arguments))
            except KafkaError:
                await asyncio.sleep(RETRY_S)
                continue
            me = self._coordinator
            me.member_id, me.generation = joined.member, joined.generation
            self._assigned = joined.partitions
            self._coordinator.coordinator_id = joined.coordinator
            self._positions = {}
            self._paused.clear()
            self._stable.set()
            return

    async def _read_on(self) -> None:
        """Read on from what is committed, as aiokafka does wherever nobody has sought yet."""
        fetch = self._coordinator.fetch_committed_offsets
        with contextlib.suppress(KafkaError):
            for partition, start in (await fetch(self._assigned)).items():
                self._positions.setdefault(Partition(*partition), start.offset)
            for partition in self._assigned:
                self._positions.setdefault(partition, 0)

    async def _beat(self) -> None:
        """Return when the group asks to join again, or the membership is lost."""
        group = self._network.group(self._group)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._heartbeat_s)
            if loop.time() - self._polled_at > self._max_poll_s:
                member = self._coordinator.member_id
                with contextlib.suppress(KafkaError):
                    await self._request("leave", partial(group.leave, member))
                return
            mine = (self._coordinator.member_id, self._coordinator.generation)
            try:
                await self._request("heartbeat", partial(group.heartbeat, *mine))
            except KafkaConnectionError:
                continue
            except RebalanceInProgressError:
                return
            except KafkaError:
                # See `reset_generation` of aiokafka.
                self._coordinator.member_id, self._coordinator.generation = "", -1
                return

    async def _request(self, name: str, handle: Callable[[], Any]) -> Any:
        return await self._network.request(name, handle)


def _message(partition: Partition, offset: int, record: Stored) -> Any:
    return SimpleNamespace(
        topic=partition.topic,
        partition=partition.number,
        offset=offset,
        timestamp=record.timestamp_ms,
        key=record.key,
        value=record.value,
        headers=record.headers,
    )
