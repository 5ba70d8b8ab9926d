"""A check of what every engine gives: numbers that mean something.

Exists so that a number that is none never becomes a score: half precision overflows sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def finite(logits: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """The logits as they are.

    Raises:
        ModelError: one is not finite; `name` is the model's.
    """
    if not np.isfinite(logits).all():
        raise ModelError(
            f"the model {name} gave numbers that are not finite; "
            "set SENTIMENT_MODEL__PRECISION=float32, or name another model"
        )
    return logits
