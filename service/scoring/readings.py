"""From a model's logits to what is called: shares that can be believed, a label, and how surely.

Exists so that the service and what measures it (`lab`) have one way. Pure; no model here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.checkpoint.calibration import UNCALIBRATED, Calibration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from service.records import Document, Encoded

# The label of a text that the model is unsure of stays the likeliest one.
KEEP = "keep"


class Call(NamedTuple):
    """A label, the probability of the likeliest one, and whether that may be believed."""

    label: str
    score: float
    confident: bool


class Reading(NamedTuple):
    """What is called of a text, and the probability of every label."""

    call: Call
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class LogitsReader:
    """How one model's logits are read.

    `multi_label` where its labels do not exclude each other; `unsure_label` is called in place of
    the likeliest label where the call is not confident, unless it is `keep`. `languages` are those
    that the model is for, as ISO 639 codes; without any, all are.
    """

    calibration: Calibration = UNCALIBRATED
    multi_label: bool = False
    unsure_label: str = KEEP
    languages: frozenset[str] = frozenset()

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated shares, shape (texts, labels) as the logits; a row sums to 1.

        Of labels that do not exclude each other, each has a share of its own.
        """
        exact = logits.astype(np.float64) / self.calibration.temperature
        if self.calibration.bias:
            exact = exact + np.asarray(self.calibration.bias)
        if self.multi_label:
            return (1 / (1 + np.exp(-exact))).astype(np.float32)
        powers = np.exp(exact - exact.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(
            np.float32
        )
        return shares

    def may_believe(self, text: Encoded | Document) -> bool:
        """Whether a text is one that the model can judge, whatever it says of it.

        It is not where it was cut, has no token that the model knows, or is told to be in another
        language than the model's. Most short texts do not show their language; these it is asked.
        """
        told = text.language
        foreign = told is not None and bool(self.languages) and told not in self.languages
        return text.stats.known and not text.stats.truncated and not foreign

    def call(
        self, labels: Sequence[str], shares: Sequence[float], *, may_believe: bool = True
    ) -> Call:
        """What is called of one text, of which each label has its share."""
        best = max(range(len(shares)), key=shares.__getitem__)
        confident = may_believe and self._is_enough(best, shares[best])
        unsure = not confident and self.unsure_label != KEEP
        return Call(self.unsure_label if unsure else labels[best], shares[best], confident)

    def _is_enough(self, label: int, share: float) -> bool:
        if not self.calibration.thresholds:
            return True
        threshold = self.calibration.thresholds[label]
        return threshold is not None and share >= threshold

    def read(
        self,
        labels: Sequence[str],
        logits: NDArray[np.float32],
        texts: Iterable[Encoded | Document],
    ) -> list[Reading]:
        """Read the logits of texts, shape (texts, labels)."""
        return [
            Reading(
                self.call(labels, row, may_believe=self.may_believe(text)),
                dict(zip(labels, row, strict=True)),
            )
            for text, row in zip(texts, self.probabilities(logits).tolist(), strict=True)
        ]
