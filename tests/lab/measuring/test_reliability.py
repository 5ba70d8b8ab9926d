"""Calibration figures, against figures computed by hand and against their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.lab.measuring.reliability import (
    BINS,
    accuracy_interval,
    brier_score,
    expected_calibration_error,
    interval,
    reliability,
    risk_coverage,
)

# Bins of a fifteenth: 0.98 and 0.99 are in the last, 0.6 is in the one that ends at 0.6.
CONFIDENCE = np.array([0.99, 0.98, 0.8, 0.6])
CORRECT = np.array([True, False, True, True])

examples = st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=1, max_size=60).map(
    lambda rows: (np.array([c for c, _ in rows]), np.array([r for _, r in rows]))
)
Examples = tuple[NDArray[np.float64], NDArray[np.bool_]]


def test_calibration_error() -> None:
    """The mean gap of the bins, weighted by their examples."""
    gaps = 2 * abs(0.985 - 0.5) + abs(0.8 - 1) + abs(0.6 - 1)
    assert expected_calibration_error(CONFIDENCE, CORRECT) == pytest.approx(gaps / 4)


def test_a_bin_holds_its_upper_edge() -> None:
    """As in the usual definition; 0 and 1 are included."""
    bins = reliability(np.array([0.0, 1 / BINS, 1.0]), np.array([True, False, True]))
    assert [(0.0, 2), (14 / 15, 1)] == [(b["from"], b["count"]) for b in bins]
    assert bins[0]["confidence"] == pytest.approx(1 / 30)
    assert bins[0]["accuracy"] == 0.5


def test_brier_score() -> None:
    """The squared error of one of two labels, or the sum over three."""
    two = np.array([[0.2, 0.8], [0.6, 0.4]])
    assert brier_score(np.array([1, 1]), two) == pytest.approx((0.2**2 + 0.6**2) / 2)
    three = np.array([[0.2, 0.3, 0.5]])
    assert brier_score(np.array([2]), three) == pytest.approx(0.2**2 + 0.3**2 + 0.5**2)


def test_risk_and_coverage() -> None:
    """Each point adds examples; those of equal confidence are added together."""
    confidence = np.array([0.7, 0.9, 0.7, 0.6])
    curve = risk_coverage(confidence, np.array([False, True, True, False]))
    assert [0.25, 0.75, 1.0] == [point["coverage"] for point in curve]
    assert [0.0, 1 / 3, 0.5] == pytest.approx([point["risk"] for point in curve])
    assert [0.9, 0.7, 0.6] == [point["threshold"] for point in curve]


@given(examples)
def test_a_calibration_error_is_no_larger_than_its_worst_bin(data: Examples) -> None:
    """And the bins of the diagram give the same figure."""
    error = expected_calibration_error(*data)
    bins = reliability(*data)
    gaps = [abs(b["confidence"] - b["accuracy"]) for b in bins]
    mean = sum(g * b["count"] for g, b in zip(gaps, bins, strict=True)) / len(data[0])
    assert error == pytest.approx(mean)
    assert 0 <= error <= max(gaps) + 1e-12


@pytest.mark.parametrize(("count", "within"), [(2, 0.65761), (10, 0.27753), (1000, 0.00383)])
def test_an_accuracy_of_all_or_none_has_an_interval(count: int, within: float) -> None:
    """Wilson's, z²/(n + z²) with z = 1.96: no resample of the bootstrap differs from another."""
    confidence = np.full(count, 0.8)
    everything, nothing = np.ones(count, np.bool_), np.zeros(count, np.bool_)
    assert [1 - within, 1.0] == pytest.approx(accuracy_interval(confidence, everything), abs=1e-5)
    assert [0.0, within] == pytest.approx(accuracy_interval(confidence, nothing), abs=1e-5)


def test_any_other_accuracy_has_that_of_the_bootstrap() -> None:
    """As every figure has."""
    expected = interval(lambda _, right: float(right.mean()), CONFIDENCE, CORRECT)
    assert expected == accuracy_interval(CONFIDENCE, CORRECT)


def test_an_interval_contains_the_figure_and_is_reproducible() -> None:
    """For 400 examples with 0.8 correct it spans two standard errors, about 0.04, each way."""
    correct = np.arange(400) % 5 > 0
    confidence = np.full(400, 0.8)
    low, high = interval(lambda _, right: float(right.mean()), confidence, correct)
    assert 0.74 < low < 0.78
    assert 0.82 < high < 0.86
    again = interval(lambda _, right: float(right.mean()), confidence, correct)
    assert [low, high] == again
    other = interval(lambda _, right: float(right.mean()), confidence, correct, seed=2)
    assert other != again
