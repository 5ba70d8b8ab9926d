"""Which items go into the next batch: all of them, in order, and no more than the bounds allow."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.batcher import HELD_BATCHES, HELD_BYTES_MAX, Batcher, CostModel, Limits
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

TOKENS_MAX = 100
RECORDS_MAX = 5
STATS = TextStats(1, truncated=False, windows=1, unknown_share=0)


def item(number: int, tokens: int | None, polled_at: float = 0, size: int = 0) -> Item:
    """A document of so many tokens, or a rejected record where that is None."""
    partition = Partition("in", 0)
    record = Record(partition, number, 0, None, b"v" * size, (), 1, polled_at)
    if tokens is None:
        return Rejected(record, Reason.NOT_JSON, "", "decode")
    return Document(Message(record, "", {}), [0] * tokens, STATS)


def items(sizes: list[int | None], first: int = 0) -> list[Item]:
    """Items of these sizes, numbered."""
    return [item(number, tokens) for number, tokens in enumerate(sizes, first)]


def batcher(budget_s: float = 1.0) -> Batcher:
    """A batcher that is empty."""
    return Batcher(Limits(TOKENS_MAX, RECORDS_MAX, budget_s))


def tokens_of(batch: Batch) -> list[int]:
    """The tokens of each item."""
    return [len(i.token_ids) if isinstance(i, Document) else 0 for i in batch.items]


SIZES = st.lists(st.one_of(st.none(), st.integers(1, 60), st.integers(90, 200)), max_size=30)
# Seconds of a batch: fixed, and for each token.
COSTS = st.tuples(st.floats(0, 0.5), st.floats(1e-6, 0.01))


def learnt(fixed_s: float, per_token_s: float) -> CostModel:
    """A cost model that has seen batches of all sizes."""
    cost = CostModel()
    for tokens in [8, 2000, 100, 700, 30, 5000] * 20:
        cost.observe(tokens, fixed_s + per_token_s * tokens)
    return cost


@given(
    steps=st.lists(st.one_of(SIZES, st.just("take")), max_size=20),
    cost=st.one_of(st.none(), COSTS),
    now=st.floats(0, 5),
)
def test_no_item_is_lost_or_moved(
    steps: list[list[int | None] | str], cost: tuple[float, float] | None, now: float
) -> None:
    """Whatever is put in comes out once, in order, in batches within the bounds."""
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
        # Only what is too large by itself goes beyond, and goes alone.
        assert batch.tokens <= TOKENS_MAX or 1 == len(batch.items)


@given(SIZES, SIZES)
def test_a_newer_epoch_drops_the_older_items(
    older: list[int | None], newer: list[int | None]
) -> None:
    """They are counted, and their room is free again."""
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


def test_nothing_waiting_gives_no_batch() -> None:
    """Also after all was taken."""
    waiting = batcher()
    assert waiting.take(0) is None
    waiting.add(items([1]), 1)
    assert waiting.take(0) is not None

    assert waiting.take(0) is None


@pytest.mark.parametrize(
    ("sizes", "size"),
    [
        ([1] * (HELD_BATCHES * RECORDS_MAX), 0),
        ([None] * (HELD_BATCHES * RECORDS_MAX), 0),
        ([TOKENS_MAX] * HELD_BATCHES, 0),
        ([1], HELD_BYTES_MAX),
    ],
)
def test_full_by_records_tokens_or_bytes(sizes: list[int | None], size: int) -> None:
    """Each alone is enough, and taking a batch makes room."""
    waiting = batcher()
    all_items = [item(n, tokens, size=size) for n, tokens in enumerate(sizes)]
    waiting.add(all_items[:-1], 1)
    assert not waiting.full

    waiting.add(all_items[-1:], 1)

    assert waiting.full
    waiting.take(0)
    assert not waiting.full


def test_a_batch_is_as_large_as_it_may_be_while_nothing_is_known() -> None:
    """Without a cost there is no reason to hold anything back."""
    waiting = batcher()
    waiting.add(items([20] * 10), 1)

    assert [20] * 5 == tokens_of(waiting.take(0) or Batch((), 0, 0))


@given(cost=COSTS, sizes=st.lists(st.integers(1, 60), min_size=1), waited=st.floats(0, 1))
def test_the_budget_is_kept_where_it_can_be(
    cost: tuple[float, float], sizes: list[int], waited: float
) -> None:
    """A batch ends in time for its oldest item, if that item alone would; and is no smaller."""
    budget_s = 0.5
    waiting = batcher(budget_s)
    waiting.cost = learnt(*cost)
    waiting.add(items(list(sizes)), 1)

    batch = waiting.take(waited)
    assert batch is not None

    def due(tokens: int) -> float:
        return waited + waiting.cost.seconds_of(tokens)

    following = sizes[len(batch.items) :]
    more = batch.tokens + following[0] if following else None
    fits = more is not None and more <= TOKENS_MAX and len(batch.items) < RECORDS_MAX
    if due(sizes[0]) <= budget_s - 1e-9:
        assert due(batch.tokens) <= budget_s + 1e-9
        assert not fits or due(more or 0) >= budget_s - 1e-9
    elif due(sizes[0]) > budget_s + 1e-9:
        # It is lost: what helps now is throughput.
        assert not fits


@given(COSTS)
def test_the_cost_model_finds_a_linear_cost(cost: tuple[float, float]) -> None:
    """Fixed part and part per token, from batches of different sizes."""
    fixed, per_token = learnt(*cost).coefficients()

    assert pytest.approx(cost[0], rel=1e-3, abs=1e-5) == fixed
    assert pytest.approx(cost[1], rel=1e-3, abs=1e-8) == per_token


@given(COSTS, COSTS)
def test_the_cost_model_follows_a_change(
    before: tuple[float, float], after: tuple[float, float]
) -> None:
    """After some hundred batches nothing is left of what the machine was like before."""
    model = learnt(*before)
    for tokens in [8, 2000, 100, 700, 30, 5000] * 60:
        model.observe(tokens, after[0] + after[1] * tokens)

    expected = after[0] + after[1] * 1000
    assert pytest.approx(expected, rel=0.01, abs=1e-4) == model.seconds_of(1000)


@given(st.lists(st.tuples(st.integers(0, 2**20), st.floats(0, 3600)), max_size=50))
def test_the_cost_model_is_never_negative(batches: list[tuple[int, float]]) -> None:
    """Whatever was measured: no cost below zero, and more time never means fewer tokens."""
    model = CostModel()
    for tokens, seconds in batches:
        model.observe(tokens, seconds)
        fixed, per_token = model.coefficients()
        assert fixed >= 0
        assert per_token >= 0
        assert model.tokens_within(-1) <= model.tokens_within(0) <= model.tokens_within(10)
        assert 0 <= model.seconds_of(0) <= model.seconds_of(100)


@given(st.integers(1, 10_000), st.floats(1e-4, 10))
def test_batches_of_one_size_put_all_on_the_tokens(tokens: int, seconds: float) -> None:
    """They tell nothing of the fixed part, and still predict themselves."""
    model = CostModel()
    for _ in range(10):
        model.observe(tokens, seconds)

    assert pytest.approx(seconds) == model.seconds_of(tokens)
    assert 0 == model.coefficients()[0]


def test_nothing_known_predicts_nothing() -> None:
    """All fits while there is time, and nothing where there is none."""
    assert 0 == CostModel().seconds_of(1000)
    assert float("inf") == CostModel().tokens_within(0.1)
    assert CostModel().tokens_within(-0.1) < 0
