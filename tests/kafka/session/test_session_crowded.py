"""Polls that leave some partitions out: on real Kafka, simulated, and the fake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from service.kafka.fetching import BESIDE_MS
from service.records import Partition
from tools.kafka.sessions import WAIT_SECONDS, joined, kafka, numbered, poll_count

if TYPE_CHECKING:
    from service.records import Record
    from tools.kafka.kinds import Kafka as AnyKafka

__all__ = ["kafka"]


async def test_crowded_partitions_are_left_out_and_lose_nothing(kafka: AnyKafka) -> None:
    """Others are polled meanwhile; then all comes, in order."""
    session = await joined(kafka.session(records_max=50))
    crowded = {Partition(kafka.topics[0], 0)}
    await kafka.produce(*numbered(200, 0), *numbered(20, 1))
    found: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(found) < 20:
            found += await session.poll(crowded)

    assert {1} == {r.partition.number for r in found}
    assert list(range(20)) == [r.offset for r in found]
    assert list(range(200)) == [r.offset for r in await poll_count(session, 200)]


async def test_a_poll_of_few_waits_for_others_beside_a_crowd(kafka: AnyKafka) -> None:
    """Whoever polls again at once does not keep others from running, and has what comes."""
    session = await joined(kafka.session(records_max=50))
    crowded = {Partition(kafka.topics[0], 0)}
    await kafka.produce(*numbered(200, 0))
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(WAIT_SECONDS):
        while not await session.poll():
            pass
    for left_out in (crowded, session.progress.partitions):
        began = loop.time()
        assert [] == await session.poll(left_out, few=True)
        # The clock of timers is no finer than a millisecond.
        assert loop.time() - began > (BESIDE_MS - 2) / 1000

    polling = asyncio.create_task(session.poll(crowded, few=True))
    await kafka.produce(*numbered(1, 1))
    found = await polling
    async with asyncio.timeout(WAIT_SECONDS):
        while not found:
            found = await session.poll(crowded, few=True)
    assert [(1, 0)] == [(r.partition.number, r.offset) for r in found]


async def test_all_partitions_may_be_crowded(kafka: AnyKafka) -> None:
    """Then a poll returns nothing."""
    session = await joined(kafka.session())
    await kafka.produce(*numbered(5, 0))

    assert [] == await session.poll(session.progress.partitions)
    assert 5 == len(await poll_count(session, 5))
