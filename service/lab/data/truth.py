"""What the labels of a file are for a model: by number, by pole, or by name.

Exists so that text of two labels measures a model of three, and that of three one of two, in one
way. Labels and probabilities in, the same out; nothing is scored here.
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
    """The examples that a model is measured on, and their labels as indices of its labels.

    `poles` are the indices of both poles where examples of these alone measure a model that has
    more labels: it is then asked which pole is likelier. `left_out` counts the neutral examples of
    a file whose model has no neutral label.
    """

    examples: list[Example]
    labels: NDArray[np.int64]
    poles: tuple[int, int] | None
    left_out: int


def truth_of(
    data: Path, examples: Sequence[Example], form: Form, names: Sequence[str], model: str
) -> Truth:
    """What the labels of this file's form are for this model, with labels of these names.

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
            f"({', '.join(names)}); give data with its labels"
        )
    if poles is not None and highest < 2:
        # SST-2 and its like: 0 negative, 1 positive, and nobody was asked for a third label.
        labels = np.array([poles[e.label] for e in examples], np.int64)
        return Truth(list(examples), labels, poles, 0)
    return Truth(list(examples), np.array([e.label for e in examples], np.int64), None, 0)


def of_poles(probabilities: NDArray[np.float64], poles: tuple[int, int]) -> NDArray[np.float64]:
    """The probabilities of both poles given that it is one of them, shape (examples, 2).

    They are even where a model is so sure of another label that both are 0.
    """
    two = probabilities[:, poles] + np.finfo(np.float64).tiny
    shares: NDArray[np.float64] = two / two.sum(axis=1, keepdims=True)
    return shares
