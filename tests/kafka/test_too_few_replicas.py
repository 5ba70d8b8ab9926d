"""A topic whose replicas are away, on a cluster of two brokers."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.protocol.produce import ProduceRequest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import KafkaException, NewTopic
from structlog.testing import capture_logs

from conftest import lacking
from service.errors import RetriableError
from service.kafka.client.background import Answers
from service.kafka.client.connection import translated
from service.kafka.client.throttling import Pace, Throttling
from service.records import Outgoing, Partition, Publication
from tools.kafka.broker import Broker, BrokerUnavailableError, JarBroker
from tools.kafka.jar_broker import HOST, free_ports, new_cluster_id
from tools.kafka.jars import fetch_jars
from tools.kafka.sessions import WAIT_SECONDS, joined
from tools.kafka.topics import topics_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.kafka.kinds import Real

# Most seconds for one look; the broker that is asked may be the killed one.
ASKED_SECONDS = 3


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[JarBroker, JarBroker]]:
    """Give two brokers of one cluster, of which the second is down and may be started."""
    ports = free_ports(4)
    cluster = new_cluster_id()
    joining = {
        "process.roles": "broker",
        "node.id": "2",
        "listeners": f"PLAINTEXT://{HOST}:{ports[2]}",
        "controller.quorum.voters": f"1@{HOST}:{ports[1]}",
    }
    try:
        libraries = fetch_jars()
        folders = [tmp_path_factory.mktemp("broker") for _ in range(2)]
        first = JarBroker(libraries, folders[0], ports=ports[:2], cluster=cluster)
        second = JarBroker(
            libraries, folders[1], properties=joining, ports=ports[2:], cluster=cluster
        )
        first.start()
    except BrokerUnavailableError as error:
        lacking(f"no Apache Kafka with two brokers: install Java 17 and Maven ({error})")
    yield first, second
    second.kill()
    first.kill()


@pytest.mark.kafka
async def test_too_few_replicas_are_named(real: Real, pair: tuple[JarBroker, JarBroker]) -> None:
    """The line says which topic waits and for what; it is tried again."""
    first, second = pair
    # All but one topic are on the first broker, since the second does not run yet.
    make = topics_on(Broker(first.bootstrap_servers, "jars"))
    real.bootstrap = first.bootstrap_servers
    real.topics = make("in"), make("out"), make("dead")
    session = await joined(real.session())
    second.start()
    topic = "two"
    new = NewTopic(topic, 1, replication_factor=2, config={"min.insync.replicas": "2"})
    admin = AdminClient({"bootstrap.servers": first.bootstrap_servers})
    admin.create_topics([new])[topic].result(WAIT_SECONDS)
    source = Partition(real.topics[0], 0)
    outgoing = (Outgoing(topic, None, b"event", (), source, 0),)
    second.kill()
    # Until the controller knows, a publish fails otherwise.
    async with asyncio.timeout(WAIT_SECONDS):
        while in_sync(admin, topic) != 1:  # noqa: ASYNC110 - a state of the brokers
            await asyncio.sleep(0.2)

    with capture_logs() as logs:
        publishing = asyncio.create_task(
            session.publish(Publication(outgoing, {source: 1}, session.progress.epoch))
        )
        async with asyncio.timeout(WAIT_SECONDS):
            while not logs and not publishing.done():  # noqa: ASYNC110 - the log comes by itself
                await asyncio.sleep(0.1)
        assert [topic] == [line["topic"] for line in logs[:1]]
        assert "min.insync.replicas" in logs[0]["remedy"]
        with pytest.raises(RetriableError, match=rf"topic {topic}.*min\.insync\.replicas"):
            await publishing


@pytest.mark.parametrize("why", ["NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"])
async def test_a_coordinator_that_is_away_is_not_taken_for_replicas(why: str) -> None:
    """Leaders answer the same code where they cannot ask it, in other words."""
    words = "Unable to verify the partition has been added to the transaction. "
    answer: Any = (0, 19, -1, -1, -1, [], f"{words}Underlying error: {why}")

    async def send(*_: object, **__: object) -> Any:
        return SimpleNamespace(topics=[("out", [answer])])

    client = SimpleNamespace(send=send)
    answers = Answers(client, Pace(Throttling()))

    with capture_logs() as logs:
        await client.send(1, ProduceRequest("id", -1, 1000, []))

    told = translated(answers.explained(TimeoutError()))
    assert isinstance(told, RetriableError)
    assert "topic out" in str(told)
    for text in (str(told), logs[0]["remedy"]):
        assert "coordinator is away for now: it is tried again" in text
        assert "min.insync.replicas" not in text


def in_sync(admin: AdminClient, topic: str) -> int:
    """How many replicas are in sync, as the controller knows; -1 if a killed broker was asked."""
    try:
        found = admin.list_topics(topic, timeout=ASKED_SECONDS)
    except KafkaException:
        return -1
    [partition] = found.topics[topic].partitions.values()
    return len(partition.isrs)
