"""Publishing and committing: exactly once by transactions, or at least once.

Exactly once has one transactional producer, whatever the number of partitions: a transaction has
all events, dead letters and offsets of a publish. A stalled replica that has lost its partitions
cannot commit, because the group's coordinator refuses offsets of an older generation (KIP-447).
Nothing may enter that reads records or knows what they mean.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from aiokafka.errors import IllegalOperation, KafkaError

from service.errors import RejoinError, RetriableError
from service.kafka.client.connection import translated, translating
from service.kafka.client.throttling import (
    BATCH_BYTES_MAX,
    LARGE_BATCH_BYTES_MAX,
    Throttling,
)
from service.kafka.older import OlderReplicas
from service.kafka.producer import Producer
from service.kafka.smaller import Failed, smaller_forms

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from service.kafka.client.offset_requests import Membership
    from service.kafka.committed import Committed
    from service.progress import Progress
    from service.records import Outgoing, Partition, Publication
    from service.settings import KafkaSettings


class Delivery(Protocol):
    """What the session needs to publish."""

    throttling: Throttling
    # Whether open transactions may move the group's offsets.
    transactional: bool

    async def prepare(self, partitions: Collection[Partition]) -> None:
        """Get ready to publish for these input partitions, before their offsets are read.

        What this process has left under way has ended when it returns.
        """

    async def publish(
        self, publication: Publication, progress: Progress, committed: Committed
    ) -> None:
        """Publish and commit; `progress` advances in each partition whose commit is certain.

        Raises:
            RetriableError: a part is not published.
            RejoinError: the group was formed without this member; or a part may be published or
                not.
            BrokerError: waiting does not help.
        """

    async def stop(self) -> None:
        """Close all connections; may be called twice."""


class AtLeastOnce:
    """One idempotent producer; offsets are committed when every record is sent."""

    transactional = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Connect to nothing yet."""
        self.throttling = Throttling()
        self._options = options
        self._producer: Producer | None = None

    async def prepare(self, partitions: Collection[Partition]) -> None:  # noqa: ARG002 - one for all
        """See `Delivery.prepare`."""
        await self._started()

    async def _started(self) -> Producer:
        if self._producer is None:
            producer = Producer(self._options, throttling=self.throttling)
            await producer.start()
            self._producer = producer
        return self._producer

    async def publish(
        self, publication: Publication, progress: Progress, committed: Committed
    ) -> None:
        """See `Delivery.publish`; where brokers throttle, commits each part that they took."""
        epoch, left = progress.epoch, publication.outgoing
        with translating():
            while left:
                producer = await self._started()
                if not await producer.pace.wait(lambda: progress.epoch != epoch):
                    await self.stop()
                    continue
                if progress.epoch != epoch:
                    raise RetriableError("the group rebalances")
                portion = await producer.portion(left)
                await self._send(portion)
                left = left[len(portion) :]
                if left and producer.pace.throttled_s():
                    reached = _reached(publication.offsets, left)
                    await committed.commit(reached)
                    progress.advance(reached)
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
    """One transactional producer."""

    transactional = True

    def __init__(self, options: Mapping[str, Any], settings: KafkaSettings) -> None:
        """Connect to nothing yet."""
        self.throttling = Throttling()
        self._options = options
        self._timeout_ms = settings.transaction_ms
        self._group = settings.group_id
        # The start of a producer ends what the one before with the same id has left open. A process
        # keeps its id, so that it need not wait for its own transactions to time out; that of a
        # lasting instance id is its next process's too. `<group>-` is the prefix that ACLs grant,
        # and since no name has a slash, no two groups and names make the same id.
        self._id = f"{self._group}-/{settings.group_instance_id or uuid.uuid4().hex}"
        self._older = OlderReplicas(self._group)
        self._batch_bytes_max = LARGE_BATCH_BYTES_MAX
        self._producer: Producer | None = None
        self._discarded: list[Producer] = []

    async def prepare(self, partitions: Collection[Partition]) -> None:
        """See `Delivery.prepare`; replicas of older versions are fenced."""
        producer = await self._started()
        await self._older.fence(producer.client, partitions)

    async def _started(self) -> Producer:
        if self._producer is None:
            producer = Producer(
                self._options, self._id, self._timeout_ms, self.throttling, self._batch_bytes_max
            )
            await producer.start(self._group)
            self._producer = producer
            await self._stop_discarded()
        return self._producer

    async def publish(
        self, publication: Publication, progress: Progress, committed: Committed
    ) -> None:
        """See `Delivery.publish`; one transaction, or several where brokers throttle.

        Each of several ends with the records that brokers have taken, and has the offset of the
        next one in each partition.
        """
        # Of the epoch that the session has just compared, since nothing was awaited in between.
        epoch, member = progress.epoch, committed.membership
        left: Sequence[Outgoing] = publication.outgoing
        one_by_one = False
        # Each turn publishes a part, or makes batches or records smaller, which ends.
        while True:
            with translating():
                producer = await self._started()
            if not await producer.pace.wait(lambda: progress.epoch != epoch):
                self._discard()
                continue
            if progress.epoch != epoch:
                raise RetriableError("the group rebalances")
            try:
                sent, failed = await self._transact(
                    producer, left, publication.offsets, member, committed, one_by_one
                )
            except BaseException:
                # Also if cancelled: used again, the producer would be in an open transaction.
                self._discard()
                raise
            if failed:
                # A topic has refused a record, which leaves a gap in the producer's sequence: only
                # another producer can go on. Its start also aborts the transaction.
                self._discard()
                bytes_max = self._batch_bytes_max
                with translating():
                    left, again = smaller_forms(left, failed, one_by_one, bytes_max)
                if again:
                    one_by_one = bytes_max == BATCH_BYTES_MAX
                    self._batch_bytes_max = BATCH_BYTES_MAX
                continue
            # Certain now, and noted without an await in between.
            left = left[sent:]
            progress.advance(_reached(publication.offsets, left))
            if not left:
                return

    async def _transact(
        self,
        producer: Producer,
        outgoing: Sequence[Outgoing],
        offsets: Mapping[Partition, int],
        member: Membership,
        committed: Committed,
        one_by_one: bool,
    ) -> tuple[int, Failed]:
        """Commit records and the offsets behind them together, or neither of them.

        Returns how many records are committed, and those refused, of which any prevents a commit.
        """
        ending = False
        try:
            async with asyncio.timeout(self._timeout_ms / 1000):
                await producer.begin()
                # 1. Every record is acknowledged before the offsets join the transaction. A failed
                #    send does not fail aiokafka's transaction: committed all the same, an offset
                #    would lie behind a record that was never published.
                sent, failed = await producer.send_some(outgoing, one_by_one)
                if failed:
                    return 0, failed
                # 2. Refused if the group was formed without this member since its epoch began.
                marked = committed.marked(_reached(offsets, outgoing[sent:]))
                await producer.send_offsets(marked, self._group, member)
                # 3. Set before the request: from here on the brokers may have committed, whatever
                #    becomes of their answer.
                ending = True
                await producer.commit()
        except (KafkaError, TimeoutError, AssertionError, IllegalOperation) as error:
            # aiokafka asserts on the state of a transaction that has failed meanwhile.
            reason = translated(producer.explained(error))
            # 4. Without an answer to 3, to read again from the committed offsets needs a
            #    coordinator that has them for certain: one that forms the group anew.
            if ending and type(reason) is RetriableError:
                raise RejoinError(f"a transaction may have ended or not: {reason}") from error
            raise reason from error
        return sent, failed

    def _discard(self) -> None:
        """Use the producer no more; it is closed later, which takes a while if brokers are away."""
        if self._producer is not None:
            self._discarded.append(self._producer)
            self._producer = None

    async def _stop_discarded(self) -> None:
        discarded, self._discarded = self._discarded, []
        await asyncio.gather(*(producer.stop() for producer in discarded))

    async def stop(self) -> None:
        """See `Delivery.stop`."""
        self._discard()
        await self._stop_discarded()


def _reached(offsets: Mapping[Partition, int], left: Sequence[Outgoing]) -> dict[Partition, int]:
    """The next offset of each partition, which is that of its first record that is left."""
    return {**offsets, **{message.source: message.offset for message in reversed(left)}}
