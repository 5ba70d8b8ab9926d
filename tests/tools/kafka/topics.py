"""What tests do to Kafka beside the service: write records, and read back all there is.

Exists so that a test states records and outcomes, not clients. Uses confluent_kafka where it can,
so that a defect of the service's own client cannot hide behind the same client here. May not
import the service.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Consumer, IsolationLevel, Producer
from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.cimpl import NewTopic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka.structs import ConsumerRecord

    from tools.kafka.broker import Broker

# More than any test needs on a busy machine, less than the limit of a test.
WAIT_SECONDS = 60
# Markers of a transaction that has ended are written within milliseconds; an open one has none.
MARKERS_SECONDS = 2.0


class Message(NamedTuple):
    """A record to produce; a partition or timestamp (ms since 1970) of None lets Kafka choose."""

    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    partition: int | None = None
    timestamp: int | None = None


class Topics(Protocol):
    """Makes topics; on a mock cluster they always have 4 partitions and no settings."""

    def __call__(
        self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> str:
        """Create a topic; gives its name, which is unique and begins with the one asked for."""


async def produce(
    bootstrap_servers: str, topic: str, messages: Sequence[Message], *, idempotent: bool = False
) -> None:
    """Send records in the order given, and wait until the broker has them all.

    `idempotent` costs half a second; without it a record may be stored twice where the broker is
    harmed meanwhile.

    Raises:
        AssertionError: the broker refused one, or did not take them in WAIT_SECONDS.
    """
    await asyncio.to_thread(_produce, bootstrap_servers, topic, messages, idempotent)


async def read_all(
    bootstrap_servers: str,
    topic: str,
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed",
) -> list[ConsumerRecord[bytes, bytes]]:
    """Read every partition from its beginning to its end of now; in order within a partition.

    With read_committed that end is before the first open transaction.

    Raises:
        TimeoutError: that took over WAIT_SECONDS.
    """
    numbers = await asyncio.to_thread(_partitions, bootstrap_servers, topic)
    partitions = [TopicPartition(topic, number) for number in numbers]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, isolation_level=isolation, enable_auto_commit=False
    )
    records: list[ConsumerRecord[bytes, bytes]] = []
    async with asyncio.timeout(WAIT_SECONDS), consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        unread = dict(await consumer.end_offsets(partitions))
        while unread:
            # Positions, not records: a partition may end in aborted records or a marker.
            for partition in list(unread):
                if await consumer.position(partition) >= unread[partition]:
                    del unread[partition]
            polled = await consumer.getmany(*unread, timeout_ms=100) if unread else {}
            records += [record for batch in polled.values() for record in batch]
    return records


async def wait_for_markers(bootstrap_servers: str, topic: str) -> None:
    """Until brokers show all of a transaction whose end they have answered, which takes a moment.

    Where one is open, it is waited for in vain, for MARKERS_SECONDS.
    """
    await asyncio.to_thread(_wait_for_markers, bootstrap_servers, topic)


async def committed(bootstrap_servers: str, group: str, topic: str) -> dict[int, int]:
    """Give the offset a group has committed on each partition; those without one are left out."""
    return await asyncio.to_thread(_committed, bootstrap_servers, group, topic)


async def end_offsets(bootstrap_servers: str, topic: str) -> dict[int, int]:
    """Give the offset after the last record of each partition, transaction markers included."""
    return await asyncio.to_thread(_end_offsets, bootstrap_servers, topic)


def create_topic(broker: Broker, topic: str, partitions: int, config: Mapping[str, str]) -> None:
    """Create a topic; a mock cluster gives it 4 partitions and no settings, whatever is asked.

    Raises:
        confluent_kafka.KafkaException: the broker refuses it.
    """
    if not broker.real:
        # It knows no request to create a topic, but makes each one it is asked about.
        assert _partitions(broker.bootstrap_servers, topic)
        return
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=dict(config))
    admin.create_topics([new], operation_timeout=WAIT_SECONDS)[topic].result(WAIT_SECONDS)


def topics_on(broker: Broker) -> Topics:
    """A maker of topics on a broker."""

    def make(name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        topic = f"{name}-{uuid.uuid4().hex[:12]}"
        create_topic(broker, topic, partitions, config or {})
        return topic

    return make


def _produce(
    bootstrap_servers: str, topic: str, messages: Sequence[Message], idempotent: bool
) -> None:
    refused: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "enable.idempotence": idempotent,
            # With more a retry could pass its predecessor.
            "max.in.flight.requests.per.connection": 1,
        }
    )
    for message in messages:
        producer.produce(
            topic,
            key=message.key,
            value=message.value,
            headers=list(message.headers),
            # What the client itself takes for "none given".
            partition=-1 if message.partition is None else message.partition,
            timestamp=message.timestamp or 0,
            on_delivery=lambda error, _: refused.append(str(error)) if error else None,
        )
    assert producer.flush(WAIT_SECONDS) == 0, f"{topic}: not all sent in {WAIT_SECONDS} s"
    assert not refused, f"{topic}: {refused[0]}"


def _partitions(bootstrap_servers: str, topic: str) -> list[int]:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    return sorted(admin.list_topics(topic, timeout=WAIT_SECONDS).topics[topic].partitions)


def _consumer(bootstrap_servers: str, group: str) -> Consumer:
    return Consumer(
        {"bootstrap.servers": bootstrap_servers, "group.id": group, "enable.auto.commit": False}
    )


def _committed(bootstrap_servers: str, group: str, topic: str) -> dict[int, int]:
    wanted = [Position(topic, number) for number in _partitions(bootstrap_servers, topic)]
    consumer = _consumer(bootstrap_servers, group)
    try:
        positions = consumer.committed(wanted, timeout=WAIT_SECONDS)
    finally:
        consumer.close()
    return {position.partition: position.offset for position in positions if position.offset >= 0}


def _end_offsets(bootstrap_servers: str, topic: str) -> dict[int, int]:
    numbers = _partitions(bootstrap_servers, topic)
    # Never joins: the name is needed to build a consumer, and stays unknown to the broker.
    consumer = _consumer(bootstrap_servers, "end-offsets")
    try:
        return {
            number: consumer.get_watermark_offsets(Position(topic, number), timeout=WAIT_SECONDS)[1]
            for number in numbers
        }
    finally:
        consumer.close()


def _wait_for_markers(bootstrap_servers: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    asked = {
        Position(topic, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for number in _partitions(bootstrap_servers, topic)
    }

    def ends(isolation: IsolationLevel) -> list[int]:
        found = admin.list_offsets(asked, isolation_level=isolation, request_timeout=WAIT_SECONDS)
        return [future.result().offset for future in found.values()]

    until = time.monotonic() + MARKERS_SECONDS
    while time.monotonic() < until:
        if ends(IsolationLevel.READ_COMMITTED) == ends(IsolationLevel.READ_UNCOMMITTED):
            return
        time.sleep(0.01)
