"""Transactions of version 2 on brokers that are harmed, or that change their mind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.client import ConnectionGroup
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from service.errors import RetriableError
from service.kafka import KafkaSession
from service.kafka.transactions.requests import ApiVersionsRequest
from service.kafka.transactions.version_two import FEATURE
from tools.asking import END, Requests, finish, identity_of, producer_of
from tools.kafka.broker import Broker
from tools.kafka.kinds import INPUTS, Real
from tools.kafka.sessions import (
    WAIT_SECONDS,
    numbered,
    poll_count,
    publication,
    started,
    unretrieved,
)
from tools.kafka.topics import topics_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tools.kafka.jar_broker import JarBroker

__all__ = ["unretrieved"]

pytestmark = pytest.mark.kafka

# Beyond what a broker takes to start again.
SESSION_MS = 90_000
ADDING = {"AddPartitionsToTxnRequest", "AddOffsetsToTxnRequest"}


@pytest.fixture
async def own(jar_broker: JarBroker) -> AsyncIterator[Real]:
    """Give a cluster of the test's own."""
    broker = Broker(jar_broker.bootstrap_servers, "jars")
    kafka = Real(broker, topics_on(broker), "exactly_once")
    yield kafka
    for session in kafka.sessions:
        await session.stop()


async def opened(kafka: Real) -> KafkaSession:
    """A session that has all partitions and a long time for its transactions."""
    session = KafkaSession(kafka.settings(session_timeout_ms=SESSION_MS), 256)
    kafka.sessions.append(session)
    await started(session)
    return session


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
async def test_a_coordinator_that_dies_at_the_end_of_a_transaction(
    own: Real, jar_broker: JarBroker, *, arrived: bool
) -> None:
    """With the request to end it or with its answer; once another one serves, it is asked again."""
    await own.produce(*(m for p in range(INPUTS) for m in numbered(3, p, 3 * p)))
    session = await opened(own)
    outgoing = publication(await poll_count(session, 3 * INPUTS), own.topics[1])
    client, killed = producer_of(session).client, asyncio.Event()
    identity, send = identity_of(session), client.send

    async def dying(node: int, request: Any, **options: Any) -> Any:
        if type(request).__name__ != END or killed.is_set():
            return await send(node, request, **options)
        if arrived:
            await send(node, request, **options)
        jar_broker.kill()
        killed.set()
        raise KafkaConnectionError("the broker is gone")

    client.send = dying
    publishing = asyncio.create_task(session.publish(outgoing))
    await killed.wait()
    await asyncio.to_thread(jar_broker.start)

    assert await publishing

    assert identity_of(session) == (identity[0], identity[1] + 1)
    assert list(range(3 * INPUTS)) == await finish(own, session)


class UpdateFeaturesResponse_v1(Response):  # type: ignore[misc] # noqa: N801 - named as aiokafka's
    """UpdateFeaturesResponse.json of Apache Kafka."""

    API_KEY = 57
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("error_code", Int16), ("message", CompactString("utf-8"))
    )


class UpdateFeaturesRequest_v1(RequestStruct):  # type: ignore[misc] # noqa: N801 - as above
    """UpdateFeaturesRequest.json of Apache Kafka."""

    FLEXIBLE_VERSION = True
    API_KEY = 57
    API_VERSION = 1
    RESPONSE_TYPE = UpdateFeaturesResponse_v1
    SCHEMA = Schema(
        ("timeout_ms", Int32),
        (
            "updates",
            CompactArray(
                ("feature", CompactString("utf-8")),
                ("level", Int16),
                ("kind", Int8),
                ("tags", TaggedFields),
            ),
        ),
        ("validate_only", Boolean),
        ("tags", TaggedFields),
    )


class UpdateFeaturesRequest(Request[UpdateFeaturesRequest_v1]):  # type: ignore[misc]
    """Lets a cluster agree on the version of transactions."""

    API_KEY = 57

    def __init__(self, level: int) -> None:
        """To this level."""
        self._level = level

    def build(self, request_struct_class: type[UpdateFeaturesRequest_v1]) -> Any:
        """See `aiokafka.protocol.api.Request`."""
        # An upgrade, or a downgrade that loses nothing.
        kind = 1 if self._level == 2 else 2
        return request_struct_class(10_000, [(FEATURE, self._level, kind, {})], False, {})


async def agree(session: KafkaSession, level: int) -> None:
    """Let the cluster agree on another version, and let its brokers tell so."""
    client = producer_of(session).client
    node = client.get_random_node()
    answer = await client.send(node, UpdateFeaturesRequest(level))
    assert not answer.error_code, answer
    async with asyncio.timeout(WAIT_SECONDS):
        while (await client.send(node, ApiVersionsRequest())).level(FEATURE) != level:  # noqa: ASYNC110 - a broker tells nobody
            await asyncio.sleep(0.05)


async def test_the_version_of_a_cluster_may_change(own: Real) -> None:
    """Down and up again; it is noticed on the next connection, and each publish is whole."""
    session = await opened(own)
    async with asyncio.timeout(WAIT_SECONDS):
        while not session.joined:
            assert [] == await session.poll()
    asked = Requests(producer_of(session))
    await publish_three(own, session, 0)
    assert not ADDING & {*asked.counts}
    sent = list(range(3))
    for level in (1, 2):
        await agree(session, level)
        # The connection has been told otherwise, and brokers go by the versions of requests.
        await publish_three(own, session, len(sent))
        sent += range(len(sent), len(sent) + 3)
        before = producer_of(session)
        for (_, group), connection in list(before.client._conns.items()):
            if group == ConnectionGroup.COORDINATION:
                connection.close()

        with pytest.raises(RetriableError, match="changed the version"):
            await publish_three(own, session, len(sent))
        session.rewind()
        records = await poll_count(session, 3)
        assert producer_of(session) is not before
        asked = Requests(producer_of(session))
        assert await session.publish(publication(records, own.topics[1]))

        sent += range(len(sent), len(sent) + 3)
        assert (ADDING & {*asked.counts} == ADDING) is (level == 1)
    assert sent == sorted(int(m.value or b"") for m in await own.read(own.topics[1]))


async def publish_three(kafka: Real, session: KafkaSession, first: int) -> None:
    """Put three more records in, and publish them."""
    await kafka.produce(*numbered(3, 0, first))
    records = await poll_count(session, 3)
    assert await session.publish(publication(records, kafka.topics[1]))
