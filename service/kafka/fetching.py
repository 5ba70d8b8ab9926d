"""The group's consumer, which fetches only during a poll: a poll returns the newest records.

Exists for two properties of aiokafka. It returns all that it has fetched of one partition before it
looks at others: a backlog would hold back their records for minutes. And it fetches ahead: after
each poll it sends the brokers another request, which they answer as soon as one record comes. That
record then waits for the next poll, and all behind it for the poll after that. With polls 10 ms
apart a record took 13 ms to the service, most of it here.
Nothing may enter that knows the session or what a record means.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from service.kafka.client.batches import install
from service.kafka.consumer import fetcher, static

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from service.kafka.consumer.static import InstanceId
    from service.progress import Progress
    from service.records import Partition
    from service.settings import KafkaSettings

# How long a poll waits for records, and so how late a stop or a full queue may be noticed.
POLL_TIMEOUT_MS = 200
# How long to wait for other brokers once one has answered: a few round trips. A broker without new
# records answers only at the end of its own wait.
OTHERS_MS = 3
# An empty fetch occupies its broker's connection for this long: a partition whose position is set
# meanwhile has to wait for it.
FETCH_WAIT_MS = 100
# How late a partition that was added is noticed, or a topic that was deleted and made anew: one
# small request of each replica. aiokafka's default is five minutes.
METADATA_AGE_MS = 5000
# How long a poll waits for others beside a backlog: shorter than a small batch takes, of which two
# wait meanwhile, so the model always has one.
BESIDE_MS = 8
# Most records of a poll beside a backlog: of other partitions, as many as are prepared without a
# thread; fewer with those of the backlog among them, since the others wait while all are prepared.
BESIDE_MAX = 32
FEW_MAX = 16
# Bounds one fetch; with the bounds of the queues it keeps the process far under 1 GB.
FETCH_BYTES_MAX = 16 * 2**20


# How long nothing is to come behind such a tail before it is committed: where an upstream producer
# commits all the time, its markers are passed over with the next records.
TAIL_S = 5.0
# How often all partitions are checked for such a tail, and how much later it may be committed.
TAIL_LOOK_S = 1.0


def new_consumer(
    options: Mapping[str, Any], settings: KafkaSettings, name: InstanceId | None = None
) -> AIOKafkaConsumer:
    """A member of the group that is not started; `options` are those of `connection_options`.

    All consumers of a session share `name`, that of a static member.
    """
    install()
    fetcher.install()
    static.install()
    return AIOKafkaConsumer(
        **options,
        group_id=settings.group_id,
        group_instance_id=name,
        enable_auto_commit=False,
        # The session sets all positions: aiokafka would move one that the log does not have unseen.
        auto_offset_reset="none",
        isolation_level="read_committed",
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_ms,
        rebalance_timeout_ms=settings.rebalance_ms,
        max_poll_interval_ms=settings.max_poll_ms,
        fetch_max_bytes=FETCH_BYTES_MAX,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        metadata_max_age_ms=METADATA_AGE_MS,
    )


class Fetching:
    """Takes what has come to a consumer, in equal shares of the partitions that have records."""

    def __init__(self, records_max: int) -> None:
        """`records_max` bounds the records of one poll."""
        self._records_max = records_max
        # To be asked last: with more partitions than records, not each gets one in every poll.
        self._served: set[TopicPartition] = set()
        # Of which nothing more is wanted.
        self.finished: Collection[TopicPartition] = ()
        # Of which the last poll has left records at the client.
        self.left: frozenset[Partition] = frozenset()

    async def poll(
        self,
        consumer: AIOKafkaConsumer,
        crowded: Collection[Partition] = (),
        *,
        few: bool = False,
    ) -> dict[TopicPartition, list[Any]]:
        """Records that have come since the last call, by partition; empty if none came in time.

        A broker that has answered gets no other request before the next call, unless as many as
        may be taken are: a backlog is fetched while the records are processed. Records of `crowded`
        partitions stay at the client; then only BESIDE_MAX of others are taken, and without them
        FEW_MAX of all if only a `few` are wanted. With crowded ones, and few wanted, it waits for
        BESIDE_MS at the most.

        Raises:
            KafkaError: as `getmany`; records that this call had taken before are lost.
        """
        asked = consumer.assignment()
        finished = asked.intersection(self.finished)
        consumer.resume(*consumer.paused() - finished)
        consumer.pause(*finished)
        consumer._fetcher.held = ()  # noqa: SLF001 - see `_hold_brokers_of`
        asked = asked - finished
        found: dict[TopicPartition, list[Any]] = {}
        bound = BESIDE_MAX if crowded else FEW_MAX if few else self._records_max
        left = min(self._records_max, bound)
        if crowded:
            asked = asked.difference(crowded)
            if asked:
                wait_ms = BESIDE_MS if few else OTHERS_MS
                left -= _merge(found, await self._take(consumer, asked, left, wait_ms))
            elif few:
                await asyncio.sleep(BESIDE_MS / 1000)
            # Twice: while what the last fetch has brought was here, none was under way.
            if found and left and not few:
                left -= _merge(found, await self._take(consumer, asked, left, OTHERS_MS))
        else:
            wait_ms = POLL_TIMEOUT_MS
            while left and (more := await self._take(consumer, asked, left, wait_ms)):
                left -= _merge(found, more)
                if left and _hold_brokers_of(consumer, more):
                    break
                wait_ms = OTHERS_MS
        fetcher = consumer._fetcher  # noqa: SLF001 - that of `consumer.fetcher`
        # Brokers are asked for others beside these: else a backlog would hold them back. Those that
        # come from now on are taken first: a fetch of partitions without any would occupy the
        # connection for as long as nothing comes.
        here = getattr(fetcher, "_records", ()) if crowded or not left else ()
        self.left = fetcher.left = frozenset({*crowded, *here})
        fresh = found.keys() - self._served
        self._served = self._served | fresh if fresh else set(found)
        return found

    async def _take(
        self,
        consumer: AIOKafkaConsumer,
        partitions: Collection[TopicPartition],
        records_max: int,
        timeout_ms: int,
    ) -> dict[TopicPartition, list[Any]]:
        """Records at the client; waits only if there are none. Shares that are left go round again.

        aiokafka itself returns all that it has of one partition before it looks at the next.
        """
        found: dict[TopicPartition, list[Any]] = {}
        hungry: Collection[TopicPartition] = partitions
        left = records_max
        while left:
            more = await self._round(consumer, hungry, left)
            if not more and not found and timeout_ms:
                more = await consumer.getmany(*partitions, timeout_ms=timeout_ms, max_records=1)
                timeout_ms = 0
                hungry = partitions
            else:
                hungry = more.keys()
            if not more:
                break
            left -= _merge(found, more)
        return found

    async def _round(
        self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], records_max: int
    ) -> dict[TopicPartition, list[Any]]:
        """At most one share of each partition that has records."""
        found: dict[TopicPartition, list[Any]] = {}
        # Each call looks at all that it is given: with many partitions most have nothing.
        here = getattr(consumer._fetcher, "_records", partitions)  # noqa: SLF001 - no public way
        ready = [partition for partition in here if partition in partitions]
        left, share = records_max, max(1, records_max // max(1, len(ready)))
        for served in (False, True):
            asked = [p for p in ready if (p in self._served) == served][:left]
            while left and asked:
                more = await consumer.getmany(*asked, max_records=min(left, share))
                if not more:
                    break
                left -= _merge(found, more)
                asked = [partition for partition in asked if partition not in more]
        return found


def _merge(found: dict[TopicPartition, list[Any]], more: Mapping[TopicPartition, list[Any]]) -> int:
    """Append records by partition; returns how many."""
    for partition, records in more.items():
        found.setdefault(partition, []).extend(records)
    return sum(map(len, more.values()))


def _hold_brokers_of(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> bool:
    """Ask the brokers that lead these nothing more in this poll; whether all are held now."""
    fetcher = consumer._fetcher  # noqa: SLF001 - that of `consumer.fetcher`
    leader = consumer._client.cluster.leader_for_partition  # noqa: SLF001 - no public way
    fetcher.held = {*fetcher.held, *map(leader, partitions)}
    return all(leader(partition) in fetcher.held for partition in consumer.assignment())


class Tails:
    """Offsets at the end of a log that hold nothing to read: markers and aborted records.

    They are committed too once nothing else comes, or the group's lag would never reach 0.
    """

    def __init__(self) -> None:
        """Know of none."""
        self._since: dict[Partition, tuple[int, float]] = {}
        self._look_at = float("-inf")

    def clear(self) -> None:
        """Forget all: positions are set anew."""
        self._since.clear()

    async def due(
        self,
        consumer: AIOKafkaConsumer,
        progress: Progress,
        polled: Mapping[Partition, int],
        now: float,
    ) -> dict[Partition, int]:
        """The positions to commit: reached TAIL_S ago, with everything read being published.

        To be called between two polls; `polled` has the offset behind the last record returned.
        Looks every TAIL_LOOK_S, and else finds none.
        """
        if now < self._look_at:
            return {}
        since: dict[Partition, tuple[int, float]] = {}
        for partition in progress.partitions:
            start = progress.next_offset(partition)
            position = await consumer.position(TopicPartition(*partition))
            if start is None or polled.get(partition, start) > start or position <= start:
                continue
            before = self._since.get(partition)
            since[partition] = before if before and before[0] == position else (position, now)
        self._since = since
        later = (at + TAIL_S for _, at in since.values() if now - at < TAIL_S)
        self._look_at = min([now + TAIL_LOOK_S, *later])
        return {p: position for p, (position, at) in since.items() if now - at >= TAIL_S}
