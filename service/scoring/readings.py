"""Computes readings from logits: calibrated probabilities, a label, and whether it is confident.

Exists so that the service and `lab` do this in the same way. Pure; no model here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.checkpoint.calibration import UNCALIBRATED, Calibration
from service.records import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from service.records import Document, Encoded

# With this `unsure_label`, a text that the model is unsure of keeps its likeliest label.
KEEP = "keep"


@dataclass(frozen=True, slots=True)
class LogitsReader:
    """Computes the readings of one model.

    `multi_label`: several labels can apply to one text. `unsure_label` replaces the likeliest label
    if that is not confident, unless it is KEEP. `languages` are the ISO 639 codes of the languages
    that the model was trained on; empty means all.
    """

    calibration: Calibration = UNCALIBRATED
    multi_label: bool = False
    unsure_label: str = KEEP
    languages: frozenset[str] = frozenset()

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated probabilities, shape (texts, labels) as the logits, each from 0 to 1.

        A row sums to 1, unless the model is multi-label.
        """
        exact = logits.astype(np.float64) / self.calibration.temperature
        if self.calibration.bias:
            exact = exact + np.asarray(self.calibration.bias)
        if self.multi_label:
            return (1 / (1 + np.exp(-exact))).astype(np.float32)
        powers = np.exp(exact - exact.max(axis=1, keepdims=True))
        found: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return found

    def can_judge(self, text: Encoded | Document) -> bool:
        """Whether the model can judge this text at all, whatever its scores.

        It cannot if the text was cut, has no token that the model knows, or is in another language
        than the model's. A text whose language is not detected, like most short ones, it can.
        """
        language = text.language
        foreign = language is not None and bool(self.languages) and language not in self.languages
        return text.stats.known and not text.stats.truncated and not foreign

    def read(
        self,
        labels: Sequence[str],
        logits: NDArray[np.float32],
        texts: Iterable[Encoded | Document],
    ) -> list[Reading]:
        """The readings of texts from their logits, shape (texts, labels)."""
        return [
            self.reading(labels, row, can_judge=self.can_judge(text))
            for text, row in zip(texts, self.probabilities(logits).tolist(), strict=True)
        ]

    def reading(
        self, labels: Sequence[str], probabilities: Sequence[float], *, can_judge: bool = True
    ) -> Reading:
        """The reading of one text from the probability of each label."""
        best = max(range(len(labels)), key=probabilities.__getitem__)
        confident = can_judge and self._reaches_threshold(best, probabilities[best])
        unsure = not confident and self.unsure_label != KEEP
        return Reading(
            label=self.unsure_label if unsure else labels[best],
            score=probabilities[best],
            scores=dict(zip(labels, probabilities, strict=True)),
            confident=confident,
        )

    def _reaches_threshold(self, label: int, probability: float) -> bool:
        if not self.calibration.thresholds:
            return True
        threshold = self.calibration.thresholds[label]
        return threshold is not None and probability >= threshold
