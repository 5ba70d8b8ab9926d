"""What a batch takes, learned from those that have run: fixed + per text + per token. Pure.

Each part is real: starting a run costs what it costs, attention and the head are paid by text, the
linear layers by token. Batches of one shape cannot tell them apart, and then the simpler model is
taken, with all on the tokens at last.
"""

from __future__ import annotations

from itertools import compress

import numpy as np

# A batch weighs 5 % less with each newer one: the cost follows the machine within some seconds.
FORGETTING = 0.95
# Which parts are told apart: the first that the batches seen can tell, and that gives no part below
# zero. Fixed, per text, per token.
_MODELS = ((True, True, True), (True, False, True), (False, False, True))
# The least eigenvalue of the features' correlations; below it they say nearly the same.
_TOLD_APART_MIN = 1e-3


class CostModel:
    """Seconds of a batch: weighted least squares over the recent ones."""

    def __init__(self) -> None:
        """Know nothing: predictions are zero."""
        self._squares = np.zeros((3, 3))
        self._products = np.zeros(3)
        self._parts = (0.0, 0.0, 0.0)

    def observe(self, texts: int, tokens: int, seconds: float) -> None:
        """Learn from a batch that has run; an empty one tells nothing."""
        if not (texts and tokens):
            return
        features = np.array((1.0, texts, tokens))
        self._squares = FORGETTING * self._squares + np.outer(features, features)
        self._products = FORGETTING * self._products + seconds * features
        self._parts = self._solved()

    @property
    def parts(self) -> tuple[float, float, float]:
        """Fixed seconds, seconds per text, seconds per token; none below zero."""
        return self._parts

    def seconds_of(self, texts: int, tokens: int) -> float:
        """Predicted seconds of a batch; 0 where nothing is known."""
        fixed, per_text, per_token = self._parts
        return fixed + per_text * texts + per_token * tokens

    def _solved(self) -> tuple[float, float, float]:
        # Of one length each: what is told apart does not depend on units.
        scale = 1 / np.sqrt(np.diag(self._squares))
        squares = self._squares * np.outer(scale, scale)
        for model in _MODELS:
            chosen = list(compress(range(3), model))
            part = squares[np.ix_(chosen, chosen)]
            if len(chosen) > 1 and np.linalg.eigvalsh(part)[0] < _TOLD_APART_MIN:
                continue
            found = np.linalg.solve(part, (self._products * scale)[chosen]) * scale[chosen]
            if (found >= 0).all():
                parts = [0.0, 0.0, 0.0]
                for index, value in zip(chosen, found, strict=True):
                    parts[index] = float(value)
                return parts[0], parts[1], parts[2]
        return self._parts
