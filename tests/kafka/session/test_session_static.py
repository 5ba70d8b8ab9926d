"""Static members on real Kafka: what a restart moves, and what two processes of one name do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import ProducerFenced
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from service.errors import BrokerError, RetriableError
from service.kafka import KafkaSession
from service.kafka.delivery import ExactlyOnce
from tools.asking import of_version_one
from tools.kafka.kinds import INPUTS
from tools.kafka.sessions import (
    WAIT_SECONDS,
    both,
    joined,
    numbered,
    poll_count,
    publication,
    shared,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Record
    from tools.kafka.kinds import Real

__all__ = ["both"]

pytestmark = pytest.mark.kafka
# Longer than any test here waits: what moves meanwhile was moved by a rebalance.
SESSION_MS = 45_000


def named(real: Real, name: str) -> KafkaSession:
    """A session of a static member, stopped after the test."""
    settings = real.settings(
        group_instance_id=name, session_timeout_ms=SESSION_MS, heartbeat_interval_ms=100
    )
    session = KafkaSession(settings, 256, real.mode)
    real.sessions.append(session)
    return session


async def two_of(real: Real) -> list[KafkaSession]:
    """Two sessions that share the partitions; the first one leads."""
    sessions = [named(real, "pod-0"), named(real, "pod-1")]
    await joined(sessions[0])
    await sessions[1].start()
    await shared(*sessions)
    async with asyncio.timeout(WAIT_SECONDS):
        while not all(session.joined for session in sessions):
            await asyncio.gather(*(session.poll() for session in sessions))
    return sessions


async def joined_beside(session: KafkaSession, other: KafkaSession) -> None:
    """Wait until a session knows its positions, while the other one goes on."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not session.joined:
            await asyncio.gather(session.poll(), other.poll())


def generation(session: KafkaSession) -> int:
    """The generation of the group that it is a member of."""
    number: int = session._consumer._coordinator.generation
    return number


async def all_published_once(real: Real, sessions: Sequence[KafkaSession]) -> None:
    """Ten records for each partition come out, in order."""
    for number in range(INPUTS):
        await real.produce(*numbered(10, number))
    for session in sessions:
        records = await poll_count(session, 10 * len(session.progress.partitions))
        assert await session.publish(publication(records, real.topics[1]))
    found = await real.read(real.topics[1])
    assert sorted(10 * INPUTS // 10 * [b"%d" % n for n in range(10)]) == sorted(
        message.value or b"" for message in found
    )


async def line_of(session: KafkaSession, records: Sequence[Record], topic: str) -> str:
    """Poll, and publish these if there are any, until it ends; with what line."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            try:
                if records:
                    await session.publish(publication(records, topic))
                await session.poll()
            except RetriableError:
                session.rewind()
            except BrokerError as error:
                return str(error)


@pytest.mark.parametrize("who", [0, 1], ids=["leader", "other"])
async def test_a_restart_moves_nothing(both: Real, who: int) -> None:
    """No other generation; each has the partitions that it had; nothing is lost or doubled."""
    sessions = await two_of(both)
    other, away = sessions[1 - who], sessions[who]
    before = (generation(other), other.rebalances)
    had = [session.progress.partitions for session in (away, other)]
    await away.stop()

    back = named(both, f"pod-{who}")
    await back.start()
    await joined_beside(back, other)

    assert before == (generation(back), other.rebalances)
    assert had == [session.progress.partitions for session in (back, other)]
    await all_published_once(both, (back, other))


async def test_a_session_that_joins_anew_has_its_place_again(both: Real) -> None:
    """The other one does not notice."""
    one, two = await two_of(both)
    before = (generation(one), one.rebalances)

    two._must_rejoin = True
    two.rewind()
    await joined_beside(two, one)

    assert before == (generation(two), one.rebalances)
    await all_published_once(both, (one, two))


async def test_the_older_of_two_processes_of_one_name_ends(both: Real) -> None:
    """With a line that says what to set; the newer one has the partitions, and goes on."""
    older = await joined(named(both, "pod-0"))
    newer = named(both, "pod-0")
    await joined(newer)

    assert isinstance(older, KafkaSession)
    line = await line_of(older, [], both.topics[1])
    await older.stop()

    assert "SENTIMENT_KAFKA__GROUP_INSTANCE_ID" in line
    assert newer.rebalances == 1
    await all_published_once(both, [newer])


async def test_the_older_one_publishes_nothing_and_takes_no_place_back(both: Real) -> None:
    """Whatever it tries: what it has polled comes out once, by the newer one."""
    older = named(both, "pod-0")
    await joined(older)
    await both.produce(*numbered(10))
    records = await poll_count(older, 10)
    newer = named(both, "pod-0")
    await joined_with(newer)

    line = await line_of(older, records, both.topics[1])
    await older.stop()

    assert "SENTIMENT_KAFKA__GROUP_INSTANCE_ID" in line
    assert newer.rebalances == 1
    assert 10 == len(await poll_count(newer, 10))
    assert {} == {n: offset for n, offset in (await both.committed()).items() if offset}


async def test_the_older_one_leaves_no_error_that_nobody_saw(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one's producer, of the same id, has ended its own, which fails by itself.

    So it does where partitions are added; of version 2, the records are refused, and that is all.
    """
    of_version_one(monkeypatch)
    older = named(real, "pod-0")
    await joined(older)
    await real.produce(*numbered(10))
    records = await poll_count(older, 10)
    mine = older._delivery
    assert isinstance(mine, ExactlyOnce)
    assert mine._producer is not None
    manager = mine._producer._client._txn_manager
    newer = ExactlyOnce(mine._options, older._settings)
    await newer.prepare([])

    with pytest.raises(RetriableError):
        await older.publish(publication(records, real.topics[1]))
    await older.stop()
    await newer.stop()

    end = manager.wait_for_transaction_end()
    # asyncio's own mark of an error that it will log as never retrieved.
    assert not end._log_traceback
    assert isinstance(end.exception(), ProducerFenced)


async def joined_with(session: KafkaSession) -> None:
    """Join; there may be something to read, which is left."""
    await session.start()
    async with asyncio.timeout(WAIT_SECONDS):
        while not session.rebalances:  # noqa: ASYNC110 - aiokafka counts, and tells nobody
            await asyncio.sleep(0.01)


async def test_a_leader_that_came_back_gives_out_added_partitions(both: Real) -> None:
    """Those that were added while it was away, and later ones."""
    leader, other = await two_of(both)
    await leader.stop()
    admin = AdminClient({"bootstrap.servers": both.bootstrap})
    topic = both.topics[0]

    for count in (INPUTS + 2, INPUTS + 4):
        [added] = admin.create_partitions([NewPartitions(topic, count)]).values()
        await asyncio.to_thread(added.result, WAIT_SECONDS)
        if count == INPUTS + 2:
            leader = named(both, "pod-0")
            await leader.start()
        async with asyncio.timeout(WAIT_SECONDS):
            while count != sum(len(s.progress.partitions) for s in (leader, other)):
                await asyncio.gather(leader.poll(), other.poll())
