"""Transactions of version 2: whose epoch moves on with each, so that nothing late can harm."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.client import ConnectionGroup
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, KafkaError
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import OffsetAndMetadata

from service.errors import RejoinError, RetriableError
from service.kafka import KafkaSession
from service.kafka.client.generations import Handlers, membership
from service.kafka.client.offset_requests import TxnOffsetCommitRequest, TxnOffsetCommitRequest_v5
from service.kafka.transactions import version_two
from service.kafka.transactions.requests import EndTxnRequest_v5, ProduceRequest_v12
from tools.asking import (
    COMMIT,
    END,
    LOST,
    PRODUCE,
    Requests,
    finish,
    identity_of,
    polled_all,
    producer_of,
    refusing,
)
from tools.kafka.kinds import INPUTS, Real
from tools.kafka.sessions import WAIT_SECONDS, joined, numbered, poll_count, publication, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.kafka.kinds import Simulated

ALL = list(range(3 * INPUTS))
ABORTABLE, CONCURRENT, INVALID_EPOCH, PRODUCER_FENCED = 120, 51, 47, 90
GOES_ON = [KafkaConnectionError("it was not sent"), LOST]


@pytest.mark.parametrize("lost", GOES_ON, ids=["lost", "arrived"])
@pytest.mark.parametrize("kind", [COMMIT, END])
async def test_a_request_without_an_answer_is_sent_again(
    kind: str, lost: KafkaError, exact: Simulated | Real
) -> None:
    """Whether it had arrived or not, the transaction is committed once, and the next one works."""
    session, outgoing = await polled_all(exact)
    number, epoch = identity_of(session)
    asked = Requests(producer_of(session))
    asked.answers[kind] = [lost]

    assert await session.publish(outgoing)

    # While markers are missing, one that is repeated is answered with CONCURRENT_TRANSACTIONS.
    assert asked.counts[kind] >= 2
    assert identity_of(session) == (number, epoch + 1)
    assert ALL == await finish(exact, session)
    await publish_more(exact, session)
    assert identity_of(session) == (number, epoch + 2)


async def publish_more(kafka: Simulated | Real, session: KafkaSession, first: int = 100) -> None:
    """One more transaction of the same producer."""
    await kafka.produce(*numbered(2, 0, first))
    records = await poll_count(session, 2)
    assert await session.publish(publication(records, kafka.topics[1]))


async def test_each_transaction_has_an_epoch_of_its_own(exact: Simulated | Real) -> None:
    """Ten, one right after the other, with sequences that begin anew; no other producer starts."""
    session, outgoing = await polled_all(exact)
    number, epoch = identity_of(session)
    asked = Requests(producer_of(session))
    assert await session.publish(outgoing)

    for turn in range(9):
        await publish_more(exact, session, 100 + 2 * turn)

    assert identity_of(session) == (number, epoch + 10)
    assert {COMMIT, END} == {*asked.counts} - {PRODUCE, "MetadataRequest"}
    read = sorted(int(value) for value in values(await exact.read(exact.topics[1])))
    assert read == [*ALL, *range(100, 118)]


async def test_an_older_generation_is_refused(exact: Simulated | Real) -> None:
    """By the group, whose offsets join a transaction by themselves; another producer goes on."""
    session, outgoing = await polled_all(exact)
    mine = membership(session._consumer)
    before = producer_of(session)
    await before.begin()
    await before.send_some(outgoing.outgoing)
    with pytest.raises(KafkaError) as refused:
        await before.send_offsets(
            outgoing.offsets,
            session._settings.group_id,
            mine._replace(generation=mine.generation - 1),
        )
    assert "Generation" in type(refused.value).__name__
    session._delivery._discard()  # type: ignore[attr-defined]
    session.rewind()

    assert ALL == await finish(exact, session)
    assert producer_of(session) is not before


async def test_an_aborted_transaction_and_the_next(exact: Simulated | Real) -> None:
    """What was sent is never read, and the next producer's epoch is beyond that of the abort."""
    session, outgoing = await polled_all(exact)
    number, epoch = identity_of(session)
    asked = Requests(producer_of(session))
    asked.answers[COMMIT] = [refusing(COMMIT, ABORTABLE)]

    with pytest.raises(RetriableError, match="TRANSACTION_ABORTABLE") as told:
        await session.publish(outgoing)

    assert not isinstance(told.value, RejoinError)
    assert 0 == asked.counts[END]
    session.rewind()
    assert ALL == await finish(exact, session)
    assert identity_of(session) > (number, epoch + 1)


async def test_an_end_that_may_only_abort_is_no_commit(exact: Simulated | Real) -> None:
    """The answer is certain, but the way back is that of any end that failed."""
    session, outgoing = await polled_all(exact)
    asked = Requests(producer_of(session))
    asked.answers[END] = [refusing(END, ABORTABLE)]

    with pytest.raises(RejoinError):
        await session.publish(outgoing)

    session.rewind()
    assert ALL == await finish(exact, session)


def concurrent(kind: str) -> Callable[[Any], SimpleNamespace]:
    """An answer that the transaction before has not ended yet."""

    def produced(request: Any) -> SimpleNamespace:
        topics: list[Any] = [
            (topic, [(number, CONCURRENT, -1, -1, -1, [], None) for number, _ in partitions])
            for topic, partitions in request._topics
        ]
        return SimpleNamespace(API_VERSION=12, topics=topics, throttle_time_ms=0)

    return produced if kind == PRODUCE else refusing(kind, CONCURRENT)


@pytest.mark.kafka
@pytest.mark.parametrize("kind", [PRODUCE, COMMIT, END])
async def test_the_transaction_before_is_waited_for(kind: str, real: Real) -> None:
    """Its markers come later than the answer to its end, and with what begins the next one."""
    session, outgoing = await polled_all(real)
    number, epoch = identity_of(session)
    asked = Requests(producer_of(session))
    asked.answers[kind] = [concurrent(kind), concurrent(kind)]

    assert await session.publish(outgoing)

    assert asked.counts[kind] == 3
    assert identity_of(session) == (number, epoch + 1)
    assert ALL == await finish(real, session)


def late_ones(session: KafkaSession, topic: str) -> dict[str, Any]:
    """What the open transaction might send, in its own epoch: records, offsets, and its end."""
    producer = producer_of(session)._client
    sender, identity = producer._sender, identity_of(session)
    batch = producer.create_batch()
    batch.append(timestamp=None, key=None, value=b"late")
    batch._set_producer_state(*identity, 0)
    number = sender._txn_manager.transactional_id
    produce = ProduceRequest(number, -1, 10_000, [(topic, [(0, batch._build())])])
    produce._CLASSES = (ProduceRequest_v12,)
    offsets = {place: OffsetAndMetadata(1, "") for place in session._consumer.assignment()}
    member = membership(session._consumer)
    group = session._settings.group_id
    commit = TxnOffsetCommitRequest(
        number, identity, group, member, offsets, TxnOffsetCommitRequest_v5
    )
    end = version_two._EndTransaction(sender, commit_result=1).create_request()
    return {PRODUCE: produce, COMMIT: commit, END: end}


@pytest.mark.kafka
@pytest.mark.parametrize("opened", [True, False])
async def test_what_arrives_late_is_refused(real: Real, *, opened: bool) -> None:
    """Of the transaction before, whether the next one is open or not; none of it counts.

    An end that is asked for again before the next one has begun is answered like the first one.
    """
    session, outgoing = await polled_all(real)
    producer, before = producer_of(session), identity_of(session)
    late = late_ones(session, real.topics[1])
    assert await session.publish(outgoing)
    await real.produce(*numbered(2, 0, 100))
    more = publication(await poll_count(session, 2), real.topics[1])
    await producer.begin()
    if opened:
        await producer.send_some(more.outgoing)
    send, node = producer.client.send, set(producer._client._sender._coordinators.values()).pop()

    async def asked(kind: str) -> Any:
        answer = await send(node, late[kind], group=ConnectionGroup.COORDINATION)
        while getattr(answer, "error_code", 0) == CONCURRENT:
            answer = await send(node, late[kind], group=ConnectionGroup.COORDINATION)
        return answer

    produced, committed, ended = [await asked(kind) for kind in (PRODUCE, COMMIT, END)]

    [(_, [(_, code, *_)])] = produced.topics
    assert code == INVALID_EPOCH
    assert {INVALID_EPOCH} == {
        code for _, partitions, _ in committed.topics for _, code, *_ in partitions
    }
    if opened:
        assert ended.error_code == PRODUCER_FENCED
    else:
        assert (ended.error_code, ended.producer_epoch) == (0, before[1] + 1)
        await producer.send_some(more.outgoing)
    await producer.send_offsets(
        more.offsets, session._settings.group_id, membership(session._consumer)
    )
    await producer.commit()
    async with asyncio.timeout(WAIT_SECONDS):
        while {**dict.fromkeys(range(INPUTS), 3), 0: 5} != await real.committed():  # noqa: ASYNC110 - markers come late
            await asyncio.sleep(0.02)
    read = sorted(int(value) for value in values(await real.read(real.topics[1])))
    assert read == [*ALL, 100, 101]


async def test_nothing_is_asked_where_nothing_was_written(exact: Simulated | Real) -> None:
    """Brokers know of no transaction then, and would refuse its end."""
    session = await joined(exact.session())
    assert isinstance(session, KafkaSession)
    producer = producer_of(session)
    before = identity_of(session)
    asked = Requests(producer)

    await producer.begin()
    await producer.commit()

    assert not asked.counts
    assert identity_of(session) == before


async def test_the_brokers_say_who_the_producer_is() -> None:
    """Its id, too: they give another one when its epochs are exhausted."""
    manager = TransactionManager("id", 1000)
    manager.set_pid_and_epoch(7, 32766)
    manager.begin_transaction()
    manager.consumer_group_added("group")
    manager.increment_sequence_number(("out", 0), 5)
    manager.committing_transaction()
    sender = SimpleNamespace(_txn_manager=manager, _retry_backoff=0.1)
    handler = version_two._EndTransaction(sender, commit_result=1)
    asked = handler.create_request().prepare({26: (0, 5)})
    assert isinstance(asked, EndTxnRequest_v5)
    assert (asked.producer_id, asked.producer_epoch) == (7, 32766)

    answer = SimpleNamespace(error_code=0, producer_id=8, producer_epoch=0)
    assert handler.handle_response(answer) is None

    assert (manager.producer_id, manager.producer_epoch) == (8, 0)
    assert manager.sequence_number(("out", 0)) == 0


@pytest.mark.parametrize("error", [IncompatibleBrokerVersion, NotImplementedError])
async def test_brokers_that_know_no_features_get_the_older_version(error: type[Exception]) -> None:
    """Those before Kafka 2.4, and some that only speak its protocol."""

    async def send(*_: object, **_more: object) -> None:
        raise error

    async def find(*_: object) -> int:
        return 0

    sender = SimpleNamespace(
        client=SimpleNamespace(send=send, _conns={}),
        _find_coordinator=find,
        _txn_manager=TransactionManager("id", 1000),
    )
    await version_two.use_if_offered(SimpleNamespace(_sender=sender))

    assert not sender.offered
    assert sender.handlers == Handlers()
