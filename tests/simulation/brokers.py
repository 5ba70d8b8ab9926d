"""Kafka's brokers as far as a client can tell them.

State, and what each request does to it when it arrives; nothing here knows of a client, or of the
network between. Times are those of the running event loop. Consumer groups are in `groups`, what
they have committed in `offsets`, and transactions in `transactions`.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidTxnState,
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    OutOfOrderSequenceNumber,
)

from service.records import Partition
from simulation.logs import Log, Transaction
from simulation.transactions import Transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.kafka.stored import Stored


class Brokers(Transactions):
    """Topics, transactions, and what groups have committed."""

    def __init__(self, topics: Mapping[str, int], rng: random.Random | None = None) -> None:
        """Create topics with so many partitions."""
        super().__init__(rng or random.Random(0))
        self.bytes_max: dict[str, int] = {}
        # Told of what a client asks that has been told better.
        self.on_misuse: Callable[[str], None] = _ignore
        self._counts: dict[str, int] = {}
        self._appended = asyncio.Event()
        for topic, partitions in topics.items():
            self.create(topic, partitions)

    def create(self, topic: str, partitions: int, bytes_max: int | None = None) -> None:
        """Create a topic, or give it more partitions; `bytes_max` bounds one batch."""
        self._counts[topic] = partitions
        for partition in self.partitions(topic):
            self.logs.setdefault(partition, Log())
        if bytes_max is not None:
            self.bytes_max[topic] = bytes_max

    def partitions(self, topic: str) -> list[Partition]:
        """A topic's partitions, in order; none where it does not exist."""
        return [Partition(topic, number) for number in range(self._counts.get(topic, 0))]

    def append(self, place: Partition, record: Stored, within: Transaction | None = None) -> None:
        """Store one record, as a producer of the world outside."""
        self.logs[place].append([record], within)
        event, self._appended = self._appended, asyncio.Event()
        event.set()

    async def wait_for_append(self) -> None:
        """Wait for the next record of the world outside."""
        await self._appended.wait()

    def unread(self, positions: Mapping[Partition, int]) -> bool:
        """Whether there is anything behind these positions."""
        return any(self.logs[p].stable_end > offset for p, offset in positions.items())

    def fetch(
        self, positions: Mapping[Partition, int], records_max: int
    ) -> dict[Partition, tuple[list[tuple[int, Stored]], int]]:
        """Committed records from positions on that the log still has, and the position behind."""
        fetched = {}
        for partition, start in positions.items():
            log = self.logs[partition]
            if start < log.start:
                raise OffsetOutOfRangeError({partition: start})
            records: list[tuple[int, Stored]] = []
            after = max(start, log.stable_end)
            for offset, record in log.committed(start):
                if len(records) == records_max:
                    after = records[-1][0] + 1
                    break
                records.append((offset, record))
            if after > start:
                fetched[partition] = (records, after)
                records_max -= len(records)
            if not records_max:
                break
        return fetched

    def produce(
        self,
        partition: Partition,
        records: Sequence[Stored],
        transactional_id: str | None,
        epoch: int,
        gap: set[Partition],
        sequence: int | None = None,
    ) -> None:
        """Store one batch; `gap` has the partitions on which this producer lost a sequence number.

        With a sequence it is of a transaction of version 2.

        Raises:
            KafkaError: as the brokers answer.
        """
        transaction = None
        if transactional_id is not None and sequence is not None:
            transaction = self.joined(transactional_id, epoch)
            transaction.logs.add(partition)
        elif transactional_id is not None:
            transaction = self._added(transactional_id, epoch, partition)
        # Brokers look at the size first.
        if sum(r.size for r in records) > self.bytes_max.get(partition.topic, 1 << 30):
            gap.add(partition)
            raise MessageSizeTooLargeError
        if partition in gap:
            raise OutOfOrderSequenceNumber
        if transactional_id is not None and sequence is not None:
            sequences = self._owners[transactional_id].sequences
            last_epoch, due = sequences.get(partition, (epoch, 0))
            due = due if last_epoch == epoch else 0
            if sequence > due:
                raise OutOfOrderSequenceNumber
            if sequence < due:
                # It has come before.
                return
            sequences[partition] = (epoch, sequence + len(records))
        if transaction is not None:
            transaction.records.extend(records)
        self.logs[partition].append(records, transaction)

    def _added(self, transactional_id: str, epoch: int, partition: Partition) -> Transaction:
        """The open transaction that a partition was added to before.

        Raises:
            KafkaError: there is none.
        """
        owner = self._owners[transactional_id]
        if epoch != owner.epoch:
            raise InvalidProducerEpoch
        # Brokers ask the coordinator whether the transaction is open there (KIP-890).
        if owner.transaction is None or owner.transaction.outcome is not None:
            raise InvalidTxnState
        if partition not in owner.transaction.logs:
            raise InvalidTxnState
        return owner.transaction


def _ignore(_: str) -> None:
    """Nobody listens."""
