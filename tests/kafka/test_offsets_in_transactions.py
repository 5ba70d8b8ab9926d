"""Offsets in transactions, asked of a real broker request by request: who may commit, who reads."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import CoordinatorNotAvailableError
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
)
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import KafkaError

from service.kafka.client.generations import membership
from service.kafka.client.offset_requests import (
    NOBODY,
    Membership,
    OffsetFetchRequest,
    TxnOffsetCommitRequest,
)
from tools.kafka.sessions import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tools.kafka.broker import Broker
    from tools.kafka.topics import Topics

pytestmark = pytest.mark.kafka

TIMEOUT_MS = 60_000
# A coordinator that was just asked for the first time is loading; a transaction ends in steps.
AGAIN = {"COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR", "CONCURRENT_TRANSACTIONS"}
AGAIN |= {"COORDINATOR_NOT_AVAILABLE"}


class Bare:
    """A transactional producer and a group, by bare requests to the one broker."""

    def __init__(self, client: AIOKafkaClient, topic: str) -> None:
        """The topic's name is the group's, and the producer's id begins with it."""
        self.topic = topic
        self.id = f"{topic}-{uuid.uuid4().hex}"
        self.producer = (-1, -1)
        self._client = client

    async def _ask(self, kind: int, key: str, request: Any) -> Any:
        while True:
            try:
                node = await self._client.coordinator_lookup(kind, key)
            except CoordinatorNotAvailableError:
                # The first group or transaction of a broker: it makes the topics for them.
                await asyncio.sleep(0.05)
                continue
            answer = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
            if _name(getattr(answer, "error_code", 0)) not in AGAIN:
                return answer
            await asyncio.sleep(0.05)

    async def _of_transaction(self, request: Any) -> Any:
        answer = await self._ask(CoordinationType.TRANSACTION, self.id, request)
        assert not answer.error_code, _name(answer.error_code)
        return answer

    async def init(self) -> None:
        """Start, or fence the one before."""
        told = await self._of_transaction(InitProducerIdRequest(self.id, TIMEOUT_MS))
        self.producer = (told.producer_id, told.producer_epoch)

    async def add_group(self) -> None:
        """Begin a transaction that will hold offsets."""
        await self._of_transaction(AddOffsetsToTxnRequest(self.id, *self.producer, self.topic))

    async def end(self, *, commit: bool) -> None:
        """End it."""
        await self._of_transaction(EndTxnRequest(self.id, *self.producer, commit))

    async def commit(self, member: Membership, offset: int) -> str:
        """Put an offset of partition 0 into the transaction; gives the error's name."""
        offsets = {TopicPartition(self.topic, 0): OffsetAndMetadata(offset, "")}
        request = TxnOffsetCommitRequest(self.id, self.producer, self.topic, member, offsets)
        while True:
            answer = await self._ask(CoordinationType.GROUP, self.topic, request)
            [(topic, [(partition, code, _)], _)] = answer.topics
            assert (topic, partition) == (self.topic, 0)
            if _name(code) not in AGAIN:
                return _name(code)
            await asyncio.sleep(0.05)

    async def fetch(self) -> list[tuple[int, str]]:
        """What is committed for two partitions, each with the error's name."""
        places = [TopicPartition(self.topic, number) for number in range(2)]
        request = OffsetFetchRequest(self.topic, places)
        answer = await self._ask(CoordinationType.GROUP, self.topic, request)
        [(topic, partitions, _)] = answer.topics
        assert topic == self.topic
        by_number = {number: (offset, _name(code)) for number, offset, _, _, code, _ in partitions}
        return [by_number[number] for number in range(2)]

    async def fetch_settled(self) -> list[tuple[int, str]]:
        """The same, once the end of a transaction has come to the group."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (found := await self.fetch())[0][1] == "UNSTABLE_OFFSET_COMMIT":  # noqa: ASYNC110 - a broker tells nobody
                await asyncio.sleep(0.02)
        return found


def _name(code: int) -> str:
    """Of an error, as librdkafka has it; empty for none."""
    return str(KafkaError(code).name()) if code else ""


@pytest.fixture
async def bare(real_broker: Broker, topics: Topics) -> AsyncIterator[Bare]:
    """Give a producer that has begun a transaction, of a group without members."""
    client = AIOKafkaClient(bootstrap_servers=real_broker.bootstrap_servers)
    await client.bootstrap()
    try:
        made = Bare(client, topics("offsets", 2))
        await made.init()
        await made.add_group()
        yield made
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def member_of(
    broker: Broker, bare: Bare, instance_id: str | None = None
) -> AsyncIterator[Membership]:
    """Give the membership of a consumer that has joined."""
    consumer = AIOKafkaConsumer(
        bare.topic,
        bootstrap_servers=broker.bootstrap_servers,
        group_id=bare.topic,
        group_instance_id=instance_id,
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not consumer.assignment():
                await consumer.getmany(timeout_ms=50)
        yield membership(consumer)
    finally:
        await consumer.stop()


@pytest.mark.parametrize("instance_id", [None, "pod-0"])
async def test_a_members_offset_is_seen_once_the_transaction_is_committed(
    bare: Bare, real_broker: Broker, instance_id: str | None
) -> None:
    """Until then nobody is told an offset for its partition; for another one, as ever."""
    async with member_of(real_broker, bare, instance_id) as member:
        assert member.instance_id == instance_id
        assert await bare.fetch() == [(-1, ""), (-1, "")]

        assert await bare.commit(member, 5) == ""

        assert (await bare.fetch())[0] == (-1, "UNSTABLE_OFFSET_COMMIT")
        assert (await bare.fetch())[1] == (-1, "")
        await bare.end(commit=True)
        assert await bare.fetch_settled() == [(5, ""), (-1, "")]


async def test_an_offset_of_an_aborted_transaction_is_never_seen(bare: Bare) -> None:
    """After the end the one before is told again."""
    assert await bare.commit(NOBODY, 3) == ""
    await bare.end(commit=True)
    assert (await bare.fetch_settled())[0] == (3, "")
    await bare.add_group()
    assert await bare.commit(NOBODY, 7) == ""
    assert (await bare.fetch())[0][1] == "UNSTABLE_OFFSET_COMMIT"

    await bare.end(commit=False)

    assert (await bare.fetch_settled())[0] == (3, "")


async def test_who_is_no_member_of_the_generation_is_refused(
    bare: Bare, real_broker: Broker
) -> None:
    """Each with a name of its own, and the group's offset stays free."""
    async with member_of(real_broker, bare) as member:
        for other, error in (
            (member._replace(generation=member.generation - 1), "ILLEGAL_GENERATION"),
            (member._replace(generation=member.generation + 1), "ILLEGAL_GENERATION"),
            (member._replace(member_id="nobody-knows"), "UNKNOWN_MEMBER_ID"),
            (member._replace(instance_id="pod-0"), "UNKNOWN_MEMBER_ID"),
        ):
            assert await bare.commit(other, 5) == error, other
        assert await bare.fetch() == [(-1, ""), (-1, "")]
        assert await bare.commit(member, 5) == ""


async def test_a_lasting_name_belongs_to_one_member(bare: Bare, real_broker: Broker) -> None:
    """Whoever uses it with another member id has been replaced."""
    async with member_of(real_broker, bare, "pod-0") as member:
        other = member._replace(member_id="the one before")
        assert await bare.commit(other, 5) == "FENCED_INSTANCE_ID"
        assert await bare.fetch() == [(-1, ""), (-1, "")]


async def test_an_older_epoch_of_the_producer_is_refused(bare: Bare) -> None:
    """Also while the newer one has a transaction with the same group."""
    older = bare.producer
    await bare.init()
    newer = bare.producer
    assert newer[1] > older[1]
    await bare.add_group()

    bare.producer = older
    assert await bare.commit(NOBODY, 5) == "INVALID_PRODUCER_EPOCH"

    bare.producer = newer
    assert await bare.commit(NOBODY, 6) == ""
    await bare.end(commit=True)
    assert (await bare.fetch_settled())[0] == (6, "")
