"""The next batch: all items are taken once, in order, within the bounds."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.records import (
    Batch,
    Document,
    Item,
    Message,
    Partition,
    Reason,
    Record,
    Rejected,
    TextStats,
)
from service.stream.batcher import (
    HELD_BATCHES,
    HELD_BYTES_MAX,
    Batcher,
    Limits,
)
from service.stream.cost import CostModel

TOKENS_MAX = 100
RECORDS_MAX = 5
STATS = TextStats(1, truncated=False, windows=1, unknown_share=0)


def item(
    offset: int, tokens: int | None, polled_at: float = 0, size: int = 0, number: int = 0
) -> Item:
    """A document with this number of tokens, or a rejected record for None, of a partition."""
    partition = Partition("in", number)
    record = Record(partition, offset, 0, None, b"v" * size, (), 1, polled_at)
    if tokens is None:
        return Rejected(record, Reason.NOT_JSON, "", "decode")
    return Document(Message(record, "", {}), ([0] * tokens,), STATS)


def items(sizes: list[int | None], first: int = 0) -> list[Item]:
    """Items of these sizes, numbered."""
    return [item(number, tokens) for number, tokens in enumerate(sizes, first)]


def batcher(budget_s: float = 1.0) -> Batcher:
    """An empty batcher."""
    return Batcher(Limits(TOKENS_MAX, RECORDS_MAX, budget_s))


def tokens_of(batch: Batch) -> list[int]:
    """The tokens of each item."""
    return [i.tokens if isinstance(i, Document) else 0 for i in batch.items]


SIZES = st.lists(st.one_of(st.none(), st.integers(1, 60), st.integers(90, 200)), max_size=30)
# Seconds of a batch: fixed, and for each token.
COSTS = st.tuples(st.floats(0, 0.5), st.floats(1e-6, 0.01))


def learnt(fixed_s: float, per_token_s: float) -> CostModel:
    """A cost model that has seen batches of all sizes."""
    cost = CostModel()
    for tokens in [8, 2000, 100, 700, 30, 5000] * 20:
        cost.observe(tokens // 20 + tokens % 3, tokens, fixed_s + per_token_s * tokens)
    return cost


@given(
    steps=st.lists(st.one_of(SIZES, st.just("take")), max_size=20),
    cost=st.one_of(st.none(), COSTS),
    now=st.floats(0, 5),
)
def test_no_item_is_lost_or_moved(
    steps: list[list[int | None] | str], cost: tuple[float, float] | None, now: float
) -> None:
    """Every item that is added is taken once, in order, in batches within the bounds."""
    waiting = batcher()
    if cost is not None:
        waiting.cost = learnt(*cost)
    added: list[Item] = []
    taken: list[Batch] = []
    for step in [*steps, *["take"] * 1000]:
        if isinstance(step, list):
            new = items(step, len(added))
            added += new
            assert 0 == waiting.add(new, 1)
        elif (batch := waiting.take(now)) is not None:
            taken.append(batch)
        elif len(waiting) == 0 and len(added) == sum(len(b.items) for b in taken):
            continue

    assert added == [one for batch in taken for one in batch.items]
    assert 0 == len(waiting)
    assert not waiting.full
    for batch in taken:
        assert 1 == batch.epoch
        assert 1 <= len(batch.items) <= RECORDS_MAX
        assert sum(tokens_of(batch)) == batch.tokens
        # Only an item that is too large by itself exceeds the bounds, in a batch of its own.
        assert batch.tokens <= TOKENS_MAX or 1 == len(batch.items)


@given(SIZES, SIZES)
def test_a_newer_epoch_drops_the_older_items(
    older: list[int | None], newer: list[int | None]
) -> None:
    """They are counted, and no longer fill the batcher."""
    assume(newer)
    waiting = batcher()
    waiting.add(items(older), 1)
    fresh = items(newer, len(older))

    assert len(older) == waiting.add(fresh, 2)

    other = batcher()
    other.add(fresh, 2)
    assert len(newer) == len(waiting)
    assert other.full == waiting.full
    assert other.take(0) == waiting.take(0)


def test_no_items_give_no_batch() -> None:
    """Also after all were taken."""
    waiting = batcher()
    assert waiting.take(0) is None
    waiting.add(items([1]), 1)
    assert waiting.take(0) is not None

    assert waiting.take(0) is None


@pytest.mark.parametrize(
    "sizes",
    [
        [1] * (HELD_BATCHES * RECORDS_MAX),
        [None] * (HELD_BATCHES * RECORDS_MAX),
        [TOKENS_MAX] * HELD_BATCHES,
    ],
)
def test_crowded_by_records_or_tokens(sizes: list[int | None]) -> None:
    """Each alone is enough; taking a batch makes room, and other partitions have room."""
    waiting = batcher()
    waiting.add(items(sizes)[:-1], 1)
    assert not waiting.crowded

    waiting.add(items(sizes)[-1:], 1)

    assert {Partition("in", 0)} == waiting.crowded
    assert not waiting.full
    waiting.add([item(0, 1, number=1)], 1)
    assert {Partition("in", 0)} == waiting.crowded
    waiting.take(0)
    assert not waiting.crowded


def test_full_by_bytes() -> None:
    """Then there is room for nothing, of whatever partition."""
    waiting = batcher()
    waiting.add([item(0, 1, size=HELD_BYTES_MAX)], 1)
    assert waiting.full
    waiting.take(0)
    assert not waiting.full


def test_a_batch_is_as_large_as_allowed_while_the_cost_is_unknown() -> None:
    """A prediction of zero gives no reason to cut it."""
    waiting = batcher()
    waiting.add(items([20] * 10), 1)

    assert [20] * 5 == tokens_of(waiting.take(0) or Batch((), 0, 0))


@given(cost=COSTS, sizes=st.lists(st.integers(1, 60), min_size=1), waited=st.floats(0, 1))
def test_the_budget_is_met_where_it_can_be(
    cost: tuple[float, float], sizes: list[int], waited: float
) -> None:
    """A batch is in time for its oldest item if all items can be, and is no smaller than that."""
    budget_s = 0.5
    waiting = batcher(budget_s)
    waiting.cost = learnt(*cost)
    waiting.add(items(list(sizes)), 1)

    batch = waiting.take(waited)
    assert batch is not None

    def due(tokens: int) -> float:
        return waited + waiting.cost.seconds_of(len(sizes), tokens)

    following = sizes[len(batch.items) :]
    more = batch.tokens + following[0] if following else None
    fits = more is not None and more <= TOKENS_MAX and len(batch.items) < RECORDS_MAX
    if due(sum(sizes)) <= budget_s - 1e-9:
        assert due(batch.tokens) <= budget_s + 1e-9
    # In time or not, no item is left behind that has room: all are of one age, so a cut for the
    # oldest would make the others late.
    assert not fits


def test_a_batch_is_cut_if_all_are_in_time_then() -> None:
    """The old items go alone only if the new ones can wait for the next run."""
    for now, polled_at, taken in ((0.0, 0.0, 4), (0.26, 0.26, 2), (0.26, 0.1, 4), (0.45, 0.45, 4)):
        waiting = batcher(0.5)
        waiting.cost = learnt(0.01, 0.01)
        old = items([10, 10])
        young = [item(n, 10, polled_at=polled_at) for n in (2, 3)]
        waiting.add([*old, *young], 1)

        batch = waiting.take(now)

        assert batch is not None
        assert taken == len(batch.items), (now, polled_at)
