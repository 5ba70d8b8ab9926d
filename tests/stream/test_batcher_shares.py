"""The next batch where several partitions wait: each has its share, and its own order."""

from __future__ import annotations

import random
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from service.records import Batch, Document, Item, Message, Partition, Record, TextStats
from service.stream.batcher import OTHERS_TOKENS_MAX, SMALL_TOKENS_MIN, Batcher, Limits
from service.stream.cost import CostModel
from service.stream.sharing import DRAINED_S, SHARED_S

LIMITS = Limits(tokens_max=100, records_max=8, latency_budget_s=1.0)
LARGE = Limits(tokens_max=8192, records_max=256, latency_budget_s=0.1)
STATS = TextStats(1, truncated=False, windows=1, unknown_share=0)
BACKLOG, LIVE = 0, 1


class Arrivals:
    """Makes items of partitions, each with the next offset."""

    def __init__(self) -> None:
        """Begin all partitions at 0."""
        self.offsets: defaultdict[int, int] = defaultdict(int)

    def items(self, partition: int, sizes: list[int], polled_at: float = 0.0) -> list[Item]:
        """Documents of these sizes in tokens."""
        return [self._item(partition, tokens, polled_at) for tokens in sizes]

    def _item(self, partition: int, tokens: int, polled_at: float) -> Item:
        offset = self.offsets[partition]
        self.offsets[partition] += 1
        record = Record(Partition("in", partition), offset, 0, None, None, (), 1, polled_at)
        return Document(Message(record, "", {}), ([0] * tokens,), STATS)


def taken(batcher: Batcher, now: float = 0.0) -> Batch:
    """The next batch, which there is."""
    batch = batcher.take(now)
    assert batch is not None
    return batch


def counts(batch: Batch) -> dict[int, int]:
    """Items by partition."""
    found: dict[int, int] = defaultdict(int)
    for item in batch.items:
        found[item.record.partition.number] += 1
    return dict(found)


def costing(seconds_per_token: float) -> CostModel:
    """A cost model that has seen batches of all sizes."""
    cost = CostModel()
    for tokens in [8, 2000, 100, 700, 30, 5000] * 20:
        cost.observe(1 + tokens // 20, tokens, seconds_per_token * tokens)
    return cost


STEPS = st.lists(
    st.one_of(
        st.just("take"),
        st.tuples(st.integers(0, 4), st.lists(st.integers(1, 120), min_size=1, max_size=12)),
    ),
    max_size=25,
)


@given(steps=STEPS, per_token_s=st.sampled_from([0.0, 1e-5, 1e-2]), pace_s=st.floats(0, 3))
def test_each_partition_keeps_its_order_and_loses_nothing(
    steps: list[str | tuple[int, list[int]]], per_token_s: float, pace_s: float
) -> None:
    """A batch has the first waiting items of each partition, within the bounds."""
    arrivals, batcher = Arrivals(), Batcher(LIMITS)
    if per_token_s:
        batcher.cost = costing(per_token_s)
    now = 0.0
    seen: dict[int, list[int]] = defaultdict(list)
    todo = list(steps)
    while todo or len(batcher):
        step = todo.pop(0) if todo else "take"
        now += pace_s
        if not isinstance(step, str):
            batcher.add(arrivals.items(*step, polled_at=now), 1)
        elif (batch := batcher.take(now)) is not None:
            assert 1 <= len(batch.items) <= LIMITS.records_max
            assert batch.tokens <= LIMITS.tokens_max or 1 == len(batch.items)
            for item in batch.items:
                seen[item.record.partition.number].append(item.record.offset)

    assert {p: list(range(end)) for p, end in arrivals.offsets.items()} == dict(seen)
    assert 0 == len(batcher)
    assert not batcher.crowded


@given(
    waiting=st.lists(st.lists(st.integers(1, 10), min_size=1, max_size=30), min_size=2, max_size=8)
)
def test_each_partition_gets_its_share(waiting: list[list[int]]) -> None:
    """One that is left with items got no less than any other, but for the size of an item."""
    arrivals, batcher = Arrivals(), Batcher(LIMITS)
    for partition, sizes in enumerate(waiting):
        batcher.add(arrivals.items(partition, sizes), 1)

    batch = taken(batcher)

    tokens = {p: sum(sizes[: counts(batch).get(p, 0)]) for p, sizes in enumerate(waiting)}
    left = [p for p, sizes in enumerate(waiting) if counts(batch).get(p, 0) < len(sizes)]
    for partition in left:
        assert tokens[partition] + 10 >= max(tokens.values())


@given(partitions=st.integers(2, 30), records_max=st.integers(1, 4))
def test_with_more_partitions_than_room_all_get_their_turn(
    partitions: int, records_max: int
) -> None:
    """No partition gets a second batch before each had one."""
    arrivals, batcher = Arrivals(), Batcher(Limits(1000, records_max, 1.0))
    for partition in range(partitions):
        batcher.add(arrivals.items(partition, [1] * 100), 1)

    served: list[int] = []
    while len(served) < partitions:
        served += counts(taken(batcher))

    assert set(range(partitions)) == set(served)


def test_a_live_record_is_in_the_next_batch() -> None:
    """However much of another partition has waited for longer."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.add(arrivals.items(BACKLOG, [20] * 512), 1)
    batcher.add(arrivals.items(LIVE, [20]), 1)

    assert {BACKLOG: 255, LIVE: 1} == counts(taken(batcher))


def test_long_texts_do_not_take_the_share_of_short_ones() -> None:
    """A share is time on the model, and not a number of records."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.add(arrivals.items(BACKLOG, [2048] * 10), 1)
    batcher.add(arrivals.items(LIVE, [20] * 300), 1)

    batch = taken(batcher)

    # 4,096 tokens are half; a third long text comes only where nothing else fits.
    assert 200 <= counts(batch)[LIVE]


def test_batches_are_small_beside_a_backlog() -> None:
    """An eighth of the budget, once another partition has had records; then whole again."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-5)
    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)
    assert 8000 <= taken(batcher).tokens
    batcher.add(arrivals.items(LIVE, [40]), 1)
    taken(batcher, 1.0)
    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)

    assert 1210 <= taken(batcher, 1.1).tokens <= 1250
    assert 8000 <= taken(batcher, 1.1 + SHARED_S).tokens


def test_the_first_batch_of_a_backlog_is_small_where_others_had_records() -> None:
    """More of these may come while it is on the model; not where nothing has come for a while."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-5)
    batcher.add(arrivals.items(LIVE, [40]), 1)
    taken(batcher, 1.0)
    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)

    assert 1210 <= taken(batcher, 1.1).tokens <= 1250

    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)
    assert 8000 <= taken(batcher, 1.1 + 2 * SHARED_S).tokens


def test_a_backlog_that_ends_before_another_does_not_make_batches_small() -> None:
    """What is left of it is no live record; a second later it is."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-5)
    batcher.behind = {Partition("in", number) for number in (BACKLOG, LIVE)}
    for partition in (BACKLOG, LIVE):
        batcher.add(arrivals.items(partition, [40] * 200), 1)
    taken(batcher, 1.0)
    batcher.behind = {Partition("in", BACKLOG)}
    found = []
    for now in (1.1, 1.2, 1.2 + DRAINED_S):
        batcher.add(arrivals.items(BACKLOG, [40] * 300), 1)
        taken(batcher, now)
        found.append(batcher.small)
        batcher.add(arrivals.items(LIVE, [40]), 1)

    assert [False, False, True] == found


def test_a_backlog_of_partitions_that_had_few_records_has_whole_batches() -> None:
    """Though the first poll has less of some than of others: all have more at the client."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-5)
    for partition in (BACKLOG, LIVE):
        batcher.add(arrivals.items(partition, [40]), 1)
    taken(batcher, 1.0)
    batcher.behind = {Partition("in", number) for number in (BACKLOG, LIVE)}
    batcher.add(arrivals.items(BACKLOG, [40] * 300), 1)
    batcher.add(arrivals.items(LIVE, [40] * 10), 1)

    assert 8000 <= taken(batcher, 1.1).tokens
    assert not batcher.small


def test_small_batches_take_as_long_as_publishing() -> None:
    """Smaller ones would only wait for a commit; but no more than half of the budget."""
    for publish_s, tokens in ((0.02, 2000), (0.08, 5000)):
        arrivals, batcher = Arrivals(), Batcher(LARGE)
        batcher.cost = costing(1e-5)
        for _ in range(200):
            batcher.observe_publish(1, publish_s)
        for _ in range(2):
            batcher.add(arrivals.items(BACKLOG, [80] * 300), 1)
            batcher.add(arrivals.items(LIVE, [80]), 1)
            batch = taken(batcher)

        assert tokens - 80 <= batch.tokens <= tokens
        assert batcher.small


def test_a_batch_with_records_of_others_is_smaller_once() -> None:
    """One of the backlog alone is patient, and of two that are not, one is of ordinary size."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-5)
    batcher.add(arrivals.items(LIVE, [40]), 1)
    taken(batcher, 1.0)
    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)
    batcher.behind = {Partition("in", BACKLOG)}
    found = []
    for others in (0, 0, 1, 1, 0, 12, 0):
        batcher.add(arrivals.items(LIVE, [40] * others), 1)
        batch = taken(batcher, 1.1)
        found.append((batch.patient, batch.tokens <= OTHERS_TOKENS_MAX, counts(batch).get(LIVE, 0)))

    assert found == [
        (True, False, 0), (True, False, 0), (False, True, 1), (False, False, 1), (True, False, 0),
        (False, True, 1), (False, False, 11),
    ]  # fmt: skip


def test_backlogs_of_many_partitions_do_not_make_batches_small() -> None:
    """Though each batch leaves nothing of some, which have more at the client."""
    arrivals, batcher, sizes = Arrivals(), Batcher(LARGE), random.Random(1)
    batcher.cost = costing(1e-5)
    partitions = range(32)
    batcher.behind = {Partition("in", number) for number in partitions}
    for turn in range(50):
        for number in partitions:
            batcher.add(arrivals.items(number, [sizes.choice((5, 20, 80))] * 8), 1)
        batch = taken(batcher, turn / 100)

        assert not batcher.small
        assert not batch.patient


def test_small_batches_still_fill_whole_runs() -> None:
    """On a slow machine: smaller ones would cost more than they bring."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-3)
    for _ in range(2):
        batcher.add(arrivals.items(BACKLOG, [20] * 600), 1)
        batcher.add(arrivals.items(LIVE, [20]), 1)
        batch = taken(batcher)

    assert SMALL_TOKENS_MIN - 20 < batch.tokens <= SMALL_TOKENS_MIN


def test_a_backlog_of_all_has_whole_batches() -> None:
    """Partitions that share a backlog do not make each other's batches small."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-3)
    for _ in range(4):
        for partition in range(3):
            batcher.add(arrivals.items(partition, [20] * 90), 1)
        assert 256 == len(taken(batcher).items)


def test_a_crowd_leaves_room_for_others() -> None:
    """Who has its share waits; the others are polled."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.add(arrivals.items(BACKLOG, [20] * 600), 1)
    batcher.add(arrivals.items(LIVE, [20] * 3), 1)
    assert {Partition("in", BACKLOG)} == batcher.crowded
    assert not batcher.full

    batcher.add(arrivals.items(LIVE, [20] * 600), 1)

    assert {Partition("in", BACKLOG), Partition("in", LIVE)} == batcher.crowded
    assert batcher.full


def test_batches_are_small_where_publishing_takes_long() -> None:
    """It may take half of the budget; with commits slower than that, only throughput helps."""
    for commit_s, records in ((0.0, 100), (0.2, 256)):
        arrivals, batcher = Arrivals(), Batcher(LARGE)
        for count in [10, 40, 200, 100] * 20:
            batcher.observe_publish(count, commit_s + 5e-4 * count)
        assert not batcher.hurried
        for _ in range(2):
            batcher.add(arrivals.items(BACKLOG, [1] * 600), 1)
            batcher.add(arrivals.items(LIVE, [1]), 1)
            batch = taken(batcher)

        assert records - 1 <= len(batch.items) <= records
        assert batcher.hurried is (commit_s == 0.0)
        batcher.add([], 2)
        assert batcher.take(0) is None
