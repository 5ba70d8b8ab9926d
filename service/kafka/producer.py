"""One producer of aiokafka, whose sends are all awaited, and the sizes of what it sends.

After an error a producer is discarded: a refused record leaves a gap in the sequence numbers of
aiokafka's idempotent producer, and the state of a failed transaction is unknown. When to discard
one is up to `delivery`; nothing may enter that knows the consumer group.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import OffsetAndMetadata

from service.errors import BrokerError, RetriableError
from service.kafka.client import background, generations
from service.kafka.client.connection import check_versions
from service.kafka.client.throttling import (
    BATCH_BYTES_MAX,
    REQUEST_BYTES_MAX,
    Pace,
    Throttling,
    bytes_of,
)
from service.kafka.smaller import Failed
from service.kafka.transactions import version_two

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka.client import AIOKafkaClient

    from service.kafka.client.offset_requests import Membership
    from service.records import Outgoing, Partition

# The metadata of an existing topic comes at once; a topic that the broker creates takes a moment.
TOPIC_WAIT_S = 10.0
# A coordinator that is moving, or is ending an older transaction, answers within seconds.
START_TIMEOUT_S = 30.0

_PARTITIONER = DefaultPartitioner()
# A publish asks three times for the partition of each key, and aiokafka computes it in Python. As
# many as a publish has, and only short ones: at most 1 MiB of keys.
KEYS_MAX = 8192
KEY_BYTES_MAX = 128


class Producer:
    """An idempotent producer, transactional if it is given an id."""

    def __init__(
        self,
        options: Mapping[str, Any],
        transactional_id: str | None = None,
        timeout_ms: int = 0,
        throttling: Throttling | None = None,
        batch_bytes_max: int = BATCH_BYTES_MAX,
    ) -> None:
        """Connect to nothing yet; `options` are those of `connection_options`."""
        transactional: dict[str, Any] = {}
        if transactional_id is not None:
            transactional["transactional_id"] = transactional_id
            transactional["transaction_timeout_ms"] = timeout_ms
        self._transactional = transactional_id is not None
        self._client = AIOKafkaProducer(
            **options,
            **transactional,
            acks="all",
            enable_idempotence=True,
            max_batch_size=batch_bytes_max,
        )
        self.client: AIOKafkaClient = self._client.client
        self.pace = Pace(throttling or Throttling(), batch_bytes_max)
        self._answers = background.Answers(self.client, self.pace)

    async def start(self, group_id: str | None = None, *, transactional: bool = False) -> None:
        """Connect; with a transactional id, fence its older owner and end what that left open.

        `group_id` is the group whose offsets its transactions will hold. Without an id, it is still
        checked that the brokers could serve one if others will be `transactional`.

        Raises:
            KafkaError: the brokers cannot be reached or refuse.
            BrokerError: they cannot serve exactly once, and it is asked for.
            TimeoutError: they do not answer.
        """
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._client.start()
                if group_id is not None:
                    await background.find_group(self._client, group_id)
                    await version_two.use_if_offered(self._client)
            if (known := background.versions(self._client)) is not None:
                once = transactional or self._transactional
                check_versions(known, "exactly_once" if once else "at_least_once")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the connections, whatever state it is in; may be called twice."""
        if self.pace.throttled_s():
            # What brokers do not read they do not answer: over TLS, the end of a connection.
            background.hang_up(self.client)
        if not await background.closed(self._client.stop):
            background.hang_up(self.client)
            await background.closed(self.client.close)
        await background.abandon(self._client)

    async def check_topics(self, topics: Sequence[str]) -> None:
        """Check that the topics exist.

        Raises:
            BrokerError: some do not exist; the message names all of them.
            RetriableError: the brokers do not answer.
            KafkaError: the brokers refuse.
        """
        names = list(dict.fromkeys(topics))
        found = await asyncio.gather(*map(self._exists, names), return_exceptions=True)
        for result in found:
            if isinstance(result, BaseException):
                raise result
        missing = [name for name, exists in zip(names, found, strict=True) if not exists]
        if not missing:
            return
        if not await self.client.force_metadata_update():
            raise RetriableError("the brokers do not answer")
        raise BrokerError(
            f"these topics do not exist and are not created by the brokers: {', '.join(missing)}; "
            "create them, or correct the SENTIMENT_KAFKA__ topic settings"
        )

    async def _exists(self, topic: str) -> bool:
        try:
            async with asyncio.timeout(TOPIC_WAIT_S):
                await self._client.partitions_for(topic)
        except TimeoutError:
            return False
        return True

    def explained(self, error: Exception) -> Exception:
        """The brokers' last refusal of records, where `error` is that they took too long."""
        return self._answers.explained(error)

    async def begin(self) -> None:
        """Begin a transaction; only with a transactional id."""
        self._answers.forget()
        await version_two.check(self._client)
        await self._client.begin_transaction()

    async def send_offsets(
        self,
        offsets: Mapping[Partition, int | OffsetAndMetadata],
        group_id: str,
        member: Membership | None,
    ) -> None:
        """Put offsets of a group into the transaction; see `generations.send_offsets`."""
        places = {
            TopicPartition(*p): OffsetAndMetadata(offset, "") if isinstance(offset, int) else offset
            for p, offset in offsets.items()
        }
        await generations.send_offsets(self._client, places, group_id, member)

    async def commit(self) -> None:
        """Commit the transaction; if this fails, it may be committed or not."""
        await self._client.commit_transaction()

    async def send_some(
        self, outgoing: Sequence[Outgoing], one_by_one: bool = False
    ) -> tuple[int, Failed]:
        """Send messages in the transaction until brokers throttle.

        Returns how many were sent, and those refused. Sends at least one, and all of a record. With
        `one_by_one` each waits for the one before. Messages to one partition stay in order, and so
        do those returned.
        """
        sent, failed = 0, Failed()
        await self._add_partitions(outgoing)
        while left := outgoing[sent:]:
            if sent and not _of_one_record(outgoing[sent - 1], left[0]) and self.pace.throttled_s():
                break
            portion = left[:1] if one_by_one else await self.portion(left)
            failed += await self.send_each(portion)
            sent += len(portion)
        return sent, failed

    async def _add_partitions(self, outgoing: Sequence[Outgoing]) -> None:
        numbers = await self._numbers(outgoing)
        generations.add_partitions(self._client, {_place(m, numbers[m.topic]) for m in outgoing})

    async def portion(self, outgoing: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """The first messages, as many as are one request to each broker; see `Pace.portion`."""
        numbers = await self._numbers(outgoing)
        return self.pace.portion(outgoing, lambda message: _place(message, numbers[message.topic]))

    async def _numbers(self, outgoing: Sequence[Outgoing]) -> dict[str, list[int]]:
        topics = {message.topic for message in outgoing}
        return {topic: sorted(await self._client.partitions_for(topic)) for topic in topics}

    async def send_each(self, outgoing: Sequence[Outgoing]) -> Failed:
        """Send messages and wait until all are acknowledged or refused; returns those refused.

        Raises:
            Exception: whatever is not an error of Kafka is a defect.
        """
        batches = await self._batches(outgoing)
        failed = await asyncio.gather(*(self._send_all(batches[place], place) for place in batches))
        self.pace.learn(sum(map(bytes_of, outgoing)))
        return [failure for failures in failed for failure in failures]

    async def _batches(self, outgoing: Sequence[Outgoing]) -> dict[TopicPartition, list[_Batch]]:
        """Fill batches with messages, by the partition that they go to."""
        batches: dict[TopicPartition, list[_Batch]] = {}
        numbers = await self._numbers(outgoing)
        for message in outgoing:
            filled = batches.setdefault(_place(message, numbers[message.topic]), [])
            if not (filled and filled[-1].add(message)):
                # An empty batch takes a message of any size.
                filled.append(_Batch(self._client.create_batch()))
                filled[-1].add(message)
        return batches

    async def _send_all(self, batches: Sequence[_Batch], place: TopicPartition) -> Failed:
        sendings = [await self._send(batch, place) for batch in batches]
        results = await asyncio.gather(*sendings, return_exceptions=True)
        failures: Failed = []
        for batch, result in zip(batches, results, strict=True):
            if isinstance(result, KafkaError):
                error = self._answers.worded(result, batch.messages)
                failures.extend((message, error) for message in batch.messages)
            elif isinstance(result, BaseException):
                raise result
        return failures

    async def _send(self, batch: _Batch, place: TopicPartition) -> asyncio.Future[Any]:
        """Put a batch into the client's queue; the future is its acknowledgement, or its error."""
        sending: asyncio.Future[Any]
        try:
            if batch.builder.size() > REQUEST_BYTES_MAX:
                raise MessageSizeTooLargeError
            sending = await self._client.send_batch(
                batch.builder, place.topic, partition=place.partition
            )
        except (KafkaError, IllegalOperation) as error:
            # aiokafka refuses to send in a transaction that an error has ended.
            sending = asyncio.get_running_loop().create_future()
            reason = error if isinstance(error, KafkaError) else KafkaError(str(error))
            sending.set_exception(reason)
        # If the caller is cancelled, nobody awaits this, and asyncio would log its error.
        sending.add_done_callback(_retrieve_error)
        return sending


class _Batch:
    """Messages to one partition that are accepted together or refused together."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.messages: list[Outgoing] = []

    def add(self, message: Outgoing) -> bool:
        """Add a message; False if there is no room for it."""
        headers = list(message.headers)
        added = self.builder.append(
            timestamp=None, key=message.key, value=message.value, headers=headers
        )
        if added is not None:
            self.messages.append(message)
        return added is not None


def _place(message: Outgoing, numbers: list[int]) -> TopicPartition:
    """The partition that Java's clients choose for the key; without one, by the input partition."""
    if message.key is None:
        return TopicPartition(message.topic, numbers[message.source.number % len(numbers)])
    index = _index if len(message.key) <= KEY_BYTES_MAX else _index.__wrapped__
    return TopicPartition(message.topic, numbers[index(message.key, len(numbers))])


@lru_cache(KEYS_MAX)
def _index(key: bytes, count: int) -> int:
    """Which of `count` partitions a key goes to."""
    found: int = _PARTITIONER(key, range(count), range(count))
    return found


def _of_one_record(first: Outgoing, second: Outgoing) -> bool:
    return (first.source, first.offset) == (second.source, second.offset)


def _retrieve_error(sending: asyncio.Future[Any]) -> None:
    if not sending.cancelled():
        sending.exception()
