"""The next batch where several partitions wait: each has its share, and its own order."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from service.records import Partition
from service.stream.batcher import Batcher, Limits
from tools.pipeline_tools import BACKLOG, LARGE, LIVE, Arrivals, costing, counts, taken

LIMITS = Limits(tokens_max=100, records_max=8, latency_budget_s=1.0)


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
