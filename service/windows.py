"""Long texts in parts that a model can read, and what it says of the parts as one.

Exists so that no text is cut off in silence. Pure: lists of token ids, and arrays of logits.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Rule = Literal["mean", "weighted", "strongest"]

# What two neighbouring windows share, some two sentences: what one begins with is understood from
# the end of the one before. Of short windows a quarter.
OVERLAP_TOKENS = 64
# See "Long texts" in service/README.md for what the others are worth.
RULE: Rule = "mean"


def cut(count: int, size: int) -> list[tuple[int, int]]:
    """Where windows of at most `size` tokens begin and end in a text of `count` tokens.

    As few as cover all of it, and as equal in length as can be: a short one at the end would have
    a voice like the others and say little.
    """
    if count <= size:
        return [(0, count)]
    overlap = min(OVERLAP_TOKENS, size // 4)
    windows = -(-(count - overlap) // (size - overlap))
    bounds = [round(index * (count - overlap) / windows) for index in range(windows + 1)]
    return [(begin, end + overlap) for begin, end in pairwise(bounds)]


def joined(
    logits: NDArray[np.float32], lengths: Sequence[Sequence[int]], rule: Rule = RULE
) -> NDArray[np.float32]:
    """The logits of texts from those of their windows, which follow each other.

    Args:
        logits: shape (windows of all texts, labels).
        lengths: of each text, the tokens of each of its windows; a text has at least one.
        rule: `mean` is that of the windows' logits, `weighted` the same by length, `strongest`
            takes the window that is surest of its label.

    Returns:
        Shape (texts, labels); the very logits where a text has one window.
    """
    if len(logits) == len(lengths):
        return logits
    texts: NDArray[np.float32] = np.empty((len(lengths), logits.shape[1]), np.float32)
    first = 0
    for index, tokens in enumerate(lengths):
        rows = logits[first : first + len(tokens)]
        first += len(tokens)
        texts[index] = rows[0] if len(rows) == 1 else _of_one(rows, tokens, rule)
    return texts


def _of_one(rows: NDArray[np.float32], tokens: Sequence[int], rule: Rule) -> NDArray[np.float32]:
    exact = rows.astype(np.float64)
    if rule == "strongest":
        ordered = np.sort(exact, axis=1)
        strongest: NDArray[np.float32] = rows[int((ordered[:, -1] - ordered[:, -2]).argmax())]
        return strongest
    weights = np.asarray(tokens, np.float64) if rule == "weighted" else None
    average: NDArray[np.float32] = np.average(exact, axis=0, weights=weights).astype(np.float32)
    return average
