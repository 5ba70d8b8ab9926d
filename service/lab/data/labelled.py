"""Reads labelled text in the forms in which data sets publish it.

Exists so that a model can be measured and trained on published files without a conversion. GLUE's
form is in `glue`; nothing is scored or held out here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from service.errors import InputError
from service.lab.data.domains import NAMES
from service.lab.data.files import labelled_rows, read_lines
from service.lab.data.glue import Example, read_glue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Form = Literal["glue", "named", "ratings", "ratings-odd", "emotions"]

# The least absolute value of a clear rating, on a scale from -4 to 4.
RATING_MIN = 1.0
RATINGS_COLUMNS = "number<TAB>mean rating<TAB>text"
EMOTIONS_COLUMNS = "text<TAB>label numbers<TAB>id"
_RATING = re.compile(r"[+-]?\d+(\.\d+)?")
_POLES = {"1": 0, "3": 1}


class Rated(NamedTuple):
    """A text with its number and the mean rating by people, from -4 to 4."""

    number: int
    rating: float
    text: str


def read_labelled(path: Path, form: Form) -> list[Example]:
    """Read the examples of a file; there is no quoting: a `"` is text.

    The forms, and the labels of their examples:
        glue: the header sentence<TAB>label; the labels are the numbers in the file.
        named: the header text<TAB>label; 0 for negative and very negative, 1 for neutral, 2 for
            positive and very positive.
        ratings: see `read_ratings`; the clear ratings with an even number, which are the test half:
            0 for negative, 1 for positive.
        ratings-odd: the same for odd numbers.
        emotions: see `read_emotions`; the texts with a label: 0 for negative, 1 for positive.

    Raises:
        InputError: the file cannot be read, or a row has another form.
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
    examples = []
    for number, text, name in labelled_rows(path, "text"):
        label = NAMES.get(name.strip().lower())
        if label is None:
            raise InputError(
                f"{path}:{number}: its label is none of {', '.join(NAMES)}; give a file of "
                "text<TAB>label, or to `evaluate` its --format"
            )
        if text:
            examples.append(Example(text, label))
    return examples


def read_emotions(path: Path) -> list[tuple[str, int | None]]:
    """Texts with their labels: 0 for negative, 1 for positive, None for others or several.

    The file has no header. Its columns are the text, label numbers separated by commas (0
    ambiguous, 1 negative, 2 neutral, 3 positive), and an id.

    Raises:
        InputError: the file cannot be read, or a row has another form.
    """
    return [(text, _POLES.get(labels)) for _, (text, labels, _) in _rows(path, EMOTIONS_COLUMNS)]


def read_ratings(path: Path) -> list[Rated]:
    """All rows of a file without a header; its columns are number, mean rating and text.

    Raises:
        InputError: the file cannot be read, or a row has another form.
    """
    rated = []
    for line, (number, rating, text) in _rows(path, RATINGS_COLUMNS):
        if not (number.isdecimal() and _RATING.fullmatch(rating)):
            raise _other_form(path, line, "no number and mean rating", RATINGS_COLUMNS)
        rated.append(Rated(int(number), float(rating), text))
    return rated


def _rows(path: Path, columns: str) -> Iterator[tuple[int, list[str]]]:
    """The line number and the three cells of each line that is not empty."""
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
