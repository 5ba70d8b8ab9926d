"""The check that every engine makes of its logits.

Exists so that NaN and infinity never become a score; half precision overflows easily.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def finite(logits: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Return the logits unchanged; `name` is the model's, for the error.

    Raises:
        ModelError: a logit is NaN or infinite.
    """
    if not np.isfinite(logits).all():
        raise ModelError(
            f"the model {name} returned logits that are not finite; "
            "set SENTIMENT_MODEL__PRECISION=float32, or name another model"
        )
    return logits
