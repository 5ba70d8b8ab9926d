"""A proxy before each broker, which makes the network slow, resets it, or leaves it half-open.

Passes bytes and knows nothing of Kafka. The service meets the brokers through it alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.kafka.jar_broker import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_BYTES = 64 * 2**10
# Closing with this on sends a reset, as a router does that has forgotten the connection.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class Connection:
    """One connection of a client; `dead` ones take bytes and give none."""

    client: asyncio.StreamWriter
    dead: bool = False
    swallowed_bytes: int = 0

    def reset(self) -> None:
        """Break it off."""
        raw = self.client.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.client.transport.abort()


@dataclass
class Proxy:
    """Listens on one port and passes to another; what it did is counted."""

    port: int
    target: str
    latency_s: float = 0.0
    accept_dead: bool = False
    accepted: int = 0
    delayed_chunks: int = 0
    connections: set[Connection] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _handlers: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def stop(self) -> None:
        """Close the listener and all connections."""
        if self._server is not None:
            self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    def choose(self, chosen: Callable[[], bool]) -> list[Connection]:
        """The connections for which a coin says so."""
        return [connection for connection in self.connections if chosen()]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        connection = Connection(writer, dead=self.accept_dead)
        self.accepted += 1
        self.connections.add(connection)
        try:
            await self._join(connection, reader)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.connections.discard(connection)
            self._handlers.discard(task)
            writer.close()

    async def _join(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        host, _, port = self.target.rpartition(":")
        try:
            from_broker, to_broker = await asyncio.open_connection(host, int(port))
        except OSError:
            # As the broker's own port would: nobody is there.
            connection.reset()
            return
        forth = asyncio.create_task(self._pump(connection, reader, to_broker))
        back = asyncio.create_task(self._pump(connection, from_broker, connection.client))
        try:
            await asyncio.wait({forth, back}, return_when=asyncio.FIRST_COMPLETED)
            if connection.dead:
                # The client is not told that the broker has gone; that it leaves itself, ends it.
                await forth
        finally:
            forth.cancel()
            back.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)
            to_broker.transport.abort()

    async def _pump(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if self.latency_s:
                self.delayed_chunks += 1
                await asyncio.sleep(self.latency_s)
            if connection.dead:
                connection.swallowed_bytes += len(data)
                continue
            writer.write(data)
            await writer.drain()
