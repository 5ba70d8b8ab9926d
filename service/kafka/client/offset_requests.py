"""Requests about a group's offsets that aiokafka does not have (KIP-447, Kafka 2.5).

TxnOffsetCommit v3 says as which member of which generation offsets are committed, so that brokers
can refuse one that has lost its partitions; v5 adds the group to a transaction of version 2, too.
OffsetFetch v7 gives no offset that a transaction may yet move. Layouts:
TxnOffsetCommitRequest.json, OffsetFetchRequest.json and their responses, of Apache Kafka. Nothing
may enter that sends a request.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import TopicPartition
    from aiokafka.structs import OffsetAndMetadata

# Clients that do not track the epochs of leaders say so with it.
NO_LEADER_EPOCH = -1


class Membership(NamedTuple):
    """As whom offsets are committed; brokers refuse all but the current members of a group."""

    generation: int
    member_id: str
    instance_id: str | None = None


NOBODY = Membership(-1, "")
"""Before a group is joined; brokers would not check a commit of it."""


def _by_topic(*fields: tuple[str, Any]) -> tuple[str, Any]:
    """Topics by name, with these fields of each partition."""
    partition = CompactArray(*fields, ("tags", TaggedFields))
    topic = (("name", CompactString("utf-8")), ("partitions", partition), ("tags", TaggedFields))
    return "topics", CompactArray(*topic)


class TxnOffsetCommitResponse_v3(Response):  # type: ignore[misc] # noqa: N801 - named as aiokafka's
    """An error code for each partition."""

    API_KEY = 28
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        _by_topic(("partition", Int32), ("error_code", Int16)),
        ("tags", TaggedFields),
    )


class TxnOffsetCommitRequest_v3(RequestStruct):  # type: ignore[misc] # noqa: N801 - as above
    """Offsets that become the group's when the transaction is committed."""

    FLEXIBLE_VERSION = True
    API_KEY = 28
    API_VERSION = 3
    RESPONSE_TYPE = TxnOffsetCommitResponse_v3
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("group_id", CompactString("utf-8")),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation_id", Int32),
        ("member_id", CompactString("utf-8")),
        ("group_instance_id", CompactString("utf-8")),
        _by_topic(
            ("partition", Int32),
            ("committed_offset", Int64),
            ("committed_leader_epoch", Int32),
            ("committed_metadata", CompactString("utf-8")),
        ),
        ("tags", TaggedFields),
    )


class TxnOffsetCommitResponse_v5(TxnOffsetCommitResponse_v3):  # noqa: N801 - as above
    """The same as of version 3; the error may be TRANSACTION_ABORTABLE."""

    API_VERSION = 5


class TxnOffsetCommitRequest_v5(TxnOffsetCommitRequest_v3):  # noqa: N801 - as above
    """The same as of version 3; by its version it also adds the group to the transaction."""

    API_VERSION = 5
    RESPONSE_TYPE = TxnOffsetCommitResponse_v5


class TxnOffsetCommitRequest(Request[TxnOffsetCommitRequest_v3]):  # type: ignore[misc]
    """Commits offsets within a transaction, as a member of the group's current generation."""

    API_KEY = 28

    def __init__(
        self,
        transactional_id: str,
        producer: tuple[int, int],
        group_id: str,
        membership: Membership,
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        version: type[TxnOffsetCommitRequest_v3] = TxnOffsetCommitRequest_v3,
    ) -> None:
        """`producer` is its id and epoch; the version is that of the transaction."""
        self._CLASSES = (version,)
        self._producer = (transactional_id, group_id, *producer)
        self._membership = membership
        self._offsets = offsets

    def build(
        self, request_struct_class: type[TxnOffsetCommitRequest_v3]
    ) -> TxnOffsetCommitRequest_v3:
        """See `aiokafka.protocol.api.Request`."""
        topics: defaultdict[str, list[Any]] = defaultdict(list)
        for place, (offset, metadata) in sorted(self._offsets.items()):
            topics[place.topic].append((place.partition, offset, NO_LEADER_EPOCH, metadata, {}))
        listed: list[Any] = [(topic, partitions, {}) for topic, partitions in topics.items()]
        return request_struct_class(*self._producer, *self._membership, listed, {})


class OffsetFetchResponse_v7(Response):  # type: ignore[misc] # noqa: N801 - as above
    """The committed offset of each partition, or -1."""

    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        _by_topic(
            ("partition", Int32),
            ("committed_offset", Int64),
            ("committed_leader_epoch", Int32),
            ("metadata", CompactString("utf-8")),
            ("error_code", Int16),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class OffsetFetchRequest_v7(RequestStruct):  # type: ignore[misc] # noqa: N801 - as above
    """Partitions by topic."""

    FLEXIBLE_VERSION = True
    API_KEY = 9
    API_VERSION = 7
    RESPONSE_TYPE = OffsetFetchResponse_v7
    SCHEMA = Schema(
        ("group_id", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("partitions", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class OffsetFetchRequest(Request[OffsetFetchRequest_v7]):  # type: ignore[misc]
    """Asks what a group has committed; refused for offsets that an open transaction has."""

    API_KEY = 9

    def __init__(self, group_id: str, places: Iterable[TopicPartition]) -> None:
        """`places` are the partitions to ask for."""
        self._group_id = group_id
        self._places = places

    def build(self, request_struct_class: type[OffsetFetchRequest_v7]) -> OffsetFetchRequest_v7:
        """See `aiokafka.protocol.api.Request`."""
        topics: defaultdict[str, list[int]] = defaultdict(list)
        for place in sorted(self._places):
            topics[place.topic].append(place.partition)
        listed: list[Any] = [(topic, numbers, {}) for topic, numbers in topics.items()]
        return request_struct_class(self._group_id, listed, True, {})
