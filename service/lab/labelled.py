"""Labelled text in the forms that it is published in, read as negative and positive.

Exists so that a model can be measured on other people's files as they are. What GLUE's form means
is in `glue`; nothing is scored here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from service.errors import InputError
from service.lab.glue import Example, read_glue, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Form = Literal["glue", "ratings", "ratings-odd", "emotions"]

# Of ratings from -4 to 4: what people agree on is at least so far from neutral.
RATING_MIN = 1.0
_RATING = re.compile(r"[+-]?\d+(\.\d+)?")
EMOTIONS = {"1": 0, "3": 1}


def read_labelled(path: Path, form: Form) -> list[Example]:
    """Read a file of this form; there is no quoting: a `"` is text.

    `glue` has the header sentence<TAB>label, and the labels that the file says; in all others 0 is
    negative and 1 positive. `ratings` has no header: number, mean rating, text; the polar rows of
    even number, which is the test half, and with `ratings-odd` the others. `emotions` has none
    either: text, label numbers, id; the rows that have 1 (negative) or 3 (positive) alone.

    Raises:
        InputError: the file cannot be read, or a row is not of this form.
    """
    if form == "glue":
        return read_glue(path)
    rows = _rows(path)
    if form == "emotions":
        return [
            Example(text, EMOTIONS[labels])
            for text, labels, _ in rows
            if labels in EMOTIONS and text.strip()
        ]
    parity = int(form == "ratings-odd")
    return [
        Example(text, int(rating > 0))
        for number, rating, text in _ratings(path, rows)
        if number % 2 == parity and abs(rating) >= RATING_MIN and text.strip()
    ]


def _rows(path: Path) -> list[tuple[str, str, str]]:
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.rstrip("\r").split("\t")
        if cells == [""]:
            continue
        if len(cells) != 3:
            raise InputError(
                f"{path}:{number}: has {len(cells)} columns, three are due; name the file's form "
                "with --format"
            )
        rows.append((cells[0], cells[1], cells[2]))
    return rows


def _ratings(path: Path, rows: list[tuple[str, str, str]]) -> Iterator[tuple[int, float, str]]:
    for at, (number, rating, text) in enumerate(rows, start=1):
        if not (number.isdecimal() and _RATING.fullmatch(rating)):
            raise InputError(
                f"{path}: row {at} must begin with a number and a mean rating; name the file's "
                "form with --format"
            )
        yield int(number), float(rating), text
