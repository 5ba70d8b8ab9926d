"""Stands where aiokafka's producer stands, on a simulated cluster, with or without transactions.

Behaves as aiokafka 0.14 does where the service depends on it: a failed send fails no transaction,
a refused batch leaves a gap in the sequence. `test_session_contract` holds the service's session
on it to the real one.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    ConcurrentTransactions,
    IncompatibleBrokerVersion,
    InvalidProducerEpoch,
    KafkaError,
    OutOfOrderSequenceNumber,
)
from aiokafka.producer.sender import BACKOFF_OVERRIDE
from aiokafka.producer.transaction_manager import TransactionResult

from service.records import Partition
from simulation.clients.sender import Sender
from simulation.network import RETRY_S, network_of, persist
from tools.kafka.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aiokafka.structs import OffsetAndMetadata


_Sending = tuple[list[Stored], asyncio.Future[None]]


class Batch:
    """Stands for aiokafka's `BatchBuilder`."""

    def __init__(self, bytes_max: int) -> None:
        """Begin empty."""
        self.records: list[Stored] = []
        self._size = 0
        self._bytes_max = bytes_max

    def size(self) -> int:
        """Bytes so far; kept, since each record that is added asks."""
        return self._size

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]],
    ) -> Stored | None:
        """See aiokafka: an empty batch takes any record, another one only what fits."""
        assert timestamp is None
        record = Stored(key, value, tuple(headers))
        if self.records and self._size + record.size > self._bytes_max:
            return None
        self.records.append(record)
        self._size += record.size
        return record


class Producer:
    """Stands for `AIOKafkaProducer`, idempotent, with or without transactions."""

    def __init__(self, **options: Any) -> None:
        """Connect to nothing yet."""
        self._network = network_of(options)
        self._id: str | None = options.get("transactional_id")
        self._timeout_s = options.get("transaction_timeout_ms", 0) / 1000
        self._bytes_max = options["max_batch_size"]
        self._sender: Sender | None = None
        self._gap: set[Partition] = set()
        self._failed = False
        self._unsent: dict[Partition, list[_Sending]] = {}
        self._flushing: asyncio.Task[None] | None = None
        self.client = SimpleNamespace(
            force_metadata_update=self._force_metadata_update,
            close=self._close,
            get_random_node=lambda: 0,
            send=_send,
        )

    async def start(self) -> None:
        """Connect; with an id, fence the older owner."""
        if self._id is None:
            await self._request("metadata", lambda: None)
        else:
            identity, brokers = self._id, self._network.brokers
            arguments = (identity, self._timeout_s)
            epoch = await self._request("init producer", lambda: brokers.init_producer(*arguments))
            self._sender = Sender(self._network, identity, self._flushed)
            self._manager.set_pid_and_epoch(0, epoch)

    async def stop(self) -> None:
        """Close; what is under way is given up, and an open transaction is left to its timeout."""
        await self._close()

    async def partitions_for(self, topic: str) -> set[int]:
        """Numbers of a topic's partitions; waits where it does not exist."""
        while not (found := self._network.brokers.partitions(topic)):  # noqa: ASYNC110 - as aiokafka
            await asyncio.sleep(RETRY_S)
        return {partition.number for partition in found}

    @property
    def _manager(self) -> Any:
        assert self._sender is not None
        return self._sender._txn_manager

    async def begin_transaction(self) -> None:
        """See aiokafka."""
        self._manager.begin_transaction()

    def create_batch(self) -> Batch:
        """See aiokafka."""
        return Batch(self._bytes_max)

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[None]:
        """See aiokafka: batches that are sent without a pause between travel together."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unsent.setdefault(Partition(topic, partition), []).append((batch.records, sent))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(), name="flush")
        return sent

    async def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group: str
    ) -> None:
        """See aiokafka."""
        assert self._id is not None
        assert self._sender is not None
        await self._flushed()
        added = self._manager.add_offsets_to_txn(dict(offsets), group)
        if self._manager.consumer_group_to_add() is not None:
            arguments = (self._id, self._manager.producer_epoch, group, self._timeout_s)
            brokers = self._network.brokers
            await self._request("add offsets", lambda: brokers.add_group(*arguments))
            self._manager.consumer_group_added(group)
        while not added.done():
            await self._sender._do_txn_offset_commit(dict(offsets), group)
        await added

    async def commit_transaction(self) -> None:
        """See aiokafka: it answers when the outcome is final, not when it can be read."""
        assert self._sender is not None
        self._manager.committing_transaction()
        ended = self._manager.wait_for_transaction_end()
        while not ended.done():
            await self._sender._do_txn_commit(TransactionResult.COMMIT)
        await ended

    async def _flushed(self) -> None:
        """Wait for what was sent before, whether it failed or not: aiokafka does not look."""
        if self._flushing is not None:
            await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        # What is sent in the same turn travels together.
        await asyncio.sleep(0)
        while self._unsent:
            unsent, self._unsent = self._unsent, {}
            try:
                await self._add_partitions(sorted(unsent))
            except KafkaError as error:
                for pending in unsent.values():
                    for _, sent in pending:
                        _fail(sent, error)
                continue
            await asyncio.gather(*(self._send_all(p, unsent[p]) for p in sorted(unsent)))

    async def _add_partitions(self, partitions: Sequence[Partition]) -> None:
        if self._id is None:
            return
        places = [TopicPartition(*partition) for partition in partitions]
        for place in places:
            self._manager.maybe_add_partition_to_txn(place)
        pending = self._manager.partitions_to_add()
        if not pending:
            return
        new = sorted(Partition(*place) for place in pending)
        arguments = (self._id, self._manager.producer_epoch, new, self._timeout_s)
        brokers = self._network.brokers
        await self._request("add partitions", lambda: brokers.add_partitions(*arguments))
        for partition in new:
            self._manager.partition_added(TopicPartition(*partition))

    async def _send_all(self, partition: Partition, pending: list[_Sending]) -> None:
        for records, sent in pending:
            await self._send(partition, records, sent)

    async def _send(
        self, partition: Partition, records: list[Stored], sent: asyncio.Future[None]
    ) -> None:
        epoch, sequence = 0, None
        if self._sender is not None:
            epoch = self._manager.producer_epoch
            if self._sender.is_of_version_two:
                place = TopicPartition(*partition)
                sequence = self._manager.sequence_number(place)
                self._manager.increment_sequence_number(place, len(records))
        brokers = self._network.brokers
        arguments = (partition, records, self._id, epoch, self._gap, sequence)
        try:
            await self._produce(lambda: brokers.produce(*arguments), again=sequence is not None)
        except KafkaError as error:
            self._look_for_misuse(error, epoch)
            self._failed = True
            _fail(sent, error)
        else:
            if not sent.done():
                sent.set_result(None)

    async def _produce(self, handle: Callable[[], None], *, again: bool) -> None:
        while True:
            if again:
                self._network.repeat(handle)
            try:
                await self._request("produce", handle)
            except ConcurrentTransactions:
                # Brokers wait for the markers of the transaction before; aiokafka asks again.
                await asyncio.sleep(BACKOFF_OVERRIDE)
            else:
                return

    def _look_for_misuse(self, error: KafkaError, epoch: int) -> None:
        """Whoever is told the epoch of the next transaction is to use it, from sequence 0 on."""
        brokers = self._network.brokers
        if self._id is None or self._failed:
            return
        if isinstance(error, InvalidProducerEpoch) and brokers.has_ended(self._id, epoch):
            brokers.on_misuse("the epoch of the transaction before is used")
        if isinstance(error, OutOfOrderSequenceNumber) and not self._gap:
            brokers.on_misuse("the sequence of the transaction before goes on")

    async def _request(self, name: str, handle: Callable[[], Any]) -> Any:
        return await persist(self._network, name, handle)

    async def _force_metadata_update(self) -> bool:
        return not self._network.brokers.away

    async def _close(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)


async def _send(*_: object, **_options: object) -> None:
    """These brokers know no requests but those of this module's producer."""
    raise IncompatibleBrokerVersion


def _fail(sent: asyncio.Future[None], error: KafkaError) -> None:
    if not sent.done():
        sent.set_exception(error)
        # Whoever awaits it is told; whoever was cancelled meanwhile must not be warned about.
        sent.exception()
