"""Negative controls: ways to get delivery wrong, each of which the judge must catch.

Each was an easy way to build this service. Runs in a service process only, on request of the
harness; nothing of it is shipped.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from aiokafka.errors import KafkaError

import service.assembly
import service.kafka.delivery
import service.kafka.producer
import service.kafka.session
from chaos.breaking.wrapped import PointedProducer, PointedSession, passed
from chaos.orders import FOLDER_VARIABLE
from service.errors import RejoinError, RetriableError
from service.kafka.client.connection import translated
from service.kafka.client.throttling import Pace, Throttling
from service.kafka.starts import Starts
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, TopicPartition

    from service.kafka.delivery import Delivery
    from service.kafka.smaller import Failed
    from service.progress import Progress
    from service.records import Outgoing, Publication
    from service.settings import KafkaSettings

Sabotage = Literal[
    "one id per process",
    "a send not awaited",
    "no rewind",
    "expired records not told",
    "a new log from its end",
    "offsets without events",
    "a quota not noticed",
]


class OneIdPerProcess:
    """A transactional producer for the process: no partition's older owner is ever fenced."""

    def __init__(self, options: Mapping[str, Any], settings: KafkaSettings) -> None:
        """Stands for `ExactlyOnce`."""
        self.throttling = Throttling()
        self._options = options
        self._settings = settings
        self._producer: PointedProducer | None = None

    async def own(self, partitions: Collection[Partition]) -> None:  # noqa: ARG002 - one for all
        """See `Delivery.own`."""
        if self._producer is None:
            identity = f"{self._settings.group_id}-{os.environ[FOLDER_VARIABLE]}"
            producer = PointedProducer(self._options, identity, self._settings.transaction_ms)
            await producer.start()
            self._producer = producer

    def disown(self) -> None:
        """See `Delivery.disown`."""

    async def publish(
        self,
        publication: Publication,
        progress: Progress,
        consumer: AIOKafkaConsumer,  # noqa: ARG002
    ) -> None:
        """See `Delivery.publish`."""
        await self.own(())
        assert self._producer is not None
        try:
            await self._producer.begin()
            for _, error in await self._producer.send_each(publication.outgoing):
                raise error
            await self._producer.send_offsets(publication.offsets, self._settings.group_id)
            await self._producer.commit()
            progress.advance(publication.offsets)
        except (KafkaError, TimeoutError, AssertionError) as error:
            await self.stop()
            raise translated(error) from error

    async def stop(self) -> None:
        """See `Delivery.stop`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


class NotAwaiting(PointedProducer):
    """Takes a record for sent when it is handed to the client."""

    async def send_each(self, outgoing: Sequence[Outgoing]) -> Failed:
        """See `Producer.send_each`."""
        for place, batches in (await self._batches(outgoing)).items():
            for batch in batches:
                await self._send(batch, place)
        passed("after send")
        return []


class NotRewinding(PointedSession):
    """After a failed publish it goes on with what comes next."""

    async def _position(self) -> None:
        consumer = self._consumer
        kept = {
            partition: await consumer.position(partition)
            for partition in consumer.assignment()
            if self.progress.next_offset(Partition(*partition)) is not None
        }
        await super()._position()
        for partition, position in kept.items():
            consumer.seek(partition, position)


class Silent(Starts):
    """Goes on behind records that expired, and tells nobody."""

    async def _skip_expired(
        self,
        place: TopicPartition,
        start: int,  # noqa: ARG002 - as in what it stands for
        beginning: int,
        commit: Callable[[Partition, int], Awaitable[None]],
    ) -> None:
        await commit(Partition(*place), beginning)


class FromTheEnd(Starts):
    """Begins a partition without a committed offset behind what is in it by then."""

    async def _first_start(
        self,
        consumer: AIOKafkaConsumer,
        place: TopicPartition,
        commit: Callable[[Partition, int], Awaitable[None]],
    ) -> int:
        end = int((await consumer.end_offsets([place]))[place])
        await commit(Partition(*place), end)
        return end


class GivingUp(PointedSession):
    """After a failed publish it commits the offsets all the same."""

    async def publish(self, publication: Publication) -> bool:
        """See `ports.Session.publish`."""
        try:
            return await super().publish(publication)
        except RejoinError:
            raise
        except RetriableError:
            await self._delivery.own(list(publication.offsets))
            return await super().publish(replace(publication, outgoing=()))


class Heedless(Pace):
    """Sends everything at once, however long brokers throttle it."""

    def throttled_s(self) -> float:
        """See `Pace.throttled_s`."""
        return 0.0


def sabotage_by(kind: str) -> None:
    """Put one of them in the place of what is right."""
    match kind:
        case "one id per process":
            stands_for: type[Delivery] = OneIdPerProcess
            vars(service.kafka.session).update(ExactlyOnce=stands_for)
        case "a send not awaited":
            vars(service.kafka.delivery).update(Producer=NotAwaiting)
        case "no rewind":
            vars(service.assembly).update(KafkaSession=NotRewinding)
        case "expired records not told":
            vars(service.kafka.session).update(Starts=Silent)
        case "a new log from its end":
            vars(service.kafka.session).update(Starts=FromTheEnd)
        case "offsets without events":
            vars(service.assembly).update(KafkaSession=GivingUp)
        case "a quota not noticed":
            vars(service.kafka.producer).update(Pace=Heedless)
        case _:
            raise ValueError(kind)
