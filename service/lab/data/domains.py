"""Reads and splits labelled text of several domains for a model with three labels.

Exists so that a model can be tested on domains that it was not trained on. Each domain is split by
a hash of its texts: a row is in the same part whatever the seed, the order of the file or the other
domains. Duplicates of a text are one row. Nothing is normalised or weighted here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from service.errors import InputError
from service.lab.data.files import labelled_rows
from service.lab.data.glue import Example

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")
NEGATIVE, NEUTRAL, POSITIVE = range(3)

# Rows of tweets_semeval.tsv for the figures of the model card; they are used for nothing else. A
# small file reserves a third of its rows.
RESERVED = 5000
# Rows of a domain that select checkpoints and calibrate the model. A small file holds a sixth of
# its rows out.
HELD_OUT = 2000
HELD_OUT_DIVISOR = 6

NAMES = {
    "negative": NEGATIVE,
    "neutral": NEUTRAL,
    "positive": POSITIVE,
    "very negative": NEGATIVE,
    "very positive": POSITIVE,
}
# The labels of emotions. Wishes and care are not opinions: "I wish it had a clock" praises nothing.
# Approval, optimism, surprise and realization go with all three labels, so they have none here.
_EMOTIONS = {
    **dict.fromkeys(
        ("admiration", "amusement", "excitement", "gratitude", "joy", "love", "pride", "relief"),
        POSITIVE,
    ),
    **dict.fromkeys(
        (
            "anger", "annoyance", "disappointment", "disapproval", "disgust", "embarrassment",
            "fear", "grief", "nervousness", "remorse", "sadness",
        ),
        NEGATIVE,
    ),
    **dict.fromkeys(("neutral", "curiosity", "confusion", "desire", "caring"), NEUTRAL),
}  # fmt: skip


class Domain(NamedTuple):
    """Rows of one domain: for training, for selection and calibration, and for the model card."""

    train: list[Example]
    held_out: list[Example]
    reserved: list[Example]


def read_domains(folder: Path, leave_out: tuple[str, ...] = ()) -> dict[str, Domain]:
    """The domains in the files of a folder, by name; those of `leave_out` have no training rows.

    Files have the header text<TAB>label. The labels of the examples are indices of `LABELS`.

    Raises:
        InputError: a file is missing or has another form, or `leave_out` names an unknown domain.
    """
    unknown = set(leave_out) - set(_FILES)
    if unknown:
        raise InputError(
            f"--leave-out {', '.join(sorted(unknown))}: no such domain; "
            f"there are {', '.join(_FILES)}"
        )
    found = {}
    for name, (file, label_of) in _FILES.items():
        rows = _rows(folder / file, label_of)
        cut = min(RESERVED, len(rows) // 3) if name == "semeval" else 0
        reserved, rest = rows[:cut], rows[cut:]
        held = min(HELD_OUT, len(rest) // HELD_OUT_DIVISOR)
        train = [] if name in leave_out else rest[held:]
        found[name] = Domain(train, rest[:held], reserved)
    return found


def key(text: str) -> str:
    """The letters and digits of a text in lower case, which are equal for duplicates."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _rows(path: Path, label_of: Callable[[str], int | None]) -> list[Example]:
    """Texts whose duplicates have the same label, in the order of their hash."""
    labels: dict[str, set[int]] = {}
    texts: dict[str, str] = {}
    for _, text, label in labelled_rows(path, "text"):
        found = label_of(label)
        if found is not None and key(text):
            texts.setdefault(key(text), text)
            labels.setdefault(key(text), set()).add(found)
    agreed = [k for k in texts if len(labels[k]) == 1]
    agreed.sort(key=lambda k: hashlib.sha256(k.encode()).digest())
    return [Example(texts[k], labels[k].pop()) for k in agreed]


def _of_emotions(label: str) -> int | None:
    """The label of a comment from its emotions: the only pole among them, else neutral.

    None if the emotions are of both poles, or one of them has no label.
    """
    found = {_EMOTIONS.get(name) for name in label.split(",")}
    if None in found:
        return None
    poles = found - {NEUTRAL}
    return (poles or found).pop() if len(poles) < 2 else None


_FILES: dict[str, tuple[str, Callable[[str], int | None]]] = {
    "semeval": ("tweets_semeval.tsv", NAMES.get),
    "kaggle": ("tweets_kaggle.tsv", NAMES.get),
    "sst5": ("sst5.tsv", NAMES.get),
    "customer_reviews": ("customer_reviews.tsv", NAMES.get),
    "goemotions": ("goemotions28.tsv", _of_emotions),
}
