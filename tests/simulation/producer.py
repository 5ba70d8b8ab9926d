"""Stands where aiokafka's producer stands, on a simulated cluster, with or without transactions.

Behaves as aiokafka 0.14 does where the service depends on it: a failed send fails no transaction,
a refused batch leaves a gap in the sequence. `test_session_contract` holds the service's session
on it to the real one.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError

from service.records import Partition
from simulation.network import RETRY_S, network_of, persist
from tools.kafka.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aiokafka import TopicPartition
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
        self._epoch = 0
        self._gap: set[Partition] = set()
        self._added: set[Partition] = set()
        self._unsent: dict[Partition, list[_Sending]] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._in_transaction = False
        self.client = SimpleNamespace(
            force_metadata_update=self._force_metadata_update,
            close=self._close,
            send=self._request,
        )

    async def start(self) -> None:
        """Connect; with an id, fence the older owner."""
        if self._id is None:
            await self._request("metadata", lambda: None)
        else:
            identity = self._id
            brokers = self._network.brokers
            self._epoch = await self._request(
                "init producer", lambda: brokers.init_producer(identity)
            )

    async def stop(self) -> None:
        """Close; what is under way is given up, and an open transaction is left to its timeout."""
        await self._close()

    async def partitions_for(self, topic: str) -> set[int]:
        """Numbers of a topic's partitions; waits where it does not exist."""
        while not (found := self._network.brokers.partitions(topic)):  # noqa: ASYNC110 - as aiokafka
            await asyncio.sleep(RETRY_S)
        return {partition.number for partition in found}

    async def begin_transaction(self) -> None:
        """See aiokafka."""
        assert not self._in_transaction
        self._in_transaction = True
        self._added.clear()

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
        mine = {Partition(*partition): marked.offset for partition, marked in offsets.items()}
        await self._flushed()
        arguments = (self._id, self._epoch, group, mine, self._timeout_s)
        brokers = self._network.brokers
        await self._request("offsets", lambda: brokers.add_offsets(*arguments))

    async def commit_transaction(self) -> None:
        """See aiokafka: it answers when the outcome is final, not when it can be read."""
        assert self._id is not None
        await self._flushed()
        identity, epoch, brokers = self._id, self._epoch, self._network.brokers
        await self._request("end", lambda: brokers.end_transaction(identity, epoch))
        self._in_transaction = False

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
        new = [partition for partition in partitions if partition not in self._added]
        if self._id is None or not new:
            return
        arguments = (self._id, self._epoch, new, self._timeout_s)
        brokers = self._network.brokers
        await self._request("add partitions", lambda: brokers.add_partitions(*arguments))
        self._added.update(new)

    async def _send_all(self, partition: Partition, pending: list[_Sending]) -> None:
        for records, sent in pending:
            await self._send(partition, records, sent)

    async def _send(
        self, partition: Partition, records: list[Stored], sent: asyncio.Future[None]
    ) -> None:
        arguments = (partition, records, self._id, self._epoch, self._gap)
        brokers = self._network.brokers
        try:
            await self._request("produce", lambda: brokers.produce(*arguments))
        except KafkaError as error:
            _fail(sent, error)
        else:
            if not sent.done():
                sent.set_result(None)

    async def _request(self, name: str, handle: Callable[[], Any]) -> Any:
        return await persist(self._network, name, handle)

    async def _force_metadata_update(self) -> bool:
        return not self._network.brokers.away

    async def _close(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)


def _fail(sent: asyncio.Future[None], error: KafkaError) -> None:
    if not sent.done():
        sent.set_exception(error)
        # Whoever awaits it is told; whoever was cancelled meanwhile must not be warned about.
        sent.exception()
