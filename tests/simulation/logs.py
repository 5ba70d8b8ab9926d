"""What is stored: transactions, and the log of one partition with its records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from service.records import Partition
    from tools.kafka.stored import Stored


@dataclass(eq=False)
class Transaction:
    """One transaction; `outcome` is final as soon as it is not None."""

    transactional_id: str
    outcome: bool | None = None
    logs: set[Partition] = field(default_factory=set)
    offsets: dict[str, dict[Partition, int]] = field(default_factory=dict)
    # Groups whose coordinator does not know the outcome yet.
    pending: set[str] = field(default_factory=set)
    unmarked: int = 0
    records: list[Stored] = field(default_factory=list)
    # How many commits there were when it got its offsets: later ones are not undone by its end.
    commits_before: int = 0


@dataclass(eq=False)
class Owner:
    """A transactional id: the epoch of who may use it, and the transaction that is not settled."""

    epoch: int = 0
    timeout_s: float = 0.0
    transaction: Transaction | None = None
    # The epoch that the commit of a transaction of version 2 has moved on from.
    ended: int | None = None
    # Of version 2: the next sequence number in each partition, and in which epoch.
    sequences: dict[Partition, tuple[int, int]] = field(default_factory=dict)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    # Offsets that came when no transaction was open: the end of the next one decides on them too.
    stray: dict[str, dict[Partition, int]] = field(default_factory=dict)


class Log:
    """One partition: records, and who wrote them; a marker takes an offset too."""

    def __init__(self) -> None:
        """Be empty."""
        # What is before it has expired; kept here for the judge.
        self.start = 0
        self.entries: list[tuple[Stored | None, Transaction | None]] = []
        self._open: dict[Transaction, int] = {}

    def append(self, records: Sequence[Stored], transaction: Transaction | None = None) -> None:
        """Store records, at once where they belong to no transaction."""
        if transaction is not None and transaction not in self._open:
            self._open[transaction] = len(self.entries)
        self.entries.extend((record, transaction) for record in records)

    def mark(self, transaction: Transaction) -> None:
        """Store a transaction's end."""
        self._open.pop(transaction, None)
        self.entries.append((None, transaction))

    def skip(self) -> None:
        """Take an offset that nobody reads, as compaction or another's marker leaves it."""
        self.entries.append((None, None))

    @property
    def stable_end(self) -> int:
        """Before the first record of a transaction that may yet be aborted."""
        return min(self._open.values(), default=len(self.entries))

    def committed(self, start: int = 0) -> Iterator[tuple[int, Stored]]:
        """Offsets and records that a `read_committed` reader gets."""
        for offset in range(start, self.stable_end):
            record, transaction = self.entries[offset]
            if record is not None and (transaction is None or transaction.outcome):
                yield offset, record
