"""Chooses the items of the next batch. Pure: time is an argument, and nothing here waits.

A batch is taken only when the model is free, so it grows while the model is busy. It takes all
waiting items that its bounds allow, with one exception: if that would miss the latency budget of
the oldest item, and two smaller batches would meet all budgets, it is cut. Once a budget is lost,
only throughput helps, so the batch is as large as possible.
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

# Items for two batches keep the model busy; more would only add latency and memory.
HELD_BATCHES = 2
# Most bytes of waiting records: the pipeline's share of a 1 GB container.
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
        """Learn how long publishing takes, which counts against the same budget."""
        self._publish_s = FORGETTING * self._publish_s + (1 - FORGETTING) * seconds

    @property
    def full(self) -> bool:
        """Whether to add nothing until a batch is taken."""
        return (
            len(self._items) >= HELD_BATCHES * self._limits.records_max
            or self._tokens >= HELD_BATCHES * self._limits.tokens_max
            or self._bytes >= HELD_BYTES_MAX
        )

    @property
    def fills_a_batch(self) -> bool:
        """Whether the waiting items fill a batch."""
        limits = self._limits
        return len(self._items) >= limits.records_max or self._tokens >= limits.tokens_max

    def add(self, items: Sequence[Item], epoch: int) -> int:
        """Add items of an epoch; drops those of another epoch, and returns their number."""
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
        """Take the next batch at `now` (monotonic seconds); None if no items wait."""
        if not self._items:
            return None
        count = self._count(now)
        items = tuple(self._items.popleft() for _ in range(count))
        tokens = sum(map(_tokens, items))
        self._tokens -= tokens
        self._bytes -= sum(map(_bytes, items))
        return Batch(items, self._epoch, tokens)

    def _count(self, now: float) -> int:
        """How many items to take: all that the bounds allow, or fewer to keep the oldest in time.

        A cut costs throughput, because every batch has a fixed cost. So it is made only if the
        items behind it are in time too; otherwise the backlog would grow until no item is in time.
        """
        left_s = self._left_s(self._items[0], now)
        texts = tokens = count = 0
        # Count, texts and tokens of the largest batch that is in time; None if all of it is.
        timely: tuple[int, int, int] | None = None
        for item in self._items:
            size = _tokens(item)
            full = count >= self._limits.records_max or tokens + size > self._limits.tokens_max
            # The first item is taken even if it exceeds the bounds by itself.
            if count and full:
                break
            more = (texts + isinstance(item, Document), tokens + size)
            if timely is None and self.cost.seconds_of(*more) > left_s:
                timely = (count, texts, tokens)
            texts, tokens = more
            count += 1
        if timely is None or not timely[0]:
            # The whole batch is in time, or not even the oldest item alone is.
            return count
        cut, cut_texts, cut_tokens = timely
        # The items behind the cut run after it, and the oldest of them is the first one.
        both_s = self.cost.seconds_of(cut_texts, cut_tokens)
        both_s += self.cost.seconds_of(texts - cut_texts, tokens - cut_tokens)
        return cut if both_s <= self._left_s(self._items[cut], now) else count

    def _left_s(self, item: Item, now: float) -> float:
        """Seconds that the model may take for an item, so that it is published in time."""
        waited = now - item.record.polled_at
        return self._limits.latency_budget_s - waited - self._publish_s


def _tokens(item: Item) -> int:
    return item.tokens if isinstance(item, Document) else 0


def _bytes(item: Item) -> int:
    return len(item.record.value or b"") + len(item.record.key or b"")
