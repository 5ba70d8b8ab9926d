"""Reads labelled text in GLUE form, and holds a part of it out without leaks into training.

Exists so that training and evaluation read files in exactly one way. No model code here.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import InputError
from service.lab.data.files import labelled_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Only whole sentences are held out; most of SST-2's fragments are shorter than this.
HELD_OUT_WORDS_MIN = 12
# A shorter shared fragment ("a good film") does not reveal the sentence that it came from.
FRAGMENT_WORDS_MIN = 4


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text.

    Attributes:
        text: the text.
        label: the index of its label.
        weight: its weight in a loss.
        poles_only: whether the label says only which pole is likelier: the annotators of the text
            had no neutral label.
    """

    text: str
    label: int
    weight: float = 1.0
    poles_only: bool = False


def read_glue(path: Path) -> list[Example]:
    """Read a TSV with the header `sentence<TAB>label` (see `files.labelled_rows`).

    Raises:
        InputError: the file cannot be read, has another header, or a row without a tab or number.
    """
    examples = []
    for number, text, label in labelled_rows(path, "sentence"):
        if not label.isdecimal():
            raise InputError(f"{path}:{number}: expected sentence<TAB>label with a label of digits")
        examples.append(Example(text, int(label)))
    return examples


def hold_out(
    examples: Sequence[Example], count: int, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split examples into (train, held out) so that no held-out sentence leaks into training.

    SST-2's training rows are the constituents of parsed sentences: a random split would put pieces
    of nearly every held-out sentence into training and overstate accuracy. This split draws whole
    sentences, and leaves every fragment of one (four words or more) out of both parts.
    """
    long = [e for e in examples if len(e.text.split()) >= HELD_OUT_WORDS_MIN]
    held = random.Random(seed).sample(long, min(count, len(long)))
    return without_fragments(examples, [e.text for e in held]), held


def without_fragments(examples: Sequence[Example], held_texts: Sequence[str]) -> list[Example]:
    """The examples that are neither part of a held-out text nor contain one.

    Examples of less than four words are kept in any case.
    """
    held_text = "\n".join(held_texts)

    def leaks(example: Example) -> bool:
        if len(example.text.split()) < FRAGMENT_WORDS_MIN:
            return False
        return example.text in held_text or any(text in example.text for text in held_texts)

    return [e for e in examples if not leaks(e)]
