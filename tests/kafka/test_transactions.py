"""What one transaction costs and takes, and offsets that other transactions still have."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from service.errors import RetriableError
from service.kafka import KafkaSession
from service.kafka.client import generations
from service.kafka.client.connection import connection_options
from service.kafka.client.offset_requests import NOBODY
from service.kafka.delivery import ExactlyOnce
from service.kafka.producer import Producer
from service.records import Outgoing, Partition, Publication
from tools.asking import of_version_one
from tools.kafka.kinds import Real, session_settings
from tools.kafka.sessions import WAIT_SECONDS, joined

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tools.kafka.kinds import Kafka, Simulated

TIMEOUT_MS = 60_000


def requests_of(session: KafkaSession) -> Counter[str]:
    """Counts what the producer of a session that has joined asks the brokers from now on."""
    delivery = session._delivery
    assert isinstance(delivery, ExactlyOnce)
    assert delivery._producer is not None
    client, counts = delivery._producer.client, Counter[str]()
    send = client.send

    async def counted(node: int, request: Any, **options: Any) -> Any:
        counts[type(request).__name__] += 1
        return await send(node, request, **options)

    client.send = counted
    return counts


THREE = ("Produce", "TxnOffsetCommit", "EndTxn")
FIVE = ("AddPartitionsToTxn", "AddOffsetsToTxn", *THREE)


@pytest.mark.kafka
@pytest.mark.parametrize("kinds", [THREE, FIVE], ids=["version 2", "version 1"])
@pytest.mark.parametrize(("partitions", "events"), [(4, 4), (64, 64), (64, 200)])
async def test_a_publish_is_few_requests(
    partitions: int,
    events: int,
    kinds: Sequence[str],
    real: Real,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of each kind, whatever the number of input and output partitions."""
    if kinds is FIVE:
        of_version_one(monkeypatch)
    topics = (real.make_topic("many", partitions), real.make_topic("out", partitions))
    settings = session_settings(real.bootstrap, (*topics, real.topics[2]), topics[0])
    session = KafkaSession(settings, 256)
    real.sessions.append(session)
    await joined(session)
    counts = requests_of(session)
    places = [Partition(topics[0], number) for number in range(partitions)]
    outgoing = [
        Outgoing(topics[1], None, b"an event", (), places[number % partitions], 0)
        for number in range(events)
    ]

    offsets = dict.fromkeys(places, 0)
    assert await session.publish(Publication(tuple(outgoing), offsets, session.progress.epoch))

    assert counts == {f"{kind}Request": 1 for kind in kinds}


@pytest.mark.kafka
@pytest.mark.parametrize("version", [1, 2])
async def test_partitions_are_added_at_once_however_much_is_sent(
    version: int, real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A publish that takes many requests to produce asks once for all its partitions, or never."""
    if version == 1:
        of_version_one(monkeypatch)
    out = real.make_topic("out", 8)
    settings = session_settings(
        real.bootstrap, (real.topics[0], out, real.topics[2]), real.topics[0]
    )
    session = KafkaSession(settings, 256)
    real.sessions.append(session)
    await joined(session)
    counts = requests_of(session)
    source = Partition(real.topics[0], 0)
    # The first portion is of one partition, and those that follow have others too.
    numbers = [0] * 60 + list(range(8)) * 5
    outgoing = [
        Outgoing(out, None, random.randbytes(20_000), (), Partition(real.topics[0], number), 0)
        for number in numbers
    ]

    publication = Publication(tuple(outgoing), {source: 0}, session.progress.epoch)
    assert await session.publish(publication)

    assert counts["ProduceRequest"] > 1
    assert counts["AddPartitionsToTxnRequest"] == (1 if version == 1 else 0)
    assert len(numbers) == len(await real.read(out))


async def joined_session(kafka: Kafka) -> KafkaSession:
    """A session that knows its positions."""
    session = await joined(kafka.session())
    assert isinstance(session, KafkaSession)
    return session


@pytest.fixture
async def other(exact: Simulated | Real) -> AsyncIterator[Producer]:
    """Give the producer of somebody else."""
    session = exact.session()
    assert isinstance(session, KafkaSession)
    options = connection_options(session._settings)
    producer = Producer(options, f"other-{exact.topics[0]}", TIMEOUT_MS)
    group = session._settings.group_id
    await producer.start(group)
    yield producer
    await producer.stop()


async def test_who_is_in_no_generation_commits_nothing(
    exact: Simulated | Real, other: Producer
) -> None:
    """Brokers would not check it; a group without members is told apart, and is not refused."""
    group = f"{exact.topics[0]}-replay"
    await other.begin()
    for nobody in (NOBODY, NOBODY._replace(generation=1), NOBODY._replace(member_id="me")):
        with pytest.raises(RetriableError):
            await other.send_offsets({Partition(exact.topics[0], 0): 3}, group, nobody)

    await other.send_offsets({Partition(exact.topics[0], 0): 3}, group, None)
    await other.commit()


async def test_offsets_are_waited_for_while_a_transaction_has_them(
    exact: Simulated | Real, other: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a time; then the partition is named. Once it has ended, its offset counts, or not."""
    session = await joined_session(exact)
    group, topic = session._settings.group_id, exact.topics[0]
    places = [TopicPartition(topic, number) for number in range(2)]
    mine = Partition(topic, 1)

    async def put(offset: int) -> None:
        await other.begin()
        member = generations.membership(session._consumer)
        await other.send_offsets({mine: OffsetAndMetadata(offset, "said")}, group, member)

    await put(5)
    monkeypatch.setattr(generations, "UNSTABLE_WAIT_S", 0.2)
    with pytest.raises(RetriableError, match=f"{topic}/1 waits for the end of a transaction"):
        await generations.stable_offsets(session._consumer, places)
    # Nobody is kept waiting for the others.
    assert {} == await generations.stable_offsets(session._consumer, places[:1])

    monkeypatch.setattr(generations, "UNSTABLE_WAIT_S", float(WAIT_SECONDS))
    waiting = asyncio.create_task(generations.stable_offsets(session._consumer, places))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await other.commit()
    found = await waiting
    assert {places[1]: 5} == {place: marked.offset for place, marked in found.items()}

    await put(7)
    await other.stop()
    again = Producer(connection_options(session._settings), f"other-{exact.topics[0]}", TIMEOUT_MS)
    # Its start aborts what the one before has left open.
    await again.start(group)
    found = await generations.stable_offsets(session._consumer, places)
    assert {places[1]: 5} == {place: marked.offset for place, marked in found.items()}
    await again.stop()
    assert {} == await generations.stable_offsets(session._consumer, [])
