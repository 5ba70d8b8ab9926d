"""Membership in the consumer group and the producer, as one Session.

They are one object because a commit must know the assignment. What aiokafka does not do by itself
and is done here: the producers of new partitions are started before their committed offsets are
read, and every partition is positioned by hand before its records are handed on.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Literal

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from service.errors import BrokerError, RejoinError, RetriableError
from service.kafka import background
from service.kafka.batches import reading, to_record
from service.kafka.committed import Committed
from service.kafka.connection import check_access, connection_options, translated
from service.kafka.delivery import AtLeastOnce, Delivery, ExactlyOnce
from service.kafka.fetching import fetch
from service.kafka.producer import Producer
from service.progress import Progress
from service.records import Partition, Publication, Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.settings import KafkaSettings

log = structlog.get_logger(__name__)

# How long a poll waits for records: also how soon a stop or a full queue is noticed.
POLL_TIMEOUT_MS = 200
# A publish takes milliseconds; a rebalance that waits longer for one lets it go, and the epoch
# keeps what it would publish later from being committed.
REVOKE_WAIT_S = 5.0
LAG_TIMEOUT_S = 5.0
# An empty fetch occupies its broker's connection for so long: a partition that is positioned anew
# meanwhile has to wait for it.
FETCH_WAIT_MS = 100
# Of one fetch: with the queues' own bounds it keeps the process far under 1 GB.
FETCH_BYTES_MAX = 16 * 2**20


class KafkaSession(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Implements `ports.Session`."""

    def __init__(
        self,
        settings: KafkaSettings,
        records_max: int,
        mode: Literal["exactly_once", "at_least_once"] = "exactly_once",
    ) -> None:
        """Connect to nothing yet; `records_max` bounds one poll."""
        self.progress = Progress()
        self.rebalances = 0
        self._settings = settings
        self._records_max = records_max
        self._options = connection_options(settings)
        self._consumer: AIOKafkaConsumer = None
        self._committed: Committed
        self._delivery: Delivery = (
            ExactlyOnce(self._options, settings)
            if mode == "exactly_once"
            else AtLeastOnce(self._options)
        )
        self._must_rejoin = False
        # What is positioned then would fence the producers of whoever is given the partitions.
        self._reassigning = False
        # Behind the last record of each partition that was polled in this epoch.
        self._polled: dict[Partition, int] = {}
        self._faults: dict[Partition, BrokerError | RetriableError] = {}
        # Held while something is on its way to be committed.
        self._publishing = asyncio.Lock()

    @property
    def joined(self) -> bool:
        """Whether the group has given this member its partitions, be they none."""
        return self.rebalances > 0 and self.progress.positioned

    async def start(self) -> None:
        """See `ports.Session.start`."""
        settings = self._settings
        topics = (*settings.input_topics, settings.output_topic, settings.dead_letter_topic)
        await check_access(self._options)
        producer = Producer(self._options)
        try:
            await producer.start()
            await producer.check_topics(topics)
            await self._join()
        except (KafkaError, TimeoutError) as error:
            raise translated(error) from error
        finally:
            await producer.stop()

    async def _join(self) -> None:
        settings = self._settings
        self._consumer = AIOKafkaConsumer(
            **self._options,
            group_id=settings.group_id,
            enable_auto_commit=False,
            auto_offset_reset=settings.auto_offset_reset,
            isolation_level="read_committed",
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_ms,
            rebalance_timeout_ms=settings.rebalance_ms,
            max_poll_interval_ms=settings.max_poll_ms,
            fetch_max_bytes=FETCH_BYTES_MAX,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        self._committed = Committed(self._consumer)
        self._consumer.subscribe(settings.input_topics, listener=self)
        await self._consumer.start()

    async def poll(self) -> list[Record]:
        """See `ports.Session.poll`."""
        try:
            if self._must_rejoin:
                await self._leave()
                await self._join()
                self._must_rejoin = False
            if (reason := background.ended(self._consumer)) is not None:
                self._must_rejoin = True
                raise reason
            if not self.progress.positioned and not self._reassigning:
                await self._position()
            self._raise_fault()
            epoch = self.progress.epoch
            with reading(self._settings.unfolded_bytes_max) as now_reading:
                fetched = await fetch(self._consumer, self._records_max, POLL_TIMEOUT_MS)
        except (KafkaError, TimeoutError) as error:
            # aiokafka may have gone past what it never gave.
            self.progress.interrupt()
            raise await self._explained(error) from error
        except RejoinError:
            self._must_rejoin = True
            raise
        # No await from here on: what is stamped with this epoch was fetched in it.
        if epoch != self.progress.epoch or not self.progress.positioned:
            return []
        self._faults = now_reading.faults
        if not fetched:
            self._raise_fault()
        self._polled |= {Partition(*p): records[-1].offset + 1 for p, records in fetched.items()}
        # The clock of time.monotonic, which a simulation's loop sets.
        now = asyncio.get_running_loop().time()
        return [
            to_record(message, epoch, now) for messages in fetched.values() for message in messages
        ]

    def _raise_fault(self) -> None:
        """Raise what stopped a partition, when all of it before that is published.

        Sooner, and who moves the group past it would move it past those records too.
        """
        faults, self._faults = self._faults, {}
        for partition, fault in faults.items():
            if (self.progress.next_offset(partition) or 0) >= self._polled.get(partition, 0):
                raise fault

    async def keep_alive(self) -> None:
        """See `ports.Session.keep_alive`; the next poll fetches anew what was fetched ahead."""
        if self._must_rejoin:
            return
        self._consumer.pause(*self._consumer.assignment())
        try:
            await self._consumer.getmany(timeout_ms=0)
        except KafkaError as error:
            self.progress.interrupt()
            raise translated(error) from error

    async def publish(self, publication: Publication) -> bool:
        """See `ports.Session.publish`."""
        async with self._publishing:
            if publication.epoch != self.progress.epoch:
                return False
            try:
                await self._delivery.publish(publication, self.progress, self._committed)
            except RejoinError:
                self._must_rejoin = True
                raise
            return True

    def rewind(self) -> None:
        """See `ports.Session.rewind`."""
        self.progress.interrupt()

    async def lag(self) -> dict[Partition, int]:
        """See `ports.Session.lag`."""
        starts = {p: self.progress.next_offset(p) for p in self.progress.partitions}
        if self._consumer is None:
            raise RetriableError("the group is being joined")
        try:
            async with asyncio.timeout(LAG_TIMEOUT_S):
                if not starts:
                    await self._consumer.topics()
                    return {}
                ends = await self._consumer.end_offsets([TopicPartition(*p) for p in starts])
        except (KafkaError, TimeoutError) as error:
            raise await self._explained(error) from error
        return {p: max(0, ends[TopicPartition(*p)] - (start or 0)) for p, start in starts.items()}

    async def _explained(self, error: Exception) -> BrokerError | RetriableError:
        """Tell credentials that were taken back from brokers that are away: waiting differs."""
        explained = translated(error)
        if type(explained) is RetriableError:
            try:
                await check_access(self._options)
            except (BrokerError, RetriableError) as reason:
                return reason
        return explained

    async def stop(self) -> None:
        """See `ports.Session.stop`."""
        await self._leave()

    async def _leave(self) -> None:
        self.progress.revoke()
        async with self._publishing:
            # Side by side: each waits for its bound when nobody answers.
            await asyncio.gather(self._stop_consumer(), self._delivery.stop())

    async def _stop_consumer(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await background.stop(consumer)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """End the epoch, and let what is being committed get through before others take over."""
        self._reassigning = True
        self.progress.revoke()
        log.info("partitions revoked", partitions=_names(revoked), epoch=self.progress.epoch)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_WAIT_S), self._publishing:
                pass
        self._delivery.disown()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin an epoch; the next poll positions the partitions, where an error can be raised."""
        self._reassigning = False
        self._committed.group_formed()
        self.progress.interrupt()
        self.rebalances += 1
        log.info("partitions assigned", partitions=_names(assigned), epoch=self.progress.epoch)

    async def _position(self) -> None:
        async with self._publishing:
            epoch = self.progress.epoch
            assigned = sorted(self._consumer.assignment())
            await self._delivery.own([Partition(*p) for p in assigned])
            starts = await asyncio.gather(*(self._start_of(p) for p in assigned))
            if epoch != self.progress.epoch:
                return
            for partition, start in zip(assigned, starts, strict=True):
                self._consumer.seek(partition, start)
            self._polled.clear()
            self._faults.clear()
            self.progress.position(
                {Partition(*p): s for p, s in zip(assigned, starts, strict=True)}
            )

    async def _start_of(self, partition: TopicPartition) -> int:
        committed = await self._committed.read(Partition(*partition))
        published = self.progress.next_offset(Partition(*partition))
        if committed is not None or published is not None:
            # A coordinator that does not know that another one has taken over may give an older
            # offset; and of a transaction that has just ended none can be read yet.
            return max(committed or 0, published or 0)
        if self._settings.auto_offset_reset == "earliest":
            return int((await self._consumer.beginning_offsets([partition]))[partition])
        # The end moves on: it is committed, or a record that comes now would be skipped by
        # whoever reads this partition after a rebalance.
        end = int((await self._consumer.end_offsets([partition]))[partition])
        await self._committed.commit({Partition(*partition): end})
        return end


def _names(partitions: Iterable[TopicPartition]) -> list[str]:
    return sorted(f"{p.topic}/{p.partition}" for p in partitions)
