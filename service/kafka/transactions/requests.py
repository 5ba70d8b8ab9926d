"""Requests of transactions of version 2 that aiokafka does not have (KIP-890, Kafka 4.0).

Produce v12 adds its partitions to the transaction, and EndTxn v5 moves the producer's epoch on.
ApiVersions v3 tells whether the cluster has agreed on that. Layouts: ProduceRequest.json,
EndTxnRequest.json, ApiVersionsRequest.json and their responses, of Apache Kafka. Nothing may enter
that sends a request.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from aiokafka.protocol.api import Request, RequestStruct, Response, ResponseHeader_v0
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactBytes,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Tagged(Schema):  # type: ignore[misc] # aiokafka ships no types
    """Fields, and tagged ones that are left out: what has them looks like aiokafka's older one."""

    def encode(self, item: Sequence[Any]) -> bytes:
        return b"".join((super().encode(item), TaggedFields.encode({})))

    def decode(self, data: BytesIO) -> tuple[Any, ...]:
        decoded: tuple[Any, ...] = super().decode(data)
        TaggedFields.decode(data)
        return decoded


class ProduceResponse_v12(Response):  # type: ignore[misc] # noqa: N801 - named as aiokafka's
    """As aiokafka's of version 8; the leader that a partition has now is left out."""

    API_KEY = 0
    API_VERSION = 12
    SCHEMA = _Tagged(
        (
            "topics",
            CompactArray(
                _Tagged(
                    ("topic", CompactString("utf-8")),
                    (
                        "partitions",
                        CompactArray(
                            _Tagged(
                                ("partition", Int32),
                                ("error_code", Int16),
                                ("offset", Int64),
                                ("timestamp", Int64),
                                ("log_start_offset", Int64),
                                (
                                    "record_errors",
                                    CompactArray(
                                        _Tagged(("index", Int32), ("words", CompactString("utf-8")))
                                    ),
                                ),
                                ("error_message", CompactString("utf-8")),
                            )
                        ),
                    ),
                )
            ),
        ),
        ("throttle_time_ms", Int32),
    )


class ProduceRequest_v12(RequestStruct):  # type: ignore[misc] # noqa: N801 - as above
    """Batches by partition; by its version it also adds the partitions to the transaction."""

    FLEXIBLE_VERSION = True
    API_KEY = 0
    API_VERSION = 12
    RESPONSE_TYPE = ProduceResponse_v12
    SCHEMA = _Tagged(
        ("transactional_id", CompactString("utf-8")),
        ("required_acks", Int16),
        ("timeout", Int32),
        (
            "topics",
            CompactArray(
                _Tagged(
                    ("topic", CompactString("utf-8")),
                    (
                        "partitions",
                        CompactArray(_Tagged(("partition", Int32), ("messages", CompactBytes))),
                    ),
                )
            ),
        ),
    )


class EndTxnResponse_v5(Response):  # type: ignore[misc] # noqa: N801 - as above
    """Whose id and epoch the next transaction is to have; -1 both where there is an error."""

    API_KEY = 26
    API_VERSION = 5
    SCHEMA = _Tagged(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
    )


class EndTxnRequest_v5(RequestStruct):  # type: ignore[misc] # noqa: N801 - as above
    """Ends a transaction, and moves the producer's epoch on."""

    FLEXIBLE_VERSION = True
    API_KEY = 26
    API_VERSION = 5
    RESPONSE_TYPE = EndTxnResponse_v5
    SCHEMA = _Tagged(
        ("transactional_id", CompactString("utf-8")),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("transaction_result", Boolean),
    )


class ApiVersionsResponse_v3(Response):  # type: ignore[misc] # noqa: N801 - as above
    """The versions of each request that a broker knows, and the features of the cluster."""

    API_KEY = 18
    API_VERSION = 3
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "api_versions",
            CompactArray(_Tagged(("key", Int16), ("min_version", Int16), ("max_version", Int16))),
        ),
        ("throttle_time_ms", Int32),
        ("tags", TaggedFields),
    )
    # Of the tagged fields, the finalized features, and their epoch: it is negative or left out
    # where a broker does not know them.
    _EPOCH_TAG, _FINALIZED_TAG = 1, 2
    _FINALIZED = CompactArray(
        _Tagged(("name", CompactString("utf-8")), ("max_level", Int16), ("min_level", Int16))
    )

    def level(self, feature: str) -> int:
        """The level of a feature that the whole cluster has agreed on; 0 if there is none."""
        epoch = self.tags.get(self._EPOCH_TAG)
        if epoch is None or Int64.decode(BytesIO(epoch)) < 0:
            return 0
        found = self._FINALIZED.decode(BytesIO(self.tags.get(self._FINALIZED_TAG, b"\x01")))
        return next((highest for name, highest, _ in found if name == feature), 0)

    def knows(self, request: type[RequestStruct]) -> bool:
        """Whether the broker knows this version of a request."""
        return any(
            key == request.API_KEY and lowest <= request.API_VERSION <= highest
            for key, lowest, highest in self.api_versions
        )


class ApiVersionsRequest_v3(RequestStruct):  # type: ignore[misc] # noqa: N801 - as above
    """Who asks."""

    FLEXIBLE_VERSION = True
    API_KEY = 18
    API_VERSION = 3
    RESPONSE_TYPE = ApiVersionsResponse_v3
    SCHEMA = _Tagged(
        ("client_software_name", CompactString("utf-8")),
        ("client_software_version", CompactString("utf-8")),
    )

    def parse_response_header(self, read_buffer: BytesIO) -> ResponseHeader_v0:
        """The answer's header has no tags, so that clients of any version can read it."""
        return ResponseHeader_v0.decode(read_buffer)


class ApiVersionsRequest(Request[ApiVersionsRequest_v3]):  # type: ignore[misc]
    """Asks what a broker and its cluster can; aiokafka's own is not told of features."""

    API_KEY = 18

    def build(self, request_struct_class: type[ApiVersionsRequest_v3]) -> ApiVersionsRequest_v3:
        """See `aiokafka.protocol.api.Request`."""
        return request_struct_class("sentiment-stream", "1")
