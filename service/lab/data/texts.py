"""Reads texts for measurements of speed, from a file or from the demo's messages.

Exists so that every such command reads them in the same way.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from service.errors import InputError
from service.lab.data.files import read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Of fewer texts the lengths say little of a topic's, and one in a hundred, which decides whether
# the scores are close enough, is hardly among them. The demo has more.
TEXTS_MIN = 200


def read_texts(path: Path | None, count: int) -> list[str]:
    """`count` texts of a file, or of the demo by default; repeated if there are fewer.

    A file has one text in each line. In a .tsv the text is the last column, in a .jsonl the field
    `text`.

    Raises:
        InputError: the file cannot be read or has no text.
    """
    if path is None:
        lines = files("service.demo").joinpath("messages.jsonl").read_text().splitlines()
        texts = _of_json(lines)
    else:
        texts = _of_lines(path, read_lines(path))
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise InputError(f"{path}: has no text; give a file with one text a line")
    return [texts[number % len(texts)] for number in range(count)]


def is_guess(texts: Sequence[str]) -> str | None:
    """That few different texts are measured on, in one line; None if there are enough."""
    different = len(set(texts))
    if different >= TEXTS_MIN:
        return None
    return (
        f"measured on {different} different texts, so this is a guess; --texts with {TEXTS_MIN} or "
        "more of yours decides it"
    )


def _of_lines(path: Path, lines: list[str]) -> list[str]:
    if path.suffix == ".jsonl":
        return _of_json(lines)
    if path.suffix == ".tsv":
        return [line.rpartition("\t")[2] for line in lines]
    return lines


def _of_json(lines: list[str]) -> list[str]:
    texts = []
    for line in lines:
        try:
            text = json.loads(line).get("text")
        except (ValueError, AttributeError):
            continue
        if isinstance(text, str):
            texts.append(text)
    return texts
