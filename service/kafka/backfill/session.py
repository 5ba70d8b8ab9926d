"""The session of a backfill: the ordinary one, which returns no record behind the ends.

The ends are those at the start of this process. Whether a backfill is done is read from what the
group has committed, so all replicas see it, whichever of them has done the work. Nothing may enter
that publishes in another way than the session.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from service.errors import BrokerError, RetriableError
from service.kafka.client import background, connection
from service.kafka.fetching import Tails
from service.kafka.identities import Identities
from service.kafka.log_ends import held_back
from service.kafka.session import KafkaSession
from service.progress import Reached
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aiokafka import AIOKafkaConsumer

    from service.kafka.backfill.span import Limits, Span
    from service.progress import Progress
    from service.records import Record
    from service.settings import KafkaSettings

log = structlog.get_logger(__name__)

# How often all partitions are looked at for ends behind which no record came: so much later may
# one be committed.
LOOK_S = 0.5
REACHED_TIMEOUT_S = 5.0
# A partition without a leader has neither a beginning nor an end: the start is tried again then.
LIMITS_TIMEOUT_S = 30.0
# Of which a line of the log names each.
NAMED_MAX = 10
ANEW = "--group with another name begins anew"


class BackfillSession(KafkaSession):
    """Implements `ports.EndingSession`."""

    def __init__(
        self,
        settings: KafkaSettings,
        records_max: int,
        mode: Literal["exactly_once", "at_least_once"],
        span: Span,
    ) -> None:
        """Connect to nothing yet; `settings` name the group of the backfill."""
        super().__init__(settings, records_max, mode)
        self._span = span
        self._limits: Limits | None = None
        self._total = 0
        self._ends = Ends()
        self._tails = self._ends
        self._fetching.finished = self._ends.read
        # Of the topics whose offsets the limits are.
        self._topics = Identities()

    async def start(self) -> None:
        """See `ports.Session.start`; the first start decides on the limits."""
        await super().start()
        if self._limits is None:
            with connection.translating():
                async with asyncio.timeout(LIMITS_TIMEOUT_S):
                    await self._take_limits()

    async def _take_limits(self) -> None:
        topics = self._settings.input_topics
        await self._topics.refresh(self._consumer, topics)
        limits = await self._span.limits(self._consumer, topics)
        committed = await self._group_offsets(limits)
        left = sum(limits.left(committed).values())
        self._limits = limits
        # The group may go on before the first offset.
        self._total = max(limits.total, left)
        self._ends.last = limits.last
        self._starts.first_offsets = limits.first
        log.info(
            "backfill",
            group=self._settings.group_id,
            reads=str(self._span),
            partitions=len(limits.last),
            offsets=limits.total,
            left=left,
        )
        for doubt in self._span.doubts(limits):
            log.warning(doubt)
        self._say_committed(limits, committed)
        to_the_end = (p for p, (_, end) in limits.there.items() if limits.last[p] == end)
        held = await held_back(self._consumer, [TopicPartition(*p) for p in to_the_end])
        if held:
            log.warning(
                "open transactions hold back records, with what others have committed behind "
                "them; the same command reads those once the transactions have ended",
                offsets=sum(held.values()),
                partitions=[f"{p.topic}/{p.partition}: {n}" for p, n in held.items()][:NAMED_MAX],
            )

    def _say_committed(self, limits: Limits, committed: Mapping[Partition, int]) -> None:
        # Of partitions with something to read.
        known = {p: at for p, at in committed.items() if min(at, limits.first[p]) < limits.last[p]}
        if not known:
            return
        fields: dict[str, object] = {"partitions": len(known)}
        before = 0
        if self._span.start is not None:
            fields["not_applied"] = f"--from {self._span.start}"
            before = sum(at < limits.first[p] for p, at in known.items())
        if not limits.left(committed):
            what = "nothing is left: the group has committed everything up to the ends"
            log.warning(what, **fields, remedy=ANEW)
        elif before:
            what = "the group goes on behind what it has committed, which lies before --from"
            log.warning(what, **fields | {"partitions": before}, remedy=ANEW)
        else:
            what = "the group goes on behind what another replica, or an earlier run, has committed"
            log.info(what, **fields)

    async def poll(self, crowded: Collection[Partition] = (), *, few: bool = False) -> list[Record]:
        """See `ports.Session.poll`; nothing behind the ends."""
        return self._ends.within(await super().poll(crowded, few=few))

    def _raise_fault(self) -> None:
        # Behind an end nobody reads.
        self._faults = {p: f for p, f in self._faults.items() if not self._ends.has_read(p)}
        super()._raise_fault()

    async def lag(self) -> dict[Partition, int]:
        """See `ports.Session.lag`; counted to the ends."""
        lag = await super().lag()
        self.held = dict.fromkeys(lag, 0)
        at = {p: self.progress.next_offset(p) for p in lag}
        return {p: max(0, self._ends.last.get(p, 0) - (at[p] or 0)) for p in lag}

    async def reached(self) -> Reached:
        """See `ports.EndingSession.reached`."""
        limits = self._limits
        if limits is None or self._consumer is None:
            raise RetriableError("the group is being joined")
        try:
            async with asyncio.timeout(REACHED_TIMEOUT_S):
                if await self._topics.have_changed(self._consumer):
                    raise BrokerError(
                        "an input topic was deleted and made anew during the backfill, whose ends "
                        "are offsets of the old one; start it again"
                    )
                committed = await self._group_offsets(limits)
        except (KafkaError, TimeoutError) as error:
            raise connection.translated(error) from error
        left = limits.left(committed)
        self._ends.uncommitted = left.keys() - committed.keys()
        return Reached(self._total, sum(left.values()))

    async def _group_offsets(self, limits: Limits) -> dict[Partition, int]:
        """What the group has committed; an offset in an open transaction counts once it ends."""
        places = [TopicPartition(*partition) for partition in limits.last]
        stored = await background.committed(self._consumer, places) if places else {}
        return {
            Partition(*place): int(offset)
            for place, (offset, metadata) in stored.items()
            if not self._topics.is_of_another(Partition(*place), metadata)
        }


class Ends(Tails):
    """Which partitions are read to their ends, and which ends are to be committed.

    The last record before an end may lie far before it: behind it are markers, aborted records, or
    what compaction has left out. So the end itself is committed, and stands for being done. Other
    tails are none of a backfill's.
    """

    def __init__(self) -> None:
        """Know of no ends: nothing is read."""
        super().__init__()
        self.last: Mapping[Partition, int] = {}
        # Of which the client fetches nothing more in this epoch; the fetching looks at it.
        self.read: set[TopicPartition] = set()
        # Of which the group has no offset, though there was something to read.
        self.uncommitted: Collection[Partition] = ()
        # By partition, the offset behind the last record that was returned in this epoch.
        self._returned: dict[Partition, int] = {}

    def clear(self) -> None:
        """See `Tails.clear`."""
        super().clear()
        self.read.clear()
        self._returned.clear()
        self._look_at = float("-inf")

    def has_read(self, partition: Partition) -> bool:
        """Whether nothing more is read of it."""
        return TopicPartition(*partition) in self.read

    def within(self, records: list[Record]) -> list[Record]:
        """The records before the ends; one behind an end shows that its partition is read."""
        kept = []
        for record in records:
            if record.offset < self.last.get(record.partition, 0):
                kept.append(record)
                self._returned[record.partition] = record.offset + 1
            else:
                self.read.add(TopicPartition(*record.partition))
        return kept

    async def due(
        self,
        consumer: AIOKafkaConsumer,
        progress: Progress,
        polled: Mapping[Partition, int],  # noqa: ARG002 - also of records behind the ends
        now: float,
    ) -> dict[Partition, int]:
        """The ends to commit: of partitions that are read to them, with everything published.

        See `Tails.due`; looks every LOOK_S.
        """
        if now < self._look_at:
            return {}
        self._look_at = now + LOOK_S
        due = {}
        for partition in progress.partitions:
            start, end = progress.next_offset(partition), self.last.get(partition, 0)
            place = TopicPartition(*partition)
            if place not in self.read and await consumer.position(place) >= end:
                self.read.add(place)
            if start is None or place not in self.read:
                continue
            is_behind = start < end or partition in self.uncommitted
            if is_behind and self._returned.get(partition, start) <= start:
                due[partition] = max(start, end)
        return due
