"""A Kafka to hold sessions against: the real one in both delivery modes, and the fake."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

from fake_cluster import FakeCluster, Stored
from fake_kafka import FakeSession
from kafka_tools import Message, committed, produce, read_all
from service.kafka import KafkaSession
from service.progress import next_offsets
from service.records import Outgoing, Partition, Publication, Record
from service.settings import KafkaSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from broker import Broker
    from conftest import Topics

AnySession = FakeSession | KafkaSession
Reset = Literal["earliest", "latest"]
Mode = Literal["exactly_once", "at_least_once"]

WAIT_SECONDS = 30
INPUTS = 4
OUTPUTS = 3
# An output topic's limit in some tests; together many small events are far above it.
BYTES_MAX = 2000
KEYS = [f"key-{number}".encode() for number in range(40)] + [b"", b"\xff\x00\xfe", b"x" * 1000]


class Kafka(Protocol):
    """A cluster with an input topic, an output topic, dead letters, and sessions of one group."""

    topics: tuple[str, str, str]

    def session(self, reset: Reset = "earliest", records_max: int = 256) -> AnySession:
        """Make a session that is stopped after the test."""

    def small_topics(self) -> tuple[str, str]:
        """Create an output topic of 2 partitions and one for letters, each with a small limit."""

    async def produce(self, *messages: Message) -> None:
        """Write to the input topic."""

    async def read(self, topic: str) -> list[Message]:
        """Read all of a topic, one partition after the other."""

    async def committed(self) -> dict[int, int]:
        """Give what the group has committed on the input topic."""


class Fake:
    """The fake one."""

    topics = ("in", "out", "dead")

    def __init__(self) -> None:
        """Create a cluster with the topics."""
        self.cluster = FakeCluster({"in": INPUTS, "out": OUTPUTS, "dead": 1})
        self.sessions: list[AnySession] = []

    def session(self, reset: Reset = "earliest", records_max: int = 256) -> FakeSession:
        """See `Kafka.session`."""
        session = FakeSession(self.cluster, records_max=records_max, auto_offset_reset=reset)
        self.sessions.append(session)
        return session

    def small_topics(self) -> tuple[str, str]:
        """See `Kafka.small_topics`."""
        self.cluster.create("small", 2, BYTES_MAX)
        self.cluster.create("small-dead", 1, BYTES_MAX)
        return "small", "small-dead"

    async def produce(self, *messages: Message) -> None:
        """See `Kafka.produce`."""
        for m in messages:
            stored = Stored(m.key, m.value, tuple(m.headers), m.timestamp or 0)
            self.cluster.append("in", stored, m.partition)

    async def read(self, topic: str) -> list[Message]:
        """See `Kafka.read`."""
        return [
            Message(r.key, r.value, r.headers, partition.number)
            for partition in self.cluster.partitions(topic)
            for r in self.cluster.logs[partition]
        ]

    async def committed(self) -> dict[int, int]:
        """See `Kafka.committed`."""
        return {p.number: offset for p, offset in self.cluster.committed["group"].items()}


class Real:
    """Apache Kafka."""

    def __init__(self, broker: Broker, make_topic: Topics, mode: Mode) -> None:
        """Create the topics."""
        self.mode = mode
        self.bootstrap = broker.bootstrap_servers
        self.make_topic = make_topic
        self.topics = (make_topic("in", INPUTS), make_topic("out", OUTPUTS), make_topic("dead"))
        self.sessions: list[AnySession] = []

    def settings(self, **more: Any) -> KafkaSettings:
        """Settings with timeouts that a test can wait for."""
        settings: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "input_topic": self.topics[0],
            "output_topic": self.topics[1],
            "dead_letter_topic": self.topics[2],
            "group_id": self.topics[0],
            "session_timeout_ms": 6000,
            "heartbeat_interval_ms": 200,
        }
        return KafkaSettings(**settings | more)

    def session(self, reset: Reset = "earliest", records_max: int = 256) -> KafkaSession:
        """See `Kafka.session`."""
        session = KafkaSession(self.settings(auto_offset_reset=reset), records_max, self.mode)
        self.sessions.append(session)
        return session

    def small_topics(self) -> tuple[str, str]:
        """See `Kafka.small_topics`."""
        config = {"max.message.bytes": str(BYTES_MAX)}
        return self.make_topic("small", 2, config), self.make_topic("small-dead", 1, config)

    async def produce(self, *messages: Message) -> None:
        """See `Kafka.produce`."""
        await produce(self.bootstrap, self.topics[0], messages)

    async def read(self, topic: str) -> list[Message]:
        """See `Kafka.read`."""
        records = await read_all(self.bootstrap, topic)
        records.sort(key=lambda record: (record.partition, record.offset))
        return [Message(r.key, r.value, tuple(r.headers), r.partition) for r in records]

    async def committed(self) -> dict[int, int]:
        """See `Kafka.committed`."""
        return await committed(self.bootstrap, self.topics[0], self.topics[0])


@contextlib.asynccontextmanager
async def real_kafka(request: pytest.FixtureRequest, mode: Mode) -> AsyncIterator[Real]:
    """Give fresh topics on real Kafka, and stop all sessions at last."""
    broker, topics = map(request.getfixturevalue, ("real_broker", "topics"))
    kafka = Real(broker, topics, mode)
    yield kafka
    for session in kafka.sessions:
        await session.stop()


@pytest.fixture
async def real(request: pytest.FixtureRequest) -> AsyncIterator[Real]:
    """Give real Kafka."""
    async with real_kafka(request, "exactly_once") as kafka:
        yield kafka


@pytest.fixture(
    params=[
        "fake",
        pytest.param("exactly_once", marks=pytest.mark.kafka),
        pytest.param("at_least_once", marks=pytest.mark.kafka),
    ]
)
async def kafka(request: pytest.FixtureRequest) -> AsyncIterator[Kafka]:
    """Give the fake one, then the real one in each mode of delivery."""
    if request.param == "fake":
        yield Fake()
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
        tuple(Outgoing(topic, r.key, r.value, r.headers, r.partition) for r in records),
        next_offsets((r.partition, r.offset) for r in records),
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
