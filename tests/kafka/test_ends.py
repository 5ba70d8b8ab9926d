"""Which ends a backfill commits, and when: pure, on positions that the tests say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from service.kafka.backfill.session import LOOK_S, Ends
from service.progress import Progress
from service.records import Partition, Record

if TYPE_CHECKING:
    from aiokafka import TopicPartition

A, B = Partition("in", 0), Partition("in", 1)


class Positions:
    """Stands for a consumer that has read so far."""

    def __init__(self, a: int, b: int) -> None:
        """By partition."""
        self.of = {A: a, B: b}

    async def position(self, place: TopicPartition) -> int:
        """See aiokafka."""
        return self.of[Partition(*place)]


def record(partition: Partition, offset: int) -> Record:
    """One that was polled."""
    return Record(partition, offset, 0, None, b"", (), 0, 0.0)


@pytest.fixture
def progress() -> Progress:
    """Everything is published up to offset 5 of A and 7 of B."""
    progress = Progress()
    progress.position({A: 5, B: 7})
    return progress


@pytest.fixture
def ends() -> Ends:
    """A ends at 10, and B at 7."""
    ends = Ends()
    ends.last = {A: 10, B: 7}
    return ends


async def due(ends: Ends, progress: Progress, read: Positions, now: float) -> dict[Partition, int]:
    """What is to be committed."""
    consumer: Any = read
    return await ends.due(consumer, progress, {}, now)


def test_records_behind_the_ends_are_left_out(ends: Ends) -> None:
    """Also those of a partition that was added since; they show that there is no more to read."""
    new = Partition("in", 2)
    records = [record(A, 9), record(A, 10), record(B, 7), record(new, 0)]

    assert [record(A, 9)] == ends.within(records)
    assert [True, True, True] == [ends.has_read(p) for p in (A, B, new)]


async def test_an_end_is_committed_once_all_before_it_is_published(
    ends: Ends, progress: Progress
) -> None:
    """Whether a record behind it was polled, or the position is there without any."""
    ends.within([record(A, 7)])
    assert {} == await due(ends, progress, Positions(8, 7), 0)
    assert {} == await due(ends, progress, Positions(10, 7), LOOK_S)

    progress.advance({A: 8})

    assert {} == await due(ends, progress, Positions(10, 7), LOOK_S + LOOK_S / 2)
    assert {A: 10} == await due(ends, progress, Positions(10, 7), 2 * LOOK_S)


async def test_an_end_between_two_records_is_committed(ends: Ends, progress: Progress) -> None:
    """Compaction has taken those before it; nothing behind it is committed."""
    ends.within([record(A, 12)])

    assert {A: 10} == await due(ends, progress, Positions(13, 7), 0)


async def test_an_end_behind_what_expired_is_committed_once_more(
    ends: Ends, progress: Progress
) -> None:
    """The group has no offset of it, by which it could see that nothing is left."""
    ends.uncommitted = {B}

    assert {B: 7} == await due(ends, progress, Positions(5, 7), 0)


async def test_new_positions_are_read_from_again(ends: Ends, progress: Progress) -> None:
    """What was read in an older epoch and not published is read again."""
    ends.within([record(A, 9), record(A, 11)])

    ends.clear()

    assert not ends.has_read(A)
    assert {} == await due(ends, progress, Positions(5, 7), 0)
