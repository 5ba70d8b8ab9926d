"""Token sequences to what a packed engine computes on.

Exists so that both packed engines lay texts out in one way. numpy alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Added to the score of a place without a token: far below any real score, and no infinity, since
# softmax over a row of those is not a number.
MASKED = np.float32(-1e9)


def pack(sequences: Sequence[Sequence[int]]) -> dict[str, NDArray[np.generic]]:
    """Lay B sequences of T tokens in all, the longest of L, end to end.

    Gives:
        ids, positions  int64 (T)     token ids, and each one's place within its text
        rows            int64 (B, L)  which of the T rows stands at each place; padding repeats 0
        mask            float32 (B, 1, 1, L)  0 where a token stands, `MASKED` elsewhere
        places          int64 (T)     where in the B * L places each row stands
        first           int64 (B)     the row of each text's first token
    """
    lengths = np.array([len(ids) for ids in sequences])
    longest = int(lengths.max())
    first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    places_in_text = np.arange(longest)
    here = places_in_text < lengths[:, None]
    return {
        "ids": np.concatenate([np.asarray(ids, dtype=np.int64) for ids in sequences]),
        "positions": np.broadcast_to(places_in_text, here.shape)[here],
        "rows": np.where(here, first[:, None] + places_in_text, 0),
        "mask": np.where(here, np.float32(0), MASKED)[:, None, None, :],
        "places": np.flatnonzero(here),
        "first": first,
    }
