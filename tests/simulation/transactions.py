"""The coordinators of transactions, which decide what becomes of records and offsets.

State, and what each request does to it when it arrives; see `brokers`, to which this belongs. Which
version a transaction is of is up to the version of its requests, as it is for Kafka: of version 2,
what is written joins it by itself, and its end moves the epoch on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from aiokafka.errors import (
    ConcurrentTransactions,
    InvalidProducerEpoch,
    InvalidTxnState,
    ProducerFenced,
)

from simulation.logs import Log, Owner, Transaction
from simulation.offsets import Offsets

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from service.records import Partition

# Markers are written by requests between brokers: mostly soon, but never at once.
MARKER_DELAY_S = (0.0, 0.02)
LATE_MARKER_DELAY_S = (0.1, 1.5)
LATE_MARKER_SHARE = 0.1


class Transactions:
    """Who may use each transactional id, and its transaction."""

    def __init__(self, rng: random.Random) -> None:
        """Know of none."""
        self.rng = rng
        self.away = False
        # What the cluster has agreed on: its feature `transaction.version`.
        self.version = 2
        self.logs: dict[Partition, Log] = {}
        self.offsets = Offsets()
        self.timed_out_transactions = 0
        self._owners: defaultdict[str, Owner] = defaultdict(Owner)

    def init_producer(self, transactional_id: str, timeout_s: float = 60.0) -> asyncio.Future[int]:
        """Fence the older producer; gives the epoch once what that one left is settled."""
        owner = self._owners[transactional_id]
        owner.epoch += 1
        owner.timeout_s, owner.ended = timeout_s, None
        epoch = owner.epoch
        if owner.transaction is not None and owner.transaction.outcome is None:
            self._decide(owner, commit=False)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def answer() -> None:
            if future.done():
                return
            if epoch == owner.epoch:
                future.set_result(epoch)
            else:
                _refuse(future)

        self._when_settled(owner, answer)
        return future

    def add_partitions(
        self, transactional_id: str, epoch: int, partitions: Sequence[Partition], timeout_s: float
    ) -> asyncio.Future[None]:
        """Begin a transaction where none is open, and let it write to these partitions."""
        owner = self._owners[transactional_id]
        return self._when_open(
            owner,
            epoch,
            lambda: self._begun(owner, transactional_id, timeout_s).logs.update(partitions),
        )

    def add_group(
        self, transactional_id: str, epoch: int, group: str, timeout_s: float
    ) -> asyncio.Future[None]:
        """Let a transaction, which this may begin, have offsets of a group."""
        owner = self._owners[transactional_id]

        def add() -> None:
            transaction = self._begun(owner, transactional_id, timeout_s)
            transaction.offsets.setdefault(group, {})

        return self._when_open(owner, epoch, add)

    def commit_offsets(
        self, transactional_id: str, epoch: int, group: str, offsets: Mapping[Partition, int]
    ) -> None:
        """Put offsets into the transaction, also where none is open: nobody looks.

        Raises:
            InvalidProducerEpoch: the producer has been replaced.
        """
        owner = self._owners[transactional_id]
        if epoch != owner.epoch:
            raise InvalidProducerEpoch
        transaction = owner.transaction
        if transaction is None or transaction.outcome is not None:
            owner.stray.setdefault(group, {}).update(offsets)
            return
        transaction.offsets.setdefault(group, {}).update(offsets)
        transaction.pending.add(group)
        transaction.commits_before = self.offsets.commits

    def joined(self, transactional_id: str, epoch: int) -> Transaction:
        """The transaction that what is written joins by itself, begun where none is open.

        Raises:
            InvalidProducerEpoch: the producer has been replaced, or its transaction has ended.
            ConcurrentTransactions: the one before has not all of its markers.
        """
        owner = self._owners[transactional_id]
        if epoch != owner.epoch:
            raise InvalidProducerEpoch
        if owner.transaction is not None and owner.transaction.outcome is not None:
            raise ConcurrentTransactions
        return self._begun(owner, transactional_id, owner.timeout_s)

    def join_group(
        self, transactional_id: str, epoch: int, group: str, offsets: Mapping[Partition, int]
    ) -> None:
        """Put offsets into the transaction that they join.

        Raises:
            KafkaError: as `joined`.
        """
        transaction = self.joined(transactional_id, epoch)
        transaction.offsets.setdefault(group, {}).update(offsets)
        transaction.pending.add(group)
        transaction.commits_before = self.offsets.commits

    def move_on(self, transactional_id: str, epoch: int) -> int:
        """Commit, and give the epoch of the next transaction; asked again, give it again.

        Raises:
            KafkaError: another transaction has been begun, or none, or this one was aborted; or
                its markers are not all there, and it is to be asked again.
        """
        owner = self._owners[transactional_id]
        transaction = owner.transaction
        is_open = transaction is not None and transaction.outcome is None
        if owner.ended == epoch and owner.epoch == epoch + 1 and not is_open:
            if transaction is not None:
                raise ConcurrentTransactions
            return owner.epoch
        if epoch != owner.epoch:
            raise InvalidProducerEpoch
        if not is_open:
            raise InvalidTxnState
        owner.ended = epoch
        owner.epoch += 1
        self._decide(owner, commit=True)
        return owner.epoch

    def has_ended(self, transactional_id: str, epoch: int) -> bool:
        """Whether this epoch ended with a commit, so that whoever asked for it has another one."""
        return self._owners[transactional_id].ended == epoch

    def has_open(self, group: str, partition: Partition) -> bool:
        """Whether a transaction may yet move what a group has committed for a partition."""
        return any(
            partition in transaction.offsets[group]
            for owner in self._owners.values()
            if (transaction := owner.transaction) is not None and group in transaction.pending
        )

    def end_transaction(self, transactional_id: str, epoch: int) -> None:
        """Commit; the markers come later.

        Raises:
            InvalidProducerEpoch: the producer has been replaced.
        """
        owner = self._owners[transactional_id]
        if epoch != owner.epoch:
            raise InvalidProducerEpoch
        if owner.transaction is not None and owner.transaction.outcome is None:
            self._decide(owner, commit=True)

    def abort_all(self) -> int:
        """Abort what is open, as a coordinator does that is asked to; gives how many there were."""
        aborted = 0
        for owner in self._owners.values():
            if owner.transaction is not None and owner.transaction.outcome is None:
                owner.epoch, owner.ended = owner.epoch + 1, None
                self._decide(owner, commit=False)
                aborted += 1
        return aborted

    def fence(self) -> int:
        """Start a producer as a stranger, with the id of one that is there; how many there were."""
        if self._owners:
            self.init_producer(self.rng.choice(list(self._owners)))
        return len(self._owners)

    def unsettled(self) -> bool:
        """Whether a transaction has yet to be decided or marked."""
        return any(owner.transaction for owner in self._owners.values())

    def _begun(self, owner: Owner, transactional_id: str, timeout_s: float) -> Transaction:
        transaction = owner.transaction
        if transaction is None:
            transaction = owner.transaction = Transaction(transactional_id)
            transaction.offsets, owner.stray = owner.stray, {}
            transaction.pending = set(transaction.offsets)
            loop = asyncio.get_running_loop()
            loop.call_later(timeout_s, self._time_out, owner, transaction, timeout_s)
        return transaction

    def _time_out(self, owner: Owner, transaction: Transaction, timeout_s: float) -> None:
        if owner.transaction is not transaction or transaction.outcome is not None:
            return
        if self.away:
            loop = asyncio.get_running_loop()
            loop.call_later(timeout_s, self._time_out, owner, transaction, timeout_s)
            return
        self.timed_out_transactions += 1
        owner.epoch, owner.ended = owner.epoch + 1, None
        self._decide(owner, commit=False)

    def _decide(self, owner: Owner, *, commit: bool) -> None:
        transaction = owner.transaction
        assert transaction is not None
        transaction.outcome = commit
        loop = asyncio.get_running_loop()
        marks: list[Callable[[], None]] = [
            lambda p=partition: self.logs[p].mark(transaction)  # type: ignore[misc]
            for partition in sorted(transaction.logs)
        ]
        marks += [
            lambda g=group: self._mark_group(g, transaction)  # type: ignore[misc]
            for group in transaction.offsets
        ]
        transaction.unmarked = len(marks)
        for mark in marks:
            late = self.rng.random() < LATE_MARKER_SHARE
            delay_s = self.rng.uniform(*LATE_MARKER_DELAY_S if late else MARKER_DELAY_S)
            loop.call_later(delay_s, self._mark, owner, transaction, mark)
        if not marks:
            self._settle(owner)

    def _mark(self, owner: Owner, transaction: Transaction, mark: Callable[[], None]) -> None:
        mark()
        transaction.unmarked -= 1
        if not transaction.unmarked:
            self._settle(owner)

    def _mark_group(self, group: str, transaction: Transaction) -> None:
        if transaction.outcome:
            self.offsets.commit(group, transaction.offsets[group], transaction)
        transaction.pending.discard(group)

    def _settle(self, owner: Owner) -> None:
        owner.transaction = None
        waiting, owner.waiting = owner.waiting, []
        for answer in waiting:
            answer()

    def _when_open(self, owner: Owner, epoch: int, add: Callable[[], None]) -> asyncio.Future[None]:
        """Add to a transaction once the one before is settled, unless the producer is replaced."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answer() -> None:
            if future.done():
                return
            if epoch != owner.epoch:
                _refuse(future)
                return
            add()
            future.set_result(None)

        if owner.transaction is None or owner.transaction.outcome is None:
            answer()
        else:
            self._when_settled(owner, answer)
        return future

    def _when_settled(self, owner: Owner, answer: Callable[[], None]) -> None:
        if owner.transaction is None:
            answer()
        else:
            owner.waiting.append(answer)


def _refuse(future: asyncio.Future[Any]) -> None:
    future.set_exception(ProducerFenced())
    # Whoever asked may be gone, which is no reason for a warning.
    future.exception()
