"""What brokers refuse for good or for now: each error has one line with what to correct."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import InvalidTransactionTimeout, KafkaError, for_code
from aiokafka.protocol.produce import ProduceRequest
from confluent_kafka import Consumer
from confluent_kafka import KafkaError as Known
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

from conftest import lacking
from service.errors import BrokerError, RejoinError, RetriableError
from service.kafka import KafkaSession, producer
from service.kafka.client.background import Answers
from service.kafka.client.connection import translated
from service.kafka.client.error_codes import INVALID_RECORD, NEWER_CODES, register
from service.kafka.client.throttling import Pace, Throttling
from service.kafka.once.cluster import check_cluster
from service.records import Outgoing, Partition, Publication
from tools.kafka.broker import Broker, BrokerUnavailableError, JarBroker, start_jar_broker
from tools.kafka.kinds import session_settings
from tools.kafka.sessions import WAIT_SECONDS, joined
from tools.kafka.topics import topics_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.kafka.kinds import Mode, Real

LIMITS = {
    "transaction.max.timeout.ms": "5000",
    "group.min.session.timeout.ms": "6000",
    "group.max.session.timeout.ms": "60000",
}


@pytest.fixture(scope="module")
def strict_broker() -> Iterator[JarBroker]:
    """Give a broker with narrow limits."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(start_jar_broker(properties=LIMITS))
        except BrokerUnavailableError as error:
            lacking(f"no Apache Kafka with limits: install Java 17 and Maven ({error})")
        yield started


async def ending(session: KafkaSession) -> BrokerError | RetriableError:
    """Start and poll until an error comes."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await session.start()
            while True:
                await session.poll()
    except (BrokerError, RetriableError) as error:
        return error
    finally:
        await session.stop()


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({"transaction_timeout_ms": 5001}, "transaction.max.timeout.ms"),
        ({"session_timeout_ms": 60_001}, "group.max.session.timeout.ms"),
        ({"session_timeout_ms": 5999}, "group.min.session.timeout.ms"),
    ],
)
async def test_a_timeout_that_the_broker_refuses_is_an_error(
    settings: dict[str, int], limit: str, strict_broker: JarBroker
) -> None:
    """Waiting does not mend it; the line names the setting and the broker's limit."""
    bootstrap = strict_broker.bootstrap_servers
    make = topics_on(Broker(bootstrap, "jars"))
    topics = make("in"), make("out"), make("dead")

    error = await ending(
        KafkaSession(session_settings(bootstrap, topics, topics[0], **settings), 10)
    )

    assert isinstance(error, BrokerError), error
    assert limit in str(error)
    assert f"SENTIMENT_KAFKA__{next(iter(settings)).upper()}" in str(error)


@pytest.mark.kafka
async def test_a_group_with_another_assignor_is_waited_for(real: Real) -> None:
    """The line says what to do; once the other member has left, the session joins."""
    other = Consumer(
        {
            "bootstrap.servers": real.bootstrap,
            "group.id": real.topics[0],
            "partition.assignment.strategy": "range",
        }
    )
    other.subscribe([real.topics[0]])
    async with asyncio.timeout(WAIT_SECONDS):
        while not other.assignment():
            await asyncio.to_thread(other.poll, 0.2)

    error = await ending(real.session())
    found = {f.name: f async for f in check_cluster(real.settings(), "exactly_once")}
    other.close()

    assert isinstance(error, RetriableError), error
    assert "SENTIMENT_KAFKA__GROUP_ID" in found["group"].text
    assert found["group"].passed is False
    assert "SENTIMENT_KAFKA__GROUP_ID" in str(error)
    assert (await joined(real.session())).progress.partitions


@pytest.mark.kafka
async def test_all_topics_that_are_missing_are_named_at_once(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to create one, start, and read the name of the next."""
    monkeypatch.setattr(producer, "TOPIC_WAIT_S", 0.5)
    settings = real.settings(output_topic="nowhere", dead_letter_topic="nowhere.else")

    error = await ending(KafkaSession(settings, 10))

    assert isinstance(error, BrokerError), error
    assert "nowhere, nowhere.else;" in str(error)


@pytest.mark.kafka
@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
async def test_a_compacted_topic_takes_no_record_without_a_key(mode: Mode, real: Real) -> None:
    """The error names the topic and its setting, and nothing is committed; with a key it goes."""
    compacted = real.make_topic("compacted", 1, {"cleanup.policy": "compact"})
    real.mode = mode
    session = await joined(real.session())
    source = Partition(real.topics[0], 0)

    async def publish(key: bytes | None) -> None:
        outgoing = Outgoing(compacted, key, b"event", (), source, 0)
        await session.publish(Publication((outgoing,), {source: 1}, session.progress.epoch))

    with pytest.raises(
        BrokerError, match=rf"{compacted} .* without a key .*cleanup\.policy"
    ) as told:
        await publish(None)
    # The broker's own words.
    assert "Compacted topic cannot accept message without key" in str(told.value)
    assert {} == await real.committed()
    await session.stop()

    session = await joined(real.session())
    await publish(b"key")
    assert [b"event"] == [message.value for message in await real.read(compacted)]


async def test_a_topic_that_refuses_records_is_named_when_time_is_up() -> None:
    """The client sends them again by itself, so only this tells; an accepted record ends it."""

    class Client:
        """Answers produce requests with a code."""

        code = 19

        async def send(self, _: int, __: ProduceRequest) -> SimpleNamespace:
            return SimpleNamespace(topics=[("out", [(0, self.code, -1, -1, 0)])])

    client = Client()
    answers = Answers(client, Pace(Throttling()))
    request = ProduceRequest(None, -1, 1000, [])

    with capture_logs() as logs:
        await client.send(1, request)
        await client.send(1, request)

    assert [("out", "NotEnoughReplicasError")] == [(line["topic"], line["error"]) for line in logs]
    told = str(translated(answers.explained(TimeoutError())))
    assert "topic out" in told
    assert "min.insync.replicas" in told
    assert "min.insync" not in str(translated(answers.explained(KafkaError())))
    client.code = 0
    await client.send(1, request)
    assert "topic out" not in str(translated(answers.explained(TimeoutError())))


async def test_a_broker_is_quoted_in_one_line_and_without_texts() -> None:
    """What it says of the first record that has words; none that hold a part of a record."""
    words = ""

    class Client:
        """Refuses records as invalid, in these words."""

        async def send(self, _: int, __: ProduceRequest) -> SimpleNamespace:
            records = [(0, None), (1, words)]
            return SimpleNamespace(topics=[("out", [(0, 87, -1, -1, 0, records, "summary")])])

    client = Client()
    answers = Answers(client, Pace(Throttling()))
    refused = Outgoing("out", b"key", b'{"text": "a private message"}', (), Partition("in", 0), 0)

    async def told() -> str:
        await client.send(1, ProduceRequest(None, -1, 1000, []))
        return str(answers.worded(INVALID_RECORD(), [refused]))

    words = "wrong\n\tschema " + "x" * 1000
    assert "[Error 87] INVALID_RECORD: wrong schema xxx" in await told()
    assert len(await told()) < 300
    words = 'wrong record {"text": "a private message"}'
    assert "[Error 87] INVALID_RECORD" == await told()
    words = ""
    assert "[Error 87] INVALID_RECORD: summary" == await told()


@pytest.mark.kafka
async def test_a_cluster_is_checked_without_a_trace(real: Real) -> None:
    """All that the service needs is found, and no group, topic or record is left behind."""
    settings = real.settings()

    found = [finding async for finding in check_cluster(settings, "exactly_once")]

    assert {True} == {finding.passed for finding in found}, found
    groups = AdminClient({"bootstrap.servers": real.bootstrap}).list_consumer_groups()
    assert real.topics[0] not in {group.group_id for group in groups.result(WAIT_SECONDS).valid}


@pytest.mark.kafka
async def test_what_a_cluster_would_refuse_is_found(strict_broker: JarBroker) -> None:
    """Each by its own check, with the setting to correct; a compacted topic is only told."""
    bootstrap = strict_broker.bootstrap_servers
    make = topics_on(Broker(bootstrap, "jars"))
    topics = make("in"), make("out", 1, {"cleanup.policy": "compact"}), "nowhere"
    settings = session_settings(bootstrap, topics, topics[0], session_timeout_ms=90_000)

    found = {finding.name: finding async for finding in check_cluster(settings, "exactly_once")}

    expected = {"topics": "nowhere", "transactions": "TRANSACTION_TIMEOUT_MS"}
    expected["session timeout"] = "SESSION_TIMEOUT_MS"
    failed = {name: finding.text for name, finding in found.items() if finding.passed is False}
    assert expected.keys() == failed.keys()
    assert all(expected[name] in failed[name] for name in expected), failed
    assert found["compaction"].passed is None
    assert topics[1] in found["compaction"].text


def test_newer_errors_have_kafkas_names() -> None:
    """As librdkafka has them; what it does not know either has a code beyond its last one."""
    register()

    names = {code: Known(code).name() for code in NEWER_CODES}
    ours = {code: for_code(code).__name__ for code in NEWER_CODES}

    known = {code for code, name in names.items() if not name.startswith("ERR_")}
    assert {code: names[code] for code in known - {90}} == {c: ours[c] for c in known - {90}}


@pytest.mark.parametrize("code", [22, 25, 27])
def test_a_member_that_the_group_was_formed_without_joins_again(code: int) -> None:
    """Brokers refuse its offsets, whatever it has published."""
    assert isinstance(translated(for_code(code)()), RejoinError)


def test_a_transaction_that_brokers_have_ended_is_begun_again() -> None:
    """Brokers answer 90 where older ones answered 47; it was open for too long."""
    register()

    for code in (47, 48, 49, 90):
        reason = translated(for_code(code)())
        assert type(reason) is RetriableError
        assert "the brokers have ended the transaction" in str(reason)
    assert type(translated(for_code(120)())) is RetriableError
    assert "TRANSACTION_ABORTABLE" in str(translated(for_code(120)()))


def test_an_error_that_aiokafka_has_wrapped_is_recognised() -> None:
    """It puts what it does not expect into an error without a text of its own."""
    wrapped = KafkaError("Unexpected error during batch delivery")
    wrapped.__cause__ = InvalidTransactionTimeout()

    assert isinstance(translated(wrapped), BrokerError)
