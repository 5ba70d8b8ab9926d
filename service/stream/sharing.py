"""Notices that one partition has a backlog while others have few records, which are not to wait.

Exists so that this can be read apart from the batches themselves. Pure: time is an argument.
Nothing may enter that knows what a batch holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from service.records import Partition

# How long batches stay small after a partition without a backlog has had records.
SHARED_S = 5.0
# How long a partition whose backlog has ended is not taken for one that never had any.
DRAINED_S = 1.0


class Sharing:
    """Of the partitions of one epoch."""

    def __init__(self) -> None:
        """Know of no partition."""
        self._until = float("-inf")
        # When each partition last had records and left none waiting; bounded by the assignment.
        self._emptied: dict[Partition, float] = {}
        # When each last had more at the client than was taken; bounded likewise.
        self._behind: dict[Partition, float] = {}

    def forget_partitions(self) -> None:
        """Another epoch begins, maybe with other partitions."""
        self._emptied.clear()
        self._behind.clear()

    def note_behind(self, partitions: Collection[Partition], now: float) -> None:
        """Note which partitions have a backlog, of which the batches know nothing yet."""
        for partition in partitions:
            self._behind[partition] = now
            self._emptied.pop(partition, None)

    def was_behind(self, partition: Partition, now: float) -> bool:
        """Whether a partition has a backlog, or had one less than DRAINED_S ago."""
        return now - self._behind.get(partition, float("-inf")) < DRAINED_S

    def lasts(self, now: float) -> bool:
        """Whether batches are to be small."""
        return now < self._until

    def begins(self, waiting_tokens: Mapping[Partition, int], now: float) -> bool:
        """Whether a backlog has come beside partitions that had records lately and have few now.

        Of these, records may come while the first batch of the backlog is on the model.
        """
        most = max(waiting_tokens.values())
        if any(
            now - at < SHARED_S and 2 * waiting_tokens.get(partition, 0) <= most
            for partition, at in self._emptied.items()
        ):
            self._until = now + SHARED_S
        return self.lasts(now)

    def note(
        self,
        taken: Mapping[Partition, int],
        left: Collection[Partition],
        now: float,
        *,
        backlog: bool,
    ) -> None:
        """Note the share of each partition in a batch, and which of them have records `left`.

        `backlog` is whether more waited than a batch may hold.
        """
        behind = max((share for p, share in taken.items() if p in left), default=0)
        emptied = [p for p in taken if p not in left and not self.was_behind(p, now)]
        others = [taken[partition] for partition in emptied]
        # Without any of the backlog, a small batch goes on with what others had before.
        beside = bool(others) and not behind and self.lasts(now)
        for partition in taken:
            self._emptied.pop(partition, None)
        self._emptied |= dict.fromkeys(emptied, now)
        # Partitions that share a backlog get about the same, and may be emptied in any order.
        if backlog and (beside or any(2 * share <= behind for share in others)):
            self._until = now + SHARED_S
