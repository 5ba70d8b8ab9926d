"""What topics refuse and contain, and how every Session handles it."""

from __future__ import annotations

import random

import pytest
from confluent_kafka import Producer

from service.errors import BrokerError, RetriableError
from service.kafka import KafkaSession, producer
from service.records import Outgoing, Publication
from service.settings import KafkaSettings
from tools.kafka.fake_cluster import FakeCluster
from tools.kafka.fake_kafka import FakeSession
from tools.kafka.jar_broker import HOST, free_ports
from tools.kafka.kinds import BYTES_MAX, OUTPUTS, Kafka, Real
from tools.kafka.sessions import (
    KEYS,
    WAIT_SECONDS,
    inputs,
    joined,
    number_of,
    numbered,
    numbers,
    poll_count,
    send,
    started,
    values,
)


async def test_an_event_too_large_goes_in_its_smaller_form(kafka: Kafka) -> None:
    """Among many that share batches only those too large do; all others go once and in order.

    The sizes make batches of every kind: refused for their total size, for one record in them, and
    with others behind them that would be accepted.
    """
    topic, letters = kafka.small_topics()
    session = await joined(kafka.session())
    sizes = random.Random(1).choices(
        [10, 170, 1500, 1900, 5000, 40_000], [9, 60, 3, 1, 2, 2], k=300
    )

    sources = inputs(kafka)

    def cut(number: int) -> Outgoing:
        return Outgoing(letters, None, b"%d:cut" % number, (), sources[number % 2], 0)

    def letter(number: int, size: int) -> Outgoing:
        value = b"%d:%s" % (number, b"l" * (size // 4))
        return Outgoing(letters, None, value, (), sources[number % 2], 0, lambda: cut(number))

    def event(number: int, size: int) -> Outgoing:
        value = b"%d:%s" % (number, b"e" * size)
        return Outgoing(
            topic, None, value, (), sources[number % 2], 0, lambda: letter(number, size)
        )

    outgoing = [event(number, size) for number, size in enumerate(sizes)]
    for part in (outgoing[:200], outgoing[200:]):
        assert await send(kafka, session, part)

    events, read = await kafka.read(topic), await kafka.read(letters)
    large = [number for number, size in enumerate(sizes) if size >= BYTES_MAX]
    small = [number for number, size in enumerate(sizes) if size < BYTES_MAX]
    for parity in (0, 1):
        assert [n for n in small if n % 2 == parity] == numbers(events, parity)
        assert [n for n in large if n % 2 == parity] == numbers(read, parity)
    assert [n for n in large if sizes[n] == 40_000] == sorted(
        number_of(m) for m in read if values([m])[0].endswith(b":cut")
    )


async def test_a_letter_that_cannot_be_cut_further_is_an_error(kafka: Kafka) -> None:
    """The error names the topic and says what to set; nothing is committed."""
    _, letters = kafka.small_topics()
    session = await joined(kafka.session())
    [source, *_] = inputs(kafka)
    outgoing = Outgoing(letters, None, b"l" * 5000, (), source, 0)

    with pytest.raises(BrokerError, match=letters):
        await session.publish(Publication((outgoing,), {source: 1}, session.progress.epoch))

    assert {} == await kafka.committed()


@pytest.mark.kafka
async def test_keys_go_where_other_clients_send_them(real: Real) -> None:
    """A key's partition is that of Java's clients and of librdkafka's murmur2 partitioner."""
    session = await joined(real.session())
    other = real.make_topic("other", OUTPUTS)
    client = Producer({"bootstrap.servers": real.bootstrap, "partitioner": "murmur2_random"})
    for key in KEYS:
        client.produce(other, key=key, value=b"")
    client.flush(WAIT_SECONDS)

    outgoing = [Outgoing(real.topics[1], key, b"", (), inputs(real)[0], 0) for key in KEYS]
    assert await send(real, session, outgoing)

    expected = {m.key: m.partition for m in await real.read(other)}
    # librdkafka treats an empty key as none; Java and aiokafka hash it.
    del expected[b""]
    ours = {m.key: m.partition for m in await real.read(real.topics[1]) if m.key}
    assert expected == ours


@pytest.mark.kafka
@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_compressed_input_is_read(real: Real, codec: str) -> None:
    """By every codec of Kafka."""
    client = Producer({"bootstrap.servers": real.bootstrap, "compression.type": codec})
    for message in numbered(50):
        client.produce(real.topics[0], message.value, message.key, partition=0)
    client.flush(WAIT_SECONDS)
    session = await started(real.session())

    assert values(numbered(50)) == values(await poll_count(session, 50))


@pytest.mark.kafka
async def test_an_unknown_topic_is_named(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting does not create it, so the error says what to do."""
    monkeypatch.setattr(producer, "TOPIC_WAIT_S", 0.5)
    session = KafkaSession(real.settings(dead_letter_topic="nowhere"), 10)
    real.sessions.append(session)

    with pytest.raises(BrokerError, match="nowhere"):
        await session.start()


async def test_an_unknown_topic_is_named_by_the_fake() -> None:
    """As by the session on real Kafka."""
    session = FakeSession(FakeCluster({"in": 1, "out": 1}), dead_letters="nowhere")

    with pytest.raises(BrokerError, match="nowhere"):
        await session.start()


async def test_brokers_that_are_not_there_may_come_back() -> None:
    """An address where nobody listens is a temporary error; stopping works nevertheless."""
    [port] = free_ports(1)
    session = KafkaSession(KafkaSettings(bootstrap_servers=f"{HOST}:{port}"), 10)

    with pytest.raises(RetriableError):
        await session.start()
    await session.stop()
