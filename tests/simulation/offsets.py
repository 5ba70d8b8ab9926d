"""What groups have committed, and who tells: a coordinator that may have just taken over.

State alone; membership is in `groups`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.records import Partition
    from simulation.logs import Transaction


class Offsets:
    """Committed offsets by group and partition."""

    def __init__(self) -> None:
        """Hold none; the coordinator knows all."""
        self.committed: defaultdict[str, dict[Partition, int]] = defaultdict(dict)
        self.coordinator = 1
        self.stale_answers = 0
        self.commits = 0
        # When each offset was last committed outside of a transaction, as a number of commits.
        self._committed_at: dict[tuple[str, Partition], int] = {}
        # Told of each change: (group, offsets, transaction).
        self.on_commit: Callable[[str, Mapping[Partition, int], Transaction | None], None] | None
        self.on_commit = None
        # What a coordinator says that does not know the latest.
        self._behind: dict[str, dict[Partition, int]] = {}

    def commit(
        self, group: str, offsets: Mapping[Partition, int], transaction: Transaction | None = None
    ) -> None:
        """Store what a group has committed, except where it was committed anew since then."""
        self.commits += 1
        if transaction is None:
            self._committed_at |= dict.fromkeys(((group, p) for p in offsets), self.commits)
        else:
            since = transaction.commits_before
            offsets = {
                p: o for p, o in offsets.items() if self._committed_at.get((group, p), 0) <= since
            }
        if self.on_commit is not None:
            self.on_commit(group, offsets, transaction)
        self.committed[group].update(offsets)

    def told(self, group: str, partition: Partition) -> int | None:
        """What the coordinator says is committed."""
        truth = self.committed[group].get(partition)
        said = self._behind.get(group, self.committed[group]).get(partition)
        self.stale_answers += said != truth
        return said

    def move_coordinator(self) -> None:
        """Another broker takes over, and tells what is committed now until it has caught up."""
        self.coordinator += 1
        self._behind = {group: dict(offsets) for group, offsets in self.committed.items()}

    def catch_up(self) -> None:
        """The coordinator knows all; to form a group takes that."""
        self._behind.clear()
