"""Publications of offsets alone, as of records that were skipped: they commit, and send nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import RequestTimedOutError

from service.errors import RetriableError
from service.kafka import KafkaSession
from service.progress import next_offsets
from service.records import Partition, Publication
from tools.kafka.kinds import simulated_sessions
from tools.kafka.sessions import joined, numbered, poll_count, polled, publication, started

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.kafka.kinds import Kafka


async def test_offsets_alone_are_committed(kafka: Kafka) -> None:
    """Where every record was skipped there is nothing to send; a successor goes on behind them."""
    await kafka.produce(*numbered(4), *numbered(3, 1))
    session = await started(kafka.session())
    skipped = next_offsets(await poll_count(session, 7))

    assert await session.publish(Publication((), skipped, session.progress.epoch))

    assert {0: 4, 1: 3} == await kafka.committed()
    assert [] == await kafka.read(kafka.topics[1])
    assert 4 == session.progress.next_offset(Partition(kafka.topics[0], 0))
    await kafka.produce(*numbered(1, first=4))
    records = await poll_count(session, 1)
    assert await session.publish(publication(records, kafka.topics[1]))
    assert {0: 5, 1: 3} == await kafka.committed()


async def test_offsets_alone_follow_a_publication_at_once(kafka: Kafka) -> None:
    """Their transaction begins when the one before has ended, whose markers may come late."""
    await kafka.produce(*numbered(40))
    session = await started(kafka.session())
    records = await poll_count(session, 40)

    for one in records:
        published = publication([one], kafka.topics[1])
        outgoing = published.outgoing if one.offset % 2 == 0 else ()
        assert await session.publish(replace(published, outgoing=outgoing))

    assert {0: 40} == await kafka.committed()
    assert 20 == len(await kafka.read(kafka.topics[1]))


async def test_a_commit_whose_answer_was_lost_is_noticed() -> None:
    """What the brokers have is published: with nothing left, the lag does not fail for it."""
    async with simulated_sessions("at_least_once") as kafka:
        session = await joined(kafka.session())
        assert isinstance(session, KafkaSession)
        await kafka.produce(*numbered(10))
        records = await poll_count(session, 10)
        commit = session._committed.commit

        async def lost(offsets: Mapping[Partition, int]) -> None:
            await commit(offsets)
            raise RequestTimedOutError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session._committed, "commit", lost)
            with pytest.raises(RetriableError):
                await session.publish(publication(records, kafka.topics[1]))
        with pytest.raises(RetriableError):
            await session.lag()
        session.rewind()
        assert [] == await polled(session, lambda _: session.progress.positioned)

        assert not any((await session.lag()).values())
