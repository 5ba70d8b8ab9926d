"""Long texts in parts that a model can read, and what it says of the parts as one.

Exists so that no text is cut off in silence, and that how a long text ends is not lost in the rest
of it. Pure: lists of token ids, and arrays of logits.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from numpy.typing import NDArray

# What two neighbouring windows share, some two sentences: what one begins with is understood from
# the end of the one before. Of short windows a quarter.
OVERLAP_TOKENS = 64
# The end of a long text is its last sentence, if that is no shorter ("Thanks." says nothing of the
# text) and no longer: in a longer stretch, sentences before the last one outweigh it.
END_TOKENS_MIN = 4
END_TOKENS_MAX = 32
# What the end counts. Above 0.4, so that where the end surely says the opposite of the rest, no
# label has a probability above 0.6; below 0.5, so that the likeliest label is then that of the
# rest. See "Long texts" in service/README.md for what was measured.
END_SHARE = 0.42


def cut(count: int, size: int) -> list[tuple[int, int]]:
    """Where windows of at most `size` tokens begin and end in a text of `count` tokens.

    As few as cover all of it, and as equal in length as can be: a short one would have a voice like
    the others and say little.
    """
    if count <= size:
        return [(0, count)]
    overlap = min(OVERLAP_TOKENS, size // 4)
    windows = -(-(count - overlap) // (size - overlap))
    bounds = [round(index * (count - overlap) / windows) for index in range(windows + 1)]
    return [(begin, end + overlap) for begin, end in pairwise(bounds)]


def end_of(tokens: Sequence[int], stops: Container[int], size: int) -> int:
    """Where the end of a text begins, of which at most `size` tokens are read.

    Behind the last of the tokens `stops`, which end sentences, that leaves END_TOKENS_MIN to
    END_TOKENS_MAX tokens; without one, the end is as long as it may be.
    """
    longest = min(END_TOKENS_MAX, size, len(tokens))
    begins = range(len(tokens) - END_TOKENS_MIN, len(tokens) - longest, -1)
    return next((b for b in begins if tokens[b - 1] in stops), len(tokens) - longest)


def joined(
    logits: NDArray[np.float32], counts: Sequence[int], *, multi_label: bool = False
) -> NDArray[np.float32]:
    """The logits of texts from those of their windows, which follow each other.

    Of a text with several windows, the last one is its end (see `end_of`) and the others cover it.
    Its probabilities are those by the mean logits of the others, mixed with END_SHARE of those by
    the end (a linear opinion pool: Stone, "The Opinion Pool", 1961); what is returned are the
    logits that give them. So where the end disagrees, the text is called with less certainty.

    Args:
        logits: shape (windows of all texts, labels).
        counts: of each text, the number of its windows; a text has at least one.
        multi_label: whether the labels do not exclude each other, so that each is mixed alone.

    Returns:
        Shape (texts, labels); the very logits where a text has one window.
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
    said = np.stack([rows[:-1].mean(axis=0), rows[-1]])
    shares = np.log([[1 - END_SHARE], [END_SHARE]])
    # In logarithms: a probability may be too small for a float.
    if multi_label:
        yes, no = (-np.logaddexp(0, sign * said) for sign in (-1, 1))
        odds: NDArray[np.float64] = np.logaddexp(*(yes + shares)) - np.logaddexp(*(no + shares))
        return odds
    powers = said - np.logaddexp.reduce(said, axis=1, keepdims=True)
    mixed: NDArray[np.float64] = np.logaddexp(*(powers + shares))
    return mixed
