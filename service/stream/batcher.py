"""What goes into the next batch. Pure: time is an argument, nothing here waits.

A batch is taken when the model is free, never before, so it grows while the model is busy. It is
kept small enough to end within the latency budget of its oldest item, as far as the measured cost
of earlier batches can tell, if what it leaves behind is in time too; once a budget is lost,
throughput is what helps, and the batch is as large as memory allows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.records import Batch, Document
from service.stream.cost import FORGETTING, CostModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Item

# Two batches' worth waiting keeps the model busy; more would only grow latency and memory.
HELD_BATCHES = 2
# Most bytes of records waiting: the pipeline's share of a 1 GB container, whatever their size.
HELD_BYTES_MAX = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a batch."""

    tokens_max: int
    records_max: int
    latency_budget_s: float


class Batcher:
    """Items waiting for the model, in the order of their arrival."""

    def __init__(self, limits: Limits) -> None:
        """Hold nothing, in epoch 0."""
        self.cost = CostModel()
        self._limits = limits
        self._publish_s = 0.0
        self._items: deque[Item] = deque()
        self._tokens = 0
        self._bytes = 0
        self._epoch = 0

    def __len__(self) -> int:
        """Number of items waiting."""
        return len(self._items)

    def observe_publish(self, seconds: float) -> None:
        """Learn what comes behind the model, and counts against the same budget."""
        self._publish_s = FORGETTING * self._publish_s + (1 - FORGETTING) * seconds

    @property
    def full(self) -> bool:
        """Whether nothing should be added until a batch is taken."""
        return (
            len(self._items) >= HELD_BATCHES * self._limits.records_max
            or self._tokens >= HELD_BATCHES * self._limits.tokens_max
            or self._bytes >= HELD_BYTES_MAX
        )

    @property
    def fills_a_batch(self) -> bool:
        """Whether as much waits as one batch may hold."""
        limits = self._limits
        return len(self._items) >= limits.records_max or self._tokens >= limits.tokens_max

    def add(self, items: Sequence[Item], epoch: int) -> int:
        """Add items of an epoch; returns how many of an older one were dropped for it."""
        dropped = 0
        if epoch != self._epoch:
            dropped = len(self._items)
            self._items.clear()
            self._tokens = self._bytes = 0
            self._epoch = epoch
        for item in items:
            self._items.append(item)
            self._tokens += _tokens(item)
            self._bytes += _bytes(item)
        return dropped

    def take(self, now: float) -> Batch | None:
        """Take the next batch at `now` (monotonic seconds); None where nothing waits."""
        if not self._items:
            return None
        count = self._count(now)
        items = tuple(self._items.popleft() for _ in range(count))
        tokens = sum(map(_tokens, items))
        self._tokens -= tokens
        self._bytes -= sum(map(_bytes, items))
        return Batch(items, self._epoch, tokens)

    def _count(self, now: float) -> int:
        """How many items go: all that may, or fewer, so that the oldest is in time.

        Small batches cost more for each text: cutting one off for the oldest pays only where those
        behind it are in time then too. Otherwise the backlog grows, and in the end every budget is
        lost.
        """
        left_s = self._left_s(self._items[0], now)
        texts = tokens = count = 0
        # Count, texts and tokens before the first with which the batch would be late.
        timely: tuple[int, int, int] | None = None
        for item in self._items:
            size = _tokens(item)
            full = count >= self._limits.records_max or tokens + size > self._limits.tokens_max
            if count and full:
                break
            more = (texts + isinstance(item, Document), tokens + size)
            if timely is None and self.cost.seconds_of(*more) > left_s:
                timely = (count, texts, tokens)
            texts, tokens = more
            count += 1
        if timely is None or not timely[0]:
            # In time as a whole, or lost for the oldest already.
            return count
        cut, cut_texts, cut_tokens = timely
        all_s = self.cost.seconds_of(cut_texts, cut_tokens)
        all_s += self.cost.seconds_of(texts - cut_texts, tokens - cut_tokens)
        return cut if all_s <= self._left_s(self._items[cut], now) else count

    def _left_s(self, item: Item, now: float) -> float:
        waited = now - item.record.polled_at
        return self._limits.latency_budget_s - waited - self._publish_s


def _tokens(item: Item) -> int:
    return item.tokens if isinstance(item, Document) else 0


def _bytes(item: Item) -> int:
    return len(item.record.value or b"") + len(item.record.key or b"")
