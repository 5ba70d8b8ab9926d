"""Cuts the token ids of a long text into windows that fit the model's input.

Exists so that no text is truncated without notice, and that the end of a long text is scored alone
too. Pure: numbers and token ids. How the logits of the windows become those of the text is in
`scoring.joining`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

# Tokens that two neighbouring windows share: about two sentences, so that the start of a window has
# the context before it. Short windows share a quarter.
OVERLAP_TOKENS = 64
# The end of a long text is its last sentence, within these bounds. A shorter sentence ("Thanks.")
# carries no sentiment; a longer end would contain sentences that outweigh the last one.
END_TOKENS_MIN = 4
END_TOKENS_MAX = 32


def cut(count: int, size: int) -> list[tuple[int, int]]:
    """The bounds (begin, end) of windows of at most `size` tokens in a text of `count` tokens.

    They are the fewest windows that cover the text, as equal in length as possible: all windows
    have the same weight later, so a short one would count more than its content.
    """
    if count <= size:
        return [(0, count)]
    overlap = min(OVERLAP_TOKENS, size // 4)
    windows = -(-(count - overlap) // (size - overlap))
    bounds = [round(index * (count - overlap) / windows) for index in range(windows + 1)]
    return [(begin, end + overlap) for begin, end in pairwise(bounds)]


def end_of(tokens: Sequence[int], stops: Container[int], size: int) -> int:
    """The index of the first token of the text's end, which has at most `size` tokens.

    The end starts after the last of the `stops` (tokens that end a sentence) that leaves it
    END_TOKENS_MIN to END_TOKENS_MAX tokens. Without such a stop it is as long as allowed.
    """
    longest = min(END_TOKENS_MAX, size, len(tokens))
    begins = range(len(tokens) - END_TOKENS_MIN, len(tokens) - longest, -1)
    return next((b for b in begins if tokens[b - 1] in stops), len(tokens) - longest)
