"""Membership in the consumer group and publishing, as one Session: a commit must know both.

aiokafka leaves to it to set every position before records are returned, from offsets that cannot
move any more. Nothing may enter that knows what a record means.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Literal

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from service.errors import BrokerError, RejoinError, RetriableError
from service.kafka.client import background, connection
from service.kafka.client.batches import bounded_poll
from service.kafka.client.record import to_records
from service.kafka.committed import Committed
from service.kafka.consumer.static import InstanceId
from service.kafka.delivery import AtLeastOnce, Delivery, ExactlyOnce
from service.kafka.fetching import Fetching, Tails, new_consumer
from service.kafka.log_ends import log_ends, without_topics
from service.kafka.producer import Producer
from service.kafka.starts import Starts
from service.progress import Progress
from service.records import Partition, Publication, Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from aiokafka import AIOKafkaConsumer

    from service.settings import KafkaSettings

log = structlog.get_logger(__name__)

# How long a rebalance waits for a publish, which usually takes milliseconds.
REVOKE_WAIT_S = 5.0
LAG_TIMEOUT_S = 5.0


class KafkaSession(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Implements `ports.Session`."""

    def __init__(
        self,
        settings: KafkaSettings,
        records_max: int,
        mode: Literal["exactly_once", "at_least_once"] = "exactly_once",
    ) -> None:
        """Connect to nothing yet; `records_max` bounds the records of one poll."""
        self.progress = Progress()
        self.rebalances = 0
        self.held: Mapping[Partition, int] = {}
        self._settings = settings
        self._name = InstanceId.of(settings.group_instance_id)
        self._fetching = Fetching(records_max)
        self.behind: frozenset[Partition] = frozenset()
        self._options = connection.connection_options(settings)
        self._consumer: AIOKafkaConsumer = None
        self._committed: Committed
        self._starts = Starts(self._options, settings)
        self.lost = self._starts.lost
        self._tails = Tails()
        self._delivery: Delivery = (
            ExactlyOnce(self._options, settings)
            if mode == "exactly_once"
            else AtLeastOnce(self._options)
        )
        self._must_rejoin = False
        self._unpublished: RetriableError | None = None  # Of the last publish, where it failed.
        self._reassigning = False  # From a revocation to the next assignment; see `_position`.
        # For each partition polled in this epoch, the offset behind the last record returned.
        self._polled: dict[Partition, int] = {}
        self._faults: dict[Partition, BrokerError | RetriableError] = {}
        self._publishing = asyncio.Lock()  # Held during a commit, and while positions are set.

    @property
    def joined(self) -> bool:
        """Whether this member has its assignment, which may be empty, and all positions are set."""
        return self.rebalances > 0 and self.progress.positioned

    @property
    def throttled_s(self) -> float:
        """See `ports.Session.throttled_s`."""
        return self._delivery.throttling.total_s

    async def start(self) -> None:
        """See `ports.Session.start`."""
        settings = self._settings
        topics = (*settings.input_topics, settings.output_topic, settings.dead_letter_topic)
        await connection.check_access(self._options)
        producer = Producer(self._options)
        try:
            with connection.translating():
                await producer.start(transactional=self._delivery.transactional)
                await producer.check_topics(topics)
                await self._join()
        finally:
            await producer.stop()

    async def _join(self) -> None:
        self._consumer = new_consumer(self._options, self._settings, self._name)
        self._committed = Committed(self._consumer, stable=self._delivery.transactional)
        self._consumer.subscribe(self._settings.input_topics, listener=self)
        await self._consumer.start()

    async def poll(self, crowded: Collection[Partition] = (), *, few: bool = False) -> list[Record]:
        """See `ports.Session.poll`."""
        try:
            await self._get_ready()
            epoch = self.progress.epoch
            with bounded_poll(self._settings.unfolded_bytes_max) as bounded:
                fetched = await self._fetching.poll(self._consumer, crowded, few=few)
            self.behind = self._fetching.left
        except NoOffsetForPartitionError:
            # Of partitions that were assigned meanwhile; the next poll sets their positions.
            self.progress.interrupt()
            return []
        except OffsetOutOfRangeError as error:
            # The next poll looks where the log begins and ends now.
            self.progress.interrupt()
            raise RetriableError(f"an offset is not in its log any more ({error})") from error
        except (KafkaError, TimeoutError) as error:
            # aiokafka's positions may be behind records that it has not returned.
            self.progress.interrupt()
            raise await connection.explained(error, self._options) from error
        except RejoinError:
            self._must_rejoin = True
            raise
        # No await from here on. An epoch that has begun since the fetch has no positions yet.
        if not self.progress.positioned:
            return []
        self._faults = bounded.faults
        if not fetched:
            self._raise_fault()
        self._polled |= {Partition(*p): records[-1].offset + 1 for p, records in fetched.items()}
        # The clock of time.monotonic, which the simulation's event loop replaces.
        return to_records(fetched.values(), epoch, asyncio.get_running_loop().time())

    async def _get_ready(self) -> None:
        """Join again where that is needed, and set positions where they are not."""
        if self._must_rejoin:
            await self._leave()
            await self._join()
            self._must_rejoin = False
        if (reason := background.ended(self._consumer)) is not None:
            self._must_rejoin = True
            raise reason
        if await self._committed.identities.have_changed(self._consumer):
            self.progress.interrupt()
        if self.progress.positioned:
            await self._commit_tails()
        elif not self._reassigning:
            await self._position()
        self._raise_fault()

    async def _commit_tails(self) -> None:
        """Commit positions behind offsets that hold nothing to read."""
        epoch, now = self.progress.epoch, asyncio.get_running_loop().time()
        due = await self._tails.due(self._consumer, self.progress, self._polled, now)
        try:
            # While another publish waits for brokers that throttle, polling goes on.
            if due and not self._publishing.locked():
                await self.publish(Publication((), due, epoch))
        except RetriableError:
            self.progress.interrupt()
            raise

    def _raise_fault(self) -> None:
        """Raise the error of an unreadable batch once all records before it are published.

        Its remedy is to move the group past the batch, which would skip those records too.
        """
        faults, self._faults = self._faults, {}
        for partition, fault in faults.items():
            if (self.progress.next_offset(partition) or 0) >= self._polled.get(partition, 0):
                raise fault

    async def keep_alive(self) -> None:
        """See `ports.Session.keep_alive`; records fetched ahead are fetched again by `poll`."""
        if self._must_rejoin:
            return
        self._consumer.pause(*self._consumer.assignment())
        try:
            with contextlib.suppress(NoOffsetForPartitionError):
                await self._consumer.getmany(timeout_ms=0)
        except KafkaError as error:
            self.progress.interrupt()
            raise connection.translated(error) from error

    async def publish(self, publication: Publication) -> bool:
        """See `ports.Session.publish`."""
        async with self._publishing:
            if publication.epoch != self.progress.epoch:
                return False
            try:
                await self._delivery.publish(publication, self.progress, self._committed)
            except RetriableError as error:
                self._must_rejoin |= isinstance(error, RejoinError)
                topics = {message.topic for message in publication.outgoing}
                reason = await without_topics(error, self._consumer, topics)
                # Of an epoch that has ended it would hide what the next one finds.
                if publication.epoch == self.progress.epoch:
                    self._unpublished = reason
                raise reason from error
            self._unpublished = None
            return True

    def rewind(self) -> None:
        """See `ports.Session.rewind`."""
        self.progress.interrupt()

    async def lag(self) -> dict[Partition, int]:
        """See `ports.Session.lag`."""
        starts = {p: self.progress.next_offset(p) or 0 for p in self.progress.partitions}
        if self._consumer is None:
            raise self._unpublished or RetriableError("the group is being joined")
        try:
            async with asyncio.timeout(LAG_TIMEOUT_S):
                ends = await log_ends(self._consumer, starts)
        except (KafkaError, TimeoutError) as error:
            raise self._unpublished or await connection.explained(error, self._options) from error
        self.held = {p: end - stable for p, (stable, end) in ends.items()}
        lag = {p: max(0, ends[p][1] - start) for p, start in starts.items()}
        # Without lag everything is published: the answer to the last commit was lost.
        if self._unpublished is not None and (any(lag.values()) or not self.progress.positioned):
            raise self._unpublished
        self._unpublished = None
        return lag

    async def stop(self) -> None:
        """See `ports.Session.stop`."""
        await self._leave()

    async def _leave(self) -> None:
        self.progress.revoke()
        async with self._publishing:
            # Concurrently: each takes up to its own timeout if no broker answers.
            consumer, self._consumer = self._consumer, None
            await asyncio.gather(background.stop(consumer), self._delivery.stop())

    # Positions across a rebalance, step by step. Reading on behind the first unpublished record of
    # a partition loses records; reading on before it publishes records twice.

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """End the epoch, and let a publish that is under way end before others take over."""
        self._reassigning, self._unpublished = True, None
        # 1. The epoch ends before anything is awaited: what was polled in it cannot be published
        #    from here on, since `publish` compares epochs once it has the lock.
        self.progress.revoke()
        log.info("partitions revoked", partitions=_names(revoked), epoch=self.progress.epoch)
        # 2. A publish that has the lock has passed that check. The new owner waits for this method,
        #    so it is usually committed by then. A longer one goes on: its offsets are either in its
        #    transaction before the new generation begins, and then the new owner waits for its end
        #    (5), or the brokers refuse them.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_WAIT_S), self._publishing:
                pass
        if self._consumer is not None:
            await self._starts.look_back(self._committed)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin an epoch; the next poll sets the positions: aiokafka ignores errors in here."""
        # 3. Between revocation and this, `assignment()` still had the old partitions. Positions set
        #    then could have been those of a member that had just got them.
        self._reassigning = False
        self._committed.group_formed()
        self.progress.interrupt()
        self.rebalances += 1
        log.info("partitions assigned", partitions=_names(assigned), epoch=self.progress.epoch)

    async def _position(self) -> None:
        # 4. With the lock: a publish of this member could move an offset that was just read.
        async with self._publishing:
            epoch = self.progress.epoch
            assigned = sorted(self._consumer.assignment())
            # 5. Transactions of this process that are under way end first, and offsets that others
            #    have in open ones are waited for: they could still move.
            await self._delivery.prepare([Partition(*p) for p in assigned])
            positions = await self._starts.find(self._committed, self.progress, assigned)
            # 6. Another rebalance meanwhile: these partitions may be somebody else's.
            if epoch != self.progress.epoch:
                return
            # 7. No await from here on, so no rebalance comes between the seeks and the progress.
            #    aiokafka drops what it has fetched ahead from other positions than these.
            for partition, start in positions.items():
                self._consumer.seek(partition, start)
            self._polled.clear()
            self._tails.clear()
            self._faults.clear()
            self.progress.position({Partition(*p): start for p, start in positions.items()})


def _names(partitions: Iterable[TopicPartition]) -> list[str]:
    return [f"{topic}/{number}" for topic, number in sorted(partitions)[:10]]  # Of a thousand.
