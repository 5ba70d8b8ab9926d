"""The cost model: it finds the parts of the cost, none negative, and follows changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.stream.cost import CostModel

# Seconds: fixed, for each text, for each token.
COSTS = st.tuples(st.floats(1e-3, 0.5), st.floats(1e-4, 0.05), st.floats(1e-6, 0.01))
# Texts and tokens of batches of all shapes.
SHAPES = [(1, 8), (90, 2000), (1, 100), (40, 700), (2, 30), (20, 5000), (10, 5000)]


def learnt(cost: tuple[float, float, float], model: CostModel | None = None) -> CostModel:
    """A model that has seen batches of all shapes."""
    model = model or CostModel()
    fixed, per_text, per_token = cost
    for texts, tokens in SHAPES * 40:
        model.observe(texts, tokens, fixed + per_text * texts + per_token * tokens)
    return model


@given(COSTS)
def test_it_finds_all_parts(cost: tuple[float, float, float]) -> None:
    """From batches of different shapes."""
    model = learnt(cost)

    assert pytest.approx(cost, rel=1e-2, abs=1e-5) == model.parts
    expected = cost[0] + 30 * cost[1] + 900 * cost[2]
    assert pytest.approx(expected, rel=1e-3) == model.seconds_of(30, 900)


@given(COSTS, COSTS)
def test_it_follows_a_change(
    before: tuple[float, float, float], after: tuple[float, float, float]
) -> None:
    """After a few hundred batches the earlier cost has no effect."""
    model = learnt(after, learnt(before))

    expected = after[0] + 40 * after[1] + 1000 * after[2]
    assert pytest.approx(expected, rel=0.01, abs=1e-4) == model.seconds_of(40, 1000)


@given(
    st.lists(st.tuples(st.integers(0, 512), st.integers(0, 2**20), st.floats(0, 3600)), max_size=50)
)
def test_no_part_is_negative(batches: list[tuple[int, int, float]]) -> None:
    """Whatever was measured: more texts or tokens are never predicted to take less time."""
    model = CostModel()
    for texts, tokens, seconds in batches:
        model.observe(texts, tokens, seconds)
        assert all(part >= 0 for part in model.parts)
        assert 0 <= model.seconds_of(1, 1) <= model.seconds_of(2, 100)


@given(st.integers(1, 500), st.integers(1, 10_000), st.floats(1e-4, 10))
def test_batches_of_one_shape_put_all_on_the_tokens(
    texts: int, tokens: int, seconds: float
) -> None:
    """They do not determine the parts, but their own time is still predicted."""
    model = CostModel()
    for _ in range(10):
        model.observe(texts, tokens, seconds)

    assert pytest.approx(seconds) == model.seconds_of(texts, tokens)
    assert model.parts[:2] == (0, 0)


@given(COSTS)
def test_texts_of_one_length_determine_the_fixed_part(cost: tuple[float, float, float]) -> None:
    """The parts of texts and tokens cannot be separated; predictions are still right."""
    model = CostModel()
    for texts in [1, 5, 60, 200, 3, 20] * 20:
        model.observe(texts, 20 * texts, cost[0] + cost[1] * texts + cost[2] * 20 * texts)

    expected = cost[0] + 50 * (cost[1] + 20 * cost[2])
    assert pytest.approx(expected, rel=1e-3) == model.seconds_of(50, 1000)
    assert 0 == model.parts[1]


def test_without_data_the_prediction_is_zero() -> None:
    """An empty batch is no data."""
    model = CostModel()
    model.observe(5, 0, 1.0)

    assert 0 == model.seconds_of(10, 1000)
