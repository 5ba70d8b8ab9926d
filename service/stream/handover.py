"""The hand-over from collecting to scoring: the waiting items, and which stage waits for what.

Exists so that the rules of waiting can be read alone. There are three, and each has one event:

- the collecting stage waits while the batcher is full (`room`);
- it gathers while the model is busy, and polls again just before the batch on the model is due to
  end (`model_changed`): what comes then is newest;
- the scoring stage waits for items, and for a commit before which the next batch would only wait
  (`batch_may_begin`).

Nobody sleeps to fill a batch. No model, no Kafka and no metrics here; all of it is for one event
loop, so that a state cannot change between the look at it and the wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from service.ports import Clock
    from service.records import Batch, Item
    from service.stream.batcher import Batcher

# Least time between two polls while the model is busy: one for each record would take a core.
GATHER_S = 0.008
# A poll goes out this long before a batch is due to end: about what it takes with preparing.
POLL_AHEAD_S = 0.007
# However long the batch: a poll brings a bounded number of records, and prepares them.
GATHER_MAX_S = 0.05


class Handover:
    """Holds the batcher between two stages, and says when the model is next free."""

    def __init__(self, batcher: Batcher, clock: Clock) -> None:
        """Nothing is collected, and the model is idle."""
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
        self, keep_alive_s: float, keep_alive: Callable[[], Awaitable[None]]
    ) -> None:
        """Wait until the batcher takes more; meanwhile `keep_alive` every `keep_alive_s`."""
        while self.batcher.full:
            self._room.clear()
            try:
                async with asyncio.timeout(keep_alive_s):
                    await self._room.wait()
            except TimeoutError:
                await keep_alive()

    def add(self, items: Sequence[Item], epoch: int) -> int:
        """Add items; returns how many of an older epoch were dropped for them."""
        dropped = self.batcher.add(items, epoch)
        self._batch_may_begin.set()
        return dropped

    async def gather(self) -> None:
        """Wait for the moment of the next poll, while there is work without it.

        That is at once where the model is idle and nothing waits, or where a whole batch waits
        already: then polling goes on until the batcher is full. Else it is POLL_AHEAD_S before the
        batch on the model is due to end, within GATHER_S and GATHER_MAX_S from now. When the model
        begins a batch, the moment is computed anew from that batch.
        """
        now = self._clock.monotonic()
        least, most = now + GATHER_S, now + GATHER_MAX_S
        with contextlib.suppress(TimeoutError):
            while self._has_work and not self.batcher.fills_a_batch:
                self._model_changed.clear()
                due = self._due_to_end - POLL_AHEAD_S
                async with asyncio.timeout(min(max(least, due), most) - self._clock.monotonic()):
                    await self._model_changed.wait()

    @property
    def _has_work(self) -> bool:
        return self._busy_since is not None or len(self.batcher) > 0

    def end(self) -> None:
        """Nothing is added from here on; what waits is still handed over."""
        self._ended = True
        self._batch_may_begin.set()

    # The scoring stage.

    async def next_batch(self, would_wait: Callable[[], bool]) -> Batch | None:
        """The next batch; None at the end.

        While it `would_wait` for a commit anyway, it is left to grow, unless it is whole. Whoever
        changes the answer of `would_wait` calls `look_again`.
        """
        while (batch := self._take(would_wait)) is None:
            if self._ended and not len(self.batcher):
                return None
            # The model is free and has nothing to begin: polls need not wait for it any longer.
            self._model_changed.set()
            self._batch_may_begin.clear()
            await self._batch_may_begin.wait()
        self._room.set()
        return batch

    def _take(self, would_wait: Callable[[], bool]) -> Batch | None:
        if would_wait() and not self.batcher.fills_a_batch:
            return None
        return self.batcher.take(self._clock.monotonic())

    def look_again(self) -> None:
        """Let the scoring stage ask again whether a batch would wait for a commit."""
        self._batch_may_begin.set()

    @contextlib.contextmanager
    def model_busy(self, due_s: float) -> Iterator[None]:
        """The model works on a batch within this context, for about `due_s` seconds."""
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
