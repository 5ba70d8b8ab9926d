"""Labelled text in the forms that it is published in, read as negative, neutral and positive.

Exists so that a model is measured and trained on other people's files as they are, each form read
in one way. What GLUE's form means is in `glue`; nothing is scored or held out here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from service.errors import InputError
from service.lab.data.domains import HEADER, NAMES
from service.lab.data.files import read_lines
from service.lab.data.glue import Example, read_glue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Form = Literal["glue", "named", "ratings", "ratings-odd", "emotions"]

# Of ratings from -4 to 4: what people agree on is at least so far from neutral.
RATING_MIN = 1.0
RATINGS_COLUMNS = "number<TAB>mean rating<TAB>text"
EMOTIONS_COLUMNS = "text<TAB>label numbers<TAB>id"
_RATING = re.compile(r"[+-]?\d+(\.\d+)?")
_POLES = {"1": 0, "3": 1}


class Rated(NamedTuple):
    """A text with the mean of what people said of it, from -4 to 4."""

    number: int
    rating: float
    text: str


def read_labelled(path: Path, form: Form) -> list[Example]:
    """Read the examples of a file of this form; there is no quoting: a `"` is text.

    `glue` has the header sentence<TAB>label, and the labels that the file says. `named` has the
    header text<TAB>label and the names negative, neutral and positive, or very negative and very
    positive: 0, 1 and 2. Of all others the polar examples are read; 0 is negative, 1
    positive. `ratings` are those of `read_ratings` of even number, which is the test half, and with
    `ratings-odd` the others; `emotions` those of `read_emotions` that have a label.

    Raises:
        InputError: the file cannot be read, or a row is not of this form.
    """
    if form == "glue":
        return read_glue(path)
    if form == "named":
        return _read_named(path)
    if form == "emotions":
        return [
            Example(text, label)
            for text, label in read_emotions(path)
            if label is not None and text.strip()
        ]
    parity = int(form == "ratings-odd")
    return [
        Example(text, int(rating > 0))
        for number, rating, text in read_ratings(path)
        if number % 2 == parity and abs(rating) >= RATING_MIN and text.strip()
    ]


def _read_named(path: Path) -> list[Example]:
    lines = read_lines(path)
    if lines[0] != HEADER:
        raise InputError(f"{path}: the first line must be text<TAB>label")
    examples = []
    for number, line in enumerate(lines[1:], start=2):
        text, _, name = line.rpartition("\t")
        label = NAMES.get(name.strip().lower())
        if line and label is None:
            raise InputError(
                f"{path}:{number}: its label is none of {', '.join(NAMES)}; give a file of "
                "text<TAB>label, or to `evaluate` its --format"
            )
        if label is not None and text.strip():
            examples.append(Example(text.strip(), label))
    return examples


def read_emotions(path: Path) -> list[tuple[str, int | None]]:
    """Texts with their label: 0 negative, 1 positive, None where it is neither or not sure.

    The file has no header: text, label numbers (0 ambiguous, 1 negative, 2 neutral, 3 positive,
    several with commas), id.

    Raises:
        InputError: the file cannot be read, or has a row of another form.
    """
    return [(text, _POLES.get(labels)) for _, (text, labels, _) in _rows(path, EMOTIONS_COLUMNS)]


def read_ratings(path: Path) -> list[Rated]:
    """All rows of a file without header: number, mean rating, text.

    Raises:
        InputError: the file cannot be read, or has a row of another form.
    """
    rated = []
    for line, (number, rating, text) in _rows(path, RATINGS_COLUMNS):
        if not (number.isdecimal() and _RATING.fullmatch(rating)):
            raise _other_form(path, line, "no number and mean rating", RATINGS_COLUMNS)
        rated.append(Rated(int(number), float(rating), text))
    return rated


def _rows(path: Path, columns: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that is not empty, with the number of the line."""
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.split("\t")
        if line and len(cells) != 3:
            raise _other_form(path, number, f"{len(cells)} columns, three are due", columns)
        if line:
            yield number, cells


def _other_form(path: Path, line: int, has: str, columns: str) -> InputError:
    return InputError(
        f"{path}:{line}: has {has}; give a file of {columns}, or to `evaluate` its --format"
    )
