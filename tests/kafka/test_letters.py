"""Reading dead letters once, on real Kafka: all of them, or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from service.errors import RetriableError
from service.kafka.once import letters
from service.kafka.once.letters import Letters
from service.settings import KafkaSettings
from tools.kafka.broker import Broker
from tools.kafka.topics import Message, create_topic, produce

if TYPE_CHECKING:
    from tools.kafka.jar_broker import JarBroker
    from tools.kafka.topics import Topics

pytestmark = pytest.mark.kafka


def made(bootstrap_servers: str, topic: str) -> Letters:
    """A reader of this topic."""
    settings = KafkaSettings(
        bootstrap_servers=bootstrap_servers, dead_letter_topic=topic, group_id=topic
    )
    return Letters(settings, "all")


async def values(reader: Letters) -> list[bytes | None]:
    """The values of all letters."""
    return [record.value async for records in reader.read() for record in records]


async def test_a_topic_may_end_in_the_marker_of_a_transaction(
    real_broker: Broker, topics: Topics
) -> None:
    """Reading waits neither for records behind it, nor for those of an open transaction."""
    bootstrap, topic = real_broker.bootstrap_servers, topics("letters")
    await produce(bootstrap, topic, [Message(value=b"a")])
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"b")
        async with made(bootstrap, topic) as reader:
            assert [b"a"] == await values(reader)
        await producer.commit_transaction()

    async with made(bootstrap, topic) as reader:
        assert [b"a", b"b"] == await values(reader)


async def test_letters_that_do_not_come_are_an_error(
    jar_broker: JarBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read by then must not pass for the whole topic."""
    monkeypatch.setattr(letters, "READ_TIMEOUT_MS", 200)
    create_topic(Broker(jar_broker.bootstrap_servers, "jars"), "letters", 1, {})
    await produce(jar_broker.bootstrap_servers, "letters", [Message(value=b"a")])
    async with made(jar_broker.bootstrap_servers, "letters") as reader:
        jar_broker.pause()
        try:
            with pytest.raises(RetriableError, match=r"came for 1 s, and not all are read; run"):
                await values(reader)
        finally:
            jar_broker.resume()
