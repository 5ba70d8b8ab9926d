"""Where logs begin and end, and which topics exist, by the brokers' word.

Nothing may enter that decides what follows from it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.offset import OffsetRequest

from service.errors import RejoinError, RetriableError
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from aiokafka import AIOKafkaConsumer

# How long to wait for the ends of the logs. A partition without a leader must not hold up others:
# it is not checked then, and the first fetch reports an offset that its log does not have.
BOUNDS_TIMEOUT_S = 2.0

_LATEST, _READ_UNCOMMITTED = -1, 0


async def log_ends(
    consumer: AIOKafkaConsumer, partitions: Collection[Partition]
) -> dict[Partition, tuple[int, int]]:
    """By partition, the end of what may be read now, and of the log with open transactions.

    The latter is as of the last fetch, which is less than a second ago unless the service is busy.

    Raises:
        RetriableError: a topic that the group reads has no partitions.
        KafkaError: the brokers cannot be reached or refuse.
    """
    for topic in sorted(consumer.subscription()):
        if not consumer.partitions_for_topic(topic):
            raise RetriableError(
                f"topic {topic} has no partitions any more; if it was deleted, create it again"
            )
    if not partitions:
        await consumer.topics()
    stable = await consumer.end_offsets([TopicPartition(*p) for p in partitions])
    assigned = consumer.assignment()
    ends = {}
    for place, end in stable.items():
        known = consumer.highwater(place) if place in assigned else None
        ends[Partition(*place)] = (end, max(end, known or 0))
    return ends


async def without_topics(
    error: RetriableError, consumer: AIOKafkaConsumer | None, topics: Collection[str]
) -> RetriableError:
    """The error of a publish; if one of its topics does not exist any more, one that names it."""
    if isinstance(error, RejoinError) or consumer is None:
        return error
    try:
        async with asyncio.timeout(BOUNDS_TIMEOUT_S):
            missing = sorted(set(topics) - (await consumer.topics()))
    except (KafkaError, TimeoutError):
        return error
    if not missing:
        return error
    return RetriableError(f"topic {missing[0]} does not exist any more; create it again ({error})")


async def bounds(ask: Any, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """The beginnings or ends of the logs; none if the brokers do not answer in time."""
    try:
        async with asyncio.timeout(BOUNDS_TIMEOUT_S):
            bounds: dict[TopicPartition, int] = await ask(partitions)
    except (KafkaError, TimeoutError):
        return {}
    return bounds


async def high_watermark(consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
    """The end of a log with the records of open transactions, which `end_offsets` leaves out.

    Raises:
        RetriableError: the partition has no leader.
        KafkaError: its leader cannot be reached or refuses.
    """
    client = consumer._client  # noqa: SLF001 - no public way
    leader = client.cluster.leader_for_partition(place)
    if leader is None or leader < 0:
        raise RetriableError(f"{place.topic}/{place.partition} has no leader")
    ask = [(place.topic, [(place.partition, _LATEST)])]
    response = await client.send(leader, OffsetRequest(-1, _READ_UNCOMMITTED, ask))
    [(_, [(_, code, _, end)])] = response.topics
    if code:
        raise for_code(code)
    return int(end)


async def held_back(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """By partition, how many offsets open transactions hold back, also committed ones behind them.

    Those only that hold back any, and only what the brokers answer in time.
    """
    places = list(partitions)
    asked = asyncio.gather(
        *(high_watermark(consumer, place) for place in places), return_exceptions=True
    )
    try:
        async with asyncio.timeout(BOUNDS_TIMEOUT_S):
            answers = await asked
    except TimeoutError:
        return {}
    ends = {p: end for p, end in zip(places, answers, strict=True) if isinstance(end, int)}
    # Asked afterwards: what was written meanwhile, without a transaction, holds back nothing.
    stable = await bounds(consumer.end_offsets, list(ends)) if ends else {}
    held = {place: end - stable.get(place, end) for place, end in ends.items()}
    return {place: count for place, count in held.items() if count > 0}
