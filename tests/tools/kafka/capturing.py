"""A broker behind a proxy that keeps what a client asks and gets, byte for byte.

Exists so that layouts of requests can be held against those of another client. A proxy can also
tell the client that the broker has no newer version of a request than one: the client then sends
that one. May not import the service.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, NamedTuple

from tools.kafka.fronted import FRONT
from tools.kafka.jar_broker import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tools.kafka.jar_broker import JarBroker

_SIZE = struct.Struct(">i")
# Kind, version, a number that the answer has too, length of the client's name.
_HEAD = struct.Struct(">hhih")
_API_VERSIONS = 18


class Exchange(NamedTuple):
    """A request and its answer, each without what comes before its first field."""

    kind: int
    version: int
    request: bytes
    answer: bytes


class Capture:
    """Passes requests and answers, whole, and keeps them; for flexible versions only."""

    def __init__(self, target: str, newest: Mapping[int, int]) -> None:
        """`newest` is the newest version of some kinds of requests that clients are told of."""
        self.exchanges: list[Exchange] = []
        self._target = target
        self._newest = newest
        self._connections: set[asyncio.Task[None]] = set()

    def of(self, kind: int) -> list[Exchange]:
        """What was asked and answered of one kind."""
        return [exchange for exchange in self.exchanges if exchange.kind == kind]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        host, _, port = self._target.rpartition(":")
        from_broker, to_broker = await asyncio.open_connection(host, int(port))
        asked: dict[int, tuple[int, int, bytes]] = {}
        forth = asyncio.create_task(self._ask(reader, to_broker, asked))
        try:
            # Cancelled by `stop`, which asyncio's server would take for an error.
            with contextlib.suppress(asyncio.CancelledError):
                await self._answer(from_broker, writer, asked)
        finally:
            forth.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(forth, return_exceptions=True)
            for end in (to_broker, writer):
                end.close()
            self._connections.discard(task)

    async def stop(self) -> None:
        """End all connections."""
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asked: dict[int, tuple[int, int, bytes]],
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while frame := await _frame(reader):
                kind, version, number, name_bytes = _HEAD.unpack_from(frame)
                # The name, and the count of tags, of which there are none.
                body = frame[_HEAD.size + max(0, name_bytes) + 1 :]
                asked[number] = (kind, version, body)
                writer.write(_SIZE.pack(len(frame)) + frame)
        # The broker closes the other way in turn.
        writer.close()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asked: dict[int, tuple[int, int, bytes]],
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while frame := await _frame(reader):
                kind, version, request = asked.pop(_SIZE.unpack_from(frame)[0])
                if kind == _API_VERSIONS:
                    frame = self._aged(frame)
                # The number, and the count of tags.
                self.exchanges.append(Exchange(kind, version, request, frame[_SIZE.size + 1 :]))
                writer.write(_SIZE.pack(len(frame)) + frame)

    def _aged(self, frame: bytes) -> bytes:
        """An answer about versions, with the newest ones that clients are to know."""
        aged = bytearray(frame)
        # Number, error, count of kinds and one; then kind, oldest, newest, count of tags.
        begin = _SIZE.size + 3
        for at in range(begin, begin + 7 * (aged[begin - 1] - 1), 7):
            kind, _, newest = struct.unpack_from(">hhh", aged, at)
            struct.pack_into(">h", aged, at + 4, min(newest, self._newest.get(kind, newest)))
        return bytes(aged)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    [size] = _SIZE.unpack(await reader.readexactly(_SIZE.size))
    return await reader.readexactly(size)


@contextlib.asynccontextmanager
async def captured(
    broker: JarBroker, front: int, newest: Mapping[int, int]
) -> AsyncIterator[Capture]:
    """Give a proxy before the second listener, on the loop of the caller."""
    capture = Capture(broker.addresses[FRONT], newest)
    server = await asyncio.start_server(capture.serve, HOST, front)
    try:
        yield capture
    finally:
        server.close()
        await capture.stop()
