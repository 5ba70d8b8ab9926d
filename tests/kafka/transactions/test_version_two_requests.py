"""Requests of transactions of version 2: their bytes, and those of Kafka's own client.

Bytes are put together here as Kafka's descriptions have them, without aiokafka's types. Of other
clients, librdkafka asks for features as we do, and has none of the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import subprocess
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.producer.transaction_manager import TransactionResult
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import EndTxnRequest
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka.admin import AdminClient

from conftest import lacking
from service.kafka.client.offset_requests import (
    Membership,
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequest_v3,
    TxnOffsetCommitRequest_v5,
    TxnOffsetCommitResponse_v5,
)
from service.kafka.transactions.requests import (
    ApiVersionsRequest,
    ApiVersionsRequest_v3,
    ApiVersionsResponse_v3,
    EndTxnRequest_v5,
    EndTxnResponse_v5,
    ProduceRequest_v12,
    ProduceResponse_v12,
)
from service.kafka.transactions.version_two import FEATURE, LEVEL
from tools.kafka.broker import Broker, BrokerUnavailableError
from tools.kafka.capturing import Capture, captured
from tools.kafka.fronted import fronted_broker
from tools.kafka.jars import fetch_jars
from tools.kafka.topics import create_topic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.kafka.jar_broker import JarBroker

PRODUCE, VERSIONS, END, COMMIT = 0, 18, 26, 28
JAVA_SECONDS = 120

# Two transactions that are committed and one that is aborted, as an application would have them.
JAVA = """
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Transactional {
    public static void main(String[] arguments) throws Exception {
        String servers = arguments[0], topic = arguments[1];
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", servers, "transactional.id", topic,
            "key.serializer", ByteArraySerializer.class,
            "value.serializer", ByteArraySerializer.class);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
            producer.initTransactions();
            for (int turn = 1; turn <= 3; turn++) {
                producer.beginTransaction();
                for (int partition = 0; partition < 3; partition++) {
                    byte[] value = new byte[100 * partition];
                    producer.send(new ProducerRecord<>(topic, partition, null, value)).get();
                }
                producer.sendOffsetsToTransaction(
                    Map.of(new TopicPartition(topic, 1), new OffsetAndMetadata(turn, "m")),
                    new ConsumerGroupMetadata(topic));
                if (turn < 3) producer.commitTransaction(); else producer.abortTransaction();
            }
        }
    }
}
"""


def names(value: str) -> bytes:
    """A short compact text."""
    return bytes([len(value) + 1]) + value.encode()


def test_records_have_the_bytes_that_kafka_describes() -> None:
    """Byte for byte; a batch is as long as it is, whatever it holds."""
    batch = bytearray(b"x" * 200)
    request = ProduceRequest("group-/id", -1, 40_000, [("posts", [(2, batch), (7, batch)])])
    request._CLASSES = (ProduceRequest_v12,)

    prepared = request.prepare({PRODUCE: (0, 13)})

    # 201, of which each byte has seven bits, the lowest first.
    inner = b"\xc9\x01" + bytes(batch)
    assert prepared.encode() == (
        names("group-/id") + b"\xff\xff\x00\x00\x9c\x40\x02" + names("posts")
        + b"\x03\x00\x00\x00\x02" + inner + b"\x00\x00\x00\x00\x07" + inner + b"\x00" + b"\x00\x00"
    )  # fmt: skip
    assert prepared.build_request_header(5, "me").encode()[-1:] == b"\x00"


def test_an_answer_to_records_is_read() -> None:
    """With the refused records and their words; tagged fields are passed over."""
    fine = struct.pack(">ihqqq", 2, 0, 2**40, -1, 3) + b"\x01\x00\x00"
    words = b"\x02" + struct.pack(">i", 1) + names("no key") + b"\x00"
    moved = b"\x01\x00\x09" + struct.pack(">ii", 2, 7) + b"\x00"
    refused = struct.pack(">ihqqq", 7, 87, -1, -1, -1) + words + names("refused") + moved
    answer = b"\x02" + names("posts") + b"\x03" + fine + refused + b"\x00" + struct.pack(">i", 9)

    response = ProduceResponse_v12.decode(BytesIO(answer + b"\x00"))

    assert response.throttle_time_ms == 9
    assert response.topics == [
        ("posts", [(2, 0, 2**40, -1, 3, [], None), (7, 87, -1, -1, -1, [(1, "no key")], "refused")])
    ]


def test_an_end_has_the_bytes_that_kafka_describes() -> None:
    """And its answer says who the producer is from then on."""
    request = EndTxnRequest("group-/id", 2**40, 3, TransactionResult.COMMIT)
    request._CLASSES = (EndTxnRequest_v5,)

    assert request.prepare({END: (0, 5)}).encode() == (
        names("group-/id") + b"\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03\x01\x00"
    )
    answer = struct.pack(">ihqh", 5, 0, 2**41, 4) + b"\x00"
    response = EndTxnResponse_v5.decode(BytesIO(answer))
    assert response.encode() == answer
    assert (response.producer_id, response.producer_epoch) == (2**41, 4)


def features(epoch: int | None, *levels: tuple[str, int]) -> ApiVersionsResponse_v3:
    """An answer about versions, with features that the cluster has agreed on."""
    finalized = bytes([len(levels) + 1]) + b"".join(
        names(name) + struct.pack(">hh", level, 1) + b"\x00" for name, level in levels
    )
    tags = {} if epoch is None else {1: struct.pack(">q", epoch)}
    tags |= {2: finalized} if levels else {}
    tagged = bytes([len(tags)]) + b"".join(bytes([t, len(of)]) + of for t, of in tags.items())
    known = b"\x03" + struct.pack(">hhh", 0, 0, 12) + b"\x00" + struct.pack(">hhh", 26, 0, 4)
    answer = b"\x00\x00" + known + b"\x00" + struct.pack(">i", 0) + tagged
    read: ApiVersionsResponse_v3 = ApiVersionsResponse_v3.decode(BytesIO(answer))
    return read


def test_what_the_cluster_has_agreed_on_is_read() -> None:
    """Only where it says since when; a feature that it does not name has no level."""
    told = features(7, ("metadata.version", 25), (FEATURE, 2))
    assert (told.level(FEATURE), told.level("metadata.version"), told.level("none")) == (2, 25, 0)
    assert 0 == features(-1, (FEATURE, 2)).level(FEATURE)
    assert 0 == features(None, (FEATURE, 2)).level(FEATURE)
    assert 0 == features(7).level(FEATURE)
    assert told.knows(ProduceRequest_v12)
    assert not told.knows(EndTxnRequest_v5)
    assert not told.knows(TxnOffsetCommitRequest_v5)


def test_a_question_about_features_has_the_bytes_that_kafka_describes() -> None:
    """A header with tags; the answer's has none, in any version."""
    prepared = ApiVersionsRequest().prepare({VERSIONS: (0, 4)})

    assert prepared.encode() == names("sentiment-stream") + names("1") + b"\x00"
    assert prepared.build_request_header(5, "me").encode()[-1:] == b"\x00"
    answer = BytesIO(b"\x00\x00\x00\x05\x00\x00")
    assert prepared.parse_response_header(answer).correlation_id == 5
    assert answer.tell() == 4


@pytest.mark.parametrize("known", [(0, 4), (6, 7)])
def test_offsets_of_version_two_are_of_no_other_version(known: tuple[int, int]) -> None:
    """Brokers tell by the version of the request what it is to do."""
    request = TxnOffsetCommitRequest(
        "id", (1, 0), "g", Membership(1, "m"), {}, TxnOffsetCommitRequest_v5
    )
    with pytest.raises(NotImplementedError):
        request.prepare({COMMIT: known})
    prepared = request.prepare({COMMIT: (0, 6)})
    assert (prepared.API_VERSION, prepared.RESPONSE_TYPE.API_VERSION) == (5, 5)
    plain = TxnOffsetCommitRequest("id", (1, 0), "g", Membership(1, "m"), {})
    assert plain.prepare({COMMIT: (0, 6)}).encode() == prepared.encode()
    assert type(plain.prepare({COMMIT: (0, 6)})) is TxnOffsetCommitRequest_v3


@pytest.fixture(scope="module")
def fronted() -> Iterator[tuple[JarBroker, int]]:
    """Give a broker with an address for a proxy."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(fronted_broker())
        except BrokerUnavailableError as error:
            lacking(f"no Apache Kafka behind a proxy: install Java 17 and Maven ({error})")
        yield started


def unchanged(captured_bytes: bytes, layout: Any) -> Any:
    """What was read of these bytes, which are written again as they were."""
    read = layout.decode(BytesIO(captured_bytes))
    assert read.encode() == captured_bytes
    return read


@pytest.mark.kafka
async def test_kafkas_own_client_sends_and_gets_the_same(
    fronted: tuple[JarBroker, int], tmp_path: Path
) -> None:
    """What passes between it and a broker is read by our layouts, and written again as it was.

    It is told that the broker has no Produce newer than version 12, since it would send 13. Each of
    its transactions has the epoch that the end of the one before has answered.
    """
    broker, front = fronted
    source = tmp_path / "Transactional.java"
    source.write_text(JAVA)
    create_topic(Broker(broker.bootstrap_servers, "jars"), "captured", 3, {})
    servers = f"{broker.bootstrap_servers.partition(':')[0]}:{front}"
    command = ["java", "-cp", f"{fetch_jars()}/*", str(source), servers, "captured"]

    async with captured(broker, front, {PRODUCE: 12}) as capture:
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, timeout=JAVA_SECONDS, check=False
        )

    if b"ClassNotFoundException" in done.stderr or b"jdk.compiler" in done.stderr:
        lacking("no compiler of Java: install a JDK")
    assert done.returncode == 0, done.stderr
    _same_as_ours(capture)


def _same_as_ours(capture: Capture) -> None:
    records, commits, ends = (capture.of(kind) for kind in (PRODUCE, COMMIT, END))
    assert ({12}, {5}, {5}) == tuple({e.version for e in of} for of in (records, commits, ends))
    for exchange in records:
        unchanged(exchange.request, ProduceRequest_v12)
        unchanged(exchange.answer, ProduceResponse_v12)
    asked = [unchanged(e.request, TxnOffsetCommitRequest_v5) for e in commits]
    for exchange in commits:
        unchanged(exchange.answer, TxnOffsetCommitResponse_v5)
    ended = [unchanged(e.request, EndTxnRequest_v5) for e in ends]
    told = [unchanged(e.answer, EndTxnResponse_v5) for e in ends]
    assert [True, True, False] == [end.transaction_result for end in ended]
    assert [0, 1, 2] == [end.producer_epoch - ended[0].producer_epoch for end in ended]
    assert [1, 2, 3] == [answer.producer_epoch - ended[0].producer_epoch for answer in told]
    assert {0, 1, 2} == {commit.producer_epoch - ended[0].producer_epoch for commit in asked}
    # The same wishes, made by our own classes.
    last = asked[-1]
    offsets = {TopicPartition("captured", 1): OffsetAndMetadata(3, "m")}
    ours: Any = TxnOffsetCommitRequest(
        "captured",
        (last.producer_id, last.producer_epoch),
        "captured",
        Membership(-1, ""),
        offsets,
        TxnOffsetCommitRequest_v5,
    )
    assert ours.prepare({COMMIT: (0, 5)}).encode() == commits[-1].request
    end = EndTxnRequest("captured", ended[1].producer_id, ended[1].producer_epoch, True)
    end._CLASSES = (EndTxnRequest_v5,)
    assert end.prepare({END: (0, 5)}).encode() == ends[1].request
    first = unchanged(records[1].request, ProduceRequest_v12)
    produce = ProduceRequest("captured", -1, first.timeout, first.topics)
    produce._CLASSES = (ProduceRequest_v12,)
    assert produce.prepare({PRODUCE: (0, 12)}).encode() == records[1].request
    assert _agreed(capture) == {LEVEL}


def _agreed(capture: Capture) -> set[int]:
    """The levels of the feature that answers to a client tell."""
    flexible = [e for e in capture.of(VERSIONS) if e.version >= 3 and e.answer]
    for exchange in flexible:
        unchanged(exchange.request, ApiVersionsRequest_v3)
    # The header of these answers has no tags, which the capture has taken for one: an error of 0.
    read = [ApiVersionsResponse_v3.decode(BytesIO(b"\x00" + e.answer)) for e in flexible]
    assert all(told.knows(request) for told in read for request in (EndTxnRequest_v5,))
    return {told.level(FEATURE) for told in read}


@pytest.mark.kafka
async def test_librdkafka_asks_and_is_told_the_same(fronted: tuple[JarBroker, int]) -> None:
    """Its question about features, and what the broker answers to it."""
    broker, front = fronted
    servers = f"{broker.bootstrap_servers.partition(':')[0]}:{front}"

    async with captured(broker, front, {}) as capture:
        admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        await asyncio.to_thread(admin.list_topics, timeout=10)

    assert {3} <= {e.version for e in capture.of(VERSIONS)}
    assert _agreed(capture) == {LEVEL}
