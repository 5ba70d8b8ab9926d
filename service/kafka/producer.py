"""One producer: every send is awaited, and it is discarded after an error.

aiokafka's idempotent sequence has a gap behind a refused record, and the state of a failed
transaction is unknown: in both cases only a new producer goes on safely.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, MessageSizeTooLargeError

from service.errors import BrokerError, RetriableError
from service.kafka import background
from service.kafka.connection import STOP_TIMEOUT_S
from service.runs import runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from service.records import Outgoing, Partition

# Topics that exist are known at once; one that the broker creates takes a moment.
TOPIC_WAIT_S = 10.0
# A coordinator that is moving or settling an older transaction answers within seconds.
START_TIMEOUT_S = 30.0
# The topic decides what is too large for it, not the client.
REQUEST_BYTES_MAX = 64 * 2**20
# Records that travel together: fewer round trips, and under the limit of any usual topic, which
# holds for the whole of them. A larger record travels alone.
BATCH_BYTES_MAX = 64 * 2**10
# At most what a record takes beside its key, value and headers; the batch's own part included.
RECORD_OVERHEAD_BYTES = 100
HEADER_OVERHEAD_BYTES = 10

Failed = list[tuple["Outgoing", KafkaError]]


class _Null:
    """Stands for a null value, since aiokafka's send refuses null with a null key."""


_NULL = _Null()


class Producer:
    """An idempotent producer, transactional if it is given an id."""

    def __init__(
        self, options: Mapping[str, Any], transactional_id: str | None = None, timeout_ms: int = 0
    ) -> None:
        """Connect to nothing yet; `options` are those of `connection_options`."""
        transactional: dict[str, Any] = {}
        if transactional_id is not None:
            transactional["transactional_id"] = transactional_id
            transactional["transaction_timeout_ms"] = timeout_ms
        self._client = AIOKafkaProducer(
            **options,
            **transactional,
            acks="all",
            enable_idempotence=True,
            max_request_size=REQUEST_BYTES_MAX,
            max_batch_size=BATCH_BYTES_MAX,
            value_serializer=lambda value: None if value is _NULL else value,
        )

    async def start(self) -> None:
        """Connect; with a transactional id, fence its older owner and settle what that one left.

        Raises:
            KafkaError: the brokers cannot be reached or refuse.
            TimeoutError: they do not answer.
        """
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._client.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the connections, whatever state it is in; may be called twice."""
        # A fenced or failed producer raises what it died of, which was said already.
        with contextlib.suppress(KafkaError, TimeoutError, AssertionError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._client.stop()
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._client.client.close()
        await background.abandon(self._client)

    async def check_topics(self, topics: Sequence[str]) -> None:
        """See that the topics exist.

        Raises:
            BrokerError: one does not.
            RetriableError: the brokers do not answer.
            KafkaError: the brokers refuse.
        """
        for topic in topics:
            try:
                async with asyncio.timeout(TOPIC_WAIT_S):
                    await self._client.partitions_for(topic)
            except TimeoutError:
                if not await self._client.client.force_metadata_update():
                    raise RetriableError("the brokers do not answer") from None
                raise BrokerError(
                    f"topic {topic} does not exist and is not created by the brokers; create it, "
                    "or correct the SENTIMENT_KAFKA__ topic settings"
                ) from None

    async def begin(self) -> None:
        """Begin a transaction; only with a transactional id."""
        await self._client.begin_transaction()

    async def send_offsets(self, offsets: Mapping[Partition, int], group_id: str) -> None:
        """Put offsets of a group into the transaction."""
        await self._client.send_offsets_to_transaction(
            {TopicPartition(*p): offset for p, offset in offsets.items()}, group_id
        )

    async def commit(self) -> None:
        """End the transaction so that it counts; where this fails, it may count or not."""
        await self._client.commit_transaction()

    async def send_each(self, outgoing: Sequence[Outgoing], one_by_one: bool = False) -> Failed:
        """Send and await all, each on its own if asked for; gives those that failed, in order.

        Raises:
            Exception: anything but an error of Kafka is a defect and is raised.
        """
        if one_by_one:
            return [failure for message in outgoing for failure in await self.send_each([message])]
        for topic in {message.topic for message in outgoing}:
            # So that no send below waits, and what fits into one batch is not torn in two.
            await self._client.partitions_for(topic)
        futures: list[asyncio.Future[Any]] = []
        for message in outgoing:
            try:
                sending = await self._send(message)
                # Where this is given up half-way, nobody is left to look what became of it.
                sending.add_done_callback(_seen)
                futures.append(sending)
            except (KafkaError, IllegalOperation) as error:
                # Behind the error that ends a transaction, sending is not allowed any more.
                failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
                failed.set_exception(
                    error if isinstance(error, KafkaError) else KafkaError(str(error))
                )
                futures.append(failed)
        results = await asyncio.gather(*futures, return_exceptions=True)
        failures: Failed = []
        for message, result in zip(outgoing, results, strict=True):
            if isinstance(result, KafkaError):
                failures.append((message, result))
            elif isinstance(result, BaseException):
                raise result
        return failures

    async def _send(self, message: Outgoing) -> asyncio.Future[Any]:
        number = None
        if message.key is None:
            partitions = await self._client.partitions_for(message.topic)
            number = message.source.number % len(partitions)
        sending: asyncio.Future[Any] = await self._client.send(
            message.topic,
            value=_NULL if message.value is None else message.value,
            key=message.key,
            partition=number,
            headers=list(message.headers),
        )
        return sending


def _seen(sending: asyncio.Future[Any]) -> None:
    if not sending.cancelled():
        sending.exception()


def portions(outgoing: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Cut into runs of which each partition gets one batch at most, and so all or nothing.

    Of two batches the second may be taken though the first is refused, which ends their order.
    """
    return runs(outgoing, BATCH_BYTES_MAX, _bytes_max)


def smaller_forms(
    outgoing: Sequence[Outgoing], failed: Failed, one_by_one: bool = False
) -> tuple[list[Outgoing], bool]:
    """What to send instead of `outgoing`, where its topics refused some of it as too large.

    Also says whether to send it one by one: a topic refuses a batch for its sum, and then only so
    can be told which of its records is too large by itself, if any.

    Raises:
        BrokerError: a topic refuses even the smallest form.
        KafkaError: something failed for another reason.
    """
    refused = [o for o, error in failed if isinstance(error, MessageSizeTooLargeError)]
    if not refused:
        # Behind a refused record others fail for the gap it leaves; without one, it is a fault.
        raise failed[0][1]
    alone = one_by_one or len(outgoing) == 1
    certain = {id(o) for o in refused if alone or len(o.value or b"") >= BATCH_BYTES_MAX}
    forms = [_smaller(message) if id(message) in certain else message for message in outgoing]
    return forms, len(certain) < len(refused)


def _bytes_max(message: Outgoing) -> int:
    headers = sum(
        HEADER_OVERHEAD_BYTES + len(name.encode()) + len(value or b"")
        for name, value in message.headers
    )
    return RECORD_OVERHEAD_BYTES + len(message.key or b"") + len(message.value or b"") + headers


def _smaller(message: Outgoing) -> Outgoing:
    if message.smaller is None:
        raise BrokerError(
            f"topic {message.topic} refuses a letter cut to its least; "
            "raise its max.message.bytes to at least 64 KiB"
        )
    return message.smaller()
