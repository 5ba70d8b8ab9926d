"""Polls that leave some partitions out: on real Kafka, simulated, and the fake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

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


async def test_all_partitions_may_be_crowded(kafka: AnyKafka) -> None:
    """Then a poll returns nothing."""
    session = await joined(kafka.session())
    await kafka.produce(*numbered(5, 0))

    assert [] == await session.poll(session.progress.partitions)
    assert 5 == len(await poll_count(session, 5))
