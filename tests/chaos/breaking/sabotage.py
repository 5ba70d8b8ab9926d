"""Negative controls: ways to get delivery wrong, each of which the judge must catch.

Each was an easy way to build this service. Runs in a service process only, on request of the
harness; nothing of it is shipped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import service.assembly
import service.kafka.delivery
import service.kafka.producer
import service.kafka.session
from chaos.breaking.wrapped import PointedProducer, PointedSession, passed
from service.errors import RejoinError, RetriableError
from service.kafka.client import background, generations
from service.kafka.client.throttling import Pace
from service.kafka.older import OlderReplicas
from service.kafka.starts import Starts
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, TopicPartition
    from aiokafka.client import AIOKafkaClient
    from aiokafka.structs import OffsetAndMetadata

    from service.kafka.client.offset_requests import Membership
    from service.kafka.smaller import Failed
    from service.records import Outgoing, Publication

Sabotage = Literal[
    "no generation",
    "open offsets not waited for",
    "older producers not fenced",
    "a send not awaited",
    "no rewind",
    "expired records not told",
    "a new log from its end",
    "offsets without events",
    "a quota not noticed",
]


class AsNobody(PointedProducer):
    """Commits offsets without saying as which member: brokers check nothing then."""

    async def send_offsets(
        self,
        offsets: Mapping[Partition, OffsetAndMetadata],
        group_id: str,
        member: Membership | None,  # noqa: ARG002 - as in what it stands for
    ) -> None:
        """See `Producer.send_offsets`."""
        await super().send_offsets(offsets, group_id, None)


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
        expired: Mapping[TopicPartition, tuple[int, int]],
        commit: Callable[[Mapping[Partition, int]], Awaitable[None]],
    ) -> None:
        await commit({Partition(*place): first for place, (_, first) in expired.items()})


class FromTheEnd(Starts):
    """Begins a partition without a committed offset behind what is in it by then."""

    async def _first_starts(
        self,
        consumer: AIOKafkaConsumer,
        new: Sequence[TopicPartition],
        _beginnings: Mapping[TopicPartition, int],
        _ends: Mapping[TopicPartition, int],
        commit: Callable[[Mapping[Partition, int]], Awaitable[None]],
    ) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(new)
        await commit({Partition(*place): end for place, end in ends.items()})
        return ends


class Ignored(OlderReplicas):
    """Takes partitions over from older versions as from its own."""

    async def fence(self, client: AIOKafkaClient, partitions: Iterable[Partition]) -> None:
        """See `OlderReplicas.fence`."""


class GivingUp(PointedSession):
    """After a failed publish it commits the offsets all the same."""

    async def publish(self, publication: Publication) -> bool:
        """See `ports.Session.publish`."""
        try:
            return await super().publish(publication)
        except RejoinError:
            raise
        except RetriableError:
            await self._delivery.prepare(list(publication.offsets))
            return await super().publish(replace(publication, outgoing=()))


class Heedless(Pace):
    """Sends everything at once, however long brokers throttle it."""

    def throttled_s(self) -> float:
        """See `Pace.throttled_s`."""
        return 0.0


def sabotage_by(kind: str) -> None:
    """Put one of them in the place of what is right."""
    match kind:
        case "no generation":
            vars(service.kafka.delivery).update(Producer=AsNobody)
        case "open offsets not waited for":
            vars(generations).update(stable_offsets=background.committed)
        case "older producers not fenced":
            vars(service.kafka.delivery).update(OlderReplicas=Ignored)
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
