"""Requests of the service's own, against a real broker and another client's reading of the same."""

from __future__ import annotations

import asyncio
import base64
import uuid
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from aiokafka.client import AIOKafkaClient
from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from service.kafka.client.metadata import MetadataRequest, MetadataResponse_v11, topic_ids
from tools.kafka.topics import create_topic

if TYPE_CHECKING:
    from tools.kafka.broker import Broker
    from tools.kafka.topics import Topics


def test_a_request_has_the_bytes_that_kafka_describes() -> None:
    """One topic by name: lengths are one more than they say, so that 0 stands for null."""
    request = MetadataRequest(["posts"]).prepare({3: (0, 13)})

    assert request.encode() == (b"\x02" + bytes(16) + b"\x06posts\x00" + b"\x00\x00" + b"\x00")


def test_an_answer_is_read_from_the_bytes_that_kafka_describes() -> None:
    """One broker and one topic of one partition."""
    topic_id = uuid.UUID("6a1d0c4e-5a52-4f0e-9d51-0d9a6f3f1c7e")
    answer = (
        b"\x00\x00\x00\x07"
        b"\x02" + b"\x00\x00\x00\x01" + b"\x02h" + b"\x00\x00\x23\x84" + b"\x00" + b"\x00"
        b"\x04abc" + b"\x00\x00\x00\x01"
        b"\x02" + b"\x00\x00" + b"\x06posts" + topic_id.bytes + b"\x00"
        b"\x02" + b"\x00\x00" + b"\x00\x00\x00\x03" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x05"
        b"\x02\x00\x00\x00\x01" + b"\x02\x00\x00\x00\x01" + b"\x01" + b"\x00"
        b"\x80\x00\x00\x00" + b"\x00" + b"\x00"
    )

    response = MetadataResponse_v11.decode(BytesIO(answer))

    assert response.encode() == answer
    [(error, name, found, _, partitions, *_)] = response.topics
    assert (error, name, found, response.cluster_id) == (0, "posts", topic_id, "abc")
    assert partitions == [(0, 3, 1, 5, [1], [1], [], {})]


@pytest.mark.kafka
async def test_a_topic_made_anew_has_another_id(real_broker: Broker, topics: Topics) -> None:
    """The ids are those that another client reads; a topic that does not exist has none."""
    servers = real_broker.bootstrap_servers
    admin = AdminClient({"bootstrap.servers": servers})
    client = AIOKafkaClient(bootstrap_servers=servers)
    await client.bootstrap()
    name = topics("ids")
    try:
        first = await topic_ids(client, [name, f"{name}-none"])
        await asyncio.to_thread(admin.delete_topics([name])[name].result)
        create_topic(real_broker, name, 1, {})
        second = await topic_ids(client, [name])
    finally:
        await client.close()

    described = admin.describe_topics(TopicCollection([name]))[name].result()
    expected = uuid.UUID(bytes=base64.urlsafe_b64decode(f"{described.topic_id}=="))
    assert second == {name: f"{expected}@{admin.list_topics().cluster_id}"}
    assert first.keys() == {name}
    assert first != second
