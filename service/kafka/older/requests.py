"""Requests about transactional ids that aiokafka does not have (KIP-664 and KIP-699, Kafka 3.0).

Layouts: FindCoordinatorRequest.json, DescribeTransactionsRequest.json and their responses, of
Apache Kafka. Nothing may enter that sends a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.client import CoordinationType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

if TYPE_CHECKING:
    from collections.abc import Collection


class FindCoordinatorsResponse_v4(Response):  # type: ignore[misc] # noqa: N801 - as aiokafka's
    """The coordinator of each key."""

    API_KEY = 10
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "coordinators",
            CompactArray(
                ("key", CompactString("utf-8")),
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class FindCoordinatorsRequest_v4(RequestStruct):  # type: ignore[misc] # noqa: N801 - as aiokafka's
    """Keys, all of one type."""

    FLEXIBLE_VERSION = True
    API_KEY = 10
    API_VERSION = 4
    RESPONSE_TYPE = FindCoordinatorsResponse_v4
    SCHEMA = Schema(
        ("key_type", Int8),
        ("coordinator_keys", CompactArray(CompactString("utf-8"))),
        ("tags", TaggedFields),
    )


class FindCoordinatorsRequest(Request[FindCoordinatorsRequest_v4]):  # type: ignore[misc]
    """Asks for the coordinators of transactional ids; aiokafka's own asks for one at a time."""

    API_KEY = 10

    def __init__(self, transactional_ids: Collection[str]) -> None:
        """They need not exist."""
        self._ids = list(transactional_ids)

    def build(
        self, request_struct_class: type[FindCoordinatorsRequest_v4]
    ) -> FindCoordinatorsRequest_v4:
        """See `aiokafka.protocol.api.Request`."""
        return request_struct_class(CoordinationType.TRANSACTION, self._ids, {})


class DescribeTransactionsResponse_v0(Response):  # type: ignore[misc] # noqa: N801 - as aiokafka's
    """The state of each id, or an error for it."""

    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transaction_states",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", CompactString("utf-8")),
                ("transaction_state", CompactString("utf-8")),
                ("transaction_timeout_ms", Int32),
                ("transaction_start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                (
                    "topics",
                    CompactArray(
                        ("topic", CompactString("utf-8")),
                        ("partitions", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeTransactionsRequest_v0(RequestStruct):  # type: ignore[misc] # noqa: N801 - as above
    """Ids that the broker which is asked coordinates."""

    FLEXIBLE_VERSION = True
    API_KEY = 65
    API_VERSION = 0
    RESPONSE_TYPE = DescribeTransactionsResponse_v0
    SCHEMA = Schema(
        ("transactional_ids", CompactArray(CompactString("utf-8"))), ("tags", TaggedFields)
    )


class DescribeTransactionsRequest(Request[DescribeTransactionsRequest_v0]):  # type: ignore[misc]
    """Asks a coordinator for what it knows of transactional ids."""

    API_KEY = 65

    def __init__(self, transactional_ids: Collection[str]) -> None:
        """They need not exist."""
        self._ids = list(transactional_ids)

    def build(
        self, request_struct_class: type[DescribeTransactionsRequest_v0]
    ) -> DescribeTransactionsRequest_v0:
        """See `aiokafka.protocol.api.Request`."""
        return request_struct_class(self._ids, {})
