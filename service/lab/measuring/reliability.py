"""Measures calibration: how often predicted labels are correct, compared with their probability.

Exists so that calibration is computed in one place. Arrays in, figures out; nothing is fitted,
read or drawn here. `confidence` is the probability of the predicted label, `correct` whether it is
the true one, both of shape (examples,).
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

# As many as in Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
BINS = 15
RESAMPLES = 1000
# The share of resamples within an interval.
INTERVAL_SHARE = 0.95
CURVE_POINTS = 100


def expected_calibration_error(confidence: Floats, correct: Booleans) -> float:
    """The mean gap between confidence and accuracy over `BINS` bins of equal width."""
    index = _bin(confidence)
    gaps = np.bincount(index, weights=confidence - correct, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def brier_score(labels: NDArray[np.int64], probabilities: Floats) -> float:
    """Mean squared error of the probabilities: of label 1 of two, or summed over more labels."""
    errors = ((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1)
    return float(errors.mean() / (2 if probabilities.shape[1] == 2 else 1))


def reliability(confidence: Floats, correct: Booleans) -> list[dict[str, float]]:
    """Count, mean confidence and accuracy of each bin that has examples."""
    index = _bin(confidence)
    bins = []
    for number in range(BINS):
        inside = index == number
        if inside.any():
            bins.append(
                {
                    "from": number / BINS,
                    "to": (number + 1) / BINS,
                    "count": int(inside.sum()),
                    "confidence": float(confidence[inside].mean()),
                    "accuracy": float(correct[inside].mean()),
                }
            )
    return bins


def risk_coverage(confidence: Floats, correct: Booleans) -> list[dict[str, float]]:
    """The error rate (risk) of the most confident share of examples (coverage)."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~correct[order])
    # Examples of equal confidence are included together.
    last = np.flatnonzero(np.diff(confidence[order], append=-1.0))
    if len(last) > CURVE_POINTS:
        last = last[np.linspace(0, len(last) - 1, CURVE_POINTS).round().astype(int)]
    return [
        {
            "coverage": float((at + 1) / len(order)),
            "risk": float(wrong[at] / (at + 1)),
            "threshold": float(confidence[order[at]]),
        }
        for at in last
    ]


def interval(
    statistic: Callable[[Floats, Booleans], float],
    confidence: Floats,
    correct: Booleans,
    seed: int = 1,
) -> list[float]:
    """Percentile bootstrap: the interval of 95 % of the statistics of seeded resamples.

    An expected calibration error is biased: its mean over resamples is above that of the examples.
    """
    random = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(confidence), len(confidence))
        found.append(statistic(confidence[drawn], correct[drawn]))
    outside = (1 - INTERVAL_SHARE) / 2
    return [float(value) for value in np.quantile(found, (outside, 1 - outside))]


def accuracy_interval(confidence: Floats, correct: Booleans) -> list[float]:
    """The interval of the accuracy: the bootstrap's, or Wilson's where all or none are correct.

    Resamples of equal values are all alike, and would say that nothing else is possible.
    """
    if 0 < correct.mean() < 1:
        return interval(lambda _, right: float(right.mean()), confidence, correct)
    squared = NormalDist().inv_cdf((1 + INTERVAL_SHARE) / 2) ** 2
    beyond = squared / (len(correct) + squared)
    return [1 - beyond, 1.0] if correct.all() else [0.0, beyond]


def _bin(confidence: Floats) -> NDArray[np.int64]:
    # A bin holds its upper edge and not its lower one.
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
