"""From a model's logits to what is called: shares that can be believed, a label, and how surely.

Exists so that the service and what measures it (`lab`) have one way. Pure; no model here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.trust import RAW, Trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# The label of a text that the model is unsure of stays the likeliest one.
KEEP = "keep"
_NEUTRAL = "neutral"


class Call(NamedTuple):
    """A label, the probability of the likeliest one, and whether that is enough."""

    label: str
    score: float
    confident: bool


class Reading(NamedTuple):
    """What is called of a text, and the probability of every label."""

    call: Call
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Calling:
    """How one model's logits are read.

    `multi_label` where its labels do not exclude each other; `unsure_label` is called in place of
    the likeliest label where that is not likely enough, unless it is `keep` or the model has a
    neutral label of its own.
    """

    trust: Trust = RAW
    multi_label: bool = False
    unsure_label: str = KEEP

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated shares, shape (texts, labels) as the logits; a row sums to 1.

        Of labels that do not exclude each other, each has a share of its own.
        """
        exact = logits.astype(np.float64) / self.trust.temperature
        if self.trust.bias:
            exact = exact + np.asarray(self.trust.bias)
        if self.multi_label:
            return (1 / (1 + np.exp(-exact))).astype(np.float32)
        powers = np.exp(exact - exact.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(
            np.float32
        )
        return shares

    def call(self, labels: Sequence[str], shares: Sequence[float]) -> Call:
        """What is called of one text, of which each label has its share."""
        best = max(range(len(shares)), key=shares.__getitem__)
        confident = self._is_enough(best, shares[best])
        label = labels[best]
        if not confident and self.unsure_label != KEEP and _NEUTRAL not in map(str.lower, labels):
            label = self.unsure_label
        return Call(label, shares[best], confident)

    def _is_enough(self, label: int, share: float) -> bool:
        if not self.trust.thresholds:
            return True
        threshold = self.trust.thresholds[label]
        return threshold is not None and share >= threshold

    def read(self, labels: Sequence[str], logits: NDArray[np.float32]) -> list[Reading]:
        """Read logits of the shape (texts, labels)."""
        return [
            Reading(self.call(labels, row), dict(zip(labels, row, strict=True)))
            for row in self.probabilities(logits).tolist()
        ]
