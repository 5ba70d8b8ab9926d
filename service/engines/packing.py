"""Token sequences to the input arrays of a packed engine.

Exists so that both packed engines share one layout. Only numpy is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Added to the attention score of a padding place. It is far below any real score, and finite,
# because the softmax of a row of -infinity is NaN.
MASKED = np.float32(-1e9)


def pack(
    sequences: Sequence[Sequence[int]], uncounted: int | None = None
) -> dict[str, NDArray[np.generic]]:
    """Concatenate B sequences of T tokens in all into one packed matrix of T rows.

    The token `uncounted`, where a text has it, has position -1 and is not counted.

    Attention needs each text apart: a padded block of B * L places, L being the longest text.
    `rows` and `places` are the indices from the packed matrix to the block and back.

    Returns:
        ids        int64 (T)             token ids
        positions  int64 (T)             the position of each token in its text
        rows       int64 (B, L)          the packed row of each place of the block; 0 for padding
        mask       float32 (B, 1, 1, L)  0 for a token, `MASKED` for padding
        places     int64 (T)             the place in the flattened block of each packed row
        first      int64 (B)             the packed row of the first token of each text
    """
    lengths = np.array([len(ids) for ids in sequences])
    longest = int(lengths.max())
    first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    positions = np.arange(longest)
    is_token = positions < lengths[:, None]
    ids = np.concatenate([np.asarray(ids, dtype=np.int64) for ids in sequences])
    return {
        "ids": ids,
        "positions": np.broadcast_to(positions, is_token.shape)[is_token]
        if uncounted is None
        else _counted(ids != uncounted, first, lengths),
        "rows": np.where(is_token, first[:, None] + positions, 0),
        "mask": np.where(is_token, np.float32(0), MASKED)[:, None, None, :],
        "places": np.flatnonzero(is_token),
        "first": first,
    }


def _counted(
    counts: NDArray[np.bool_], first: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The positions of tokens, of which those that do not count have -1."""
    so_far = np.cumsum(counts)
    before: NDArray[np.int64] = np.repeat(so_far[first] - counts[first], lengths)
    return np.where(counts, so_far - before - 1, -1)
