"""The end of a session's producer, whose brokers read nothing from it any more."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock

import pytest
from aiokafka.conn import AIOKafkaConnection

from service.kafka.client import background
from service.kafka.producer import Producer
from tools.kafka.tls import Authority

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
# Far longer than it takes to drop a connection.
STOP_S = 0.5


@pytest.mark.parametrize("throttled", [True, False])
async def test_a_producer_ends_though_brokers_do_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, throttled: bool
) -> None:
    """Over TLS they would have to answer that the connection ends; nobody is cancelled by that.

    Where brokers throttle, they are not waited for.
    """
    monkeypatch.setattr(background, "STOP_TIMEOUT_S", STOP_S)
    # The server is no broker.
    monkeypatch.setattr(AIOKafkaConnection, "_do_version_lookup", AsyncMock())
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    accepted: list[Any] = []

    class Deaf(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            accepted.append(transport)
            came.set()
            # Below TLS too.
            transport._ssl_protocol._transport.pause_reading()

    authority = Authority(tmp_path / "ca.pem")
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(*authority.issue("broker", HOST, tmp_path))
    server = await loop.create_server(Deaf, HOST, 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    producer = Producer({"bootstrap_servers": f"{HOST}:{port}"})
    context = ssl.create_default_context(cafile=authority.file)
    connection = AIOKafkaConnection(
        HOST, port, ssl_context=context, security_protocol="SSL", client_id="test"
    )
    await connection.connect()
    producer.client._conns[(1, 0)] = connection
    await came.wait()
    if throttled:
        producer.pace.note(60.0)
    began = loop.time()
    await producer.stop()

    assert throttled is (loop.time() - began < STOP_S)
    assert not connection.connected()
    server.close()
    for transport in accepted:
        transport.abort()
    await asyncio.sleep(0.05)
