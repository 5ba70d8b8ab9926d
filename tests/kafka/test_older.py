"""Producers of older versions, each with the id of an input partition, are fenced."""

from __future__ import annotations

import contextlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from structlog.testing import capture_logs

from service.kafka.client import background
from service.kafka.client.connection import connection_options
from service.kafka.older import FENCED_TIMEOUT_MS, OlderReplicas, older_id
from service.kafka.older.requests import (
    DescribeTransactionsRequest,
    DescribeTransactionsResponse_v0,
    FindCoordinatorsRequest,
    FindCoordinatorsResponse_v4,
)
from service.records import Partition
from service.settings import KafkaSettings
from tools.kafka.secured_broker import acls_of
from tools.kafka.sessions import settings_of
from tools.kafka.topics import committed, read_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tools.kafka.broker import Broker
    from tools.kafka.secured_broker import Secured
    from tools.kafka.topics import Topics

NOT_FOUND = 105
OFFSET = 7


def test_requests_have_the_bytes_that_kafka_describes() -> None:
    """Lengths are one more than they say; each structure ends in its tags, of which it has none."""
    find = FindCoordinatorsRequest(["g-/t/0"]).prepare({10: (0, 6)})
    describe = DescribeTransactionsRequest(["g-/t/0", "a"]).prepare({65: (0, 0)})

    assert find.encode() == b"\x01" + b"\x02\x07g-/t/0" + b"\x00"
    assert describe.encode() == b"\x03\x07g-/t/0\x02a" + b"\x00"


def test_an_answer_with_coordinators_is_read_from_the_bytes_that_kafka_describes() -> None:
    """One that is known, and one that is not."""
    answer = (
        b"\x00\x00\x00\x07"
        b"\x03" + b"\x07g-/t/0" + b"\x00\x00\x00\x02" + b"\x02h" + b"\x00\x00\x23\x84"
        b"\x00\x00" + b"\x00" + b"\x00"
        b"\x02a" + b"\xff\xff\xff\xff" + b"\x01" + b"\xff\xff\xff\xff"
        b"\x00\x0f" + b"\x03no" + b"\x00"
        b"\x00"
    )

    response = FindCoordinatorsResponse_v4.decode(BytesIO(answer))

    assert response.encode() == answer
    assert response.coordinators == [
        ("g-/t/0", 2, "h", 9092, 0, None, {}),
        ("a", -1, "", -1, 15, "no", {}),
    ]


def test_an_answer_with_transactions_is_read_from_the_bytes_that_kafka_describes() -> None:
    """One that is open, and an id that there is not."""
    answer = (
        b"\x00\x00\x00\x00"
        b"\x03" + b"\x00\x00" + b"\x07g-/t/0" + b"\x08Ongoing" + b"\x00\x00\x27\x10"
        b"\x00\x00\x01\x8c\x00\x00\x00\x00" + b"\x00\x00\x00\x00\x00\x00\x00\x05" + b"\x00\x03"
        b"\x02" + b"\x04out" + b"\x02\x00\x00\x00\x01" + b"\x00" + b"\x00"
        b"\x00\x69" + b"\x02a" + b"\x01" + b"\x00\x00\x00\x00"
        b"\xff\xff\xff\xff\xff\xff\xff\xff" + b"\xff\xff\xff\xff\xff\xff\xff\xff" + b"\xff\xff"
        b"\x01" + b"\x00"
        b"\x00"
    )

    response = DescribeTransactionsResponse_v0.decode(BytesIO(answer))

    assert response.encode() == answer
    assert response.transaction_states == [
        (0, "g-/t/0", "Ongoing", 10_000, 0x18C00000000, 5, 3, [("out", [1], {})], {}),
        (NOT_FOUND, "a", "", 0, -1, -1, -1, [], {}),
    ]


class Group:
    """A group with an input and an output topic, on a broker that older replicas have used."""

    def __init__(self, broker: Broker, topics: Topics, client: AIOKafkaClient) -> None:
        """Create the topics; the client is connected."""
        self.bootstrap = broker.bootstrap_servers
        self.input, self.output = topics("in", 3), topics("out")
        self.name = self.input
        self.client = client

    def partition(self, number: int) -> Partition:
        """One of the input."""
        return Partition(self.input, number)

    async def open(self, partition: Partition) -> AIOKafkaProducer:
        """What an older replica has before it ends a transaction."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, transactional_id=older_id(self.name, partition)
        )
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(self.output, b"of an older version")
        place = TopicPartition(*partition)
        await producer.send_offsets_to_transaction({place: OFFSET}, self.name)
        return producer

    async def described(self, partition: Partition) -> tuple[int, int, int]:
        """Error, transaction timeout and epoch of the older id of a partition."""
        identity = older_id(self.name, partition)
        request = DescribeTransactionsRequest([identity])
        response: Any = await self.client.send(self.client.get_random_node(), request)
        [(error, found, _, timeout_ms, _, _, epoch, *_)] = response.transaction_states
        assert found == identity
        return error, timeout_ms, epoch


@pytest.fixture
async def group(real_broker: Broker, topics: Topics) -> AsyncIterator[Group]:
    """Give a group, with a client in it."""
    servers = real_broker.bootstrap_servers
    client = AIOKafkaClient(**connection_options(KafkaSettings(bootstrap_servers=servers)))
    await client.bootstrap()
    yield Group(real_broker, topics, client)
    await client.close()


async def abandon(producer: AIOKafkaProducer) -> None:
    """End a producer that was fenced, whose old error comes again here or not."""
    with contextlib.suppress(KafkaError):
        await producer.stop()
    await producer.client.close()
    await background.abandon(producer)
    # Nobody has waited for the end of a transaction that a send has failed.
    waiter = producer._txn_manager._transaction_waiter
    if waiter.done():
        waiter.exception()


@pytest.mark.kafka
async def test_an_open_transaction_of_an_older_replica_is_aborted(group: Group) -> None:
    """Neither its events nor its offset count, and it cannot commit any more."""
    older = await group.open(group.partition(0))

    await OlderReplicas(group.name).fence(group.client, [group.partition(0)])

    assert [] == await read_all(group.bootstrap, group.output)
    with pytest.raises((ProducerFenced, InvalidProducerEpoch)):
        await older.commit_transaction()
    assert [] == await read_all(group.bootstrap, group.output)
    assert {} == await committed(group.bootstrap, group.name, group.input)
    await abandon(older)


@pytest.mark.kafka
async def test_an_older_replica_between_two_transactions_is_fenced(group: Group) -> None:
    """It cannot commit what it sends next."""
    older = await group.open(group.partition(0))
    await older.commit_transaction()

    await OlderReplicas(group.name).fence(group.client, [group.partition(0)])

    await older.begin_transaction()
    with pytest.raises((ProducerFenced, InvalidProducerEpoch)):
        await older.send_and_wait(group.output, b"too late")
    assert 1 == len(await read_all(group.bootstrap, group.output))
    await abandon(older)


@pytest.mark.kafka
async def test_other_partitions_of_an_older_replica_are_left_alone(group: Group) -> None:
    """It still has them."""
    first, second = group.partition(0), group.partition(1)
    older = await group.open(first)

    await OlderReplicas(group.name).fence(group.client, [second])

    await older.commit_transaction()
    await older.stop()
    assert {0: OFFSET} == await committed(group.bootstrap, group.name, group.input)


@pytest.mark.kafka
async def test_ids_that_nobody_uses_are_neither_made_nor_kept(group: Group) -> None:
    """Where no older version ran, none comes to be; one that is fenced is not fenced again."""
    first, second = group.partition(0), group.partition(1)
    older = await group.open(first)
    fencing = OlderReplicas(group.name)
    await fencing.fence(group.client, [first, second])
    fenced = await group.described(first)

    await fencing.fence(group.client, [first, second])

    assert (0, FENCED_TIMEOUT_MS) == fenced[:2]
    assert fenced == await group.described(first)
    assert NOT_FOUND == (await group.described(second))[0]
    await abandon(older)


@pytest.mark.kafka
async def test_an_older_replica_that_has_come_back_is_fenced_again(group: Group) -> None:
    """It had the partition in between."""
    first = group.partition(0)
    fencing = OlderReplicas(group.name)
    older = await group.open(first)
    await fencing.fence(group.client, [first])
    again = await group.open(first)

    await fencing.fence(group.client, [first])

    with pytest.raises((ProducerFenced, InvalidProducerEpoch)):
        await again.commit_transaction()
    assert [] == await read_all(group.bootstrap, group.output)
    await abandon(older)
    await abandon(again)


class Without(AIOKafkaClient):  # type: ignore[misc] # aiokafka ships no types
    """A client of brokers that do not have a request."""

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        """Negotiate as with Kafka 2.8."""
        request.prepare({10: (0, 3), 22: (0, 4)})
        return await super().send(node_id, request, **options)


@pytest.mark.kafka
async def test_brokers_that_cannot_say_are_named_once(group: Group) -> None:
    """The group goes on, and an older replica is not fenced."""
    older = await group.open(group.partition(0))
    client = Without(bootstrap_servers=group.bootstrap)
    await client.bootstrap()
    fencing = OlderReplicas(group.name)

    with capture_logs() as logs:
        await fencing.fence(client, [group.partition(0)])
        await fencing.fence(client, [group.partition(0)])

    await older.commit_transaction()
    await older.stop()
    await client.close()
    [line] = logs
    assert "let none of them run beside this one" in line["event"]
    assert "Kafka 3.0" in line["reason"]


@pytest.mark.kafka
@pytest.mark.parametrize("allowed", [True, False])
async def test_a_user_who_may_not_describe_the_ids_is_told_so(
    secured: Secured, allowed: bool
) -> None:
    """What the service needs anyway allows it."""
    stream = secured.stream()
    if allowed:
        secured.grant(acls_of(stream)["transactions"])
    options = connection_options(settings_of(stream.settings(**secured.login("PLAIN"))))
    client = AIOKafkaClient(**options)
    await client.bootstrap()

    with capture_logs() as logs:
        fencing = OlderReplicas(stream.group)
        await fencing.fence(client, [Partition(stream.input, 0)])

    await client.close()
    assert allowed is (logs == [])
    assert all("may not describe" in line["reason"] for line in logs)
