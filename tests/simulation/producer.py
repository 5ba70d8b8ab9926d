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
from stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aiokafka import TopicPartition


class Producer:
    """Stands for `AIOKafkaProducer`, idempotent, with or without transactions."""

    def __init__(self, **options: Any) -> None:
        """Connect to nothing yet."""
        self._network = network_of(options)
        self._id: str | None = options.get("transactional_id")
        self._timeout_s = options.get("transaction_timeout_ms", 0) / 1000
        self._bytes_max = options["max_batch_size"]
        self._serialize = options["value_serializer"]
        self._epoch = 0
        self._gap: set[Partition] = set()
        self._added: set[Partition] = set()
        self._unsent: dict[Partition, list[tuple[Stored, asyncio.Future[None]]]] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._in_transaction = False
        self.client = SimpleNamespace(
            force_metadata_update=self._force_metadata_update, close=self._close
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

    async def send(
        self,
        topic: str,
        value: Any = None,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Iterable[tuple[str, bytes | None]] = (),
    ) -> asyncio.Future[None]:
        """See aiokafka: what is sent without a pause between goes in one batch per partition."""
        assert value is not None or key is not None
        number = self._number(topic, key) if partition is None else partition
        record = Stored(key, self._serialize(value), tuple(headers))
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unsent.setdefault(Partition(topic, number), []).append((record, sent))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(), name="flush")
        return sent

    async def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, int], group: str
    ) -> None:
        """See aiokafka."""
        assert self._id is not None
        mine = {Partition(*partition): offset for partition, offset in offsets.items()}
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

    def _number(self, topic: str, key: bytes | None) -> int:
        # Any hash does, as long as it is always the same.
        return sum(key or b"") % len(self._network.brokers.partitions(topic))

    async def _flush(self) -> None:
        # What is sent in the same turn travels together.
        await asyncio.sleep(0)
        while self._unsent:
            unsent, self._unsent = self._unsent, {}
            try:
                await self._add_partitions(sorted(unsent))
            except KafkaError as error:
                for pending in unsent.values():
                    _fail(pending, error)
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

    async def _send_all(
        self, partition: Partition, pending: list[tuple[Stored, asyncio.Future[None]]]
    ) -> None:
        batch: list[tuple[Stored, asyncio.Future[None]]] = []
        size = 0
        for record, sent in pending:
            if batch and size + record.size > self._bytes_max:
                await self._send_batch(partition, batch)
                batch, size = [], 0
            batch.append((record, sent))
            size += record.size
        await self._send_batch(partition, batch)

    async def _send_batch(
        self, partition: Partition, batch: list[tuple[Stored, asyncio.Future[None]]]
    ) -> None:
        records = [record for record, _ in batch]
        arguments = (partition, records, self._id, self._epoch, self._gap)
        brokers = self._network.brokers
        try:
            await self._request("produce", lambda: brokers.produce(*arguments))
        except KafkaError as error:
            _fail(batch, error)
        else:
            for _, sent in batch:
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


def _fail(batch: list[tuple[Stored, asyncio.Future[None]]], error: KafkaError) -> None:
    for _, sent in batch:
        if not sent.done():
            sent.set_exception(error)
            # Whoever awaits it is told; whoever was cancelled meanwhile must not be warned about.
            sent.exception()
