"""What aiokafka's clients do in the background: whether their tasks run, and how to end them.

Exists because a background task of aiokafka that fails reports it to nobody: the consumer then
returns no records, for ever, and its `stop` raises the old error before the connections are closed.
A producer that fails leaves tasks behind that wait for ever. It fails where a connection is lost
while it looks for a coordinator. One whose records are refused for now sends them again for ever,
and one that brokers throttle does not know it. The names of those tasks, which are private to
aiokafka, may be used here only. What to do about all this is up to others.
"""

from __future__ import annotations

import asyncio
import contextlib
from itertools import chain
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError, NotEnoughReplicasError, for_code
from aiokafka.protocol.produce import ProduceRequest, ProduceRequest_v8

from service.errors import BrokerError, RetriableError
from service.kafka.client.connection import STOP_TIMEOUT_S, named, translated
from service.kafka.client.error_codes import (
    COORDINATOR_AWAY,
    COORDINATOR_AWAY_WORDS,
    WAITING,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
    from aiokafka.client import AIOKafkaClient
    from aiokafka.structs import OffsetAndMetadata

    from service.kafka.client.throttling import Pace
    from service.records import Outgoing

log = structlog.get_logger(__name__)

# Of what a broker says about an error: enough to say what is wrong with a record.
WORDS_MAX = 200
# Words that share as many bytes in a row with a record are not shown: they may quote a text.
QUOTED_BYTES = 16

# What each task does, the consumer's attribute that owns it, its name there, and whether it may
# end. Those that may are started again with each assignment: only an error of theirs is a failure.
_TASKS = (
    ("metadata", "_client", "_sync_task", False),
    ("fetching", "_fetcher", "_fetch_task", False),
    ("coordination", "_coordinator", "_coordination_task", False),
    ("heartbeats", "_coordinator", "_heartbeat_task", True),
    ("committed offsets", "_coordinator", "_commit_refresh_task", True),
)


def ended(consumer: AIOKafkaConsumer) -> BrokerError | RetriableError | None:
    """The reason why a started consumer has failed for good and is to be replaced, if it has."""
    for what, part, name, may_end in _TASKS:
        task: asyncio.Task[Any] | None = getattr(getattr(consumer, part, None), name, None)
        if task is None or not task.done():
            continue
        error = None if task.cancelled() else task.exception()
        if error is not None or not may_end:
            return _explained(what, error)
    return None


async def committed(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """What the group has committed, by partition; one request, however many they are.

    The public method asks for one partition at a time, and drops the metadata.

    Raises:
        KafkaError: the brokers refuse.
    """
    # No public way; waits, as the public one does, until a coordinator answers.
    found: dict[TopicPartition, OffsetAndMetadata] = (
        await consumer._coordinator.fetch_committed_offsets(places)  # noqa: SLF001
    )
    return found


def coordinator(consumer: AIOKafkaConsumer) -> int | None:
    """The id of the broker that coordinates the group, as far as this started consumer knows."""
    known: int | None = consumer._coordinator.coordinator_id  # noqa: SLF001 - no public way
    return known


def _explained(what: str, error: BaseException | None) -> BrokerError | RetriableError:
    # aiokafka wraps the original error in one of its own.
    cause = (error.__cause__ or error) if error is not None else None
    if isinstance(cause, Exception) and isinstance(known := translated(cause), BrokerError):
        return known
    reason = f" ({named(cause)})" if cause is not None else ""
    return RetriableError(f"the Kafka client's {what} ended{reason}; the group is joined anew")


async def stop(consumer: AIOKafkaConsumer | None) -> None:
    """Stop a consumer, whichever of its tasks have failed; takes at most twice STOP_TIMEOUT_S."""
    if consumer is None:
        return
    client = getattr(consumer, "_client", None)
    metadata: asyncio.Task[Any] | None = getattr(client, "_sync_task", None)
    if client is not None and metadata is not None and metadata.done():
        # `close` awaits this task, so it would raise the task's error before it closes anything.
        client._sync_task = None  # noqa: SLF001 - see above
    if not await closed(consumer.stop) and client is not None:
        await closed(client.close)


async def closed(close: Callable[[], Awaitable[None]]) -> bool:
    """Whether a part of a client was closed without an error, within STOP_TIMEOUT_S."""
    # In a task of its own: aiokafka cancels its tasks and awaits them. A CancelledError that comes
    # through from one of them would otherwise look like the cancellation of our caller.
    closing = asyncio.ensure_future(close())
    try:
        await asyncio.wait([closing], timeout=STOP_TIMEOUT_S)
    finally:
        closing.cancel()
    await asyncio.wait([closing])
    error = None if closing.cancelled() else closing.exception()
    # Errors of Kafka were reported when they happened, as was the state of a failed transaction.
    if error is not None and not isinstance(error, (KafkaError, AssertionError)):
        log.warning("the Kafka client did not stop cleanly", error=type(error).__name__)
    return not closing.cancelled() and error is None


def hang_up(client: AIOKafkaClient) -> None:
    """Drop all connections, with what they have not sent yet; waits for no broker."""
    for connection in getattr(client, "_conns", {}).values():
        if connection.connected():
            connection._writer.transport.abort()  # noqa: SLF001 - no public way


def versions(producer: AIOKafkaProducer) -> dict[int, tuple[int, int]] | None:
    """The versions of each request that a broker knows, by its key; None without a connection."""
    # The broker of the first connection that is found: all are of about the same version.
    connection = next(iter(getattr(producer.client, "_conns", {}).values()), None)
    return getattr(connection, "_versions", None)


async def find_group(producer: AIOKafkaProducer, group_id: str) -> None:
    """Look up a group's coordinator for the transactions of a started producer.

    aiokafka does so in the first transaction, by the connection that its records take: once these
    are throttled, the answer would come when the transaction is over its time.

    Raises:
        KafkaError: the brokers refuse.
    """
    sender = getattr(producer, "_sender", None)
    if sender is not None:
        await sender._find_coordinator(CoordinationType.GROUP, group_id)  # noqa: SLF001 - see above


def look_again(producer: AIOKafkaProducer) -> None:
    """Let a producer look for coordinators until one is found, for the time of a transaction.

    aiokafka looks again where brokers say so. A connection that breaks meanwhile, as it does with a
    broker that dies, ends its sender, and with it what waits for the coordinator.
    """
    sender = producer._sender  # noqa: SLF001 - see above
    find = sender._find_coordinator  # noqa: SLF001 - as above

    async def found(kind: int, key: str) -> int:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + sender._txn_manager.transaction_timeout_ms / 1000  # noqa: SLF001 - as above
        while True:
            try:
                node_id: int = await find(kind, key)
            except KafkaError as error:
                # aiokafka puts what it does not expect into an error of its own.
                again = error.retriable or getattr(error.__cause__, "retriable", False)
                if not again or loop.time() > deadline:
                    raise
                await asyncio.sleep(sender._retry_backoff)  # noqa: SLF001 - as above
            else:
                return node_id

    sender._find_coordinator = found  # noqa: SLF001 - as above


class Answers:
    """What brokers answer to a producer's records, where aiokafka keeps it from its user.

    aiokafka only logs which topics refuse records for now. It drops for how long brokers throttle,
    and in which words they refuse records (Kafka 2.4 and newer).
    """

    def __init__(self, client: AIOKafkaClient, pace: Pace) -> None:
        """Watch the answers that this client gets; throttling goes to `pace`."""
        self._last: dict[str, type[KafkaError]] = {}
        # By topic, of the last error with words.
        self._words: dict[str, tuple[type[KafkaError], str]] = {}
        # aiokafka has this version, which alone has the words, and does not ask for it.
        if ProduceRequest_v8 not in ProduceRequest._CLASSES:  # noqa: SLF001 - no public way
            ProduceRequest._CLASSES += (ProduceRequest_v8,)  # noqa: SLF001 - as above
        send = client.send

        async def watched(node: int, request: Any, **options: Any) -> Any:
            response = await send(node, request, **options)
            if isinstance(request, ProduceRequest):
                # The oldest brokers' answers do not have it.
                pace.note(getattr(response, "throttle_time_ms", 0) / 1000)
                self._note_refusals(response)
            return response

        client.send = watched

    def _note_refusals(self, response: Any) -> None:
        for topic, partitions in response.topics:
            for _, code, *more in partitions:
                kind = for_code(code)
                if code and (words := _words(more)):
                    self._words[topic] = (kind, words)
                    if kind is NotEnoughReplicasError and COORDINATOR_AWAY_WORDS in words:
                        kind = COORDINATOR_AWAY
                remedy = WAITING.get(kind)
                if remedy is not None:
                    if topic not in self._last:
                        error = kind.__name__
                        log.warning(
                            "a topic refuses records", topic=topic, error=error, remedy=remedy
                        )
                    self._last[topic] = kind
                elif not code:
                    self._last.pop(topic, None)

    def forget(self) -> None:
        """Begin anew: what was refused before does not explain a later error."""
        self._last.clear()
        self._words.clear()

    def worded(self, error: KafkaError, refused: Sequence[Outgoing]) -> KafkaError:
        """The error of a batch, with the broker's message if it has no text yet."""
        kind, words = self._words.get(refused[0].topic, (None, ""))
        if type(error) is not kind or error.args or any(_quotes(words, m) for m in refused):
            return error
        worded: KafkaError = type(error)(words)
        return worded

    def explained(self, error: Exception) -> Exception:
        """The last refusal, where `error` is a timeout; else `error`."""
        if not isinstance(error, TimeoutError) or not self._last:
            return error
        topic, kind = next(iter(self._last.items()))
        refusal: Exception = kind(f"topic {topic}")
        return refusal


def _words(answer: Sequence[Any]) -> str:
    """One bounded line of what a broker says, from an answer's fields behind the code."""
    if len(answer) < 5:
        # It is of a version before 8.
        return ""
    *_, records, summary = answer
    # The summary has the same in a longer form.
    text = next((words for _, words in records or () if words), summary) or ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:WORDS_MAX]


def _quotes(words: str, message: Outgoing) -> bool:
    text = words.encode()
    parts = {text[at : at + QUOTED_BYTES] for at in range(len(text) - QUOTED_BYTES + 1)}
    return any(
        part in content for content in (message.key, message.value) if content for part in parts
    )


async def abandon(producer: AIOKafkaProducer) -> None:
    """End the tasks and futures that a producer leaves behind if its `stop` fails or times out.

    The sender task and whoever awaits its batches would wait for ever, until asyncio logs a pending
    task that was destroyed, or an error of a batch that was never retrieved.
    """
    accumulator = getattr(producer, "_message_accumulator", None)
    if accumulator is None:
        return
    for batch in (*accumulator._pending_batches, *chain(*accumulator._batches.values())):  # noqa: SLF001 - see above
        batch.future.cancel()
        waiter = batch._drain_waiter  # noqa: SLF001 - see above
        if waiter.done() and not waiter.cancelled():
            waiter.exception()
    task = getattr(getattr(producer, "_sender", None), "sender_task", None)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_TIMEOUT_S):
            while task is not None and not task.done():
                # The first cancel makes it wait for its requests, the next one cancels those.
                task.cancel()
                await asyncio.wait({task}, timeout=0.1)
