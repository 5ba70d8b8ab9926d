"""A broker behind a proxy that counts the requests of a client by their kind.

Exists so that requests are counted on the wire, and not believed of the client. The broker has a
second listener, whose advertised address is the proxy's: a client that is told the proxy meets no
other port. Passing and counting make the client slower, so nothing is timed through it.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chaos.breaking.proxy import CHUNK_BYTES, Proxy
from tools.kafka.fronted import FRONT, fronted_broker
from tools.kafka.jar_broker import AS_SHIPPED, HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.breaking.proxy import Connection

# By the number that the protocol gives each kind of request: https://kafka.apache.org/protocol
NAMES = {
    0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit",
    9: "OffsetFetch", 10: "FindCoordinator", 11: "JoinGroup", 12: "Heartbeat", 13: "LeaveGroup",
    14: "SyncGroup", 18: "ApiVersions", 19: "CreateTopics", 22: "InitProducerId",
    24: "AddPartitionsToTxn", 25: "AddOffsetsToTxn", 26: "EndTxn", 28: "TxnOffsetCommit",
    32: "DescribeConfigs",
}  # fmt: skip
# How a request begins: bytes that follow the first number, kind, version. Then its own number.
HEAD = struct.Struct(">ihh")
BYTES_LEAST = 8

# Kind and version of a request.
Kind = tuple[str, int]


class Requests:
    """Counts the requests in the bytes of one connection, in pieces of any length."""

    def __init__(self, counts: Counter[Kind]) -> None:
        """Add to these counts."""
        self._counts = counts
        self._head = bytearray()
        self._left = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; a request counts as soon as its head is there.

        Raises:
            ValueError: these are no requests to Kafka, or they are encrypted.
        """
        rest = memoryview(data)
        while rest:
            if self._left:
                passed = min(self._left, len(rest))
                self._left -= passed
                rest = rest[passed:]
                continue
            taken = HEAD.size - len(self._head)
            self._head += rest[:taken]
            rest = rest[taken:]
            if len(self._head) == HEAD.size:
                size, kind, version = HEAD.unpack(self._head)
                if size < BYTES_LEAST:
                    raise ValueError(f"no request to Kafka has {size} bytes")
                self._counts[NAMES.get(kind, f"request {kind}"), version] += 1
                self._head.clear()
                self._left = size + 4 - HEAD.size


@dataclass
class CountingProxy(Proxy):
    """A proxy that counts the requests that pass."""

    counts: Counter[Kind] = field(default_factory=Counter)

    async def _pump(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if writer is connection.client:
            await super()._pump(connection, reader, writer)
            return
        requests = Requests(self.counts)
        while data := await reader.read(CHUNK_BYTES):
            requests.feed(data)
            writer.write(data)
            await writer.drain()

    @property
    def address(self) -> str:
        """Where a client finds the broker through it."""
        return f"{HOST}:{self.port}"


@contextlib.contextmanager
def _on_a_thread(proxy: CountingProxy) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result()
        yield
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def counted_broker() -> Iterator[tuple[str, CountingProxy]]:
    """Give the address of a broker with the settings that Kafka ships, and a proxy to it.

    Raises:
        BrokerUnavailableError: the jars cannot be had, or Java cannot run them.
    """
    with fronted_broker(java=AS_SHIPPED) as (broker, front):
        proxy = CountingProxy(front, broker.addresses[FRONT])
        with _on_a_thread(proxy):
            yield broker.bootstrap_servers, proxy
