"""Transactions of version 2 whose coordinator is looked for, or asked by another connection.

By aiokafka's own sender, on a client that answers as it is told: no broker is needed.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import ConcurrentTransactions, KafkaConnectionError, KafkaError
from aiokafka.producer.message_accumulator import MessageAccumulator, MessageBatch
from aiokafka.producer.sender import Sender
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.structs import OffsetAndMetadata

from service.errors import RetriableError
from service.kafka.client import background, generations
from service.kafka.client.connection import connection_options, translated
from service.kafka.client.offset_requests import Membership
from service.kafka.transactions import version_two
from service.settings import KafkaSettings
from tools.asking import COMMIT, END, refusing
from tools.kafka.sessions import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

VERSIONS = "ApiVersionsRequest"
COORDINATION = (1, ConnectionGroup.COORDINATION)
BACKOFF_MS = 10
GONE = KafkaConnectionError("the connection is gone")


class Connection:
    """One that may be closed, as aiokafka's are."""

    is_open = True

    def connected(self) -> bool:
        """See aiokafka."""
        return self.is_open


class Client:
    """Stands for aiokafka's client, of a cluster whose one broker does everything."""

    _client_id = "test"

    def __init__(self) -> None:
        """Agree on version 2, and fail nothing."""
        self.level = 2
        self.asked: list[str] = []
        # What the next requests of a kind, and the next lookups, fail with or are answered.
        self.answers: dict[str, list[Any]] = {}
        self.lookups: list[KafkaError] = []
        self._conns: dict[Any, Connection] = {}

    async def coordinator_lookup(self, *_: object) -> int:
        """See aiokafka."""
        if self.lookups:
            raise self.lookups.pop(0)
        return 1

    async def ready(self, *_: object, **__: object) -> bool:
        """See aiokafka."""
        return True

    async def force_metadata_update(self) -> bool:
        """See aiokafka."""
        return True

    async def send(self, _: int, request: Any, **__: object) -> Any:
        """Answer, by a new connection where there is none."""
        kind = type(request).__name__
        self.asked.append(kind)
        known = self._conns.get(COORDINATION)
        if known is None or not known.connected():
            self._conns[COORDINATION] = Connection()
        answers = self.answers.get(kind)
        answer = answers.pop(0) if answers else None
        if isinstance(answer, Exception):
            self._conns.clear()
            raise answer
        if answer is not None:
            return answer(request)
        if kind == VERSIONS:
            return SimpleNamespace(level=lambda _: self.level, knows=lambda _: True)
        if kind == COMMIT:
            return refusing(COMMIT)(request)
        return SimpleNamespace(error_code=0, producer_id=7, producer_epoch=4)


@pytest.fixture
async def producer() -> AsyncIterator[Any]:
    """Give a producer of version 2 that has begun a transaction, and written to it."""
    connection_options(KafkaSettings())
    client, manager = Client(), TransactionManager("id", WAIT_SECONDS * 1000)
    manager.set_pid_and_epoch(7, 3)
    cluster = SimpleNamespace(leader_for_partition=lambda _: 1)
    sender = Sender(
        client,
        acks=-1,
        txn_manager=manager,
        message_accumulator=MessageAccumulator(cluster, 1000, 0, 10, txn_manager=manager),
        retry_backoff_ms=BACKOFF_MS,
        request_timeout_ms=1000,
    )
    made = SimpleNamespace(_sender=sender, client=client)
    await version_two.use_if_offered(made)
    await sender.start()
    manager.begin_transaction()
    manager.maybe_add_partition_to_txn(TopicPartition("out", 0))
    yield made
    await sender.close()


async def end(producer: Any) -> None:
    """Commit, as aiokafka's producer does."""
    manager = producer._sender._txn_manager
    manager.committing_transaction()
    await asyncio.wait_for(asyncio.shield(manager.wait_for_transaction_end()), WAIT_SECONDS)


async def send_offsets(producer: Any) -> None:
    """Put offsets into the transaction, as aiokafka's producer does."""
    offsets = {TopicPartition("in", 0): OffsetAndMetadata(3, "")}

    async def added(offsets: Any, group: str) -> None:
        waiting = producer._sender._txn_manager.add_offsets_to_txn(offsets, group)
        await asyncio.wait_for(asyncio.shield(waiting), WAIT_SECONDS)

    producer.send_offsets_to_transaction = added
    await generations.send_offsets(producer, offsets, "group", Membership(1, "me"))


@pytest.mark.parametrize("kind", [COMMIT, END])
async def test_a_lookup_that_loses_its_connection_is_made_again(kind: str, producer: Any) -> None:
    """As is a request without an answer, which the lookup follows: the transaction ends."""
    client = producer.client
    client.answers[kind] = [GONE]
    if kind == COMMIT:
        await background.find_group(producer, "group")
    client.lookups = [GONE, GONE]

    await (send_offsets(producer) if kind == COMMIT else end(producer))

    assert client.asked == [VERSIONS, kind, kind]
    assert not client.lookups


async def test_a_lookup_ends_with_the_time_of_a_transaction(producer: Any) -> None:
    """Nobody waits for it any longer; and one that is refused for good is not made again."""
    producer._sender._txn_manager.transaction_timeout_ms = 5 * BACKOFF_MS
    for lookups in ([GONE] * 1000, [KafkaError("refused")] * 1000):
        producer._sender._coordinators.clear()
        producer.client.lookups = lookups
        with pytest.raises(KafkaError):
            await producer._sender._find_coordinator(CoordinationType.TRANSACTION, "id")
    assert len(lookups) == 999


async def test_a_failed_lookup_does_not_fail_the_check(producer: Any) -> None:
    """What brokers said last holds; another answer would be an error."""
    producer._sender._coordinators.clear()
    producer.client._conns.clear()
    producer.client.lookups = [KafkaError("refused")]
    producer.client.level = 1

    await version_two.check(producer)

    assert not producer.client.lookups


@pytest.mark.parametrize("how", ["closed", "removed", "lost"])
async def test_brokers_are_asked_again_where_no_connection_is_left(how: str, producer: Any) -> None:
    """A closed connection is not the one that was asked, and two that are missing are not one."""
    client = producer.client
    await version_two.check(producer)
    assert client.asked == [VERSIONS]
    client.level = 1
    if how == "lost":
        # Asked in vain: it is not known who said what.
        client._conns.clear()
        client.answers[VERSIONS] = [GONE]
        await version_two.check(producer)
    if how == "closed":
        client._conns[COORDINATION].is_open = False
    client._conns = client._conns if how == "closed" else {}

    with pytest.raises(RetriableError, match="changed the version"):
        await version_two.check(producer)


@pytest.mark.parametrize("code", [48, 49, 120])
async def test_an_end_that_is_refused_says_why(code: int, producer: Any) -> None:
    """Also where the sender has put the error into one of its own."""
    producer.client.answers[END] = [refusing(END, code)]

    with pytest.raises(KafkaError) as told:
        await end(producer)

    assert "the brokers have ended the transaction ([Error" in str(translated(told.value))


async def test_records_are_sent_again_at_ever_longer_intervals() -> None:
    """While markers are missing; brokers have waited each time already."""
    sender = SimpleNamespace(_retry_backoff=0.1, client=None)
    batch = MessageBatch(TopicPartition("out", 0), None, WAIT_SECONDS, 0)
    delays_s = []
    for _ in range(2000):
        batch.drain_ready()
        handler = version_two._Produce(sender, {})
        assert handler._can_retry(ConcurrentTransactions(), batch)
        delays_s.append(handler._default_backoff)
        batch.reset_drain()

    assert delays_s == [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, *[1.0] * 1994]


@pytest.mark.parametrize(
    ("codes", "delay_s", "is_moved"),
    [
        ((13,), 0.1, False),
        ((14,), 0.1, False),
        ((51,), 0.02, False),
        ((15,), 0.1, True),
        ((16,), 0.1, True),
        ((7,), 0.1, True),
        ((51, 16), 0.1, True),
        ((0, 51), 0.02, False),
    ],
)
async def test_a_group_is_looked_up_again_only_where_it_may_have_moved(
    codes: tuple[int, ...], delay_s: float, *, is_moved: bool
) -> None:
    """As Kafka's own client does it; the coordinator that answers otherwise is the right one."""
    connection_options(KafkaSettings())
    manager = TransactionManager("id", 1000)
    dead: list[int] = []
    sender = SimpleNamespace(
        _txn_manager=manager, _retry_backoff=0.1, _coordinator_dead=dead.append
    )
    offsets = {TopicPartition("in", n): OffsetAndMetadata(3, "") for n in range(len(codes))}
    handler = version_two._CommitOffsets(sender, offsets, "group", Membership(1, "me"))

    delay = handler.handle_response(refusing(COMMIT, *codes)(handler._request))

    assert delay == delay_s
    assert dead == [CoordinationType.GROUP] * is_moved
