"""Bugs to plant in the service: each breaks one rule of delivery, and the judge must notice.

Some are kinds that anyone could write; `send that is not awaited` and `no rewind` are what
prototypes of this service got wrong, some the simulation found in the service itself, and some are
what one transaction for each replica makes possible. The last ones need what goes wrong with the
input topic.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from aiokafka.errors import KafkaError
from aiokafka.producer.transaction_manager import PidAndEpoch

from service.errors import RetriableError
from service.kafka.client import generations
from service.kafka.client.offset_requests import NOBODY, Membership, TxnOffsetCommitRequest
from service.kafka.committed import Committed
from service.kafka.delivery import ExactlyOnce
from service.kafka.fetching import Tails
from service.kafka.producer import Producer
from service.kafka.session import KafkaSession
from service.kafka.starts import Starts
from service.kafka.transactions import version_two
from service.records import Skipped
from service.stream import batcher
from service.stream.batcher import Batcher
from service.stream.handover import Scored
from service.stream.pipeline import Pipeline
from simulation.clients import consumer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aiokafka import AIOKafkaConsumer

    from service.progress import Progress
    from service.records import Batch, Outcome, Outgoing, Partition, Publication

transact = ExactlyOnce._transact
once = ExactlyOnce.publish
committed_init = Committed.__init__
commit_init = TxnOffsetCommitRequest.__init__
publish = KafkaSession.publish
take = Batcher.take
next_commit = Scored.next_commit
publication = Pipeline._publication
due = Tails.due
first_starts = Starts._first_starts


async def _commit_before_publish(
    self: ExactlyOnce, producer: Producer, outgoing: Sequence[Outgoing], *rest: Any
) -> Any:
    await transact(self, producer, [], *rest)
    return await transact(self, producer, outgoing, *rest)


async def _publish_whatever_the_epoch(self: KafkaSession, publication: Publication) -> bool:
    return await publish(self, replace(publication, epoch=self.progress.epoch))


def _take_the_shortest_first(self: Batcher, now: float) -> Batch | None:
    batch = take(self, now)
    if batch is None:
        return None
    return replace(
        batch, items=tuple(sorted(batch.items, key=lambda i: len(i.record.value or b"")))
    )


async def _letters_outside_of_the_transaction(
    self: ExactlyOnce, producer: Producer, outgoing: Sequence[Outgoing], *rest: Any
) -> Any:
    letters = [message for message in outgoing if message.topic == "dead"]
    if letters:
        plain = Producer(self._options)
        await plain.start()
        await plain.send_each(letters)
        await plain.stop()
    events = [message for message in outgoing if message.topic != "dead"]
    _, failed = await transact(self, producer, events, *rest)
    return len(outgoing), failed


async def _commit_what_was_polled(self: KafkaSession, publication: Publication) -> bool:
    polled = {p: self._consumer._positions.get(p, o) for p, o in publication.offsets.items()}
    return await publish(self, replace(publication, offsets=polled))


def _not_stable(self: Committed, consumer: AIOKafkaConsumer, *, stable: bool) -> None:
    committed_init(self, consumer, stable=stable and False)


def _without_generation(
    self: TxnOffsetCommitRequest,
    transactional_id: str,
    producer: tuple[int, int],
    group_id: str,
    _member: Membership,
    offsets: Any,
) -> None:
    commit_init(self, transactional_id, producer, group_id, NOBODY, offsets)


class _OfNow:
    """A membership that is looked up when it is needed."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    def __getattr__(self, name: str) -> Any:
        return getattr(generations.membership(self._consumer), name)

    def __iter__(self) -> Iterator[Any]:
        return iter(generations.membership(self._consumer))


async def _with_the_generation_of_now(
    self: ExactlyOnce,
    producer: Producer,
    outgoing: Sequence[Outgoing],
    offsets: Any,
    _member: Membership,
    committed: Committed,
    one_by_one: bool,
) -> Any:
    member: Any = _OfNow(committed.consumer)
    return await transact(self, producer, outgoing, offsets, member, committed, one_by_one)


async def _ask_again(handler: Any, request: Any, node: int) -> bool:
    try:
        response = await handler._sender.client.send(node, request, group=None)
    except KafkaError:
        await asyncio.sleep(0.1)
        return False
    delay_s = handler.handle_response(response)
    if delay_s is not None:
        await asyncio.sleep(delay_s)
    return delay_s is None


async def _send_again_at_once(self: ExactlyOnce, producer: Producer, *arguments: Any) -> Any:
    try:
        return await transact(self, producer, *arguments)
    except RetriableError:
        await self.stop()
        return await transact(self, await self._started(), *arguments)


def _epoch_without_sequences(manager: Any, *told: int) -> None:
    manager._pid_and_epoch = PidAndEpoch(*told)


async def _send_again_after_a_second_end(
    self: ExactlyOnce, producer: Producer, *arguments: Any
) -> Any:
    handlers, ends = producer._client._sender.handlers, []

    class Noted(handlers.end):  # type: ignore[misc,name-defined] # of either version
        def create_request(self) -> Any:
            ends.append(self)
            return super().create_request()

    producer._client._sender.handlers = handlers._replace(end=Noted)
    done = await transact(self, producer, *arguments)
    if len(ends) < 2:
        return done
    await self.stop()
    return await transact(self, await self._started(), *arguments)


async def _send_and_forget(self: Producer, outgoing: Sequence[Outgoing]) -> list[Any]:
    for place, batches in (await self._batches(outgoing)).items():
        for batch in batches:
            await self._send(batch, place)
    return []


def _no_seek(self: consumer.Consumer, partition: Any, offset: int) -> None:
    pass


async def _put_back_at_the_end(self: Scored) -> tuple[int, list[Outcome]] | None:
    commit = await next_commit(self)
    if self._held:
        self._waiting.put_nowait(self._held.pop())
    return commit


def _no_offset_of_skipped(self: Pipeline, epoch: int, outcomes: Sequence[Outcome]) -> Publication:
    kept = [outcome for outcome in outcomes if not isinstance(outcome, Skipped)]
    return publication(self, epoch, kept)


async def _progress_before_commit(
    self: ExactlyOnce, publication: Publication, progress: Progress, committed: Committed
) -> None:
    progress.advance(publication.offsets)
    await once(self, publication, progress, committed)


def _nothing(*_: Any) -> None:
    pass


async def _tail_whatever_is_unpublished(
    self: Tails, consumer: Any, progress: Progress, _polled: Any, now: float
) -> dict[Partition, int]:
    return await due(self, consumer, progress, {}, now)


async def _begin_at_the_end(self: Starts, *arguments: Any) -> Any:
    self._read.clear()
    return await first_starts(self, *arguments)


def _one_item(waiting: Iterator[Any]) -> list[Any]:
    return [entry for _, entry in zip(range(1), waiting, strict=False)]


PLANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "commit before publish": (ExactlyOnce, "_transact", _commit_before_publish),
    "stale epoch published": (KafkaSession, "publish", _publish_whatever_the_epoch),
    "order broken inside a partition": (Batcher, "take", _take_the_shortest_first),
    "dead letter outside the transaction": (
        ExactlyOnce, "_transact", _letters_outside_of_the_transaction,
    ),
    "offset of an unfinished record committed": (KafkaSession, "publish", _commit_what_was_polled),
    "unstable offset believed": (Committed, "__init__", _not_stable),
    "offsets committed without a generation": (
        TxnOffsetCommitRequest, "__init__", _without_generation,
    ),
    "generation asked for at the commit": (
        ExactlyOnce, "_transact", _with_the_generation_of_now,
    ),
    "request sent again in the same epoch": (generations, "_ask_once", _ask_again),
    "epoch of the transaction before used": (version_two, "_move_on", _nothing),
    "sequence that goes on in the next epoch": (version_two, "_move_on", _epoch_without_sequences),
    "end asked for twice taken for an abort": (
        ExactlyOnce, "_transact", _send_again_after_a_second_end,
    ),
    "uncertain end taken for an abort": (ExactlyOnce, "_transact", _send_again_at_once),
    "send that is not awaited": (Producer, "send_each", _send_and_forget),
    "dropped batch that is not rewound": (consumer.Consumer, "seek", _no_seek),
    "waiting batch put back at the end": (Scored, "next_commit", _put_back_at_the_end),
    "offset of a skipped record not committed": (Pipeline, "_publication", _no_offset_of_skipped),
    "progress that moves before the commit": (ExactlyOnce, "publish", _progress_before_commit),
    "failed publish that is not rewound": (KafkaSession, "rewind", _nothing),
    "tail committed before what was read": (Tails, "due", _tail_whatever_is_unpublished),
    "record of several messages cut in two": (batcher, "_of_one_record", _one_item),
    "added partition begun at its end": (Starts, "_first_starts", _begin_at_the_end),
}  # fmt: skip


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Put a bug into the service."""
    owner, attribute, bug = PLANTS[name]
    with patch.object(owner, attribute, bug):
        yield
