"""Metadata requests of version 11: aiokafka stops at version 5, before topics had ids.

A topic that is deleted and made anew keeps its name and gets another id (KIP-516, Kafka 2.8).
Layouts: MetadataRequest.json and MetadataResponse.json of Apache Kafka.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from io import BytesIO

    from aiokafka.client import AIOKafkaClient

# Until a topic has an id, and for brokers that have none for it.
NO_ID = uuid.UUID(int=0)


class Uuid(AbstractType[uuid.UUID]):  # type: ignore[misc] # aiokafka ships no types
    """Sixteen bytes, in network order."""

    @classmethod
    def encode(cls, value: uuid.UUID) -> bytes:
        """Raises AttributeError for anything but a UUID."""
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> uuid.UUID:
        """Raises ValueError if the buffer is shorter."""
        return uuid.UUID(bytes=data.read(16))


class MetadataResponse_v11(Response):  # type: ignore[misc] # noqa: N801 - named as aiokafka's
    """Brokers, and topics with their ids and partitions."""

    API_KEY = 3
    API_VERSION = 11
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class MetadataRequest_v11(RequestStruct):  # type: ignore[misc] # noqa: N801 - named as aiokafka's
    """Topics by name; the id of each is left out."""

    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 11
    RESPONSE_TYPE = MetadataResponse_v11
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class MetadataRequest(Request[MetadataRequest_v11]):  # type: ignore[misc]
    """Asks for topics by name, and never creates one."""

    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        """`topics` by name."""
        self._topics = topics

    def build(self, request_struct_class: type[MetadataRequest_v11]) -> MetadataRequest_v11:
        """See `aiokafka.protocol.api.Request`."""
        topics: list[Any] = [(NO_ID, name, {}) for name in self._topics]
        return request_struct_class(topics, False, False, {})


async def topic_ids(client: AIOKafkaClient, topics: Collection[str]) -> dict[str, str]:
    """The identity of each topic, as `<topic id>@<cluster id>`; any broker is asked.

    A topic is missing if it does not exist, or if the brokers know no ids (before Kafka 2.8, and
    some that only speak its protocol).

    Raises:
        KafkaError: the broker cannot be reached.
    """
    try:
        response: Any = await client.send(client.get_random_node(), MetadataRequest(topics))
    except (IncompatibleBrokerVersion, NotImplementedError):
        return {}
    return {
        name: f"{topic_id}@{response.cluster_id}"
        for error_code, name, topic_id, *_ in response.topics
        if not error_code and topic_id != NO_ID
    }
