"""A weight in 8-bit integers.

Exists so that a weight is quantized a few rows at a time: in float32 only those stand twice. Only
numpy is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Steps of a weight from zero to its largest absolute value (int8, symmetric).
WEIGHT_STEPS = 127
# Clipping thresholds to try, as shares of the largest absolute weight of an output.
CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7)
# Rows quantized at a time: of 768 or 3,072 inputs, half a megabyte or two for each array needed.
ROWS = 128


def quantized(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantize each row of a weight (outputs, inputs) symmetrically to int8.

    Of the scales from `CLIPS` each row gets the one with the smallest squared error: clipping a few
    large weights makes the steps of all others finer.

    Returns:
        The integers (outputs, inputs), and the scales (outputs).
    """
    integers = np.empty(weight.shape, np.int8)
    scales = np.empty(len(weight), np.float32)
    for begin in range(0, len(weight), ROWS):
        some = slice(begin, begin + ROWS)
        scales[some] = _scales(weight[some])
        integers[some] = _steps(weight[some], scales[some])
    return integers, scales


def _scales(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    largest = np.maximum(np.abs(weight).max(axis=1), np.float32(1e-10))
    least_error = np.full(len(weight), np.inf, np.float32)
    scales = np.empty(len(weight), np.float32)
    for clip in CLIPS:
        tried = (largest * np.float32(clip / WEIGHT_STEPS)).astype(np.float32)
        error = np.square(_steps(weight, tried) * tried[:, None] - weight).sum(axis=1)
        scales = np.where(error < least_error, tried, scales)
        least_error = np.minimum(error, least_error)
    return scales


def _steps(weight: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    steps: NDArray[np.float32] = np.rint(weight / scales[:, None])
    np.clip(steps, -WEIGHT_STEPS, WEIGHT_STEPS, out=steps)
    return steps
