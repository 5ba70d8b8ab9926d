"""Sending outgoing records: every send is awaited, and the producer is replaced after an error."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, OutOfOrderSequenceNumber

from service.errors import BrokerError, RetriableError
from service.kafka.connection import STOP_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Outgoing

# Topics that exist are known at once; one that the broker creates takes a moment.
TOPIC_WAIT_S = 10.0
# The topic decides what is too large for it, not the client.
REQUEST_BYTES_MAX = 64 * 2**20
# Full record, smaller form, cut form: what is still refused then cannot be published at all.
SIZES_MAX = 3


class _Null:
    """Stands for a null value, since aiokafka's send refuses null with a null key."""


_NULL = _Null()


class Sender:
    """An idempotent producer that can be replaced by a new one."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Connect to nothing yet; `options` are those of `connection_options`."""
        self._options = options
        self._producer: AIOKafkaProducer = None

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaError: the brokers cannot be reached or refuse.
        """
        producer = AIOKafkaProducer(
            **self._options,
            acks="all",
            enable_idempotence=True,
            max_request_size=REQUEST_BYTES_MAX,
            value_serializer=lambda value: None if value is _NULL else value,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Close the connections; may be called twice."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await producer.stop()

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
                    await self._producer.partitions_for(topic)
            except TimeoutError:
                if not await self._producer.client.force_metadata_update():
                    raise RetriableError("the brokers do not answer") from None
                raise BrokerError(
                    f"topic {topic} does not exist and is not created by the brokers; create it, "
                    "or correct the SENTIMENT_KAFKA__ topic settings"
                ) from None

    async def send_all(self, outgoing: Sequence[Outgoing]) -> None:
        """Send and await all; what its topic refuses as too large goes in its smaller form.

        Raises:
            BrokerError: a topic refuses even the smallest form.
            KafkaError: something was not sent; what was, is not known.
        """
        waiting = list(outgoing)
        for _ in range(SIZES_MAX):
            failed = await self._send_each(waiting)
            if not failed:
                return
            await self.stop()
            await self.start()
            too_large = [o for o, e in failed if isinstance(e, MessageSizeTooLargeError)]
            for message, error in failed:
                # A refused record leaves a gap in the sequence: the ones behind it fail as well,
                # and are sent again behind its smaller form.
                sequence = too_large and isinstance(error, OutOfOrderSequenceNumber)
                if not sequence and not isinstance(error, MessageSizeTooLargeError):
                    raise error
                if not sequence and message.smaller is None:
                    raise BrokerError(
                        f"topic {message.topic} refuses a letter cut to its least; "
                        "raise its max.message.bytes to at least 64 KiB"
                    )
            waiting = [
                o.smaller() if o.smaller is not None and o in too_large else o for o, _ in failed
            ]
        raise BrokerError("the output topics refuse records of any size; check max.message.bytes")

    async def _send_each(self, outgoing: Sequence[Outgoing]) -> list[tuple[Outgoing, KafkaError]]:
        futures: list[Any] = []
        for message in outgoing:
            try:
                futures.append(await self._send(message))
            except KafkaError as error:
                futures.append(_failed(error))
        results = await asyncio.gather(*futures, return_exceptions=True)
        failed = []
        for message, result in zip(outgoing, results, strict=True):
            if isinstance(result, KafkaError):
                failed.append((message, result))
            elif isinstance(result, BaseException):
                raise result
        return failed

    async def _send(self, message: Outgoing) -> Any:
        number = None
        if message.key is None:
            partitions = await self._producer.partitions_for(message.topic)
            number = message.source_number % len(partitions)
        return await self._producer.send(
            message.topic,
            value=_NULL if message.value is None else message.value,
            key=message.key,
            partition=number,
            headers=list(message.headers),
        )


async def _raise(error: KafkaError) -> None:
    raise error


def _failed(error: KafkaError) -> Any:
    return _raise(error)
