"""How a publication gets out: exactly once by transactions, or at least once.

Exactly once needs one transactional producer per input partition. aiokafka sends no generation of
the group with a transaction's offsets, so with one id per process a stalled worker that lost its
partitions could still commit. With an id that belongs to the partition, whoever starts its producer
fences the older owner: that is done before the committed offset is read, so whoever reads it is the
only one who can move it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiokafka.errors import IllegalOperation, KafkaError

from service.errors import BrokerError, RejoinError, RetriableError
from service.kafka.connection import translated
from service.kafka.producer import Producer, portions, smaller_forms

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from service.kafka.committed import Committed
    from service.progress import Progress
    from service.records import Outgoing, Partition, Publication
    from service.settings import KafkaSettings

log = structlog.get_logger(__name__)

# All together, then one by one: full record, smaller form, cut form.
ATTEMPTS_MAX = 4
# Producers started at a time: each opens connections, and a broker takes them one by one.
STARTS_MAX = 16
# Each is a client with its own connections: figures under "Delivery" in service/README.md.
PRODUCERS_WARNED = 64


class Delivery(Protocol):
    """What the session needs to publish."""

    async def own(self, partitions: Collection[Partition]) -> None:
        """Be ready to publish for these input partitions; before their offsets are read."""

    def disown(self) -> None:
        """The partitions were taken away: nothing more is published for them."""

    async def publish(
        self,
        publication: Publication,
        progress: Progress,
        committed: Committed,
    ) -> None:
        """Publish and commit; `progress` moves on in each partition as soon as that is certain.

        Raises:
            RetriableError: some of it is not published.
            RejoinError: another owner has a partition, or some of it may be published or not.
            BrokerError: waiting does not help.
        """

    async def stop(self) -> None:
        """Close all connections; may be called twice."""


class AtLeastOnce:
    """One idempotent producer; offsets are committed when all is sent."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Connect to nothing yet."""
        self._options = options
        self._producer: Producer | None = None

    async def own(self, partitions: Collection[Partition]) -> None:  # noqa: ARG002 - one for all
        """See `Delivery.own`."""
        if self._producer is None:
            producer = Producer(self._options)
            await producer.start()
            self._producer = producer

    def disown(self) -> None:
        """See `Delivery.disown`; the one producer serves any partition."""

    async def publish(
        self,
        publication: Publication,
        progress: Progress,
        committed: Committed,
    ) -> None:
        """See `Delivery.publish`."""
        try:
            for portion in portions(publication.outgoing):
                await self._send(portion)
            await committed.commit(publication.offsets)
            progress.advance(publication.offsets)
        except (KafkaError, TimeoutError) as error:
            raise translated(error) from error

    async def _send(self, portion: Sequence[Outgoing]) -> None:
        await self.own(())
        assert self._producer is not None  # noqa: S101 - for the type checker
        failed = await self._producer.send_each(portion)
        if not failed:
            return
        await self.stop()
        forms, one_by_one = smaller_forms([message for message, _ in failed], failed)
        if one_by_one:
            # Each on its own, so that none is sent before its predecessor is taken in some form.
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
        self._options = options
        self._settings = settings
        self._producers: dict[Partition, Producer] = {}
        self._discarded: list[Producer] = []

    async def own(self, partitions: Collection[Partition]) -> None:
        """See `Delivery.own`; a producer that is still good goes on."""
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
                await producer.start()
                self._producers[partition] = producer

        results = await asyncio.gather(*map(start, missing), return_exceptions=True)
        discarded, self._discarded = self._discarded, []
        await asyncio.gather(*(producer.stop() for producer in discarded))
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def disown(self) -> None:
        """See `Delivery.disown`; closed by the next `own`, which may wait for it."""
        self._discarded.extend(self._producers.values())
        self._producers.clear()

    async def publish(
        self,
        publication: Publication,
        progress: Progress,
        committed: Committed,
    ) -> None:
        """See `Delivery.publish`; one transaction for each input partition, side by side."""
        outgoing: dict[Partition, list[Outgoing]] = {p: [] for p in publication.offsets}
        for message in publication.outgoing:
            outgoing[message.source].append(message)
        results = await asyncio.gather(
            *(
                self._transact(p, outgoing[p], offset, progress, committed)
                for p, offset in publication.offsets.items()
            ),
            return_exceptions=True,
        )
        errors = [result for result in results if isinstance(result, BaseException)]
        # Of several, the one that asks for most: a fenced producer means leave and join again.
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
        one_by_one = ending = False
        start = progress.next_offset(partition) or 0
        for _ in range(ATTEMPTS_MAX):
            producer = self._producers.get(partition)
            if producer is None:
                raise RetriableError(f"{partition.topic}/{partition.number} has no producer")
            try:
                async with asyncio.timeout(self._settings.transaction_ms / 1000):
                    await producer.begin()
                    failed = await producer.send_each(outgoing, one_by_one)
                    if not failed:
                        await producer.send_offsets({partition: offset}, self._settings.group_id)
                        ending = True
                        await producer.commit()
                if ending:
                    progress.advance({partition: offset})
                    return
                self._discard(partition)
                outgoing, again = smaller_forms(outgoing, failed, one_by_one)
                one_by_one = one_by_one or again
                await self._reopen(partition, start, committed)
            except (KafkaError, TimeoutError, AssertionError, IllegalOperation) as error:
                # aiokafka asserts on the state of a transaction that has failed meanwhile.
                self._discard(partition)
                reason = translated(error)
                if ending and type(reason) is RetriableError:
                    raise RejoinError(f"a transaction may have ended or not: {reason}") from error
                raise reason from error
            except BaseException:
                self._discard(partition)
                raise
        raise BrokerError("the output topics refuse records of any size; check max.message.bytes")

    async def _reopen(self, partition: Partition, start: int, committed: Committed) -> None:
        """Start a new producer within a publish: it fences a new owner too, if there is one.

        What that one has committed shows afterwards, and then nothing more may be published here.
        """
        await self.own([partition])
        if await committed.read(partition) not in (None, start):
            raise RejoinError("another replica has taken the partition over")

    def _discard(self, partition: Partition) -> None:
        producer = self._producers.pop(partition, None)
        if producer is not None:
            self._discarded.append(producer)

    def _new(self, partition: Partition) -> Producer:
        group, topic, number = self._settings.group_id, partition.topic, partition.number
        identity = f"{group}-{topic}-{number}"
        return Producer(self._options, identity, self._settings.transaction_ms)

    async def stop(self) -> None:
        """See `Delivery.stop`."""
        self.disown()
        discarded, self._discarded = self._discarded, []
        await asyncio.gather(*(producer.stop() for producer in discarded))
