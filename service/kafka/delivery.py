"""Publishing and committing: exactly once by transactions, or at least once.

Exactly once needs one transactional producer per input partition. aiokafka does not send the
group's generation with the offsets of a transaction, so with one transactional id per process a
stalled replica that has lost its partitions could still commit. With one id per partition, whoever
starts its producer fences the older owner. That happens before the committed offset is read, so
only the member that reads an offset can move it. Nothing may enter that reads records or knows
what they mean.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiokafka.errors import IllegalOperation, KafkaError

from service.errors import RejoinError, RetriableError
from service.kafka.client.connection import translated, translating
from service.kafka.client.throttling import Throttling
from service.kafka.producer import Producer, transactional_id
from service.kafka.smaller import smaller_forms

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from service.kafka.committed import Committed
    from service.progress import Progress
    from service.records import Outgoing, Partition, Publication
    from service.settings import KafkaSettings

log = structlog.get_logger(__name__)

# Producers started at a time: each opens connections, and a broker accepts them one by one.
STARTS_MAX = 16
# Above this a warning is logged: each producer is a client with connections of its own. Figures are
# under "Delivery" in service/bench/README.md.
PRODUCERS_WARNED = 64


class Delivery(Protocol):
    """What the session needs to publish."""

    throttling: Throttling

    async def own(self, partitions: Collection[Partition]) -> None:
        """Get ready to publish for these input partitions, before their offsets are read."""

    def disown(self) -> None:
        """Publish nothing more for any partition: all of them were revoked."""

    async def publish(
        self, publication: Publication, progress: Progress, committed: Committed
    ) -> None:
        """Publish and commit; `progress` advances in each partition whose commit is certain.

        Raises:
            RetriableError: a part is not published.
            RejoinError: another member owns a partition, or a part may be published or not.
            BrokerError: waiting does not help.
        """

    async def stop(self) -> None:
        """Close all connections; may be called twice."""


class AtLeastOnce:
    """One idempotent producer; offsets are committed when every record is sent."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Connect to nothing yet."""
        self.throttling = Throttling()
        self._options = options
        self._producer: Producer | None = None

    async def own(self, partitions: Collection[Partition]) -> None:  # noqa: ARG002 - one for all
        """See `Delivery.own`."""
        await self._started()

    async def _started(self) -> Producer:
        if self._producer is None:
            producer = Producer(self._options, throttling=self.throttling)
            await producer.start()
            self._producer = producer
        return self._producer

    def disown(self) -> None:
        """See `Delivery.disown`; the one producer does not belong to a partition."""

    async def publish(
        self, publication: Publication, progress: Progress, committed: Committed
    ) -> None:
        """See `Delivery.publish`; where brokers throttle, commits each part that they took."""
        epoch, left = progress.epoch, publication.outgoing
        with translating():
            while left:
                producer = await self._started()
                await producer.pace.wait(lambda: progress.epoch != epoch)
                portion = await producer.portion(left)
                await self._send(portion)
                left = left[len(portion) :]
                if left and producer.pace.throttled_s():
                    # The next record to read of each partition is its first that is not sent.
                    unsent = {message.source: message.offset for message in reversed(left)}
                    await committed.commit(publication.offsets | unsent)
                    progress.advance(publication.offsets | unsent)
            await committed.commit(publication.offsets)
            progress.advance(publication.offsets)

    async def _send(self, portion: Sequence[Outgoing]) -> None:
        producer = await self._started()
        failed = await producer.send_each(portion)
        if not failed:
            return
        await self.stop()
        forms, one_by_one = smaller_forms([message for message, _ in failed], failed)
        if one_by_one:
            # Each by a call of its own: none is sent before the one before it is accepted in some
            # form, which keeps their order.
            for message in forms:
                await self._send([message])
        else:
            await self._send(forms)

    async def stop(self) -> None:
        """See `Delivery.stop`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


class ExactlyOnce:
    """A transactional producer for each owned input partition."""

    def __init__(self, options: Mapping[str, Any], settings: KafkaSettings) -> None:
        """Connect to nothing yet."""
        self.throttling = Throttling()
        self._options = options
        self._settings = settings
        self._group = settings.group_id
        self._producers: dict[Partition, Producer] = {}
        self._discarded: list[Producer] = []

    async def own(self, partitions: Collection[Partition]) -> None:
        """See `Delivery.own`; a producer that is not discarded is kept."""
        missing = [p for p in partitions if p not in self._producers]
        if len(partitions) > PRODUCERS_WARNED:
            log.warning(
                "many partitions for one replica: each has a producer of its own; "
                "run more replicas, or set SENTIMENT_DELIVERY__MODE=at_least_once",
                partitions=len(partitions),
                advised_max=PRODUCERS_WARNED,
            )
        slots = asyncio.Semaphore(STARTS_MAX)

        async def start(partition: Partition) -> None:
            async with slots:
                producer = self._new(partition)
                await producer.start(self._group)
                self._producers[partition] = producer

        results = await asyncio.gather(*map(start, missing), return_exceptions=True)
        discarded, self._discarded = self._discarded, []
        await asyncio.gather(*(producer.stop() for producer in discarded))
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def disown(self) -> None:
        """See `Delivery.disown`; the next `own` closes the producers, which takes a while."""
        self._discarded.extend(self._producers.values())
        self._producers.clear()

    async def publish(
        self, publication: Publication, progress: Progress, committed: Committed
    ) -> None:
        """See `Delivery.publish`; one transaction per input partition, concurrently."""
        outgoing: dict[Partition, list[Outgoing]] = {p: [] for p in publication.offsets}
        for message in publication.outgoing:
            outgoing[message.source].append(message)
        # All of them are awaited, also if one fails: when this returns, none is left that could
        # still commit while the session reads offsets.
        results = await asyncio.gather(
            *(
                self._transact(p, outgoing[p], offset, progress, committed)
                for p, offset in publication.offsets.items()
            ),
            return_exceptions=True,
        )
        errors = [result for result in results if isinstance(result, BaseException)]
        # A RejoinError goes first: any other error that lasts comes again after joining.
        for error in sorted(errors, key=lambda e: not isinstance(e, RejoinError)):
            raise error

    async def _transact(
        self,
        partition: Partition,
        outgoing: Sequence[Outgoing],
        offset: int,
        progress: Progress,
        committed: Committed,
    ) -> None:
        """Commit the records of one partition and its offset together, or neither of them.

        Where brokers throttle, in several transactions: each ends with the records that they have
        taken, and has the offset of the next one.
        """
        one_by_one = ending = False
        epoch, start = progress.epoch, progress.next_offset(partition) or 0
        # Each turn publishes a part, or sends a record in a smaller form, of which there are few.
        while True:
            # 1. For each attempt: a revocation takes the producer away. A new one would outlive it.
            producer = self._producers.get(partition)
            if producer is None or progress.epoch != epoch:
                raise RetriableError(f"{partition.topic}/{partition.number} has no producer")
            await producer.pace.wait(lambda: progress.epoch != epoch)
            try:
                async with asyncio.timeout(self._settings.transaction_ms / 1000):
                    await producer.begin()
                    # 2. Every record is acknowledged before the offset joins the transaction. A
                    #    failed send does not fail aiokafka's transaction: committed all the same,
                    #    the offset would lie behind a record that was never published.
                    sent, failed = await producer.send_some(outgoing, one_by_one)
                    if not failed:
                        end = offset if sent == len(outgoing) else outgoing[sent].offset
                        await producer.send_offsets(committed.marked({partition: end}), self._group)
                        # 3. Set before the request: from here on the brokers may have committed,
                        #    whatever becomes of their answer.
                        ending = True
                        await producer.commit()
                if ending:
                    # 4. Certain now, and noted without an await in between: an error of another
                    #    partition's transaction does not make this one be read again.
                    progress.advance({partition: end})
                    if sent == len(outgoing):
                        return
                    outgoing, start, one_by_one, ending = outgoing[sent:], end, False, False
                    continue
                # 5. A topic has refused a record, which leaves a gap in the producer's sequence:
                #    only another producer can go on. Its start, with the same id, also aborts the
                #    transaction that this one leaves open.
                self._discard(partition)
                outgoing, again = smaller_forms(outgoing, failed, one_by_one)
                one_by_one = one_by_one or again
                await self._reopen(partition, start, committed)
            except (KafkaError, TimeoutError, AssertionError, IllegalOperation) as error:
                # aiokafka asserts on the state of a transaction that has failed meanwhile.
                self._discard(partition)
                reason = translated(producer.explained(error))
                # 6. Without an answer to 3, to read again from the committed offset needs a
                #    coordinator that has that offset for certain: one that forms the group anew.
                if ending and type(reason) is RetriableError:
                    raise RejoinError(f"a transaction may have ended or not: {reason}") from error
                raise reason from error
            except BaseException:
                # 7. Also if cancelled: used again, the producer would be in an open transaction.
                self._discard(partition)
                raise

    async def _reopen(self, partition: Partition, start: int, committed: Committed) -> None:
        """Start a new producer within a publish, for records that were read some time ago.

        Raises:
            RejoinError: another member has published for the partition since then.
        """
        # This fences the partition's rightful owner too, if it is another member by now; that one
        # joins again. In this order: nobody can commit after the fencing, so an offset that is
        # still `start` afterwards means that nothing of `outgoing` is published. Asked for before,
        # the owner could commit in between, and the same records would be published twice.
        await self.own([partition])
        if (await committed.read([partition])).get(partition, start) != start:
            raise RejoinError("another replica has taken the partition over")

    def _discard(self, partition: Partition) -> None:
        producer = self._producers.pop(partition, None)
        if producer is not None:
            self._discarded.append(producer)

    def _new(self, partition: Partition) -> Producer:
        identity = transactional_id(self._group, partition)
        return Producer(self._options, identity, self._settings.transaction_ms, self.throttling)

    async def stop(self) -> None:
        """See `Delivery.stop`."""
        self.disown()
        discarded, self._discarded = self._discarded, []
        await asyncio.gather(*(producer.stop() for producer in discarded))
