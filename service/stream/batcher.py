"""Chooses the items of the next batch. Pure: time is an argument, and nothing here waits.

A batch is taken only when the model is free, so it grows while the model is busy. Where more waits
than a batch may hold, each partition gets an equal share of it, so that the backlog of one does not
delay the others. A batch is smaller than that in two cases:

- If it would miss the latency budget of the oldest item, and two smaller batches would meet all
  budgets, it is cut. Once a budget is lost, only throughput helps.
- While one partition has a backlog and others do not, a batch takes no longer than publishing it,
  or an eighth of the budget: a record of the others waits for one batch, and is in the next. One of
  the backlog alone is `patient`: a commit for each would cost throughput. One of the others alone
  is `urgent`: beside another batch on the same cores its commit takes twice as long, so the model
  waits for it, but for no more than about an eighth of the time.

A batch holds the first waiting items of each partition: offsets are committed in order.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING

from service.records import Batch, Document
from service.stream.cost import FORGETTING, CostModel, bytes_of, share_of, texts_of, tokens_of
from service.stream.sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from service.records import Item, Partition

# Items for two batches keep the model busy; more would only add latency and memory.
HELD_BATCHES = 2
# Most records in all, in batches: room for other partitions beside a backlog.
HELD_BATCHES_MAX = 4
# Most bytes of waiting records: the pipeline's share of a 1 GB container.
HELD_BYTES_MAX = 32 * 2**20
# A batch beside a backlog is no smaller: with fewer tokens, each takes the model a tenth more time.
SMALL_TOKENS_MIN = 256
# A transaction by itself takes as long as publishing so many records.
COMMIT_RECORDS = 64
# Most tokens of an urgent batch. The rest of a burst goes into the next one, with the backlog.
URGENT_TOKENS_MAX = 128
# Least time between two urgent batches, in commits: for one of so many the model waits.
URGENT_EVERY_COMMITS = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a batch."""

    tokens_max: int
    records_max: int
    latency_budget_s: float


@dataclass(slots=True)
class _Queue:
    """The waiting items of one partition, each with its place in the order of arrival."""

    items: deque[tuple[int, Item]] = field(default_factory=deque)
    tokens: int = 0


class Batcher:
    """Items waiting for the model, by partition."""

    def __init__(self, limits: Limits) -> None:
        """Hold nothing, in epoch 0."""
        self.limits = limits
        self.cost, self.publish_cost = CostModel(), CostModel()
        self._publish_s = 0.0
        # The partitions with items; first the one that has waited longest for its share.
        self._queues: dict[Partition, _Queue] = {}
        self._arrived = 0
        self._count = 0
        self._tokens = 0
        self._bytes = 0
        self._epoch = 0
        self._sharing = Sharing()
        # Those with a backlog: the client has more of their records than it has given.
        self.behind: frozenset[Partition] = frozenset()
        # Whether the last batch was a small one, and patient; and the tokens of a whole one.
        self.small = self._patient = False
        self._urgent_at = float("-inf")
        self._whole_tokens = limits.tokens_max

    def __len__(self) -> int:
        """Number of items waiting."""
        return self._count

    @property
    def tokens_max(self) -> int:
        """Most tokens of a batch, but for one of a single record."""
        return self.limits.tokens_max

    def observe_publish(self, records: int, seconds: float) -> None:
        """Learn how long publishing takes, which counts against the same budget."""
        self.publish_cost.observe(records, records, seconds)
        self._publish_s = FORGETTING * self._publish_s + (1 - FORGETTING) * seconds

    @property
    def full(self) -> bool:
        """Whether to add nothing of any partition until a batch is taken."""
        return (
            self._count >= HELD_BATCHES_MAX * self.limits.records_max
            or self._bytes >= HELD_BYTES_MAX
        )

    @property
    def crowded(self) -> frozenset[Partition]:
        """The partitions of which to add nothing until a batch is taken.

        None while fewer items wait than may; else those that have their share of them, or more.
        """
        records, tokens = HELD_BATCHES * self.limits.records_max, HELD_BATCHES * self._whole_tokens
        if self._count < records and self._tokens < tokens:
            return frozenset()
        partitions = len(self._queues)
        return frozenset(
            partition
            for partition, queue in self._queues.items()
            if (self._count >= records and len(queue.items) * partitions >= records)
            or (self._tokens >= tokens and queue.tokens * partitions >= tokens)
        )

    @property
    def fills_a_batch(self) -> bool:
        """Whether the waiting items fill a batch."""
        return self._count >= self.limits.records_max or self._tokens >= self._whole_tokens

    def add(self, items: Sequence[Item], epoch: int) -> int:
        """Add items of an epoch; drops those of another epoch, and returns their number."""
        dropped = 0
        if epoch != self._epoch:
            dropped = self._count
            self._queues.clear()
            self._sharing.forget_partitions()
            self._count = self._tokens = self._bytes = 0
            self._epoch = epoch
        for item in items:
            queue = self._queues.setdefault(item.record.partition, _Queue())
            queue.items.append((self._arrived, item))
            queue.tokens += tokens_of(item)
            self._arrived += 1
            self._tokens += tokens_of(item)
            self._bytes += bytes_of(item)
        self._count += len(items)
        return dropped

    def take(self, now: float) -> Batch | None:
        """Take the next batch at `now` (monotonic seconds); None if no items wait."""
        if not self._count:
            return None
        self._sharing.note_behind(self.behind, now)
        urgent = self._urgent(now)
        chosen = self._shares(small=self._sharing.lasts(now), urgent=urgent)
        backlog = len(chosen) < self._count
        if backlog and not self._sharing.lasts(now):
            waiting = {partition: queue.tokens for partition, queue in self._queues.items()}
            if self._sharing.begins(waiting, now):
                chosen = self._shares(small=True)
        del chosen[self._in_time(chosen, now) :]
        taken: dict[Partition, int] = {}
        for item in chosen:
            partition = item.record.partition
            taken[partition] = taken.get(partition, 0) + share_of(item)
            queue = self._queues[partition]
            queue.items.popleft()
            queue.tokens -= tokens_of(item)
        tokens = sum(map(tokens_of, chosen))
        self._count -= len(chosen)
        self._tokens -= tokens
        self._bytes -= sum(map(bytes_of, chosen))
        self._settle(taken, now, backlog=backlog)
        self.small = (backlog or bool(self.behind)) and self._sharing.lasts(now)
        self._whole_tokens = max(tokens, SMALL_TOKENS_MIN) if self.small else self.limits.tokens_max
        self._patient = self.small and taken.keys() <= self.behind
        if urgent:
            self._urgent_at = now
        return Batch(tuple(chosen), self._epoch, tokens, self._patient, bool(urgent))

    def _urgent(self, now: float) -> list[_Queue]:
        """The items of which alone the next batch is to be; empty if it may have any."""
        due = now - self._urgent_at >= URGENT_EVERY_COMMITS * self._publish_s
        if not (self._patient and due and self._sharing.lasts(now)):
            return []
        return [q for p, q in self._queues.items() if not self._sharing.was_behind(p, now)]

    def _shares(self, *, small: bool, urgent: Sequence[_Queue] = ()) -> list[Item]:
        """The items that the bounds allow, in equal shares of all partitions, in arrival order.

        A share is counted in tokens, which is time on the model. Each next item is the first one of
        the partition with the smallest share so far.
        """
        limits = self.limits
        queues = urgent or self._queues.values()
        turns = [(0, turn, iter(q.items)) for turn, q in enumerate(queues)]
        heapify(turns)
        chosen: list[tuple[int, Item]] = []
        texts = tokens = 0
        while turns and len(chosen) < limits.records_max:
            share, turn, waiting = turns[0]
            record = _of_one_record(waiting)
            if not record:
                heappop(turns)
                continue
            items = [item for _, item in record]
            more = (texts + texts_of(items), tokens + sum(map(tokens_of, items)))
            count = len(chosen) + len(items)
            too_long = small and (
                (urgent and more[1] > URGENT_TOKENS_MAX) or self._takes_too_long(count, *more)
            )
            too_many = count > limits.records_max or more[1] > limits.tokens_max
            # The first item is taken even if it exceeds the bounds by itself. One that does not fit
            # is the first of the next batch, and nothing of its partition may overtake it.
            if chosen and (too_long or too_many):
                heappop(turns)
                continue
            chosen += record
            texts, tokens = more
            heapreplace(turns, (share + sum(map(share_of, items)), turn, waiting))
        return [item for _, item in sorted(chosen, key=lambda entry: entry[0])]

    def _takes_too_long(self, records: int, texts: int, tokens: int) -> bool:
        half_s = self.limits.latency_budget_s / 2
        # The model has nothing to do while a commit takes longer than a batch.
        short_s = min(half_s, max(half_s / 4, self._publish_s))
        if tokens > SMALL_TOKENS_MIN and self.cost.seconds_of(texts, tokens) > short_s:
            return True
        publish_s = self.publish_cost.seconds_of(records, records)
        return self._commits_in_time and records > COMMIT_RECORDS and publish_s > half_s

    @property
    def _commits_in_time(self) -> bool:
        # With slow brokers no size is in time, and only throughput helps.
        return self.publish_cost.parts[0] <= self.limits.latency_budget_s / 2

    @property
    def hurried(self) -> bool:
        """Whether no more than one scored batch is to wait for a commit: others would wait too."""
        return self.small and self._commits_in_time

    def _settle(self, taken: Mapping[Partition, int], now: float, *, backlog: bool) -> None:
        """Give those left behind the first turn, and notice whether a backlog delays others."""
        for partition in taken:
            queue = self._queues.pop(partition)
            if queue.items:
                self._queues[partition] = queue
        self._sharing.note(taken, self._queues.keys() | self.behind, now, backlog=backlog)

    def _in_time(self, items: Sequence[Item], now: float) -> int:
        """How many of these items to take: all, or fewer to keep the oldest in time.

        A cut costs throughput, because every batch has a fixed cost. So it is made only if the
        items behind it are in time too; otherwise the backlog would grow until no item is in time.
        """
        left_s = self._left_s(items[0], now)
        texts = tokens = 0
        # Count, texts and tokens of the largest batch that is in time; None if all of it is.
        timely: tuple[int, int, int] | None = None
        whole = (0, 0, 0)  # Of the records before the one that the item is of.
        for count, item in enumerate(items):
            if count and items[count - 1].record.is_last:
                whole = (count, texts, tokens)
            more = (texts + isinstance(item, Document), tokens + tokens_of(item))
            if timely is None and self.cost.seconds_of(*more) > left_s:
                timely = whole
            texts, tokens = more
        if timely is None or not timely[0]:
            # The whole batch is in time, or not even the oldest item alone is.
            return len(items)
        cut, cut_texts, cut_tokens = timely
        # The items behind the cut run after it, and the oldest of them is the first one.
        both_s = self.cost.seconds_of(cut_texts, cut_tokens)
        both_s += self.cost.seconds_of(texts - cut_texts, tokens - cut_tokens)
        return cut if both_s <= self._left_s(items[cut], now) else len(items)

    def _left_s(self, item: Item, now: float) -> float:
        """Seconds that the model may take for an item, so that it is published in time."""
        waited = now - item.record.polled_at
        return self.limits.latency_budget_s - waited - self._publish_s


def _of_one_record(waiting: Iterator[tuple[int, Item]]) -> list[tuple[int, Item]]:
    """The next item, and all others of its record if that is a list; empty if there is none.

    They are committed together, so a batch has all of them or none.
    """
    found: list[tuple[int, Item]] = []
    for entry in waiting:
        found.append(entry)
        if entry[1].record.is_last:
            break
    return found
