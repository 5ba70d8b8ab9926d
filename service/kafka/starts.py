"""The offset from which each assigned partition is read.

An offset that the log no longer has, or does not have yet, is decided on here and not by aiokafka,
which would go to either end of the log without a word. Nothing may enter that reads or publishes
records.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from service.errors import BrokerError, RejoinError, RetriableError
from service.kafka.history import REMEDY, History
from service.kafka.log_ends import bounds, high_watermark
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer

    from service.kafka.committed import Committed
    from service.progress import Progress
    from service.settings import KafkaSettings

    _Commit = Callable[[Mapping[Partition, int]], Awaitable[None]]
    _Bounds = Mapping[TopicPartition, int]

log = structlog.get_logger(__name__)

# A rebalance waits for the answer; without one, the member joins again.
LOOK_BACK_TIMEOUT_S = 5.0


class Starts:
    """Where each assigned partition is read from."""

    def __init__(self, options: Mapping[str, Any], settings: KafkaSettings) -> None:
        """Ask nobody yet; `options` are those of `connection_options`."""
        self._settings = settings
        self._history = History(options, settings)
        # By partition: how many offsets were passed over unread, most of which expired before.
        self.lost: Counter[Partition] = Counter()
        # Topics of which the group had committed offsets before it was last formed.
        self._read: set[str] = set()
        self._asked = False
        # Of a backfill, which begins there and not at the beginning, and scores again on purpose.
        self.first_offsets: Mapping[Partition, int] | None = None

    async def look_back(self, committed: Committed) -> None:
        """Note which topics the group has read before; to be called before joining it.

        `latest` is for topics that the group has never read. In any other topic, a partition
        without a committed offset was added since, and its first records are to be read too.
        Asked later, the answer would be wrong at the first start: other members of the same
        generation commit where they begin, each at its own time. No member joins a generation
        before all have asked.
        """
        if self._settings.auto_offset_reset == "earliest":
            return
        consumer = committed.consumer
        self._asked = False
        try:
            async with asyncio.timeout(LOOK_BACK_TIMEOUT_S):
                for topic in set(self._settings.input_topics) - self._read:
                    numbers = sorted(consumer.partitions_for_topic(topic) or ())
                    places = [TopicPartition(topic, number) for number in numbers]
                    if await committed.read_places(places):
                        self._read.add(topic)
        except (KafkaError, RetriableError, TimeoutError):
            return
        self._asked = True

    async def find(
        self, committed: Committed, progress: Progress, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """The offset from which to read each partition.

        Raises:
            RejoinError: see `Committed.read`; or `look_back` got no answer, and it matters.
            RetriableError: the group rebalanced meanwhile, and an offset was to be committed.
            BrokerError: an offset lies behind the end of its log.
            KafkaError, TimeoutError: the brokers cannot be reached or refuse.
        """
        consumer, epoch = committed.consumer, progress.epoch

        async def commit(offsets: Mapping[Partition, int]) -> None:
            # aiokafka commits as a member of the latest generation. Before that one the partition
            # may have been another member's, who may have committed a later offset.
            if progress.epoch != epoch:
                raise RetriableError("the group rebalanced while its offsets were read")
            if offsets:
                await committed.commit(offsets)

        await self._note_remade(committed, progress)
        offsets, beginnings, ends = await asyncio.gather(
            committed.read([Partition(*p) for p in partitions]),
            bounds(consumer.beginning_offsets, partitions),
            bounds(consumer.end_offsets, partitions),
        )
        starts: dict[TopicPartition, int] = {}
        new: list[TopicPartition] = []
        expired: dict[TopicPartition, tuple[int, int]] = {}
        remade = committed.identities.remade
        unknown = [p for p in map(Partition._make, partitions) if p not in offsets]
        if self.first_offsets is None:
            await self._history.warn([p for p in unknown if p.topic not in remade])
        for place in partitions:
            # After a rewind this member's own progress may be ahead of the answer: a transaction
            # that has just ended shows a moment later, and a coordinator that does not know yet
            # that it was replaced has an older offset.
            known = offsets.get(Partition(*place)), progress.next_offset(Partition(*place))
            start = max((offset for offset in known if offset is not None), default=None)
            if start is None:
                new.append(place)
                continue
            if start < (beginning := beginnings.get(place, start)):
                expired[place] = (start, beginning)
                start = beginning
            elif start > ends.get(place, start):
                await self._check_end(consumer, place, start)
            starts[place] = start
        await self._skip_expired(expired, commit)
        return starts | await self._first_starts(consumer, new, beginnings, ends, commit)

    async def _note_remade(self, committed: Committed, progress: Progress) -> None:
        topics = self._settings.input_topics
        for topic in sorted(await committed.identities.refresh(committed.consumer, topics)):
            # What of it is published counts in the old log. The new one is read from its beginning.
            progress.forget(topic)
            self._read.add(topic)
            log.warning(
                "the topic was deleted and made anew; it is read from its beginning, and what the "
                "old one held unread is lost",
                topic=topic,
            )

    async def _first_starts(
        self,
        consumer: AIOKafkaConsumer,
        new: Sequence[TopicPartition],
        beginnings: _Bounds,
        ends: _Bounds,
        commit: _Commit,
    ) -> dict[TopicPartition, int]:
        """Where those without a committed offset begin; few requests, however many they are."""
        if self._settings.auto_offset_reset == "earliest":
            from_end = []
        else:
            from_end = [place for place in new if place.topic not in self._read]
        if from_end and not self._asked:
            topic = from_end[0].topic
            raise RejoinError(f"it is not known whether the group has read {topic} before")
        from_beginning = set(new).difference(from_end)
        first = await _known(consumer.beginning_offsets, beginnings, from_beginning)
        wanted = self.first_offsets or {}
        first = {
            place: max(start, wanted.get(Partition(*place), 0)) for place, start in first.items()
        }
        last = await _known(consumer.end_offsets, ends, from_end)
        # The end is committed, because it moves: after a rebalance before the first publish, the
        # new owner would begin at a later end and skip the records in between.
        await commit({Partition(*place): end for place, end in last.items()})
        self._count_forgotten(first | last)
        return first | last

    def _count_forgotten(self, starts: Mapping[TopicPartition, int]) -> None:
        """Count what lies between the last record with an event and where its partition begins.

        Each offset counts, also that of a record which was a dead letter or skipped.
        """
        for place, start in starts.items():
            partition = Partition(*place)
            published = self._history.last_published.pop(partition, start)
            if (passed_over := start - published - 1) > 0:
                self.lost[partition] += passed_over
                log.warning(
                    "records behind the last one with an event are passed over unread, since the "
                    "group's offset has expired",
                    partition=f"{place.topic}/{place.partition}",
                    last_published=published,
                    first_offset=start,
                    lost=passed_over,
                    remedy=REMEDY,
                )

    async def _skip_expired(
        self, expired: Mapping[TopicPartition, tuple[int, int]], commit: _Commit
    ) -> None:
        # Committed first, so that what is lost is counted once, whoever has the partition next.
        await commit({Partition(*place): first for place, (_, first) in expired.items()})
        for place, (start, beginning) in expired.items():
            self.lost[Partition(*place)] += beginning - start
            log.warning(
                "records expired before they were read; raise the topic's retention, or add "
                "replicas",
                partition=f"{place.topic}/{place.partition}",
                committed_offset=start,
                first_offset=beginning,
                lost=beginning - start,
            )

    async def _check_end(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, start: int
    ) -> None:
        # Behind the last stable offset and before the real end is fine: tools commit that too.
        end = await high_watermark(consumer, place)
        if start > end:
            raise BrokerError(
                f"the offset {start} committed for {place.topic}/{place.partition} is behind the "
                f"end of its log, {end}: the topic was truncated or made anew; stop the service "
                "and choose where it goes on with kafka-consumer-groups --reset-offsets --group "
                f"{self._settings.group_id} --topic {place.topic}:{place.partition} --to-earliest "
                "--execute (or --to-latest, or --to-offset)"
            )


async def _known(
    ask: Any, bounds: _Bounds, places: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """The bounds of these; asks only where one is missing."""
    missing = [place for place in places if place not in bounds]
    asked: _Bounds = await ask(missing) if missing else {}
    return {place: int(asked[place] if place in asked else bounds[place]) for place in places}
