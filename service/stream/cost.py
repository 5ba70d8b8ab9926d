"""Counts what items cost, and predicts the time of a batch: fixed + per text + per token. Pure.

Each part is real: a run has a fixed cost, attention and the classification head take time for each
text, the linear layers for each token. Batches of similar shape do not show the parts separately;
then a simpler model is used, in the end one with tokens alone.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from service.records import Document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Item

# The weight of a batch falls by 5 % with each newer one, so the cost follows the machine within
# seconds.
FORGETTING = 0.95
# The parts to fit (fixed, per text, per token), from the most detailed model to the simplest. The
# first one is used that the batches determine and that has no negative part.
_MODELS = ((True, True, True), (True, False, True), (False, False, True))
# Below this eigenvalue of the scaled normal matrix, its features are nearly proportional, and their
# parts cannot be separated.
_EIGENVALUE_MIN = 1e-3


def texts_of(items: Sequence[Item]) -> int:
    """How many of these the model has to read."""
    return sum(isinstance(item, Document) for item in items)


def tokens_of(item: Item) -> int:
    """Tokens to compute; 0 for what the model does not see."""
    return item.tokens if isinstance(item, Document) else 0


def share_of(item: Item) -> int:
    """What an item counts in its partition's share: also those that the model does not see."""
    return max(1, tokens_of(item))


def bytes_of(item: Item) -> int:
    """Bytes of the record, which are kept until it is published."""
    return len(item.record.value or b"") + len(item.record.key or b"")


class CostModel:
    """Predicts the seconds of a batch by weighted least squares over recent batches."""

    def __init__(self) -> None:
        """Start without data: predictions are zero."""
        # The normal equations, squares @ parts = products: weighted sums of features times
        # features, and of seconds times features.
        self._squares = np.zeros((3, 3))
        self._products = np.zeros(3)
        self._parts = (0.0, 0.0, 0.0)

    def observe(self, texts: int, tokens: int, seconds: float) -> None:
        """Learn from a batch that has run; an empty one is ignored."""
        if not (texts and tokens):
            return
        features = np.array((1.0, texts, tokens))
        self._squares = FORGETTING * self._squares + np.outer(features, features)
        self._products = FORGETTING * self._products + seconds * features
        self._parts = self._fitted()

    @property
    def parts(self) -> tuple[float, float, float]:
        """Fixed seconds, seconds per text, seconds per token; none is negative."""
        return self._parts

    def seconds_of(self, texts: float, tokens: float) -> float:
        """Predicted seconds of a batch, which may be a mean one; 0 without data."""
        fixed, per_text, per_token = self._parts
        return fixed + per_text * texts + per_token * tokens

    def _fitted(self) -> tuple[float, float, float]:
        # Scales each feature to length 1, so that the eigenvalues do not depend on units.
        scale = 1 / np.sqrt(np.diag(self._squares))
        squares = self._squares * np.outer(scale, scale)
        for model in _MODELS:
            chosen = list(compress(range(3), model))
            part = squares[np.ix_(chosen, chosen)]
            if len(chosen) > 1 and np.linalg.eigvalsh(part)[0] < _EIGENVALUE_MIN:
                continue
            found = np.linalg.solve(part, (self._products * scale)[chosen]) * scale[chosen]
            # With a negative part, a larger batch could be predicted to be faster.
            if (found >= 0).all():
                parts = [0.0, 0.0, 0.0]
                for index, value in zip(chosen, found, strict=True):
                    parts[index] = float(value)
                return parts[0], parts[1], parts[2]
        return self._parts
