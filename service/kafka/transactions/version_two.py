"""Transactions of version 2 (KIP-890), where the brokers offer them: three requests, not five.

Produce and TxnOffsetCommit add what they write to the transaction, so that nothing is added before.
EndTxn moves the producer's epoch on and answers it: whatever arrives late is of an older epoch and
is refused, so a request without an answer may be sent again. A repeated EndTxn of a transaction
that has ended as it asks is answered like the first one.

Whether to use them is up to the cluster: its feature `transaction.version`, which its brokers tell
each connection, as they do the versions of requests. It is looked up when a producer starts, and
when a transaction begins on another connection than the one before; a change of it needs another
producer, whose start moves the epoch on. aiokafka has none of this; its sender's methods, which
are private to it, are replaced here only. Nothing may enter that knows what is published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import ConcurrentTransactions, IncompatibleBrokerVersion, KafkaError
from aiokafka.producer.sender import BACKOFF_OVERRIDE, SendProduceReqHandler
from aiokafka.producer.transaction_manager import PidAndEpoch

from service.errors import RetriableError
from service.kafka.client.generations import (
    CommitOffsets,
    EndTransaction,
    Handlers,
    send_ends_once,
)
from service.kafka.client.offset_requests import TxnOffsetCommitRequest_v5
from service.kafka.transactions.requests import (
    ApiVersionsRequest,
    EndTxnRequest_v5,
    ProduceRequest_v12,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaProducer, TopicPartition
    from aiokafka.structs import OffsetAndMetadata

log = structlog.get_logger(__name__)

FEATURE, LEVEL = "transaction.version", 2
# At most so long between two requests while markers are missing.
CONCURRENT_BACKOFF_MAX_S = 1.0
_REQUESTS = (ProduceRequest_v12, TxnOffsetCommitRequest_v5, EndTxnRequest_v5)


class _Produce(SendProduceReqHandler):  # type: ignore[misc] # aiokafka ships no types
    def create_request(self) -> Any:
        request = super().create_request()
        request._CLASSES = (ProduceRequest_v12,)  # noqa: SLF001 - no public way
        return request

    def _can_retry(self, error: KafkaError, batch: Any) -> bool:
        # The transaction before has no markers yet. Brokers wait for them before they answer so.
        if isinstance(error, ConcurrentTransactions):
            # The count is 1 when a batch has been sent once. Beyond 10 the power has no use.
            doubled = min(batch.retry_count - 1, 10)
            self._default_backoff = min(BACKOFF_OVERRIDE * 2**doubled, CONCURRENT_BACKOFF_MAX_S)
            return True
        return bool(super()._can_retry(error, batch))


class _CommitOffsets(CommitOffsets):
    version = TxnOffsetCommitRequest_v5
    repeats = True


class _EndTransaction(EndTransaction):
    repeats = True

    def create_request(self) -> Any:
        request = super().create_request()
        request._CLASSES = (EndTxnRequest_v5,)  # noqa: SLF001 - no public way
        return request

    def handle_response(self, response: Any) -> float | None:
        if not response.error_code:
            _move_on(self._sender._txn_manager, response.producer_id, response.producer_epoch)  # noqa: SLF001 - see the module
        delay_s: float | None = super().handle_response(response)
        return delay_s


def _move_on(manager: Any, producer_id: int, epoch: int) -> None:
    """Go on as who the brokers say: sequences of another epoch begin anew."""
    manager._pid_and_epoch = PidAndEpoch(producer_id, epoch)  # noqa: SLF001 - see the module
    manager._sequence_numbers.clear()  # noqa: SLF001 - as above


async def use_if_offered(producer: AIOKafkaProducer) -> None:
    """Let a producer that has just started do as its brokers say; else as `generations` has it.

    Raises:
        KafkaError: they do not answer.
    """
    send_ends_once(producer)
    sender = producer._sender  # noqa: SLF001 - see the module
    sender.offered = await _offered(sender)
    log.info("transactional producer", transaction_version=LEVEL if sender.offered else 1)
    if not sender.offered:
        return
    manager = sender._txn_manager  # noqa: SLF001 - as above
    add_offsets = manager.add_offsets_to_txn

    def add_group(offsets: Mapping[TopicPartition, OffsetAndMetadata], group_id: str) -> Any:
        added = add_offsets(offsets, group_id)
        manager.consumer_group_added(group_id)
        return added

    async def produce(node_id: int, batches: Mapping[TopicPartition, Any]) -> None:
        # As aiokafka does it, by another handler.
        await _Produce(sender, batches).do(node_id)
        sender._in_flight.remove(node_id)  # noqa: SLF001 - as above
        sender._muted_partitions.difference_update(batches)  # noqa: SLF001 - as above

    manager.maybe_add_partition_to_txn = manager.txn_partitions.add
    manager.add_offsets_to_txn = add_group
    sender._send_produce_req = produce  # noqa: SLF001 - as above
    sender.handlers = Handlers(_CommitOffsets, _EndTransaction)


async def check(producer: AIOKafkaProducer) -> None:
    """Look whether brokers offer the same as when the producer started.

    Not on the connection that was asked already, as long as it is open.

    Raises:
        RetriableError: they do not; another producer is needed.
    """
    sender = producer._sender  # noqa: SLF001 - see the module
    try:
        connection = _connection(sender, await _coordinator(sender))
        if connection is not None and connection is sender.asked:
            return
        offered = await _offered(sender)
    except KafkaError:
        # What they said last holds; the transaction's own requests find out what is wrong.
        return
    if offered != sender.offered:
        raise RetriableError("the brokers have changed the version of their transactions")


async def _offered(sender: Any) -> bool:
    node_id = await _coordinator(sender)
    try:
        told = await sender.client.send(
            node_id, ApiVersionsRequest(), group=ConnectionGroup.COORDINATION
        )
    except (IncompatibleBrokerVersion, NotImplementedError):
        # It knows no features.
        return False
    finally:
        sender.asked = _connection(sender, node_id)
    return bool(told.level(FEATURE) >= LEVEL and all(map(told.knows, _REQUESTS)))


async def _coordinator(sender: Any) -> int:
    manager = sender._txn_manager  # noqa: SLF001 - see the module
    node_id: int = await sender._find_coordinator(  # noqa: SLF001 - as above
        CoordinationType.TRANSACTION, manager.transactional_id
    )
    return node_id


def _connection(sender: Any, node_id: int) -> Any:
    connections = getattr(sender.client, "_conns", {})
    found = connections.get((node_id, ConnectionGroup.COORDINATION))
    return found if found is not None and found.connected() else None
