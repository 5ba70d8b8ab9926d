"""Offsets behind which nothing can be read are committed late, and never before a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from service.kafka.fetching import TAIL_S, Tails
from service.progress import Progress
from service.records import Partition

if TYPE_CHECKING:
    from aiokafka import TopicPartition

A, B = Partition("in", 0), Partition("in", 1)


class Positions:
    """Stands for a consumer that has read so far."""

    def __init__(self, **positions: int) -> None:
        """By partition."""
        self.of = {A: positions["a"], B: positions["b"]}

    async def position(self, partition: TopicPartition) -> int:
        """See aiokafka."""
        return self.of[Partition(*partition)]


@pytest.fixture
def progress() -> Progress:
    """Everything is published up to offset 5 of A and 7 of B."""
    progress = Progress()
    progress.position({A: 5, B: 7})
    return progress


async def due(
    tails: Tails, read: Positions, progress: Progress, now: float, **polled: int
) -> dict[Partition, int]:
    """What is to be committed, with so much returned by polls."""
    consumer: Any = read
    returned = {{"a": A, "b": B}[name]: offset for name, offset in polled.items()}
    return await tails.due(consumer, progress, returned, now)


async def test_a_tail_is_due_once_nothing_has_come_for_a_while(progress: Progress) -> None:
    """Of each partition by itself; nothing is where all that was read is committed."""
    tails, read = Tails(), Positions(a=9, b=7)

    assert {} == await due(tails, read, progress, 100.0)
    assert {} == await due(tails, read, progress, 100.0 + TAIL_S - 0.1)
    assert {A: 9} == await due(tails, read, progress, 100.0 + TAIL_S)


async def test_what_comes_meanwhile_begins_the_wait_anew(progress: Progress) -> None:
    """Markers of a busy producer are passed over with its next records."""
    tails, read = Tails(), Positions(a=9, b=7)
    await due(tails, read, progress, 100.0)
    read.of[A] = 11

    assert {} == await due(tails, read, progress, 100.0 + TAIL_S)
    assert {A: 11} == await due(tails, read, progress, 100.0 + 2 * TAIL_S)


async def test_no_tail_is_committed_before_what_was_read_is_published(progress: Progress) -> None:
    """However long that takes, and then it waits from the beginning."""
    tails, read = Tails(), Positions(a=9, b=7)
    for now in (100.0, 200.0, 299.0):
        assert {} == await due(tails, read, progress, now, a=8)

    progress.advance({A: 8})
    assert {} == await due(tails, read, progress, 300.0, a=8)
    assert {A: 9} == await due(tails, read, progress, 300.0 + TAIL_S, a=8)


async def test_a_tail_does_not_outlive_its_positions(progress: Progress) -> None:
    """They are set anew, and what was seen before may be another log's."""
    tails, read = Tails(), Positions(a=9, b=7)
    await due(tails, read, progress, 100.0)

    tails.clear()

    assert {} == await due(tails, read, progress, 100.0 + TAIL_S)
