"""Bugs to plant in the service: each breaks one rule of delivery, and the judge must notice.

Some are kinds that anyone could write; `one id for each process`, `send that is not awaited` and
`no rewind` are what prototypes of this service got wrong, some the simulation found in the service
itself. The last ones need what goes wrong with the input topic.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from service.kafka.delivery import ExactlyOnce
from service.kafka.fetching import Tails
from service.kafka.producer import Producer
from service.kafka.session import KafkaSession
from service.kafka.starts import Starts
from service.records import Partition, Skipped
from service.stream import batcher
from service.stream.batcher import Batcher
from service.stream.pipeline import Pipeline
from simulation import consumer
from simulation.loop import current_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aiokafka import AIOKafkaConsumer

    from service.progress import Progress
    from service.records import Batch, Outcome, Outgoing, Publication
    from service.stream.pipeline import ScoredBatch

transact = ExactlyOnce._transact
publish = KafkaSession.publish
take = Batcher.take
publication = Pipeline._publication
due = Tails.due
first_start = Starts._first_start


async def _commit_before_publish(
    self: ExactlyOnce,
    partition: Partition,
    outgoing: Sequence[Outgoing],
    offset: int,
    progress: Progress,
    consumer: AIOKafkaConsumer,
) -> None:
    await transact(self, partition, [], offset, progress, consumer)
    await transact(self, partition, outgoing, offset, progress, consumer)


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
    self: ExactlyOnce,
    partition: Partition,
    outgoing: Sequence[Outgoing],
    offset: int,
    progress: Progress,
    consumer: AIOKafkaConsumer,
) -> None:
    letters = [message for message in outgoing if message.topic == "dead"]
    if letters:
        plain = Producer(self._options)
        await plain.start()
        await plain.send_each(letters)
        await plain.stop()
    events = [message for message in outgoing if message.topic != "dead"]
    await transact(self, partition, events, offset, progress, consumer)


async def _commit_what_was_polled(self: KafkaSession, publication: Publication) -> bool:
    polled = {p: self._consumer._positions.get(p, o) for p, o in publication.offsets.items()}
    return await publish(self, replace(publication, offsets=polled))


async def _read_the_offset_before_fencing(self: KafkaSession) -> None:
    async with self._publishing:
        epoch = self.progress.epoch
        assigned = sorted(self._consumer.assignment())
        starts = await self._starts.find(self._committed, self.progress, assigned)
        await self._delivery.own([Partition(*p) for p in assigned])
        if epoch != self.progress.epoch:
            return
        for partition, start in starts.items():
            self._consumer.seek(partition, start)
        self.progress.position({Partition(*p): start for p, start in starts.items()})


def _own_id(self: ExactlyOnce, partition: Partition) -> Producer:
    process = current_process()
    identity = f"{process.name if process else ''}-{partition.number}"
    return Producer(self._options, identity, self._settings.transaction_ms)


async def _send_and_forget(self: Producer, outgoing: Sequence[Outgoing]) -> list[Any]:
    for place, batches in (await self._batches(outgoing)).items():
        for batch in batches:
            await self._send(batch, place)
    return []


def _no_seek(self: consumer.Consumer, partition: Any, offset: int) -> None:
    pass


def _put_back_at_the_end(self: Pipeline, scored: ScoredBatch) -> tuple[int, list[Outcome]]:
    batch, outcomes = scored
    while not self._scored.empty():
        following = self._scored.get_nowait()
        if following is None or following[0].epoch != batch.epoch:
            self._scored.put_nowait(following)
            break
        outcomes = [*outcomes, *following[1]]
    return batch.epoch, outcomes


def _no_offset_of_skipped(self: Pipeline, epoch: int, outcomes: Sequence[Outcome]) -> Publication:
    kept = [outcome for outcome in outcomes if not isinstance(outcome, Skipped)]
    return publication(self, epoch, kept)


async def _progress_before_commit(
    self: ExactlyOnce,
    partition: Partition,
    outgoing: Sequence[Outgoing],
    offset: int,
    progress: Progress,
    *rest: Any,
) -> None:
    progress.advance({partition: offset})
    await transact(self, partition, outgoing, offset, progress, *rest)


def _nothing(*_: Any) -> None:
    pass


async def _tail_whatever_is_unpublished(
    self: Tails, consumer: Any, progress: Progress, _polled: Any, now: float
) -> dict[Partition, int]:
    return await due(self, consumer, progress, {}, now)


async def _begin_at_the_end(self: Starts, *arguments: Any) -> int:
    self._read.clear()
    return await first_start(self, *arguments)


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
    "producer started after the committed offset was read": (
        KafkaSession, "_position", _read_the_offset_before_fencing,
    ),
    "one transactional id for each process": (ExactlyOnce, "_new", _own_id),
    "send that is not awaited": (Producer, "send_each", _send_and_forget),
    "dropped batch that is not rewound": (consumer.Consumer, "seek", _no_seek),
    "waiting batch put back at the end": (Pipeline, "_with_all_waiting", _put_back_at_the_end),
    "offset of a skipped record not committed": (Pipeline, "_publication", _no_offset_of_skipped),
    "progress that moves before the commit": (ExactlyOnce, "_transact", _progress_before_commit),
    "failed publish that is not rewound": (KafkaSession, "rewind", _nothing),
    "producers kept over a rebalance": (ExactlyOnce, "disown", _nothing),
    "tail committed before what was read": (Tails, "due", _tail_whatever_is_unpublished),
    "record of several messages cut in two": (batcher, "_of_one_record", _one_item),
    "added partition begun at its end": (Starts, "_first_start", _begin_at_the_end),
}  # fmt: skip


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Put a bug into the service."""
    owner, attribute, bug = PLANTS[name]
    with patch.object(owner, attribute, bug):
        yield
