"""What a model is trained on: reviews, posts and tweets, each with a part held out.

Exists so that training and calibration split the files in exactly one way. Text is normalised
here, as the model will see it when it runs. No model code here.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from service.errors import InputError
from service.lab.glue import Example, hold_out, read_glue
from service.lab.labelled import RATING_MIN, read_emotions, read_ratings
from service.normalise import normalise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from service.lab.labelled import Rated
    from service.lab.recipe import Recipe

# Of all posts, labelled or not; enough for the reference distribution of a stream too.
POSTS_HELD_OUT = 2000
TWEETS_HELD_OUT = 500
# Below, people do not agree on the sign.
TRAINED_RATING_MIN = 0.5

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a run; what is None is left out.

    In the forms of `labelled`, `data` and `test` are `glue`, `posts` are `emotions`, and `tweets`
    are `ratings`, of which those of even number are for testing alone. `countries` is the folder
    with `countries.csv` (see `bias_data`). `teachers` are folders of larger models, who are asked
    about each sentence of `data`.
    """

    data: Path
    posts: Path | None = None
    tweets: Path | None = None
    countries: Path | None = None
    test: Path | None = None
    teachers: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Mixture:
    """Normalised text: to train on with and without labels, and held out by domain.

    The first `sentences_count` of `train` came from `Sources.data`. `messages` are the held-out
    posts and tweets of whatever label: what a stream looks like.
    `test` is measured once and chooses nothing.
    """

    train: list[Example]
    sentences_count: int
    unlabelled: list[str]
    held_out: dict[str, list[Example]]
    messages: list[str]
    test: list[Example]

    @property
    def sentences(self) -> list[str]:
        """The texts to train on that came from `Sources.data`."""
        return [example.text for example in self.train[: self.sentences_count]]

    def require_examples(self, data: Path) -> None:
        """Refuse what nothing can be trained on, or measured on.

        Raises:
            InputError: the files have too few examples; `data` is named.
        """
        if not self.train or not all(self.held_out.values()):
            raise InputError(
                f"{data}: has too few examples to train on some and hold sentences out; give more"
            )


def read_mixture(sources: Sources, recipe: Recipe) -> Mixture:
    """Read and split all files; the split depends on `recipe.split_seed` alone.

    Raises:
        InputError: a file cannot be used.
    """
    train, sentences = hold_out(read_glue(sources.data), recipe.held_out, recipe.split_seed)
    sentences_count = len(train)
    held_out = {sources.data.parent.name or "data": sentences}
    unlabelled: list[str] = []
    messages: list[str] = []
    order = random.Random(recipe.split_seed)
    if sources.posts is not None:
        posts = read_emotions(sources.posts)
        order.shuffle(posts)
        held, rest = _cut(posts, POSTS_HELD_OUT)
        train += _labelled(rest)
        unlabelled += [text for text, label in rest if label is None]
        held_out["posts"] = _labelled(held)
        messages += [text for text, _ in held]
    if sources.tweets is not None:
        tweets = [tweet for tweet in read_ratings(sources.tweets) if tweet.number % 2]
        order.shuffle(tweets)
        held_tweets, rest_tweets = _cut(tweets, TWEETS_HELD_OUT)
        train += _polar(rest_tweets, TRAINED_RATING_MIN) * recipe.tweet_copies
        held_out["tweets"] = _polar(held_tweets, RATING_MIN)
        messages += [tweet.text for tweet in held_tweets]
    test = [] if sources.test is None else read_glue(sources.test)
    return _mapped(
        Mixture(train, sentences_count, unlabelled, held_out, messages, test),
        lambda text: normalise(text, recipe.normaliser),
    )


def _cut(rows: list[_Row], count: int) -> tuple[list[_Row], list[_Row]]:
    # Of a small file at most a third is held out.
    first = min(count, len(rows) // 3)
    return rows[:first], rows[first:]


def _labelled(posts: list[tuple[str, int | None]]) -> list[Example]:
    return [Example(text, label) for text, label in posts if label is not None]


def _polar(tweets: list[Rated], rating_min: float) -> list[Example]:
    return [Example(t.text, int(t.rating > 0)) for t in tweets if abs(t.rating) >= rating_min]


def _mapped(mixture: Mixture, change: Callable[[str], str]) -> Mixture:
    def examples(rows: list[Example]) -> list[Example]:
        return [Example(change(row.text), row.label) for row in rows]

    return Mixture(
        train=examples(mixture.train),
        sentences_count=mixture.sentences_count,
        unlabelled=[change(text) for text in mixture.unlabelled],
        held_out={name: examples(rows) for name, rows in mixture.held_out.items()},
        messages=[change(text) for text in mixture.messages],
        test=examples(mixture.test),
    )
