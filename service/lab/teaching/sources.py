"""The files that a model is made of, and what was read of them.

Exists so that the ways to read them, for two labels and for three, give the same to training and
calibration. Values only; files are read in `mixture` and `mixture_three`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from service.lab.data.glue import Example

# Of tweets; enough to choose by.
TWEETS_HELD_OUT = 500


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a run; what is None is left out.

    In the forms of `labelled`, `data` and `test` are `glue`, `posts` are `emotions`, and `tweets`
    are `ratings`, of which those of even number are for testing alone. `countries` is the folder
    with `countries.csv` (see `bias_data`). `teachers` are folders of larger models, who are asked
    about each sentence of `data`. With `domains`, the folder of the files of three labels (see
    `domains`), the model gets three, and the domains of `leave_out` teach nothing.
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
    """Normalised text: to train on with and without labels, and held out by domain.

    `told_texts` are those that teachers are asked about: the sentences of `Sources.data`.
    `messages` are the held-out posts and tweets of whatever label: what a stream looks like.
    `test` is measured once and chooses nothing. A label is an index of `labels`.
    """

    train: list[Example]
    told_texts: list[str]
    unlabelled: list[str]
    held_out: dict[str, list[Example]]
    messages: list[str]
    test: list[Example]
    labels: tuple[str, ...] = ("NEGATIVE", "POSITIVE")

    def require_examples(self, data: Path) -> None:
        """Refuse what nothing can be trained on, or measured on.

        Raises:
            InputError: the files have too few examples; `data` is named.
        """
        if not self.train or not all(self.held_out.values()):
            raise InputError(
                f"{data}: has too few examples to train on some and hold sentences out; give more"
            )
