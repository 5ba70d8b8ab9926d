"""Which records of a poll are prepared first: those of partitions with few."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from service.records import Partition, Record
from service.stream.few_first import FEW_RECORDS, few_first


def records(partitions: list[int]) -> list[Record]:
    """A record of each of these partitions, with its next offset."""
    offsets: defaultdict[int, int] = defaultdict(int)
    made = []
    for number in partitions:
        made.append(Record(Partition("in", number), offsets[number], 0, None, None, (), 1, 0.0))
        offsets[number] += 1
    return made


def test_a_live_record_is_prepared_before_a_backlog() -> None:
    """Though it was polled behind it."""
    backlog, live = [0] * 255, [1]

    parts = few_first(records(backlog + live))

    assert [live, backlog] == [[r.partition.number for r in part] for part in parts]


def test_what_is_little_in_all_is_prepared_at_once() -> None:
    """And so is what one partition has."""
    assert 1 == len(few_first(records([0, 1, 2] * (FEW_RECORDS // 3))))
    assert 1 == len(few_first(records([0] * 256)))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=300))
def test_each_partition_keeps_its_order(partitions: list[int]) -> None:
    """All records are in one part each, and those of a partition in the same."""
    polled = records(partitions)

    parts = few_first(polled)

    assert all(parts)
    for number in set(partitions):
        mine = [[r.offset for r in part if r.partition.number == number] for part in parts]
        assert [list(range(partitions.count(number)))] == [offsets for offsets in mine if offsets]
