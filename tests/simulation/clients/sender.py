"""Stands where the sender of aiokafka's producer stands, for what belongs to a transaction's end.

The service's own handlers run on it: what they send, with which generation, and what they do
without an answer.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.errors import BrokerResponseError, KafkaConnectionError
from aiokafka.producer.sender import EndTxnHandler
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.transaction import EndTxnRequest

from service.kafka.client.offset_requests import TxnOffsetCommitRequest
from service.records import Partition
from simulation.network import RETRY_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulation.network import Network

_TXN_OFFSET_COMMIT = {TxnOffsetCommitRequest.API_KEY: (0, 5)}
_END_TXN = {EndTxnRequest.API_KEY: (0, 1)}


class Sender:
    """Stands for aiokafka's `Sender`, with its real state of the transaction."""

    def __init__(
        self, network: Network, transactional_id: str, flush: Callable[[], Awaitable[None]]
    ) -> None:
        """Send nothing yet."""
        self.client = SimpleNamespace(send=self._send)
        self._network = network
        self._retry_backoff = RETRY_S
        self._txn_manager = TransactionManager(transactional_id, 0)
        self._message_accumulator = SimpleNamespace(flush_for_commit=flush)

    async def _find_coordinator(self, _kind: object, _key: str) -> int:
        return 0

    def _coordinator_dead(self, _kind: object) -> None:
        pass

    async def _do_txn_offset_commit(self, _offsets: Any, _group: str) -> None:
        raise AssertionError("the service is to replace it")

    async def _do_txn_commit(self, result: int) -> None:
        # As aiokafka does it: without an answer it asks again.
        await EndTxnHandler(self, result).do(0)

    async def _send(self, _node: int, request: Any, group: object) -> SimpleNamespace:  # noqa: ARG002 - as aiokafka's
        if isinstance(request, TxnOffsetCommitRequest):
            return await self._commit_offsets(request.prepare(_TXN_OFFSET_COMMIT))
        end = request.prepare(_END_TXN)
        brokers = self._network.brokers
        code = await self._code_of(
            "end", lambda: brokers.end_transaction(end.transactional_id, end.producer_epoch)
        )
        return SimpleNamespace(error_code=code)

    async def _commit_offsets(self, request: Any) -> SimpleNamespace:
        offsets = {
            Partition(topic, number): offset
            for topic, partitions, _ in request.topics
            for number, offset, *_ in partitions
        }
        group = self._network.group(request.group_id)
        brokers = self._network.brokers
        identity = (request.transactional_id, request.producer_epoch, request.group_id)

        def handle() -> None:
            group.check(request.member_id, request.generation_id)
            brokers.commit_offsets(*identity, offsets)

        code = await self._code_of("offsets", handle)
        return SimpleNamespace(
            topics=[(p.topic, [(p.number, code, {})], {}) for p in sorted(offsets)]
        )

    async def _code_of(self, name: str, handle: Callable[[], None]) -> int:
        """The error code of an answer.

        Raises:
            KafkaConnectionError: there is none; the request may be handled yet.
        """
        try:
            await self._network.request(name, handle, may_arrive_late=True)
        except BrokerResponseError as error:
            return int(error.errno)
        except KafkaConnectionError:
            await asyncio.sleep(RETRY_S)
            raise
        return 0
