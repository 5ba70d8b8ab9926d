"""Group coordinators that do not know all committed offsets yet: nothing is read twice.

One that has just taken over may answer an older offset, until it has formed the group.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from service.errors import RejoinError, RetriableError
from service.kafka import KafkaSession
from tools.kafka.kinds import INPUTS, simulated_sessions
from tools.kafka.sessions import numbered, poll_count, publication, started

if TYPE_CHECKING:
    from service.records import Record
    from tools.kafka.kinds import Simulated

COUNT = 20


async def test_a_commit_that_the_coordinator_does_not_know_yet_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A transaction fails; the one before it has ended, and its offsets show later."""
    async with simulated_sessions("exactly_once") as kafka:
        session, late, others = await half_published(kafka)
        assert await session.publish(publication(late, kafka.topics[1]))
        failing = session._delivery._producer  # type: ignore[attr-defined]

        async def fail(*_: object) -> None:
            raise TimeoutError

        monkeypatch.setattr(failing, "begin", fail)
        with pytest.raises(RetriableError):
            await session.publish(publication(others, kafka.topics[1]))
        session.rewind()

        # Its own progress is not enough: another member may have had the partition since.
        with pytest.raises(RejoinError, match="another broker coordinates"):
            await session.poll()

        again = await poll_count(session, len(others))
        assert {r.partition for r in others} == {r.partition for r in again}


async def test_an_uncertain_commit_is_read_after_the_group_is_formed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The commit's answer is lost, and the coordinator that has taken over has an older offset."""
    async with simulated_sessions("exactly_once") as kafka:
        session, late, others = await half_published(kafka)
        losing = session._delivery._producer  # type: ignore[attr-defined]
        commit = losing.commit

        async def lose() -> None:
            await commit()
            raise TimeoutError

        monkeypatch.setattr(losing, "commit", lose)
        with pytest.raises(RejoinError, match="may have ended or not"):
            await session.publish(publication(late, kafka.topics[1]))
        session.rewind()

        again = await poll_count(session, len(others))
        assert {r.partition for r in others} == {r.partition for r in again}


async def test_a_new_coordinator_is_not_asked_before_it_has_formed_the_group() -> None:
    """It takes over between the assignment and the request for the committed offset."""
    async with simulated_sessions("exactly_once") as kafka:
        first, late, others = await half_published(kafka)
        assert await first.publish(publication(late, kafka.topics[1]))
        first.progress.revoke()

        with pytest.raises(RejoinError, match="another broker coordinates"):
            await first.poll()

        again = await poll_count(first, len(others))
        assert {r.partition for r in others} == {r.partition for r in again}


async def half_published(kafka: Simulated) -> tuple[KafkaSession, list[Record], list[Record]]:
    """A session that has published the early records of half of the partitions.

    Returns it, the late records of those partitions, and all records of the others. A coordinator
    has just taken over; it knows the commits so far, and no later ones.
    """
    await kafka.produce(*(m for p in range(INPUTS) for m in numbered(COUNT, p, p * COUNT)))
    session = await started(kafka.session())
    assert isinstance(session, KafkaSession)
    records = await poll_count(session, INPUTS * COUNT)
    halves = [[r for r in records if r.partition.number % 2 == half] for half in (0, 1)]
    early = [r for r in halves[0] if r.offset < COUNT // 2]
    assert await session.publish(publication(early, kafka.topics[1]))
    # A second of virtual time: what was published can be read.
    await asyncio.sleep(2)
    kafka.brokers.offsets.move_coordinator()
    late = [r for r in halves[0] if r.offset >= COUNT // 2]
    return session, late, halves[1]
