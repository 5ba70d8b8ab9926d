"""How far each input partition is published, and the epoch that guards every publish.

Pure: no Kafka, no clock, no locks. One owner (the Session) changes it, from one thread.

An epoch is a period without interruption: every rebalance, rewind and failure begins a new one. A
record carries the epoch in which it was polled. Only records of the current epoch may be published,
so nothing polled before an interruption is published after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.records import Partition, Record


class Progress:
    """Next unpublished offset of each owned partition."""

    def __init__(self) -> None:
        """Own nothing, in epoch 0."""
        self.epoch = 0
        self._next: dict[Partition, int] = {}
        self._positioned_epoch = -1

    @property
    def positioned(self) -> bool:
        """Whether `position` was called in this epoch."""
        return self._positioned_epoch == self.epoch

    @property
    def partitions(self) -> frozenset[Partition]:
        """The partitions owned and positioned."""
        return frozenset(self._next)

    def next_offset(self, partition: Partition) -> int | None:
        """The first offset that is not published; None for a partition that is not owned."""
        return self._next.get(partition)

    def interrupt(self) -> int:
        """Begin a new epoch; everything polled earlier must be dropped and read again."""
        self.epoch += 1
        return self.epoch

    def revoke(self) -> int:
        """Begin a new epoch that owns nothing."""
        self._next.clear()
        return self.interrupt()

    def forget(self, topic: str) -> None:
        """Drop what is known of a topic that was made anew: its offsets count in another log."""
        self._next = {p: offset for p, offset in self._next.items() if p.topic != topic}

    def position(self, starts: Mapping[Partition, int]) -> None:
        """Set the offset from which each owned partition is read in this epoch."""
        self._next = dict(starts)
        self._positioned_epoch = self.epoch

    def advance(self, offsets: Mapping[Partition, int]) -> None:
        """Record what was published; partitions that were revoked meanwhile are ignored.

        Raises:
            AssertionError: an offset goes back, which is a bug in the caller.
        """
        for partition, offset in offsets.items():
            current = self._next.get(partition)
            if current is None:
                continue
            if offset < current:
                raise AssertionError(f"{partition} cannot go from {current} to {offset}")
            self._next[partition] = offset


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a group is on its way to the ends of a backfill, in offsets: some hold no record."""

    total: int
    left: int

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return 1 - self.left / self.total if self.total else 1.0


def next_offsets(records: Iterable[Record]) -> dict[Partition, int]:
    """Offsets to commit after these records, given in the order they were read.

    A record that is a list is behind the offset only with its last element.
    """
    return {record.partition: record.offset + record.is_last for record in records}
