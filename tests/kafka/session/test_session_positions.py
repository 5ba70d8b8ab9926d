"""Where a session begins and goes on when topics, their logs and committed offsets change."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient, NewPartitions
from structlog.testing import capture_logs

from service.errors import BrokerError, RetriableError
from service.kafka import KafkaSession, fetching
from service.records import Partition
from tools.kafka.broker import Broker
from tools.kafka.kinds import INPUTS, AnySession, Real, Reset
from tools.kafka.sessions import (
    WAIT_SECONDS,
    delete_topic,
    joined,
    lag_error,
    numbered,
    poll_count,
    polled,
    publication,
    shared,
    started,
    values,
)
from tools.kafka.topics import create_topic, produce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.records import Record

pytestmark = pytest.mark.kafka


@contextlib.asynccontextmanager
async def open_transaction(real: Real) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that has written one record to partition 0 in a transaction it leaves open."""
    name = f"upstream-{real.topics[0]}"
    async with AIOKafkaProducer(
        bootstrap_servers=real.bootstrap, transactional_id=name
    ) as upstream:
        await upstream.begin_transaction()
        await upstream.send_and_wait(real.topics[0], b"open", partition=0)
        yield upstream


async def test_groups_with_similar_names_do_not_fence_each_other(real: Real) -> None:
    """Group `team` on topic `a-b` and group `team-a` on topic `b` publish side by side."""
    topic = real.make_topic("b", 1)
    longer = f"a-{topic}"
    create_topic(Broker(real.bootstrap, "jars"), longer, 1, {})
    # With a dash between all parts both ids were the same: `team-…-a-b`.
    names = {f"team-{topic}": (longer, "a-b"), f"team-{topic}-a": (topic, "b")}
    settings = [
        real.settings(group_id=group, input_topic=name, group_instance_id=instance)
        for group, (name, instance) in names.items()
    ]
    sessions = [KafkaSession(each, 256, real.mode) for each in settings]
    real.sessions.extend(sessions)
    for name in (longer, topic):
        await produce(real.bootstrap, name, numbered(4))
    read = [await poll_count(await started(session), 4) for session in sessions]

    for records in zip(*read, strict=True):
        for session, record in zip(sessions, records, strict=True):
            assert await session.publish(publication([record], real.topics[1]))

    assert sorted([*values(numbered(4))] * 2) == sorted(values(await real.read(real.topics[1])))


def move_group(real: Real, offset: int, partition: int = 0) -> None:
    """Commit for the group, as an operator does while no member runs."""
    client = Consumer({"bootstrap.servers": real.bootstrap, "group.id": real.topics[0]})
    client.commit(offsets=[Position(real.topics[0], partition, offset)], asynchronous=False)
    client.close()


async def until_it_ends(session: AnySession) -> str:
    """Poll until that fails for good; nothing may be returned before."""
    with pytest.raises(BrokerError) as caught:
        await polled(session, bool)
    return str(caught.value)


async def test_a_committed_offset_behind_the_end_ends_the_service(both: Real) -> None:
    """Before anything is published, with partition, offset, end and what to do."""
    await both.produce(*numbered(3, 0), *numbered(3, 1))
    move_group(both, 5000)

    error = await until_it_ends(await started(both.session()))

    topic = both.topics[0]
    assert f"offset 5000 committed for {topic}/0 is behind the end of its log, 3:" in error
    assert f"--group {topic} --topic {topic}:0 --to-earliest" in error
    assert "\n" not in error
    assert [] == await both.read(both.topics[1])
    assert {0: 5000} == await both.committed()


async def test_an_offset_behind_an_open_transaction_is_not_behind_the_end(both: Real) -> None:
    """Tools commit the end of the log, which may lie behind the last stable offset."""
    await both.produce(*numbered(2, 0))
    async with open_transaction(both) as upstream:
        await both.produce(*numbered(2, 0, first=2))
        move_group(both, 5)
        session = await joined(both.session())
        await upstream.abort_transaction()
        await both.produce(*numbered(1, 0, first=4))
        assert [b"4"] == values(await poll_count(session, 1))


async def add_partitions(real: Real, count: int) -> None:
    """Give the input topic more partitions."""
    admin = AdminClient({"bootstrap.servers": real.bootstrap})
    [added] = admin.create_partitions([NewPartitions(real.topics[0], count)]).values()
    await asyncio.to_thread(added.result, WAIT_SECONDS)


async def test_a_partition_added_while_running_is_read_from_its_beginning(both: Real) -> None:
    """Within seconds, although a group that has never read the topic begins at its end."""
    await both.produce(*numbered(3))
    session = await joined(both.session("latest"))
    await add_partitions(both, INPUTS + 2)
    await both.produce(*numbered(10, INPUTS + 1))

    assert values(numbered(10)) == values(await poll_count(session, 10))


async def test_a_partition_added_while_nobody_runs_is_read_from_its_beginning(both: Real) -> None:
    """The committed offsets of the others show that the group has read the topic."""
    session = await joined(both.session("latest"))
    await session.stop()
    await add_partitions(both, INPUTS + 1)
    await both.produce(*numbered(10, INPUTS))

    session = await started(both.session("latest"))

    assert values(numbered(10)) == values(await poll_count(session, 10))


async def test_members_that_start_together_all_begin_at_the_end(both: Real) -> None:
    """What one of them commits first does not make the others read the whole topic."""
    await both.produce(*(m for p in range(INPUTS) for m in numbered(3, p)))
    first, second = both.session("latest"), both.session("latest")
    await asyncio.gather(first.start(), second.start())
    assert [[], []] == await shared(first, second)
    await both.produce(*(m for p in range(INPUTS) for m in numbered(1, p, first=3)))

    for session in (first, second):
        assert [b"3"] * (INPUTS // 2) == values(await poll_count(session, INPUTS // 2))


async def delete_up_to(real: Real, offset: int) -> None:
    """Delete the first records of partition 0, as the topic's retention does."""
    admin = AdminClient({"bootstrap.servers": real.bootstrap})
    [deleted] = admin.delete_records([Position(real.topics[0], 0, offset)]).values()
    await asyncio.to_thread(deleted.result, WAIT_SECONDS)


@pytest.mark.parametrize("reset", ["earliest", "latest"])
async def test_records_that_expired_while_away_are_counted(both: Real, reset: Reset) -> None:
    """It goes on at the first record left, also with `latest`; a successor counts nothing."""
    session = await joined(both.session(reset))
    await both.produce(*numbered(3, 0))
    assert await session.publish(publication(await poll_count(session, 3), both.topics[1]))
    await session.stop()
    await both.produce(*numbered(7, 0, first=3))
    await delete_up_to(both, 6)

    with capture_logs() as logs:
        session = await started(both.session(reset))
        records = await poll_count(session, 4)

    assert [6, 7, 8, 9] == [r.offset for r in records]
    assert {Partition(both.topics[0], 0): 3} == session.lost
    [line] = [entry for entry in logs if entry["log_level"] == "warning"]
    assert (line["partition"], line["committed_offset"]) == (f"{both.topics[0]}/0", 3)
    assert (line["first_offset"], line["lost"]) == (6, 3)
    await session.stop()
    successor = await started(both.session(reset))
    assert values(records) == values(await poll_count(successor, 4))
    assert {} == successor.lost


async def test_records_that_expire_while_running_are_counted(both: Real) -> None:
    """The position is not in the log any more; the next poll but one goes on behind the gap."""
    session = await joined(both.session("latest", records_max=1))
    await session.keep_alive()
    # A fetch that is under way still brings what comes before it ends.
    await asyncio.sleep(3 * fetching.FETCH_WAIT_MS / 1000)
    await both.produce(*numbered(7, 0))
    await delete_up_to(both, 5)
    records: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(records) < 2:
            with contextlib.suppress(RetriableError):
                records += await session.poll()

    assert [b"5", b"6"] == values(records)
    assert {Partition(both.topics[0], 0): 5} == session.lost


async def test_what_nobody_can_read_is_no_lag(both: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """Aborted records and markers at the end are committed too, once nothing else comes."""
    monkeypatch.setattr(fetching, "TAIL_S", 0.5)
    session = await joined(both.session())
    await both.produce(*numbered(2, 0))
    assert await session.publish(publication(await poll_count(session, 2), both.topics[1]))
    async with open_transaction(both) as upstream:
        await upstream.abort_transaction()
    partition = Partition(both.topics[0], 0)
    assert 2 == (await session.lag())[partition]

    async with asyncio.timeout(WAIT_SECONDS):
        while (await session.lag())[partition]:
            assert [] == await session.poll()

    assert 4 == (await both.committed())[0]
    await both.produce(*numbered(1, 0, first=2))
    assert [b"2"] == values(await poll_count(session, 1))


async def test_records_behind_an_open_transaction_are_lag(both: Real) -> None:
    """They cannot be read until it ends, and are counted by themselves."""
    session = await joined(both.session())
    partition = Partition(both.topics[0], 0)
    async with open_transaction(both) as upstream:
        await both.produce(*numbered(40, 0))
        async with asyncio.timeout(WAIT_SECONDS):
            while (await session.lag())[partition] != 41:
                assert [] == await session.poll()
        assert 41 == session.held[partition]
        await upstream.abort_transaction()
        assert values(numbered(40)) == values(await poll_count(session, 40))
    await session.lag()
    assert 0 == session.held[partition]


async def test_a_topic_that_was_deleted_is_named_and_read_once_it_is_back(both: Real) -> None:
    """The lag, which readiness asks for, fails meanwhile; both are noticed within seconds."""
    session = await joined(both.session())
    await delete_topic(both, both.topics[0])
    async with asyncio.timeout(WAIT_SECONDS):
        while f"topic {both.topics[0]} has no partitions" not in await lag_error(session):
            with contextlib.suppress(RetriableError):
                assert [] == await session.poll()

    create_topic(Broker(both.bootstrap, "jars"), both.topics[0], 1, {})
    await both.produce(*numbered(10, 0))
    records: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(records) < 10:
            with contextlib.suppress(RetriableError):
                records += await session.poll()
    assert values(numbered(10)) == values(records)
    assert "" == await lag_error(session)
