"""Hands items from stage to stage, and decides when each stage waits.

Exists so that the rules of waiting can be read apart from the stages. Between collecting and
scoring there are three, each with an `asyncio.Event`:

- The collecting stage waits while the batcher has no room for any partition (`_room`).
- While the model is busy, the collecting stage waits to poll until just before the batch on the
  model is due to end, so that the next batch gets the newest records (`_model_changed`).
- The scoring stage waits for items. If a scored batch already waits for a commit, the next one
  would wait behind it, so it is left to grow until that commit begins or the batch is whole
  (`_batch_may_begin`).

No stage sleeps to fill a batch. Between scoring and publishing, all that waits goes into one
commit, batches of a backlog alone wait a little for others, and the model waits for the commit of
an urgent one (`Scored`). No model, no Kafka and no metrics here. Everything runs on one event loop,
so no state changes between checking it and waiting for its event.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from service.stream.batcher import COMMIT_RECORDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from service.ports import Clock
    from service.records import Batch, Item, Outcome, Partition
    from service.stream.batcher import Batcher

# Least time between two polls while the model is busy: a poll for each record would use a core.
GATHER_S = 0.008
# A poll begins this long before a batch is due to end: about as long as it takes with preparing.
POLL_AHEAD_S = 0.007
# Most time between two polls, however long the batch: a single poll at its end could not bring
# and prepare enough records.
GATHER_MAX_S = 0.05
# Most scored batches that wait for a commit: where commits are slow, one commit takes several.
SCORED_MAX = 4

ScoredBatch = tuple["Batch", list["Outcome"]]


class Handover:
    """Holds the batcher between the two stages, and knows when the model is busy."""

    def __init__(self, batcher: Batcher, clock: Clock) -> None:
        """Start with an idle model."""
        self.batcher = batcher
        self._clock = clock
        self._room = asyncio.Event()
        self._model_changed = asyncio.Event()
        self._batch_may_begin = asyncio.Event()
        self._ended = False
        self._busy_since: float | None = None
        self._due_to_end = 0.0

    # The collecting stage.

    async def wait_for_room(
        self,
        partitions: Callable[[], frozenset[Partition]],
        keep_alive_s: float,
        keep_alive: Callable[[], Awaitable[None]],
    ) -> None:
        """Wait until there is room for records of any of these partitions.

        Call `keep_alive` every `keep_alive_s` meanwhile.
        """
        while self._has_no_room(partitions):
            self._room.clear()
            try:
                async with asyncio.timeout(keep_alive_s):
                    await self._room.wait()
            except TimeoutError:
                await keep_alive()

    def _has_no_room(self, partitions: Callable[[], frozenset[Partition]]) -> bool:
        crowded = self.batcher.crowded
        return self.batcher.full or (bool(crowded) and crowded >= partitions())

    def add(self, items: Sequence[Item], epoch: int) -> int:
        """Add items; returns the number of items of an older epoch that were dropped."""
        dropped = self.batcher.add(items, epoch)
        self._batch_may_begin.set()
        return dropped

    async def gather(self) -> None:
        """Wait until the next poll is due.

        It is due at once if the model is idle and no items wait, since nothing is gained by
        waiting. It is also due at once if a whole batch waits: polling then goes on until the
        backlog has its share of the batcher. Otherwise it is due POLL_AHEAD_S before the batch on
        the model should end, but no sooner than GATHER_S and no later than GATHER_MAX_S from now.
        """
        now = self._clock.monotonic()
        earliest, latest = now + GATHER_S, now + GATHER_MAX_S
        with contextlib.suppress(TimeoutError):
            while self._has_work and (self.batcher.crowded or not self.batcher.fills_a_batch):
                self._model_changed.clear()
                due = min(max(earliest, self._due_to_end - POLL_AHEAD_S), latest)
                async with asyncio.timeout(due - self._clock.monotonic()):
                    # The model has begun another batch, or has none: look again.
                    await self._model_changed.wait()

    @property
    def _has_work(self) -> bool:
        return self._busy_since is not None or len(self.batcher) > 0

    def end(self) -> None:
        """Add no more items from now on; those that wait are still handed over."""
        self._ended = True
        self._batch_may_begin.set()

    # The scoring stage.

    async def next_batch(self, would_wait: Callable[[], bool]) -> Batch | None:
        """Wait for the next batch; None after `end`, when no items are left.

        While `would_wait()` is true, the batch would wait for a commit after it is scored, so it is
        left to grow until it is whole, or beside a backlog until it would not wait. Call
        `look_again` when `would_wait()` may have changed.
        """
        while (batch := self._take(would_wait)) is None:
            if self._ended and not len(self.batcher):
                return None
            # The model is idle: `gather` must not wait for it any longer.
            self._model_changed.set()
            self._batch_may_begin.clear()
            await self._batch_may_begin.wait()
        self._room.set()
        return batch

    def _take(self, would_wait: Callable[[], bool]) -> Batch | None:
        if would_wait() and (self.batcher.hurried or not self.batcher.fills_a_batch):
            return None
        return self.batcher.take(self._clock.monotonic())

    def look_again(self) -> None:
        """Let the scoring stage check again whether its next batch would wait for a commit."""
        self._batch_may_begin.set()

    @contextlib.contextmanager
    def model_busy(self, due_s: float) -> Iterator[None]:
        """The model is busy within this context, for about `due_s` seconds."""
        self._busy_since = self._clock.monotonic()
        self._due_to_end = self._busy_since + due_s
        self._model_changed.set()
        try:
            yield
        finally:
            self._busy_since = None

    def busy_s(self) -> float:
        """How long the model has worked on its batch, in seconds; 0 where it is idle."""
        return 0.0 if self._busy_since is None else self._clock.monotonic() - self._busy_since


class Scored:
    """Scored batches, in order, and which of them go into one commit."""

    def __init__(self, has_room: Callable[[], None], patience_s: float) -> None:
        """Hold none; `has_room` is called when there is room for another one.

        Patient batches wait no longer than `patience_s` for the next, and are committed once they
        have COMMIT_RECORDS.
        """
        self._has_room = has_room
        self._patience_s = patience_s
        self._waiting: asyncio.Queue[ScoredBatch | None] = asyncio.Queue(SCORED_MAX)
        # Taken from the queue, but for the commit after the next one: at most one.
        self._held: list[ScoredBatch | None] = []
        self._commits_urgent = False

    def __len__(self) -> int:
        """How many batches wait."""
        return self._waiting.qsize()

    async def put(self, scored: ScoredBatch | None) -> None:
        """Add a batch with its outcomes, or None behind the last one; waits for room."""
        await self._waiting.put(scored)

    def would_wait(self) -> bool:
        """Whether another batch would only wait for a commit, or delay an urgent one."""
        return len(self) > 0 or self._commits_urgent

    def commit_ended(self) -> None:
        """The last commit has ended or failed: the model need not wait for it."""
        self._commits_urgent = False
        self._has_room()

    async def next_commit(self) -> tuple[int, list[Outcome]] | None:
        """The epoch and the outcomes of the next commit; None when there is none any more.

        It has all that wait, up to the end or another epoch, and at least one batch. While all of
        them are patient, it waits for others. To be called once the commit before has ended.
        """
        self.commit_ended()
        scored = self._held.pop() if self._held else await self._waiting.get()
        if scored is None:
            return None
        batch, outcomes = scored
        patient, urgent = batch.patient, batch.urgent
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                while len(self) or (patient and len(outcomes) < COMMIT_RECORDS):
                    self._has_room()
                    following = await self._waiting.get()
                    if following is None or following[0].epoch != batch.epoch:
                        self._held.append(following)
                        break
                    patient = patient and following[0].patient
                    urgent = urgent or following[0].urgent
                    outcomes = [*outcomes, *following[1]]
        self._commits_urgent = urgent
        self._has_room()
        return batch.epoch, outcomes
