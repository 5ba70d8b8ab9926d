"""Committing in a transaction as a member of the group, and reading offsets that cannot move.

This is what makes one transactional producer for each process safe (KIP-447): the group's
coordinator refuses the offsets of a member that has lost its partitions, and gives no offset that
an open transaction may still move. aiokafka does neither; its sender's methods, which are private
to it, are replaced here only.

A request that got no answer is not sent again in the same epoch of the producer: it may still
arrive, when the next transaction is open, and would then commit that one too early, or put an older
offset into it (KIP-890). The start of another producer with the same id ends that epoch. In
transactions of version 2 the next one has another epoch anyway (`transactions`). Nothing may enter
that knows what is published.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    KafkaError,
    NodeNotReadyError,
    NotCoordinatorError,
    RequestTimedOutError,
    StaleLeaderEpochCodeError,
    for_code,
)
from aiokafka.producer.sender import BACKOFF_OVERRIDE, EndTxnHandler, TxnOffsetCommitHandler
from aiokafka.structs import OffsetAndMetadata

from service.errors import RetriableError
from service.kafka.client.background import look_again
from service.kafka.client.error_codes import UNSTABLE_OFFSET_COMMIT
from service.kafka.client.offset_requests import (
    NOBODY,
    Membership,
    OffsetFetchRequest,
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequest_v3,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

# The broker asks to send the request again. It has answered, so nothing is left to arrive late.
# A group that may have moved, as when offsets are on too few replicas so far, is looked up again.
_MOVED = (CoordinatorNotAvailableError, NotCoordinatorError, RequestTimedOutError)
_AGAIN = (
    *_MOVED,
    CoordinatorLoadInProgressError,
    # The transaction before has no marker here yet; only where offsets begin a transaction.
    ConcurrentTransactions,
    # Code 13, NETWORK_EXCEPTION by now: the broker has not reached the transaction's coordinator.
    StaleLeaderEpochCodeError,
)

# How often an offset is asked for that an open transaction has, and for how long at a time: the
# owner's transaction ends within milliseconds, or that of a process that died at its timeout.
UNSTABLE_RETRY_S = 0.05
UNSTABLE_WAIT_S = 2.0


def membership(consumer: AIOKafkaConsumer) -> Membership:
    """As whom this consumer is in its group now; a generation of -1 means that it is not."""
    coordinator = consumer._coordinator  # noqa: SLF001 - no public way
    instance_id = getattr(coordinator, "_group_instance_id", None)
    return Membership(coordinator.generation, coordinator.member_id, instance_id)


class CommitOffsets(TxnOffsetCommitHandler):  # type: ignore[misc] # aiokafka ships no types
    """Commits offsets with a membership; whatever is refused fails the transaction."""

    version = TxnOffsetCommitRequest_v3
    # Whether a request without an answer may be sent again.
    repeats = False

    def __init__(
        self,
        sender: Any,
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        group_id: str,
        member: Membership,
    ) -> None:
        """Of the open transaction."""
        super().__init__(sender, offsets, group_id)
        manager = sender._txn_manager  # noqa: SLF001 - see the module
        producer = (manager.producer_id, manager.producer_epoch)
        # The offsets are a dict of aiokafka's, which loses each that is committed.
        self._request = TxnOffsetCommitRequest(
            manager.transactional_id, producer, group_id, member, dict(offsets), self.version
        )

    async def do(self, node_id: int) -> bool:
        """See aiokafka."""
        return await _ask_once(self, self._request, node_id)

    def handle_response(self, response: Any) -> float | None:
        """See aiokafka."""
        manager = self._sender._txn_manager  # noqa: SLF001 - see the module
        answers = [
            (TopicPartition(topic, number), for_code(code))
            for topic, partitions, *_ in response.topics
            for number, code, *_ in partitions
        ]
        refused = [kind for _, kind in answers if kind.errno]
        # What is refused for good is not to be hidden by what may be tried again.
        worst = min(refused, key=lambda kind: issubclass(kind, _AGAIN), default=None)
        if worst is None:
            for place, _ in answers:
                manager.offset_committed(place, self._offsets[place].offset, self._group_id)
            return None
        if issubclass(worst, _AGAIN):
            if any(issubclass(kind, _MOVED) for kind in refused):
                return float(self.handle_error())
            marked_soon = worst is ConcurrentTransactions
            return float(BACKOFF_OVERRIDE if marked_soon else self._default_backoff)
        manager.error_transaction(worst(self._group_id))
        return None


class EndTransaction(EndTxnHandler):  # type: ignore[misc] # aiokafka ships no types
    """Ends a transaction."""

    repeats = False

    async def do(self, node_id: int) -> bool:
        """See aiokafka."""
        return await _ask_once(self, self.create_request(), node_id)


class Handlers(NamedTuple):
    """What a producer's sender ends transactions with, according to their version."""

    commit: type[CommitOffsets] = CommitOffsets
    end: type[EndTransaction] = EndTransaction


async def _ask_once(handler: Any, request: Any, node_id: int) -> bool:
    """Send a request and handle its answer; without one the transaction may have failed."""
    sender = handler._sender  # noqa: SLF001 - see the module
    try:
        response = await sender.client.send(node_id, request, group=ConnectionGroup.COORDINATION)
    except NodeNotReadyError:
        # It was not sent.
        delay_s = handler.handle_error()
    except KafkaError as error:
        delay_s = handler.handle_error()
        if handler.repeats and error.retriable:
            await asyncio.sleep(delay_s)
            return False
        sender._txn_manager.fatal_error(error)  # noqa: SLF001 - see the module
        return False
    else:
        delay_s = handler.handle_response(response)
    if delay_s is not None:
        await asyncio.sleep(delay_s)
    return delay_s is None


def _take_errors(manager: Any) -> None:
    """Let nothing that fails a transaction be logged by asyncio as an error that nobody saw.

    Whoever waits for it gets it. Often nobody does: the sender fails by itself, when another
    process has started a producer of the same id, or when the commit has been given up.
    """

    def taking(fail: Callable[[BaseException], None]) -> Callable[[BaseException], None]:
        def failing(error: BaseException) -> None:
            waiting = [future for *_, future in manager._pending_txn_offsets]  # noqa: SLF001 - see the module
            fail(error)
            for future in (*waiting, manager.wait_for_transaction_end()):
                if not future.cancelled():
                    future.exception()

        return failing

    manager.error_transaction = taking(manager.error_transaction)
    manager.fatal_error = taking(manager.fatal_error)


async def send_offsets(
    producer: AIOKafkaProducer,
    offsets: Mapping[TopicPartition, OffsetAndMetadata],
    group_id: str,
    member: Membership | None,
) -> None:
    """Put a group's offsets into the open transaction, as one of its members.

    `member` is None for a group that never has any: then the transactional id alone decides who
    commits.

    Raises:
        KafkaError: one of `error_codes.LOST` if the group was formed without the member; the
            transaction can only be given up.
        RetriableError: it is in no generation now, and brokers would not check it.
    """
    if member is not None and (member.generation < 0 or not member.member_id):
        raise RetriableError("the group is being joined")
    sender = producer._sender  # noqa: SLF001 - see the module

    async def commit(pending: Mapping[TopicPartition, OffsetAndMetadata], group: str) -> None:
        try:
            node = await sender._find_coordinator(CoordinationType.GROUP, group)  # noqa: SLF001 - as above
        except GroupAuthorizationFailedError as error:
            sender._txn_manager.error_transaction(error)  # noqa: SLF001 - as above
        else:
            await sender.handlers.commit(sender, pending, group, member or NOBODY).do(node)

    sender._do_txn_offset_commit = commit  # noqa: SLF001 - see the module
    await producer.send_offsets_to_transaction(dict(offsets), group_id)


def add_partitions(producer: AIOKafkaProducer, places: Iterable[TopicPartition]) -> None:
    """Let the open transaction write to these, by one request; aiokafka asks when it sends."""
    manager = producer._sender._txn_manager  # noqa: SLF001 - see the module
    for place in places:
        manager.maybe_add_partition_to_txn(place)


def send_ends_once(producer: AIOKafkaProducer) -> None:
    """Let a started producer ask for the end of a transaction once for each epoch.

    Errors of its transactions are then those of whoever waits for them, and of nobody else.
    """
    sender = producer._sender  # noqa: SLF001 - see the module
    sender.handlers = Handlers()
    look_again(producer)
    _take_errors(sender._txn_manager)  # noqa: SLF001 - as above

    async def end(result: Any) -> None:
        await sender._message_accumulator.flush_for_commit()  # noqa: SLF001 - as aiokafka does
        manager = sender._txn_manager  # noqa: SLF001 - as above
        if manager.is_empty_transaction():
            manager.complete_transaction()
            return
        identity = manager.transactional_id
        node = await sender._find_coordinator(CoordinationType.TRANSACTION, identity)  # noqa: SLF001 - as above
        await sender.handlers.end(sender, result).do(node)

    sender._do_txn_commit = end  # noqa: SLF001 - see the module


async def stable_offsets(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """What the group has committed, by partition, once no open transaction may move it.

    One request, however many partitions; waits, as aiokafka does, until a coordinator answers.

    Raises:
        RetriableError: a transaction has some of them for longer than UNSTABLE_WAIT_S.
        KafkaError: the brokers refuse.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - no public way
    retry_s = coordinator._retry_backoff_ms / 1000  # noqa: SLF001 - as above
    loop = asyncio.get_running_loop()
    deadline = loop.time() + UNSTABLE_WAIT_S
    while places:
        await coordinator.ensure_coordinator_known()
        request = OffsetFetchRequest(coordinator.group_id, places)
        try:
            return _offsets(await coordinator._send_req(request), coordinator.group_id)  # noqa: SLF001 - no public way
        except UNSTABLE_OFFSET_COMMIT as error:
            if loop.time() > deadline:
                raise RetriableError(
                    f"the committed offset of {error} waits for the end of a transaction, which "
                    "another replica may have left open; the brokers end it at its timeout"
                ) from error
            await asyncio.sleep(UNSTABLE_RETRY_S)
        except NotCoordinatorError:
            coordinator.coordinator_dead()
            await asyncio.sleep(retry_s)
        except KafkaError as error:
            if not error.retriable:
                raise
            await asyncio.sleep(retry_s)
    return {}


def _offsets(response: Any, group_id: str) -> dict[TopicPartition, OffsetAndMetadata]:
    if response.error_code:
        kind = for_code(response.error_code)
        raise kind(group_id)
    found = {}
    for topic, partitions, _ in response.topics:
        for number, offset, _epoch, metadata, code, _tags in partitions:
            if code:
                raise for_code(code)(f"{topic}/{number}")
            if offset >= 0:
                found[TopicPartition(topic, number)] = OffsetAndMetadata(offset, metadata or "")
    return found
