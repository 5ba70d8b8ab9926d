"""What goes into the next batch. Pure: time is an argument, nothing here waits.

A batch is taken when the model is free, never before, so it grows while the model is busy. It is
kept small enough to end within the latency budget of its oldest item, as far as the measured cost
of earlier batches can tell; once that budget is lost, throughput is what helps, and the batch is
as large as memory allows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.records import Batch, Document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Item

# Two batches' worth waiting keeps the model busy; more would only grow latency and memory.
HELD_BATCHES = 2
# Most bytes of records waiting: the pipeline's share of a 1 GB container, whatever their size.
HELD_BYTES_MAX = 32 * 2**20
# A batch weighs 5 % less with each newer one: the cost follows the machine within some seconds.
FORGETTING = 0.95


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a batch."""

    tokens_max: int
    records_max: int
    latency_budget_s: float


class CostModel:
    """Seconds of a batch as fixed + per token: least squares over the recent ones."""

    def __init__(self) -> None:
        """Know nothing: predictions are zero until two sizes were seen."""
        self._weight = self._x = self._y = self._xx = self._xy = 0.0

    def observe(self, tokens: int, seconds: float) -> None:
        """Learn from a batch that has run."""
        for name, value in (
            ("_weight", 1.0),
            ("_x", tokens),
            ("_y", seconds),
            ("_xx", tokens * tokens),
            ("_xy", tokens * seconds),
        ):
            setattr(self, name, getattr(self, name) * FORGETTING + value)

    def coefficients(self) -> tuple[float, float]:
        """(fixed seconds, seconds per token), neither below zero."""
        if not self._weight:
            return 0.0, 0.0
        spread = self._weight * self._xx - self._x * self._x
        # Batches of nearly one size tell nothing about the fixed part: all is put on the tokens.
        if spread <= 1e-3 * self._weight * self._xx:
            return 0.0, self._y / self._x if self._x else 0.0
        per_token = max(0.0, (self._weight * self._xy - self._x * self._y) / spread)
        return max(0.0, (self._y - per_token * self._x) / self._weight), per_token

    def seconds_of(self, tokens: int) -> float:
        """Predicted seconds of a batch; 0 where nothing is known."""
        fixed, per_token = self.coefficients()
        return fixed + per_token * tokens

    def tokens_within(self, seconds: float) -> float:
        """How many tokens end within so many seconds; negative where none do."""
        fixed, per_token = self.coefficients()
        if not per_token:
            return float("inf") if seconds >= fixed else -1.0
        return (seconds - fixed) / per_token


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

    @property
    def latency_budget_s(self) -> float:
        """From polling a record until its event is written."""
        return self._limits.latency_budget_s

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
        tokens_max = self._tokens_max(now)
        items: list[Item] = []
        tokens = 0
        while self._items and len(items) < self._limits.records_max:
            size = _tokens(self._items[0])
            if items and tokens + size > tokens_max:
                break
            item = self._items.popleft()
            items.append(item)
            tokens += size
            self._tokens -= size
            self._bytes -= _bytes(item)
        return Batch(tuple(items), self._epoch, tokens)

    def _tokens_max(self, now: float) -> float:
        waited = now - self._items[0].record.polled_at
        left_s = self._limits.latency_budget_s - waited - self._publish_s
        within = self.cost.tokens_within(left_s)
        if within < _tokens(self._items[0]):
            return self._limits.tokens_max
        return min(within, self._limits.tokens_max)


def _tokens(item: Item) -> int:
    return len(item.token_ids) if isinstance(item, Document) else 0


def _bytes(item: Item) -> int:
    return len(item.record.value or b"") + len(item.record.key or b"")
