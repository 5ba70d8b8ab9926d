"""What the producer of a session asks, counted by kind; some gets another answer, or none.

Exists for tests of transactions, on real brokers and simulated ones.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaConnectionError

from service.errors import RetriableError
from service.kafka import KafkaSession
from service.kafka.delivery import ExactlyOnce
from service.kafka.transactions import version_two
from tools.kafka.kinds import INPUTS
from tools.kafka.sessions import (
    WAIT_SECONDS,
    numbered,
    poll_count,
    publication,
    started,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from service.kafka.producer import Producer
    from service.records import Publication
    from tools.kafka.kinds import Kafka

PRODUCE, COMMIT, END = "ProduceRequest", "TxnOffsetCommitRequest", "EndTxnRequest"
LOST = KafkaConnectionError("no answer came")


class Requests:
    """What a producer asks, by kind; some get another answer, or none though they arrive."""

    def __init__(self, producer: Producer) -> None:
        """Watch it; `answers` hold what each of the next requests of a kind gets instead."""
        self.counts: Counter[str] = Counter()
        self.answers: dict[str, list[Any]] = {}
        sender = producer._client._sender
        send = sender.client.send

        async def watched(node: int, request: Any, **options: Any) -> Any:
            kind = type(request).__name__
            self.counts[kind] += 1
            answers = self.answers.get(kind)
            answer = answers.pop(0) if answers else None
            if answer is None:
                return await send(node, request, **options)
            if answer is LOST:
                await send(node, request, **options)
            if isinstance(answer, Exception):
                raise answer
            return answer(request)

        sender.client.send = watched


def refusing(kind: str, *codes: int) -> Callable[[Any], SimpleNamespace]:
    """An answer with these codes, to the first partitions of a commit; the others are accepted."""

    def answer(request: Any) -> SimpleNamespace:
        if kind == END:
            return SimpleNamespace(error_code=codes[0])
        by_place = dict(zip(sorted(request._offsets), codes, strict=False))
        topics: list[Any] = [
            (place.topic, [(place.partition, by_place.get(place, 0), {})], {})
            for place in request._offsets
        ]
        return SimpleNamespace(topics=topics)

    return answer


def producer_of(session: KafkaSession) -> Producer:
    """The transactional producer of a session that has joined."""
    delivery = session._delivery
    assert isinstance(delivery, ExactlyOnce)
    assert delivery._producer is not None
    return delivery._producer


async def polled_all(kafka: Kafka) -> tuple[KafkaSession, Publication]:
    """A session that has polled three records of each partition, and what it would publish."""
    await kafka.produce(*(m for p in range(INPUTS) for m in numbered(3, p, 3 * p)))
    session = await started(kafka.session())
    assert isinstance(session, KafkaSession)
    return session, publication(await poll_count(session, 3 * INPUTS), kafka.topics[1])


async def finish(kafka: Kafka, session: KafkaSession) -> list[int]:
    """Go on as the pipeline would; gives all that can be read then."""
    async with asyncio.timeout(WAIT_SECONDS):
        while dict.fromkeys(range(INPUTS), 3) != await kafka.committed():
            try:
                if records := await session.poll():
                    await session.publish(publication(records, kafka.topics[1]))
            except RetriableError:
                session.rewind()
    return sorted(int(value) for value in values(await kafka.read(kafka.topics[1])))


def of_version_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let brokers that offer transactions of version 2 not be taken at their word."""
    monkeypatch.setattr(version_two, "LEVEL", 3)


def identity_of(session: KafkaSession) -> tuple[int, int]:
    """The id and the epoch of a session's producer."""
    manager = producer_of(session)._client._sender._txn_manager
    return manager.producer_id, manager.producer_epoch
