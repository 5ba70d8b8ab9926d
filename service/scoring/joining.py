"""The logits of a long text from those of its windows.

Exists so that a text longer than the model's input gets one label, in which its end counts.
Pure: arrays of logits in, arrays of logits out. How a text is cut is in `text.windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# The weight of the end. Above 0.4, so that no label gets a probability above 0.6 where the end
# clearly contradicts the rest; below 0.5, so that the label of the rest is still the likeliest.
# See "Long texts" in service/bench/README.md for the measurements.
END_SHARE = 0.42


def joined(
    logits: NDArray[np.float32], counts: Sequence[int], *, multi_label: bool = False
) -> NDArray[np.float32]:
    """The logits of each text from the logits of its windows.

    The last of several windows is the end of the text (see `text.windows.end_of`); the others cover
    all of it. The probabilities of the text are a weighted mean (a linear opinion pool: Stone, "The
    Opinion Pool", 1961): END_SHARE of those of the end, and the rest from the mean logits of the
    other windows. The function returns the logits that have these probabilities. If the end
    disagrees with the rest, the text gets a less certain score.

    Args:
        logits: shape (windows of all texts, labels), the windows of one text next to each other.
        counts: the number of windows of each text, at least 1.
        multi_label: whether the labels are independent (a sigmoid each) instead of exclusive (one
            softmax), so that each is mixed separately.

    Returns:
        Shape (texts, labels). The logits of a text with one window are returned unchanged.
    """
    if len(logits) == len(counts):
        return logits
    texts: NDArray[np.float32] = np.empty((len(counts), logits.shape[1]), np.float32)
    first = 0
    for index, count in enumerate(counts):
        rows = logits[first : first + count]
        first += count
        texts[index] = rows[0] if count == 1 else _mixed(rows.astype(np.float64), multi_label)
    return texts


def _mixed(rows: NDArray[np.float64], multi_label: bool) -> NDArray[np.float64]:
    """The logits of one text, shape (labels,), from those of its two or more windows."""
    # Row 0 is the mean of the windows that cover the text, row 1 is its end.
    parts = np.stack([rows[:-1].mean(axis=0), rows[-1]])
    # All in logarithms, because a probability may be too small for a float.
    weights = np.log([[1 - END_SHARE], [END_SHARE]])
    if multi_label:
        # log sigmoid(x) = -log(1 + exp(-x)), and log(1 - sigmoid(x)) = -log(1 + exp(x)).
        yes, no = (-np.logaddexp(0, sign * parts) for sign in (-1, 1))
        odds: NDArray[np.float64] = np.logaddexp(*(yes + weights)) - np.logaddexp(*(no + weights))
        return odds
    log_probabilities = parts - np.logaddexp.reduce(parts, axis=1, keepdims=True)
    mixed: NDArray[np.float64] = np.logaddexp(*(log_probabilities + weights))
    return mixed
