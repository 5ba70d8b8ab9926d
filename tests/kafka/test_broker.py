"""The tests' own tools: records are produced and read back, and a killed broker keeps its data."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tools.kafka.broker import Broker, BrokerUnavailableError, start_broker
from tools.kafka.jar_broker import HOST, free_ports
from tools.kafka.topics import Message, committed, create_topic, end_offsets, produce, read_all

if TYPE_CHECKING:
    from tools.kafka.broker import JarBroker
    from tools.kafka.topics import Topics


async def test_produced_records_are_read_back(broker: Broker, topics: Topics) -> None:
    """With key, value, headers, partition and timestamp, of which each may be missing."""
    topic = topics("echo", partitions=4)
    # Of now: a broker deletes what is older than its retention.
    now_ms = int(time.time() * 1000)
    sent = [
        Message(b"k", b"v", [("h", b"1"), ("h", b"2"), ("empty", b"")], 1, now_ms),
        Message(None, None, [], 1, now_ms + 1),
        Message(b"k", None, [], 3, now_ms + 2),
        Message(None, b"", [], 3, now_ms + 3),
    ]

    await produce(broker.bootstrap_servers, topic, sent)

    records = await read_all(broker.bootstrap_servers, topic)
    records.sort(key=lambda record: record.timestamp)
    assert sent == [
        Message(r.key, r.value, list(r.headers), r.partition, r.timestamp) for r in records
    ]
    expected_ends = {0: 0, 1: 2, 2: 0, 3: 2}
    assert expected_ends == await end_offsets(broker.bootstrap_servers, topic)


async def test_a_partition_is_chosen_where_none_is_named(broker: Broker, topics: Topics) -> None:
    """A record of key and value alone is stored, with a timestamp of its own."""
    topic = topics("chosen", partitions=4)

    sent = Message(b"k", b"v")

    await produce(broker.bootstrap_servers, topic, [sent])

    [record] = await read_all(broker.bootstrap_servers, topic)
    assert sent[:3] == (record.key, record.value, record.headers)
    assert record.timestamp > 0


async def test_committed_offsets_are_those_of_the_group(broker: Broker, topics: Topics) -> None:
    """Partitions without a commit are left out."""
    topic = topics("committed", partitions=4)
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": topic})
    expected = {2: 7}

    consumer.commit(offsets=[TopicPartition(topic, 2, 7)], asynchronous=False)
    consumer.close()

    assert expected == await committed(broker.bootstrap_servers, topic, topic)
    assert not await committed(broker.bootstrap_servers, f"{topic}-other", topic)


@pytest.mark.kafka
async def test_reading_ends_behind_transaction_markers(real_broker: Broker, topics: Topics) -> None:
    """Committed records are read, aborted ones and open ones are not, and reading still ends."""
    topic = topics("transactions", partitions=2)
    producer = Producer(
        {"bootstrap.servers": real_broker.bootstrap_servers, "transactional.id": topic}
    )
    producer.init_transactions()
    for value, end in (
        (b"kept", producer.commit_transaction),
        (b"aborted", producer.abort_transaction),
    ):
        producer.begin_transaction()
        producer.produce(topic, value, partition=0)
        producer.flush()
        end()
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush()

    read = await read_all(real_broker.bootstrap_servers, topic)
    everything = await read_all(real_broker.bootstrap_servers, topic, "read_uncommitted")
    producer.abort_transaction()

    expected = [b"kept", b"aborted", b"open"]
    assert expected[:1] == [record.value for record in read]
    assert expected == [record.value for record in everything]


@pytest.mark.kafka
async def test_topics_have_the_settings_asked_for(real_broker: Broker, topics: Topics) -> None:
    """The number of partitions, and a limit on the size of a record."""
    topic = topics("small", partitions=3, config={"max.message.bytes": "1000"})

    with pytest.raises(AssertionError, match="too large"):
        await produce(real_broker.bootstrap_servers, topic, [Message(value=os.urandom(2000))])

    expected = {0: 0, 1: 0, 2: 0}
    assert expected == await end_offsets(real_broker.bootstrap_servers, topic)


@pytest.mark.kafka
async def test_a_killed_broker_comes_back_with_its_data(jar_broker: JarBroker) -> None:
    """A broker killed while paused starts again on the same port with all records."""
    create_topic(Broker(jar_broker.bootstrap_servers, "jars"), "kept", 1, {})
    sent = [Message(b"k", b"v"), Message(b"k", b"w")]

    await produce(jar_broker.bootstrap_servers, "kept", sent[:1])
    jar_broker.pause()
    jar_broker.resume()
    await produce(jar_broker.bootstrap_servers, "kept", sent[1:], idempotent=True)
    jar_broker.pause()
    jar_broker.restart()

    records = await read_all(jar_broker.bootstrap_servers, "kept")
    assert [message.value for message in sent] == [record.value for record in records]


def test_a_machine_with_nothing_gets_a_mock_and_the_reasons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without Docker, Java and Maven only the mock is left, and only where it is allowed."""
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{HOST}:{free_ports(1)[0]}")
    monkeypatch.setenv("PATH", "")

    with start_broker() as broker:
        assert broker.kind == "mock"
        assert not broker.real
        assert "java is not installed" in broker.passed_over
    with pytest.raises(BrokerUnavailableError, match=r"docker: .*jars: "), start_broker(False):
        pass


def test_free_ports_can_be_bound() -> None:
    """All ports differ, and each can be listened on."""
    ports = free_ports(3)

    assert len(set(ports)) == 3
    for port in ports:
        with socket.socket() as listener:
            listener.bind((HOST, port))
