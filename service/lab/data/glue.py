"""Labelled text in GLUE form: reading it, and holding a part of it out honestly.

Exists so that training and evaluation read files in exactly one way. No model code here.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import InputError
from service.lab.data.files import read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEADER = ("sentence", "label")

# Full sentences only are held out; SST-2's fragments are shorter than this.
HELD_OUT_WORDS_MIN = 12
# A shared fragment of fewer words ("a good film") says nothing about the sentence it came from.
FRAGMENT_WORDS_MIN = 4


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text; `label` is the class index, `weight` what it counts for in a loss.

    Of a text of `poles_only` nothing is known but which pole is likelier: nobody was asked whether
    it is neutral.
    """

    text: str
    label: int
    weight: float = 1.0
    poles_only: bool = False


def read_glue(path: Path) -> list[Example]:
    """Read a TSV with the header `sentence<TAB>label`.

    There is no quoting: a `"` is text. A carriage return at the end of a line is stripped.

    Raises:
        InputError: no such file, not UTF-8, wrong header, or a row that is no sentence and label.
    """
    lines = read_lines(path)
    if tuple(lines[0].split("\t")) != HEADER:
        message = f"{path}: the first line must be sentence<TAB>label"
        raise InputError(message)
    return [_example(path, number, line) for number, line in enumerate(lines[1:], start=2) if line]


def _example(path: Path, number: int, line: str) -> Example:
    text, tab, label = line.rpartition("\t")
    if not tab or not label.isdecimal():
        message = f"{path}:{number}: expected sentence<TAB>label with a label of digits"
        raise InputError(message)
    return Example(text.strip(), int(label))


def hold_out(
    examples: Sequence[Example], count: int, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split into (train, held out) so that no held-out sentence leaks into training.

    SST-2's training rows are the constituents of parsed sentences: a random split puts pieces of
    nearly every held-out sentence into training and overstates accuracy. Here whole sentences are
    drawn, and every row that is a fragment of one (four words or more) is left out of both parts.
    """
    long = [e for e in examples if len(e.text.split()) >= HELD_OUT_WORDS_MIN]
    held = random.Random(seed).sample(long, min(count, len(long)))
    return without_fragments(examples, [e.text for e in held]), held


def without_fragments(examples: Sequence[Example], held_texts: Sequence[str]) -> list[Example]:
    """The examples that are no fragment of a held-out text, of four words or more, nor hold one."""
    held_text = "\n".join(held_texts)

    def leaks(example: Example) -> bool:
        if len(example.text.split()) < FRAGMENT_WORDS_MIN:
            return False
        return example.text in held_text or any(text in example.text for text in held_texts)

    return [e for e in examples if not leaks(e)]
