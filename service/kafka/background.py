"""What aiokafka's clients run in the background: whether it still does, and how to end it.

Exists because a task of aiokafka that ends by an error tells nobody: the consumer then returns
nothing, for ever, and stopping it raises that old error before its connections are closed; a
producer that fails leaves tasks behind that wait for ever. Only this may know the names of those
tasks. What is done about it is the session's.
"""

from __future__ import annotations

import asyncio
import contextlib
from itertools import chain
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.errors import KafkaError

from service.errors import BrokerError, RetriableError
from service.kafka.connection import STOP_TIMEOUT_S, translated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

log = structlog.get_logger(__name__)

# What each does, its part of the consumer, its name there, and whether it may end: those that may
# come and go with each assignment, and are missed only where an error ended them.
_TASKS = (
    ("metadata", "_client", "_sync_task", False),
    ("fetching", "_fetcher", "_fetch_task", False),
    ("coordination", "_coordinator", "_coordination_task", False),
    ("heartbeats", "_coordinator", "_heartbeat_task", True),
    ("committed offsets", "_coordinator", "_commit_refresh_task", True),
)


def ended(consumer: AIOKafkaConsumer) -> BrokerError | RetriableError | None:
    """Why a started consumer will not go on, if so; only another one in its place does then."""
    for what, part, name, may_end in _TASKS:
        task: asyncio.Task[Any] | None = getattr(getattr(consumer, part, None), name, None)
        if task is None or not task.done():
            continue
        error = None if task.cancelled() else task.exception()
        if error is not None or not may_end:
            return _explained(what, error)
    return None


def coordinator(consumer: AIOKafkaConsumer) -> int | None:
    """The broker that coordinates the group of a started consumer, as far as that one knows."""
    known: int | None = consumer._coordinator.coordinator_id  # noqa: SLF001 - no public way
    return known


def _explained(what: str, error: BaseException | None) -> BrokerError | RetriableError:
    # aiokafka puts its own error around what happened.
    cause = (error.__cause__ or error) if error is not None else None
    if isinstance(cause, Exception) and isinstance(known := translated(cause), BrokerError):
        return known
    said = f" ({type(cause).__name__}: {str(cause)[:200]})" if cause is not None else ""
    return RetriableError(f"the Kafka client's {what} ended{said}; the group is joined anew")


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, whatever of it has ended; takes at most twice STOP_TIMEOUT_S."""
    client = getattr(consumer, "_client", None)
    metadata: asyncio.Task[Any] | None = getattr(client, "_sync_task", None)
    if client is not None and metadata is not None and metadata.done():
        # Closing would raise its error, each time.
        client._sync_task = None  # noqa: SLF001 - see above
    if not await _closed(consumer.stop) and client is not None:
        await _closed(client.close)


async def _closed(close: Callable[[], Awaitable[None]]) -> bool:
    # A task of its own: aiokafka cancels tasks of its own and awaits them, and what that raises
    # would pass for the end of whoever awaits this.
    closing = asyncio.ensure_future(close())
    try:
        await asyncio.wait([closing], timeout=STOP_TIMEOUT_S)
    finally:
        closing.cancel()
    await asyncio.wait([closing])
    error = None if closing.cancelled() else closing.exception()
    # An error of Kafka, or one that a task died of, was said already.
    if error is not None and not isinstance(error, KafkaError):
        log.warning("the Kafka client did not stop cleanly", error=type(error).__name__)
    return not closing.cancelled() and error is None


async def abandon(producer: AIOKafkaProducer) -> None:
    """End what a producer leaves behind where its stop does not get through.

    Its sender and what waits for its batches would wait for ever, and be called lost by asyncio
    when they are collected; so would the error of a batch that nobody asks for.
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
                # Cancelled, it waits for its own requests; cancelled again, it ends them.
                task.cancel()
                await asyncio.wait({task}, timeout=0.1)
