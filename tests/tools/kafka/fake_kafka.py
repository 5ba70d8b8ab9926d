"""Kafka in memory: a cluster, and sessions of it that keep the contract of `ports.Session`.

Exists so that the stream can be tested without brokers, as quickly as it runs: nothing here sleeps,
nothing is random. `test_session_contract` holds it to what real Kafka does. May import the service;
holds no test. The service's own session runs on the brokers of `simulation`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Literal

from service.errors import BrokerError, RetriableError
from service.progress import Progress
from service.records import Partition, Record
from tools.kafka.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from service.records import Outgoing, Publication
    from tools.kafka.fake_cluster import FakeCluster

# As in Kafka, a poll that finds nothing gives the caller a turn now and then.
POLL_WAIT_S = 0.02

Step = Literal["start", "poll", "keep_alive", "publish", "commit", "lag"]

# What it returns at most where few records are wanted.
FEW = 16


class FakeSession:
    """Implements `ports.Session` on a `FakeCluster`, at least once.

    What is put in with `before` runs at the next such step, once: it may raise, change the cluster,
    or wait. The steps of a publication are "publish", before anything is sent, and "commit", when
    all is sent and nothing committed.
    """

    def __init__(
        self,
        cluster: FakeCluster,
        *,
        inputs: Sequence[str] = ("in",),
        output: str = "out",
        dead_letters: str = "dead",
        group: str = "group",
        records_max: int = 256,
        auto_offset_reset: Literal["earliest", "latest"] = "earliest",
    ) -> None:
        """Join nothing yet."""
        self.progress = Progress()
        self.rebalances = 0
        self.lost: dict[Partition, int] = {}
        self.throttled_s = 0.0
        self.held: Mapping[Partition, int] = {}
        self.group = group
        self.input_topics = tuple(inputs)
        self.polls = 0
        self.kept_alive = 0
        self._cluster = cluster
        self._topics = (*inputs, output, dead_letters)
        self._records_max = records_max
        self._reset = auto_offset_reset
        self._positions: dict[Partition, int] = {}
        self._assigned: list[Partition] = []
        self._publishing = asyncio.Lock()
        self._hooks: defaultdict[Step, deque[Callable[[], object]]] = defaultdict(deque)

    @property
    def joined(self) -> bool:
        """Whether the group has given this member its partitions, be they none."""
        return self.rebalances > 0 and self.progress.positioned

    def before(self, step: Step, hook: Callable[[], object]) -> None:
        """Run a hook at the next such step for which there is none yet; it may be a coroutine's."""
        self._hooks[step].append(hook)

    def fail(self, step: Step, times: int = 1) -> None:
        """Let a step fail in a way that passes."""
        for _ in range(times):
            self.before(step, _raise_retriable)

    async def start(self) -> None:
        """See `ports.Session.start`."""
        await self._step("start")
        for topic in self._topics:
            if not self._cluster.partitions(topic):
                raise BrokerError(f"topic {topic} does not exist; create it")
        self._cluster.join(self)

    async def poll(self, crowded: Collection[Partition] = (), *, few: bool = False) -> list[Record]:
        """See `ports.Session.poll`."""
        self.polls += 1
        await self._step("poll")
        await self._position()
        asked = set(self._assigned).difference(crowded)
        if (few or not crowded) and not any(self._unread(p) for p in asked):
            await self._cluster.wait_for_change(POLL_WAIT_S)
            await self._position()
        return self._take(crowded, min(FEW, self._records_max) if few else self._records_max)

    @property
    def behind(self) -> frozenset[Partition]:
        """See `ports.Session.behind`."""
        return frozenset(partition for partition in self._assigned if self._unread(partition))

    async def keep_alive(self) -> None:
        """See `ports.Session.keep_alive`."""
        self.kept_alive += 1
        await self._step("keep_alive")

    async def publish(self, publication: Publication) -> bool:
        """See `ports.Session.publish`."""
        async with self._publishing:
            await self._step("publish")
            if publication.epoch != self.progress.epoch:
                return False
            for outgoing in publication.outgoing:
                self._send(outgoing)
            await self._step("commit")
            self._cluster.commit(self, publication.offsets)
            if publication.epoch == self.progress.epoch:
                self.progress.advance(publication.offsets)
            return True

    def rewind(self) -> None:
        """See `ports.Session.rewind`."""
        self.progress.interrupt()

    async def lag(self) -> dict[Partition, int]:
        """See `ports.Session.lag`."""
        await self._step("lag")
        ends = {partition: len(self._cluster.logs[partition]) for partition in self._assigned}
        return {p: end - (self.progress.next_offset(p) or 0) for p, end in ends.items()}

    async def stop(self) -> None:
        """See `ports.Session.stop`."""
        self._cluster.leave(self)
        self.on_revoked()

    def on_revoked(self) -> None:
        """Lose all partitions; the cluster calls this."""
        self.progress.revoke()
        self._assigned = []

    def on_assigned(self, partitions: Sequence[Partition]) -> None:
        """Get partitions; the cluster calls this."""
        self.progress.interrupt()
        self.rebalances += 1
        self._assigned = sorted(partitions)

    async def _step(self, step: Step) -> None:
        # Every step gives the others a turn, as a request over the network does.
        await asyncio.sleep(0)
        if self._hooks[step]:
            waiting = self._hooks[step].popleft()()
            if asyncio.iscoroutine(waiting):
                await waiting
        if self._cluster.away:
            raise RetriableError("the brokers do not answer")

    async def _position(self) -> None:
        if self.progress.positioned:
            return
        # What is being published may be committed yet: it is not to be read again.
        async with self._publishing:
            self._positions = {p: self._start_of(p) for p in self._assigned}
            self.progress.position(self._positions)

    def _unread(self, partition: Partition) -> list[Stored]:
        return self._cluster.logs[partition][self._positions[partition] :]

    def _take(self, crowded: Collection[Partition], records_max: int) -> list[Record]:
        if not self.progress.positioned:
            return []
        now = asyncio.get_running_loop().time()
        records: list[Record] = []
        # The shortest first: what it leaves of its share goes to the others.
        asked = sorted(set(self._assigned).difference(crowded), key=lambda p: len(self._unread(p)))
        for position, partition in enumerate(asked):
            start = self._positions[partition]
            share = -(-(records_max - len(records)) // (len(asked) - position))
            stored = self._unread(partition)[:share]
            self._positions[partition] += len(stored)
            records += [
                Record(
                    partition=partition,
                    offset=start + position,
                    timestamp_ms=record.timestamp_ms,
                    key=record.key,
                    value=record.value,
                    headers=record.headers,
                    epoch=self.progress.epoch,
                    polled_at=now,
                )
                for position, record in enumerate(stored)
            ]
        return records

    def _start_of(self, partition: Partition) -> int:
        committed = self._cluster.committed[self.group].get(partition)
        if committed is not None:
            return committed
        published = self.progress.next_offset(partition)
        if published is not None:
            return published
        if self._reset == "earliest":
            return 0
        end = len(self._cluster.logs[partition])
        self._cluster.commit(self, {partition: end})
        return end

    def _send(self, outgoing: Outgoing) -> None:
        topic = outgoing.topic
        record = Stored(outgoing.key, outgoing.value, outgoing.headers)
        if record.size > self._cluster.bytes_max.get(topic, record.size):
            if outgoing.smaller is None:
                raise BrokerError(f"topic {topic} refuses even the shortest form of a dead letter")
            self._send(outgoing.smaller())
            return
        keyless = outgoing.source.number % len(self._cluster.partitions(topic))
        self._cluster.append(topic, record, keyless if outgoing.key is None else None)


def _raise_retriable() -> None:
    raise RetriableError("asked to fail")
