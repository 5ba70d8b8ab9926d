"""The negative, neutral and positive label of a model, and two-way scores from them.

Exists so that answers and measurements agree, whatever the order, case and number of a published
model's labels. Pure: names and probabilities, no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NEGATIVE = ("negative", "neg")
NEUTRAL = ("neutral", "neu")
POSITIVE = ("positive", "pos")


def negative(labels: Sequence[str]) -> int:
    """The index of the negative label: by its name, else the first that is not the positive one."""
    index = _named(labels, NEGATIVE)
    return int(_named(labels, POSITIVE) == 0) if index is None else index


def neutral(labels: Sequence[str]) -> int | None:
    """The index of the neutral label; None where no label has such a name."""
    return _named(labels, NEUTRAL)


def positive(labels: Sequence[str]) -> int:
    """The index of the positive label: by its name, else the last that is not the negative one."""
    index = _named(labels, POSITIVE)
    last = len(labels) - 1
    return last - (_named(labels, NEGATIVE) == last) if index is None else index


def both(labels: Sequence[str]) -> tuple[int, int] | None:
    """The indices of the labels with a negative and a positive name; None if one is missing."""
    found = _named(labels, NEGATIVE), _named(labels, POSITIVE)
    return None if found[0] is None or found[1] is None else (found[0], found[1])


def meaning(label: str) -> str:
    """`negative`, `neutral` or `positive` for any spelling of these; else the label itself."""
    lower = label.lower()
    return next((names[0] for names in (NEGATIVE, NEUTRAL, POSITIVE) if lower in names), label)


def pole(label: str, labels: Sequence[str]) -> int:
    """-1 for the negative label, 1 for the positive one, 0 for any other."""
    return (label == labels[positive(labels)]) - (label == labels[negative(labels)])


def two_way(scores: Mapping[str, float]) -> dict[str, float] | None:
    """The negative and the positive label, in this order, with probabilities that sum to 1.

    Each probability is divided by the sum of both: it is conditional on the text being at a pole.
    None if the labels do not name both poles.
    """
    labels = list(scores)
    found = both(labels)
    if found is None:
        return None
    bad, good = labels[found[0]], labels[found[1]]
    total = scores[bad] + scores[good]
    # Both are 0 if the model is very sure of a third label.
    share = scores[good] / total if total > 0 else 0.5
    return {bad: 1 - share, good: share}


def polarity(of_negative: float, of_positive: float) -> float:
    """A value from 0 (negative) to 1 (positive), from the probabilities of both poles.

    (1 + P(positive) - P(negative)) / 2, so all other labels count as halfway. For a model with two
    labels it is P(positive), so it compares models with and without a neutral label.
    """
    return 0.5 + (of_positive - of_negative) / 2


def _named(labels: Sequence[str], names: tuple[str, ...]) -> int | None:
    return next((i for i, label in enumerate(labels) if label.lower() in names), None)
