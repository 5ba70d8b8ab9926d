"""Batches that no correct producer sends, on Apache Kafka: a session reads them or fails clearly.

Also failures of aiokafka's background tasks, which no broker can bring about.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, RecordTooLargeError
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Position

from service.errors import BrokerError, RetriableError, ServiceError
from service.kafka import KafkaSession
from service.settings import KafkaSettings
from tools.kafka.broker import Broker
from tools.kafka.kinds import Mode, Real, real_kafka
from tools.kafka.raw_batches import CODECS, batch, changed, compressed, send
from tools.kafka.sessions import (
    WAIT_SECONDS,
    joined,
    numbered,
    poll_count,
    polled,
    publication,
    real,
    started,
    values,
)
from tools.kafka.topics import Message, create_topic, produce

if TYPE_CHECKING:
    from service.records import Record
    from tools.kafka.jar_broker import JarBroker

__all__ = ["real"]

pytestmark = pytest.mark.kafka

MIB = 2**20
# More than the bound that these tests set, less than a topic's limit when compressed.
BOMB = [Message(value=bytes(3 * MIB))] * 2
# Gone for good; nothing a test waits for.
TASKS = ["_client._sync_task", "_fetcher._fetch_task", "_coordinator._coordination_task"]


def bounded(real: Real, mib: int = 1) -> KafkaSession:
    """A session with this bound on what a poll decompresses."""
    session = KafkaSession(real.settings(unfolded_bytes_max=mib * MIB), 256, real.mode)
    real.sessions.append(session)
    return session


async def until_it_ends(session: Any, topic: str) -> tuple[list[Record], ServiceError]:
    """Publish each poll's records after the next poll, until a poll fails for good."""
    records: list[Record] = []
    waiting: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            try:
                fetched = await session.poll()
            except BrokerError as error:
                return records, error
            if waiting:
                assert await session.publish(publication(waiting, topic))
            records += fetched
            waiting = fetched


def move_past(real: Real, error: ServiceError) -> None:
    """Follow the remedy in the error's message."""
    words = str(error).split()
    topic, _, number = words[words.index("--topic") + 1].rpartition(":")
    offset = int(words[words.index("--to-offset") + 1])
    client = Consumer({"bootstrap.servers": real.bootstrap, "group.id": real.topics[0]})
    client.commit(offsets=[Position(topic, int(number), offset)], asynchronous=False)
    client.close()


@pytest.mark.parametrize("codec", [name for name in CODECS if name != "none"])
async def test_a_batch_over_the_bound_ends_the_service(real: Real, codec: str) -> None:
    """Once all records before it are committed, and none of it; the remedy works."""
    topic = real.topics[0]
    await produce(real.bootstrap, topic, numbered(3, 0))
    await send(real.bootstrap, topic, 0, batch(BOMB, codec))
    await produce(real.bootstrap, topic, numbered(3, 0, first=3))

    session = await started(bounded(real))
    records, error = await until_it_ends(session, real.topics[1])
    await session.stop()

    assert [b"0", b"1", b"2"] == values(records)
    assert 3 == (await real.committed())[0]
    assert f"the batch of {topic}/0 at offset 3 does not unfold within 1048576" in str(error)
    assert "\n" not in str(error)

    move_past(real, error)
    assert [b"3", b"4", b"5"] == values(await poll_count(await started(bounded(real)), 3))


async def test_with_a_higher_bound_it_is_read(real: Real) -> None:
    """Which is the other remedy; other partitions are read in both cases."""
    await send(real.bootstrap, real.topics[0], 1, batch(BOMB, "zstd"))
    await produce(real.bootstrap, real.topics[0], numbered(3, 0))

    records = await poll_count(await started(bounded(real, 8)), 5)

    assert [6 * MIB, 3] == [
        sum(len(r.value or b"") for r in records if r.partition.number == p) for p in (1, 0)
    ]


async def test_many_batches_are_read_poll_by_poll(real: Real) -> None:
    """Together they exceed the bound, in a fetch and over all partitions; all come, in order."""
    each = [Message(value=bytes(MIB - 1000) + b"%d" % n) for n in range(6)]
    for partition in range(4):
        for message in each:
            data = batch([message], "zstd")
            await send(real.bootstrap, real.topics[0], partition, data)
    session = await started(bounded(real, 2))
    sizes: list[int] = []
    records: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(records) < 24:
            fetched = await session.poll()
            sizes.append(sum(len(r.value or b"") for r in fetched))
            records += fetched

    assert max(sizes) < 2 * MIB
    for partition in range(4):
        assert list(range(6)) == [r.offset for r in records if r.partition.number == partition]


@pytest.mark.parametrize("codec", ["none", "lz4"])
async def test_a_header_with_any_name_goes_through(real: Real, codec: str) -> None:
    """Its record is polled and published, and the others are unchanged."""
    sent = [Message(b"k", b"%d" % n, [(f"name-{n}", b"v")]) for n in range(3)]
    data = changed(batch(sent), b"name-1", b"\xff\xfe\xe9e-1")
    if codec != "none":
        data = compressed(data, codec)
    await send(real.bootstrap, real.topics[0], 0, data)

    session = await started(bounded(real))
    records = await poll_count(session, 3)
    assert await session.publish(publication(records, real.topics[1]))

    names = ["name-0", r"\xff\xfe\xe9e-1", "name-2"]
    assert names == [name for r in records for name, _ in r.headers]
    assert names == [name for m in await real.read(real.topics[1]) for name, _ in m.headers]


async def test_records_larger_than_a_fetch_are_read(real: Real) -> None:
    """Larger than what aiokafka requests per partition, and than the service's whole fetch."""
    topic = real.make_topic("large", 1, {"max.message.bytes": str(32 * MIB)})
    for size in (2 * MIB, 17 * MIB):
        await send(real.bootstrap, topic, 0, batch([Message(value=bytes(size))]))
    session = KafkaSession(real.settings(input_topic=topic), 256, real.mode)
    real.sessions.append(session)

    records = await poll_count(await started(session), 2)

    assert [2 * MIB, 17 * MIB] == [len(r.value or b"") for r in records]


async def test_a_record_that_aiokafka_skips_is_read_again(real: Real) -> None:
    """It moves its position past a record that it finds too large, and raises an error later."""
    session: Any = await joined(bounded(real))
    fetcher, partition = session._consumer._fetcher, TopicPartition(real.topics[0], 0)
    fetcher._set_error(partition, RecordTooLargeError("too large"))
    fetcher._subscriptions.seek(partition, 1)
    with pytest.raises(RetriableError, match="RecordTooLargeError"):
        await session.poll()

    await produce(real.bootstrap, real.topics[0], numbered(2, 0))

    assert [b"0", b"1"] == values(await poll_count(session, 2))


@pytest.mark.parametrize("name", [*TASKS, "_coordinator._heartbeat_task"])
@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
async def test_a_failed_background_task_is_replaced(
    request: pytest.FixtureRequest, mode: Mode, name: str
) -> None:
    """After an error with its reason the next poll joins again: nothing is lost or doubled."""
    async with real_kafka(request, mode) as real:
        await produce(real.bootstrap, real.topics[0], numbered(3, 0))
        session: Any = await started(bounded(real))
        records = await poll_count(session, 3)
        assert await session.publish(publication(records, real.topics[1]))

        await end(session._consumer, name, ValueError("a defect"))
        with pytest.raises(RetriableError, match=r"ended \(ValueError: a defect\); the group is j"):
            await session.poll()

        await produce(real.bootstrap, real.topics[0], numbered(3, 0, first=3))
        assert [b"3", b"4", b"5"] == values(await poll_count(session, 3))


async def test_a_task_that_fails_for_good_ends_the_service(real: Real) -> None:
    """Joining again would not help."""
    session: Any = await joined(bounded(real))
    await end(session._consumer, TASKS[1], GroupAuthorizationFailedError("no"))
    with pytest.raises(BrokerError, match="grant this user Read on the group"):
        await session.poll()


async def test_stopping_is_not_cancelled_by_the_tasks_that_it_cancels(real: Real) -> None:
    """A fetch that waits for its next attempt raises its cancellation into whoever awaits it."""
    session: Any = await joined(bounded(real))
    consumer = session._consumer
    waiting = asyncio.ensure_future(asyncio.sleep(WAIT_SECONDS))
    consumer._fetcher._pending_tasks.add(waiting)

    await session.stop()

    assert waiting.cancelled()
    assert not any(connection.connected() for connection in consumer._client._conns.values())


async def end(consumer: Any, name: str, error: Exception) -> None:
    """Make a task of a consumer fail, as a defect of aiokafka would."""
    holder, attribute = name.split(".")
    part = getattr(consumer, holder)
    task: asyncio.Task[None] = getattr(part, attribute)
    task.cancel()
    await asyncio.wait([task])

    async def failing() -> None:
        raise error

    dead = asyncio.ensure_future(failing())
    await asyncio.wait([dead])
    setattr(part, attribute, dead)


async def test_a_corrupt_batch_holds_up_its_partition_alone(jar_broker: JarBroker) -> None:
    """One bit on the broker's disk: other records are read, and each attempt fails again."""
    create_topic(Broker(jar_broker.bootstrap_servers, "jars"), "posts", 4, {})
    for topic in ("events", "letters"):
        create_topic(Broker(jar_broker.bootstrap_servers, "jars"), topic, 1, {})
    for value in (b"good", b"corrupt", b"behind"):
        await produce(jar_broker.bootstrap_servers, "posts", [Message(value=value, partition=0)])
    for partition in (1, 2, 3):
        await produce(jar_broker.bootstrap_servers, "posts", numbered(100, partition))
    [segment] = (jar_broker.log.parent / "data" / "posts-0").glob("*.log")
    whole = segment.read_bytes()
    segment.write_bytes(whole.replace(b"corrupt", b"Corrupt"))
    session = KafkaSession(
        KafkaSettings(
            bootstrap_servers=jar_broker.bootstrap_servers,
            input_topic="posts",
            output_topic="events",
            dead_letter_topic="letters",
        ),
        256,
    )
    try:
        await session.start()
        # No error before the record ahead of it is published, and other partitions are read.
        records = await poll_count(session, 301)
        assert [b"good"] == values([r for r in records if r.partition.number == 0])
        assert await session.publish(publication(records, "events"))
        for _ in range(2):
            with pytest.raises(RetriableError, match="posts/0 at offset 1 is corrupt"):
                await polled(session, lambda _: False)

        segment.write_bytes(whole)
        mended: list[Record] = []
        async with asyncio.timeout(WAIT_SECONDS):
            while len(mended) < 2:
                # What was fetched before the repair may be read once more.
                with contextlib.suppress(RetriableError):
                    mended += await session.poll()
        assert [b"corrupt", b"behind"] == values(mended)
    finally:
        await session.stop()
