"""The files that a model is trained on, and the texts from them.

Exists so that models with two and with three labels have the same form of training data. Values
only; files are read in `mixture` and `mixture_three`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from service.lab.data.glue import Example

# Enough tweets to select a checkpoint by.
TWEETS_HELD_OUT = 500


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a run; forms are those of `data.labelled`.

    Attributes:
        data: sentences, in the form `glue`.
        posts: posts, in the form `emotions`.
        tweets: tweets, in the form `ratings`; only those with odd numbers are read, because the
            others are for tests.
        countries: the folder with `countries.csv` (see `bias.data`).
        test: the test set, in the form `glue`.
        teachers: the folders of larger models for soft labels of the sentences of `data`.
        domains: the folder with files of three labels (see `data.domains`); the model then has
            three labels instead of two.
        leave_out: domains that are not trained on.
    """

    data: Path
    posts: Path | None = None
    tweets: Path | None = None
    countries: Path | None = None
    test: Path | None = None
    teachers: tuple[Path, ...] = ()
    domains: Path | None = None
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mixture:
    """The normalised texts of a run.

    Attributes:
        train: examples to train on; a label is an index of `labels`.
        teacher_texts: texts for the teachers: the sentences of `Sources.data`.
        unlabelled: texts to train on without labels.
        held_out: by domain, the examples that select checkpoints and calibrate.
        messages: held-out posts and tweets with any label; they represent a stream.
        test: the test set, which is measured once and selects nothing.
        labels: the names of the labels.
    """

    train: list[Example]
    teacher_texts: list[str]
    unlabelled: list[str]
    held_out: dict[str, list[Example]]
    messages: list[str]
    test: list[Example]
    labels: tuple[str, ...] = ("NEGATIVE", "POSITIVE")

    def require_examples(self, data: Path) -> None:
        """Check that there are examples to train on and to hold out; `data` is for the message.

        Raises:
            InputError: the files have too few examples.
        """
        if not self.train or not all(self.held_out.values()):
            raise InputError(f"{data}: has too few examples to train on and to hold out; give more")
