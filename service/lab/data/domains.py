"""Labelled text of many domains for a model with three labels: what is trained on, what is not.

Exists so that a model is chosen by domains that did not teach it. Every domain is split by a hash
of its texts, so that the same row lands in the same part whatever the seed, the order of the file
or the other domains; a text that comes twice is one row. Files in, rows out: nothing is normalised
or weighted here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from service.errors import InputError
from service.lab.data.files import read_lines
from service.lab.data.glue import Example

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")
NEGATIVE, NEUTRAL, POSITIVE = range(3)
HEADER = "text\tlabel"

# Rows of tweets_semeval.tsv that neither teach nor choose: the figures of the card are theirs. Of a
# small file a third.
ASIDE = 5000
# Rows of a domain that choose checkpoints and calibrate; at most a sixth of a small file.
HELD_OUT = 2000
HELD_OUT_DIVISOR = 6

NAMES = {
    "negative": NEGATIVE,
    "neutral": NEUTRAL,
    "positive": POSITIVE,
    "very negative": NEGATIVE,
    "very positive": POSITIVE,
}
# Emotions that are opinions of what a comment is about. Wishes, care and agreement are none:
# "I wish it had a clock" says nothing good. Approval, optimism, surprise and realization stand
# beside all three labels, and teach none.
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
    """Rows of one domain: to train on, held out to choose and calibrate, and put aside."""

    train: list[Example]
    held_out: list[Example]
    aside: list[Example]


def read_domains(folder: Path, leave_out: tuple[str, ...] = ()) -> dict[str, Domain]:
    """The domains whose files a folder holds, by name; those of `leave_out` teach nothing.

    Files have the header text<TAB>label. The label of a domain is an index of `LABELS`.

    Raises:
        InputError: a file is missing or not of this form, or there is no domain of such a name.
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
        cut = min(ASIDE, len(rows) // 3) if name == "semeval" else 0
        aside, rest = rows[:cut], rows[cut:]
        held = min(HELD_OUT, len(rest) // HELD_OUT_DIVISOR)
        train = [] if name in leave_out else rest[held:]
        found[name] = Domain(train, rest[:held], aside)
    return found


def key(text: str) -> str:
    """What two copies of a text share: its letters and digits, whatever stands between them."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _rows(path: Path, label_of: Callable[[str], int | None]) -> list[Example]:
    """Rows that have one label, in the order of their hash."""
    lines = read_lines(path)
    if lines[0] != HEADER:
        raise InputError(f"{path}: the first line must be text<TAB>label")
    labels: dict[str, set[int]] = {}
    texts: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        text, tab, label = line.rpartition("\t")
        if line and not tab:
            raise InputError(f"{path}:{number}: has no tab; give a file of text<TAB>label")
        found = label_of(label)
        if found is not None and key(text):
            texts.setdefault(key(text), text.strip())
            labels.setdefault(key(text), set()).add(found)
    agreed = [k for k in texts if len(labels[k]) == 1]
    agreed.sort(key=lambda k: hashlib.sha256(k.encode()).digest())
    return [Example(texts[k], labels[k].pop()) for k in agreed]


def _of_emotions(label: str) -> int | None:
    """The pole that all emotions of a comment share; a pole counts more than being neutral."""
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
