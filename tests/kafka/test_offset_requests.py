"""Requests about a group's offsets: their bytes, what a real broker makes of them, librdkafka's.

Bytes are put together here as Kafka's own descriptions have them, without aiokafka's types.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Position

from conftest import lacking
from service.kafka.client.offset_requests import (
    NOBODY,
    Membership,
    OffsetFetchRequest,
    OffsetFetchRequest_v7,
    OffsetFetchResponse_v7,
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequest_v3,
    TxnOffsetCommitResponse_v3,
)
from tools.kafka.broker import Broker, BrokerUnavailableError
from tools.kafka.capturing import Capture, captured
from tools.kafka.fronted import fronted_broker
from tools.kafka.sessions import WAIT_SECONDS
from tools.kafka.topics import create_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tools.kafka.jar_broker import JarBroker

COMMIT, FETCH = 28, 9
LONG = "long-" + "x" * 195
MEMBERS = [
    Membership(7, "member", "pod-0"),
    Membership(7, "member"),
    NOBODY,
    Membership(2**31 - 1, "m" * 127, "i" * 126),
]


def size(number: int) -> bytes:
    """A length: seven bits a byte, the lowest first; the highest bit says that there are more."""
    left, encoded = number, bytearray()
    while left > 127:
        encoded.append(left & 127 | 128)
        left >>= 7
    return bytes([*encoded, left])


def text(value: str | None) -> bytes:
    """A compact string; its length is one more than it says, so that 0 stands for null."""
    return size(0) if value is None else size(len(value.encode()) + 1) + value.encode()


def array(items: Iterable[bytes]) -> bytes:
    """A compact array."""
    listed = list(items)
    return size(len(listed) + 1) + b"".join(listed)


def topic(name: str, partitions: Iterable[bytes]) -> bytes:
    """A topic and its partitions, without tags."""
    return text(name) + array(partitions) + b"\x00"


def commit_request(member: Membership, *topics: bytes) -> bytes:
    """As TxnOffsetCommitRequest.json has it."""
    return (
        text("group-/id")
        + text("group")
        + struct.pack(">qhi", 2**40, 3, member.generation)
        + text(member.member_id)
        + text(member.instance_id)
        + array(topics)
        + b"\x00"
    )


def marked(partition: int, offset: int, metadata: str | None) -> bytes:
    """An offset to commit; no epoch of a leader."""
    return struct.pack(">iqi", partition, offset, -1) + text(metadata) + b"\x00"


def committing(
    offsets: Mapping[TopicPartition, OffsetAndMetadata], member: Membership
) -> TxnOffsetCommitRequest_v3:
    """Our request, of the version that a broker would get."""
    request = TxnOffsetCommitRequest("group-/id", (2**40, 3), "group", member, offsets)
    prepared: TxnOffsetCommitRequest_v3 = request.prepare({COMMIT: (0, 5)})
    return prepared


def fetching(places: Iterable[TopicPartition]) -> OffsetFetchRequest_v7:
    """As above."""
    prepared: OffsetFetchRequest_v7 = OffsetFetchRequest("group", places).prepare({FETCH: (1, 9)})
    return prepared


def test_a_commit_has_the_bytes_that_kafka_describes() -> None:
    """Byte for byte, once by hand."""
    offsets = {TopicPartition("posts", 2): OffsetAndMetadata(9, "m")}

    request = committing(offsets, Membership(7, "me", "pod"))

    assert request.encode() == (
        b"\x0agroup-/id\x06group"
        b"\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03"
        b"\x00\x00\x00\x07\x03me\x04pod"
        b"\x02\x06posts"
        b"\x02\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x09\xff\xff\xff\xff\x02m\x00"
        b"\x00\x00"
    )


@pytest.mark.parametrize("member", MEMBERS)
def test_a_commit_says_as_whom(member: Membership) -> None:
    """With a lasting name and without one; before the group is joined, -1 and an empty name."""
    offsets = {TopicPartition("a", 0): OffsetAndMetadata(0, "")}

    request = committing(offsets, member)

    assert request.encode() == commit_request(member, topic("a", [marked(0, 0, "")]))
    read = TxnOffsetCommitRequest_v3.decode(BytesIO(request.encode()))
    assert Membership(read.generation_id, read.member_id, read.group_instance_id) == member


def test_a_commit_of_many_partitions_has_each_topic_once() -> None:
    """1,000 partitions, in order whatever the order given; null metadata is not empty metadata."""
    names = ["a", LONG]
    places = [TopicPartition(name, number) for number in reversed(range(500)) for name in names]
    metadata = {0: None, 1: "", 2: "é" * 100}
    offsets = {p: OffsetAndMetadata(p.partition * 2**33, metadata[p.partition % 3]) for p in places}

    request = committing(offsets, MEMBERS[0]).encode()

    expected = [marked(n, n * 2**33, metadata[n % 3]) for n in range(500)]
    assert request == commit_request(MEMBERS[0], *(topic(name, expected) for name in names))


def test_an_answer_to_a_commit_is_read() -> None:
    """An error for each of 1,000 partitions, and the time to wait."""
    errors = [(number, number % 89) for number in range(1000)]
    partitions = [struct.pack(">ih", *error) + b"\x00" for error in errors]
    answer = struct.pack(">i", 5) + array([topic(LONG, partitions)]) + b"\x00"

    response = TxnOffsetCommitResponse_v3.decode(BytesIO(answer))

    assert response.encode() == answer
    assert response.throttle_time_ms == 5
    assert response.topics == [(LONG, [(number, code, {}) for number, code in errors], {})]


def test_a_fetch_has_the_bytes_that_kafka_describes() -> None:
    """It always asks for offsets that no open transaction may move, which is the last but one."""
    places = [TopicPartition(name, n) for n in reversed(range(500)) for name in (LONG, "a")]

    request = fetching(places).encode()

    assert fetching([TopicPartition("posts", 2)]).encode() == (
        b"\x06group\x02\x06posts\x02\x00\x00\x00\x02\x00\x01\x00"
    )
    numbers = [struct.pack(">i", number) for number in range(500)]
    topics = array(topic(name, numbers) for name in ("a", LONG))
    assert request == text("group") + topics + b"\x01\x00"


def test_an_answer_to_a_fetch_is_read() -> None:
    """Metadata may be null; there is an error for each partition, and one for the whole."""
    found = [(0, 2**40, 4, "m" * 200, 0), (1, -1, -1, "", 0), (2, 7, -1, None, 88)]
    partitions = [
        struct.pack(">iqi", number, offset, epoch) + text(more) + struct.pack(">h", code) + b"\x00"
        for number, offset, epoch, more, code in found
    ]
    answer = struct.pack(">i", 5) + array([topic(LONG, partitions)]) + struct.pack(">h", 16)

    response = OffsetFetchResponse_v7.decode(BytesIO(answer + b"\x00"))

    assert response.encode() == answer + b"\x00"
    assert response.topics == [(LONG, [(*partition, {}) for partition in found], {})]
    assert (response.throttle_time_ms, response.error_code) == (5, 16)


@pytest.mark.parametrize(
    ("request_", "known"),
    [
        (TxnOffsetCommitRequest("id", (1, 0), "g", NOBODY, {}), (0, 2)),
        (TxnOffsetCommitRequest("id", (1, 0), "g", NOBODY, {}), (4, 5)),
        (OffsetFetchRequest("g", []), (1, 6)),
        (OffsetFetchRequest("g", []), (8, 10)),
    ],
)
def test_no_other_version_is_sent(request_: Any, known: tuple[int, int]) -> None:
    """A broker that has none of these versions gets nothing."""
    with pytest.raises(NotImplementedError):
        request_.prepare({request_.API_KEY: known})


@pytest.fixture(scope="module")
def fronted() -> Iterator[tuple[JarBroker, int]]:
    """Give a broker with an address for a proxy."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(fronted_broker())
        except BrokerUnavailableError as error:
            lacking(f"no Apache Kafka behind a proxy: install Java 17 and Maven ({error})")
        yield started


def use_librdkafka(servers: str, name: str, instance_id: str | None) -> list[int]:
    """Commit offsets in two transactions as a member of a group; gives what a fetch then finds."""
    # Without its log, which would tell that the proxy has gone.
    common = {"bootstrap.servers": servers, "log_level": 0}
    named = {} if instance_id is None else {"group.instance.id": instance_id}
    consumer = Consumer(common | named | {"group.id": name, "enable.auto.commit": False})
    producer = Producer(common | {"transactional.id": name})
    try:
        consumer.subscribe([name])
        while not consumer.assignment():
            consumer.poll(0.1)
        producer.init_transactions(WAIT_SECONDS)
        for offset in (3, 5):
            producer.begin_transaction()
            producer.produce(name, b"value")
            offsets = [Position(name, n, offset + n, "m" * 200 * (n == 1)) for n in range(3)]
            member = consumer.consumer_group_metadata()
            producer.send_offsets_to_transaction(offsets, member, WAIT_SECONDS)
            producer.commit_transaction(WAIT_SECONDS)
        places = [Position(name, number) for number in range(4)]
        return [found.offset for found in consumer.committed(places, WAIT_SECONDS)]
    finally:
        consumer.close()


@pytest.mark.kafka
@pytest.mark.parametrize("instance_id", [None, "pod-0"])
async def test_librdkafka_sends_and_gets_the_same(
    instance_id: str | None, fronted: tuple[JarBroker, int]
) -> None:
    """What passes between it and a broker is read by our layouts, and written again as it was.

    It is told that the broker has no OffsetFetch newer than version 7, since it would send 9.
    """
    broker, front = fronted
    name = f"captured-{instance_id}-{'x' * 120}"
    create_topic(Broker(broker.bootstrap_servers, "jars"), name, 4, {})
    servers = f"{broker.bootstrap_servers.partition(':')[0]}:{front}"

    async with captured(broker, front, {FETCH: 7}) as capture, asyncio.timeout(WAIT_SECONDS):
        found = await asyncio.to_thread(use_librdkafka, servers, name, instance_id)

    assert found == [5, 6, 7, -1001]
    _same_as_ours(capture, name, instance_id)


def _unchanged(captured_bytes: bytes, layout: Any) -> None:
    assert layout.decode(BytesIO(captured_bytes)).encode() == captured_bytes


def _same_as_ours(capture: Capture, name: str, instance_id: str | None) -> None:
    commits, fetches = capture.of(COMMIT), capture.of(FETCH)
    assert {3} == {exchange.version for exchange in commits}
    assert {7} == {exchange.version for exchange in fetches}
    for exchange in commits:
        _unchanged(exchange.request, TxnOffsetCommitRequest_v3)
        _unchanged(exchange.answer, TxnOffsetCommitResponse_v3)
    for exchange in fetches:
        _unchanged(exchange.request, OffsetFetchRequest_v7)
        _unchanged(exchange.answer, OffsetFetchResponse_v7)
    # The same wishes, made by our own class.
    first, second = (TxnOffsetCommitRequest_v3.decode(BytesIO(e.request)) for e in commits[:2])
    assert second.group_instance_id == instance_id
    assert first.member_id == second.member_id
    member = Membership(second.generation_id, second.member_id, second.group_instance_id)
    offsets = {
        TopicPartition(topic, number): OffsetAndMetadata(offset, metadata)
        for topic, partitions, _ in second.topics
        for number, offset, _, metadata, _ in partitions
    }
    assert {number: marked.offset for (_, number), marked in offsets.items()} == {0: 5, 1: 6, 2: 7}
    # This binding of it sends the zero, too, that ends a text in C.
    assert offsets[TopicPartition(name, 1)].metadata.startswith("m" * 200)
    producer = (second.producer_id, second.producer_epoch)
    ours = TxnOffsetCommitRequest(name, producer, name, member, offsets).prepare({COMMIT: (0, 3)})
    assert ours.encode() == commits[1].request
