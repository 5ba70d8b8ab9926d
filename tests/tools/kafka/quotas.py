"""Quotas of a real broker, as `kafka-configs --entity-type clients` sets them.

Exists because neither client of the tests can set one. May not import the service.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CLIENT_ID = "sentiment-stream"
_ENTITY = Array(("type", String("utf-8")), ("name", String("utf-8")))


class _Response(Response):  # type: ignore[misc] # aiokafka ships no types
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "entries",
            Array(("error_code", Int16), ("error_message", String("utf-8")), ("entity", _ENTITY)),
        ),
    )


class _AlterClientQuotasV0(RequestStruct):  # type: ignore[misc] # as above
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", _ENTITY),
                ("ops", Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class _AlterClientQuotas(Request[_AlterClientQuotasV0]):  # type: ignore[misc] # as above
    API_KEY = 49

    def __init__(self, key: str, value: float | None) -> None:
        self._operation = (key, value or 0.0, value is None)

    def build(self, request_struct_class: type[_AlterClientQuotasV0]) -> _AlterClientQuotasV0:
        entity = [("client-id", CLIENT_ID)]
        return request_struct_class([(entity, [self._operation])], False)


@contextlib.asynccontextmanager
async def quota(bootstrap_servers: str, key: str, value: float) -> AsyncIterator[None]:
    """Set a quota of the service's client id, such as `producer_byte_rate`, for a while."""
    await set_quota(bootstrap_servers, key, value)
    try:
        yield
    finally:
        await set_quota(bootstrap_servers, key, None)


async def set_quota(bootstrap_servers: str, key: str, value: float | None) -> None:
    """Set a quota of the service's client id, or remove it with None."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    await client.bootstrap()
    try:
        response = await client.send(client.get_random_node(), _AlterClientQuotas(key, value))
        assert [0] == [code for code, *_ in response.entries], response
    finally:
        await client.close()
