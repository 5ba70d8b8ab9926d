"""Maps the labels of a file to the labels of a model: by number, by pole, or by name.

Exists so that a file with two labels can measure a model with three, and the reverse, in one way.
Nothing is scored here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.errors import InputError
from service.lab.data.domains import NEGATIVE, NEUTRAL, POSITIVE
from service.scoring.poles import both, negative, neutral, positive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from service.lab.data.glue import Example
    from service.lab.data.labelled import Form


class Truth(NamedTuple):
    """The examples to measure a model on, with its own labels.

    Attributes:
        examples: the examples of the file that the model has a label for.
        labels: the index of each example's label among the model's labels.
        poles: the indices of the negative and the positive label, if the model has more labels and
            the examples only these: then it is measured by which pole is likelier.
        left_out: the number of neutral examples, left out because the model has no neutral label.
    """

    examples: list[Example]
    labels: NDArray[np.int64]
    poles: tuple[int, int] | None
    left_out: int


def truth_of(
    data: Path, examples: Sequence[Example], form: Form, names: Sequence[str], model: str
) -> Truth:
    """Map the labels of examples read from a file of this form to those of a model.

    `names` are the labels of the model; `data` and `model` are for the error message.

    Raises:
        InputError: the file has a label that the model does not have.
    """
    poles = both(names) if len(names) > 2 else None
    if form == "named":
        own = {NEGATIVE: negative(names), NEUTRAL: neutral(names), POSITIVE: positive(names)}
        kept = [e for e in examples if own[e.label] is not None]
        labels = np.array([own[e.label] for e in kept], np.int64)
        alone = poles if not any(e.label == NEUTRAL for e in examples) else None
        return Truth(kept, labels, alone, len(examples) - len(kept))
    if form != "glue":
        ends = (negative(names), positive(names))
        labels = np.array([ends[e.label] for e in examples], np.int64)
        return Truth(list(examples), labels, poles, 0)
    highest = max(e.label for e in examples)
    if highest >= len(names):
        raise InputError(
            f"{data}: has the label {highest}, but {model} has {len(names)} labels "
            f"({', '.join(names)}); give data with its labels, or say what they stand for: "
            "--labels negative=1,positive=5"
        )
    if poles is not None and highest < 2:
        # Files like SST-2: 0 is negative, 1 is positive, and annotators had no third label.
        labels = np.array([poles[e.label] for e in examples], np.int64)
        return Truth(list(examples), labels, poles, 0)
    return Truth(list(examples), np.array([e.label for e in examples], np.int64), None, 0)


def of_poles(probabilities: NDArray[np.float64], poles: tuple[int, int]) -> NDArray[np.float64]:
    """The probabilities of the two poles, given that the label is a pole; shape (examples, 2).

    `probabilities` has the shape (examples, labels). Where those of both poles are 0, each is 0.5.
    """
    two = probabilities[:, poles] + np.finfo(np.float64).tiny
    shares: NDArray[np.float64] = two / two.sum(axis=1, keepdims=True)
    return shares
