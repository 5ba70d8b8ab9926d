"""What tests of sessions share: the fixtures, and how to start, poll and publish."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka.admin import AdminClient

from service.errors import RetriableError
from service.progress import next_offsets
from service.records import Outgoing, Partition, Publication, Record
from service.settings import KafkaSettings
from tools.kafka.kinds import (
    INPUTS,
    AnySession,
    Fake,
    Kafka,
    Mode,
    Real,
    Simulated,
    real_kafka,
    simulated_sessions,
)
from tools.kafka.topics import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

WAIT_SECONDS = 30
KEYS = [f"key-{number}".encode() for number in range(40)] + [b"", b"\xff\x00\xfe", b"x" * 1000]


@pytest.fixture
async def real(request: pytest.FixtureRequest) -> AsyncIterator[Real]:
    """Give real Kafka."""
    async with real_kafka(request, "exactly_once") as kafka:
        yield kafka


@pytest.fixture(params=["exactly_once", "at_least_once"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Real]:
    """Give real Kafka in each mode of delivery."""
    mode: Mode = request.param
    async with real_kafka(request, mode) as kafka:
        yield kafka


@pytest.fixture
async def unretrieved() -> AsyncIterator[list[str]]:
    """Give what the running loop is told of errors that nobody has looked at."""
    reported: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(str(context["message"])))
    yield reported
    gc.collect()
    assert reported == []


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.kafka)])
async def exact(request: pytest.FixtureRequest) -> AsyncIterator[Simulated | Real]:
    """Give simulated and real Kafka for sessions that publish exactly once."""
    if request.param == "simulated":
        async with simulated_sessions("exactly_once") as simulated:
            yield simulated
        return
    async with real_kafka(request, "exactly_once") as real:
        yield real


@pytest.fixture(
    params=[
        "fake",
        "simulated exactly_once",
        "simulated at_least_once",
        pytest.param("exactly_once", marks=pytest.mark.kafka),
        pytest.param("at_least_once", marks=pytest.mark.kafka),
    ]
)
async def kafka(request: pytest.FixtureRequest) -> AsyncIterator[Kafka]:
    """Give the fake one, then the simulated and the real one in each mode of delivery."""
    if request.param == "fake":
        yield Fake()
        return
    if request.param.startswith("simulated"):
        async with simulated_sessions(request.param.split()[1]) as kafka:
            yield kafka
        return
    async with real_kafka(request, request.param) as kafka:
        yield kafka


def numbered(count: int, partition: int | None = 0, first: int = 0) -> list[Message]:
    """Messages to produce, each with its number as key and value."""
    numbers = range(first, first + count)
    return [Message(b"%d" % n, b"%d" % n, partition=partition) for n in numbers]


async def started(session: AnySession) -> AnySession:
    """Start a session, and wait until it is given partitions; it has read nothing then."""
    await session.start()
    async with asyncio.timeout(WAIT_SECONDS):
        while not session.rebalances:
            assert [] == await session.poll()
    return session


async def joined(session: AnySession) -> AnySession:
    """Start a session, and wait until it knows its positions; there is nothing to read."""
    await started(session)
    assert [] == await polled(session, lambda _: session.joined)
    return session


async def polled(session: AnySession, enough: Callable[[list[Record]], bool]) -> list[Record]:
    """Poll until it is enough."""
    records: list[Record] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while not enough(records):
            records += await session.poll()
    return records


async def poll_count(session: AnySession, count: int) -> list[Record]:
    """Poll until there are so many, and see that no more come."""
    records = await polled(session, lambda records: len(records) >= count)
    records += await session.poll()
    assert count == len(records)
    return records


async def shared(*sessions: AnySession) -> list[list[Record]]:
    """Poll until all partitions are shared out; gives what each has read in its last epoch."""
    read: list[list[Record]] = [[] for _ in sessions]
    async with asyncio.timeout(WAIT_SECONDS):
        while {INPUTS // len(sessions)} != {len(s.progress.partitions) for s in sessions}:
            for position, session in enumerate(sessions):
                read[position] += await session.poll()
    return [
        [r for r in records if r.epoch == session.progress.epoch]
        for records, session in zip(read, sessions, strict=True)
    ]


def publication(records: Sequence[Record], topic: str) -> Publication:
    """Publish each record as it is."""
    return Publication(
        tuple(Outgoing(topic, r.key, r.value, r.headers, r.partition, r.offset) for r in records),
        next_offsets(records),
        records[-1].epoch,
    )


async def send(kafka: Kafka, session: AnySession, outgoing: Sequence[Outgoing]) -> bool:
    """Publish what no record of the input asked for; it commits offsets of 0."""
    offsets = dict.fromkeys(inputs(kafka), 0)
    return await session.publish(Publication(tuple(outgoing), offsets, session.progress.epoch))


def inputs(kafka: Kafka) -> list[Partition]:
    """The partitions of the input topic."""
    return [Partition(kafka.topics[0], number) for number in range(INPUTS)]


def number_of(message: Message) -> int:
    """The number that a value begins with."""
    return int((message.value or b"").partition(b":")[0])


def numbers(messages: Sequence[Message], parity: int) -> list[int]:
    """The even or odd numbers, in the order they come in."""
    return [number for number in map(number_of, messages) if number % 2 == parity]


def values(messages: Sequence[Record] | Sequence[Message]) -> list[bytes]:
    """Their values."""
    return [message.value or b"" for message in messages]


def settings_of(named: Mapping[str, str]) -> KafkaSettings:
    """A service's settings, as `Stream.settings` names them, for a session inside the test."""
    return KafkaSettings.model_validate(
        {name.removeprefix("KAFKA__").lower(): value for name, value in named.items()}
    )


async def abort(real: Real, *partitions: int, count: int = 1, size: int = 1) -> None:
    """Write records to these partitions of the input in a transaction that is aborted."""
    name = f"upstream-{real.topics[0]}"
    async with AIOKafkaProducer(
        bootstrap_servers=real.bootstrap, transactional_id=name
    ) as upstream:
        await upstream.begin_transaction()
        for partition in partitions:
            for _ in range(count):
                await upstream.send(real.topics[0], b"a" * size, partition=partition)
        await upstream.flush()
        await upstream.abort_transaction()


async def delete_topic(real: Real, topic: str) -> None:
    """Delete it, and wait until it is gone."""
    admin = AdminClient({"bootstrap.servers": real.bootstrap})
    [deleted] = admin.delete_topics([topic]).values()
    await asyncio.to_thread(deleted.result, WAIT_SECONDS)


async def lag_error(session: AnySession) -> str:
    """What the lag fails with; empty where it does not."""
    try:
        await session.lag()
    except RetriableError as error:
        return str(error)
    return ""
