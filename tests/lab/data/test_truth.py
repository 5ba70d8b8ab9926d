"""The labels of a file for models with two and three labels, in any order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from service.errors import InputError
from service.lab.data.glue import Example
from service.lab.data.truth import of_poles, truth_of

if TYPE_CHECKING:
    from service.lab.data.labelled import Form

TWO, THREE = ("NEGATIVE", "POSITIVE"), ("NEGATIVE", "NEUTRAL", "POSITIVE")
TURNED = ("positive", "neutral", "negative")
FILE = Path("data.tsv")


def examples(*labels: int) -> list[Example]:
    """One text for each label."""
    return [Example(f"text {i}", label) for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("form", "names", "given", "labels", "poles"),
    [
        ("glue", TWO, (0, 1), [0, 1], None),
        ("glue", THREE, (0, 1), [0, 2], (0, 2)),
        ("glue", THREE, (0, 1, 2), [0, 1, 2], None),
        ("glue", ("joy", "anger", "fear"), (0, 1), [0, 1], None),
        ("ratings", THREE, (0, 1), [0, 2], (0, 2)),
        ("ratings", TURNED, (0, 1), [2, 0], (2, 0)),
        ("named", THREE, (0, 1, 2), [0, 1, 2], None),
        ("named", TURNED, (0, 1, 2), [2, 1, 0], None),
        ("named", THREE, (0, 2), [0, 2], (0, 2)),
        ("named", TWO, (0, 2), [0, 1], None),
    ],
)
def test_labels(
    form: Form,
    names: tuple[str, ...],
    given: tuple[int, ...],
    labels: list[int],
    poles: tuple[int, int] | None,
) -> None:
    """A file with two labels measures which pole is likelier, one with three all labels."""
    truth = truth_of(FILE, examples(*given), form, names, "tiny")
    assert labels == truth.labels.tolist()
    assert poles == truth.poles
    assert 0 == truth.left_out


def test_neutral_examples_are_left_out_where_there_is_no_such_label() -> None:
    """And counted."""
    truth = truth_of(FILE, examples(0, 1, 2, 1), "named", TWO, "tiny")
    assert [0, 1] == truth.labels.tolist()
    assert ["text 0", "text 2"] == [e.text for e in truth.examples]
    assert 2 == truth.left_out


def test_a_label_beyond_the_models_is_refused() -> None:
    """With the file, and the labels of the model."""
    with pytest.raises(InputError, match=r"has the label 3, but tiny has 3 labels \(NEGATIVE, "):
        truth_of(FILE, examples(0, 3), "glue", THREE, "tiny")


def test_the_poles_of_a_text_that_is_surely_neutral_are_even() -> None:
    """No division by zero."""
    found = of_poles(np.array([[0.1, 0.6, 0.3], [0.0, 1.0, 0.0]]), (0, 2))
    assert [[pytest.approx(0.25), pytest.approx(0.75)], [0.5, 0.5]] == found.tolist()
