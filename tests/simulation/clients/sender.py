"""Stands where the sender of aiokafka's producer stands, for what belongs to a transaction's end.

The service's own handlers run on it: what they send, with which generation, and what they do
without an answer.
"""

from __future__ import annotations

import asyncio
import struct
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.client import ConnectionGroup
from aiokafka.errors import BrokerResponseError, KafkaConnectionError
from aiokafka.producer.sender import EndTxnHandler
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import EndTxnRequest
from aiokafka.protocol.types import CompactString

from service.kafka.client.offset_requests import TxnOffsetCommitRequest
from service.kafka.transactions.requests import ApiVersionsRequest, ApiVersionsResponse_v3
from service.kafka.transactions.version_two import FEATURE
from service.records import Partition
from simulation.network import RETRY_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulation.network import Network

_VERSIONS = {
    ProduceRequest.API_KEY: (0, 13),
    ApiVersionsRequest.API_KEY: (0, 4),
    EndTxnRequest.API_KEY: (0, 5),
    TxnOffsetCommitRequest.API_KEY: (0, 5),
}
_COORDINATOR = (0, ConnectionGroup.COORDINATION)


class Sender:
    """Stands for aiokafka's `Sender`, with its real state of the transaction."""

    def __init__(
        self, network: Network, transactional_id: str, flush: Callable[[], Awaitable[None]]
    ) -> None:
        """Send nothing yet."""
        self.client = SimpleNamespace(send=self._send, _conns={})
        # Whoever replaces it lets transactions be of version 2.
        self._send_produce_req: Any = None
        self._network = network
        self._retry_backoff = RETRY_S
        self._txn_manager = TransactionManager(transactional_id, 0)
        self._message_accumulator = SimpleNamespace(flush_for_commit=flush)

    @property
    def is_of_version_two(self) -> bool:
        """Whether transactions are."""
        return self._send_produce_req is not None

    async def _find_coordinator(self, _kind: object, _key: str) -> int:
        return 0

    def _coordinator_dead(self, _kind: object) -> None:
        pass

    async def _do_txn_offset_commit(self, _offsets: Any, _group: str) -> None:
        raise AssertionError("the service is to replace it")

    async def _do_txn_commit(self, result: int) -> None:
        # As aiokafka does it: without an answer it asks again.
        await EndTxnHandler(self, result).do(0)

    async def _send(self, _node: int, request: Any, group: object) -> Any:  # noqa: ARG002 - as aiokafka's
        connection = SimpleNamespace(connected=lambda: True)
        self.client._conns.setdefault(_COORDINATOR, connection)
        asked = request.prepare(_VERSIONS)
        if isinstance(request, ApiVersionsRequest):
            return await self._tell_versions()
        if isinstance(request, TxnOffsetCommitRequest):
            return await self._commit_offsets(asked)
        brokers = self._network.brokers
        end = brokers.end_transaction if asked.API_VERSION < 5 else brokers.move_on
        code, epoch = await self._answer(
            "end", lambda: end(asked.transactional_id, asked.producer_epoch)
        )
        return SimpleNamespace(error_code=code, producer_id=0, producer_epoch=epoch)

    async def _tell_versions(self) -> Any:
        brokers = self._network.brokers
        _, level = await self._answer("api versions", lambda: brokers.version)
        # One feature by name, the highest and the lowest level that was agreed on; no tags.
        finalized = b"\x02" + CompactString().encode(FEATURE) + struct.pack(">hhx", level, level)
        known = [(key, *versions) for key, versions in _VERSIONS.items()]
        return ApiVersionsResponse_v3(0, known, 0, {1: bytes(8), 2: finalized})

    async def _commit_offsets(self, request: Any) -> SimpleNamespace:
        offsets = {
            Partition(topic, number): offset
            for topic, partitions, _ in request.topics
            for number, offset, *_ in partitions
        }
        group = self._network.group(request.group_id)
        brokers = self._network.brokers
        identity = (request.transactional_id, request.producer_epoch, request.group_id)
        commit = brokers.commit_offsets if request.API_VERSION < 5 else brokers.join_group

        def handle() -> None:
            group.check(request.member_id, request.generation_id)
            commit(*identity, offsets)

        code, _ = await self._answer("offsets", handle)
        return SimpleNamespace(
            topics=[(p.topic, [(p.number, code, {})], {}) for p in sorted(offsets)]
        )

    async def _answer(self, name: str, handle: Callable[[], Any]) -> tuple[int, Any]:
        """The error code of an answer, and what else it says.

        Raises:
            KafkaConnectionError: there is none; the request may be handled yet.
        """
        try:
            told = await self._network.request(name, handle, may_arrive_late=True)
        except BrokerResponseError as error:
            return int(error.errno), None
        except KafkaConnectionError:
            self.client._conns.clear()
            await asyncio.sleep(RETRY_S)
            raise
        return 0, told
