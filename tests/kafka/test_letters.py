"""Reading dead letters once, on real Kafka: all of them, or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from service.errors import RetriableError
from service.kafka.once import letters
from service.kafka.once.letters import Letters
from service.records import Outgoing, Partition, Record
from service.settings import KafkaSettings
from tools.kafka.broker import Broker
from tools.kafka.topics import Message, create_topic, produce, read_all

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


async def read(reader: Letters) -> list[Record]:
    """All letters."""
    return [record async for records in reader.read() for record in records]


async def values(reader: Letters) -> list[bytes | None]:
    """The values of all letters."""
    return [record.value for record in await read(reader)]


def back(letter: Record, topic: str, value: bytes | None = None) -> Outgoing:
    """What is sent back for a letter."""
    partition, offset = letter.partition, letter.offset
    return Outgoing(topic, letter.key, value or letter.value, (), partition, offset)


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


async def test_a_replay_goes_on_where_the_last_one_ended(
    real_broker: Broker, topics: Topics
) -> None:
    """Whether a letter was sent back or only read: the offset behind both is committed."""
    bootstrap, topic, target = real_broker.bootstrap_servers, topics("letters"), topics("target")
    await produce(bootstrap, topic, [Message(value=value) for value in (b"a", b"b", b"c")])
    async with made(bootstrap, topic) as reader:
        first, second, _ = await read(reader)
        await reader.send([back(first, target)], [first, second])

    async with made(bootstrap, topic) as reader:
        assert [b"c"] == await values(reader)
    assert [b"a"] == [message.value for message in await read_all(bootstrap, target)]


async def test_letters_that_a_topic_refuses_are_read_again(
    real_broker: Broker, topics: Topics
) -> None:
    """None of their transaction is sent back, and its offset is not committed."""
    bootstrap, topic = real_broker.bootstrap_servers, topics("letters")
    target = topics("target", config={"max.message.bytes": "500"})
    await produce(bootstrap, topic, [Message(value=value) for value in (b"a", b"b")])
    async with made(bootstrap, topic) as reader:
        first, second = await read(reader)
        sent = [back(first, target), back(second, target, b"x" * 1000)]
        with pytest.raises(RetriableError, match=r"offset 0 were not sent \(Message"):
            await reader.send(sent, [first, second])

    async with made(bootstrap, topic) as reader:
        assert [b"a", b"b"] == await values(reader)
    assert [] == await read_all(bootstrap, target)


async def test_a_replay_that_hangs_commits_nothing_once_the_next_one_reads(
    real_broker: Broker, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one fences it before it asks where to begin; else both would send the letter."""
    bootstrap, topic, target = real_broker.bootstrap_servers, topics("letters"), topics("target")
    await produce(bootstrap, topic, [Message(value=b"a")])
    async with made(bootstrap, topic) as hanging:
        [letter] = await read(hanging)
        commit, following = hanging._producer.commit, made(bootstrap, topic)
        monkeypatch.setattr(hanging._producer, "commit", _nothing)
        await hanging.send([back(letter, target)], [letter])
        seek = following._reader.seek

        async def overtaken() -> None:
            await seek()
            with pytest.raises(KafkaError):
                await commit()

        monkeypatch.setattr(following._reader, "seek", overtaken)
        async with following:
            assert [b"a"] == await values(following)
    assert [] == await read_all(bootstrap, target)


@pytest.mark.parametrize(
    ("step", "error", "told"),
    [
        ("begin", RetriableError("they have changed"), "were not sent (they have changed)"),
        ("send_offsets", KafkaError("refused"), "were not sent (KafkaError)"),
        ("send_offsets", TimeoutError(), "were not sent (TimeoutError)"),
        ("commit", TimeoutError(), "may have been sent or not (TimeoutError)"),
        ("commit", KafkaConnectionError(), "may have been sent or not (KafkaConnectionError)"),
    ],
)
async def test_whether_letters_may_have_been_sent_is_told(
    step: str, error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the end is asked for they are not; from then on nobody knows. A replay finds out."""

    async def nothing(*_: object) -> list[Any]:
        return []

    async def failing(*_: object) -> None:
        raise error

    reader = made("localhost:1", "letters")
    for name in ("begin", "send_each", "send_offsets", "commit"):
        monkeypatch.setattr(reader._producer, name, failing if name == step else nothing)
    letter = Record(Partition("letters", 0), 7, 0, None, b"a", (), 0, 0.0)

    with pytest.raises(RetriableError) as failed:
        await reader.send([], [letter])

    await reader.__aexit__(None, None, None)
    assert f"letters/0 offset 7 {told}; run the replay again" in str(failed.value)


async def _nothing() -> None:
    """Leave it open."""
