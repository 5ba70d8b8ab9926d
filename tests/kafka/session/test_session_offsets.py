"""Publications of offsets alone, as of records that were skipped: they commit, and send nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from service.progress import next_offsets
from service.records import Partition, Publication
from tools.kafka.sessions import numbered, poll_count, publication, started

if TYPE_CHECKING:
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
