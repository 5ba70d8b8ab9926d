"""Kafka to hold sessions against: real and simulated in both delivery modes, and the fake."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Any, Literal, Protocol

from service.kafka import KafkaSession
from service.records import Partition
from service.settings import KafkaSettings
from simulation.brokers import Brokers
from simulation.groups import Group
from simulation.network import NETWORKS, Network
from simulation.run import simulated_kafka
from tools.kafka.fake_cluster import FakeCluster
from tools.kafka.fake_kafka import FakeSession
from tools.kafka.stored import Stored
from tools.kafka.topics import Message, committed, produce, read_all, wait_for_markers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tools.kafka.broker import Broker
    from tools.kafka.topics import Topics

AnySession = FakeSession | KafkaSession
Reset = Literal["earliest", "latest"]
Mode = Literal["exactly_once", "at_least_once"]

SIMULATED = "simulated:9092"
INPUTS = 4
OUTPUTS = 3
# An output topic's limit in some tests; together many small events are far above it.
BYTES_MAX = 2000


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


class Simulated:
    """The service's own session on the simulated brokers, in real time."""

    topics = ("in", "out", "dead")

    def __init__(self, mode: Mode) -> None:
        """Create the topics."""
        self.brokers = Brokers({"in": INPUTS, "out": OUTPUTS, "dead": 1})
        network = Network(self.brokers, lambda name: Group(self.brokers, name), random.Random(0))
        NETWORKS[SIMULATED] = network
        self.mode = mode
        self.sessions: list[AnySession] = []

    def session(self, reset: Reset = "earliest", records_max: int = 256) -> KafkaSession:
        """See `Kafka.session`."""
        settings = session_settings(SIMULATED, self.topics, "group", auto_offset_reset=reset)
        session = KafkaSession(settings, records_max, self.mode)
        self.sessions.append(session)
        return session

    def small_topics(self) -> tuple[str, str]:
        """See `Kafka.small_topics`."""
        self.brokers.create("small", 2, BYTES_MAX)
        self.brokers.create("small-dead", 1, BYTES_MAX)
        return "small", "small-dead"

    async def produce(self, *messages: Message) -> None:
        """See `Kafka.produce`."""
        for m in messages:
            stored = Stored(m.key, m.value, tuple(m.headers), m.timestamp or 0)
            self.brokers.append(Partition("in", m.partition or 0), stored)

    async def read(self, topic: str) -> list[Message]:
        """See `Kafka.read`."""
        while self.brokers.unsettled():  # noqa: ASYNC110 - markers come by themselves
            await asyncio.sleep(0.01)
        return [
            Message(r.key, r.value, r.headers, partition.number)
            for partition in self.brokers.partitions(topic)
            for _, r in self.brokers.logs[partition].committed()
        ]

    async def committed(self) -> dict[int, int]:
        """See `Kafka.committed`."""
        while self.brokers.unsettled():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        return {p.number: offset for p, offset in self.brokers.offsets.committed["group"].items()}


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
        """Settings of a session on it."""
        return session_settings(self.bootstrap, self.topics, self.topics[0], **more)

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
        await wait_for_markers(self.bootstrap, topic)
        records = await read_all(self.bootstrap, topic)
        records.sort(key=lambda record: (record.partition, record.offset))
        return [Message(r.key, r.value, tuple(r.headers), r.partition) for r in records]

    async def committed(self) -> dict[int, int]:
        """See `Kafka.committed`."""
        return await committed(self.bootstrap, self.topics[0], self.topics[0])


def session_settings(
    bootstrap: str, topics: tuple[str, str, str], group: str, **more: Any
) -> KafkaSettings:
    """Settings with timeouts that a test can wait for."""
    settings: dict[str, Any] = {
        "bootstrap_servers": bootstrap,
        "input_topic": topics[0],
        "output_topic": topics[1],
        "dead_letter_topic": topics[2],
        "group_id": group,
        "session_timeout_ms": 6000,
        "heartbeat_interval_ms": 200,
    }
    return KafkaSettings(**settings | more)


@contextlib.asynccontextmanager
async def simulated_sessions(mode: Mode) -> AsyncIterator[Simulated]:
    """Give simulated brokers, and stop all sessions at last."""
    with simulated_kafka():
        kafka = Simulated(mode)
        yield kafka
        for session in kafka.sessions:
            await session.stop()


@contextlib.asynccontextmanager
async def real_kafka(request: pytest.FixtureRequest, mode: Mode) -> AsyncIterator[Real]:
    """Give fresh topics on real Kafka, and stop all sessions at last."""
    broker, topics = map(request.getfixturevalue, ("real_broker", "topics"))
    kafka = Real(broker, topics, mode)
    yield kafka
    for session in kafka.sessions:
        await session.stop()
