"""Which records of a poll are prepared first.

Exists so that a few records of one partition do not wait behind the backlog of another. Pure.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Partition, Record

# Most records that are prepared before those of a backlog: this takes some milliseconds.
FEW_RECORDS = 32


def few_first(records: Sequence[Record]) -> list[list[Record]]:
    """The records of partitions with few of them, and then the rest; each partition in order.

    So those that share a poll with a backlog do not wait until it is prepared.
    """
    counts = Counter(record.partition for record in records)
    few: set[Partition] = set()
    room = FEW_RECORDS
    for partition, count in sorted(counts.items(), key=lambda entry: entry[1]):
        room -= count
        if room >= 0:
            few.add(partition)
    if not 0 < len(few) < len(counts):
        return [list(records)]
    return [
        [record for record in records if (record.partition in few) is first]
        for first in (True, False)
    ]
